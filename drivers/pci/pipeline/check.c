// SPDX-License-Identifier: GPL-2.0
/*
 * PCI enumeration pipeline: what a plan of addresses has to comply with
 *
 * Knows nothing of how it was made.
 */
#include <linux/list_sort.h>
#include <linux/minmax.h>
#include <linux/types.h>

#include "plan.h"

#define CHECK_NEAR	3	/* places that something is put before */

static bool check_same(const struct pci_plan_item *item)
{
	return item->new.has == item->old.has &&
	       (!item->new.has || (item->new.start == item->old.start &&
				   item->new.end == item->old.end));
}

static const char *check_gone(const struct pci_plan_item *item)
{
	if (!item->old.has)
		return NULL;
	if (!item->window)
		return "a BAR loses its place";
	if (item->fixed)
		return "a fixed window is closed";

	return NULL;
}

/* Is the window that an item is in one that will do? */
static bool check_in(const struct pci_plan *plan,
		     const struct pci_plan_item *item)
{
	const struct pci_plan_item *to = &plan->item[item->to];
	unsigned int in;

	for (in = item->parent; in < plan->count; in = plan->item[in].alt)
		if (in == item->to)
			return true;

	return item->pref && item->to == item->parent + 1 && to->pref &&
	       to->alt == item->parent;
}

static const char *check_one(const struct pci_plan_item *item,
			     const struct pci_plan_item *window)
{
	u64 mask = item->align - 1;

	if (!item->new.has)
		return check_gone(item);
	if (!window->window || !window->new.has)
		return "something is inside of nothing";
	if (item->new.start > item->new.end && (item->window || item->size))
		return "a range is empty";
	if (item->new.start & mask)
		return "a start is not aligned";
	if (item->window && ((item->new.end + 1) & mask))
		return "the end of a window is not aligned";
	if (!item->window && item->new.end - item->new.start + 1 != item->size)
		return "a BAR has another size";
	if (item->new.end > item->limit)
		return "a range is too high";
	if (item->new.start & item->avoid &&
	    !(item->old.has && item->old.start & item->avoid))
		return "a BAR is where it is not wanted";
	if (item->new.start < window->new.start ||
	    item->new.end > window->new.end)
		return "a range is outside of its window";
	if (item->old.has && !check_same(item) &&
	    (item->window ? item->fixed : item->hold == PCI_HOLD_PINNED))
		return "something moves that can't";

	return NULL;
}

static int check_order(void *priv, const struct list_head *a,
		       const struct list_head *b)
{
	const struct pci_plan_item *i = list_entry(a, struct pci_plan_item, order);
	const struct pci_plan_item *k = list_entry(b, struct pci_plan_item, order);

	return i->new.start > k->new.start;
}

/*
 * Into @inside of the window that it is in: where it belongs by address, if that
 * is not far from the end.  Most often it is not.
 */
static void check_put(struct pci_plan_item *window, struct pci_plan_item *item)
{
	struct list_head *at = window->inside.prev;
	unsigned int far = CHECK_NEAR;

	while (at != &window->inside && check_order(NULL, at, &item->order)) {
		if (!far--) {
			at = window->inside.prev;
			break;
		}
		at = at->prev;
	}
	list_add(&item->order, at);
}

/* The rest, which list_sort() takes long for even if it is in order */
static void check_sort(struct pci_plan_item *window)
{
	const struct pci_plan_item *item;
	u64 from = 0;

	list_for_each_entry(item, &window->inside, order) {
		if (item->new.start < from) {
			list_sort(NULL, &window->inside, check_order);
			return;
		}
		from = item->new.start;
	}
}

/*
 * Do any two in a window overlap?  Two that were so before may go on.  What is
 * in the way of some only is looked at with these, in a pass of its own.
 */
static bool check_overlap(const struct pci_plan_item *window, bool barriers)
{
	const struct pci_plan_item *item, *prev = NULL;

	/* @prev is what reaches furthest so far */
	list_for_each_entry(item, &window->inside, order) {
		if (barriers ? item->pref : item->barrier)
			continue;
		if (prev && item->new.start <= prev->new.end &&
		    prev->new.start <= item->new.end &&
		    !(check_same(item) && check_same(prev)))
			return true;
		if (!prev || item->new.end > prev->new.end)
			prev = item;
	}

	return false;
}

/**
 * pci_plan_check - can a plan of addresses be put in place
 * @plan: the items, with @old, @new and @to
 *
 * Context: any.
 * Return: NULL if it can, or what is wrong first.
 */
const char *pci_plan_check(const struct pci_plan *plan)
{
	struct pci_plan_item *item = plan->item;
	const char *wrong;
	bool barriers = false;
	unsigned int i;

	if (!check_same(item))
		return "the addresses of the host bridge change";

	INIT_LIST_HEAD(&item->inside);
	for (i = 1; i < plan->count; i++) {
		if (item[i].to >= i)
			return "an item is before the window that it is in";
		if (item[i].new.has && !check_in(plan, &item[i]))
			return "something is in a window that is not for it";
		wrong = check_one(&item[i], &item[item[i].to]);
		if (wrong)
			return wrong;

		INIT_LIST_HEAD(&item[i].inside);
		barriers = barriers || item[i].barrier;
		if (item[i].new.has)
			check_put(&item[item[i].to], &item[i]);
	}

	for (i = 0; i < plan->count; i++) {
		if (list_empty(&item[i].inside))
			continue;
		check_sort(&item[i]);
		if (check_overlap(&item[i], false) ||
		    (barriers && check_overlap(&item[i], true)))
			return "two ranges overlap";
	}

	return NULL;
}
