// SPDX-License-Identifier: GPL-2.0
/*
 * PCI enumeration pipeline: planning of addresses
 *
 * A bridge routes one range of each kind of addresses, which lies in the range
 * of the bridge above it and beside those of its neighbours.  So room for one
 * more BAR may have to come from far away.  Room is made by climbing: if there
 * is none on a bus, the window of the bridge to it has to grow, for which there
 * must be room one level up, and so on, up to the addresses of the host bridge.
 *
 * What has no place and nothing with a place inside is laid out from the bottom
 * up and placed as one block, the most awkward first.
 */
#include <linux/bitops.h>

#include "plan_room.h"

/*
 * What is to be sorted by step, which is a power of two, the largest first: with
 * a list for each step, that takes one pass, and most of the lists are in order
 * then.
 */
struct plan_steps {
	struct list_head	list[BITS_PER_LONG_LONG];
	u64			used;	/* the steps of those in use */
};

static inline void plan_steps_add(struct plan_steps *steps,
				  struct list_head *node, u64 step)
{
	struct list_head *list = &steps->list[fls64(step >> 1)];

	if (!(steps->used & step))
		INIT_LIST_HEAD(list);
	steps->used |= step;
	list_add_tail(node, list);
}

/* Adds all to what is in @list */
static __always_inline void plan_steps_end(struct plan_steps *steps,
					   struct list_head *list, void *priv,
					   list_cmp_func_t cmp)
{
	unsigned int i;

	for (; steps->used; steps->used ^= 1ULL << i) {
		i = fls64(steps->used >> 1);
		plan_list_sort(priv, &steps->list[i], cmp);
		list_splice_tail(&steps->list[i], list);
	}
}

/* The most awkward first, what is not in the block last, in whatever order */
static int plan_by_need(void *priv, const struct list_head *a,
			const struct list_head *b)
{
	const struct pci_plan_item *i = list_entry(a, struct pci_plan_item, node);
	const struct pci_plan_item *k = list_entry(b, struct pci_plan_item, node);

	if (!i->in_block || !k->in_block)
		return k->in_block && !i->in_block;
	if (i->step != k->step)
		return i->step < k->step;
	return plan_want_size(i) < plan_want_size(k);
}

static void plan_sort_by_need(struct pci_plan_item *window)
{
	struct pci_plan_item *item, *next;
	struct plan_steps steps __uninitialized;
	LIST_HEAD(rest);

	steps.used = 0;
	list_for_each_entry_safe(item, next, &window->inside, node) {
		if (item->in_block)
			plan_steps_add(&steps, &item->node, item->step);
		else
			list_add_tail(&item->node, &rest);
	}
	INIT_LIST_HEAD(&window->inside);
	plan_steps_end(&steps, &window->inside, NULL, plan_by_need);
	list_splice_tail(&rest, &window->inside);
}

/* The first gap in a block that something fits into; what it comes after */
static struct list_head *plan_gap(struct list_head *laid,
				  const struct plan_need *need, u64 *start)
{
	const struct pci_plan_item *item;
	struct list_head *at = laid;
	u64 from = 0;

	list_for_each_entry(item, laid, node) {
		pci_plan_fit_up(from, need, start);
		if (*start + need->size <= item->packed)
			return at;
		from = item->packed + plan_want_size(item);
		at = at->next;
	}

	pci_plan_fit_up(from, need, start);
	return at;
}

/* Is it time to find a place for it? */
static bool plan_is_due(const struct pci_plan *plan,
			const struct pci_plan_item *item, bool optional)
{
	if (item->window)
		return true;

	return !!item->waits == plan->late && (optional || !item->optional);
}

/* Lay out what is inside a closed window; what it takes to open it */
static void plan_block(const struct pci_plan *plan,
		       struct pci_plan_item *window, bool optional)
{
	struct pci_plan_item *item, *next;
	struct list_head *at;
	LIST_HEAD(laid);
	u64 end = 0, used = 0;

