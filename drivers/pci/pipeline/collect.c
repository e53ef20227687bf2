// SPDX-License-Identifier: GPL-2.0
/*
 * PCI enumeration pipeline: collect what a plan of addresses is about
 *
 * Reads devices and the resource tree, and changes neither.  A plan is made in
 * addresses on the bus, as registers have them: what has to be below 4 GiB is
 * below 4 GiB there, whatever the host bridge translates them to.
 */
#include <linux/array_size.h>
#include <linux/bsearch.h>
#include <linux/ioport.h>
#include <linux/limits.h>
#include <linux/log2.h>
#include <linux/overflow.h>
#include <linux/pci.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/stddef.h>
#include <linux/string.h>

#include "../pci.h"
#include "layout.h"
#include "pipeline.h"

#define LAYOUT_TOP	((1ULL << 62) - 1)	/* last address of a bus */
#define LAYOUT_ISA	0x300			/* alias bits of I/O ports */
#define LAYOUT_NOWHERE	PCI_PLAN_NO_ALT		/* no window leads there */

/* The items for the windows of the bridge to a bus, or LAYOUT_NOWHERE */
struct layout_windows {
	unsigned int	pref;
	unsigned int	other;
};

/* Memory for @max items */
static int layout_grow(struct pci_layout *layout, unsigned int max)
{
	void *more;

	more = kvrealloc(layout->plan.item,
			 array_size(max, sizeof(*layout->plan.item)),
			 GFP_KERNEL);
	if (!more)
		return -ENOMEM;
	layout->plan.item = more;

	more = kvrealloc(layout->res, array_size(max, sizeof(*layout->res)),
			 GFP_KERNEL);
	if (!more)
		return -ENOMEM;
	layout->res = more;

	layout->max = max;
	return 0;
}

/* How many items there may well be; there can be more */
static unsigned int layout_guess(const struct pci_layout *layout,
				 const struct pci_bus *bus)
{
	const struct pci_dev *dev;
	unsigned int count = 2;

	if (layout->flags & PCI_LAYOUT_STAY)
		return count;

	list_for_each_entry(dev, &bus->devices, bus_list)
		count += dev->subordinate ?
			 layout_guess(layout, dev->subordinate) : 2;

	return count;
}

/* One item more, or NULL; what is added later may move it */
static struct pci_plan_item *layout_add(struct pci_layout *layout,
					struct pci_dev *dev,
					struct resource *res)
{
	unsigned int i = layout->plan.count;
	struct pci_plan_item *item;
	struct pci_layout_res *r;

	if (i >= layout->max && !layout->error)
		layout->error = layout_grow(layout, 2 * layout->max);
	if (layout->error)
		return NULL;

	layout->plan.count++;
	r = &layout->res[i];
	*r = (struct pci_layout_res) {
		.dev = dev,
		.res = res,
	};
	if (res) {
		r->parent = res->parent;
		r->start = res->start;
		r->end = res->end;
		r->flags = res->flags;
	}

	/* What is private is pci_plan()'s, which sets it up */
	item = &layout->plan.item[i];
	memset(item, 0, offsetof(struct pci_plan_item, in));
	item->alt = PCI_PLAN_NO_ALT;
	item->align = 1;
	item->limit = LAYOUT_TOP;
	return item;
}

static void layout_place(struct pci_plan_item *item, u64 start, u64 end)
{
	item->old.has = true;
	item->old.start = start;
	item->old.end = end;
}

/* Something in the way that stays there */
static struct pci_plan_item *layout_block(struct pci_layout *layout,
					  unsigned int parent, u64 start,
					  u64 end)
{
	struct pci_plan_item *item = layout_add(layout, NULL, NULL);

	if (!item)
		return NULL;

	item->parent = parent;
	item->size = end - start + 1;
	item->limit = max_t(u64, item->limit, end);
	item->hold = PCI_HOLD_PINNED;
	item->reserved = true;
	layout_place(item, start, end);
	return item;
}

static void layout_extend(struct pci_plan_item *block, u64 end)
{
	block->size = end - block->old.start + 1;
	block->limit = max_t(u64, block->limit, end);
	block->old.end = end;
}

/* Is something where it should not be?  Then it had better stay there */
static bool layout_odd(struct pci_plan_item *item)
{
	u64 mask = item->align - 1;

	if (!(item->old.start & mask) && item->old.end <= item->limit &&
	    !(item->window && ((item->old.end + 1) & mask)))
		return false;

	item->align = 1;
	item->limit = max(item->limit, item->old.end);
	return true;
}

/* Most host bridges do not, so that no window need be looked for then */
static bool layout_translates(const struct pci_layout *layout)
{
	struct pci_host_bridge *host = pci_find_host_bridge(layout->bus);
	struct resource_entry *window;

	resource_list_for_each_entry(window, &host->windows)
		if (window->offset)
			return true;

	return false;
}

static void layout_to_bus(const struct pci_layout *layout,
			  struct pci_bus_region *region, struct resource *res)
{
	if (layout->translates) {
		pcibios_resource_to_bus(layout->bus, region, res);
	} else {
		region->start = res->start;
		region->end = res->end;
	}
}

