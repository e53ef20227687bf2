// SPDX-License-Identifier: GPL-2.0
/*
 * PCI enumeration pipeline: what got no address, and why
 */
#include <linux/ioport.h>
#include <linux/limits.h>
#include <linux/pci.h>
#include <linux/rcupdate.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include "../pci.h"
#include "layout.h"
#include "pipeline.h"

#define REPORT_WHY	16	/* BARs of a batch that are looked into */

static unsigned int pci_collect_wants(struct pci_batch *batch,
				      struct pci_want *want, unsigned int max)
{
	unsigned int count = 0;
	struct pci_dev *dev;
	int i;

	list_for_each_entry(dev, &batch->devices, batch_node) {
		/* What has no address there is to have none */
		if (pci_find_host_bridge(dev->bus)->probe_only)
			continue;

		for (i = 0; i < PCI_BRIDGE_RESOURCES; i++) {
			struct resource *res = &dev->resource[i];

			if (!res->flags || res->parent || !resource_size(res) ||
			    res->flags & IORESOURCE_PCI_FIXED)
				continue;

			if (count < max)
				want[count] = (struct pci_want) {
					.dev = dev,
					.idx = i,
					.flags = res->flags,
					.size = resource_size(res),
				};
			count++;
		}
	}

	return count;
}

/* May a BAR with @flags be placed in the window @r? */
static bool pci_window_takes(const struct resource *r, unsigned long flags)
{
	if ((r->flags ^ flags) & (IORESOURCE_IO | IORESOURCE_MEM))
		return false;

	/* 64-bit prefetchable windows are kept for what can be anywhere */
	if (r->flags & IORESOURCE_PREFETCH)
		return flags & IORESOURCE_PREFETCH &&
		       (flags & IORESOURCE_MEM_64 ||
			!(r->flags & IORESOURCE_MEM_64));

	return true;
}

/* The largest BAR, smaller than @want, that there is room for in a gap */
static resource_size_t pci_gap_room(struct resource *gap,
				    const struct pci_want *want,
				    resource_size_t room)
{
	resource_size_t size, start;

	arch_remove_reservations(gap);
	for (size = want->size / 2; size > max(room, 8); size /= 2) {
		start = ALIGN(gap->start, size);
		if (start >= gap->start && start <= gap->end &&
		    gap->end - start >= size - 1)
			return size;
	}

	return room;
}

/* The same on a bus */
static resource_size_t pci_bus_room(struct pci_layout *layout,
				    struct pci_bus *bus,
				    const struct pci_want *want)
{
	resource_size_t last, room = 0;
	struct pci_bus_region region;
	unsigned int i, count;
	struct resource *r;

	pci_bus_for_each_resource(bus, r) {
		if (!r || !r->parent || !pci_window_takes(r, want->flags))
			continue;

		last = r->end;
		if (!(want->flags & IORESOURCE_MEM_64)) {
			/* The bus's 4 GiB, which the CPU may see elsewhere */
			pcibios_resource_to_bus(bus, &region, r);
			if (region.start > U32_MAX)
				continue;
			if (region.end > U32_MAX)
				last -= region.end - U32_MAX;
		}

		count = pci_layout_inside(layout, r);
		for (i = 0; i <= count && !layout->error; i++) {
			struct resource gap = { .flags = r->flags };

			if (!pci_layout_gap(layout, r, count, i, &gap))
				continue;
			gap.end = min(gap.end, last);
			room = pci_gap_room(&gap, want, room);
		}
	}

	return room;
}

static bool pci_want_failed(const struct pci_want *want)
{
	return !want->dev->resource[want->idx].parent;
}

/* Do two BARs compete for segments of the same isolation domain and kind? */
static bool pci_wants_alike(const struct pci_want *a, const struct pci_want *b)
{
	return !((a->flags ^ b->flags) &
		 (IORESOURCE_IO | IORESOURCE_MEM | IORESOURCE_PREFETCH |
		  IORESOURCE_MEM_64)) &&
	       pci_isolation_domain(a->dev->bus) ==
	       pci_isolation_domain(b->dev->bus);
}

