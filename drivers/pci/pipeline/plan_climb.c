// SPDX-License-Identifier: GPL-2.0
/*
 * PCI enumeration pipeline: room further up in the hierarchy
 *
 * If there is none on a bus, the window of the bridge to it has to grow or to
 * move, for which there must be room one level up.  Once there is, everything
 * below goes with the window that it is in, and is moved together where that
 * has become smaller.
 */
#include "plan_room.h"

/* The window moves: its inside can be anywhere, and is laid out anew */
static bool plan_moving(struct plan_level *level)
{
	struct pci_plan_item *window = level->window, *item;
	u64 step = max(window->align, level->need.step), lo;
	struct plan_spot spot;

	plan_inside(item, window)
		item->prio = 0;
	if (pci_plan_relay(level, 0, PLAN_TOP - 1, level->down, &spot))
		return false;

	plan_inside(item, window)
		if (item != level->child && item->try.has)
			step = max(step, item->step);

	lo = ALIGN_DOWN(spot.lo, window->align);
	level->need = (struct plan_need) {
		.base = lo,
		.size = ALIGN(spot.hi + 1, window->align) - lo,
		.step = step,
	};
	level->limit = min(level->limit, window->top);
	return true;
}

/* The window grows where it is */
static bool plan_growing(struct plan_level *level,
			 const struct pci_plan_item *root)
{
	const struct pci_plan_item *window = level->window;
	struct plan_spot spot;
	u64 lo, hi;

	if (level->down) {
		level->grow = PLAN_DOWN;
		level->first = root->new.start;
	} else {
		level->grow = PLAN_UP;
		level->last = root->new.end;
	}
	if (!pci_plan_level(level, &spot))
		return false;

	lo = ALIGN_DOWN(spot.lo, window->align);
	hi = ALIGN(spot.hi + 1, window->align) - 1;
	if (level->effort < PLAN_DROP) {
		lo = min(lo, window->new.start);
		hi = max(hi, window->new.end);
	}
	level->need = (struct plan_need) {
		.exact = true,
		.base = lo,
		.size = hi - lo + 1,
	};
	level->limit = window->limit;
	return true;
}

/**
 * pci_plan_climb - make room for an item, as far up as it takes
 * @plan: the plan
 * @want: the item
 * @level: @need of the item, @effort, @hold, @down and @fresh
 *
 * Context: any.
 * Return: what has changed, for pci_plan_settle(): an item that has room where
 * it is to be, or the window in which others move for it; NULL if there is none.
 */
struct pci_plan_item *pci_plan_climb(struct pci_plan *plan,
				     struct pci_plan_item *want,
				     struct plan_level *level)
{
	struct pci_plan_item *window;
	struct plan_spot spot;

	level->child = want;
	level->limit = want->top;
	for (;;) {
		window = level->child->in;
		level->window = window;

		if (window->new.has) {
			level->first = window->new.start;
			level->last = window->new.end;
			level->grow = PLAN_FIT;
			if (pci_plan_level(level, &spot))
				return level->effort < PLAN_MOVE_BESIDE ?
				       level->child : window;
			if (!window->in || window->fixed)
				break;
		} else if (window->fixed) {
			break;
		}

		if (!window->new.has || (plan_movable(level, window) &&
					 level->effort >= PLAN_MOVE_ABOVE)) {
			if (!plan_moving(level))
				break;
		} else if (!plan_growing(level, plan->item)) {
			break;
		}
		level->child = window;
	}

	for (window = want->in; window; window = window->in)
		pci_plan_reset(window);

	return NULL;
}

/* The next item below @top, skipping what is inside one that did not change */
static struct pci_plan_item *plan_next(struct pci_plan_item *top,
				       struct pci_plan_item *item)
{
	if (item->changed && !list_empty(&item->inside))
		return list_first_entry(&item->inside, struct pci_plan_item,
					node);
	while (item != top) {
		if (!list_is_last(&item->node, &item->in->inside))
			return list_next_entry(item, node);
		item = item->in;
	}

