// SPDX-License-Identifier: GPL-2.0
/*
 * Two allocators on the same inputs
 *
 * One side leads: it goes on from what it has done itself, event after event,
 * in one machine.  For each event the other side gets a machine of its own that
 * is put into the state that the leading one is in, and then does the same.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "compare.h"

/* What there is to say about some events; all but the events are BARs */
struct tally {
	__u64	events;
	__u64	bad_events;	/* with something lost */
	__u64	fewer_events;	/* and less gained */
	__u64	bars;
	__u64	placed[SIDES];
	__u64	lost;		/* only the side that leads places it */
	__u64	lost_roms;	/* of these */
	__u64	gained;		/* only the other one does */
	__u64	stuck;		/* no side does, and only the one that leads says so */
	__u64	moved[SIDES];	/* in use, and elsewhere */
	__u64	dropped[SIDES];	/* in use, and nowhere */
};

/*
 * Events by kind, and those that are not compared: where the side that leads
 * breaks what is in use, and where it begins or ends in a state that no
 * hardware can be in.
 */
enum {
	CLASS_BREAKS = EVENT_KINDS,
	CLASS_ODD,
	CLASSES
};

static const char *const class_names[CLASSES] = {
	[EVENT_BOOT] = "boot",
	[EVENT_FIRMWARE] = "firmware",
	[EVENT_HOT_ADD] = "hot-add",
	[CLASS_BREAKS] = "breaks",
	[CLASS_ODD] = "odd",
};

const char *const verdicts[2] = { "passed", "FAILED" };

/* An event that somebody may want to look at */
struct finding {
	__u64		seed;
	unsigned int	nr;
	int		class;
	__u64		lost;
	__u64		gained;
	__u64		stuck;
	__u64		broken;	/* in use, moved or dropped by who follows */
};

static struct tally tally[CLASSES];
static struct finding *finding;
static unsigned int findings, max_findings;
static __u64 untold;	/* events in a state that can't be had again */
static __u64 different;	/* events with any difference at all */
static char now[80] = "the command line";

const char *const event_names[EVENT_KINDS] = { "boot", "firmware", "hot-add" };

const char *compare_now(void)
{
	return now;
}

void compare_say(const struct session *s, const struct a_side *side)
{
	snprintf(now, sizeof(now), "seed %llu, event %u (%s), %s", s->seed,
		 s->e.nr, event_names[s->e.kind], side->name);
}

/* What was there before the event; NULL if its state can't be had again */
static struct a_machine *session_restore(const struct session *s,
					 const struct a_side *side)
{
	return state_restore(&s->h, side, s->before, s->e.from,
			     s->e.kind == EVENT_FIRMWARE,
			     s->e.kind == EVENT_HOT_ADD);
}

/* The event, and how it ends */
static void session_assign(struct session *s, const struct a_side *side,
			   struct a_machine *m, struct places *after)
{
	unsigned int i;

	hier_build(&s->h, side, m, s->e.from);
	if (s->e.kind == EVENT_HOT_ADD)
		side->hot_add(m, s->e.port);
	else
		side->boot(&m, 1);

	for (i = 0; i < s->h.count; i++)
		if (!s->h.fn[i].gone)
			side->get(m, i, after[i].res);
}

static void session_remove(struct session *s)
{
	const struct a_side *side = s->opt->leads;
	unsigned int i;

	for (i = s->e.from; i--; )
		if (s->present[i] && s->h.fn[i].gone)
			side->remove(s->m, i);
		else if (s->present[i])
			side->live(s->m, i);
}

/* A boot is a new beginning.  Returns 0 if that is not possible */
static int session_lead(struct session *s)
{
	const struct a_side *side = s->opt->leads;

	compare_say(s, side);
	if (s->e.kind == EVENT_HOT_ADD) {
		session_remove(s);
	} else {
		if (s->m)
			side->free(s->m);
		s->m = session_restore(s, side);
		if (!s->m)
			return 0;
	}
	session_assign(s, side, s->m, s->led);
	return 1;
}

static int session_follow(struct session *s)
{
	const struct a_side *side = s->opt->follows;
	struct a_machine *m;

	compare_say(s, side);
	m = session_restore(s, side);
	if (!m)
		return 0;
	session_assign(s, side, m, s->followed);
	side->free(m);
	return 1;
}

/*
 * How one side has treated a BAR that is in use.  One that has been taken out
 * and has got its address back in another window was out of reach meanwhile.
 */
