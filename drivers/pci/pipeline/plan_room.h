/* SPDX-License-Identifier: GPL-2.0 */
/*
 * PCI enumeration pipeline: what the parts of the planner of addresses share
 *
 * plan_level.c makes room on one level of the hierarchy, plan_climb.c goes up
 * until there is room and settles what follows for everything below, plan.c
 * decides what gets a place when.
 */
#ifndef _PCI_PLAN_ROOM_H
#define _PCI_PLAN_ROOM_H

#include <linux/align.h>
#include <linux/limits.h>
#include <linux/list_sort.h>
#include <linux/math64.h>
#include <linux/minmax.h>

#include "plan.h"

#define PLAN_TOP	((u64)1 << 62)	/* what moves is laid out below it */
#define PLAN_AGAIN	8		/* attempts with another order */
#define PLAN_WHOLE	4		/* and for the sake of whole devices */
#define PLAN_STEPS	250000		/* what one of them looks at, at most */

/* What may change to make room; what comes first is tried first */
enum plan_effort {
	PLAN_GROW,		/* windows above get larger where they are */
	PLAN_MOVE_ABOVE,	/* they move */
	PLAN_MOVE_BESIDE,	/* so does what is beside them */
	PLAN_DROP,		/* windows beside lose what they do not need */
	PLAN_PACK,		/* and what is in them is moved together */
	PLAN_RELAY,		/* all of a bus is laid out anew */
	PLAN_EFFORTS,
};

enum plan_grow {
	PLAN_FIT,	/* the window stays as large as it is */
	PLAN_UP,	/* it may end later */
	PLAN_DOWN,	/* it may start earlier */
};

/**
 * struct plan_need - what an item needs in the window that it is in
 * @exact: @base to @base + @size - 1, and nothing else
 * @size: how much
 * @step: else a start that differs from @base by a multiple of this
 * @base: a start that would do
 * @avoid: bits that are not set in the start
 */
struct plan_need {
	bool	exact;
	u64	size;
	u64	step;
	u64	base;
	u64	avoid;
};

/**
 * struct plan_level - one level of the hierarchy: room for something in a window
 * @window: the window
 * @child: what is to have room; it may have some already
 * @need: of @child
 * @first: first address that it can have
 * @last: last address that it can have
 * @limit: last one that will do for what is inside of it, too
 * @grow: how far @window is what it was
 * @effort: what may change
 * @hold: what holds no more than this can be moved
 * @steps: what may still be spent on moving what is beside something
 * @share: what some of the windows in it get in addition to what they have
 * @down: grow at the lower end
 * @fresh: only what had no place can be moved
 * @spare: nothing is inside of @child yet; for that no other window is closed,
 *	and no new one gives away its reserve
 */
struct plan_level {
	struct pci_plan_item	*window;
	struct pci_plan_item	*child;
	struct plan_need	need;
	u64			first;
	u64			last;
	u64			limit;
	enum plan_grow		grow;
	enum plan_effort	effort;
	enum pci_plan_hold	hold;
	unsigned int		*steps;
	u64			share;
	bool			down;
	bool			fresh;
	bool			spare;
};

/**
 * struct plan_spot - a place for the child of a level
 * @ok: there is one
 * @start: where it starts
 * @lo: first address that is needed on this level then
 * @hi: last one
 * @cost: what has to move for it
 */
struct plan_spot {
	bool		ok;
	u64		start;
	u64		lo;
	u64		hi;
	unsigned int	cost;
};

#define plan_inside(item, window) \
	list_for_each_entry(item, &(window)->inside, node)

static __always_inline bool plan_list_sorted(void *priv,
					     const struct list_head *head,
					     list_cmp_func_t cmp)
{
	const struct list_head *at;

	for (at = head->next; at->next != head; at = at->next)
		if (cmp(priv, at, at->next) > 0)
			return false;

	return true;
}

/* Most lists are in order already, which list_sort() does not see */
static __always_inline void plan_list_sort(void *priv, struct list_head *head,
					   list_cmp_func_t cmp)
{
	if (!plan_list_sorted(priv, head, cmp))
		list_sort(priv, head, cmp);
}

