// SPDX-License-Identifier: GPL-2.0
/*
 * PCI enumeration pipeline: put a plan of addresses in place
 *
 * First the resource tree, which may refuse: then all of it is put back.  Then
 * registers: no window ever leaves out an address that is in use behind it, not
 * even between two writes, and no two ranges that are decoded overlap.  To this
 * end windows shrink or close from the bottom up first, and grow or open from
 * the top down then.
 *
 * If something in use moves, see move.c: all of this is done while nobody runs
 * then, and its device decodes nothing in the meantime.
 */
#include <linux/ioport.h>
#include <linux/pci.h>

#include "../pci.h"
#include "layout.h"
#include "pipeline.h"

static bool layout_same(const struct pci_plan_place *a,
			const struct pci_plan_place *b)
{
	return a->has == b->has &&
	       (!a->has || (a->start == b->start && a->end == b->end));
}

/* At the same addresses, and in the same window */
static bool layout_unchanged(const struct pci_plan_item *item)
{
	return layout_same(&item->old, &item->new) &&
	       (!item->old.has || item->to == item->parent);
}

/* What a host bridge adds to an address on the bus */
static u64 layout_bus_offset(const struct pci_layout *layout, unsigned int i)
{
	struct pci_bus_region region = {
		.start = layout->plan.item[i].new.start,
		.end = layout->plan.item[i].new.end,
	};
	struct resource res = { .flags = layout->type };

	pcibios_bus_to_resource(layout->res[i].dev->bus, &res, &region);
	return res.start - region.start;
}

/* The same; below it, all has that of the window that it is in */
static u64 layout_offset(const struct pci_layout *layout, unsigned int i)
{
	const struct pci_plan_item *item = &layout->plan.item[i];

	if (!item->new.has || !layout->translates)
		return 0;
	if (item->to && layout->res[item->to].changes)
		return layout->res[item->to].offset;

	return layout_bus_offset(layout, i);
}

/* Windows of bridges that are new are programmed by whoever sets these up */
static bool layout_programs(const struct pci_layout *layout, unsigned int i)
{
	return layout->res[i].changes && layout->plan.item[i].window &&
	       layout->res[i].dev->stage >= PCI_STAGE_ADD;
}

/**
 * pci_layout_lives - does a plan move a BAR of a device in use
 * @layout: the layout, planned
 * @i: index of the item
 *
 * Context: any.
 * Return: true if it does.
 */
bool pci_layout_lives(const struct pci_layout *layout, unsigned int i)
{
	const struct pci_plan_item *item = &layout->plan.item[i];

	return layout->res[i].res && !item->window && item->old.has &&
	       item->new.has && !layout_unchanged(item) &&
	       layout->res[i].dev->stage >= PCI_STAGE_ADD;
}

/* Does a bridge lead to something that stays?  Its windows follow its BARs */
static bool layout_leads(const struct pci_layout *layout, unsigned int i)
{
	const struct pci_dev *dev = layout->res[i].dev;

	while (++i < layout->plan.count && layout->res[i].dev == dev)
		if (layout->plan.item[i].window && layout->res[i].stays)
			return true;

	return false;
}

/*
 * Which items stay where they are, or have something inside that does, and which
 * change.  These are a list, from the top down, and back: how long all CPUs are
 * stopped must not depend on what does not change.
 */
static void layout_mark(struct pci_layout *layout)
{
	struct pci_plan_item *item = layout->plan.item;
	struct pci_layout_res *r;
	unsigned int i, last = 0;
	bool same;

	layout->programs = false;
	layout->moves = false;

	for (i = 0; i < layout->plan.count; i++) {
		r = &layout->res[i];
		same = layout_unchanged(&item[i]);
		r->stays = item[i].old.has && same;
		r->changes = r->res && !same;
		r->lives = false;
		r->open = false;
		if (!r->changes)
			continue;
		r->prev = last;
		layout->res[last].next = i;
		last = i;
		r->offset = layout_offset(layout, i);
		r->lives = item[i].old.has && pci_layout_lives(layout, i);
		layout->moves |= r->lives;
		layout->programs |= layout_programs(layout, i);
	}
	layout->res[last].next = 0;
	layout->res[0].prev = last;
	for (i = layout->plan.count; --i; )
		if (layout->res[i].stays)
			layout->res[item[i].to].stays = true;
	for (i = layout->res[0].next; layout->moves && i; i = r->next) {
		r = &layout->res[i];
		r->open = r->lives && layout_leads(layout, i);
	}
}