	window->inner = 0;
	window->spare = true;
	window->step = window->align;
	window->top = window->limit;
	plan_inside(item, window)
		item->in_block = plan_want_size(item) &&
				 plan_is_due(plan, item, optional);
	if (!plan_list_sorted(NULL, &window->inside, plan_by_need))
		plan_sort_by_need(window);

	list_for_each_entry_safe(item, next, &window->inside, node) {
		struct plan_need need = plan_wanted(item);

		if (!item->in_block)
			break;

		at = laid.prev;
		if (used == end)
			pci_plan_fit_up(end, &need, &item->packed);
		else
			at = plan_gap(&laid, &need, &item->packed);
		list_move(&item->node, at);
		end = max(end, item->packed + need.size);
		used += need.size;
		window->step = max(window->step, item->step);
		plan_limit(window, item);
		window->spare = window->spare && item->spare;
		if (!window->split)
			window->inner += plan_least(item);
	}
	list_splice(&laid, &window->inside);

	if (optional && !plan->lean)
		end = ALIGN(max(end, window->reserve), window->step / 2 ?: 1);
	window->block = ALIGN(end, window->align);
}

static void plan_blocks(struct pci_plan *plan, bool optional)
{
	unsigned int i;

	for (i = plan->count; --i; )
		if (plan->item[i].window && !plan->item[i].new.has)
			plan_block(plan, &plan->item[i], optional);
}

/* What is inside of a window, and in nothing's way that has been counted */
static void plan_sum(struct pci_plan_item *window)
{
	const struct pci_plan_item *item;
	u64 from = 0;

	window->inner = 0;
	plan_inside(item, window) {
		if (!item->new.has)
			break;
		if (item->barrier || item->new.start < from)
			continue;
		window->inner += plan_least(item);
		from = item->new.end + 1;
	}
}

/*
 * Back to where everything is, with what is optional the first time.  After that
 * what is in order stays so: only what has no place is put at the end again, as
 * the first time.
 */
static void plan_begin(struct pci_plan *plan, bool optional)
{
	struct pci_plan_item *const root = plan->item, *const end = root + plan->count;
	struct pci_plan_item *item, *in;

	plan->holds = 0;
	plan->moves = 0;
	plan->steps = PLAN_STEPS;
	plan->late = false;
	plan->bounds = 0;
	for (item = root; item < end; item++) {
		in = item == root ? NULL : root + item->parent;
		if (optional)
			INIT_LIST_HEAD(&item->inside);
		if (in && optional)
			list_add_tail(&item->node, &in->inside);
		else if (in && (!item->old.has || item->in != in))
			list_move_tail(&item->node, &in->inside);
		item->in = in;
		item->new = item->old;
		plan_stay(item);
		if (!item->window && item->old.has && item->hold < PCI_HOLD_PINNED)
			plan->holds |= 1U << item->hold;
		item->step = item->align;
		item->top = item->limit;
		item->weight = item->window ? 1 :
			       item->hold == PCI_HOLD_FREE ? 0 : 16;
		if (item->window) {
			item->hold = item->fixed ? PCI_HOLD_PINNED : PCI_HOLD_FREE;
			plan->bounds += item->fixed && in;
		}
		item->block = 0;
		item->shares = false;
		item->failed_size = U64_MAX;
		item->carry = 0;
		item->changed = false;
		item->opens = false;
		item->packs = false;
		item->in_block = false;
		item->split = false;
		item->spare = false;
	}

	/* What is inside a window comes after it */
	for (item = end; item > root; ) {
		item--;
		if (item->window && !item->new.has) {
			plan_block(plan, item, optional);
		} else if (item->window) {
			pci_plan_sort(item);
			plan_sum(item);
		}
		in = item->in;
		if (!item->new.has || !in)
			continue;
		in->step = max(in->step, item->step);
		plan_limit(in, item);
		in->hold = max(in->hold, item->hold);
		in->weight += item->weight;
	}
	plan->measured = false;
}

