// SPDX-License-Identifier: GPL-2.0
/*
 * PCI enumeration pipeline: who gets a place if there is not enough for all
 *
 * Windows are sized from the bottom up; then each bus, from the top down, gives
 * places away, largest alignment first, each the first one that is free.  That is
 * how it has always been done, and what has a place on some machine that way has
 * had it ever since.  So if not everything fits, this is done first, and pci_plan()
 * finds room for more beside that.
 *
 * What a hotplug bridge had better have, and the BARs of virtual functions, are
 * asked for in addition; if a bus has no room for that, it is done without, and
 * then given what is left.  What is in the way of something that has no place then
 * is released, if it is not in use, and all is tried again.
 */
#include "plan_room.h"

#define GREEDY_SHIFT	20	/* windows of memory are aligned to 1 MiB */
#define GREEDY_ORDERS	24	/* to 8 TiB at most */

/* In what a window has to be like that which is in it */
#define GREEDY_PREF	1
#define GREEDY_WIDE	2

/* What can still be given away by a bus, while it is being shared out */
struct greedy_room {
	u64	start;
	u64	end;
};

/* The same for what is not prefetchable, or is I/O ports, and for what is */
struct greedy_rooms {
	struct greedy_room	other;
	struct greedy_room	pref;
	bool			wide;	/* the latter is for 64-bit ones */
};

static bool greedy_is_wide(const struct pci_plan_item *item)
{
	return item->limit > U32_MAX;
}

static bool greedy_is_rom(const struct pci_plan_item *item)
{
	return item->optional && !item->vf;
}

static bool greedy_is_bridge(const struct pci_plan_item *item)
{
	return item->window && !item->second;
}

/* The second window of a bridge, or NULL */
static struct pci_plan_item *greedy_second(const struct pci_plan *plan,
					   struct pci_plan_item *bridge)
{
	struct pci_plan_item *next = bridge + 1;

	return next < plan->item + plan->count && next->second ? next : NULL;
}

/* The first window of the bridge that a window is one of */
static struct pci_plan_item *greedy_first(const struct pci_plan *plan,
					  unsigned int window)
{
	struct pci_plan_item *item = &plan->item[window];

	return item->second ? item - 1 : item;
}

/* The bridge to the bus that an item is on */
static struct pci_plan_item *greedy_bridge(const struct pci_plan *plan,
					   const struct pci_plan_item *item)
{
	return greedy_first(plan, item->parent);
}

/* What has a place, by address, then the rest */
static int greedy_by_place(void *priv, const struct list_head *a,
			   const struct list_head *b)
{
	const struct pci_plan_item *i = list_entry(a, struct pci_plan_item, node);
	const struct pci_plan_item *k = list_entry(b, struct pci_plan_item, node);

	if (i->try.has && k->try.has)
		return i->try.start > k->try.start;

	return !i->try.has && k->try.has;
}

/* Everything is where it was, and has not asked for anything yet */
static void greedy_begin(struct pci_plan *plan,
			 const struct pci_plan_greedy *how)
{
	struct pci_plan_item *item;
	unsigned int i;

	for (i = 0; i < plan->count; i++) {
		item = &plan->item[i];
		INIT_LIST_HEAD(&item->inside);
		item->in = i ? &plan->item[item->parent] : NULL;
		item->try = item->old;
		item->ask = (struct pci_plan_ask) {
			.size = item->window ? 0 : item->size,
			.align = item->align,
			.least = item->least,
			.gone = i < how->first || i > how->last ||
				!(item->size || item->window),
		};
		INIT_LIST_HEAD(&item->ask.bus);
		INIT_LIST_HEAD(&item->node);
		/* What barriers keep away asks for no such window, see @host */
		if (!i || item->barrier)
			continue;
		list_add_tail(&item->node, &item->in->inside);
		if (!item->reserved)
			list_add_tail(&item->beside,
				      &greedy_bridge(plan, item)->ask.bus);
	}
	for (i = 0; i < plan->count; i++)
		if (plan->item[i].window)
			plan_list_sort(NULL, &plan->item[i].inside,
				       greedy_by_place);
}

/*
 * The first place for something in a window of a bridge, or of the host bridge,
 * from @lo to @hi, and what it comes after.
 */
static bool greedy_gap(struct pci_plan_item *window, u64 lo, u64 hi,
		       const struct plan_need *need, u64 *start,
		       struct list_head **after)
{
	const struct pci_plan_place *place;
	struct pci_plan_item *item;