static bool layout_is_inside(const struct pci_layout *layout, unsigned int i,
			     unsigned int window)
{
	while (i && i != window)
		i = layout->plan.item[i].to;

	return i == window;
}

/**
 * pci_layout_cuts_off - would a move of a BAR cut off what is behind its bridge
 * @layout: the layout, marked by pci_layout_apply()
 * @i: index of an item that lives
 *
 * A bridge that decodes no memory forwards none either.  One that leads to what
 * stays goes on decoding: its BAR moves by one write, before all else does, so
 * its new place must be free, and in the same window.
 *
 * Context: any.
 * Return: true if it would.
 */
bool pci_layout_cuts_off(const struct pci_layout *layout, unsigned int i)
{
	const struct pci_plan_item *item = &layout->plan.item[i], *other;
	unsigned int k;

	if (!layout->res[i].open)
		return false;
	if (upper_32_bits(item->old.start ^ item->new.start) ||
	    item->to != item->parent || layout->res[item->to].changes)
		return true;

	for (k = layout->res[0].next; k; k = layout->res[k].next) {
		other = &layout->plan.item[k];
		/* What moves decodes nothing by then */
		if (k == i || !other->old.has ||
		    (layout->res[k].lives && !layout->res[k].open) ||
		    layout_is_inside(layout, i, k))
			continue;
		if (other->old.start <= item->new.end &&
		    item->new.start <= other->old.end)
			return true;
	}

	return false;
}

/* The resource that one goes into */
static struct resource *layout_parent(struct pci_layout *layout, unsigned int i,
				      const struct resource *to)
{
	unsigned int in = layout->plan.item[i].to;
	struct resource *res;

	if (in)
		return layout->res[in].res;

	pci_bus_for_each_resource(layout->bus, res)
		if (res && resource_type(res) == layout->type &&
		    resource_contains(res, to))
			return res;

	return NULL;
}

/* What a resource is to be: its start, end and flags */
static void layout_target(struct pci_layout *layout, unsigned int i,
			  struct resource *to)
{
	const struct pci_layout_res *r = &layout->res[i];
	const struct pci_plan_place *new = &layout->plan.item[i].new;

	to->start = 0;
	to->end = 0;
	to->flags = 0;
	if (!new->has)
		return;

	to->flags = r->res->flags & ~(IORESOURCE_UNSET | IORESOURCE_STARTALIGN);
	if (layout->plan.item[i].window)
		to->flags |= pci_layout_window_flags(r->dev,
						     r->res - r->dev->resource);
	to->start = new->start + r->offset;
	to->end = new->end + r->offset;
}

/* Change one end of a window, or both, with something inside */
static int layout_adjust(struct resource *res, resource_size_t start,
			 resource_size_t end)
{
	return adjust_resource(res, start, end - start + 1);
}

/* Has somebody put something into a window meanwhile? */
static bool layout_has_inside(const struct resource *window)
{
	const struct resource *res;

	for (res = window->child; res; res = res->sibling)
		if (resource_contains(window, res))
			return true;

	return false;
}

/* Everything that changes out of the tree, but what stays inside windows */
static int layout_take_out(struct pci_layout *layout)
{
	struct resource to, *res;
	unsigned int i;
	int ret;

	for (i = layout->res[0].prev; i; i = layout->res[i].prev) {
		res = layout->res[i].res;
		if (!res->parent)
			continue;

		if (layout->res[i].stays) {
			layout_target(layout, i, &to);
			ret = layout_adjust(res, max(res->start, to.start),
					    min(res->end, to.end));
		} else if (layout->plan.item[i].window && layout_has_inside(res)) {
			ret = -EBUSY;
		} else {
			ret = release_resource(res);
		}
		if (ret)
			return ret;
	}

	return 0;
}