/* Does it ask for a place on its own? */
static bool plan_wants(const struct pci_plan *plan,
		       const struct pci_plan_item *item, bool optional)
{
	if (item->new.has || item->split || !plan_want_size(item) ||
	    (item->window && item->fixed))
		return false;
	if (!plan_is_due(plan, item, optional))
		return false;

	return item->in->new.has || item->in->split;
}

/* What is large first; if not everything fits, what is small may be better */
static int plan_by_turn(void *priv, const struct list_head *a,
			const struct list_head *b)
{
	const struct pci_plan_item *i = list_entry(a, struct pci_plan_item, order);
	const struct pci_plan_item *k = list_entry(b, struct pci_plan_item, order);
	const struct pci_plan *plan = priv;

	if (i->spare != k->spare)
		return i->spare;
	if (i->waits != k->waits)
		return i->waits > k->waits;
	if (i->turn != k->turn)
		return i->turn < k->turn;
	if (plan->small)
		return plan_want_size(i) > plan_want_size(k);
	if (i->step != k->step)
		return i->step < k->step;
	return plan_want_size(i) < plan_want_size(k);
}

/* All that asks for a place and may get one, in the order of its turn */
static noinline void plan_collect(struct pci_plan *plan, bool optional,
				  struct list_head *wants)
{
	struct pci_plan_item *const end = plan->item + plan->count;
	struct plan_steps steps __uninitialized;
	struct pci_plan_item *item;

	steps.used = 0;
	for (item = plan->item + 1; item < end; item++) {
		if (!plan_wants(plan, item, optional) || item->hopeless)
			continue;
		if (plan->small)
			list_add_tail(&item->order, wants);
		else
			plan_steps_add(&steps, &item->order, item->step);
	}
	plan_steps_end(&steps, wants, plan, plan_by_turn);
	plan_list_sort(plan, wants, plan_by_turn);
}

/*
 * A place for all that asks for one; the first that gets none because others
 * have one, or NULL.
 */
static struct pci_plan_item *plan_round(struct pci_plan *plan, bool optional,
					enum pci_plan_hold hold)
{
	struct pci_plan_item *item, *failed = NULL;
	unsigned int placed = 0;
	LIST_HEAD(wants);

	plan_collect(plan, optional, &wants);
	plan->again = false;

	list_for_each_entry(item, &wants, order) {
		/* Opened for something else: what is inside is on its own now */
		if (item->new.has)
			plan->again = true;
		else if (pci_plan_one(plan, item, hold))
			placed++;
		else if (!placed)
			item->hopeless = true;
		else if (!failed)
			failed = item;
	}

	return failed;
}

/* What did not fit as a block is to be placed one by one */
static bool plan_split(struct pci_plan *plan)
{
	struct pci_plan_item *item;
	bool split = false;
	unsigned int i;

	for (i = 1; i < plan->count; i++) {
		item = &plan->item[i];
		if (item->window && plan_wants(plan, item, false)) {
			item->split = true;
			item->inner = 0;
			split = true;
		}
	}

	return split;
}

/* The first that gets no place because others have one, or NULL */
static struct pci_plan_item *plan_rounds(struct pci_plan *plan,
					 enum pci_plan_hold hold)
{
	struct pci_plan_item *failed = plan_round(plan, false, hold);

	while (plan_split(plan) || plan->again)
		plan_round(plan, false, hold);

	return failed;
}

static unsigned int plan_left(const struct pci_plan *plan, bool optional)
{
	const struct pci_plan_item *item, *const end = plan->item + plan->count;
	unsigned int left = 0;

	for (item = plan->item + 1; item < end; item++)
		if (!item->new.has && !item->window && item->size &&
		    (optional || !item->optional))
			left++;

	return left;
}

/* The window that each item is in by now */
static void plan_output(struct pci_plan *plan)
{
	struct pci_plan_item *item, *const end = plan->item + plan->count;

	for (item = plan->item + 1; item < end; item++)
		item->to = item->in - plan->item;
}

