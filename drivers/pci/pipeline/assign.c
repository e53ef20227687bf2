// SPDX-License-Identifier: GPL-2.0
/*
 * PCI enumeration pipeline: ASSIGN, an address for everything
 */
#include <linux/ioport.h>
#include <linux/limits.h>
#include <linux/pci.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include "../pci.h"
#include "pipeline.h"

/* A BAR that asks for an address */
struct pci_want {
	struct pci_dev *dev;
	int idx;
	unsigned long flags;
	resource_size_t size;
};

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

		for (i = 0; i <= PCI_STD_RESOURCE_END; i++) {
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

/* The largest BAR, smaller than @want, that there is room for */
static resource_size_t pci_bus_room(struct pci_bus *bus,
				    const struct pci_want *want)
{
	resource_size_t size, room = 0;
	struct resource *r;

	pci_bus_for_each_resource(bus, r) {
		if (!r || !r->parent || !pci_window_takes(r, want->flags))
			continue;

		for (size = want->size / 2; size > max(room, 8); size /= 2) {
			struct resource_constraint constraint = {
				.max = want->flags & IORESOURCE_MEM_64 ?
				       RESOURCE_SIZE_MAX : U32_MAX,
				.align = size,
			};
			struct resource gap = {};

			if (!find_resource_space(r, &gap, size, &constraint)) {
				room = size;
				break;
			}
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

static void pci_report_wants(const struct pci_want *want, unsigned int count)
{
	pci_report_segments(want, count);

	for (; count--; want++) {
		struct pci_dev *dev = want->dev;
		resource_size_t room;

		if (!pci_want_failed(want))
			continue;

		room = pci_bus_room(dev->bus, want);
		pci_warn(dev, "%s has no address: need %#llx%s%s, have %#llx on bus %04x:%02x\n",
			 pci_resource_name(dev, want->idx),
			 (unsigned long long)want->size,
			 want->flags & IORESOURCE_IO ? " I/O" :
			 want->flags & IORESOURCE_MEM_64 ? " 64-bit" : "",
			 want->flags & IORESOURCE_PREFETCH ? " pref" : "",
			 (unsigned long long)room, pci_domain_nr(dev->bus),
			 dev->bus->number);
	}
}

/**
 * pci_batch_assign - ASSIGN: find addresses for a batch
 * @batch: the batch
 *
 * A device that gets no address for a BAR stays, with one line in the log: it
 * may work without, and its driver decides.
 *
 * Context: process context, rescan/remove lock held.
 */
void pci_batch_assign(struct pci_batch *batch)
{
	bool fresh = batch->flags & PCI_BATCH_FRESH;
	const struct pci_pipeline_ops *ops;
	struct pci_want *wants = NULL;
	struct pci_host_bridge *host;
	struct pci_bus *bus;
	unsigned int count;

	if (batch->kind == PCI_BATCH_COMPAT || batch->kind == PCI_BATCH_VF)
		goto done;

	list_for_each_entry(bus, &batch->buses, batch_node) {
		host = pci_find_host_bridge(bus);
		ops = host->pipeline_ops;
		if (ops && ops->assign)
			ops->assign(host, bus);
	}

	if (batch->flags & PCI_BATCH_ASSIGNED)
		goto assigned;

	count = pci_collect_wants(batch, NULL, 0);
	if (count)
		wants = kvcalloc(count, sizeof(*wants), GFP_KERNEL);
	if (wants)
		pci_collect_wants(batch, wants, count);

	list_for_each_entry(bus, &batch->buses, batch_node)
		if (!pci_find_host_bridge(bus)->probe_only)
			pci_assign_unassigned(bus, fresh);

	if (wants)
		pci_report_wants(wants, count);
	kvfree(wants);

assigned:
	list_for_each_entry(bus, &batch->buses, batch_node) {
		host = pci_find_host_bridge(bus);
		ops = host->pipeline_ops;
		if (ops && ops->assigned && pci_batch_first_of_host(batch, bus))
			ops->assigned(host);
	}

	pci_segments_verify(batch);

done:
	pci_batch_each(batch, PCI_STAGE_ASSIGN, NULL);
}
