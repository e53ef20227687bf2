// SPDX-License-Identifier: GPL-2.0
/*
 * PCI enumeration pipeline: room on one level of the hierarchy
 *
 * A window, what is in it, and one of these that needs a place, or a larger
 * one.  First where nothing or little has to move; in the end everything that
 * can move is laid out anew.
 */
#include "plan_room.h"

/**
 * pci_plan_fit_down - the highest start with the end before an address
 * @end: the address
 * @need: what has to fit
 * @start: output
 *
 * Context: any.
 * Return: is there any.
 */
bool pci_plan_fit_down(u64 end, const struct plan_need *need, u64 *start)
{
	u64 from = end - need->size;

	*start = from - ((from - need->base) & (need->step - 1));
	if (*start & need->avoid) {
		*start &= ~need->avoid;
		*start |= (need->avoid & -need->avoid) - 1;
		*start -= (*start - need->base) & (need->step - 1);
	}
	return end >= need->size && *start <= from && !(*start & need->avoid);
}

/* Is one of them there only for what is not prefetchable, and the other not it? */
static bool plan_passes(const struct pci_plan_item *a,
			const struct pci_plan_item *b)
{
	return (a->barrier && b->pref) || (b->barrier && a->pref);
}

/* What of its place an item beside the child keeps, wherever it goes */
static const struct pci_plan_place *
plan_keeps(const struct plan_level *level, const struct pci_plan_item *item)
{
	if (level->effort < PLAN_DROP || item->fixed || !item->window ||
	    (level->spare && (!item->old.has || !item->reach.has)))
		return &item->new;

	return level->effort < PLAN_PACK ? &item->reach : &item->used;
}

static struct pci_plan_item *plan_first(const struct pci_plan_item *window)
{
	return list_first_entry(&window->inside, struct pci_plan_item, node);
}

/* How far what is before each item in a window reaches */
static void plan_reach_before(struct pci_plan_item *window)
{
	struct pci_plan_item *item;
	u64 before = 0;

	plan_inside(item, window) {
		item->before = before;
		if (!item->new.has)
			break;
		before = max(before, item->new.end);
	}
}

/*
 * The first item that need be looked at for what is from @lo on.  Most often it
 * is not far from @at, that of another address.
 */
static struct pci_plan_item *plan_from(const struct pci_plan_item *window,
				       struct pci_plan_item *at, u64 lo)
{
	struct pci_plan_item *next;

	while (at->before >= lo && at != plan_first(window))
		at = list_prev_entry(at, node);
	while (at->new.has && !list_is_last(&at->node, &window->inside)) {
		next = list_next_entry(at, node);
		if (next->before >= lo)
			break;
		at = next;
	}

	return at;
}

/*
 * What moving away what is from @lo to @hi costs; false if something stays.
 * Nothing before @item is there.
 */
static bool plan_in_the_way(const struct plan_level *level,
			    const struct pci_plan_item *item, u64 lo, u64 hi,
			    unsigned int *cost)
{
	*cost = 0;
	list_for_each_entry_from(item, &level->window->inside, node) {
		if (!item->new.has || item->new.start > hi)
			break;
		if (item == level->child || plan_passes(item, level->child) ||
		    !plan_overlap(plan_keeps(level, item), lo, hi))
			continue;
		if (!plan_movable(level, item) ||
		    level->effort < PLAN_MOVE_BESIDE)
			return false;
		*cost += item->weight;
	}

	return true;
}

/* Is there enough room, wherever in it that is, beside what can't go away? */
static bool plan_has_room(const struct plan_level *level)
{
	u64 last = min(level->last, level->limit), from = level->first;
	const struct pci_plan_place *keeps;
	const struct pci_plan_item *item;
	u64 room, end;

	if (last < from || last - from < level->need.size - 1)
		return false;

	room = last - from + 1 - level->need.size;
	plan_inside(item, level->window) {
		if (!item->new.has)
			break;
		if (item == level->child || plan_passes(item, level->child) ||
		    (plan_movable(level, item) &&
		     min(level->last, item->top) > last))
			continue;
		keeps = plan_keeps(level, item);
		/* What only keeps two windows apart takes nothing */
		if (!keeps->has || keeps->start < from || keeps->start > last ||
		    keeps->start > keeps->end)
			continue;
		end = min(keeps->end, last);
		if (end - keeps->start >= room)
			return false;
		room -= end - keeps->start + 1;
		from = end + 1;
	}

	return true;
}

