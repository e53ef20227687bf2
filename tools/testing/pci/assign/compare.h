/* SPDX-License-Identifier: GPL-2.0 */
#ifndef COMPARE_H
#define COMPARE_H

#include "hier.h"

enum { LEADS, FOLLOWS, SIDES };

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
 * @next: look at what fits after each event, too
 */
struct compare_options {
	const struct a_side	*leads;
	const struct a_side	*follows;
	__u64			first;
	__u64			seeds;
	int			show;
	__u64			bound;
	unsigned int		list;
	int			next;
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
struct a_machine *state_restore(const struct hier *h, const struct a_side *side,
				const struct places *p, unsigned int count,
				int claim, int live);

/* compare.c, show.c */
extern const char *const event_names[EVENT_KINDS];
extern const char *const verdicts[2];

int compare(const struct compare_options *opt);
const char *compare_now(void);
void compare_say(const struct session *s, const struct a_side *side);
int compare_shows(const struct session *s);
void compare_add(void *sum, const void *t, unsigned int size);
void show(const struct session *s);

/* next.c */
void next(struct session *s);
int next_report(const struct compare_options *opt);

#endif /* COMPARE_H */
