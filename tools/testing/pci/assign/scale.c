// SPDX-License-Identifier: GPL-2.0
/*
 * Large hierarchies: what one boot costs, and one hot-add after it
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "hier.h"
#include "scale.h"
#include "shim.h"

#define KIB		1024ULL
#define MIB		(1024 * KIB)
#define GIB		(1024 * MIB)
#define TIB		(1024 * GIB)
#define BUS_NUMBERS	255	/* of a domain, without that of the root bus */
#define BUS_FUNCTIONS	256
#define SWITCH_PORTS	8
#define SLOT_FUNCTIONS	4	/* in a slot of a switch */
#define HOTPLUG_PORTS	240	/* of a host bridge */

/*
 * Host bridges with the hierarchies below them.  @left: devices still to be
 * built; bridges are devices, too.
 */
struct scale {
	struct hier		*hier;
	struct a_machine	**m;
	unsigned int		hosts;
	unsigned int		left;
	__u64			low;	/* bytes of 32-bit addresses for each */
	unsigned int		io;	/* every how many functions have ports */
};

static struct hier *scale_host(struct scale *s)
{
	struct hier *h;

	s->hier = realloc(s->hier, (s->hosts + 1) * sizeof(*s->hier));
	if (!s->hier)
		abort();
	h = &s->hier[s->hosts++];
	/* One more for the hot-add */
	hier_init(h, HOTPLUG_PORTS * (BUS_FUNCTIONS + 1) + 1);
	h->host = (struct a_host) {
		.io = { 0x1000, 0xffff },
		.low = { 0x80000000, 0x80000000 + s->low - 1 },
		.high = { 4 * TIB, 8 * TIB - 1 },
	};
	return h;
}

static int scale_bridge(struct scale *s, struct hier *h, int parent,
			int hotplug)
{
	int me = h->count;
	struct a_fn *fn = hier_add(h, parent);

	fn->bridge = 1;
	fn->hotplug = hotplug;
	fn->io = 1;
	fn->pref = 64;
	if (s->left)
		s->left--;
	return me;
}

/* A little of what devices ask for: registers, and memory */
static void scale_fn(struct scale *s, struct hier *h, int parent)
{
	struct a_fn *fn = hier_add(h, parent);
	unsigned int n = h->count;

	fn->bar[0].kind = A_MEM;
	fn->bar[0].size = 4 * KIB << n % 3;
	fn->bar[2].kind = A_PREF64;
	fn->bar[2].size = 16 * KIB << n % 5;
	if (s->io && n % s->io == 0) {
		fn->bar[4].kind = A_IO;
		fn->bar[4].size = 32;
	}
	if (s->left)
		s->left--;
}

static void scale_slot(struct scale *s, struct hier *h, int port,
		       unsigned int functions)
{
	while (functions-- && s->left)
		scale_fn(s, h, port);
}

/* Root ports with a switch each, and a device in each slot of that */
static void scale_plain(struct scale *s)
{
	unsigned int buses, i;
	struct hier *h;
	int up;

	while (s->left) {
		h = scale_host(s);
		for (buses = 0; s->left && buses + SWITCH_PORTS + 2 <= BUS_NUMBERS;
		     buses += SWITCH_PORTS + 2) {
			up = scale_bridge(s, h, A_NOWHERE, 0);
			up = scale_bridge(s, h, up, 0);
			for (i = 0; i < SWITCH_PORTS && s->left; i++)
				scale_slot(s, h, scale_bridge(s, h, up, 0),
					   SLOT_FUNCTIONS);
		}
	}
}