/* Is it beside the child, and where the child goes? */
static bool plan_leaves(const struct plan_level *level,
			const struct pci_plan_item *item)
{
	const struct pci_plan_place *to = &level->child->try;

	return item != level->child && !plan_passes(item, level->child) &&
	       plan_overlap(plan_keeps(level, item), to->start, to->end);
}

/*
 * What is where an item that makes room wants to go: what is @placed, or stays.
 * Of these only those from @at on need be looked at, or thereabouts.
 */
static const struct pci_plan_place *
plan_busy(const struct plan_level *level, const struct pci_plan_item *leaves,
	  const struct list_head *placed, struct pci_plan_item **at,
	  u64 lo, u64 hi)
{
	const struct pci_plan_place *keeps;
	const struct pci_plan_item *item;

	list_for_each_entry(item, placed, beside) {
		plan_step(level);
		if (plan_overlap(&item->try, lo, hi) &&
		    (item == level->child || !plan_passes(item, leaves)))
			return &item->try;
	}

	*at = plan_from(level->window, *at, lo);
	item = *at;
	list_for_each_entry_from(item, &level->window->inside, node) {
		if (!item->new.has || item->new.start > hi)
			break;
		plan_step(level);
		/* What is in the way itself goes elsewhere */
		if (item == level->child || item->leaves ||
		    plan_passes(item, leaves))
			continue;
		keeps = plan_keeps(level, item);
		if (plan_overlap(keeps, lo, hi))
			return keeps;
	}

	return NULL;
}

/* Is there only one place for it? */
static bool plan_stays(const struct plan_level *level,
		       const struct pci_plan_item *item)
{
	return item == level->child ? level->need.exact :
	       !plan_movable(level, item);
}

/* What an item takes when it moves; nothing if the size is 0 */
static struct plan_need plan_takes(const struct plan_level *level,
				   const struct pci_plan_item *item)
{
	const struct pci_plan_place *keeps;

	if (item == level->child)
		return level->need;
	if (!item->new.has)
		return (struct plan_need) {};

	keeps = plan_keeps(level, item);
	if (!keeps->has)
		return (struct plan_need) {};

	return (struct plan_need) {
		.exact = !plan_movable(level, item),
		.size = plan_size(keeps) + (item->shares ? level->share : 0),
		.base = keeps->start,
		.step = item->step,
		.avoid = item->avoid,
	};
}

/* A place for an item that makes room, beside what is @placed */
static bool plan_find_free(const struct plan_level *level,
			   const struct pci_plan_item *item,
			   const struct list_head *placed, u64 *start)
{
	struct pci_plan_item *at = plan_first(level->window);
	struct plan_need need = plan_takes(level, item);
	u64 last = min(level->last, item->top);
	const struct pci_plan_place *busy;

	if (level->grow == PLAN_DOWN) {
		if (!pci_plan_fit_down(last + 1, &need, start))
			return false;
		while (*start >= level->first) {
			busy = plan_busy(level, item, placed, &at, *start,
					 *start + need.size - 1);
			if (!busy)
				return true;
			if (!pci_plan_fit_down(busy->start, &need, start))
				return false;
		}
		return false;
	}

	if (!pci_plan_fit_up(level->first, &need, start))
		return false;
	while (*start <= last && last - *start >= need.size - 1) {
		busy = plan_busy(level, item, placed, &at, *start,
				 *start + need.size - 1);
		if (!busy)
			return true;
		if (!pci_plan_fit_up(busy->end + 1, &need, start))
			return false;
	}

	return false;
}

/**
 * pci_plan_reset - forget an attempt on one level
 * @window: the window
 *
 * Context: any.
 */
void pci_plan_reset(struct pci_plan_item *window)
{
	struct pci_plan_item *item;

	plan_inside(item, window)
		plan_stay(item);
}

/* The most awkward item that has to leave */
static struct pci_plan_item *plan_next_leaving(const struct plan_level *level)
{
	struct pci_plan_item *item, *next = NULL;

	plan_inside(item, level->window) {
		if (!item->new.has)
			break;
		if (item->placed || !item->leaves)
			continue;
		if (!next || item->step > next->step ||
		    (item->step == next->step &&
		     plan_size(&item->new) > plan_size(&next->new)))
			next = item;
	}