/* One line for each isolation domain that lacks segments */
static void pci_report_segments(const struct pci_want *wants,
				unsigned int count)
{
	const struct pci_want *end = wants + count, *want, *other;
	resource_size_t size;

	for (want = wants; want < end; want++) {
		if (!pci_find_host_bridge(want->dev->bus)->segments_count ||
		    !pci_want_failed(want))
			continue;

		for (other = wants; other < want; other++)
			if (pci_want_failed(other) &&
			    pci_wants_alike(other, want))
				break;
		if (other < want)
			continue;

		size = 0;
		for (other = want; other < end; other++)
			if (pci_want_failed(other) &&
			    pci_wants_alike(other, want))
				size += other->size;

		pci_segments_report(pci_isolation_domain(want->dev->bus),
				    want->flags, size);
	}
}

/* The addresses below the host bridge as they are now */
static int pci_report_collect(struct pci_layout *layout, struct pci_bus *root,
			      unsigned long type)
{
	unsigned int i;
	int ret;

	if (layout->bus == root && layout->type == type)
		return layout->max ? 0 : -ENOMEM;

	pci_layout_free(layout);
	*layout = (struct pci_layout) { .bus = root, .type = type };
	down_read(&pci_bus_sem);
	ret = pci_layout_collect(layout);
	up_read(&pci_bus_sem);
	for (i = 0; !ret && i < layout->plan.count; i++)
		layout->plan.item[i].new = layout->plan.item[i].old;

	return ret;
}

/* What a device in the way is there for, and what can be done about it */
static void pci_report_holds(const struct pci_layout_res *r, bool untrusted,
			     char *why, size_t size)
{
	const char *holds = NULL;

	if (r->dev->stage < PCI_STAGE_ADD) {
		snprintf(why, size, "%s",
			 r->res->flags & IORESOURCE_PCI_FIXED ?
			 " can't move" :
			 system_state < SYSTEM_RUNNING ?
			 " is where firmware put it; try pci=realloc" :
			 " came with its address");
		return;
	}

	if (r->res < &r->dev->resource[PCI_BRIDGE_RESOURCES])
		pci_move_hold(r->dev, r->res - r->dev->resource, untrusted,
			      &holds);
	snprintf(why, size, "%s%s: remove it and rescan",
		 holds ? ", does not move: " : "", holds ?: "");
}

/* How far something is from the windows of a bridge that a BAR could be in */
static resource_size_t pci_report_distance(struct pci_dev *bridge,
					   const struct pci_want *want,
					   const struct resource *res)
{
	resource_size_t distance, least = RESOURCE_SIZE_MAX;
	const struct resource *window;
	int i;

	for (i = PCI_BRIDGE_RESOURCES; i <= PCI_BRIDGE_RESOURCE_END; i++) {
		window = &bridge->resource[i];
		if (!window->parent || !pci_window_takes(window, want->flags))
			continue;
		if (res->start > window->end)
			distance = res->start - window->end;
		else if (res->end < window->start)
			distance = window->start - res->end;
		else
			distance = 0;
		least = min(least, distance);
	}

	return least;
}

/* What is in use and next to these windows; 0 if there is nothing */
static unsigned int pci_report_nearest(const struct pci_layout *layout,
				       struct pci_dev *bridge,
				       const struct pci_want *want,
				       resource_size_t *least)
{
	const struct pci_layout_res *r;
	resource_size_t distance;
	unsigned int i, best = 0;

	*least = RESOURCE_SIZE_MAX;
	for (i = 1; i < layout->plan.count; i++) {
		r = &layout->res[i];
		if (!r->dev || r->dev == want->dev ||
		    r->dev->stage < PCI_STAGE_ADD ||
		    layout->plan.item[i].window || !layout->plan.item[i].old.has)
			continue;
		distance = pci_report_distance(bridge, want, r->res);
		if (distance < *least) {
			*least = distance;
			best = i;
		}
	}

	return best;
}

/*
 * There is room below the host bridge, but windows do not lead there: something
 * keeps one of them where it is, or is beside the last one.
 */
static unsigned int pci_report_keeps(const struct pci_layout *layout,
				     const struct pci_want *want)
{
	struct pci_dev *bridge = want->dev->bus->self;
	resource_size_t distance;
	unsigned int i = 0;

	for (; bridge; bridge = pci_upstream_bridge(bridge)) {
		i = pci_report_nearest(layout, bridge, want, &distance);
		if (!distance)
			return i;
	}

	return i;
}