	*after = &window->inside;
	plan_inside(item, window) {
		place = &item->try;
		if (!place->has)
			break;
		if (place->end >= lo) {
			if (!pci_plan_fit_up(lo, need, start))
				return false;
			if (place->start > *start &&
			    place->start - *start >= need->size)
				return *start <= hi && hi - *start >= need->size - 1;
			lo = max(lo, place->end + 1);
			if (lo > hi)
				return false;
		}
		*after = &item->node;
	}

	return pci_plan_fit_up(lo, need, start) && *start <= hi &&
	       hi - *start >= need->size - 1;
}

/* Does a window do for something, if it has to be like it in @same? */
static bool greedy_does(const struct pci_plan_item *item, bool pref, bool wide,
			unsigned int same)
{
	if (same & GREEDY_PREF && pref != item->pref)
		return false;
	if (same & GREEDY_WIDE && wide != greedy_is_wide(item))
		return false;

	return item->pref || !pref;
}

static bool greedy_take(struct pci_plan_item *window,
			struct pci_plan_item *item,
			const struct pci_plan_host *range,
			const struct plan_need *need)
{
	struct list_head *after;
	u64 start;

	if (range->start > range->end ||
	    !greedy_gap(window, range->start, range->end, need, &start, &after))
		return false;

	plan_put(item, start, start, need->size);
	item->in = window;
	item->ask.in_pref = range->pref;
	list_move(&item->node, after);
	return true;
}

/* In one of the windows that lead to the bus behind a bridge */
static bool greedy_take_from(struct pci_plan *plan,
			     struct pci_plan_item *bridge,
			     struct pci_plan_item *item,
			     const struct plan_need *need, u64 lo, u64 hi,
			     unsigned int same)
{
	struct pci_plan_item *window = bridge, *second = NULL;
	struct pci_plan_host range;
	unsigned int i;

	hi = min(hi, item->limit);
	if (bridge == plan->item) {
		for (i = 0; i < plan->hosts; i++) {
			range = plan->host[i];
			range.start = max(range.start, lo);
			range.end = min(range.end, hi);
			if (greedy_does(item, range.pref, range.wide, same) &&
			    greedy_take(bridge, item, &range, need))
				return true;
		}
		return false;
	}

	/* Further up, past transparent bridges, only the first one will do */
	if (bridge == greedy_bridge(plan, item))
		second = greedy_second(plan, bridge);
	if (second && !second->pref && second != &plan->item[item->parent])
		second = NULL;
	for (; window; window = window == bridge ? second : NULL) {
		if (!window->try.has ||
		    !greedy_does(item, window->pref,
				 window->pref && greedy_is_wide(window), same))
			continue;
		range = (struct pci_plan_host) {
			.start = max(window->try.start, lo),
			.end = min(window->try.end, hi),
			.pref = window->pref,
		};
		if (greedy_take(window, item, &range, need))
			return true;
	}

	return false;
}

/* What can be above 4 GiB is best there */
static bool greedy_find(struct pci_plan *plan, struct pci_plan_item *bridge,
			struct pci_plan_item *item,
			const struct plan_need *need, unsigned int same)
{
	if (!greedy_is_wide(item))
		return greedy_take_from(plan, bridge, item, need, 0, U32_MAX,
					same);

	return greedy_take_from(plan, bridge, item, need, (u64)U32_MAX + 1,
				U64_MAX, same) ||
	       greedy_take_from(plan, bridge, item, need, 0, U64_MAX, same);
}

/* Of the windows that will do those that are meant for it come first */
static bool greedy_assign_behind(struct pci_plan *plan,
				 struct pci_plan_item *bridge,
				 struct pci_plan_item *item,
				 const struct plan_need *need)
{
	if (greedy_find(plan, bridge, item, need, GREEDY_PREF | GREEDY_WIDE))
		return true;
	if (item->pref && greedy_is_wide(item) &&
	    greedy_find(plan, bridge, item, need, GREEDY_PREF))
		return true;

	return (item->pref || greedy_is_wide(item)) &&
	       greedy_find(plan, bridge, item, need, 0);
}