	return next;
}

/* Place the child at @start, and elsewhere what is in the way */
static bool plan_place(const struct plan_level *level, u64 start,
		       struct plan_spot *spot)
{
	const struct pci_plan_place *keeps;
	struct pci_plan_place all;
	struct pci_plan_item *item;
	LIST_HEAD(placed);

	if (level->effort >= PLAN_MOVE_BESIDE)
		pci_plan_reset(level->window);
	plan_put(level->child, level->need.base, start, level->need.size);
	level->child->laid = true;
	all = level->child->try;
	spot->lo = all.start;
	spot->hi = all.end;
	if (level->effort < PLAN_MOVE_BESIDE)
		return true;

	plan_inside(item, level->window) {
		if (!item->new.has)
			break;
		plan_step(level);
		item->leaves = plan_leaves(level, item);
		if (item != level->child && !item->leaves)
			plan_include(&all, plan_keeps(level, item));
	}

	list_add(&level->child->beside, &placed);
	while ((item = plan_next_leaving(level))) {
		if (!plan_find_free(level, item, &placed, &start))
			return false;
		keeps = plan_keeps(level, item);
		plan_put(item, keeps->start, start, plan_size(keeps));
		item->placed = true;
		list_add(&item->beside, &placed);
		plan_include(&all, &item->try);
	}

	spot->lo = all.start;
	spot->hi = all.end;
	return true;
}

/* What is left of a window when @taken is gone; what it @keeps is not */
static void plan_cut_one(struct pci_plan_item *item,
			 const struct pci_plan_place *keeps,
			 const struct pci_plan_place *taken)
{
	struct pci_plan_place *try = &item->try;
	u64 above = ALIGN(taken->end + 1, item->align);
	u64 below = ALIGN_DOWN(taken->start, item->align);
	bool low;

	if (!plan_overlap(taken, try->start, try->end))
		return;

	/* The side that is needed, or the larger one */
	if (keeps->has)
		low = taken->start > keeps->start;
	else
		low = below > try->start &&
		      (!above || above > try->end ||
		       below - try->start >= try->end - above + 1);

	if (low && below > try->start)
		try->end = below - 1;
	else if (!low && above && above <= try->end)
		try->start = above;
	else
		try->has = false;
}

/* What stays loses of its reserve what others have now */
static void plan_cut(const struct plan_level *level)
{
	struct pci_plan_item *item, *other;
	LIST_HEAD(taken);

	if (level->effort < PLAN_DROP)
		return;

	plan_inside(item, level->window)
		if (item->try.has && (item == level->child || item->placed))
			list_add_tail(&item->beside, &taken);

	plan_inside(item, level->window) {
		if (!item->new.has)
			break;
		if (item == level->child || item->placed || !item->window)
			continue;
		list_for_each_entry(other, &taken, beside)
			if (item->try.has)
				plan_cut_one(item, plan_keeps(level, item),
					     &other->try);
	}
}

static bool plan_better(const struct plan_level *level,
			const struct plan_spot *a, const struct plan_spot *b)
{
	if (!b->ok)
		return true;
	if (level->grow == PLAN_UP && a->hi != b->hi)
		return a->hi < b->hi;
	if (level->grow == PLAN_DOWN && a->lo != b->lo)
		return a->lo > b->lo;
	if (a->cost != b->cost)
		return a->cost < b->cost;
	return a->start < b->start;
}

/* Is there such a place for the child? */
static bool plan_within(const struct plan_level *level, u64 start)
{
	u64 end = start + level->need.size - 1;

	return start >= level->first && end <= level->last && end >= start &&
	       end <= level->limit;
}

/* The child at @start; nothing before @at is in its way */
static void plan_try(const struct plan_level *level, u64 start,
		     const struct pci_plan_item *at, struct plan_spot *best)
{
	const struct pci_plan_item *child = level->child;
	struct plan_spot spot = { .ok = true, .start = start };

	if (!*level->steps)
		return;
	if (!plan_in_the_way(level, at, start, start + level->need.size - 1,
			     &spot.cost))
		return;
	if (child->new.has && start != child->new.start)
		spot.cost += child->weight;
	if (level->grow == PLAN_FIT && !plan_better(level, &spot, best))
		return;
	if (!plan_place(level, start, &spot))
		return;

	if (plan_better(level, &spot, best))
		*best = spot;
}