/* Back to the best round */
static void plan_restore(struct pci_plan *plan)
{
	struct pci_plan_item *const root = plan->item, *const end = root + plan->count;
	struct pci_plan_item *item;

	plan_begin(plan, false);
	for (item = root; item < end; item++) {
		item->new = item->best;
		if (item->in && item->in != root + item->to) {
			item->in = root + item->to;
			list_move(&item->node, &item->in->inside);
		}
		plan_stay(item);
	}
	for (item = end; item > root; ) {
		item--;
		if (item->window) {
			pci_plan_sort(item);
			plan_sum(item);
		}
		if (item->new.has && item->in) {
			item->in->step = max(item->in->step, item->step);
			plan_limit(item->in, item);
		}
	}
}

/*
 * How many devices get a place for some of their BARs only; @last is the one of
 * them that was found last and does not wait yet, or 0.
 */
static unsigned int plan_torn(const struct pci_plan *plan, unsigned int *last)
{
	const struct pci_plan_item *item;
	bool gets = false, lacks = false;
	unsigned int i, torn = 0;

	*last = 0;
	for (i = 1; i < plan->count; i++) {
		item = &plan->item[i];
		if (item->device != item[-1].device) {
			gets = false;
			lacks = false;
		}
		if (!item->device || item->optional || !item->size ||
		    item->old.has || (gets && lacks))
			continue;

		if (item->new.has)
			gets = true;
		else
			lacks = true;
		if (!gets || !lacks)
			continue;
		torn++;
		if (!item->waits)
			*last = item->device;
	}

	return torn;
}

/* What an attempt leaves: BARs without a place, and devices that are torn */
struct plan_score {
	unsigned int	left;
	unsigned int	torn;
};

/* Keep an attempt if it is better than the @best one so far */
static bool plan_keep(struct pci_plan *plan, struct plan_score *best)
{
	unsigned int left = plan_left(plan, false), torn, last, i;

	torn = plan_torn(plan, &last);
	if (left > best->left || (left == best->left && torn >= best->torn))
		return false;

	best->left = left;
	best->torn = torn;
	for (i = 0; i < plan->count; i++)
		plan->item[i].best = plan->item[i].new;
	plan_output(plan);
	return true;
}

/*
 * A device can do little with some of its BARs.  Those that get no more wait
 * until everything else has had its turn, what was found last first: others may
 * have all of theirs then.
 */
static void plan_whole(struct pci_plan *plan, enum pci_plan_hold hold,
		       struct plan_score *best)
{
	unsigned int tries, i, device;
	struct pci_plan_item *item;

	for (i = 0; i < plan->count; i++)
		plan->item[i].new = plan->item[i].best;

	for (tries = 1; tries <= PLAN_WHOLE; tries++) {
		plan_torn(plan, &device);
		if (!device)
			break;

		for (i = 1; i < plan->count; i++) {
			item = &plan->item[i];
			if (item->device == device)
				item->waits = tries;
			/* It may have been so because of what waits now */
			item->hopeless = false;
		}
		plan_begin(plan, false);
		plan_rounds(plan, hold);
		plan->late = true;
		plan_blocks(plan, false);
		plan_rounds(plan, hold);
		plan_keep(plan, best);
	}

	for (i = 0; i < plan->count; i++)
		plan->item[i].waits = 0;
}

/* Has something a place that is larger than something that has none? */
static bool plan_is_unfair(const struct pci_plan *plan)
{
	const struct pci_plan_item *item;
	u64 most = 0, least = U64_MAX;
	unsigned int i;

	for (i = 1; i < plan->count; i++) {
		item = &plan->item[i];
		if (item->window || item->optional || !item->size ||
		    item->old.has)
			continue;
		if (item->best.has)
			most = max(most, item->size);
		else
			least = min(least, item->size);
	}

	return most > least;
}

/* No attempt has been made yet */
static void plan_forget(struct pci_plan *plan)
{
	struct pci_plan_item *item, *const end = plan->item + plan->count;

	for (item = plan->item; item < end; item++) {
		item->turn = 0;
		item->waits = 0;
		item->hopeless = false;
	}
}

/*
 * All that is required; what had no place comes first the next time, for so many
 * times, and in the end what is small.
 */
