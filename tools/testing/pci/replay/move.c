// SPDX-License-Identifier: GPL-2.0
/*
 * What of a running machine can move, and what does
 *
 * The kernel knows, see move_hold.c there, and its dumps say so.  A log shows a
 * part of it at best: what else uses a BAR does not show.  As in the kernel,
 * nothing in use moves unless something that is required has no place otherwise.
 */
#include <stdlib.h>
#include <string.h>

#include <linux/kernel.h>

#include "move.h"

#define MOVE_PAGE	4096	/* the smallest that there is */

/* Drivers with bars_movable, by the names that lspci has */
static const char * const move_drivers[] = {
	"ahci", "e1000", "e1000e", "igb", "nvme", "pcieport", "shpchp",
	"virtio-pci", "xhci_hcd",
};

static bool move_takes_part(const struct topo_dev *dev)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(move_drivers); i++)
		if (!strcmp(dev->driver, move_drivers[i]))
			return true;
	return false;
}

/* Some kinds of devices are used by more than their driver */
static const char *move_class(const struct topo_dev *dev)
{
	switch (dev->class >> 8) {
	case 0x03:
		return "it may be the framebuffer";
	case 0x06:
		if (dev->header == TOPO_ENDPOINT)
			return "firmware may use it";
		break;
	case 0x08:
		return "it is part of the system";
	}

	switch (dev->class) {
	case TOPO_CLASS_NONE:
		return "it has no class";
	case TOPO_CLASS_OLD_VGA:
		return "it may be the framebuffer";
	case TOPO_CLASS_SERIAL:
		return "it may be a console";
	case TOPO_CLASS_HOST:
	case TOPO_CLASS_SMBUS:
	case TOPO_CLASS_IPMI:
		return "firmware may use it";
	}
	return NULL;
}

static const char *move_driver(const struct topo_dev *dev, const struct topo_res *res)
{
	if (!dev->driver[0])
		return NULL;
	if (!move_takes_part(dev))
		return "its driver takes no part";
	if (res->type == TOPO_IO)
		return "its driver takes no part with I/O ports";
	/* Whose the rest of the page is can't be told from a mapping */
	if (res->size % MOVE_PAGE)
		return "it is less than a page";
	return NULL;
}

/**
 * move_hold - can a BAR that is in use move
 * @topo: machine
 * @dev: function
 * @index: of the BAR
 * @why: output: why it can't, or NULL
 *
 * Return: how firmly it stays where it is.
 */
enum pci_plan_hold move_hold(const struct topo *topo, const struct topo_dev *dev,
			     int index, const char **why)
{
	if (dev->res[index].fixed)
		*why = "its address is fixed";
	else if (dev->vfs)
		*why = "it has VFs";
	else
		*why = move_class(dev);
	if (!*why)
		*why = topo->drivers ? move_driver(dev, &dev->res[index]) :
				       "its driver is not known";
	if (*why)
		return PCI_HOLD_PINNED;

	return dev->driver[0] ? PCI_HOLD_MOVABLE : PCI_HOLD_UNBOUND;
}

/* Is it a BAR of a device in use that can be moved? */
bool move_can(const struct build *build, unsigned int i)
{
	const struct pci_plan_item *item = &build->plan.item[i];

	return !item->window && item->old.has &&
	       (item->hold == PCI_HOLD_UNBOUND || item->hold == PCI_HOLD_MOVABLE);
}

/* Is the one inside of the other, however deep? */
static bool move_inside(const struct pci_plan *plan, unsigned int i, unsigned int window)
{
	while (i > window)
		i = plan->item[i].parent;
	return i == window;
}

/* What pins a window: the first of what is inside; 0 if nothing does */
unsigned int move_pin(const struct build *build, unsigned int i)
{
	const struct pci_plan *plan = &build->plan;
	const struct pci_plan_item *item;
	unsigned int k;

	for (k = i + 1; k < plan->count; k++) {
		item = &plan->item[k];
		if (item->old.has && move_inside(plan, k, i) &&
		    (item->window ? item->fixed : item->hold == PCI_HOLD_PINNED))
			return k;
	}
	return 0;
}

/* As the planner has it: a window sits as firmly as what is inside */
static void move_hold_windows(struct pci_plan *plan)
{
	struct pci_plan_item *item, *in;
	unsigned int i;

	for (i = 0; i < plan->count; i++) {
		item = &plan->item[i];
		if (item->window)
			item->hold = item->fixed ? PCI_HOLD_PINNED : PCI_HOLD_FREE;
	}
	for (i = plan->count; --i; ) {
		item = &plan->item[i];
		in = &plan->item[item->parent];
		if (item->old.has && in->hold < item->hold)
			in->hold = item->hold;
	}
}