static void plan_try_up(const struct plan_level *level, u64 from,
			struct pci_plan_item **at, struct plan_spot *best)
{
	u64 start;

	if (!pci_plan_fit_up(from, &level->need, &start) ||
	    !plan_within(level, start))
		return;
	*at = plan_from(level->window, *at, start);
	plan_try(level, start, *at, best);
}

static void plan_try_down(const struct plan_level *level, u64 end,
			  struct pci_plan_item **at, struct plan_spot *best)
{
	u64 start;

	if (!pci_plan_fit_down(end, &level->need, &start) ||
	    !plan_within(level, start))
		return;
	*at = plan_from(level->window, *at, start);
	plan_try(level, start, *at, best);
}

/* Places for the child where nothing, or as little as may be, has to move */
static void plan_search(const struct plan_level *level, struct plan_spot *best)
{
	const struct pci_plan_place *keeps;
	const struct pci_plan_item *item;
	struct pci_plan_item *at = plan_first(level->window);

	if (level->child->new.has)
		plan_try_up(level, level->child->new.start, &at, best);
	plan_try_up(level, level->first, &at, best);
	plan_try_down(level, min(level->last, level->limit) + 1, &at, best);

	plan_inside(item, level->window) {
		if (!item->new.has)
			break;
		if (item == level->child)
			continue;
		keeps = plan_keeps(level, item);
		if (!keeps->has)
			continue;
		plan_try_up(level, keeps->end + 1, &at, best);
		plan_try_down(level, keeps->start, &at, best);
		plan_try_up(level, keeps->start, &at, best);
		plan_try_down(level, keeps->end + 1, &at, best);
	}
}

/* From @lo to @hi nothing is; false if the scan can end */
static bool plan_scan_gap(const struct plan_level *level, u64 lo, u64 hi,
			  struct plan_spot *best)
{
	const struct plan_need *need = &level->need;
	bool down = level->grow == PLAN_DOWN, fits;
	u64 start;

	if (down)
		fits = pci_plan_fit_down(hi + 1, need, &start) && start >= lo;
	else
		fits = pci_plan_fit_up(lo, need, &start) &&
		       start <= hi && hi - start >= need->size - 1;
	if (!fits)
		return true;

	*best = (struct plan_spot) { .ok = true, .start = start };
	return down;
}

/* Nothing beside moves: the first gap that will do, or the last one */
static void plan_scan(const struct plan_level *level, u64 lo,
		      struct plan_spot *best)
{
	u64 last = min(level->last, level->limit);
	const struct pci_plan_item *item;

	plan_inside(item, level->window) {
		if (!item->new.has || item->new.start > last)
			break;
		if (item == level->child || plan_passes(item, level->child))
			continue;
		if (item->new.start > lo &&
		    !plan_scan_gap(level, lo, item->new.start - 1, best))
			return;
		if (item->new.end == U64_MAX)
			return;
		lo = max(lo, item->new.end + 1);
	}

	if (lo <= last)
		plan_scan_gap(level, lo, last, best);
}

/* A bus that is laid out anew, from @first to @last */
struct plan_relay {
	const struct plan_level	*level;
	u64			first;
	u64			last;
	bool			down;
	struct list_head	wants;	/* the most awkward first */
	struct list_head	placed;	/* by address */
	struct plan_need	need;	/* of the one before */
	const struct pci_plan_item *prev;
	u64			from;	/* where it was looked for */
};

/* What does not go anywhere yet is not limited to where it can go */
static u64 plan_relay_last(const struct plan_relay *relay,
			   const struct pci_plan_item *item)
{
	if (relay->last == PLAN_TOP - 1)
		return relay->last;

	return min(relay->last, plan_top(relay->level, item));
}

static u64 plan_relay_step(const struct plan_relay *relay,
			   const struct pci_plan_item *item)
{
	return item == relay->level->child ? relay->level->need.step : item->step;
}

/* The most awkward first */
static int plan_by_prio(void *priv, const struct list_head *a,
			const struct list_head *b)
{
	const struct pci_plan_item *i = list_entry(a, struct pci_plan_item, beside);
	const struct pci_plan_item *k = list_entry(b, struct pci_plan_item, beside);
	const struct plan_relay *relay = priv;
	u64 p, q;

	if (i->prio != k->prio)
		return i->prio < k->prio;
	p = plan_relay_last(relay, i);
	q = plan_relay_last(relay, k);
	if (p != q)
		return p > q;
	p = plan_relay_step(relay, i);
	q = plan_relay_step(relay, k);
	if (p != q)
		return p < q;
	return i->asks < k->asks;
}