static void tally_in_use(const struct session *s, struct tally *t, int side,
			 const struct places *after, unsigned int i,
			 unsigned int k)
{
	if (!state_placed(&s->h, after, i, k))
		t->dropped[side]++;
	else if (after[i].res[k].start != s->before[i].res[k].start ||
		 after[i].res[k].in != s->before[i].res[k].in)
		t->moved[side]++;
}

/*
 * What has no place and no flags is no BAR to a driver.  With flags, its device
 * can't be enabled.  A side may leave as it was what it has not looked at.
 */
static int tally_stuck(const struct session *s, unsigned int i, unsigned int k)
{
	const struct a_place *led = &s->led[i].res[k];
	const struct a_place *followed = &s->followed[i].res[k];

	return led->in == A_NOWHERE && followed->in == A_NOWHERE &&
	       !led->flags && followed->flags;
}

static void tally_bar(const struct session *s, struct tally *t, unsigned int i,
		      unsigned int k)
{
	int led = state_placed(&s->h, s->led, i, k);
	int followed = state_placed(&s->h, s->followed, i, k);

	t->bars++;
	t->placed[LEADS] += led;
	t->placed[FOLLOWS] += followed;
	t->lost += led && !followed;
	t->lost_roms += led && !followed && k == A_ROM;
	t->gained += !led && followed;
	t->stuck += tally_stuck(s, i, k);

	if (s->e.kind != EVENT_HOT_ADD || i >= s->e.from ||
	    !state_placed(&s->h, s->before, i, k))
		return;
	tally_in_use(s, t, LEADS, s->led, i, k);
	tally_in_use(s, t, FOLLOWS, s->followed, i, k);
}

static struct tally tally_event(const struct session *s)
{
	struct tally t = { .events = 1 };
	unsigned int i, k;

	for (i = 0; i < s->h.count; i++)
		for (k = 0; k < A_BARS && !s->h.fn[i].gone; k++)
			if (s->h.fn[i].bar[k].kind)
				tally_bar(s, &t, i, k);
	t.bad_events = t.lost != 0;
	t.fewer_events = t.lost > t.gained;
	return t;
}

/* All members are of the same type */
void compare_add(void *sum, const void *t, unsigned int size)
{
	const __u64 *from = t;
	__u64 *to = sum;

	for (; size; size -= sizeof(*from))
		*to++ += *from++;
}

static void find(const struct session *s, const struct tally *t, int class)
{
	if (findings == max_findings) {
		max_findings = 2 * max_findings + 64;
		finding = realloc(finding, max_findings * sizeof(*finding));
		if (!finding)
			abort();
	}
	finding[findings++] = (struct finding) {
		.seed = s->seed,
		.nr = s->e.nr,
		.class = class,
		.lost = t->lost,
		.gained = t->gained,
		.stuck = t->stuck,
		.broken = t->moved[FOLLOWS] + t->dropped[FOLLOWS],
	};
}

/* Returns whether it is among what is compared */
static int session_count(struct session *s)
{
	struct tally t = tally_event(s);
	int class = s->e.kind;

	if (t.moved[LEADS] || t.dropped[LEADS])
		class = CLASS_BREAKS;
	else if (s->odd)
		class = CLASS_ODD;
	compare_add(&tally[class], &t, sizeof(t));
	different += !state_same(&s->h, s->led, s->followed);

	if (((t.lost || t.stuck) && class != CLASS_BREAKS) || t.moved[FOLLOWS] ||
	    t.dropped[FOLLOWS])
		find(s, &t, class);
	return class < EVENT_KINDS;
}

int compare_shows(const struct session *s)
{
	return s->opt->show == SHOW_ALL || s->opt->show == (int)s->e.nr;
}

/* Returns 0 if there is no going on */
static int session_event(struct session *s)
{
	unsigned int i;
	int counts;

	if (!session_lead(s)) {
		untold++;
		return 0;
	}
	s->odd = state_odd(&s->h, s->before, s->e.from) ||
		 state_odd(&s->h, s->led, s->h.count);
	if (session_follow(s)) {
		counts = session_count(s);
		if (compare_shows(s))
			show(s);
		if (s->opt->next && counts)
			next(s);
	} else {
		untold++;
	}

	for (i = 0; i < s->h.count; i++) {
		s->before[i] = s->led[i];
		s->present[i] = !s->h.fn[i].gone;
	}
	return 1;
}

static void session_seed(struct session *s)
{
	s->m = NULL;
	s->e = (struct event) { .kind = EVENT_BOOT };
	random_begin(&s->random, &s->h, s->seed);
	while (session_event(s) &&
	       random_next(&s->random, &s->h, s->seed, &s->e))
		;
	if (s->m)
		s->opt->leads->free(s->m);
}