/* Where a resource that is in the resource tree is, on the bus */
static void layout_place_resource(const struct pci_layout *layout,
				  struct pci_plan_item *item,
				  struct resource *res)
{
	struct pci_bus_region region;

	layout_to_bus(layout, &region, res);
	layout_place(item, region.start, region.end);
}

/* Can a prefetchable window be anywhere? */
static bool layout_is_64(const struct pci_dev *bridge)
{
	return bridge->pref_window && bridge->pref_64_window;
}

/* The window of the bridge to a bus that a BAR is to be in */
static unsigned int layout_window_for(const struct pci_bus *bus,
				      const struct layout_windows *windows,
				      unsigned long flags)
{
	const struct pci_dev *bridge = bus->self;

	if (!bridge || !(flags & IORESOURCE_PREFETCH))
		return windows->other;
	if (bridge->hdr_type == PCI_HEADER_TYPE_CARDBUS)
		return windows->pref;
	if (!bridge->pref_window)
		return windows->other;
	if (!(flags & IORESOURCE_MEM_64) && layout_is_64(bridge))
		return windows->other;

	return windows->pref;
}

/* Is a BAR one that ASSIGN gives an address to? */
static bool layout_assigns(struct pci_layout *layout, struct pci_dev *dev,
			   const struct resource *res)
{
	u16 class = dev->class >> 8, command;

	if (res->flags & IORESOURCE_PCI_FIXED) {
		layout->fixed = true;
		return false;
	}

	/* Don't touch classless devices or host bridges */
	if (class == PCI_CLASS_NOT_DEFINED || class == PCI_CLASS_BRIDGE_HOST)
		return false;

	/* Nor IOAPIC devices already enabled by firmware */
	if (class == PCI_CLASS_SYSTEM_PIC) {
		pci_read_config_word(dev, PCI_COMMAND, &command);
		if (command & (PCI_COMMAND_IO | PCI_COMMAND_MEMORY))
			return false;
	}

	return true;
}

/* How firmly a BAR sits where it is; @why it can't move if it is pinned */
static enum pci_plan_hold layout_hold(const struct pci_layout *layout,
				      struct pci_dev *dev,
				      const struct resource *res,
				      const char **why)
{
	if (dev->stage >= PCI_STAGE_ADD && layout->flags & PCI_LAYOUT_MOVE)
		return pci_move_hold(dev, res - dev->resource,
				     layout->untrusted, why);

	if (dev->stage >= PCI_STAGE_ADD || res->child ||
	    res->flags & IORESOURCE_PCI_FIXED ||
	    layout->flags & PCI_LAYOUT_KEEP_BARS)
		return PCI_HOLD_PINNED;

	return PCI_HOLD_CLAIMED;
}

static bool layout_is_optional(int idx)
{
	if (idx == PCI_ROM_RESOURCE)
		return true;
#ifdef CONFIG_PCI_IOV
	if (idx >= PCI_IOV_RESOURCES && idx <= PCI_IOV_RESOURCE_END)
		return true;
#endif
	return false;
}

/* I/O ports that an architecture does not want BARs at */
static u64 layout_avoid(struct pci_dev *dev)
{
	struct resource res = { .start = 0x100, .end = 0x1ff,
				.flags = IORESOURCE_IO };

	if (pcibios_align_resource(dev, &res, 1, 1) == res.start)
		return 0;

	return LAYOUT_ISA;
}

/* Is what a device in use has only in the way?  Then it is seen as foreign */
static bool layout_skips(struct pci_layout *layout, const struct pci_dev *dev)
{
	if (!(layout->flags & PCI_LAYOUT_STAY) || dev->stage < PCI_STAGE_ADD)
		return false;

	layout->skips = true;
	return true;
}

/*
 * No window leads there, and none ever will.  Of no size it is nothing to the
 * planner; it is forgotten with all else that has no place then.
 */
static void layout_add_lost(struct pci_layout *layout, struct pci_dev *dev,
			    struct resource *res)
{
	if (!res->parent && !(res->flags & IORESOURCE_PCI_FIXED))
		layout_add(layout, dev, res);
}

static void layout_add_bar(struct pci_layout *layout, struct pci_dev *dev,
			   int idx, const struct layout_windows *windows)
{
	struct resource *res = &dev->resource[idx];
	struct pci_plan_item *item;
	const char *why = NULL;
	resource_size_t align;
	unsigned int in;

	if (!resource_size(res) ||
	    (res->parent ? layout_skips(layout, dev) :
			   !layout_assigns(layout, dev, res)))
		return;

	align = pci_resource_alignment(dev, res);
	if (!res->parent && !align) {
		pci_warn(dev, "%s %pR: bogus alignment\n",
			 pci_resource_name(dev, idx), res);
		return;
	}

	in = layout_window_for(dev->bus, windows, res->flags);
	if (in == LAYOUT_NOWHERE) {
		layout_add_lost(layout, dev, res);
		return;
	}

	item = layout_add(layout, dev, res);
	if (!item)
		return;

	item->parent = in;
	item->size = resource_size(res);
	item->align = max_t(u64, align, 1);
	item->optional = layout_is_optional(idx);
	item->vf = item->optional && idx != PCI_ROM_RESOURCE;
	item->device = pci_dev_id(dev) + 1;
	item->pref = res->flags & IORESOURCE_PREFETCH &&
		     !pci_segments_closed(dev->bus, res->flags);
	if (res->flags & IORESOURCE_IO)
		item->avoid = layout_avoid(dev);
	if (!(res->flags & IORESOURCE_MEM_64))
		item->limit = U32_MAX;
	else if (pci_is_root_bus(dev->bus))
		item->prefer = SZ_4G;

	if (res->parent) {
		layout_place_resource(layout, item, res);
		item->hold = layout_hold(layout, dev, res, &why);
		if (layout_odd(item))
			item->hold = PCI_HOLD_PINNED;
		layout->res[layout->plan.count - 1].why = why;
	}
}