/* It has a place; what follows by address most of the time comes last */
static void plan_relay_put(struct plan_relay *relay, struct pci_plan_item *item,
			   const struct plan_need *need, u64 start)
{
	struct list_head *at;

	plan_put(item, need->base, start, need->size);
	list_for_each_prev(at, &relay->placed)
		if (list_entry(at, struct pci_plan_item, beside)->try.start <=
		    start)
			break;
	list_move(&item->beside, at);
}

/* Was there no place for it before the one that was placed last? */
static bool plan_relay_after(const struct plan_relay *relay,
			     const struct pci_plan_item *item,
			     const struct plan_need *need, u64 first)
{
	const struct plan_need *less = &relay->need;

	return relay->prev && relay->from == first &&
	       item->pref == relay->prev->pref &&
	       item->barrier == relay->prev->barrier &&
	       need->size >= less->size && need->step >= less->step &&
	       !((need->base - less->base) & (less->step - 1)) &&
	       !(less->avoid & ~need->avoid);
}

/* The lowest place from @start on beside what has one already */
static bool plan_relay_up(const struct plan_relay *relay,
			  const struct pci_plan_item *item,
			  const struct plan_need *need, u64 *start)
{
	const struct pci_plan_item *other;

	other = list_first_entry(&relay->placed, struct pci_plan_item, beside);
	if (plan_relay_after(relay, item, need, *start)) {
		other = relay->prev;
		*start = other->try.start;
	}
	if (!pci_plan_fit_up(*start, need, start))
		return false;

	list_for_each_entry_from(other, &relay->placed, beside) {
		plan_step(relay->level);
		if (other->try.end < *start || plan_passes(item, other))
			continue;
		if (other->try.start > *start + need->size - 1)
			break;
		if (!pci_plan_fit_up(other->try.end + 1, need, start))
			return false;
	}

	return true;
}

/* The highest one that ends before @start */
static bool plan_relay_down(const struct plan_relay *relay,
			    const struct pci_plan_item *item,
			    const struct plan_need *need, u64 *start)
{
	const struct pci_plan_item *other;

	if (!pci_plan_fit_down(*start, need, start))
		return false;

	list_for_each_entry_reverse(other, &relay->placed, beside) {
		plan_step(relay->level);
		if (plan_overlap(&other->try, *start, *start + need->size - 1) &&
		    !plan_passes(item, other) &&
		    !pci_plan_fit_down(other->try.start, need, start))
			return false;
	}

	return true;
}

static bool plan_relay_in(struct plan_relay *relay, struct pci_plan_item *item,
			  const struct plan_need *need, u64 first)
{
	u64 last = plan_relay_last(relay, item), start;

	start = relay->down ? last + 1 : first;
	if (!(relay->down ? plan_relay_down(relay, item, need, &start) :
			    plan_relay_up(relay, item, need, &start)))
		return false;
	if (start < first || start > last || last - start < need->size - 1)
		return false;

	plan_relay_put(relay, item, need, start);
	relay->need = *need;
	relay->prev = relay->down ? NULL : item;
	relay->from = first;
	return true;
}

static bool plan_relay_one(struct plan_relay *relay, struct pci_plan_item *item,
			   const struct plan_need *need)
{
	if (relay->last != PLAN_TOP - 1 && item->prefer > relay->first &&
	    plan_relay_in(relay, item, need, item->prefer))
		return true;

	return plan_relay_in(relay, item, need, relay->first);
}

/* What stays, and what is to have a place beside it */
static void plan_relay_begin(struct plan_relay *relay, struct pci_plan_place *all)
{
	const struct plan_level *level = relay->level;
	struct pci_plan_item *item;
	struct plan_need need;

	INIT_LIST_HEAD(&relay->wants);
	INIT_LIST_HEAD(&relay->placed);
	plan_inside(item, level->window) {
		item->try.has = false;
		item->shift = 0;
		item->laid = item == level->child;
		need = plan_takes(level, item);
		item->asks = need.size;
		INIT_LIST_HEAD(&item->beside);
		if (need.exact) {
			plan_relay_put(relay, item, &need, need.base);
			plan_include(all, &item->try);
		} else if (need.size) {
			list_add_tail(&item->beside, &relay->wants);
		}
	}
	plan_list_sort(relay, &relay->wants, plan_by_prio);
}

