// SPDX-License-Identifier: GPL-2.0
/*
 * What fits next
 *
 * Both sides begin the event with the same.  What they make of it may leave more
 * room for what comes later, or less.  So after the event each side goes on from
 * where it has ended itself: with a card behind one hotplug bridge, and with
 * switches behind it, each in a port of the one before.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compare.h"

#define NEXT_DEPTH	4	/* switches */
#define NEXT_PORTS	3	/* of a switch, at most */
#define NEXT_BATCH	(NEXT_DEPTH * (2 * NEXT_PORTS + 2))
#define NEXT_STEPS	(1 + NEXT_DEPTH)

/* How the sides begin a step */
enum next_start {
	NEXT_EVEN,	/* the same BARs have places */
	NEXT_AHEAD,	/* the side that follows has placed more */
	NEXT_BEHIND,	/* it has not, and not the same */
	NEXT_STARTS,
	NEXT_APART = NEXT_STARTS, /* or not to be compared any more */
	NEXT_ROWS
};

/* One side, in a machine of its own */
struct next_side {
	const struct a_side	*side;
	struct a_machine	*m;
	struct places		before[RANDOM_MAX];
	struct places		after[RANDOM_MAX];
};

/* All members are of the same type, as of struct tally */
struct next_tally {
	__u64	steps;
	__u64	worse;		/* with something lost, and less gained */
	__u64	better;		/* the other way round */
	__u64	bars;		/* that are new */
	__u64	placed[SIDES];
	__u64	lost;
	__u64	gained;
	__u64	whole[SIDES];	/* steps in which nothing is left without */
	__u64	broken;		/* in use, moved or dropped by who follows */
};

/* Windows of hotplug bridges */
struct next_room {
	__u64	windows;
	__u64	more[SIDES];	/* has more room than the other */
	__u64	none[SIDES];	/* none at all */
	__u64	bits[SIDES];	/* sum of the logarithms of what would fit */
};

static struct next_tally next_tally[NEXT_STEPS][NEXT_ROWS];
static struct next_room next_room[EVENT_KINDS][A_WINDOWS][2];
static struct next_side next_side[SIDES];
static __u64 next_listed;

static const char *const start_names[NEXT_ROWS] = {
	"even", "ahead", "behind", "apart"
};

static const char *const window_names[A_WINDOWS] = { "io", "mem", "pref" };

/* The largest BAR that fits between @from and @to, as a power of two; 0: none */
static unsigned int next_fits(__u64 from, __u64 to)
{
	unsigned int bits;
	__u64 start;

	for (bits = 63; bits; bits--) {
		start = (from + (1ULL << bits) - 1) & -(1ULL << bits);
		if (start >= from && start < to && to - start >= 1ULL << bits)
			return bits;
	}
	return 0;
}

/* The largest that fits into a window beside what is there */
static unsigned int next_fits_in(const struct hier *h, const struct places *p,
				 unsigned int bridge, unsigned int window)
{
	const struct a_place *in = &p[bridge].res[A_BARS + window], *next, *place;
	__u64 from = in->start;
	unsigned int best = 0, bits, i, k;

	if (!state_placed(h, p, bridge, A_BARS + window))
		return 0;

	do {
		next = NULL;
		for (i = bridge + 1; i < h->count; i++) {
			if (h->fn[i].parent != (int)bridge || h->fn[i].gone)
				continue;
			for (k = 0; k < A_RES; k++) {
				place = &p[i].res[k];
				if (place->in == (int)window &&
				    place->start >= from &&
				    (!next || place->start < next->start))
					next = place;
			}
		}
		bits = next_fits(from, next ? next->start : in->end + 1);
		if (bits > best)
			best = bits;
		from = next ? next->end + 1 : from;
	} while (next);

	return best;
}

static int next_is_empty(const struct hier *h, unsigned int bridge)
{
	unsigned int i;

	for (i = bridge + 1; i < h->count; i++)
		if (h->fn[i].parent == (int)bridge && !h->fn[i].gone)
			return 0;
	return 1;
}