/* What a window of a hotplug bridge should have */
static u64 layout_reserve(const struct pci_dev *bridge, int idx)
{
	if (!bridge->is_hotplug_bridge)
		return 0;

	switch (idx) {
	case PCI_BRIDGE_IO_WINDOW:
		return pci_hotplug_io_size;
	case PCI_BRIDGE_MEM_WINDOW:
		return pci_hotplug_mmio_size +
		       (bridge->pref_window ? 0 : pci_hotplug_mmio_pref_size);
	default:
		return pci_hotplug_mmio_pref_size;
	}
}

static bool layout_has_window(const struct pci_dev *bridge, int idx)
{
	switch (idx) {
	case PCI_BRIDGE_IO_WINDOW:
		/* A device tree may know of it, and then nobody has looked */
		return bridge->io_window || bridge->resource[idx].parent;
	case PCI_BRIDGE_MEM_WINDOW:
		return true;
	default:
		return bridge->pref_window;
	}
}

/**
 * pci_layout_window_flags - the flags of a window that has a place
 * @bridge: the bridge, to PCI or CardBus
 * @idx: index of the window among its resources
 *
 * Context: any.
 * Return: IORESOURCE_*.
 */
unsigned long pci_layout_window_flags(const struct pci_dev *bridge, int idx)
{
	bool cardbus = bridge->hdr_type == PCI_HEADER_TYPE_CARDBUS;

	if (idx == PCI_BRIDGE_IO_WINDOW ||
	    (cardbus && idx == PCI_CB_BRIDGE_IO_1_WINDOW))
		return IORESOURCE_IO;
	if (idx == (cardbus ? PCI_CB_BRIDGE_MEM_1_WINDOW : PCI_BRIDGE_MEM_WINDOW))
		return IORESOURCE_MEM;

	return IORESOURCE_MEM | IORESOURCE_PREFETCH |
	       (!cardbus && bridge->pref_64_window ?
		IORESOURCE_MEM_64 | PCI_PREF_RANGE_TYPE_64 : 0);
}

/* A window of a bridge, and the window for what has no room in this one */
static struct pci_plan_item *layout_add_window(struct pci_layout *layout,
					       struct pci_dev *bridge, int idx,
					       unsigned int alt)
{
	struct resource *res = &bridge->resource[idx];
	struct pci_plan_item *item = layout_add(layout, bridge, res);

	if (!item)
		return NULL;

	item->alt = alt;
	item->window = true;
	item->pref = pci_layout_window_flags(bridge, idx) &
		     IORESOURCE_PREFETCH;
	if (res->parent)
		layout_place_resource(layout, item, res);
	return item;
}

/* Has a window of a bridge for the other kind of addresses a place? */
static bool layout_is_laid_out(const struct pci_layout *layout,
			       const struct pci_dev *bridge)
{
	if (layout->type & IORESOURCE_MEM)
		return bridge->resource[PCI_BRIDGE_IO_WINDOW].parent;

	return bridge->resource[PCI_BRIDGE_MEM_WINDOW].parent ||
	       bridge->resource[PCI_BRIDGE_PREF_MEM_WINDOW].parent;
}

/* A window that may change; its index */
static unsigned int layout_add_bridge(struct pci_layout *layout,
				      struct pci_dev *bridge, int idx,
				      unsigned int parent, unsigned int alt)
{
	unsigned int i = layout->plan.count;
	struct pci_plan_item *item;
	u64 align = idx != PCI_BRIDGE_IO_WINDOW ? SZ_1M :
		    bridge->io_window_1k ? SZ_1K : SZ_4K;

	item = layout_add_window(layout, bridge, idx, alt);
	if (!item)
		return i;

	item->parent = parent;
	item->hotplug = bridge->is_hotplug_bridge;
	item->reserve = layout_reserve(bridge, idx);
	item->align = max_t(u64, align,
			    pci_segment_alignment(bridge->subordinate,
						  pci_layout_window_flags(bridge, idx)));
	if (idx != PCI_BRIDGE_PREF_MEM_WINDOW || !layout_is_64(bridge))
		item->limit = U32_MAX;
	else if (pci_is_root_bus(bridge->bus))
		item->prefer = SZ_4G;

	item->fixed = bridge->resource[idx].flags & IORESOURCE_PCI_FIXED ||
		      (item->old.has && layout_odd(item));
	item->kept = !item->fixed && item->old.has &&
		     layout->flags & PCI_LAYOUT_KEEP_WINDOWS;
	item->fixed = item->fixed || item->kept;
	item->laid_out = layout_is_laid_out(layout, bridge);
	if (!item->old.has && resource_size(&bridge->resource[idx]) > 1)
		item->least = resource_size(&bridge->resource[idx]);
	return i;
}