static int by_badness(const void *a, const void *b)
{
	const struct finding *p = a, *q = b;

	if (p->broken != q->broken)
		return p->broken < q->broken ? 1 : -1;
	if (p->class != q->class)
		return p->class - q->class;
	if (p->lost != q->lost)
		return p->lost < q->lost ? 1 : -1;
	if (p->stuck != q->stuck)
		return p->stuck < q->stuck ? 1 : -1;
	return p->seed < q->seed ? -1 : p->seed > q->seed;
}

static void list_findings(const struct compare_options *opt)
{
	unsigned int i;

	qsort(finding, findings, sizeof(*finding), by_badness);
	for (i = 0; i < findings && i < opt->list; i++) {
		printf("%llu.%u (%s): lost %llu, gained %llu", finding[i].seed,
		       finding[i].nr, class_names[finding[i].class],
		       finding[i].lost, finding[i].gained);
		if (finding[i].stuck)
			printf(", stuck %llu", finding[i].stuck);
		if (finding[i].broken)
			printf(", in use and moved or dropped %llu",
			       finding[i].broken);
		putchar('\n');
	}
	if (findings > i)
		printf("... and %u more events\n", findings - i);
}

static void print_tally(const char *what, const struct tally *t)
{
	printf("%-9s %9llu %9llu %9llu %9llu %6llu %6llu %6llu %6llu %8llu  %llu+%llu, %llu+%llu\n",
	       what, t->events, t->bars, t->placed[LEADS], t->placed[FOLLOWS],
	       t->bad_events, t->fewer_events, t->lost, t->lost_roms, t->gained,
	       t->moved[LEADS], t->dropped[LEADS], t->moved[FOLLOWS],
	       t->dropped[FOLLOWS]);
}

/* What counts is the last line; returns whether it is a failure */
static int report(const struct compare_options *opt)
{
	const char *leads = opt->leads->name, *follows = opt->follows->name;
	__u64 broken = 0, apart = tally[CLASS_BREAKS].events +
				  tally[CLASS_ODD].events + untold;
	struct tally sum = {};
	int i, bad;

	list_findings(opt);
	printf("%-9s %9s %9s %9s %9s %6s %6s %6s %6s %8s  in use: moved+dropped by %s, %s\n",
	       "", "events", "BARs", leads, follows, "bad", "fewer", "lost",
	       "ROMs", "gained", leads, follows);
	for (i = 0; i < CLASSES; i++) {
		print_tally(class_names[i], &tally[i]);
		if (i < EVENT_KINDS)
			compare_add(&sum, &tally[i], sizeof(sum));
		broken += tally[i].moved[FOLLOWS] + tally[i].dropped[FOLLOWS];
	}

	if (opt->leads == opt->follows) {
		bad = different != 0;
		printf("%s: %llu seeds, the %s twice: ", verdicts[bad],
		       opt->seeds, leads);
		printf("%llu events end differently, %llu can't be had again\n",
		       different, untold);
		return bad;
	}

	bad = sum.lost > opt->bound || sum.stuck || broken;
	printf("%s: %llu seeds, %llu events, %llu BARs: ", verdicts[bad],
	       opt->seeds, sum.events, sum.bars);
	printf("lost %llu in %llu events, fewer in all in %llu, gained %llu; ",
	       sum.lost, sum.bad_events, sum.fewer_events, sum.gained);
	printf("stuck without a place: %llu; ", sum.stuck);
	printf("in use and moved or dropped by the %s: %llu; ", follows, broken);
	printf("not comparable: %llu events\n", apart);
	return bad;
}

static void progress(const struct compare_options *opt, __u64 done)
{
	if (isatty(STDERR_FILENO) && done % 1000 == 0)
		fprintf(stderr, "\r%llu of %llu seeds, %u events to look at ",
			done, opt->seeds, findings);
}

int compare(const struct compare_options *opt)
{
	static struct session s;
	__u64 i;
	int bad;

	s.opt = opt;
	hier_init(&s.h, RANDOM_MAX);
	for (i = 0; i < opt->seeds; i++) {
		progress(opt, i);
		s.seed = opt->first + i;
		session_seed(&s);
	}
	hier_free(&s.h);
	if (isatty(STDERR_FILENO))
		fprintf(stderr, "\r%60s\r", "");
	bad = report(opt);
	if (opt->next)
		bad |= next_report(opt);
	return bad;
}