static int next_is_port(const struct a_fn *fn)
{
	return fn->bridge && fn->hotplug && !fn->gone;
}

static void next_count_room(const struct session *s, unsigned int bridge,
			    unsigned int window)
{
	unsigned int led = next_fits_in(&s->h, s->led, bridge, window);
	unsigned int followed = next_fits_in(&s->h, s->followed, bridge, window);
	struct next_room *r =
		&next_room[s->e.kind][window][next_is_empty(&s->h, bridge)];

	r->windows++;
	r->more[LEADS] += led > followed;
	r->more[FOLLOWS] += followed > led;
	r->none[LEADS] += !led;
	r->none[FOLLOWS] += !followed;
	r->bits[LEADS] += led;
	r->bits[FOLLOWS] += followed;
}

static void next_count_rooms(const struct session *s)
{
	unsigned int i, k;

	for (i = 0; i < s->h.count; i++) {
		if (!next_is_port(&s->h.fn[i]))
			continue;
		for (k = 0; k < A_WINDOWS; k++)
			if ((k != 0 || s->h.fn[i].io) &&
			    (k != 2 || s->h.fn[i].pref))
				next_count_room(s, i, k);
	}
}

/* Whether both have placed the same so far */
static enum next_start next_how(const struct hier *h)
{
	int more = 0, same = 1, led, followed;
	unsigned int i, k;

	for (i = 0; i < h->count; i++) {
		for (k = 0; k < A_BARS && !h->fn[i].gone; k++) {
			led = state_placed(h, next_side[LEADS].after, i, k);
			followed = state_placed(h, next_side[FOLLOWS].after, i, k);
			same = same && led == followed;
			more += followed - led;
		}
	}
	return same ? NEXT_EVEN : more > 0 ? NEXT_AHEAD : NEXT_BEHIND;
}

/* Where one side has ended; returns 0 if that can't be had again */
static int next_begin(struct session *s, struct next_side *n,
		      const struct a_side *side, const struct places *after)
{
	n->side = side;
	memcpy(n->after, after, s->h.count * sizeof(*after));
	n->m = state_restore(&s->h, side, after, s->h.count, 0, 1);
	return !!n->m;
}

static void next_free(struct next_side *n)
{
	if (n->m)
		n->side->free(n->m);
	n->m = NULL;
}

/* BARs in use that are moved or dropped */
static unsigned int next_broken(const struct session *s,
				const struct next_side *n)
{
	unsigned int i, k, broken = 0;

	for (i = 0; i < s->e.from; i++)
		for (k = 0; k < A_BARS && !s->h.fn[i].gone; k++)
			broken += state_placed(&s->h, n->before, i, k) &&
				  (!state_placed(&s->h, n->after, i, k) ||
				   n->after[i].res[k].start !=
				   n->before[i].res[k].start ||
				   n->after[i].res[k].in !=
				   n->before[i].res[k].in);
	return broken;
}

static void next_assign(struct session *s, struct next_side *n)
{
	unsigned int i;

	compare_say(s, n->side);
	memcpy(n->before, n->after, s->e.from * sizeof(*n->after));
	hier_build(&s->h, n->side, n->m, s->e.from);
	n->side->hot_add(n->m, s->e.port);
	for (i = 0; i < s->h.count; i++) {
		if (s->h.fn[i].gone)
			continue;
		n->side->get(n->m, i, n->after[i].res);
		n->side->live(n->m, i);
	}
}

static void next_list(const struct session *s, unsigned int step,
		      const struct next_tally *t)
{
	if (next_listed++ >= s->opt->list)
		return;
	printf("%llu.%u, then step %u behind %u: lost %llu, gained %llu\n",
	       s->seed, s->e.nr, step, s->e.port, t->lost, t->gained);
}

/* What becomes of the BARs that are new */
static void next_count(const struct session *s, unsigned int step,
		       enum next_start how)
{
	const struct places *led = next_side[LEADS].after;
	const struct places *followed = next_side[FOLLOWS].after;
	struct next_tally t = {
		.steps = 1,
		.broken = next_broken(s, &next_side[FOLLOWS]),
	};
	unsigned int i, k;
	int a, b;

