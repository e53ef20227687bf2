// SPDX-License-Identifier: GPL-2.0
/*
 * PCI enumeration pipeline: windows that are cut into segments
 *
 * A host bridge that isolates errors cuts its windows into segments of one
 * size and tells by the segment which isolation domain an access belongs to.
 * A domain is a bus, or the secondary bus of a PCIe to PCI bridge with all that
 * is below it.  Isolation works if no two domains have addresses in one
 * segment.  This is an input of ASSIGN:
 *
 *  - the windows of a bridge to a domain of its own start and end with a
 *    segment, so that nothing outside shares one with what is inside;
 *  - nothing gets an address in a segment that is reserved, or has the number
 *    of another domain where segments cannot be given to any domain.
 *
 * After that each domain of a batch gets its segments, by the map_segments
 * hook, before its devices are configured.
 */
#include <linux/align.h>
#include <linux/bitmap.h>
#include <linux/ioport.h>
#include <linux/log2.h>
#include <linux/pci.h>
#include <linux/slab.h>

#include "../pci.h"
#include "pipeline.h"

static const struct pci_segments *
pci_segments_end(const struct pci_host_bridge *host)
{
	return host->segments + host->segments_count;
}

/**
 * pci_segments_valid - is the description of a host bridge's segments possible
 * @host: the host bridge, with its windows
 *
 * Context: process context.
 * Return: 0, or -EINVAL, with a message.
 */
int pci_segments_valid(struct pci_host_bridge *host)
{
	const struct pci_segments *s;

	for (s = host->segments; s < pci_segments_end(host); s++) {
		if (is_power_of_2(s->size) && s->count &&
		    IS_ALIGNED(s->base, s->size) &&
		    s->base + s->count * s->size - 1 >= s->base)
			continue;

		dev_err(&host->dev, "%pR: %u segments of %#llx at %#llx are not possible\n",
			s->window, s->count, (unsigned long long)s->size,
			(unsigned long long)s->base);
		return -EINVAL;
	}

	return 0;
}

/**
 * pci_isolation_domain - the isolation domain that a bus belongs to
 * @bus: the bus
 *
 * Below a PCIe to PCI bridge requester IDs do not tell functions apart, so
 * that all of it is one domain.
 *
 * Context: rescan/remove lock held.
 * Return: the topmost bus of the domain.
 */
struct pci_bus *pci_isolation_domain(struct pci_bus *bus)
{
	struct pci_bus *domain = bus;

	for (; bus; bus = bus->parent)
		if (bus->self &&
		    pci_pcie_type(bus->self) == PCI_EXP_TYPE_PCI_BRIDGE)
			domain = bus;

	return domain;
}

static bool pci_is_pref64(unsigned long flags)
{
	return flags & IORESOURCE_PREFETCH && flags & IORESOURCE_MEM_64;
}

/* The segments that what has these flags is meant for */
static const struct pci_segments *
pci_segments_for(struct pci_host_bridge *host, unsigned long flags)
{
	const struct pci_segments *s, *plain = NULL;

	for (s = host->segments; s < pci_segments_end(host); s++) {
		if ((s->window->flags ^ flags) &
		    (IORESOURCE_IO | IORESOURCE_MEM))
			continue;

		if (s->window->flags & IORESOURCE_PREFETCH) {
			if (pci_is_pref64(flags))
				return s;
		} else {
			plain = s;
		}
	}

	return plain;
}

/* The segments that an address is in */
static const struct pci_segments *
pci_segments_at(struct pci_host_bridge *host, unsigned long flags,
		resource_size_t addr)
{
	const struct pci_segments *s;

	for (s = host->segments; s < pci_segments_end(host); s++)
		if (!((s->window->flags ^ flags) &
		      (IORESOURCE_IO | IORESOURCE_MEM)) &&
		    addr >= s->window->start && addr <= s->window->end &&
		    addr >= s->base && addr - s->base < s->count * s->size)
			return s;

	return NULL;
}

static unsigned int pci_segment_nr(const struct pci_segments *s,
				   resource_size_t addr)
{
	return min_t(resource_size_t, (addr - s->base) >> ilog2(s->size),
		     s->count - 1);
}