/**
 * pci_plan_relay - lay out a bus anew
 * @level: the bus
 * @first: first address
 * @last: last address
 * @down: from there downwards
 * @spot: output, if everything fits
 *
 * What can move around what can't, the most awkward first.
 *
 * Context: any.
 * Return: what does not fit, or NULL.
 */
struct pci_plan_item *pci_plan_relay(const struct plan_level *level, u64 first,
				     u64 last, bool down,
				     struct plan_spot *spot)
{
	struct plan_relay relay = {
		.level = level,
		.first = first,
		.last = last,
		.down = down,
	};
	struct pci_plan_item *item, *next;
	struct pci_plan_place all = {};
	struct plan_need need;

	plan_relay_begin(&relay, &all);
	list_for_each_entry_safe(item, next, &relay.wants, beside) {
		plan_step(level);
		need = plan_takes(level, item);
		if (!plan_relay_one(&relay, item, &need))
			return item;
		plan_include(&all, &item->try);
	}

	spot->ok = true;
	spot->lo = all.start;
	spot->hi = all.end;
	return NULL;
}

static bool plan_same(const struct pci_plan_item *item)
{
	return item->try.has == item->new.has &&
	       item->try.start == item->new.start &&
	       item->try.end == item->new.end;
}

/**
 * pci_plan_relay_good - can what pci_plan_relay() found be put in place
 * @level: the bus
 *
 * What stays may be out of reach, or in the way of what stays, too.
 *
 * Context: any.
 * Return: can it.
 */
bool pci_plan_relay_good(const struct plan_level *level)
{
	const struct pci_plan_item *item, *other;

	plan_inside(item, level->window) {
		if (!item->try.has)
			continue;
		if (item->try.start < level->first ||
		    item->try.end > level->last ||
		    (item->try.end > plan_top(level, item) && !plan_same(item)))
			return false;
		/* What has been given a place is beside all the others */
		if (plan_same(item) || !plan_stays(level, item))
			continue;
		plan_inside(other, level->window)
			if (other != item && !plan_passes(item, other) &&
			    plan_overlap(&other->try, item->try.start,
					 item->try.end))
				return false;
	}

	return true;
}

/* The last resort: what does not fit comes first the next time */
static bool plan_relay_level(const struct plan_level *level,
			     struct plan_spot *spot)
{
	struct pci_plan_item *item, *failed;
	unsigned int tries;

	plan_inside(item, level->window)
		item->prio = 0;

	for (tries = 1; tries <= PLAN_AGAIN && *level->steps; tries++) {
		failed = pci_plan_relay(level, level->first, level->last,
					level->down, spot);
		if (!failed) {
			if (pci_plan_relay_good(level))
				return true;
			break;
		}
		failed->prio = tries;
	}

	spot->ok = false;
	pci_plan_reset(level->window);
	return false;
}

/**
 * pci_plan_level - make room on one level
 * @level: the level; its items have their places in @try then
 * @spot: output
 *
 * Context: any.
 * Return: is there room.
 */
bool pci_plan_level(const struct plan_level *level, struct plan_spot *spot)
{
	*spot = (struct plan_spot) {};
	if (level->first > level->last)
		return false;
	if (level->effort >= PLAN_MOVE_BESIDE) {
		if (!plan_has_room(level))
			return false;
		plan_reach_before(level->window);
	}

	if (level->need.exact) {
		if (plan_within(level, level->need.base))
			plan_try(level, level->need.base,
				 plan_first(level->window), spot);
	} else if (level->effort >= PLAN_MOVE_BESIDE) {
		plan_search(level, spot);
	} else {
		if (level->child->prefer > level->first)
			plan_scan(level, level->child->prefer, spot);
		if (!spot->ok)
			plan_scan(level, level->first, spot);
	}

	if (!spot->ok) {
		if (level->effort >= PLAN_RELAY)
			return plan_relay_level(level, spot);
		pci_plan_reset(level->window);
		return false;
	}

	plan_place(level, spot->start, spot);
	plan_cut(level);
	return true;
}