/* What a transparent bridge has no window for it passes on as well */
static bool greedy_assign(struct pci_plan *plan, struct pci_plan_item *item,
			  u64 size, u64 align)
{
	struct pci_plan_item *bridge = greedy_bridge(plan, item);
	const struct plan_need need = {
		.size = size,
		.step = align,
		.avoid = item->avoid,
	};

	while (!greedy_assign_behind(plan, bridge, item, &need)) {
		if (bridge->alt == PCI_PLAN_NO_ALT)
			return false;
		bridge = greedy_first(plan, bridge->alt);
	}

	return true;
}

static void greedy_release(struct pci_plan_item *item)
{
	item->try.has = false;
	list_del_init(&item->node);
}

static unsigned int greedy_order(u64 align)
{
	unsigned int order = 0;

	while (order < GREEDY_ORDERS && 1ULL << (order + GREEDY_SHIFT) < align)
		order++;

	return order;
}

/* The alignment with which everything fits without a gap, as @aligns has it */
static u64 greedy_window_align(const u64 *aligns, unsigned int orders)
{
	u64 align, sum = 0, least = 0;
	unsigned int order;

	for (order = 0; order <= orders; order++) {
		align = 1ULL << (order + GREEDY_SHIFT);
		if (!sum)
			least = align;
		else if (ALIGN(sum + least, least) < align)
			least = align >> 1;
		sum += aligns[order];
	}

	return least;
}

/* Has what is above, and has a place already, room for a window? */
static bool greedy_has_above(struct pci_plan *plan,
			     const struct pci_plan_item *window, u64 size,
			     u64 align)
{
	const struct plan_need need = { .size = size, .step = align };
	struct pci_plan_item *bridge, *above;
	struct list_head *after;
	u64 start;

	for (bridge = greedy_bridge(plan, window); bridge != plan->item;
	     bridge = greedy_bridge(plan, bridge)) {
		above = window->pref ? greedy_second(plan, bridge) : bridge;
		if (above && above->try.has && above->pref == window->pref &&
		    (!greedy_is_wide(window) || greedy_is_wide(above)))
			return greedy_gap(above, above->try.start, above->try.end,
					  &need, &start, &after);
	}

	return true;
}

static void greedy_size(struct pci_plan_item *window, u64 size, u64 align,
			u64 more, u64 more_align)
{
	struct pci_plan_ask *ask = &window->ask;

	if (!size && !more) {
		/* As a resource without flags, which has a size */
		ask->gone = true;
		ask->size = 1;
		ask->align = 0;
		return;
	}

	ask->size = size;
	ask->align = align;
	if (more > size) {
		ask->add = more - size;
		ask->add_align = more_align;
	}
}

static u64 greedy_isa(const struct pci_plan *plan, u64 size)
{
	return plan->isa ? (size & 0xff) + ((size & ~0xffULL) << 2) : size;
}

static void greedy_size_ports(struct pci_plan *plan,
			      struct pci_plan_item *window, bool adds)
{
	u64 small = 0, large = 0, more = 0, align = window->align, size;
	struct pci_plan_item *item;

	plan_inside(item, window) {
		if (item->ask.gone || item->try.has)
			continue;
		/* It may have to avoid aliases of ISA */
		if (item->ask.size < 0x400)
			small += item->ask.size;
		else
			large += item->ask.size;
		align = max(align, item->ask.align);
		more += item->ask.add;
	}
	if (!adds)
		small = max(small, window->reserve);

	size = greedy_isa(plan, small) + large;
	if (adds && (window->reserve || more))
		more += max(size, window->reserve);
	more = ALIGN(max(more, window->ask.least), align);
	size = ALIGN(max(size, window->ask.least), align);
	greedy_size(window, size, align, more, align);
}

static void greedy_size_memory(struct pci_plan *plan,
			       struct pci_plan_item *window, bool adds)
{
	u64 aligns[GREEDY_ORDERS] = {}, size = 0, more = 0, align, more_align = 0;
	unsigned int order, orders = 0;
	struct pci_plan_item *item;
	struct pci_plan_ask *ask;

	plan_inside(item, window) {
		ask = &item->ask;
		if (ask->gone || item->try.has)
			continue;
		if (item->vf && adds) {
			more_align = max(more_align, ask->align);
			ask->add = ask->size;
			ask->size = 0;
			more += ask->add;
			continue;
		}

		order = greedy_order(ask->align);
		if (order == GREEDY_ORDERS) {
			ask->gone = true;
			continue;
		}
		size += max(ask->size, ask->align);
		if (ask->size <= ask->align)
			aligns[order] += ask->align;
		orders = max(orders, order);
		more += ask->add;
		more_align = max(more_align, ask->add_align);
	}
	if (!adds)
		size = max(size, window->reserve);