/* What is in a BAR moves with it: what a driver has requested */
static void layout_set(const struct pci_layout_res *r,
		       const struct resource *to)
{
	if (r->lives)
		shift_resource(r->res, to->start);
	r->res->start = to->start;
	r->res->end = to->end;
	r->res->flags = to->flags;
}

/*
 * Windows from the top down first, so that there is room for what is inside.  The
 * resource tree is searched from low addresses on: what comes last in a window
 * is put in first.
 */
static int layout_put_in(struct pci_layout *layout)
{
	struct resource to, *res, *parent;
	unsigned int i;
	int ret;

	for (i = layout->res[0].next; i; i = layout->res[i].next) {
		res = layout->res[i].res;
		layout_target(layout, i, &to);
		if (!layout->res[i].stays) {
			layout_set(&layout->res[i], &to);
			continue;
		}
		ret = layout_adjust(res, to.start, to.end);
		if (ret)
			return ret;
	}

	for (i = layout->res[0].prev; i; i = layout->res[i].prev) {
		if (layout->res[i].stays || !layout->plan.item[i].new.has)
			continue;
		res = layout->res[i].res;
		parent = layout_parent(layout, i, res);
		ret = parent ? request_resource(parent, res) : -EINVAL;
		if (ret)
			return ret;
	}

	return 0;
}

/* The tree as it was; what is in the way of it is ours */
static void layout_put_back(struct pci_layout *layout)
{
	struct pci_layout_res *r;
	struct resource was;
	unsigned int i;

	for (i = layout->res[0].prev; i; i = layout->res[i].prev) {
		r = &layout->res[i];
		if (!r->res->parent)
			continue;
		if (r->stays)
			layout_adjust(r->res, max(r->res->start, r->start),
				      min(r->res->end, r->end));
		else
			release_resource(r->res);
	}

	for (i = layout->res[0].next; i; i = layout->res[i].next) {
		r = &layout->res[i];
		if (r->stays) {
			layout_adjust(r->res, r->start, r->end);
			continue;
		}
		was = (struct resource) {
			.start = r->start,
			.end = r->end,
			.flags = r->flags,
		};
		layout_set(r, &was);
		if (r->parent && request_resource(r->parent, r->res))
			pci_err(r->dev, "%pR: can't be put back\n", r->res);
	}
}

/*
 * Every write to a window that is in use, or to the BAR of a device in use, goes
 * through here.  A device that is reset has it restored.
 */
static void layout_write(struct pci_dev *dev, int where, int size, u32 val)
{
	u32 *saved = &dev->saved_config_space[where / 4];

	if (size == 2) {
		pci_write_config_word(dev, where, val);
		*saved = (*saved & ~0xffff) | (val & 0xffff);
	} else {
		pci_write_config_dword(dev, where, val);
		*saved = val;
	}
	pci_move_written(dev, where, size, val);
}

/* The registers of a window: base and limit, and upper halves if it has any */
struct layout_regs {
	u32	low;
	u32	base_upper;
	u32	limit_upper;
};

static struct layout_regs layout_mem_regs(const struct pci_plan_place *place)
{
	if (!place->has)
		return (struct layout_regs) {
			.low = 0x0000fff0,
			.base_upper = U32_MAX,
		};

	return (struct layout_regs) {
		.low = ((place->start >> 16) & 0xfff0) |
		       (place->end & 0xfff00000),
		.base_upper = upper_32_bits(place->start),
		.limit_upper = upper_32_bits(place->end),
	};
}

/*
 * A window with something in use inside ends later before it ends, so to say,
 * and starts earlier before it starts: between two writes it may be larger than
 * before and after, but never leaves out what both have.
 */