static void plan_required(struct pci_plan *plan, enum pci_plan_hold hold,
			  unsigned int max)
{
	struct plan_score best = { .left = UINT_MAX };
	struct pci_plan_item *failed;
	unsigned int tries;

	plan_forget(plan);
	for (tries = 1; tries <= max; tries++) {
		plan_begin(plan, false);
		failed = plan_rounds(plan, hold);
		plan_keep(plan, &best);
		if (!best.left || !failed || failed->turn)
			break;
		failed->turn = tries;
	}

	if (best.left && plan_is_unfair(plan)) {
		plan_forget(plan);
		plan->small = true;
		plan_begin(plan, false);
		plan_rounds(plan, hold);
		plan->small = plan_keep(plan, &best);
	}

	/* If all are wanted, a plan without some is of no use anyway */
	if (best.torn && !plan->all)
		plan_whole(plan, hold, &best);
	plan->small = false;
	plan_restore(plan);
}

/* What is optional, as long as only what is optional moves for it */
static void plan_optional(struct pci_plan *plan)
{
	struct pci_plan_item *item, *inner;
	unsigned int i;

	plan_blocks(plan, true);
	plan_round(plan, true, PCI_HOLD_FREE);

	/* It may be the reserve that has no room */
	plan->lean = true;
	plan_blocks(plan, true);
	for (i = 1; i < plan->count; i++)
		plan->item[i].hopeless = false;
	plan_round(plan, true, PCI_HOLD_FREE);
	plan->lean = false;

	for (i = 1; i < plan->count; i++) {
		item = &plan->item[i];
		if (!item->window || item->new.has || !item->reserve ||
		    !item->in->new.has)
			continue;
		item->block = ALIGN(item->reserve, item->align);
		item->inner = 0;
		item->spare = true;
		plan_inside(inner, item)
			inner->in_block = false;
		pci_plan_one(plan, item, PCI_HOLD_FREE);
	}
}

/* Let a window have its reserve */
static void plan_reserve(struct pci_plan *plan)
{
	struct plan_level level = { .fresh = true, .steps = &plan->steps };
	struct pci_plan_item *item, *top;
	unsigned int i;
	u64 size;

	for (i = 1; i < plan->count; i++) {
		item = &plan->item[i];
		size = ALIGN(item->reserve, item->align);
		if (!item->window || !item->new.has || item->fixed ||
		    item->old.has || plan_size(&item->new) >= size)
			continue;

		level.need = (struct plan_need) {
			.exact = true,
			.base = item->new.start,
			.size = size,
		};
		top = pci_plan_climb(plan, item, &level);
		if (!top && item->new.end >= size) {
			level.need.base = item->new.end + 1 - size;
			level.need.size = size;
			level.need.exact = true;
			top = pci_plan_climb(plan, item, &level);
		}
		if (top)
			pci_plan_settle(plan, top, item, PLAN_GROW);
	}
}

static bool plan_is_new(const struct pci_plan_item *window)
{
	return window->window && window->new.has && !window->old.has;
}

/* Does a window get a share of what is free beside it? */
static bool plan_shares(const struct pci_plan_item *item, bool hotplug,
			bool high)
{
	return plan_is_new(item) && !item->size && item->hotplug == hotplug &&
	       high == (item->prefer && item->new.start >= item->prefer);
}

/* What is free inside a window, from @lo to @hi */
static u64 plan_free(const struct pci_plan_item *window, u64 lo, u64 hi,
		     bool pref)
{
	const struct pci_plan_item *item;
	u64 room = 0;

	plan_inside(item, window) {
		if (!item->new.has || item->new.start > hi)
			break;
		if (item->barrier && pref)
			continue;
		if (item->new.start > lo)
			room += item->new.start - lo;
		if (item->new.end >= hi)
			return room;
		lo = max(lo, item->new.end + 1);
	}

	return room + (hi - lo + 1);
}

/*
 * What is right inside goes where the attempt has it.  What is further in goes
 * along when it is its turn.
 */
