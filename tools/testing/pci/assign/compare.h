/* SPDX-License-Identifier: GPL-2.0 */
#ifndef COMPARE_H
#define COMPARE_H

#include "hier.h"

#define SHOW_NONE	(-1)
#define SHOW_ALL	(-2)

/**
 * struct compare_options - what is compared how
 * @leads: the side whose results the next events begin with
 * @follows: the side that is put into the same states
 * @first: seed
 * @seeds: how many
 * @show: only the first seed, and this event of it in all detail; SHOW_*
 * @bound: BARs that may be lost
 * @list: length of the list of seeds
 */
struct compare_options {
	const struct a_side	*leads;
	const struct a_side	*follows;
	__u64			first;
	__u64			seeds;
	int			show;
	__u64			bound;
	unsigned int		list;
};

/* All resources of a function */
struct places {
	struct a_place	res[A_RES];
};

/**
 * struct session - what goes on with one seed
 * @opt: options
 * @seed: the seed
 * @random: where it has got to
 * @h: the hierarchy
 * @e: the event
 * @odd: no hardware can be like @before, or like @led
 * @m: the machine of the side that leads
 * @present: which functions that has
 * @before: where everything is before the event, of what is not new
 * @led: where it is then on the side that leads
 * @followed: and on the other
 */
struct session {
	const struct compare_options	*opt;
	__u64				seed;
	struct random			random;
	struct hier			h;
	struct event			e;
	int				odd;
	struct a_machine		*m;
	int				present[RANDOM_MAX];
	struct places			before[RANDOM_MAX];
	struct places			led[RANDOM_MAX];
	struct places			followed[RANDOM_MAX];
};

/* state.c */
int state_placed(const struct hier *h, const struct places *p, unsigned int i,
		 unsigned int k);
int state_odd(const struct hier *h, const struct places *p, unsigned int count);
int state_same(const struct hier *h, const struct places *p,
	       const struct places *q);

/* compare.c, show.c */
extern const char *const event_names[EVENT_KINDS];

int compare(const struct compare_options *opt);
const char *compare_now(void);
void show(const struct session *s);

#endif /* COMPARE_H */