	align = max(greedy_window_align(aligns, orders), window->align);
	more_align = max(align, more_align);
	if (adds && (window->reserve || more))
		more = ALIGN(max(max(size, window->reserve) + more,
				 window->ask.least), more_align);
	size = max(size, window->ask.least);
	if (size && !greedy_has_above(plan, window, ALIGN(size, align),
				      more_align)) {
		align = max_t(u64, 1ULL << (orders + GREEDY_SHIFT),
			      window->align);
		size = ALIGN(size, window->align);
	} else {
		size = ALIGN(size, align);
	}
	greedy_size(window, size, align, more, more_align);
}

/* That of a CardBus bridge has a size of its own */
static void greedy_size_cardbus(struct pci_plan_item *window, bool adds)
{
	if (adds)
		greedy_size(window, 0, window->align, window->size, window->align);
	else
		greedy_size(window, window->size, window->align, 0, 0);
}

/* What each window takes; @adds: more is asked for in addition */
static void greedy_sizes(struct pci_plan *plan,
			 const struct pci_plan_greedy *how, bool adds)
{
	struct pci_plan_item *item;
	unsigned int i;

	for (i = how->last; i >= how->first; i--) {
		item = &plan->item[i];
		item->ask.failed = false;
		item->ask.add = 0;
		item->ask.add_align = 0;
		if (!item->window || item->try.has || item->fixed)
			continue;
		item->ask.gone = false;
		if (item->size)
			greedy_size_cardbus(item, adds);
		else if (plan->ports)
			greedy_size_ports(plan, item, adds);
		else
			greedy_size_memory(plan, item, adds);
	}
}

static u64 greedy_room(const struct greedy_room *room)
{
	return room->end - room->start + 1;
}

static u64 greedy_takes(const struct pci_plan_item *item)
{
	return item->try.has ? plan_size(&item->try) : item->ask.size;
}

/* Where a window is, or how large it is to be */
static struct greedy_room greedy_room_of(const struct pci_plan_item *window)
{
	struct greedy_room room = {};

	if (!window)
		return room;
	if (window->try.has) {
		room.start = window->try.start;
		room.end = window->try.end;
	} else {
		room.start = window->ask.align;
		room.end = room.start + window->ask.size - 1;
	}

	return room;
}

static u64 greedy_room_align(const struct pci_plan_item *window)
{
	return window && !window->try.has ? window->ask.align : 0;
}

/* Take what an item takes off what is to be shared */
static void greedy_take_off(struct greedy_rooms *rooms,
			    const struct pci_plan_item *item)
{
	struct greedy_room *room = &rooms->other;
	u64 size = greedy_takes(item), gap = 0;

	if (!size || (item->ask.gone && !item->try.has))
		return;
	if (item->pref && greedy_is_wide(item) == rooms->wide)
		room = &rooms->pref;
	if (!item->window)
		gap = ALIGN(room->start, item->align) - room->start;
	else if (!item->try.has)
		gap = ALIGN(room->start, item->ask.align) - room->start;
	room->start = min(room->start + gap + size, room->end + 1);
}

/* Let a window be as large as what is left to it */
static void greedy_adjust(struct pci_plan_item *window, struct greedy_room *room)
{
	u64 align = greedy_room_align(window), size;

	if (!window || window->try.has)
		return;
	if (align)
		room->start = min(ALIGN(room->start, align), room->end + 1);

	size = greedy_room(room);
	/* Without flags it is a window of no kind */
	if (!window->ask.gone)
		size = ALIGN_DOWN(size, window->align);
	if (!size || size == window->ask.size)
		return;

	window->ask.size = size;
	window->ask.add = 0;
}

/* The share of one of the bridges on a bus, in addition to what it takes */
static void greedy_share(struct greedy_room *room, u64 share,
			 const struct pci_plan_item *window)
{
	u64 align = greedy_room_align(window);

	if (align)
		share = ALIGN_DOWN(share, align);
	room->end = room->start + share - 1;
	/* What is not there is a resource of size 1 as well */
	room->start -= window ? greedy_takes(window) : 1;
}

/* What is left behind a bridge goes to hotplug bridges there, if there are any */
static void greedy_share_out(struct pci_plan *plan,
			     struct pci_plan_item *bridge,
			     struct greedy_rooms rooms)
{
	struct pci_plan_item *pref = greedy_second(plan, bridge), *item;
	unsigned int bridges = 0, hotplug = 0;
	u64 other_share, pref_share;