/**
 * pci_segment_alignment - what the windows to a bus have to be multiples of
 * @bus: the bus
 * @flags: flags of the window
 *
 * Context: rescan/remove lock held.
 * Return: the size of a segment, in bytes; 1 if the bus needs none of its own.
 */
resource_size_t pci_segment_alignment(struct pci_bus *bus, unsigned long flags)
{
	struct pci_host_bridge *host = pci_find_host_bridge(bus);
	const struct pci_segments *s;

	if (!host->segments_count || pci_isolation_domain(bus) != bus)
		return 1;

	s = pci_segments_for(host, flags);
	return s ? s->size : 1;
}

static bool pci_segment_usable(struct pci_host_bridge *host,
			       const struct pci_segments *s, unsigned int n,
			       struct pci_bus *bus)
{
	const struct pci_pipeline_ops *ops = host->pipeline_ops;

	if (s->reserved && test_bit(n, s->reserved))
		return false;

	return !s->numbered || !ops || !ops->segment_taken ||
	       !ops->segment_taken(host, n, bus);
}

static bool pci_segment_taken_below(struct pci_host_bridge *host,
				    unsigned int n, struct pci_bus *bus)
{
	struct pci_bus *child;

	/* A bus without a bridge is there for VFs */
	list_for_each_entry(child, &bus->children, node)
		if (child->self &&
		    (host->pipeline_ops->segment_taken(host, n, child) ||
		     pci_segment_taken_below(host, n, child)))
			return true;

	return false;
}

/**
 * pci_segment_closed - may nothing new get an address in a segment
 * @s: segments of the host bridge
 * @n: the segment, with nothing in it
 * @bus: what is on or below this bus is asked for
 *
 * Windows below a root bus can be in segments that BARs on it can't be in; see
 * pci_segments_closed().
 *
 * Context: process context, pci_bus_sem held.
 * Return: true if it is reserved or has the number of a domain that is not at
 * or below each of the buses there.
 */
bool pci_segment_closed(const struct pci_segments *s, unsigned int n,
			struct pci_bus *bus)
{
	struct pci_host_bridge *host = pci_find_host_bridge(bus);
	const struct pci_pipeline_ops *ops = host->pipeline_ops;

	if (s->reserved && test_bit(n, s->reserved))
		return true;
	if (!s->numbered || !ops || !ops->segment_taken)
		return false;

	return (!pci_is_root_bus(bus) && ops->segment_taken(host, n, bus)) ||
	       pci_segment_taken_below(host, n, bus);
}

/**
 * pci_segments_closed - may BARs on a bus be in none of the segments for them
 * @bus: the bus
 * @flags: IORESOURCE_* of the BARs
 *
 * Context: process context, rescan/remove lock held.
 * Return: true if there are segments for such BARs, all closed to a root bus.
 */
bool pci_segments_closed(struct pci_bus *bus, unsigned long flags)
{
	struct pci_host_bridge *host = pci_find_host_bridge(bus);
	const struct pci_segments *s;
	unsigned int n;

	if (!host->segments_count || !pci_is_root_bus(bus))
		return false;

	s = pci_segments_for(host, flags);
	for (n = 0; s && n < s->count; n++)
		if (pci_segment_usable(host, s, n, bus))
			return false;

	return s;
}

/* The last segment from @start to @end that @bus must not use, or -1 */
static int pci_segment_obstacle(struct pci_host_bridge *host,
				const struct pci_segments *s,
				struct pci_bus *bus, resource_size_t start,
				resource_size_t end)
{
	int first = pci_segment_nr(s, start), n;

	for (n = pci_segment_nr(s, end); n >= first; n--)
		if (!pci_segment_usable(host, s, n, bus))
			return n;

	return -1;
}

/* What is behind @dev for a window, what @dev is on for a BAR */
static struct pci_bus *pci_segment_user(struct pci_dev *dev, int idx)
{
	if (idx >= PCI_BRIDGE_RESOURCES && dev->subordinate)
		return dev->subordinate;

	return dev->bus;
}