static void plan_put_inside(struct pci_plan_item *window)
{
	struct pci_plan_item *item;

	plan_inside(item, window) {
		if (!item->new.has)
			break;
		item->new = item->try;
		item->carry += item->shift;
		plan_stay(item);
	}
	pci_plan_sort(window);
}

static void plan_carry(struct pci_plan_item *window)
{
	struct pci_plan_item *item;

	if (!window->carry)
		return;

	plan_inside(item, window) {
		if (!item->new.has)
			break;
		item->new.start += window->carry;
		item->new.end += window->carry;
		item->carry = window->carry;
		plan_stay(item);
	}
}

/* Share out what is free to windows that are new: to hotplug bridges, if any */
static void plan_spread_in(struct pci_plan *plan, struct pci_plan_item *window,
			   bool hotplug, bool high)
{
	struct plan_level level = {
		.window = window,
		.first = window->new.start,
		.last = window->new.end,
		.steps = &plan->steps,
		.fresh = true,
	};
	u64 lo = level.first, hi = level.last, align = 1;
	struct pci_plan_item *item;
	struct plan_spot spot;
	unsigned int count = 0, last;
	bool pref = true;

	plan_inside(item, window) {
		item->shares = plan_shares(item, hotplug, high);
		if (!item->shares)
			continue;
		count++;
		pref = pref && item->pref;
		align = max(align, item->align);
		hi = min(hi, item->limit);
		if (high)
			lo = max(lo, item->prefer);
	}
	if (!count || lo > hi)
		return;

	level.share = div_u64(plan_free(window, lo, hi, pref), count);
	/* Half of what the host bridge has is left for whatever comes */
	if (!window->in)
		level.share /= 2;
	level.share = ALIGN_DOWN(level.share, align);
	for (; level.share; level.share = ALIGN_DOWN(level.share / 2, align)) {
		/* What is spare best comes last, where it can be taken back */
		for (last = 2; last--; ) {
			plan_inside(item, window)
				item->prio = last && !item->shares;
			if (!pci_plan_relay(&level, level.first, level.last,
					    false, &spot) &&
			    pci_plan_relay_good(&level)) {
				plan_put_inside(window);
				return;
			}
			pci_plan_reset(window);
		}
	}
}

/* Leave room to hotplug bridges for the next card */
static void plan_spread(struct pci_plan *plan)
{
	struct pci_plan_item *window, *item;
	bool any, hotplug, high;
	unsigned int i;

	for (i = 0; i < plan->count; i++) {
		window = &plan->item[i];
		if (!window->window || !window->new.has)
			continue;

		plan_carry(window);
		any = false;
		hotplug = false;
		high = false;
		plan_inside(item, window) {
			if (!plan_is_new(item))
				continue;
			any = true;
			hotplug = hotplug || item->hotplug;
			high = high || item->prefer;
		}
		if (!any)
			continue;

		plan_spread_in(plan, window, hotplug, false);
		if (high)
			plan_spread_in(plan, window, hotplug, true);
	}
}

/* Can it be nowhere else than in the window that it is in, or is to be in? */
static bool plan_is_bound(const struct pci_plan_item *item)
{
	/* See plan_next_window() in plan_climb.c */
	return item->in->alt == PCI_PLAN_NO_ALT && (!item->pref || !item->in->in);
}

/* What an item takes at least of the addresses up to @last, with its inside */
static u64 plan_asks(const struct pci_plan_item *item, u64 last)
{
	if (item->new.has && item->hold == PCI_HOLD_PINNED &&
	    (!item->window || item->fixed))
		return item->new.start > last ? 0 :
		       min(item->new.end, last) - item->new.start + 1;
	if (item->limit > last || !plan_is_bound(item))
		return 0;
	if (!item->window)
		return item->size;

	return ALIGN(item->asks, item->align);
}