/* A window of a CardBus bridge, of a size of its own; it stays once it is there */
static unsigned int layout_add_cardbus(struct pci_layout *layout,
				       struct pci_dev *bridge, int idx,
				       unsigned int parent, unsigned int alt,
				       unsigned long size)
{
	unsigned int i = layout->plan.count;
	struct pci_plan_item *item = layout_add_window(layout, bridge, idx, alt);

	if (!item)
		return i;

	item->parent = parent;
	item->limit = U32_MAX;
	if (item->old.has) {
		item->fixed = true;
		item->limit = max(item->limit, item->old.end);
	} else {
		item->size = size;
		item->reserve = size;
		if (layout->type & IORESOURCE_IO)
			item->avoid = layout_avoid(bridge);
		item->align = roundup_pow_of_two(size ?: 1);
	}
	return i;
}

/* The window that was added last, unless there was no memory */
static void layout_is_second(struct pci_layout *layout, unsigned int i)
{
	if (i < layout->plan.count)
		layout->plan.item[i].second = true;
}

static void layout_collect_bus(struct pci_layout *layout, struct pci_bus *bus,
			       const struct layout_windows *windows);

/* What is behind a bridge that no window leads to */
static void layout_collect_lost(struct pci_layout *layout,
				struct pci_dev *bridge)
{
	struct layout_windows windows = { LAYOUT_NOWHERE, LAYOUT_NOWHERE };
	struct resource *res;
	int i;

	for (i = PCI_BRIDGE_RESOURCES; i <= PCI_BRIDGE_RESOURCE_END; i++) {
		res = &bridge->resource[i];
		if (res->flags & layout->type)
			layout_add_lost(layout, bridge, res);
	}
	layout_collect_bus(layout, bridge->subordinate, &windows);
}

static void layout_collect_bridge(struct pci_layout *layout,
				  struct pci_dev *bridge,
				  const struct layout_windows *above)
{
	/* What a transparent bridge has no window for it passes on as well */
	unsigned int alt = bridge->transparent ? above->other : PCI_PLAN_NO_ALT;
	unsigned long flags = IORESOURCE_PREFETCH |
			      (layout_is_64(bridge) ? IORESOURCE_MEM_64 : 0);
	struct layout_windows windows = {};
	unsigned int in;

	if (layout->type & IORESOURCE_IO) {
		windows.other = alt;
		if (layout_has_window(bridge, PCI_BRIDGE_IO_WINDOW))
			windows.other = layout_add_bridge(layout, bridge,
							  PCI_BRIDGE_IO_WINDOW,
							  above->other, alt);
		windows.pref = windows.other;
	} else {
		windows.other = layout_add_bridge(layout, bridge,
						  PCI_BRIDGE_MEM_WINDOW,
						  above->other, alt);
		windows.pref = windows.other;
		if (layout_has_window(bridge, PCI_BRIDGE_PREF_MEM_WINDOW)) {
			in = layout_window_for(bridge->bus, above, flags);
			windows.pref = layout_add_bridge(layout, bridge,
							 PCI_BRIDGE_PREF_MEM_WINDOW,
							 in, windows.other);
			layout_is_second(layout, windows.pref);
		}
	}
	layout_collect_bus(layout, bridge->subordinate, &windows);
}

static void layout_collect_cardbus(struct pci_layout *layout,
				   struct pci_dev *bridge,
				   const struct layout_windows *above)
{
	unsigned long size = layout->type & IORESOURCE_IO ?
			     pci_cardbus_io_size : pci_cardbus_mem_size;
	struct layout_windows windows;
	unsigned int alt;
	bool pref;

	if (layout->type & IORESOURCE_IO) {
		alt = layout_add_cardbus(layout, bridge,
					 PCI_CB_BRIDGE_IO_1_WINDOW,
					 above->other, PCI_PLAN_NO_ALT, size);
		windows.other = layout_add_cardbus(layout, bridge,
						   PCI_CB_BRIDGE_IO_0_WINDOW,
						   above->other, alt, size);
		windows.pref = windows.other;
		layout_is_second(layout, windows.other);
	} else {
		/* One window of twice the size, unless one can be prefetchable */
		pref = pci_cardbus_prefetch(bridge) ||
		       bridge->resource[PCI_CB_BRIDGE_MEM_0_WINDOW].parent;
		windows.other = layout_add_cardbus(layout, bridge,
						   PCI_CB_BRIDGE_MEM_1_WINDOW,
						   above->other, PCI_PLAN_NO_ALT,
						   pref ? size : 2 * size);
		windows.pref = windows.other;
		if (pref) {
			windows.pref =
				layout_add_cardbus(layout, bridge,
						   PCI_CB_BRIDGE_MEM_0_WINDOW,
						   layout_window_for(bridge->bus, above,
								     IORESOURCE_PREFETCH),
						   windows.other, size);
			layout_is_second(layout, windows.pref);
		}
	}
	layout_collect_bus(layout, bridge->subordinate, &windows);
}