/**
 * pci_segment_align - move an address beyond segments that must not be used
 * @dev: the device
 * @idx: its resource
 * @avail: the free range that the address is in
 * @start: the address
 * @size: bytes from there on
 * @align: alignment of the address
 *
 * Context: process context, rescan/remove lock held.
 * Return: the first address not below @start; it may be beyond @avail.
 */
resource_size_t pci_segment_align(struct pci_dev *dev, int idx,
				  const struct resource *avail,
				  resource_size_t start, resource_size_t size,
				  resource_size_t align)
{
	struct pci_host_bridge *host = pci_find_host_bridge(dev->bus);
	struct pci_bus *bus = pci_segment_user(dev, idx);
	const struct pci_segments *s;
	int n;

	if (!host->segments_count)
		return start;

	s = pci_segments_at(host, avail->flags, start);
	while (s && start <= avail->end && size - 1 <= avail->end - start) {
		n = pci_segment_obstacle(host, s, bus, start, start + size - 1);
		if (n < 0)
			break;

		start = ALIGN(s->base + (n + 1) * s->size, align);
	}

	return start;
}

/*
 * A walk over the BARs in some segments.  @bus, @window, @start and @end are
 * those of a resource that BARs are compared with, @owner has a domain for each
 * segment, @found counts.
 */
struct pci_segment_walk {
	bool (*visit)(struct pci_segment_walk *walk, struct pci_dev *dev,
		      int idx);
	struct pci_host_bridge *host;
	const struct pci_segments *s;
	struct pci_bus *bus;
	bool window;
	resource_size_t start;
	resource_size_t end;
	struct pci_bus **owner;
	unsigned int found;
};

/* All BARs that are in the segments of the walk; true if a visit stops it */
static bool pci_segment_walk(struct pci_segment_walk *walk,
			     struct pci_bus *bus)
{
	struct resource *res;
	struct pci_dev *dev;
	int i;

	list_for_each_entry(dev, &bus->devices, bus_list) {
		pci_dev_for_each_resource(dev, res, i)
			if (i < PCI_BRIDGE_RESOURCES && res->parent &&
			    !dev->is_virtfn &&
			    pci_segments_at(walk->host, res->flags,
					    res->start) == walk->s &&
			    walk->visit(walk, dev, i))
				return true;

		if (dev->subordinate && pci_segment_walk(walk, dev->subordinate))
			return true;
	}

	return false;
}

static bool pci_segment_conflicts(struct pci_segment_walk *walk,
				  struct pci_dev *dev, int idx)
{
	const struct resource *res = &dev->resource[idx];

	return pci_segment_nr(walk->s, res->start) <=
	       pci_segment_nr(walk->s, walk->end) &&
	       pci_segment_nr(walk->s, res->end) >=
	       pci_segment_nr(walk->s, walk->start) &&
	       pci_isolation_domain(dev->bus) !=
	       pci_isolation_domain(walk->bus) &&
	       !(walk->window && pci_bus_is_below(dev->bus, walk->bus));
}

/**
 * pci_segment_allows - may a resource stay where firmware has put it
 * @dev: the device
 * @idx: its resource, with an address and not in the resource tree
 *
 * Context: process context, rescan/remove lock held.
 * Return: false if a segment there is reserved or in use by another domain.
 */
bool pci_segment_allows(struct pci_dev *dev, int idx)
{
	struct resource *res = &dev->resource[idx];
	struct pci_bus *bus = pci_segment_user(dev, idx);
	struct pci_segment_walk walk = {
		.visit	= pci_segment_conflicts,
		.host	= pci_find_host_bridge(dev->bus),
		.bus	= bus,
		.window	= idx >= PCI_BRIDGE_RESOURCES,
		.start	= res->start,
		.end	= res->end,
	};

	if (!walk.host->segments_count)
		return true;

	walk.s = pci_segments_at(walk.host, res->flags, res->start);
	if (!walk.s)
		return true;

	return pci_segment_obstacle(walk.host, walk.s, bus, res->start,
				    res->end) < 0 &&
	       !pci_segment_walk(&walk, walk.host->bus);
}

static bool pci_segment_check_bar(struct pci_segment_walk *walk,
				  struct pci_dev *dev, int idx)
{
	struct pci_bus *domain = pci_isolation_domain(dev->bus), *other;
	const struct resource *res = &dev->resource[idx];
	const struct pci_segments *s = walk->s;
	int n;