	for (i = s->e.from; i < s->h.count; i++) {
		for (k = 0; k < A_BARS; k++) {
			if (!s->h.fn[i].bar[k].kind)
				continue;
			a = state_placed(&s->h, led, i, k);
			b = state_placed(&s->h, followed, i, k);
			t.bars++;
			t.placed[LEADS] += a;
			t.placed[FOLLOWS] += b;
			t.lost += a && !b;
			t.gained += b && !a;
		}
	}
	t.worse = t.lost > t.gained;
	t.better = t.gained > t.lost;
	t.whole[LEADS] = t.placed[LEADS] == t.bars;
	t.whole[FOLLOWS] = t.placed[FOLLOWS] == t.bars;
	compare_add(&next_tally[step][how], &t, sizeof(t));
	if (t.lost && how == NEXT_EVEN)
		next_list(s, step, &t);
}

static void next_show(const struct session *s)
{
	static struct session t;

	t = *s;
	memcpy(t.before, next_side[LEADS].before, sizeof(t.before));
	memcpy(t.led, next_side[LEADS].after, sizeof(t.led));
	memcpy(t.followed, next_side[FOLLOWS].after, sizeof(t.followed));
	show(&t);
}

/*
 * One hot-add, of what is new in the hierarchy.  Returns whether the side that
 * leads has done, by now, what can't be done.
 */
static int next_step(struct session *s, unsigned int step, int apart)
{
	enum next_start how = next_how(&s->h);

	next_assign(s, &next_side[LEADS]);
	next_assign(s, &next_side[FOLLOWS]);
	if (compare_shows(s))
		next_show(s);
	apart = apart || next_broken(s, &next_side[LEADS]) ||
		state_odd(&s->h, next_side[LEADS].after, s->h.count);
	next_count(s, step, apart ? NEXT_APART : how);
	return apart;
}

/* A card, then no card any more but a chain of switches in the same slot */
static void next_go(struct session *s, struct random *r, unsigned int port,
		    int chain)
{
	unsigned int step = chain, last = chain ? NEXT_DEPTH : 0;
	int apart = 0;

	if (next_begin(s, &next_side[LEADS], s->opt->leads, s->led) &&
	    next_begin(s, &next_side[FOLLOWS], s->opt->follows, s->followed)) {
		for (; step <= last; step++) {
			s->e.from = s->h.count;
			s->e.port = port;
			if (chain)
				port = random_switch(r, &s->h, port, NEXT_PORTS);
			else
				random_fn(r, &s->h, port);
			apart = next_step(s, step, apart);
		}
	}
	next_free(&next_side[LEADS]);
	next_free(&next_side[FOLLOWS]);
}

/* A hotplug bridge, or A_NOWHERE if there is none */
static int next_port(const struct hier *h, unsigned int any)
{
	unsigned int i, ports = 0;

	for (i = 0; i < h->count; i++)
		ports += next_is_port(&h->fn[i]);
	if (!ports)
		return A_NOWHERE;

	for (i = 0, any %= ports; ; i++)
		if (next_is_port(&h->fn[i]) && !any--)
			return i;
}

/* After an event that both have ended; leaves the session as it was */
void next(struct session *s)
{
	struct random r = { s->seed * 4 + s->e.nr };
	unsigned int count = s->h.count;
	struct event e = s->e;
	int chain, port;

	next_count_rooms(s);
	port = next_port(&s->h, random_below(&r, RANDOM_MAX));
	if (port == A_NOWHERE || count + NEXT_BATCH > s->h.max)
		return;

	for (chain = 0; chain < 2; chain++) {
		s->e.kind = EVENT_HOT_ADD;
		next_go(s, &r, port, chain);
		s->h.count = count;
		s->e = e;
	}
}

