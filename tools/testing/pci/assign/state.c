// SPDX-License-Identifier: GPL-2.0
/*
 * Whether addresses are of any use
 *
 * An allocator may find places inside of windows that have none themselves, or
 * make windows that the registers of a bridge can't hold.
 */
#include <stddef.h>

#include "compare.h"

#define STATE_IO_ALIGN	0x1000ULL
#define STATE_MEM_ALIGN	0x100000ULL

/* Does a resource have a place, and every window above it too? */
int state_placed(const struct hier *h, const struct places *p, unsigned int i,
		 unsigned int k)
{
	int parent;

	while (p[i].res[k].in != A_NOWHERE) {
		parent = h->fn[i].parent;
		if (parent < 0)
			return 1;

		k = A_BARS + p[i].res[k].in;
		i = parent;
		if (k >= A_RES)
			return 0;
	}
	return 0;
}

static int state_window_odd(const struct a_place *place, unsigned int k)
{
	__u64 mask = (k == A_BARS ? STATE_IO_ALIGN : STATE_MEM_ALIGN) - 1;

	return (place->start & mask) || ((place->end + 1) & mask);
}

static int state_odd_fn(const struct hier *h, const struct places *p,
			unsigned int i)
{
	const struct a_place *place = p[i].res;
	unsigned int k;

	for (k = 0; k < A_RES; k++) {
		if (place[k].in == A_NOWHERE)
			continue;
		if (!state_placed(h, p, i, k) ||
		    (k >= A_BARS && state_window_odd(&place[k], k)))
			return 1;
	}
	return 0;
}

/* Is there, among the first functions, something no hardware can have? */
int state_odd(const struct hier *h, const struct places *p, unsigned int count)
{
	unsigned int i;

	for (i = 0; i < count; i++)
		if (!h->fn[i].gone && state_odd_fn(h, p, i))
			return 1;
	return 0;
}

/* Are two states the same, to the last bit? */
int state_same(const struct hier *h, const struct places *p,
	       const struct places *q)
{
	const struct a_place *a, *b;
	unsigned int i, k;

	for (i = 0; i < h->count; i++) {
		for (k = 0; k < A_RES && !h->fn[i].gone; k++) {
			a = &p[i].res[k];
			b = &q[i].res[k];
			if (a->start != b->start || a->end != b->end ||
			    a->flags != b->flags || a->in != b->in)
				return 0;
		}
	}
	return 1;
}

/* A machine in a state, of the first functions; NULL if it can't be had again */
struct a_machine *state_restore(const struct hier *h, const struct a_side *side,
				const struct places *p, unsigned int count,
				int claim, int live)
{
	struct a_machine *m = side->make(&h->host, h->max);
	unsigned int i;

	for (i = 0; i < count; i++) {
		if (h->fn[i].gone)
			continue;
		side->add(m, i, &h->fn[i]);
		if (!side->put(m, i, p[i].res, claim)) {
			side->free(m);
			return NULL;
		}
		if (live)
			side->live(m, i);
	}
	return m;
}
