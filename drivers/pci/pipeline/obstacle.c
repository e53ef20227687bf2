// SPDX-License-Identifier: GPL-2.0
/*
 * PCI enumeration pipeline: why something has no place
 */
#include <linux/align.h>
#include <linux/list_sort.h>
#include <linux/minmax.h>

#include "plan.h"

/* Where a range could be, and what it would take */
struct obstacle_spot {
	const struct pci_plan	*plan;
	const struct pci_plan_item *want;
	struct list_head	placed;		/* what has a place, by address */
	bool			any;
	u64			cost;		/* of what is in the way */
	const struct pci_plan_item *firmest;	/* of these */
};

static bool obstacle_is_one(const struct pci_plan_item *item,
			    const struct pci_plan_item *want)
{
	return item != want && !item->window && item->new.has &&
	       !(item->barrier && want->pref);
}

static int obstacle_order(void *priv, const struct list_head *a,
			  const struct list_head *b)
{
	return list_entry(a, struct pci_plan_item, order)->new.start >
	       list_entry(b, struct pci_plan_item, order)->new.start;
}

static struct pci_plan_item *obstacle_entry(struct list_head *node)
{
	return list_entry(node, struct pci_plan_item, order);
}

/* A range that starts at @start, near @at: is there less in its way? */
static void obstacle_try(struct obstacle_spot *spot, struct list_head *at,
			 u64 start)
{
	const struct pci_plan_place *all = &spot->plan->item->new;
	u64 size = spot->want->size, last = min(all->end, spot->want->limit);
	const struct pci_plan_item *item, *firmest = NULL;
	u64 cost = 0;

	if (start < all->start || start > last || last - start < size - 1)
		return;

	while (at != &spot->placed && obstacle_entry(at)->new.end >= start)
		at = at->prev;
	for (at = at->next; at != &spot->placed; at = at->next) {
		item = obstacle_entry(at);
		if (item->new.start > start && item->new.start - start >= size)
			break;
		if (item->new.end < start)
			continue;
		if (!firmest || item->hold > firmest->hold)
			firmest = item;
		/* A device can be removed, so rather many of these */
		cost += item->reserved ? spot->plan->count : 1;
		if (spot->any && cost >= spot->cost)
			return;
	}

	if (spot->any && cost >= spot->cost)
		return;
	spot->any = true;
	spot->cost = cost;
	spot->firmest = firmest;
}

/**
 * pci_plan_obstacle - what keeps something from getting a place
 * @plan: the plan, with @new of each item
 * @want: what has none; need not be one of the items
 *
 * Looks at BARs and reservations alone: what would have to go so that @want has
 * room below the host bridge, if that is as little as may be, and reservations
 * only if there is no other way.
 *
 * Context: any.
 * Return: index of the item in the way that sits there most firmly, the first
 * one of these; 0 if nothing is in the way but windows, or PCI_PLAN_NO_ALT if the
 * host bridge has no addresses for it.
 */
unsigned int pci_plan_obstacle(const struct pci_plan *plan,
			       const struct pci_plan_item *want)
{
	struct obstacle_spot spot = { .plan = plan, .want = want };
	u64 align = want->align;
	struct pci_plan_item *item;
	unsigned int i;

	if (!plan->item->new.has)
		return PCI_PLAN_NO_ALT;

	INIT_LIST_HEAD(&spot.placed);
	for (i = 1; i < plan->count; i++) {
		item = &plan->item[i];
		if (obstacle_is_one(item, want))
			list_add_tail(&item->order, &spot.placed);
	}
	list_sort(NULL, &spot.placed, obstacle_order);

	obstacle_try(&spot, &spot.placed, ALIGN(plan->item->new.start, align));
	list_for_each_entry(item, &spot.placed, order) {
		obstacle_try(&spot, &item->order,
			     ALIGN(item->new.end + 1, align));
		obstacle_try(&spot, &item->order,
			     ALIGN_DOWN(item->new.start, align));
		if (item->new.start >= want->size)
			obstacle_try(&spot, &item->order,
				     ALIGN_DOWN(item->new.start - want->size,
						align));
	}

	if (!spot.any)
		return PCI_PLAN_NO_ALT;
	return spot.firmest ? spot.firmest - plan->item : 0;
}