static void layout_write_mem(struct pci_dev *bridge, int idx,
			     const struct pci_plan_place *from,
			     const struct pci_plan_place *to)
{
	struct layout_regs old = layout_mem_regs(from);
	struct layout_regs new = layout_mem_regs(to);

	if (idx == PCI_BRIDGE_MEM_WINDOW) {
		layout_write(bridge, PCI_MEMORY_BASE, 4, new.low);
		return;
	}

	if (!bridge->pref_64_window) {
		layout_write(bridge, PCI_PREF_MEMORY_BASE, 4, new.low);
		return;
	}

	/* Nothing is in use inside: closed until the last write */
	if (!from->has || !to->has)
		layout_write(bridge, PCI_PREF_BASE_UPPER32, 4, U32_MAX);
	else if (new.base_upper < old.base_upper)
		layout_write(bridge, PCI_PREF_BASE_UPPER32, 4, new.base_upper);
	if (new.limit_upper > old.limit_upper)
		layout_write(bridge, PCI_PREF_LIMIT_UPPER32, 4, new.limit_upper);

	layout_write(bridge, PCI_PREF_MEMORY_BASE, 4, new.low);

	if (new.limit_upper < old.limit_upper || !from->has)
		layout_write(bridge, PCI_PREF_LIMIT_UPPER32, 4, new.limit_upper);
	if (!from->has || !to->has || new.base_upper > old.base_upper)
		layout_write(bridge, PCI_PREF_BASE_UPPER32, 4, new.base_upper);
}

/* As the above; base and limit have one upper register together */
static void layout_write_io(struct pci_dev *bridge,
			    const struct pci_plan_place *from,
			    const struct pci_plan_place *to)
{
	u16 mask = bridge->io_window_1k ? PCI_IO_1K_RANGE_MASK & 0xff :
					  PCI_IO_RANGE_MASK & 0xff;
	u32 upper = 0, old_upper = 0;
	u16 low = 0x00f0, type;

	if (to->has) {
		low = ((to->end >> 8) & mask) << 8 | ((to->start >> 8) & mask);
		upper = (to->end & 0xffff0000) | (to->start >> 16);
	}
	if (from->has)
		old_upper = (from->end & 0xffff0000) | (from->start >> 16);

	pci_read_config_word(bridge, PCI_IO_BASE, &type);
	if ((type & PCI_IO_RANGE_TYPE_MASK) != PCI_IO_RANGE_TYPE_32) {
		layout_write(bridge, PCI_IO_BASE, 2, low);
		return;
	}

	if (!from->has || !to->has)
		layout_write(bridge, PCI_IO_BASE_UPPER16, 4, 0x0000ffff);
	else if (upper != old_upper)
		layout_write(bridge, PCI_IO_BASE_UPPER16, 4,
			     max(upper & 0xffff0000, old_upper & 0xffff0000) |
			     min(upper & 0xffff, old_upper & 0xffff));
	layout_write(bridge, PCI_IO_BASE, 2, low);
	if (!from->has || !to->has || upper != old_upper)
		layout_write(bridge, PCI_IO_BASE_UPPER16, 4, upper);
}

/* Opened once, with nothing inside: closed until the last write */
static void layout_write_cardbus(struct pci_dev *bridge, int idx,
				 const struct pci_plan_place *to)
{
	int base;

	switch (idx) {
	case PCI_CB_BRIDGE_IO_0_WINDOW:
		base = PCI_CB_IO_BASE_0;
		break;
	case PCI_CB_BRIDGE_IO_1_WINDOW:
		base = PCI_CB_IO_BASE_1;
		break;
	case PCI_CB_BRIDGE_MEM_0_WINDOW:
		base = PCI_CB_MEMORY_BASE_0;
		break;
	default:
		base = PCI_CB_MEMORY_BASE_1;
		break;
	}

	if (!to->has)
		return;

	layout_write(bridge, base + 4, 4, 0);
	layout_write(bridge, base, 4, to->start);
	layout_write(bridge, base + 4, 4, to->end);
}