	greedy_adjust(bridge, &rooms.other);
	greedy_adjust(pref, &rooms.pref);

	list_for_each_entry(item, &bridge->ask.bus, beside) {
		if (greedy_is_bridge(item)) {
			bridges++;
			hotplug += item->hotplug;
		}
	}
	if (!bridges)
		return;

	list_for_each_entry(item, &bridge->ask.bus, beside)
		greedy_take_off(&rooms, item);

	other_share = div_u64(greedy_room(&rooms.other), hotplug ?: bridges);
	pref_share = div_u64(greedy_room(&rooms.pref), hotplug ?: bridges);
	list_for_each_entry(item, &bridge->ask.bus, beside) {
		if (!greedy_is_bridge(item) || item->size ||
		    (hotplug && !item->hotplug))
			continue;

		greedy_share(&rooms.other, other_share, item);
		greedy_share(&rooms.pref, pref_share, greedy_second(plan, item));
		greedy_share_out(plan, item, rooms);
		rooms.other.start += rooms.other.end + 1;
		rooms.pref.start += rooms.pref.end + 1;
	}
}

/* Has any window of a bridge a place, of this kind or the other? */
static bool greedy_is_laid_out(struct pci_plan *plan,
			       struct pci_plan_item *bridge)
{
	struct pci_plan_item *second = greedy_second(plan, bridge);

	return bridge->laid_out || bridge->try.has || (second && second->try.has);
}

/* What a hotplug bridge has is shared out behind it */
static void greedy_share_behind(struct pci_plan *plan,
				struct pci_plan_item *bridge)
{
	struct pci_plan_item *pref = greedy_second(plan, bridge);
	struct greedy_rooms rooms = {
		.other = greedy_room_of(bridge),
		.pref = greedy_room_of(pref),
		.wide = pref && !pref->ask.gone && greedy_is_wide(pref),
	};

	if (bridge->hotplug)
		greedy_share_out(plan, bridge, rooms);
}

/* Those that have no window yet, but not on the root bus */
static void greedy_share_below(struct pci_plan *plan,
			       struct pci_plan_item *bridge)
{
	struct pci_plan_item *item;

	list_for_each_entry(item, &bridge->ask.bus, beside) {
		if (!greedy_is_bridge(item))
			continue;
		if (bridge == plan->item || greedy_is_laid_out(plan, item))
			greedy_share_below(plan, item);
		else
			greedy_share_behind(plan, item);
	}
}

static int greedy_by_align(void *priv, const struct list_head *a,
			   const struct list_head *b)
{
	const struct pci_plan_item *i = list_entry(a, struct pci_plan_item, order);
	const struct pci_plan_item *k = list_entry(b, struct pci_plan_item, order);

	return i->ask.align < k->ask.align;
}

/*
 * What is asked for in addition: virtual functions first, of these what is
 * prefetchable last; the last device first.
 */
static int greedy_by_addition(void *priv, const struct list_head *a,
			      const struct list_head *b)
{
	const struct pci_plan_item *i = list_entry(a, struct pci_plan_item, order);
	const struct pci_plan_item *k = list_entry(b, struct pci_plan_item, order);
	const struct pci_plan *plan = priv;
	bool pref;

	if (i->vf != k->vf)
		return k->vf;
	if (i->vf) {
		pref = plan->item[i->parent].pref;
		if (pref != plan->item[k->parent].pref)
			return pref;
	} else if (i->second && k == i - 1) {
		return true;
	} else if (k->second && i == k - 1) {
		return false;
	}

	return i < k;
}

/*
 * First attempt of a bus: with what is asked for in addition.  What fits in a
 * prefetchable window stays there if everything of that kind does, the rest is
 * taken back.
 */