/* Items from @first on are those of a bridge and what is below; its windows */
static void layout_note_below(struct pci_layout *layout, unsigned int first,
			      unsigned int bridge)
{
	if (bridge == layout->plan.count || !layout->plan.item[bridge].window ||
	    layout->res[bridge].dev != layout->below->self)
		return;

	layout->greedy.first = first;
	layout->greedy.last = layout->plan.count - 1;
	layout->greedy.bridge = bridge;
}

static void layout_collect_bus(struct pci_layout *layout, struct pci_bus *bus,
			       const struct layout_windows *windows)
{
	unsigned int first, bridge;
	struct pci_dev *dev;
	int i;

	list_for_each_entry(dev, &bus->devices, bus_list) {
		if (dev->is_virtfn)
			continue;

		first = layout->plan.count;
		for (i = 0; i < PCI_BRIDGE_RESOURCES; i++)
			if (dev->resource[i].flags & layout->type)
				layout_add_bar(layout, dev, i, windows);
		bridge = layout->plan.count;
		if (!dev->subordinate ||
		    (layout_skips(layout, dev) &&
		     !pci_layout_lacks(dev->subordinate, layout->type, false)))
			continue;
		if (windows->other == LAYOUT_NOWHERE)
			layout_collect_lost(layout, dev);
		else if (dev->hdr_type == PCI_HEADER_TYPE_BRIDGE)
			layout_collect_bridge(layout, dev, windows);
		else
			layout_collect_cardbus(layout, dev, windows);
		if (layout->below && layout->below == dev->subordinate)
			layout_note_below(layout, first, bridge);
	}
}

/* The window of a root bus that begins next from @from on */
static struct resource *layout_next_window(struct pci_layout *layout, u64 from,
					   struct pci_bus_region *next)
{
	struct resource *res, *found = NULL;
	struct pci_bus_region region;

	pci_bus_for_each_resource(layout->bus, res) {
		if (!res || resource_type(res) != layout->type ||
		    !resource_size(res))
			continue;

		layout_to_bus(layout, &region, res);
		if (region.start < from || region.start > LAYOUT_TOP)
			continue;
		if (!found || region.start < next->start) {
			found = res;
			*next = region;
		}
	}
	if (found)
		next->end = min_t(u64, next->end, LAYOUT_TOP);

	return found;
}

/* What of the start of a window the architecture does not want to be used */
static void layout_block_low(struct pci_layout *layout, struct resource *res,
			     const struct pci_bus_region *region)
{
	struct resource avail = *res;
	struct pci_dev *dev;
	u64 size;

	if (!avail.start)
		avail.start = layout->type & IORESOURCE_IO ? PCIBIOS_MIN_IO :
							     PCIBIOS_MIN_MEM;
	dev = list_first_entry_or_null(&layout->bus->devices, struct pci_dev,
				       bus_list);
	if (dev)
		avail.start = pcibios_align_resource(dev, &avail, 1, 1);

	size = min_t(u64, avail.start - res->start, resource_size(res));
	if (size)
		layout_block(layout, 0, region->start, region->start + size - 1);
}

/* The windows of a root bus are one range with holes */
static void layout_collect_root(struct pci_layout *layout)
{
	struct pci_plan_item *root = layout_add(layout, NULL, NULL), *item;
	struct pci_bus_region region;
	struct resource *res;
	bool first = true;
	u64 next = 0;

	if (!root)
		return;
	root->window = true;
	root->fixed = true;

	while ((res = layout_next_window(layout, next, &region))) {
		/* Of no size if they touch: nothing is to be in both */
		if (!first)
			layout_block(layout, 0, next, region.start - 1);
		layout_block_low(layout, res, &region);
		if (res->flags & IORESOURCE_PREFETCH) {
			item = layout_block(layout, 0, region.start, region.end);
			if (item)
				item->barrier = true;
		}

		if (layout->error)
			return;
		root = &layout->plan.item[0];
		layout_place(root, first ? region.start : root->old.start,
			     region.end);
		first = false;
		next = (u64)region.end + 1;
	}
}

/* A window of the bridge to the bus, which stays as it is; its index */
static unsigned int layout_add_fixed(struct pci_layout *layout, int idx,
				     unsigned int alt)
{
	unsigned int i = layout->plan.count;
	struct pci_plan_item *item;

	item = layout_add_window(layout, layout->bus->self, idx, alt);
	if (!item)
		return i;

	item->fixed = true;
	item->limit = max_t(u64, item->limit, item->old.end);
	return i;
}

static void layout_collect_windows(struct pci_layout *layout,
				   struct layout_windows *windows)
{
	bool cardbus = layout->bus->self->hdr_type == PCI_HEADER_TYPE_CARDBUS;
	struct pci_plan_item *root = layout_add(layout, NULL, NULL);
	unsigned int alt = PCI_PLAN_NO_ALT;