static void layout_write_window(const struct pci_layout_res *r,
				const struct pci_plan_place *from,
				const struct pci_plan_place *to)
{
	int idx = r->res - r->dev->resource;

	if (layout_same(from, to))
		return;

	if (r->dev->hdr_type == PCI_HEADER_TYPE_CARDBUS)
		layout_write_cardbus(r->dev, idx, to);
	else if (idx == PCI_BRIDGE_IO_WINDOW)
		layout_write_io(r->dev, from, to);
	else
		layout_write_mem(r->dev, idx, from, to);
}

/* What a window has both before and after, if something inside stays */
static struct pci_plan_place layout_both(const struct pci_layout *layout,
					 unsigned int i)
{
	const struct pci_plan_item *item = &layout->plan.item[i];
	struct pci_plan_place both = {};

	if (layout->res[i].stays) {
		both.has = true;
		both.start = max(item->old.start, item->new.start);
		both.end = min(item->old.end, item->new.end);
	}
	return both;
}

/* A bridge in use decodes what its first window of a kind leads to as well */
static void layout_enable(const struct pci_layout *layout,
			  struct pci_layout_res *r, bool back)
{
	u16 bit = layout->type & IORESOURCE_IO ? PCI_COMMAND_IO :
						 PCI_COMMAND_MEMORY;

	if (!pci_is_enabled(r->dev))
		return;

	if (!back)
		pci_read_config_word(r->dev, PCI_COMMAND, &r->command);
	if (!(r->command & bit))
		pci_write_config_word(r->dev, PCI_COMMAND,
				      back ? r->command : r->command | bit);
}

static void layout_program_windows(struct pci_layout *layout, bool back)
{
	struct pci_plan_item *item = layout->plan.item;
	const struct pci_plan_place *from, *to;
	struct pci_plan_place both;
	unsigned int i;

	for (i = layout->res[0].prev; i; i = layout->res[i].prev) {
		if (!layout_programs(layout, i))
			continue;
		from = back ? &item[i].new : &item[i].old;
		both = layout_both(layout, i);
		layout_write_window(&layout->res[i], from, &both);
	}

	for (i = layout->res[0].next; i; i = layout->res[i].next) {
		if (!layout_programs(layout, i))
			continue;
		to = back ? &item[i].old : &item[i].new;
		both = layout_both(layout, i);
		layout_write_window(&layout->res[i], &both, to);
		if (!item[i].old.has && item[i].new.has)
			layout_enable(layout, &layout->res[i], back);
	}
}

/*
 * Switch off what moves, and on again, once for each device, but a bridge that
 * leads to what stays.  The read pushes what was written to the device ahead of
 * it.
 */
static void layout_decode(struct pci_layout *layout, bool on)
{
	u16 bit = layout->type & IORESOURCE_IO ? PCI_COMMAND_IO :
						 PCI_COMMAND_MEMORY;
	struct pci_dev *last = NULL;
	struct pci_layout_res *r;
	unsigned int i;

	for (i = layout->res[0].next; i; i = layout->res[i].next) {
		r = &layout->res[i];
		if (!r->lives || r->open || r->dev == last)
			continue;
		last = r->dev;
		if (!on)
			pci_read_config_word(r->dev, PCI_COMMAND, &r->command);
		if (PCI_POSSIBLE_ERROR(r->command) || !(r->command & bit))
			continue;
		pci_write_config_word(r->dev, PCI_COMMAND,
				      on ? r->command : r->command & ~bit);
	}
}

/* The register of a BAR of a device in use, or 0 if it need not be written */
static int layout_bar_reg(const struct pci_layout_res *r)
{
	int idx = r->res - r->dev->resource;

	if (idx < PCI_ROM_RESOURCE)
		return PCI_BASE_ADDRESS_0 + 4 * idx;
	/* As pci_update_resource() has it */
	if (idx == PCI_ROM_RESOURCE && (r->flags & IORESOURCE_ROM_ENABLE ||
					r->dev->rom_bar_overlap))
		return r->dev->rom_base_reg;

	return 0;
}