	return NULL;
}

/* What an item keeps when it is moved together with those beside it */
static const struct pci_plan_place *
plan_packs_from(const struct pci_plan_item *item)
{
	return item->window ? &item->used : &item->new;
}

/* Is what is inside a window not where it can be any more? */
static bool plan_must_pack(const struct pci_plan_item *item)
{
	return item->reach.has &&
	       (item->reach.start + item->shift < item->try.start ||
		item->reach.end + item->shift > item->try.end);
}

/*
 * What is inside goes with its window, and ends where that ends.  If it does
 * not fit any more, it is moved together.
 */
static void plan_settle_one(struct pci_plan_item *item,
			    struct pci_plan_item *want,
			    enum plan_effort effort)
{
	struct pci_plan_item *window = item->in;
	const struct pci_plan_place *from = plan_packs_from(item);
	struct pci_plan_place *try = &item->try;
	bool packs = window->packs && item->new.has;

	item->opens = item->window && !item->new.has &&
		      (item == want || window->opens);

	if (!window->try.has || (packs && !from->has))
		try->has = false;
	else if (packs)
		plan_put(item, from->start, item->packed, plan_size(from));
	else if (window->opens && item->in_block && plan_want_size(item))
		plan_put(item, 0, item->packed, plan_want_size(item));

	if (try->has) {
		try->start += window->shift;
		try->end += window->shift;
		item->shift += window->shift;
		/* What is not needed of it may begin below 0 by now */
		if (item->window && (try->start < window->try.start ||
				     try->start > try->end))
			try->start = ALIGN(window->try.start, item->align);
		if (item->window && try->end > window->try.end)
			try->end = ALIGN_DOWN(window->try.end + 1, item->align) - 1;
		/*
		 * Nothing is left of it if its units are larger than the window;
		 * what keeps windows of the host bridge apart has no size.
		 */
		try->has = (try->start <= try->end || !item->window) &&
			   try->start >= window->try.start &&
			   try->end <= window->try.end;
	}

	item->packs = effort >= PLAN_PACK && try->has && item->window &&
		      item->new.has && !item->laid &&
		      (packs || plan_must_pack(item));
	item->changed = try->has != item->new.has ||
			try->start != item->new.start ||
			try->end != item->new.end ||
			item->shift || item->packs || item->laid;
	item->new = *try;
}

/* Does the first come after the second?  What has no place comes last */
static int plan_by_address(void *priv, const struct list_head *a,
			   const struct list_head *b)
{
	const struct pci_plan_place *p =
		&list_entry(a, struct pci_plan_item, node)->new;
	const struct pci_plan_place *q =
		&list_entry(b, struct pci_plan_item, node)->new;

	if (p->has != q->has)
		return q->has;
	return p->has && p->start > q->start;
}

/**
 * pci_plan_sort - put what is in a window in the order of its addresses
 * @window: the window
 *
 * Context: any.
 */
void pci_plan_sort(struct pci_plan_item *window)
{
	plan_list_sort(NULL, &window->inside, plan_by_address);
}

/* To where it belongs in the window that it is in, when others have not moved */
static void plan_sort_one(struct pci_plan_item *item)
{
	struct list_head *at;

	list_del(&item->node);
	list_for_each(at, &item->in->inside)
		if (plan_by_address(NULL, at, &item->node))
			break;
	list_add_tail(&item->node, at);
}

/* What the windows above know of what is inside, when there is one more */
static void plan_account(const struct pci_plan_item *item)
{
	u64 more = plan_least(item), least;
	struct pci_plan_item *in;

	for (in = item->in; in; item = in, in = in->in) {
		in->step = max(in->step, item->step);
		plan_limit(in, item);
		least = plan_least(in);
		in->inner += more;
		more = plan_least(in) - least;
	}
}

/**
 * pci_plan_settle - an attempt is what counts
 * @plan: the plan
 * @top: what has changed, as pci_plan_climb() returns it; or a window the inside
 *	of which has
 * @want: what asked for it
 * @effort: what was allowed to change
 *
 * Gives everything below @top the place that follows from the attempt, and ends
 * the attempt.
 *
 * Context: any.
 */
