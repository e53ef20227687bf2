// SPDX-License-Identifier: GPL-2.0
/*
 * PCI enumeration pipeline: addresses for what is on and below a bus
 */
#include <linux/errno.h>
#include <linux/ioport.h>
#include <linux/pci.h>

#include "../pci.h"
#include "layout.h"
#include "pipeline.h"

/* What other devices lack is not looked for */
static void layout_ignore_others(struct pci_layout *layout)
{
	struct pci_plan_item *item;
	unsigned int i;

	for (i = 1; i < layout->plan.count; i++) {
		item = &layout->plan.item[i];
		if (item->window || item->old.has ||
		    layout->res[i].dev == layout->only)
			continue;
		item->size = 0;
		layout->res[i].res = NULL;
	}
}

/**
 * pci_layout_lacks - what kinds of addresses does anything on or below a bus lack
 * @bus: the bus
 * @types: IORESOURCE_IO, IORESOURCE_MEM, or both: what is looked for
 * @untrusted: only what is not trusted is looked at
 *
 * Or a window that it never had.
 *
 * Context: process context, pci_bus_sem and pci_assign_rwsem held.
 * Return: those of @types that something lacks.
 */
unsigned long pci_layout_lacks(const struct pci_bus *bus, unsigned long types,
			       bool untrusted)
{
	unsigned long lacks = 0;
	const struct resource *res;
	const struct pci_dev *dev;
	bool counts;
	int i;

	list_for_each_entry(dev, &bus->devices, bus_list) {
		if (dev->is_virtfn)
			continue;
		counts = !untrusted || dev->untrusted;
		for (i = 0; counts && i < PCI_BRIDGE_RESOURCES; i++) {
			res = &dev->resource[i];
			if (res->flags & types && !res->parent &&
			    resource_size(res))
				lacks |= res->flags & types;
		}
		if (dev->subordinate) {
			if (counts && dev->stage < PCI_STAGE_ADD)
				return types;
			lacks |= pci_layout_lacks(dev->subordinate, types,
						  untrusted);
		}
		if (lacks == types)
			break;
	}

	return lacks;
}

/* What can't be anywhere else is there before a place is found for the rest */
static int layout_collect(struct pci_layout *layout)
{
	int ret;

	ret = pci_layout_collect(layout);
	if (ret || !layout->fixed || !pci_bus_assign_fixed(layout->bus))
		return ret;

	pci_layout_free(layout);
	*layout = (struct pci_layout){
		.bus = layout->bus,
		.below = layout->below,
		.only = layout->only,
		.type = layout->type,
		.flags = layout->flags,
		.untrusted = layout->untrusted,
		.greedy = { .tries = layout->greedy.tries },
	};
	return pci_layout_collect(layout);
}

/*
 * Not everything fits: what has got a place on such a machine ever since gets it
 * first, then as much as possible beside that.  How many BARs that are not
 * optional get none, or a negative errno.
 */
static int layout_plan_most(struct pci_layout *layout)
{
	struct pci_plan_greedy *how = &layout->greedy;
	unsigned int flags = layout->flags;
	struct pci_plan *plan = &layout->plan;
	int ret;

	/* Nothing leads to the bus in question */
	if (!how->last) {
		plan->all = false;
		return pci_plan(plan);
	}

	ret = pci_layout_collect_host(layout);
	if (ret)
		return ret;

	plan->ports = layout->type & IORESOURCE_IO;
	plan->isa = IS_ENABLED(CONFIG_ISA) || IS_ENABLED(CONFIG_EISA);
	how->boot = flags & PCI_LAYOUT_BOOT;
	how->keep_bars = flags & PCI_LAYOUT_KEEP_BARS;
	how->keep_windows = flags & PCI_LAYOUT_KEEP_WINDOWS;
	how->relax = flags & PCI_LAYOUT_RELAX;
	return pci_plan_most(plan, how);
}

/**
 * pci_layout_plan - describe what is on and below a bus, and plan
 * @layout: @bus, @only, @type and @flags are set, and @untrusted if something
 *	that is in use may move; @below and @tries of @greedy if as much as
 *	possible is wanted; the rest is zeroed; pci_layout_free() it, also after a
 *	failure
 *
 * Context: process context, pci_bus_sem and pci_assign_rwsem held.
 * Return: how many BARs get no address, or a negative errno.
 */
int pci_layout_plan(struct pci_layout *layout)
{
	bool most = layout->greedy.tries;
	int required = 0, ret;
	const char *wrong;
	bool all;

	ret = layout_collect(layout);
	if (ret)
		return ret;
	if (layout->only)
		layout_ignore_others(layout);

	/* What does not fit beside what stays is planned again anyway */
	all = layout->flags & PCI_LAYOUT_ALL &&
	      !(layout->flags & PCI_LAYOUT_STAY);
	layout->plan.all = all;
	if (all || !most)
		required = pci_plan(&layout->plan);
	/* Nothing comes of that */
	if (all && layout->plan.missing && !most)
		return layout->plan.missing;
	if (most && (!all || layout->plan.missing))
		required = layout_plan_most(layout);
	if (required < 0)
		return required;
	wrong = pci_plan_check(&layout->plan);
	if (wrong) {
		dev_WARN(&layout->bus->dev, "plan of addresses: %s\n", wrong);
		return -EINVAL;
	}

	/* What is optional may be why more has to move */
	if (most || (layout->flags & PCI_LAYOUT_REQUIRED && !layout->skips))
		return required;

	return layout->plan.missing;
}

