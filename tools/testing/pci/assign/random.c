// SPDX-License-Identifier: GPL-2.0
/*
 * Random hierarchies, and what happens to them
 */
#include <string.h>

#include "hier.h"

#define RANDOM_BATCH	40	/* room that an event needs at most */

unsigned int random_below(struct random *r, unsigned int n)
{
	r->state = r->state * 6364136223846793005ULL + 1442695040888963407ULL;
	return (r->state >> 33) % n;
}

static void random_bar(struct random *r, struct a_bar *bar)
{
	bar->kind = 1 + random_below(r, 5);
	if (bar->kind == A_IO)
		bar->size = 4ULL << random_below(r, 7);
	else
		bar->size = 4096ULL << random_below(r, random_below(r, 6) ? 10 : 18);
}

void random_fn(struct random *r, struct hier *h, int parent)
{
	struct a_fn *fn = hier_add(h, parent);
	int i, n = 1 + random_below(r, 4);

	for (i = 0; i < n && i < A_ROM; i++) {
		random_bar(r, &fn->bar[i]);
		if (fn->bar[i].kind == A_MEM64 || fn->bar[i].kind == A_PREF64)
			i++;
	}
	if (!random_below(r, 5)) {
		fn->bar[A_ROM].kind = A_MEM;
		fn->bar[A_ROM].size = 2048ULL << random_below(r, 8);
	}
}

static void random_bridge(struct random *r, struct hier *h, int parent,
			  int depth)
{
	int me = h->count, n;
	struct a_fn *fn = hier_add(h, parent);

	fn->bridge = 1;
	fn->hotplug = random_below(r, 2);
	fn->io = random_below(r, 4) != 0;
	fn->pref = random_below(r, 5) ? 64 : random_below(r, 2) ? 32 : 0;
	for (n = random_below(r, 4); n-- && h->count < h->max - 8; )
		if (depth < 5 && !random_below(r, 3))
			random_bridge(r, h, me, depth + 1);
		else
			random_fn(r, h, me);
}

/* Nothing has an address yet */
void random_begin(struct random *r, struct hier *h, __u64 seed)
{
	struct a_host *host = &h->host;
	int n;

	r->state = seed * 2654435761ULL;
	h->count = 0;
	*host = (struct a_host) {
		.io = { 0x1000, 0xffff },
		.low = { 0xc0000000, 0xfebfffff },
	};
	host->low.start += (__u64)random_below(r, 8) << 27;
	/* In one of three it is two windows that touch */
	if (seed % 3 == 0) {
		host->more.start = host->low.start + ((1ULL + seed / 3 % 3) << 26);
		host->more.end = host->low.end;
		host->low.end = host->more.start - 1;
	}
	if (random_below(r, 4)) {
		host->high.start = 0x4000000000ULL;
		host->high.end = host->high.start + (1ULL << (30 + random_below(r, 8))) - 1;
	}

	for (n = 1 + random_below(r, 5); n--; )
		if (random_below(r, 3))
			random_bridge(r, h, A_NOWHERE, 0);
		else
			random_fn(r, h, A_NOWHERE);
}

/* A bridge, or A_NOWHERE if there is none left */
static int random_port(struct random *r, const struct hier *h)
{
	unsigned int port = random_below(r, h->count), i;

	for (i = 0; i < h->count; i++, port = (port + 1) % h->count)
		if (h->fn[port].bridge && !h->fn[port].gone)
			return port;
	return A_NOWHERE;
}

static void random_grow(struct random *r, struct hier *h, int parent)
{
	if (random_below(r, 2))
		random_bridge(r, h, parent, 1);
	else
		random_fn(r, h, parent);
}

/* All that is behind a bridge is taken away */
static void random_empty(struct hier *h, int port)
{
	unsigned int i;

	for (i = port + 1; i < h->count; i++)
		if (h->fn[i].parent == port ||
		    (h->fn[i].parent >= 0 && h->fn[h->fn[i].parent].gone))
			h->fn[i].gone = 1;
}

/*
 * The next event after the boot: devices that firmware has not seen or set up,
 * or a hot-add, with what was in the slot before taken out or not.  Returns 0
 * if there is none.
 */
int random_next(struct random *r, struct hier *h, __u64 seed, struct event *e)
{
	int port, n;

	if (e->nr + 1 == RANDOM_EVENTS || h->count + RANDOM_BATCH > h->max)
		return 0;

	e->nr++;
	e->from = h->count;
	if (e->nr == 1 && seed % 4 == 3) {
		e->kind = EVENT_FIRMWARE;
		for (n = 1 + random_below(r, 3); n--; )
			random_grow(r, h, random_below(r, 4) ? random_port(r, h) :
						      A_NOWHERE);
		return 1;
	}

	e->kind = EVENT_HOT_ADD;
	port = random_port(r, h);
	if (port == A_NOWHERE)
		return 0;
	e->port = port;
	if (!random_below(r, 5))
		random_empty(h, port);
	random_grow(r, h, port);
	return 1;
}

/*
 * A switch with two hotplug ports, or more, and a device in each but the last,
 * which is returned
 */
unsigned int random_switch(struct random *r, struct hier *h, int port,
			   unsigned int max)
{
	unsigned int top = h->count, i, n = 2 + random_below(r, max - 1);
	struct a_fn *fn = hier_add(h, port);

	fn->bridge = 1;
	fn->io = random_below(r, 4) != 0;
	fn->pref = random_below(r, 5) ? 64 : random_below(r, 2) ? 32 : 0;
	for (i = 0; i < n; i++) {
		port = h->count;
		fn = hier_add(h, top);
		fn->bridge = 1;
		fn->hotplug = 1;
		fn->io = h->fn[top].io;
		fn->pref = h->fn[top].pref;
		if (i + 1 < n)
			random_fn(r, h, port);
	}
	return port;
}