void pci_plan_settle(struct pci_plan *plan, struct pci_plan_item *top,
		     struct pci_plan_item *want, enum plan_effort effort)
{
	struct pci_plan_item *item, *next;
	bool more = !want->new.has;

	for (item = want; item; item = item->in)
		item->stale = true;
	top->changed = true;
	if (top->laid) {
		plan_settle_one(top, want, effort);
		plan_sort_one(top);
	}
	for (item = plan_next(top, top); item; item = plan_next(top, item))
		plan_settle_one(item, want, effort);

	if (more)
		plan_account(want);

	for (item = top; item; item = next) {
		if (item->changed && item->window) {
			item->stale = true;
			pci_plan_sort(item);
		}
		next = plan_next(top, item);
		plan_stay(item);
		item->changed = false;
		item->opens = false;
		item->packs = false;
	}
	plan->stale = true;
	if (effort >= PLAN_MOVE_ABOVE)
		plan->moves++;
}

static struct plan_need plan_packs(const struct pci_plan_item *item)
{
	const struct pci_plan_place *from = plan_packs_from(item);

	return (struct plan_need) {
		.size = plan_size(from),
		.base = from->start,
		.step = item->step,
		.avoid = item->avoid,
	};
}

static u64 plan_packed_end(const struct pci_plan_item *item)
{
	return item->packed + plan_size(plan_packs_from(item)) - 1;
}

/* The lowest place from @lo on beside what is packed */
static bool plan_pack_up(const struct pci_plan_item *item,
			 const struct list_head *placed, u64 lo, u64 *start)
{
	struct plan_need need = plan_packs(item);
	const struct pci_plan_item *other;
	u64 end;

	if (!pci_plan_fit_up(lo, &need, start))
		return false;

	list_for_each_entry(other, placed, beside) {
		if (plan_packed_end(other) < *start)
			continue;
		if (other->packed > *start + need.size - 1)
			break;
		if (!pci_plan_fit_up(plan_packed_end(other) + 1, &need, start))
			return false;
	}

	end = min(item->in->new.end, item->top);
	return *start <= end && end - *start >= need.size - 1;
}

/* The nearest place beside what is packed, in the window as it is */
static bool plan_pack_one(struct pci_plan_item *item,
			  const struct list_head *placed,
			  const struct pci_plan_place *all)
{
	const struct pci_plan_place *in = &item->in->new;
	struct plan_need need = plan_packs(item);
	bool has_up, has_down;
	u64 up, down;

	has_up = plan_pack_up(item, placed, all->has ? all->start : in->start,
			      &up);
	has_down = all->has && pci_plan_fit_down(all->start, &need, &down) &&
		   down >= in->start && down + need.size - 1 <= item->top;
	if (!has_up && !has_down)
		return false;

	if (has_up && has_down && up + need.size - 1 > all->end &&
	    up + need.size - 1 - all->end > all->start - down)
		has_up = false;
	item->packed = has_up ? up : down;
	return true;
}

/* The most awkward first */
static int plan_by_size(void *priv, const struct list_head *a,
			const struct list_head *b)
{
	const struct pci_plan_item *i = list_entry(a, struct pci_plan_item, beside);
	const struct pci_plan_item *k = list_entry(b, struct pci_plan_item, beside);

	if (i->step != k->step)
		return i->step < k->step;
	return plan_size(plan_packs_from(i)) < plan_size(plan_packs_from(k));
}

/* It is where it is packed to */
static void plan_pack_put(struct pci_plan_item *item, struct list_head *placed,
			  struct pci_plan_place *all)
{
	struct pci_plan_place packed = {
		.has = true,
		.start = item->packed,
		.end = plan_packed_end(item),
	};
	struct list_head *at;

	list_for_each_prev(at, placed)
		if (list_entry(at, struct pci_plan_item, beside)->packed <=
		    item->packed)
			break;
	list_move(&item->beside, at);
	plan_include(all, &packed);
}