/* As few host bridges as will do, with as many hotplug ports as they can have */
static void scale_hotplug(struct scale *s)
{
	unsigned int ports, per, i;
	struct hier *h;

	while (s->left) {
		h = scale_host(s);
		ports = s->left / 2 < HOTPLUG_PORTS ? s->left / 2 : HOTPLUG_PORTS;
		per = (s->left - ports + ports - 1) / ports;
		if (per > BUS_FUNCTIONS)
			per = BUS_FUNCTIONS;
		for (i = 0; i < ports && s->left; i++)
			scale_slot(s, h, scale_bridge(s, h, A_NOWHERE, 1), per);
	}
}

static int scale_build(struct scale *s, const char *shape)
{
	s->low = GIB;
	if (!strcmp(shape, "plain")) {
		scale_plain(s);
	} else if (!strcmp(shape, "hotplug")) {
		scale_hotplug(s);
	} else if (!strcmp(shape, "short")) {
		/* More I/O ports than there are */
		s->io = 16;
		scale_plain(s);
	} else if (!strcmp(shape, "tight")) {
		/* Not enough for what hotplug ports should have */
		s->low = 96 * MIB;
		scale_hotplug(s);
	} else {
		fprintf(stderr,
			"assign: unknown shape '%s': must be plain, hotplug, short or tight\n",
			shape);
		return 0;
	}
	return 1;
}

static double scale_seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return t.tv_sec + t.tv_nsec / 1000000000.0;
}

static void scale_count(const struct scale *s, const struct a_side *side,
			const char *what, double seconds, unsigned long bytes)
{
	struct a_place place[A_RES];
	unsigned long bars = 0, placed = 0;
	unsigned int host, i, k;

	for (host = 0; host < s->hosts; host++)
		for (i = 0; i < s->hier[host].count; i++) {
			side->get(s->m[host], i, place);
			for (k = 0; k < A_BARS; k++) {
				if (!s->hier[host].fn[i].bar[k].kind)
					continue;
				bars++;
				placed += place[k].in != A_NOWHERE;
			}
		}
	printf("%s hosts %u bars %lu placed %lu seconds %.6f bytes %lu messages %lu\n",
	       what, s->hosts, bars, placed, seconds, bytes, shim_messages);
	fflush(stdout);
}

/* A port without a bridge right behind it, in the middle */
static unsigned int scale_port(const struct hier *h)
{
	unsigned int i;

	for (i = h->count / 2; i && !h->fn[i].bridge; i--)
		;
	return i;
}

static void scale_boot(struct scale *s, const struct a_side *side)
{
	unsigned long before = shim_bytes;
	double start = scale_seconds();

	shim_peak = shim_bytes;
	shim_messages = 0;
	side->boot(s->m, s->hosts);
	scale_count(s, side, "boot", scale_seconds() - start,
		    shim_peak - before);
}

/* The fullest host bridge is the first one */
static void scale_hot_add(struct scale *s, const struct a_side *side)
{
	struct hier *h = &s->hier[0];
	unsigned int port = scale_port(h), i, n = h->count;
	unsigned long before;
	double start;

	for (i = 0; i < n; i++)
		side->live(s->m[0], i);
	scale_fn(s, h, port);
	hier_build(h, side, s->m[0], n);

	before = shim_bytes;
	shim_peak = shim_bytes;
	shim_messages = 0;
	start = scale_seconds();
	side->hot_add(s->m[0], port);
	scale_count(s, side, "hot-add", scale_seconds() - start,
		    shim_peak - before);
}

int scale(const struct a_side *side, const char *shape, unsigned int devices)
{
	struct scale s = { .left = devices };
	unsigned int i;

	if (!scale_build(&s, shape))
		return 2;
	s.m = calloc(s.hosts, sizeof(*s.m));
	if (!s.m)
		abort();
	for (i = 0; i < s.hosts; i++)
		s.m[i] = hier_make(&s.hier[i], side);

	scale_boot(&s, side);
	scale_hot_add(&s, side);

	for (i = 0; i < s.hosts; i++) {
		side->free(s.m[i]);
		hier_free(&s.hier[i]);
	}
	free(s.m);
	free(s.hier);
	return 0;
}