static int layout_try(struct pci_layout *layout, struct pci_bus *bus,
		      struct pci_dev *only, unsigned long type,
		      unsigned int flags)
{
	pci_layout_free(layout);
	*layout = (struct pci_layout){
		.bus = bus, .only = only, .type = type, .flags = flags,
	};
	return pci_layout_plan(layout);
}

/*
 * Most often there is room behind the bridge, beside what is there, and to see
 * that does not take long.  Else plan for the whole bus, and below the host
 * bridge if there is no room on the bus, or none for what comes next.
 */
static int layout_find(struct pci_layout *layout, struct pci_bus *bus,
		       struct pci_dev *only, unsigned long type,
		       unsigned int flags)
{
	struct pci_bus *root = pci_find_host_bridge(bus)->bus;
	struct pci_layout wide = {};
	int ret, wide_ret;

	if (bus == root)
		return layout_try(layout, root, only, type, flags);

	ret = layout_try(layout, bus, only, type, flags | PCI_LAYOUT_STAY);
	if (ret > 0 && layout->skips)
		ret = layout_try(layout, bus, only, type, flags);
	if (ret < 0 || (!ret && !pci_plan_tight(&layout->plan)))
		return ret;

	wide_ret = layout_try(&wide, root, only, type, flags);
	if (!ret && wide_ret) {
		pci_layout_free(&wide);
		return 0;
	}

	pci_layout_free(layout);
	*layout = wide;
	return wide_ret;
}

/* For all that is on and below a bus; in @tries, with as much as possible */
static int layout_for(struct pci_layout *layout, struct pci_bus *bus,
		      unsigned long type, unsigned int flags, unsigned int tries)
{
	struct pci_bus *root = pci_find_host_bridge(bus)->bus;

	if (!tries)
		return layout_find(layout, bus, NULL, type, flags);

	*layout = (struct pci_layout){
		.bus = root,
		.below = bus == root ? NULL : bus,
		.type = type,
		.flags = flags,
		.greedy = { .tries = tries },
	};
	return pci_layout_plan(layout);
}

/* Put a plan in place; @left have no address then */
static int layout_apply(struct pci_layout *layout, int left)
{
	int ret;

	if (layout->idle)
		return 0;

	ret = pci_layout_apply(layout);
	if (ret)
		return ret;

	pci_plan_record(layout);
	return left;
}

/**
 * pci_layout_assign - give addresses to what has none on and below a bus
 * @bus: the bus
 * @flags: PCI_LAYOUT_KEEP_BARS, PCI_LAYOUT_KEEP_WINDOWS: what has a place
 *	stays there; PCI_LAYOUT_RELAX: windows do not if anything that is required
 *	has none then; PCI_LAYOUT_ALL: change nothing if something would get none,
 *	unless @tries; PCI_LAYOUT_BOOT: nothing is in use
 * @tries: if not everything fits, what would get a place in so many attempts
 *	without a plan has one, see pci_plan_greedy(); 0: it is not done then
 *
 * Context: process context, pci_bus_sem and pci_assign_rwsem held.
 * Return: how many BARs have no address, optional ones too if these count, or
 * a negative errno.
 */
int pci_layout_assign(struct pci_bus *bus, unsigned int flags,
		      unsigned int tries)
{
	unsigned long lacks = pci_layout_lacks(bus, IORESOURCE_IO | IORESOURCE_MEM,
					       false);
	struct pci_layout layout_io = { .idle = !(lacks & IORESOURCE_IO) };
	struct pci_layout layout_mem = { .idle = !(lacks & IORESOURCE_MEM) };
	int io = 0, mem = 0;

	if (!layout_io.idle)
		io = layout_for(&layout_io, bus, IORESOURCE_IO, flags, tries);
	if (!layout_mem.idle && (!io || (io > 0 && tries)))
		mem = layout_for(&layout_mem, bus, IORESOURCE_MEM, flags, tries);

	if (io >= 0 && mem >= 0 && (tries || !(io + mem))) {
		io = layout_apply(&layout_io, io);
		mem = layout_apply(&layout_mem, mem);
	}
	pci_layout_free(&layout_io);
	pci_layout_free(&layout_mem);

	if (io < 0)
		return io;
	return mem < 0 ? mem : io + mem;
}

/**
 * pci_layout_assign_device - give addresses to BARs that a device has given up
 * @dev: the device; it may be in use, with nobody using these BARs
 * @type: IORESOURCE_IO or IORESOURCE_MEM
 *
 * All that are not optional get one, or nothing changes.  What other devices
 * lack is left alone.
 *
 * Context: process context, pci_bus_sem and pci_assign_rwsem held.
 * Return: 0, -ENOSPC, or another negative errno.
 */
int pci_layout_assign_device(struct pci_dev *dev, unsigned long type)
{
	struct pci_layout layout = {};
	int ret;

	if (!pci_layout_lacks(dev->bus, type, false))
		return 0;

	ret = layout_find(&layout, dev->bus, dev, type, PCI_LAYOUT_REQUIRED);
	if (!ret)
		ret = layout_apply(&layout, 0);
	pci_layout_free(&layout);

	return ret > 0 ? -ENOSPC : ret;
}