static bool plan_may_pack(const struct pci_plan_item *item,
			  enum pci_plan_hold hold)
{
	return item->hold <= hold && !item->fixed;
}

/*
 * What is needed inside a window, with all of it where it is: as it is, and if
 * what is further in is packed.  Can anything move?
 */
static bool plan_reach(struct pci_plan_item *window, enum pci_plan_hold hold)
{
	struct pci_plan_item *item;
	bool moves = false;

	plan_inside(item, window) {
		if (!item->new.has)
			break;
		moves = moves || plan_may_pack(item, hold);
		item->packed = plan_packs_from(item)->start;
		plan_include(&window->reach, item->window ? &item->reach :
							    &item->new);
		plan_include(&window->used, plan_packs_from(item));
	}

	return moves;
}

/* Move together what is right inside a window; what is further in is done */
static void plan_pack(struct pci_plan_item *window, enum pci_plan_hold hold)
{
	struct pci_plan_item *item, *next;
	struct pci_plan_place all = {};
	LIST_HEAD(placed);
	LIST_HEAD(wants);

	plan_inside(item, window) {
		if (!item->new.has)
			break;
		if (!plan_packs_from(item)->has)
			continue;
		INIT_LIST_HEAD(&item->beside);
		if (plan_may_pack(item, hold))
			list_add_tail(&item->beside, &wants);
		else
			plan_pack_put(item, &placed, &all);
	}
	plan_list_sort(NULL, &wants, plan_by_size);

	list_for_each_entry_safe(item, next, &wants, beside) {
		if (!plan_pack_one(item, &placed, &all)) {
			plan_reach(window, hold);
			return;
		}
		plan_pack_put(item, &placed, &all);
	}

	window->used = all;
}

/*
 * What each window needs of what it has, with its inside as it is or packed.
 * Most are what they were the last time.
 */
static void plan_measure(struct pci_plan *plan, enum pci_plan_hold hold)
{
	struct pci_plan_item *window;
	enum pci_plan_hold may;
	unsigned int i;

	if (plan->measured && !plan->stale)
		return;

	for (i = plan->count; i--; ) {
		window = &plan->item[i];
		if (plan->measured && !window->stale)
			continue;
		window->stale = false;
		window->reach.has = false;
		window->used.has = false;
		if (!window->window || !window->new.has)
			continue;

		may = window->fixed ? PCI_HOLD_FREE : hold;
		if (plan_reach(window, may) && window->in)
			plan_pack(window, may);

		if (window->fixed) {
			window->reach = window->new;
			window->used = window->new;
		} else if (window->reach.has) {
			window->reach.start = ALIGN_DOWN(window->reach.start,
							 window->align);
			window->reach.end = ALIGN(window->reach.end + 1,
						  window->align) - 1;
			window->used.start = ALIGN_DOWN(window->used.start,
							window->align);
			window->used.end = ALIGN(window->used.end + 1,
						 window->align) - 1;
		}
	}
	plan->measured = true;
	plan->stale = false;
}

/**
 * pci_plan_may_fit - is there room if everything goes wherever it is best
 * @in: the window
 * @more: bytes in addition to what is inside
 *
 * Context: any.
 * Return: false if there is none for sure.
 */
bool pci_plan_may_fit(const struct pci_plan_item *in, u64 more)
{
	for (; in->in && !in->fixed; in = in->in)
		more = in->new.has ?
		       ALIGN(in->inner + more, in->align) - plan_least(in) :
		       ALIGN(more, in->align);

	return in->new.has && in->inner + more <= plan_size(&in->new);
}

/* Find a place for an item in the window that it is to be in */
static bool plan_one_in(struct pci_plan *plan, struct pci_plan_item *want,
			enum pci_plan_hold hold)
{
	struct plan_level level = {
		.spare = want->spare,
		.steps = &plan->steps,
	};
	struct pci_plan_item *top;