	if (!root)
		return;
	layout_place(root, 0, LAYOUT_TOP);
	root->window = true;
	root->fixed = true;

	if (layout->type & IORESOURCE_IO) {
		if (cardbus)
			alt = layout_add_fixed(layout, PCI_CB_BRIDGE_IO_1_WINDOW,
					       alt);
		windows->other = LAYOUT_NOWHERE;
		if (cardbus || layout->bus->self->transparent ||
		    layout_has_window(layout->bus->self, PCI_BRIDGE_IO_WINDOW))
			windows->other = layout_add_fixed(layout,
							  PCI_BRIDGE_IO_WINDOW,
							  alt);
		windows->pref = windows->other;
	} else {
		windows->other = layout_add_fixed(layout, cardbus ?
						  PCI_CB_BRIDGE_MEM_1_WINDOW :
						  PCI_BRIDGE_MEM_WINDOW, alt);
		windows->pref = layout_add_fixed(layout, cardbus ?
						 PCI_CB_BRIDGE_MEM_0_WINDOW :
						 PCI_BRIDGE_PREF_MEM_WINDOW,
						 windows->other);
	}
}

static int layout_by_resource(const void *a, const void *b)
{
	const struct pci_layout_known *p = a, *q = b;

	return p->res < q->res ? -1 : p->res > q->res;
}

/* Sort the resources of all items, the first time that one is looked for */
static int layout_learn(struct pci_layout *layout)
{
	unsigned int i;

	if (layout->known)
		return 0;

	layout->known = kvmalloc_array(layout->plan.count,
				       sizeof(*layout->known), GFP_KERNEL);
	if (!layout->known)
		return -ENOMEM;

	layout->known_count = 0;
	for (i = 0; i < layout->plan.count; i++)
		if (layout->res[i].res)
			layout->known[layout->known_count++] =
				(struct pci_layout_known) {
					.res = layout->res[i].res,
					.item = i,
				};
	sort(layout->known, layout->known_count, sizeof(*layout->known),
	     layout_by_resource, NULL);
	return 0;
}

/* The item of a resource, or 0 */
static unsigned int layout_item(struct pci_layout *layout,
				const struct resource *res)
{
	struct pci_layout_known key = { .res = res }, *known;

	if (!layout->error)
		layout->error = layout_learn(layout);
	if (layout->error)
		return 0;

	known = bsearch(&key, layout->known, layout->known_count,
			sizeof(*layout->known), layout_by_resource);
	/* Not any more if it is in no window */
	return known && layout->res[known->item].res ? known->item : 0;
}

static bool layout_is_host_window(const struct pci_layout *layout,
				  const struct resource *window)
{
	struct resource *res;

	pci_bus_for_each_resource(layout->bus, res)
		if (res && res == window)
			return true;

	return false;
}

static bool layout_contains(const struct pci_plan_item *window,
			    const struct pci_plan_item *item)
{
	return window->old.has && window->old.start <= item->old.start &&
	       window->old.end >= item->old.end;
}

/*
 * The window that an item is in.  It may be one that would do as well, or be
 * further up, behind a transparent bridge; the resource tree knows.
 */
static void layout_find_window(struct pci_layout *layout, unsigned int i)
{
	struct pci_plan_item *item = &layout->plan.item[i];
	struct pci_layout_res *r = &layout->res[i];
	bool root = pci_is_root_bus(layout->bus);
	bool top = root || r->dev == layout->bus->self;
	unsigned int in = item->parent;
	bool child = true;

	if (in ? layout->res[in].res != r->parent :
		 root && !layout_is_host_window(layout, r->parent)) {
		in = layout_item(layout, r->parent);
		child = in;
	}

	if ((in || top) && in < i && layout->plan.item[in].window &&
	    layout_contains(&layout->plan.item[in], item)) {
		item->parent = in;
		if (child)
			layout->res[in].children++;
		return;
	}

	/* In none: not for the planner to move */
	item->old.has = false;
	item->size = 0;
	r->res = NULL;
}

static void layout_find_windows(struct pci_layout *layout)
{
	const struct pci_plan_item *item = layout->plan.item;
	unsigned int i, count = layout->plan.count;

	for (i = 1; i < count; i++)
		if (item[i].old.has && layout->res[i].res)
			layout_find_window(layout, i);
}

/**
 * pci_layout_inside - what is right inside a window, as it is now
 * @layout: the layout; &pci_layout.inside is overwritten
 * @window: the window
 *
 * What belongs to no device here may come and go at any time.
 *
 * Context: process context.
 * Return: how many there are in &pci_layout.inside; none if there is no memory,
 * and &pci_layout.error says so.
 */
unsigned int pci_layout_inside(struct pci_layout *layout,
			       const struct resource *window)
{
	unsigned int count;

	for (;;) {
		count = resource_children(window, layout->inside,
					  layout->inside_max);
		if (count <= layout->inside_max)
			return count;

		kvfree(layout->inside);
		layout->inside_max = count + count / 2 + 8;
		layout->inside = kvmalloc_array(layout->inside_max,
						sizeof(*layout->inside),
						GFP_KERNEL);
		if (!layout->inside) {
			layout->inside_max = 0;
			layout->error = -ENOMEM;
			return 0;
		}
	}
}