/* As the kernel does if something in use may move */
static unsigned int move_place_some(struct build *build)
{
	build->plan.all = false;
	return pci_plan(&build->plan);
}

/* As it does else: with everything, or else with as much as possible */
static unsigned int move_place_all(struct build *build)
{
	struct pci_plan *plan = &build->plan;
	unsigned int left;

	plan->all = true;
	left = pci_plan(plan);
	if (!plan->missing)
		return left;
	if (build->greedy.tries && build->greedy.last)
		return pci_plan_most(plan, &build->greedy);

	return move_place_some(build);
}

/* Plan with what holds more than @most pinned; how much that is required is left */
static unsigned int move_try(struct build *build, const enum pci_plan_hold *hold,
			     enum pci_plan_hold most)
{
	struct pci_plan *plan = &build->plan;
	unsigned int left, i;

	for (i = 0; i < plan->count; i++)
		plan->item[i].hold = hold[i] > most ? PCI_HOLD_PINNED : hold[i];
	left = most > PCI_HOLD_CLAIMED ? move_place_some(build) : move_place_all(build);
	build->wrong = pci_plan_check(plan);

	for (i = 0; i < plan->count; i++) {
		plan->item[i].hold = hold[i];
		plan->item[i].fixed = plan->item[i].fixed || plan->item[i].kept;
	}
	move_hold_windows(plan);
	return left;
}

static bool move_any(const struct build *build)
{
	unsigned int i;

	for (i = 1; i < build->plan.count; i++)
		if (move_can(build, i))
			return true;
	return false;
}

/* Has something in use been moved? */
static bool move_moved(const struct build *build)
{
	const struct pci_plan_item *item;
	unsigned int i;

	for (i = 1; i < build->plan.count; i++) {
		item = &build->plan.item[i];
		if (move_can(build, i) &&
		    (!item->new.has || item->new.start != item->old.start))
			return true;
	}
	return false;
}

/* What moves has moved then, and the kernel goes on with what still has no place */
static int move_on(struct build *build, enum pci_plan_hold *hold)
{
	struct pci_plan *plan = &build->plan;
	struct pci_plan_item *before = calloc(plan->count, sizeof(*before)), *item;
	unsigned int i;

	if (!before)
		return -1;

	memcpy(before, plan->item, plan->count * sizeof(*before));
	for (i = 1; i < plan->count; i++) {
		item = &plan->item[i];
		item->old = item->new;
		if (!item->new.has)
			continue;
		item->parent = item->to;
		if (!item->window && hold[i] == PCI_HOLD_FREE)
			hold[i] = PCI_HOLD_CLAIMED;
	}
	move_try(build, hold, PCI_HOLD_CLAIMED);

	for (i = 1; i < plan->count; i++) {
		before[i].new = plan->item[i].new;
		before[i].to = plan->item[i].to;
	}
	memcpy(plan->item, before, plan->count * sizeof(*before));
	free(before);
	return 0;
}

/* Let what is in use move as well, if that gives a place to more than @left */
static int move_more(struct build *build, enum pci_plan_hold *hold, unsigned int left)
{
	struct pci_plan *plan = &build->plan;
	unsigned int i;

	for (i = 1; i < plan->count; i++)
		build->of[i].waits = !plan->item[i].window && plan->item[i].size &&
				     !plan->item[i].new.has;
	build->moves = move_try(build, hold, PCI_HOLD_MOVABLE) < left &&
		       move_moved(build);
	if (!build->moves)
		move_try(build, hold, PCI_HOLD_CLAIMED);
	else if (plan->missing && !build->wrong)
		return move_on(build, hold);
	return 0;
}

/**
 * move_plan - plan, and move what is in use if something has no place otherwise
 * @build: the plan
 * @move: it may move
 *
 * Return: 0, or -1 if there is no memory.
 */
int move_plan(struct build *build, bool move)
{
	struct pci_plan *plan = &build->plan;
	enum pci_plan_hold *hold = calloc(plan->count, sizeof(*hold));
	unsigned int left, i;
	int ret = 0;

	if (!hold)
		return -1;
	/* A dump says of what has no place yet, too, whether its device can move */
	for (i = 0; i < plan->count; i++)
		hold[i] = plan->item[i].window || plan->item[i].old.has ?
			  plan->item[i].hold : PCI_HOLD_FREE;

	left = move_try(build, hold, PCI_HOLD_CLAIMED);
	if (move && left && !build->greedy.boot && move_any(build))
		ret = move_more(build, hold, left);
	free(hold);
	return ret;
}