	if (!pci_plan_may_fit(want->in, plan_want_size(want)))
		return false;

	for (level.hold = 0; level.hold <= hold; level.hold++) {
		if (level.hold && !(plan->holds & (1U << level.hold)))
			continue;
		level.effort = level.hold ? PLAN_MOVE_ABOVE : PLAN_GROW;
		for (; level.effort < PLAN_EFFORTS; level.effort++) {
			/* When it has taken too long, nothing moves any more */
			if (!plan->steps && level.effort > PLAN_GROW)
				break;
			if (level.effort >= PLAN_DROP)
				plan_measure(plan, level.hold);
			level.down = false;
			do {
				level.need = plan_wanted(want);
				top = pci_plan_climb(plan, want, &level);
				if (top) {
					pci_plan_settle(plan, top, want, level.effort);
					return true;
				}
				level.down = !level.down;
			} while (level.down);
		}
		/* Of no use where more can move */
		if (plan->holds >> (level.hold + 1) && level.hold < hold)
			plan->measured = false;
	}

	return false;
}

/*
 * Has something that needs no more failed since others have moved last, in the
 * window that an item is to be in or in one that has to be opened for that?  If
 * the item itself has @failed, remember.
 */
static bool plan_failed(const struct pci_plan *plan,
			const struct pci_plan_item *want, bool failed)
{
	u64 size = plan_want_size(want), step = want->step, top = want->top;
	struct pci_plan_item *in;

	for (in = want->in; in; in = in->in) {
		if (failed) {
			in->failed_size = size;
			in->failed_step = step;
			in->failed_top = top;
			in->failed_at = plan->moves;
		} else if (size >= in->failed_size && step >= in->failed_step &&
			   top <= in->failed_top &&
			   in->failed_at == plan->moves) {
			return true;
		}
		if (in->new.has)
			break;
		size = ALIGN(size, in->align);
		step = max(step, in->align);
		top = min(top, in->top);
	}

	return failed;
}

/*
 * What is prefetchable but has to be below 4 GiB is in the other window as a
 * rule.  The prefetchable one comes right after that, and will do if it happens
 * to be low enough.
 */
static struct pci_plan_item *plan_pref_beside(const struct pci_plan *plan,
					      const struct pci_plan_item *want,
					      const struct pci_plan_item *window)
{
	unsigned int i = window - plan->item;
	struct pci_plan_item *pref = &plan->item[i + 1];

	if (want->pref && i + 1 < plan->count && pref->window && pref->pref &&
	    pref->alt == i && pref->new.has)
		return pref;

	return NULL;
}

/* The window to look in next; the one that the item belongs in is @first */
static struct pci_plan_item *plan_next_window(const struct pci_plan *plan,
					      const struct pci_plan_item *want,
					      const struct pci_plan_item *first,
					      const struct pci_plan_item *in)
{
	struct pci_plan_item *pref = plan_pref_beside(plan, want, first);

	if (in == pref)
		return NULL;
	if (in->alt != PCI_PLAN_NO_ALT)
		return &plan->item[in->alt];

	return pref;
}

static void plan_go_to(struct pci_plan_item *item, struct pci_plan_item *window)
{
	if (item->in == window)
		return;

	list_move_tail(&item->node, &window->inside);
	item->in = window;
}

/**
 * pci_plan_one - find a place for an item, and what is inside if it is a block
 * @plan: the plan
 * @want: the item, without a place
 * @hold: what holds no more than this may move for it
 *
 * Context: any.
 * Return: has it one.
 */
bool pci_plan_one(struct pci_plan *plan, struct pci_plan_item *want,
		  enum pci_plan_hold hold)
{
	struct pci_plan_item *first = want->in, *in;

	for (in = first; in; in = plan_next_window(plan, want, first, in)) {
		plan_go_to(want, in);
		if (plan_failed(plan, want, false))
			continue;
		if (plan_one_in(plan, want, hold))
			return true;
		plan_failed(plan, want, true);
	}
	plan_go_to(want, first);

	return false;
}