/**
 * pci_layout_gap - a range with nothing inside
 * @layout: the layout, after pci_layout_inside()
 * @window: the window
 * @count: how many are inside
 * @i: which gap: the one before the one with this index, or at the end
 * @gap: its start and end are set
 *
 * Context: any.
 * Return: true if there is any.
 */
bool pci_layout_gap(const struct pci_layout *layout,
		    const struct resource *window, unsigned int count,
		    unsigned int i, struct resource *gap)
{
	const struct resource_child *child = layout->inside;

	gap->start = window->start;
	gap->end = window->end;
	if (i && child[i - 1].end >= gap->end)
		return false;
	if (i < count && child[i].start <= gap->start)
		return false;
	if (i)
		gap->start = max(gap->start, child[i - 1].end + 1);
	if (i < count)
		gap->end = min(gap->end, child[i].start - 1);

	return gap->start <= gap->end;
}

/*
 * What is in a window and belongs to no device here stays where it is: a block
 * for each stretch of that.
 */
static void layout_add_foreign(struct pci_layout *layout, unsigned int window,
			       struct resource *in)
{
	unsigned int ours = layout->res[window].children;
	struct pci_plan_item *block = NULL;
	struct pci_bus_region region = { .start = layout->plan.item[window].old.start };
	struct resource_child few[8] __uninitialized;
	const struct resource_child *child = few;
	unsigned int i, count;
	u64 offset;

	/* If nothing is ours there is most often not much, and no need for memory */
	count = resource_children(in, few, ours ? 0 : ARRAY_SIZE(few));
	if (window && count == ours)
		return;
	if (ours || count > ARRAY_SIZE(few)) {
		count = pci_layout_inside(layout, in);
		child = layout->inside;
	}

	if (!window)
		layout_to_bus(layout, &region, in);
	offset = in->start - region.start;

	for (i = 0; i < count; i++, child++) {
		/* One that has lost its window is in the way of nothing there */
		if (child->start < in->start || child->end > in->end ||
		    (ours && layout_item(layout, child->res)))
			continue;

		region.start = child->start - offset;
		region.end = child->end - offset;
		if (block && block->old.end + 1 == region.start) {
			layout_extend(block, region.end);
			continue;
		}
		block = layout_block(layout, window, region.start, region.end);
	}
}

static void layout_collect_foreign_root(struct pci_layout *layout)
{
	unsigned int children = 0;
	struct resource *res;

	pci_bus_for_each_resource(layout->bus, res)
		if (res && resource_type(res) == layout->type)
			children += resource_children(res, NULL, 0);
	if (children == layout->res[0].children)
		return;

	pci_bus_for_each_resource(layout->bus, res)
		if (res && resource_type(res) == layout->type)
			layout_add_foreign(layout, 0, res);
}

/* What is not free does not matter: it stays, or moves to where it may be */
static void layout_block_reserved(struct pci_layout *layout, unsigned int i,
				  struct resource *gap)
{
	resource_size_t last = gap->end;
	struct pci_bus_region region;
	struct resource avail;

	for (;;) {
		avail = *gap;
		arch_remove_reservations(&avail);
		if (avail.start > avail.end || avail.start < gap->start) {
			layout_to_bus(layout, &region, gap);
			layout_block(layout, i, region.start, region.end);
		} else if (avail.start > gap->start) {
			/* There may be more that is free before that */
			gap->end = avail.start - 1;
			continue;
		} else {
			gap->end = avail.end;
		}
		if (gap->end == last)
			return;
		gap->start = gap->end + 1;
		gap->end = last;
	}
}

/* What is free in a window, and the architecture wants to be left alone */
static bool layout_add_reserved(struct pci_layout *layout, unsigned int i,
				const struct resource *window)
{
	struct resource gap = {
		.start = window->start,
		.end = window->end,
		.flags = layout->type,
	};
	unsigned int k, count;

	arch_remove_reservations(&gap);
	if (gap.start == window->start && gap.end == window->end)
		return false;

	count = pci_layout_inside(layout, window);
	for (k = 0; k <= count; k++)
		if (pci_layout_gap(layout, window, count, k, &gap))
			layout_block_reserved(layout, i, &gap);

	return true;
}

/* Most often there is nothing of that in the windows of a host bridge */
static bool layout_collect_reserved_root(struct pci_layout *layout)
{
	struct resource *res;
	bool any = false;

	pci_bus_for_each_resource(layout->bus, res)
		if (res && resource_type(res) == layout->type)
			any |= layout_add_reserved(layout, 0, res);

	return any;
}

static void layout_collect_foreign(struct pci_layout *layout)
{
	unsigned int i, count = layout->plan.count;
	bool reserved = true;
	struct resource *res;

	if (pci_is_root_bus(layout->bus)) {
		layout_collect_foreign_root(layout);
		reserved = layout_collect_reserved_root(layout);
	}

	for (i = 1; i < count; i++) {
		res = layout->res[i].res;
		if (!layout->plan.item[i].window || !res || !res->parent)
			continue;
		layout_add_foreign(layout, i, res);
		if (reserved)
			layout_add_reserved(layout, i, res);
	}
}