	for (n = pci_segment_nr(s, res->start); n <= pci_segment_nr(s, res->end);
	     n++) {
		other = walk->owner[n];
		walk->owner[n] = domain;

		if (!pci_segment_usable(walk->host, s, n, domain))
			pci_err(dev, "%s %pR is in segment %d, which is not for it\n",
				pci_resource_name(dev, idx), res, n);
		else if (other && other != domain)
			pci_err(dev, "%s %pR shares segment %d with bus %02x\n",
				pci_resource_name(dev, idx), res, n,
				other->number);
		else
			continue;

		walk->found++;
	}

	return false;
}

/**
 * pci_segments_check - is every isolation domain in segments of its own
 * @host: the host bridge
 *
 * Looks at BARs alone, not at what led to their addresses.
 *
 * Context: process context, rescan/remove lock held.
 * Return: the number of faults, each with a message; a negative errno.
 */
int pci_segments_check(struct pci_host_bridge *host)
{
	struct pci_segment_walk walk = {
		.visit	= pci_segment_check_bar,
		.host	= host,
	};

	for (walk.s = host->segments; walk.s < pci_segments_end(host);
	     walk.s++) {
		walk.owner = kvcalloc(walk.s->count, sizeof(*walk.owner),
				      GFP_KERNEL);
		if (!walk.owner)
			return -ENOMEM;
		pci_segment_walk(&walk, host->bus);
		kvfree(walk.owner);
	}

	return walk.found;
}

static bool pci_segment_note(struct pci_segment_walk *walk,
			     struct pci_dev *dev, int idx)
{
	const struct resource *res = &dev->resource[idx];
	int n;

	for (n = pci_segment_nr(walk->s, res->start);
	     n <= pci_segment_nr(walk->s, res->end); n++)
		walk->owner[n] = pci_isolation_domain(dev->bus);

	return false;
}

/* Segments that @domain could have but does not have */
static int pci_segments_free(struct pci_host_bridge *host,
			     const struct pci_segments *s,
			     struct pci_bus *domain)
{
	struct pci_segment_walk walk = {
		.visit	= pci_segment_note,
		.host	= host,
		.s	= s,
	};
	resource_size_t start;
	int n, count = 0;

	walk.owner = kvcalloc(s->count, sizeof(*walk.owner), GFP_KERNEL);
	if (!walk.owner)
		return -ENOMEM;

	pci_segment_walk(&walk, host->bus);
	for (n = 0; n < s->count; n++) {
		start = s->base + n * s->size;
		if (!walk.owner[n] && start >= s->window->start &&
		    start + s->size - 1 <= s->window->end &&
		    pci_segment_usable(host, s, n, domain))
			count++;
	}
	kvfree(walk.owner);

	return count;
}

/**
 * pci_segments_report - say how many segments a domain lacks
 * @domain: the isolation domain
 * @flags: flags of the BARs that have no address
 * @size: bytes that all of them need
 *
 * Context: process context, rescan/remove lock held.
 */
void pci_segments_report(struct pci_bus *domain, unsigned long flags,
			 resource_size_t size)
{
	struct pci_host_bridge *host = pci_find_host_bridge(domain);
	const struct pci_segments *s = pci_segments_for(host, flags);
	int free;

	if (!s)
		return;

	free = pci_segments_free(host, s, domain);
	if (free >= 0)
		dev_warn(&domain->dev, "isolation domain needs %llu more segments of %#llx, %d of %u are free\n",
			 (unsigned long long)ALIGN(size, s->size) >> ilog2(s->size),
			 (unsigned long long)s->size, free, s->count);
}

/* The free range in @parent around @window, in units of @align */
static int pci_segment_room(const struct resource *parent,
			    const struct resource *window,
			    resource_size_t align, struct resource *room)
{
	struct resource_child *child = NULL;
	unsigned int i, count, max = 0;

	while ((count = resource_children(parent, child, max)) > max) {
		kvfree(child);
		max = count + 8;
		child = kvmalloc_array(max, sizeof(*child), GFP_KERNEL);
		if (!child)
			return -ENOMEM;
	}

	room->start = parent->start;
	room->end = parent->end;
	for (i = 0; i < count; i++) {
		if (child[i].end < window->start)
			room->start = child[i].end + 1;
		if (child[i].start > window->end) {
			room->end = child[i].start - 1;
			break;
		}
	}
	kvfree(child);

	room->start = min(ALIGN(room->start, align), window->start);
	room->end = max(ALIGN_DOWN(room->end + 1, align) - 1, window->end);
	return 0;
}