/*
 * The bits of an address.  The others can't be written, and a device tree need
 * not have them right.
 */
static u32 layout_bar_mask(const struct pci_layout_res *r)
{
	if (r->flags & IORESOURCE_IO)
		return (u32)PCI_BASE_ADDRESS_IO_MASK;

	return (u32)PCI_BASE_ADDRESS_MEM_MASK;
}

/* The low half of a BAR */
static u32 layout_bar_low(const struct pci_layout_res *r, u64 start)
{
	if (r->res == &r->dev->resource[PCI_ROM_RESOURCE])
		return (u32)start | (r->flags & IORESOURCE_ROM_ENABLE ?
				     PCI_ROM_ADDRESS_ENABLE : 0);

	return (u32)start | (r->flags & ~layout_bar_mask(r));
}

/* Does a BAR have what was written to it?  What has gone does not matter. */
static bool layout_keeps(const struct pci_layout_res *r, int reg, u32 low,
			 u32 high)
{
	u32 is;

	pci_read_config_dword(r->dev, reg, &is);
	if (PCI_POSSIBLE_ERROR(is))
		return true;
	if ((is ^ low) & layout_bar_mask(r))
		return false;
	if (!(r->flags & IORESOURCE_MEM_64))
		return true;

	pci_read_config_dword(r->dev, reg + 4, &is);
	return is == high || PCI_POSSIBLE_ERROR(is);
}

/*
 * The BARs of devices in use, @open or not.  If one does not keep what is written
 * to it, it is remembered.
 */
static void layout_program_bars(struct pci_layout *layout, bool open, bool back)
{
	struct pci_layout_res *r;
	unsigned int i;
	u64 start;
	u32 low;
	int reg;

	for (i = layout->res[0].next; i; i = layout->res[i].next) {
		r = &layout->res[i];
		if (!r->lives || r->open != open)
			continue;
		reg = layout_bar_reg(r);
		if (!reg) {
			/* For VFs there are to be, or a ROM that is off */
			pci_update_resource(r->dev, r->res - r->dev->resource);
			continue;
		}
		start = back ? layout->plan.item[i].old.start :
			       layout->plan.item[i].new.start;
		low = layout_bar_low(r, start);
		layout_write(r->dev, reg, 4, low);
		if (r->flags & IORESOURCE_MEM_64)
			layout_write(r->dev, reg + 4, 4, upper_32_bits(start));

		if (!layout_keeps(r, reg, low, upper_32_bits(start)))
			layout->stuck = i;
	}
}

/* Everything that is in use; false if a BAR is stuck */
static bool layout_program_live(struct pci_layout *layout)
{
	if (layout->moves) {
		layout_decode(layout, false);
		layout_program_bars(layout, true, false);
	}
	if (layout->programs)
		layout_program_windows(layout, false);
	if (!layout->moves)
		return true;

	layout_program_bars(layout, false, false);
	if (layout->stuck)
		return false;
	layout_decode(layout, true);
	return true;
}

/* Back to what was before; what moves is off */
static void layout_program_back(struct pci_layout *layout)
{
	if (layout->programs)
		layout_program_windows(layout, true);
	layout_program_bars(layout, false, true);
	layout_program_bars(layout, true, true);
	layout_decode(layout, true);
}

/* A window for the log, where one that is closed is called disabled */
static struct resource layout_shown(const struct pci_layout_res *r, bool has,
				    resource_size_t start, resource_size_t end)
{
	unsigned long flags;

	flags = pci_layout_window_flags(r->dev, r->res - r->dev->resource);
	return (struct resource) {
		.start = has ? start : 0,
		.end = has ? end : 0,
		.flags = has ? flags : flags | IORESOURCE_DISABLED,
	};
}

