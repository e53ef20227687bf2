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

/* Into @inside of each window what is in it, by address; is there a barrier? */
static bool check_group(const struct pci_plan *plan)
{
	struct pci_plan_item *item;
	bool barriers = false;
	unsigned int i;

	for (i = 0; i < plan->count; i++)
		if (plan->item[i].window)
			INIT_LIST_HEAD(&plan->item[i].inside);

	for (i = 1; i < plan->count; i++) {
		item = &plan->item[i];
		barriers = barriers || item->barrier;
		if (item->new.has)
			list_add_tail(&item->order, &plan->item[item->to].inside);
	}

	for (i = 0; i < plan->count; i++)
		if (plan->item[i].window)
			list_sort(NULL, &plan->item[i].inside, check_order);

	return barriers;
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
	const struct pci_plan_item *item = plan->item;
	const char *wrong;
	unsigned int i;
	bool barriers;

	if (!check_same(item))
		return "the addresses of the host bridge change";

	for (i = 1; i < plan->count; i++) {
		if (item[i].to >= i)
			return "an item is before the window that it is in";
		if (item[i].new.has && !check_in(plan, &item[i]))
			return "something is in a window that is not for it";
		wrong = check_one(&item[i], &item[item[i].to]);
		if (wrong)
			return wrong;
	}

	barriers = check_group(plan);
	for (i = 0; i < plan->count; i++)
		if (item[i].window &&
		    (check_overlap(&item[i], false) ||
		     (barriers && check_overlap(&item[i], true))))
			return "two ranges overlap";

	return NULL;
}