static void pci_segments_spread_bus(struct pci_bus *bus, int levels)
{
	struct pci_dev *dev, *bridge = NULL;
	struct resource *window, room;
	resource_size_t align;
	int i;

	for_each_pci_bridge(dev, bus) {
		if (bridge)
			return;
		bridge = dev;
	}

	if (!bridge || !bridge->subordinate)
		return;

	for (i = 0; i < PCI_BRIDGE_RESOURCE_NUM; i++) {
		window = &bridge->resource[PCI_BRIDGE_RESOURCES + i];
		if (!window->flags || !window->parent)
			continue;

		align = window->flags & IORESOURCE_IO ? SZ_4K : SZ_1M;
		align = max(align, pci_segment_alignment(bridge->subordinate,
							 window->flags));
		if (pci_segment_room(window->parent, window, align, &room) ||
		    (room.start == window->start && room.end == window->end))
			continue;

		if (!adjust_resource(window, room.start,
				     room.end - room.start + 1))
			pci_info(bridge, "%s %pR: widened\n",
				 pci_resource_name(bridge,
						   PCI_BRIDGE_RESOURCES + i),
				 window);
	}

	if (levels > 1)
		pci_segments_spread_bus(bridge->subordinate, levels - 1);
}

/**
 * pci_segments_spread - leave room for hotplug where segments are scarce
 * @host: the host bridge
 *
 * Slots of these host bridges are below a root port, or below a switch right
 * below it, that firmware does not mark as hotplug ports.  Where there is one
 * root port, and one switch, its windows take what is left, for what may come
 * into other slots later when nothing above them can move any more.
 *
 * Context: process context, rescan/remove lock held.
 */
void pci_segments_spread(struct pci_host_bridge *host)
{
	if (host->segments_count)
		pci_segments_spread_bus(host->bus, 2);
}

/* The devices of a bus follow each other in a batch; more often does no harm */
static bool pci_first_of_domain(struct pci_batch *batch, struct pci_dev *dev,
				struct pci_bus *domain)
{
	return list_is_first(&dev->batch_node, &batch->devices) ||
	       pci_isolation_domain(list_prev_entry(dev, batch_node)->bus) !=
	       domain;
}

/**
 * pci_segments_map - give the domain of a device the segments it is in
 * @batch: the batch
 * @dev: the device, of the batch, with addresses and not configured yet
 *
 * Does something for the first device of a domain in the batch only.  What is
 * above the domain is configured by then.
 *
 * Context: process context, rescan/remove lock held.
 */
void pci_segments_map(struct pci_batch *batch, struct pci_dev *dev)
{
	const struct pci_pipeline_ops *ops;
	struct pci_bus *domain;
	int ret;

	ops = pci_find_host_bridge(dev->bus)->pipeline_ops;
	if (!ops || !ops->map_segments || dev->is_virtfn)
		return;

	domain = pci_isolation_domain(dev->bus);
	if (!pci_first_of_domain(batch, dev, domain))
		return;

	ret = ops->map_segments(domain);
	if (ret)
		dev_err(&domain->dev, "isolation domain can't be set up (%d)\n",
			ret);
}

/**
 * pci_segments_verify - check the isolation of what a batch has changed
 * @batch: the batch
 *
 * Does nothing in kernels without the tests of the pipeline.
 *
 * Context: process context, rescan/remove lock held.
 */
void pci_segments_verify(struct pci_batch *batch)
{
	struct pci_bus *bus;

	if (!IS_ENABLED(CONFIG_PCI_PIPELINE_KUNIT_TEST))
		return;

	list_for_each_entry(bus, &batch->buses, batch_node)
		WARN_ON(pci_segments_check(pci_find_host_bridge(bus)) > 0);
}