/* One line for each window of a bridge in the driver model that has changed */
static void layout_report_windows(const struct pci_layout *layout)
{
	const struct pci_plan_item *item = layout->plan.item;
	const struct pci_layout_res *r;
	struct resource from, to;
	unsigned int i;

	if (!layout->programs)
		return;

	for (i = layout->res[0].next; i; i = layout->res[i].next) {
		if (!layout_programs(layout, i))
			continue;
		r = &layout->res[i];
		from = layout_shown(r, item[i].old.has, r->start, r->end);
		to = layout_shown(r, item[i].new.has, r->res->start, r->res->end);
		pci_info(r->dev, "%s %pR: was %pR\n",
			 pci_resource_name(r->dev, r->res - r->dev->resource),
			 &to, &from);
	}
}

/* The BARs of devices that are new */
static void layout_program_new(struct pci_layout *layout)
{
	struct pci_plan_item *item = layout->plan.item;
	struct pci_layout_res *r;
	unsigned int i;

	for (i = layout->res[0].next; i; i = layout->res[i].next) {
		r = &layout->res[i];
		if (r->lives || item[i].window || !item[i].new.has)
			continue;
		pci_update_resource(r->dev, r->res - r->dev->resource);
		pci_info(r->dev, "%s %pR: assigned\n",
			 pci_resource_name(r->dev, r->res - r->dev->resource),
			 r->res);
	}
}

/* What the firmware had for a BAR is the last resort */
static bool layout_as_firmware(struct pci_dev *dev, int idx)
{
	return pcibios_retrieve_fw_addr(dev, idx) &&
	       !pci_assign_resource(dev, idx);
}

/* To a driver, a BAR without an address is none; a window is closed */
static void layout_forget_unplaced(struct pci_layout *layout)
{
	struct pci_plan_item *item = layout->plan.item;
	struct pci_layout_res *r;
	struct resource *res;
	unsigned int i;

	for (i = 1; i < layout->plan.count; i++) {
		r = &layout->res[i];
		res = r->res;
		if (!res || item[i].fixed || item[i].new.has ||
		    (layout->only && !item[i].window))
			continue;
		if (!item[i].window &&
		    layout_as_firmware(r->dev, res - r->dev->resource))
			continue;
		res->start = 0;
		res->end = 0;
		res->flags = 0;
	}
}

/**
 * pci_layout_switch - the resource tree, windows, and BARs that are in use
 * @layout: the layout, marked by pci_layout_apply()
 *
 * Allocates nothing, does not sleep, and prints nothing unless a device is
 * broken.
 *
 * Context: pci_bus_sem and pci_assign_rwsem held; with all CPUs stopped if
 * something moves that is in use.
 * Return: 0, or a negative errno: everything is as it was.  -EIO: the BAR
 * &pci_layout.stuck did not keep its new address.
 */
int pci_layout_switch(struct pci_layout *layout)
{
	int ret;

	ret = layout_take_out(layout);
	if (!ret)
		ret = layout_put_in(layout);
	if (ret) {
		layout_put_back(layout);
		return ret;
	}
	layout->stuck = 0;
	if (layout_program_live(layout))
		return 0;

	layout_put_back(layout);
	layout_program_back(layout);
	return -EIO;
}

/**
 * pci_layout_apply - put a plan in place
 * @layout: the layout, planned and checked
 *
 * Windows of bridges in the driver model are programmed, and BARs.  Allocates
 * nothing, unless something moves that is in use.
 *
 * Context: process context, pci_bus_sem and pci_assign_rwsem held.
 * Return: 0, or a negative errno: nothing has changed.  The resource tree does
 * not allow it any more, or something does not move, see pci_move_commit().
 */
int pci_layout_apply(struct pci_layout *layout)
{
	int ret;

	layout_mark(layout);
	ret = layout->moves ? pci_move_commit(layout) :
			      pci_layout_switch(layout);
	if (ret)
		return ret;

	layout_report_windows(layout);
	layout_program_new(layout);
	if (!(layout->flags & PCI_LAYOUT_MOVE))
		layout_forget_unplaced(layout);
	return 0;
}