static bool greedy_attempt(struct pci_plan *plan, struct list_head *wants)
{
	struct pci_plan_item *item, *next, *at;
	bool failed = false, pref = false;
	struct pci_plan_ask *ask;

	list_for_each_entry_safe(item, next, wants, order) {
		ask = &item->ask;
		ask->plain_size = ask->size;
		ask->plain_align = ask->align;
		ask->size += ask->add;
		if (!item->window || ask->add_align <= ask->align)
			continue;
		ask->align = ask->add_align;
		list_for_each_entry(at, wants, order) {
			if (at->ask.align < ask->align) {
				list_move_tail(&item->order, &at->order);
				break;
			}
		}
	}

	list_for_each_entry(item, wants, order) {
		ask = &item->ask;
		if (!ask->size || greedy_assign(plan, item, ask->size, ask->align) ||
		    greedy_is_rom(item))
			continue;
		failed = true;
		pref = pref || item->pref;
	}
	if (!failed)
		return true;

	list_for_each_entry_safe(item, next, wants, order) {
		ask = &item->ask;
		if (item->try.has && item->pref && ask->in_pref && !pref) {
			list_del(&item->order);
			continue;
		}
		if (item->try.has)
			greedy_release(item);
		ask->size = ask->plain_size;
		ask->align = ask->plain_align;
	}

	return false;
}

/* Give more to something, or a place if it asked for nothing else */
static void greedy_add(struct pci_plan *plan, struct pci_plan_item *item)
{
	struct pci_plan_place old = item->try;
	struct pci_plan_ask *ask = &item->ask;
	struct list_head *before = item->node.prev;
	struct pci_plan_item *in = item->in;
	bool in_pref = ask->in_pref;
	u64 align = item->window ? ask->add_align : ask->align;

	if (!old.has && ask->size)
		return;
	if (old.has)
		greedy_release(item);
	if (greedy_assign(plan, item, ask->size + ask->add, align) || !old.has)
		return;

	item->try = old;
	item->in = in;
	ask->in_pref = in_pref;
	list_add(&item->node, before);
}

/* A place for what has none, on one bus */
static void greedy_fill(struct pci_plan *plan, struct list_head *wants)
{
	struct pci_plan_item *item;
	bool adds = false;

	list_for_each_entry(item, wants, order)
		adds = adds || item->ask.add;
	plan_list_sort(NULL, wants, greedy_by_align);
	if (adds && greedy_attempt(plan, wants))
		return;

	list_for_each_entry(item, wants, order) {
		if (!item->ask.size ||
		    greedy_assign(plan, item, item->ask.size, item->ask.align))
			continue;
		item->ask.failed = !greedy_is_rom(item);
		item->ask.gone = true;
	}
	if (!adds)
		return;

	plan_list_sort(plan, wants, greedy_by_addition);
	list_for_each_entry(item, wants, order)
		if (item->ask.add && !item->ask.gone)
			greedy_add(plan, item);
}

static bool greedy_wants(const struct pci_plan_item *item)
{
	return !item->try.has && !item->ask.gone && !item->fixed;
}

/* On the bus behind a bridge, or on the root bus */
static void greedy_fill_bus(struct pci_plan *plan, struct pci_plan_item *bridge)
{
	struct pci_plan_item *item;
	LIST_HEAD(wants);

	list_for_each_entry(item, &bridge->ask.bus, beside)
		if (greedy_wants(item))
			list_add_tail(&item->order, &wants);
	greedy_fill(plan, &wants);
}

/* The bridge to a bus, if it is new as well */
static void greedy_fill_bridge(struct pci_plan *plan,
			       const struct pci_plan_greedy *how)
{
	struct pci_plan_item *item;
	LIST_HEAD(wants);
	unsigned int i;

	/* Its BARs come right before its windows */
	for (i = how->first; i <= how->bridge; i++)
		if (greedy_wants(&plan->item[i]))
			list_add_tail(&plan->item[i].order, &wants);
	item = greedy_second(plan, &plan->item[how->bridge]);
	if (item && greedy_wants(item))
		list_add_tail(&item->order, &wants);
	greedy_fill(plan, &wants);
}

/* One attempt; has everything a place then that it needs? */
static bool greedy_try(struct pci_plan *plan, const struct pci_plan_greedy *how,
		       bool adds)
{
	struct pci_plan_item *item;
	unsigned int i;

	greedy_sizes(plan, how, adds);
	if (how->bridge)
		greedy_share_behind(plan, &plan->item[how->bridge]);
	else
		greedy_share_below(plan, plan->item);

	/* From here on there is nothing without a place in the lists */
	for (i = how->first; i <= how->last; i++)
		if (!plan->item[i].try.has)
			list_del_init(&plan->item[i].node);

	if (how->bridge)
		greedy_fill_bridge(plan, how);
	for (i = how->bridge; i <= how->last; i++) {
		item = &plan->item[i];
		if (item->window && greedy_is_bridge(item))
			greedy_fill_bus(plan, item);
	}

	for (i = how->first; i <= how->last; i++)
		if (plan->item[i].ask.failed)
			return false;

	return true;
}