static void print_room(enum event_kind kind, unsigned int window, int empty)
{
	const struct next_room *r = &next_room[kind][window][empty];
	double n = r->windows ? r->windows : 1;

	printf("%-9s %-5s %-5s %8llu %8llu %8llu %8llu %8llu %8.2f %8.2f\n",
	       event_names[kind], window_names[window], empty ? "empty" : "used",
	       r->windows, r->more[LEADS], r->more[FOLLOWS], r->none[LEADS],
	       r->none[FOLLOWS], r->bits[LEADS] / n, r->bits[FOLLOWS] / n);
}

static void print_step(unsigned int step, enum next_start how)
{
	const struct next_tally *t = &next_tally[step][how];
	char what[16] = "card";

	if (step)
		snprintf(what, sizeof(what), "switch %u", step);
	printf("%-9s %-6s %8llu %8llu %8llu %8llu %8llu %8llu %8llu %8llu %8llu %8llu\n",
	       what, start_names[how], t->steps, t->bars, t->placed[LEADS],
	       t->placed[FOLLOWS], t->whole[LEADS], t->whole[FOLLOWS], t->lost,
	       t->gained, t->worse, t->better);
}

/* Does the side that follows leave less room, in some kind of window? */
static int next_is_less(void)
{
	const struct next_room *r = &next_room[0][0][0];
	unsigned int i, less = 0;

	for (i = 0; i < sizeof(next_room) / sizeof(*r); i++, r++)
		less += r->bits[FOLLOWS] < r->bits[LEADS];
	return less != 0;
}

/* Does it place less, at some depth? */
static int next_is_worse(void)
{
	unsigned int step, how, worse = 0;
	struct next_tally t;

	for (step = 0; step < NEXT_STEPS; step++) {
		memset(&t, 0, sizeof(t));
		for (how = 0; how < NEXT_STARTS; how++)
			compare_add(&t, &next_tally[step][how], sizeof(t));
		worse += t.lost > t.gained;
	}
	return worse != 0;
}

static void print_rooms(const char *leads, const char *follows)
{
	unsigned int i, k;

	printf("\nroom of hotplug bridges: what would fit, as a power of two\n");
	printf("%-21s %8s %17s %17s %17s\n%-29s", "", "windows", "more", "none",
	       "mean", "");
	for (i = 0; i < 3; i++)
		printf(" %8s %8s", leads, follows);
	putchar('\n');
	for (i = 0; i < EVENT_KINDS; i++)
		for (k = 0; k < 2 * A_WINDOWS; k++)
			print_room(i, k / 2, k % 2);
}

static void print_steps(const char *leads, const char *follows)
{
	unsigned int i, how;

	printf("\n%-16s %8s %8s %17s %17s %8s %8s %8s %8s\n%-33s", "next",
	       "steps", "BARs", "placed", "all placed", "lost", "gained",
	       "worse", "better", "");
	for (i = 0; i < 2; i++)
		printf(" %8s %8s", leads, follows);
	putchar('\n');
	for (i = 0; i < NEXT_STEPS; i++)
		for (how = 0; how < NEXT_ROWS; how++)
			print_step(i, how);
}

/* Returns whether it is a failure */
int next_report(const struct compare_options *opt)
{
	const char *leads = opt->leads->name, *follows = opt->follows->name;
	struct next_tally sum = {}, apart = {}, *t;
	int bad, less = next_is_less();
	unsigned int i, how;

	for (i = 0; i < NEXT_STEPS; i++) {
		for (how = 0; how < NEXT_ROWS; how++) {
			t = &next_tally[i][how];
			compare_add(how < NEXT_STARTS ? &sum : &apart, t,
				    sizeof(*t));
		}
	}
	print_rooms(leads, follows);
	print_steps(leads, follows);

	bad = less || next_is_worse() || sum.broken || apart.broken;
	if (opt->leads == opt->follows)
		bad = sum.lost || sum.gained || apart.lost || apart.gained;
	printf("%s: next: %llu steps, %llu BARs: lost %llu, gained %llu; less room: %s; ",
	       verdicts[bad], sum.steps, sum.bars, sum.lost, sum.gained,
	       less ? "yes" : "no");
	printf("in use and moved or dropped by the %s: %llu; not comparable: %llu steps\n",
	       follows, sum.broken + apart.broken, apart.steps);
	return bad;
}
