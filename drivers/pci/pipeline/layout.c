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
		.only = layout->only,
		.type = layout->type,
		.flags = layout->flags,
		.untrusted = layout->untrusted,
	};
	return pci_layout_collect(layout);
}

/**
 * pci_layout_plan - describe what is on and below a bus, and plan
 * @layout: @bus, @only, @type and @flags are set, and @untrusted if something
 *	that is in use may move; the rest is zeroed; pci_layout_free() it, also
 *	after a failure
 *
 * Context: process context, pci_bus_sem and pci_assign_rwsem held.
 * Return: how many BARs get no address, or a negative errno.
 */
int pci_layout_plan(struct pci_layout *layout)
{
	unsigned int required;
	const char *wrong;
	int ret;

	ret = layout_collect(layout);
	if (ret)
		return ret;
	if (layout->only)
		layout_ignore_others(layout);

	/* What does not fit beside what stays is planned again anyway */
	layout->plan.all = layout->flags & PCI_LAYOUT_ALL &&
			   !(layout->flags & PCI_LAYOUT_STAY);
	required = pci_plan(&layout->plan);
	/* Nothing comes of that */
	if (layout->plan.all && layout->plan.missing)
		return layout->plan.missing;
	wrong = pci_plan_check(&layout->plan);
	if (wrong) {
		dev_WARN(&layout->bus->dev, "plan of addresses: %s\n", wrong);
		return -EINVAL;
	}

	/* What is optional may be why more has to move */
	if (layout->flags & PCI_LAYOUT_REQUIRED && !layout->skips)
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
 * bridge if there is no room on the bus.
 */
static int layout_find(struct pci_layout *layout, struct pci_bus *bus,
		       struct pci_dev *only, unsigned long type,
		       unsigned int flags)
{
	struct pci_bus *root = pci_find_host_bridge(bus)->bus;
	int ret;

	if (bus != root) {
		ret = layout_try(layout, bus, only, type,
				 flags | PCI_LAYOUT_STAY);
		if (ret > 0 && layout->skips)
			ret = layout_try(layout, bus, only, type, flags);
		if (ret <= 0)
			return ret;
	}

	return layout_try(layout, root, only, type, flags);
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
 *	stays there; PCI_LAYOUT_ALL: change nothing if something would get none;
 *	PCI_LAYOUT_REQUIRED: what is optional need not have any
 *
 * Context: process context, pci_bus_sem and pci_assign_rwsem held.
 * Return: how many BARs have no address, optional ones too if these count, or
 * a negative errno.
 */
int pci_layout_assign(struct pci_bus *bus, unsigned int flags)
{
	unsigned long lacks = pci_layout_lacks(bus, IORESOURCE_IO | IORESOURCE_MEM,
					       false);
	struct pci_layout layout_io = { .idle = !(lacks & IORESOURCE_IO) };
	struct pci_layout layout_mem = { .idle = !(lacks & IORESOURCE_MEM) };
	int io = 0, mem = 0;

	if (!layout_io.idle)
		io = layout_find(&layout_io, bus, NULL, IORESOURCE_IO, flags);
	if (!layout_mem.idle && (!io || (io > 0 && !(flags & PCI_LAYOUT_ALL))))
		mem = layout_find(&layout_mem, bus, NULL, IORESOURCE_MEM, flags);

	if (io >= 0 && mem >= 0 && (!(flags & PCI_LAYOUT_ALL) || !(io + mem))) {
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