static bool greedy_counts(const struct pci_plan_item *item)
{
	return !item->window && item->size && !item->optional;
}

/* How many BARs have a place */
static unsigned int greedy_placed(const struct pci_plan *plan)
{
	unsigned int i, placed = 0;

	for (i = 1; i < plan->count; i++)
		placed += greedy_counts(&plan->item[i]) && plan->item[i].try.has;

	return placed;
}

/* Remember where everything is */
static void greedy_note(struct pci_plan *plan)
{
	struct pci_plan_item *item;
	unsigned int i;

	for (i = 1; i < plan->count; i++) {
		item = &plan->item[i];
		item->best = item->try;
		item->to = item->in - plan->item;
	}
}

/* Has the last attempt a place for the same BARs?  Then nothing need move */
static bool greedy_in_vain(const struct pci_plan *plan)
{
	const struct pci_plan_item *item;
	unsigned int i;

	for (i = 1; i < plan->count; i++) {
		item = &plan->item[i];
		if (!item->window && item->try.has != item->best.has)
			return false;
	}

	return true;
}

static void greedy_go_back(struct pci_plan *plan)
{
	struct pci_plan_item *item;
	unsigned int i;

	for (i = 1; i < plan->count; i++) {
		item = &plan->item[i];
		item->try = item->best;
		item->in = &plan->item[item->to];
	}
}

/* Is there anything in a window that has to keep its address? */
static bool greedy_in_use(const struct pci_plan_item *window)
{
	const struct pci_plan_item *item;

	plan_inside(item, window) {
		if (!item->try.has)
			continue;
		if (item->window ? item->fixed || greedy_in_use(item) :
				   item->hold > PCI_HOLD_CLAIMED)
			return true;
	}

	return false;
}

/* With all that is inside; a window asks for as much again */
static void greedy_release_all(struct pci_plan_item *item)
{
	struct pci_plan_item *inner, *next;

	list_for_each_entry_safe(inner, next, &item->inside, node)
		if (inner->try.has)
			greedy_release_all(inner);
	if (item->window)
		item->ask.least = plan_size(&item->try);
	greedy_release(item);
}

/* What makes way for something depends on this, and on where it is */
static unsigned int greedy_kind(const struct pci_plan_item *failed)
{
	return 1U << ((failed->pref ? GREEDY_PREF : 0) |
		      (greedy_is_wide(failed) ? GREEDY_WIDE : 0));
}

/*
 * What is in the way of something like @failed on the bus behind @bridge: the
 * window to there, and @all to what is below.
 */
static void greedy_make_way(struct pci_plan *plan, struct pci_plan_item *bridge,
			    const struct pci_plan_item *failed, bool all)
{
	unsigned int kind = greedy_kind(failed);
	struct pci_plan_item *window = bridge, *second, *item;
	bool leaf = true;

	/* For something else of its kind; what is in use stays so */
	if (bridge->ask.way & kind)
		return;
	bridge->ask.way |= kind;

	list_for_each_entry(item, &bridge->ask.bus, beside) {
		if (!greedy_is_bridge(item))
			continue;
		leaf = false;
		if (all && !item->size)
			greedy_make_way(plan, item, failed, true);
	}
	if (bridge == plan->item || !(all || leaf))
		return;

	second = greedy_second(plan, bridge);
	if (failed->pref && second && second->pref && !second->ask.gone &&
	    (greedy_is_wide(failed) || !greedy_is_wide(second)))
		window = second;
	if (window->try.has && !window->fixed && !greedy_in_use(window))
		greedy_release_all(window);
}

static void greedy_ask_again(struct pci_plan *plan,
			     const struct pci_plan_greedy *how, bool all)
{
	struct pci_plan_item *item;
	unsigned int i;

	for (i = 0; i <= how->last; i++)
		plan->item[i].ask.way = 0;
	for (i = how->first; i <= how->last; i++) {
		item = &plan->item[i];
		/* What is on the bus of the bridge itself has nothing in its way */
		if (item->ask.failed &&
		    greedy_bridge(plan, item) >= &plan->item[how->bridge])
			greedy_make_way(plan, greedy_bridge(plan, item), item,
					all);
	}

	for (i = how->first; i <= how->last; i++) {
		item = &plan->item[i];
		if (!item->ask.failed)
			continue;
		if (item->window)
			item->ask.least = item->ask.size;
		else
			item->ask.gone = false;
	}
}