/* Is there room below 4 GiB for all as it has been laid out?  Most often. */
static bool plan_is_little(const struct pci_plan *plan)
{
	const struct pci_plan_item *root = plan->item, *item;
	u64 last = min_t(u64, root->new.end, U32_MAX), room, size;

	if (plan->bounds || root->new.start > last)
		return false;

	room = last - root->new.start + 1;
	plan_inside(item, root) {
		if (!item->new.has)
			size = plan_want_size(item);
		else if (item->new.start > last)
			continue;
		else
			size = min(item->new.end, last) - item->new.start + 1;
		if (size > room)
			return false;
		room -= size;
	}

	return true;
}

/*
 * Is there less than it takes, wherever everything goes?  This looks at what can
 * only be in one window, and of the host bridge's addresses at those below 4 GiB.
 */
static bool plan_is_too_much(struct pci_plan *plan, bool optional)
{
	struct pci_plan_item *window, *item;
	unsigned int i;
	u64 from, last;

	for (i = plan->count; i--; ) {
		window = &plan->item[i];
		if (!window->window)
			continue;

		last = window->in ? U64_MAX : U32_MAX;
		window->asks = 0;
		from = 0;
		plan_inside(item, window) {
			if (item->new.has) {
				if (item->barrier || item->new.start < from)
					continue;
				from = item->new.end + 1;
			} else if (item->optional && !optional) {
				continue;
			}
			window->asks += plan_asks(item, last);
		}
		if (window->in && !window->fixed)
			continue;
		if (window->new.has && window->new.start <= last &&
		    window->asks > min(window->new.end, last) - window->new.start + 1)
			return true;
	}

	return false;
}

/* Is there no room for any that lacks a place, wherever everything goes? */
static bool plan_is_full(const struct pci_plan *plan)
{
	const struct pci_plan_item *item, *at;
	unsigned int i;
	u64 more;

	for (i = 1; i < plan->count; i++) {
		item = &plan->item[i];
		more = item->window ? ALIGN(item->reserve, item->align) :
				      item->size;
		if (item->new.has || !more)
			continue;

		for (at = item; at->in && !at->new.has; at = at->in)
			if (!plan_is_bound(at))
				return false;
		if (pci_plan_may_fit(item->in, more))
			return false;
	}

	return true;
}

/* Everything is where it was */
static unsigned int plan_give_up(struct pci_plan *plan)
{
	plan->missing = plan_left(plan, true);
	plan_output(plan);
	return plan_left(plan, false);
}

/**
 * pci_plan - find a place for everything that has none
 * @plan: the items; output in @new and @to of each
 *
 * Context: any.
 * Return: how many BARs that are not optional have no place.
 */
unsigned int pci_plan(struct pci_plan *plan)
{
	plan_forget(plan);
	plan_begin(plan, true);
	if (plan_is_full(plan) || (plan->all && !plan_is_little(plan) &&
				   plan_is_too_much(plan, true)))
		return plan_give_up(plan);

	plan_round(plan, true, PCI_HOLD_FREE);
	plan->missing = plan_left(plan, true);
	if (plan->missing) {
		plan_required(plan, PCI_HOLD_MOVABLE,
			      plan_is_too_much(plan, false) ? 1 : PLAN_AGAIN);
		plan_optional(plan);
		plan_reserve(plan);
		plan->missing = plan_left(plan, true);
	}
	plan_spread(plan);
	plan_output(plan);

	return plan->missing ? plan_left(plan, false) : 0;
}

/**
 * pci_plan_tight - do windows get less than they should have
 * @plan: the items, after pci_plan()
 *
 * Less than what a hotplug bridge had better have, and less than it had.
 *
 * Context: any.
 * Return: does any.
 */
bool pci_plan_tight(const struct pci_plan *plan)
{
	const struct pci_plan_item *item;
	unsigned int i;
	u64 size, old;

	for (i = 1; i < plan->count; i++) {
		item = &plan->item[i];
		if (!item->window || item->fixed)
			continue;
		size = item->new.has ? plan_size(&item->new) : 0;
		old = item->old.has ? plan_size(&item->old) : U64_MAX;
		if (size < min(ALIGN(item->reserve, item->align), old))
			return true;
	}

	return false;
}