/* The bridge above a BAR that has no window for it, if there is one */
static const struct pci_dev *pci_report_closed(const struct pci_want *want)
{
	struct pci_dev *bridge = want->dev->bus->self;

	if (!(want->flags & IORESOURCE_IO))
		return NULL;

	for (; bridge; bridge = pci_upstream_bridge(bridge))
		if (bridge->hdr_type == PCI_HEADER_TYPE_BRIDGE &&
		    !bridge->io_window && !bridge->transparent &&
		    !bridge->resource[PCI_BRIDGE_IO_WINDOW].parent)
			return bridge;

	return NULL;
}

/* Appended to what is said about a BAR: what is in its way */
static void pci_report_why(struct pci_layout *layout,
			   const struct pci_want *want, char *why, size_t size)
{
	unsigned long type = want->flags & (IORESOURCE_IO | IORESOURCE_MEM);
	struct pci_plan_item item = {
		.size = want->size,
		.align = want->size,
		.pref = want->flags & IORESOURCE_PREFETCH,
		.limit = want->flags & IORESOURCE_MEM_64 ? U64_MAX : U32_MAX,
	};
	struct pci_bus *root = pci_find_host_bridge(want->dev->bus)->bus;
	const struct pci_dev *closed = pci_report_closed(want);
	const struct pci_layout_res *r;
	const struct pci_driver *drv;
	struct pci_dev *dev;
	unsigned int i;
	int len;

	if (closed) {
		snprintf(why, size, "; %s has no I/O window", pci_name(closed));
		return;
	}
	if (!is_power_of_2(want->size) ||
	    pci_report_collect(layout, root, type))
		return;

	i = pci_plan_obstacle(&layout->plan, &item);
	if (!i)
		i = pci_report_keeps(layout, want);
	if (!i)
		return;
	if (i == PCI_PLAN_NO_ALT) {
		snprintf(why, size, "; the host bridge has no such addresses");
		return;
	}

	r = &layout->res[i];
	dev = r->dev;
	if (!dev) {
		snprintf(why, size, "; %#llx-%#llx is reserved",
			 layout->plan.item[i].new.start,
			 layout->plan.item[i].new.end);
		return;
	}
	rcu_read_lock();
	drv = READ_ONCE(dev->driver);
	len = scnprintf(why, size, "; %s %s %pR%s%s", pci_name(dev),
			pci_resource_name(dev, r->res - dev->resource), r->res,
			drv ? ", in use by " : "", drv ? drv->name : "");
	rcu_read_unlock();
	pci_report_holds(r, want->dev->untrusted, why + len, size - len);
}

/**
 * pci_report_begin - remember what asks for an address
 * @report: zeroed; pci_report_end() it
 * @batch: the batch
 *
 * Context: process context, rescan/remove lock held.
 */
void pci_report_begin(struct pci_report *report, struct pci_batch *batch)
{
	report->count = pci_collect_wants(batch, NULL, 0);
	if (report->count)
		report->want = kvcalloc(report->count, sizeof(*report->want),
					GFP_KERNEL);
	if (report->want)
		pci_collect_wants(batch, report->want, report->count);
}

/**
 * pci_report_end - say which of it got none, and what is in the way
 * @report: from pci_report_begin()
 *
 * Context: process context, rescan/remove lock held.
 */
void pci_report_end(struct pci_report *report)
{
	struct pci_layout layout = {};
	struct pci_want *want;
	unsigned int told = 0;
	resource_size_t room;
	struct pci_dev *dev;
	char why[240];

	if (!report->want)
		return;

	pci_report_segments(report->want, report->count);
	for (want = report->want; want < report->want + report->count; want++) {
		if (!pci_want_failed(want))
			continue;

		dev = want->dev;
		why[0] = '\0';
		if (told++ < REPORT_WHY)
			pci_report_why(&layout, want, why, sizeof(why));
		room = pci_bus_room(&layout, dev->bus, want);
		pci_warn(dev, "%s has no address: need %#llx%s%s, have %#llx on bus %04x:%02x%s\n",
			 pci_resource_name(dev, want->idx),
			 (unsigned long long)want->size,
			 want->flags & IORESOURCE_IO ? " I/O" :
			 want->flags & IORESOURCE_MEM_64 ? " 64-bit" : "",
			 want->flags & IORESOURCE_PREFETCH ? " pref" : "",
			 (unsigned long long)room, pci_domain_nr(dev->bus),
			 dev->bus->number, why);
	}
	pci_layout_free(&layout);
	kvfree(report->want);
}
