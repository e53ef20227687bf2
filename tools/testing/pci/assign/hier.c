// SPDX-License-Identifier: GPL-2.0
/*
 * Hierarchies, and machines made of them
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hier.h"

void hier_init(struct hier *h, unsigned int max)
{
	memset(h, 0, sizeof(*h));
	h->max = max;
	h->fn = calloc(max, sizeof(*h->fn));
	if (!h->fn) {
		fprintf(stderr, "assign: no memory for %u functions\n", max);
		exit(2);
	}
}

void hier_free(struct hier *h)
{
	free(h->fn);
	h->fn = NULL;
}

/* Whoever calls this makes sure that there is room */
struct a_fn *hier_add(struct hier *h, int parent)
{
	struct a_fn *fn = &h->fn[h->count++];

	memset(fn, 0, sizeof(*fn));
	fn->parent = parent;
	return fn;
}

/* Add the functions from @from on to a machine */
void hier_build(const struct hier *h, const struct a_side *side,
		struct a_machine *m, unsigned int from)
{
	unsigned int i;

	for (i = from; i < h->count; i++)
		if (!h->fn[i].gone)
			side->add(m, i, &h->fn[i]);
}

struct a_machine *hier_make(const struct hier *h, const struct a_side *side)
{
	struct a_machine *m = side->make(&h->host, h->max);

	hier_build(h, side, m, 0);
	return m;
}
