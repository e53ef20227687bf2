/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HIER_H
#define HIER_H

#include "assign.h"

/**
 * struct hier - what is below one host bridge, without any address
 * @host: its windows
 * @fn: the functions, bridges before what is behind them
 * @count: of @fn, those that are gone too
 * @max: that there is room for
 */
struct hier {
	struct a_host	host;
	struct a_fn	*fn;
	unsigned int	count;
	unsigned int	max;
};

void hier_init(struct hier *h, unsigned int max);
void hier_free(struct hier *h);
struct a_fn *hier_add(struct hier *h, int parent);
struct a_machine *hier_make(const struct hier *h, const struct a_side *side);
void hier_build(const struct hier *h, const struct a_side *side,
		struct a_machine *m, unsigned int from);

/* What happens to a hierarchy */
enum event_kind {
	EVENT_BOOT,		/* nothing has an address */
	EVENT_FIRMWARE,		/* something has; nothing is in use */
	EVENT_HOT_ADD,		/* what was there before is in use */
	EVENT_KINDS
};

/**
 * struct event - one assignment
 * @kind: of event
 * @nr: the first of a seed is 0
 * @port: the bridge that something is added behind, of a hot-add
 * @from: index of the first function that is new
 */
struct event {
	enum event_kind	kind;
	unsigned int	nr;
	unsigned int	port;
	unsigned int	from;
};

/* random.c */
struct random {
	__u64	state;
};

#define RANDOM_MAX	512	/* functions of a random hierarchy */
#define RANDOM_EVENTS	4

void random_begin(struct random *r, struct hier *h, __u64 seed);
int random_next(struct random *r, struct hier *h, __u64 seed, struct event *e);
unsigned int random_below(struct random *r, unsigned int n);
void random_fn(struct random *r, struct hier *h, int parent);
unsigned int random_switch(struct random *r, struct hier *h, int port,
			   unsigned int max);

#endif /* HIER_H */