static inline bool plan_overlap(const struct pci_plan_place *place, u64 lo,
				u64 hi)
{
	return place->has && place->start <= hi && lo <= place->end;
}

static inline u64 plan_size(const struct pci_plan_place *place)
{
	return place->end - place->start + 1;
}

static inline void plan_include(struct pci_plan_place *place,
				const struct pci_plan_place *other)
{
	if (!other->has)
		return;

	if (!place->has) {
		*place = *other;
		return;
	}

	place->start = min(place->start, other->start);
	place->end = max(place->end, other->end);
}

static inline bool plan_movable(const struct plan_level *level,
				const struct pci_plan_item *item)
{
	if (item->hold > level->hold || item->fixed ||
	    (level->fresh && item->old.has))
		return false;

	/* It is too high for something inside that is at its lower end */
	return !item->new.has || item->new.end <= item->top;
}

/* One more thing has been looked at */
static inline void plan_step(const struct plan_level *level)
{
	if (*level->steps)
		--*level->steps;
}

/* The last address that will do for an item, and for what is inside */
static inline u64 plan_top(const struct plan_level *level,
			   const struct pci_plan_item *item)
{
	return item == level->child ? level->limit : item->top;
}

/* What is inside limits where a window can go */
static inline void plan_limit(struct pci_plan_item *window,
			      const struct pci_plan_item *item)
{
	window->top = min(window->top, item->top);
}

static inline void plan_stay(struct pci_plan_item *item)
{
	item->try = item->new;
	item->shift = 0;
	item->placed = false;
	item->laid = false;
}

static inline void plan_put(struct pci_plan_item *item, u64 base, u64 start,
			    u64 size)
{
	item->try.has = true;
	item->try.start = start;
	item->try.end = start + size - 1;
	item->shift = start - base;
}

/* What it takes to place an item that has no place */
static inline u64 plan_want_size(const struct pci_plan_item *item)
{
	return item->window ? item->block : item->size;
}

/* What it takes as long as what is inside has a place, wherever that is */
static inline u64 plan_least(const struct pci_plan_item *item)
{
	if (!item->window)
		return item->size;
	if (item->fixed)
		return item->new.has ? plan_size(&item->new) : 0;

	return ALIGN(item->inner, item->align);
}

static inline struct plan_need plan_wanted(const struct pci_plan_item *item)
{
	return (struct plan_need) {
		.size = plan_want_size(item),
		.step = item->step,
		.avoid = item->avoid,
	};
}

/**
 * pci_plan_fit_up - the lowest start from an address on
 * @from: the address
 * @need: what has to fit
 * @start: output
 *
 * Context: any.
 * Return: is there any.
 */
static inline bool pci_plan_fit_up(u64 from, const struct plan_need *need,
				   u64 *start)
{
	*start = from + ((need->base - from) & (need->step - 1));
	if (*start & need->avoid) {
		*start = (*start | need->avoid | ((need->avoid & -need->avoid) - 1)) + 1;
		*start += (need->base - *start) & (need->step - 1);
	}
	return *start >= from && !(*start & need->avoid);
}

/* plan_level.c */
bool pci_plan_fit_down(u64 end, const struct plan_need *need, u64 *start);
void pci_plan_reset(struct pci_plan_item *window);
struct pci_plan_item *pci_plan_relay(const struct plan_level *level, u64 first,
				     u64 last, bool down,
				     struct plan_spot *spot);
bool pci_plan_relay_good(const struct plan_level *level);
bool pci_plan_level(const struct plan_level *level, struct plan_spot *spot);

/* plan_climb.c */
bool pci_plan_may_fit(const struct pci_plan_item *in, u64 more);
struct pci_plan_item *pci_plan_climb(struct pci_plan *plan,
				     struct pci_plan_item *want,
				     struct plan_level *level);
void pci_plan_sort(struct pci_plan_item *window);
void pci_plan_settle(struct pci_plan *plan, struct pci_plan_item *top,
		     struct pci_plan_item *want, enum plan_effort effort);
bool pci_plan_one(struct pci_plan *plan, struct pci_plan_item *want,
		  enum pci_plan_hold hold);

#endif /* _PCI_PLAN_ROOM_H */