/* Back to where sizes are asked for; what has no place comes last */
static void greedy_again(struct pci_plan *plan,
			 const struct pci_plan_greedy *how)
{
	struct pci_plan_item *item;
	unsigned int i;

	for (i = how->first; i <= how->last; i++) {
		item = &plan->item[i];
		if (item->try.has)
			continue;
		item->in = &plan->item[item->parent];
		list_move_tail(&item->node, &item->in->inside);
		if (!item->window)
			item->ask.size = item->size;
	}
}

static void greedy_tries(struct pci_plan *plan,
			 const struct pci_plan_greedy *how, unsigned int tries)
{
	unsigned int try, placed, best = 0;

	greedy_begin(plan, how);
	for (try = 1; !greedy_try(plan, how, !how->boot || try == tries); try++) {
		placed = greedy_placed(plan);
		if (placed > best || try == 1) {
			best = placed;
			greedy_note(plan);
		}
		if (try == tries) {
			if (placed < best || greedy_in_vain(plan))
				greedy_go_back(plan);
			break;
		}
		greedy_ask_again(plan, how, !how->boot || try > 1);
		greedy_again(plan, how);
	}
}

static bool greedy_loses(const struct pci_plan *plan)
{
	const struct pci_plan_item *item;
	unsigned int i;

	for (i = 1; i < plan->count; i++) {
		item = &plan->item[i];
		if (!item->window && item->old.has && !item->try.has)
			return true;
	}

	return false;
}

/**
 * pci_plan_greedy - give places away until there is nothing left
 * @plan: the items.  What has a place after it has @old set to that, until
 *	pci_plan_greedy_end().
 * @how: what asks, and how often
 *
 * Nothing that is in use moves, and no BAR loses its place.
 *
 * Context: any.
 * Return: how many BARs that are not optional have no place.
 */
unsigned int pci_plan_greedy(struct pci_plan *plan,
			     const struct pci_plan_greedy *how)
{
	struct pci_plan_item *item;
	unsigned int i, left = 0;

	greedy_tries(plan, how, how->tries);
	if (greedy_loses(plan))
		greedy_tries(plan, how, 1);

	for (i = 0; i < plan->count; i++) {
		item = &plan->item[i];
		item->first = item->old;
		item->first_in = item->parent;
		if (item->try.has && item->in)
			item->parent = item->in - plan->item;
		item->old = item->try;
		left += i && greedy_counts(item) && !item->old.has;
	}

	return left;
}

/* What has got a place so keeps it, and windows, if so, theirs */
static void greedy_keep(struct pci_plan *plan, bool bars, bool windows)
{
	struct pci_plan_item *item;
	unsigned int i;

	for (i = 1; i < plan->count; i++) {
		item = &plan->item[i];
		if (item->window && !windows && item->kept)
			item->fixed = false;
		if (!item->old.has || item->first.has)
			continue;
		if (!item->window)
			item->hold = bars ? PCI_HOLD_PINNED : PCI_HOLD_CLAIMED;
		else if (windows)
			item->fixed = true;
	}
}

/**
 * pci_plan_greedy_end - back to where everything is
 * @plan: the items, after pci_plan_greedy()
 *
 * Context: any.
 */
void pci_plan_greedy_end(struct pci_plan *plan)
{
	struct pci_plan_item *item;
	unsigned int i;

	for (i = 1; i < plan->count; i++) {
		item = &plan->item[i];
		if (item->old.has && !item->first.has) {
			if (item->window)
				item->fixed = false;
			else
				item->hold = PCI_HOLD_FREE;
		}
		item->old = item->first;
		item->parent = item->first_in;
	}
}

/**
 * pci_plan_most - find a place for as much as possible
 * @plan: the items; output in @new and @to of each
 * @how: how to begin
 *
 * Whatever pci_plan_greedy() has a place for gets one.
 *
 * Context: any.
 * Return: how many BARs that are not optional have no place.
 */
unsigned int pci_plan_most(struct pci_plan *plan,
			   const struct pci_plan_greedy *how)
{
	unsigned int left = pci_plan_greedy(plan, how);

	greedy_keep(plan, how->keep_bars,
		    how->keep_windows && !(left && how->relax));
	plan->all = false;
	left = pci_plan(plan);
	pci_plan_greedy_end(plan);
	return left;
}