static bool layout_is_empty(const struct pci_layout *layout, unsigned int count,
			    const struct resource *range)
{
	unsigned int i;

	for (i = 0; i < count; i++)
		if (layout->inside[i].start <= range->end &&
		    layout->inside[i].end >= range->start)
			return false;

	return true;
}

/*
 * Segments in a window to a bus that nothing there or further below may use.
 * One that has something in it is known to be in use.
 */
static void layout_block_segments(struct pci_layout *layout, unsigned int i,
				  const struct pci_segments *s,
				  const struct resource *window,
				  struct pci_bus *bus)
{
	unsigned int n, count = pci_layout_inside(layout, window);
	struct resource range = { .flags = window->flags };
	struct pci_bus_region region;

	for (n = 0; n < s->count; n++) {
		range.start = s->base + n * s->size;
		range.end = range.start + s->size - 1;
		if (!resource_overlaps(window, &range) ||
		    !layout_is_empty(layout, count, &range) ||
		    !pci_segment_closed(s, n, bus))
			continue;

		range.start = max(range.start, window->start);
		range.end = min(range.end, window->end);
		layout_to_bus(layout, &region, &range);
		layout_block(layout, i, region.start, region.end);
	}
}

static void layout_collect_segments(struct pci_layout *layout)
{
	struct pci_host_bridge *host = pci_find_host_bridge(layout->bus);
	unsigned int i, count = layout->plan.count;
	const struct pci_segments *s;
	struct pci_layout_res *r;

	for (s = host->segments; s < host->segments + host->segments_count; s++) {
		if (resource_type(s->window) != layout->type)
			continue;

		if (pci_is_root_bus(layout->bus))
			layout_block_segments(layout, 0, s, s->window,
					      layout->bus);
		for (i = 1; i < count; i++) {
			r = &layout->res[i];
			if (layout->plan.item[i].window && r->res &&
			    r->res->parent && r->dev->subordinate)
				layout_block_segments(layout, i, s, r->res,
						      r->dev->subordinate);
		}
	}
}

/**
 * pci_layout_collect - describe the addresses below a bus
 * @layout: @bus, @type and @flags are set, the rest is zeroed;
 *	pci_layout_free() it, also after a failure
 *
 * Takes all memory that planning and pci_layout_apply() need.
 *
 * Context: process context, pci_bus_sem and pci_assign_rwsem held.
 * Return: 0 or -ENOMEM.
 */
int pci_layout_collect(struct pci_layout *layout)
{
	struct layout_windows windows = {};

	layout->translates = layout_translates(layout);
	layout->error = layout_grow(layout, layout_guess(layout, layout->bus) + 8);
	if (layout->error)
		return layout->error;

	if (pci_is_root_bus(layout->bus))
		layout_collect_root(layout);
	else
		layout_collect_windows(layout, &windows);
	layout_collect_bus(layout, layout->bus, &windows);
	if (layout->error)
		return layout->error;
	if (!layout->below && layout->plan.count > 1) {
		layout->greedy.first = 1;
		layout->greedy.last = layout->plan.count - 1;
	}

	layout_find_windows(layout);
	layout_collect_foreign(layout);
	layout_collect_segments(layout);

	return layout->error;
}

/**
 * pci_layout_collect_host - describe the windows of a host bridge one by one
 * @layout: the layout of a root bus, after pci_layout_collect()
 *
 * Context: process context.
 * Return: 0 or -ENOMEM.
 */
int pci_layout_collect_host(struct pci_layout *layout)
{
	struct pci_bus_region region;
	struct pci_plan_host *host;
	unsigned int count = 0;
	struct resource *res;

	pci_bus_for_each_resource(layout->bus, res)
		count++;
	host = kcalloc(count, sizeof(*host), GFP_KERNEL);
	if (!host)
		return -ENOMEM;

	count = 0;
	pci_bus_for_each_resource(layout->bus, res) {
		if (!res || resource_type(res) != layout->type ||
		    !resource_size(res))
			continue;
		pcibios_resource_to_bus(layout->bus, &region, res);
		host[count++] = (struct pci_plan_host) {
			.start = region.start,
			.end = region.end,
			.pref = res->flags & IORESOURCE_PREFETCH,
			.wide = res->flags & IORESOURCE_MEM_64,
		};
	}
	layout->plan.host = host;
	layout->plan.hosts = count;
	return 0;
}

/**
 * pci_layout_free - give back what pci_layout_collect() has taken
 * @layout: the layout
 *
 * Context: process context.
 */
void pci_layout_free(struct pci_layout *layout)
{
	if (!layout->plan.item)
		return;

	kvfree(layout->plan.item);
	kvfree(layout->res);
	kvfree(layout->known);
	kvfree(layout->inside);
	kfree(layout->plan.host);
	layout->plan.host = NULL;
	layout->plan.item = NULL;
	layout->res = NULL;
	layout->known = NULL;
	layout->inside = NULL;
	layout->inside_max = 0;
	layout->max = 0;
}
