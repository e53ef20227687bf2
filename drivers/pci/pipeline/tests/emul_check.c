// SPDX-License-Identifier: GPL-2.0
/*
 * PCI enumeration pipeline tests: what must always be true
 *
 * Between two events the hardware, the resource tree and the devices agree:
 *
 * - bus numbers nest, and no two bridges forward the same number
 * - each bridge window register says what the resource of the window says;
 *   a window without resource is closed
 * - each BAR contains the address of its resource, and lies inside the windows
 *   of all bridges above it, seen from the hardware
 * - no two BARs overlap
 * - a device that decodes has addresses for what it decodes
 * - stages agree with what a device is part of, and a bridge is never behind
 *   what is below it
 *
 * The walk begins at the hardware, so that a device that the PCI core lost, or
 * has twice, is found.
 */
#include <linux/ioport.h>
#include <linux/pci.h>
#include <linux/sort.h>
#include <linux/slab.h>

#include "../../pci.h"
#include "emul.h"

#define EMUL_RANGES	2048

/* What a BAR covers, on the bus */
struct emul_range {
	u64 start;
	u64 end;
	const struct emul_fn *fn;
	bool io;
};

struct emul_checker {
	struct emul_host *host;
	bool quiet;
	unsigned int wrong;
	unsigned int devices;
	unsigned int ranges;
	struct emul_range range[EMUL_RANGES];
};

#define emul_wrong(c, fn, fmt, ...)					\
do {									\
	struct emul_checker *__c = (c);					\
	const struct emul_fn *__fn = (fn);				\
									\
	__c->wrong++;							\
	if (!__c->quiet)						\
		kunit_err(__c->host->test, "%02x:%02x.%d: " fmt "\n",	\
			  emul_bus_number(__fn), PCI_SLOT(__fn->devfn),	\
			  PCI_FUNC(__fn->devfn), ##__VA_ARGS__);	\
} while (0)

static bool emul_open(const struct emul_window *w)
{
	return w->start <= w->end;
}

static bool emul_inside(const struct emul_window *w, u64 start, u64 end)
{
	return emul_open(w) && start >= w->start && end <= w->end;
}

static struct emul_window emul_window_of(struct pci_bus *bus,
					 struct resource *res)
{
	struct pci_bus_region region;

	pcibios_resource_to_bus(bus, &region, res);
	return (struct emul_window) { region.start, region.end };
}

static void emul_check_window(struct emul_checker *c, struct emul_fn *fn,
			      struct pci_dev *dev, int i,
			      const struct emul_window *hw)
{
	struct resource *res = &dev->resource[PCI_BRIDGE_RESOURCES + i];
	struct emul_window want;

	if (!res->parent) {
		/* Reset leaves windows open at 0, where nothing is */
		if (emul_open(hw) && hw->start)
			emul_wrong(c, fn, "window %d open at %#llx-%#llx, no resource",
				   i, hw->start, hw->end);
		return;
	}

	want = emul_window_of(dev->bus, res);
	if (want.start != hw->start || want.end != hw->end)
		emul_wrong(c, fn, "window %d %#llx-%#llx, resource %pR at %#llx",
			   i, hw->start, hw->end, res, want.start);
}

static void emul_note_range(struct emul_checker *c, const struct emul_fn *fn,
			    u64 start, u64 end, bool io)
{
	if (c->ranges < EMUL_RANGES)
		c->range[c->ranges++] = (struct emul_range) {
			.start	= start,
			.end	= end,
			.fn	= fn,
			.io	= io,
		};
}

static bool emul_decodes(const struct emul_fn *fn, bool io)
{
	return emul_peek(fn, PCI_COMMAND, 2) &
	       (io ? PCI_COMMAND_IO : PCI_COMMAND_MEMORY);
}

/* Does every bridge above let this range through? */
static void emul_check_path(struct emul_checker *c, struct emul_fn *fn,
			    const struct emul_range *r)
{
	struct emul_windows w;
	struct emul_fn *up;

	for (up = fn->up; up; up = up->up) {
		emul_read_windows(up, &w);
		if (r->io ? !emul_inside(&w.io, r->start, r->end) :
			    !emul_inside(&w.mem, r->start, r->end) &&
			    !emul_inside(&w.pref, r->start, r->end))
			emul_wrong(c, fn, "%#llx-%#llx is outside the windows of %02x:%02x.%d",
				   r->start, r->end, emul_bus_number(up),
				   PCI_SLOT(up->devfn), PCI_FUNC(up->devfn));

		if (emul_decodes(fn, r->io) && !emul_decodes(up, r->io))
			emul_wrong(c, fn, "it decodes, the bridge at %02x:%02x.%d does not",
				   emul_bus_number(up), PCI_SLOT(up->devfn),
				   PCI_FUNC(up->devfn));
	}
}

static void emul_check_bar(struct emul_checker *c, struct emul_fn *fn,
			   struct pci_dev *dev, unsigned int i)
{
	const struct emul_bar *bar = &fn->bar[i];
	struct resource *res = &dev->resource[i];
	bool io = bar->flags & PCI_BASE_ADDRESS_SPACE_IO;
	u64 start = emul_bar_address(fn, i);
	struct emul_window host, want;

	if (!bar->size)
		return;

	if (!res->parent) {
		if (emul_decodes(fn, io))
			emul_wrong(c, fn, "BAR %d decodes at %#llx without resource",
				   i, start);
		return;
	}

	want = emul_window_of(dev->bus, res);
	if (want.start != start || resource_size(res) != bar->size)
		emul_wrong(c, fn, "BAR %d is %#llx, %#llx bytes, its resource %pR at %#llx",
			   i, start, bar->size, res, want.start);

	emul_note_range(c, fn, start, start + bar->size - 1, io);
	emul_check_path(c, fn, &(struct emul_range) {
		.start	= start,
		.end	= start + bar->size - 1,
		.io	= io,
	});

	host = emul_window_of(dev->bus, io ? &c->host->io : &c->host->mem);
	want = emul_window_of(dev->bus, io ? &c->host->io : &c->host->pref);
	if (!emul_inside(&host, start, start + bar->size - 1) &&
	    !emul_inside(&want, start, start + bar->size - 1))
		emul_wrong(c, fn, "BAR %d at %#llx is outside the windows of the host bridge",
			   i, start);
}

static void emul_check_stage(struct emul_checker *c, struct emul_fn *fn,
			     struct pci_dev *dev)
{
	struct pci_dev *bridge = dev->bus->self;
	bool final = dev->stage >= PCI_STAGE_FINAL;
	bool added = dev->stage >= PCI_STAGE_ADD;
	bool bound = dev->stage == PCI_STAGE_BIND;

	if (added != device_is_registered(&dev->dev))
		emul_wrong(c, fn, "stage %d, but %s the driver model",
			   dev->stage, added ? "not in" : "in");
	if (added != pci_dev_is_added(dev))
		emul_wrong(c, fn, "stage %d, added %d", dev->stage,
			   pci_dev_is_added(dev));
	if (bound != list_empty(&dev->batch_node))
		emul_wrong(c, fn, "stage %d, %s a batch", dev->stage,
			   list_empty(&dev->batch_node) ? "in no" : "in");
	if (!dev->stage || (bridge && bridge->stage < dev->stage))
		emul_wrong(c, fn, "stage %d below stage %d", dev->stage,
			   bridge ? bridge->stage : 0);
	if (dev->subordinate &&
	    device_is_registered(&dev->subordinate->dev) != added)
		emul_wrong(c, fn, "stage %d, its bus %sregistered", dev->stage,
			   added ? "not " : "");
	if (fn->final != final)
		emul_wrong(c, fn, "stage %d, %u times FINAL fixups",
			   dev->stage, fn->final);
	if (fn->early != 1 || fn->header != 1 || fn->added != added)
		emul_wrong(c, fn, "stage %d, fixups: %u EARLY, %u HEADER, %u ADDED",
			   dev->stage, fn->early, fn->header, fn->added);
}

static void emul_check_fns(struct emul_checker *c, struct emul_fn **fns,
			   struct pci_bus *bus);

/* Are bus and device known by their numbers? */
static void emul_check_names(struct emul_checker *c, struct emul_fn *fn,
			     struct pci_dev *dev)
{
	struct pci_bus *bus = dev->subordinate;
	struct pci_dev *found;
	struct resource *res;
	char name[16];
	unsigned int i;

	snprintf(name, sizeof(name), "%04x:%02x", c->host->domain, bus->number);
	if (strcmp(dev_name(&bus->dev), name))
		emul_wrong(c, fn, "its bus is called %s, not %s",
			   dev_name(&bus->dev), name);
	list_for_each_entry(dev, &bus->devices, bus_list) {
		snprintf(name, sizeof(name), "%04x:%02x:%02x.%d",
			 c->host->domain, bus->number, PCI_SLOT(dev->devfn),
			 PCI_FUNC(dev->devfn));
		if (strcmp(pci_name(dev), name))
			emul_wrong(c, fn, "a device is called %s, not %s",
				   pci_name(dev), name);
		found = pci_get_scanned_slot(c->host->domain, bus->number,
					     dev->devfn);
		if (found != dev)
			emul_wrong(c, fn, "%s is not found by its number", name);
		pci_dev_put(found);

		/* Not what is there: that may be gone */
		pci_dev_for_each_resource(dev, res, i)
			if (i < PCI_BRIDGE_RESOURCES && res->name &&
			    res->name != pci_name(dev))
				emul_wrong(c, fn, "resource %u of %s has another name",
					   i, name);
	}
}

static void emul_check_bridge(struct emul_checker *c, struct emul_fn *fn,
			      struct pci_dev *dev)
{
	unsigned int bus = emul_bus_number(fn);
	unsigned int pri = emul_peek(fn, PCI_PRIMARY_BUS, 1);
	unsigned int sec = emul_peek(fn, PCI_SECONDARY_BUS, 1);
	unsigned int sub = emul_peek(fn, PCI_SUBORDINATE_BUS, 1);
	unsigned int last = fn->up ? emul_peek(fn->up, PCI_SUBORDINATE_BUS, 1) :
				     c->host->last_busnr;
	struct emul_windows w;

	emul_read_windows(fn, &w);
	emul_check_window(c, fn, dev, 0, &w.io);
	emul_check_window(c, fn, dev,
			  dev->hdr_type == PCI_HEADER_TYPE_CARDBUS ? 3 : 1,
			  &w.mem);
	emul_check_window(c, fn, dev, 2, &w.pref);

	if (!sec && !dev->subordinate)
		return;

	if (pri != bus || sec <= bus || sub < sec || sub > last)
		emul_wrong(c, fn, "bus numbers %02x %02x-%02x on bus %02x-%02x",
			   pri, sec, sub, bus, last);
	if (!dev->subordinate && c->host->no_memory)
		return;
	if (!dev->subordinate || dev->subordinate->number != sec ||
	    dev->subordinate->busn_res.end != sub)
		emul_wrong(c, fn, "bus numbers %02x-%02x, its bus %pR", sec, sub,
			   dev->subordinate ? &dev->subordinate->busn_res :
					      NULL);
	else
		emul_check_fns(c, fn->below, dev->subordinate);
	if (dev->subordinate)
		emul_check_names(c, fn, dev);
}

static void emul_check_fn(struct emul_checker *c, struct emul_fn *fn,
			  struct pci_bus *bus)
{
	struct pci_dev *dev = pci_get_slot(bus, fn->devfn);
	unsigned int i;

	/* Nobody has looked for it yet */
	if (!dev)
		return;

	c->devices++;
	emul_check_stage(c, fn, dev);
	for (i = 0; i < PCI_STD_NUM_BARS; i++)
		emul_check_bar(c, fn, dev, i);
	if (fn->below)
		emul_check_bridge(c, fn, dev);
	pci_dev_put(dev);
}

static void emul_check_siblings(struct emul_checker *c, struct emul_fn **fns)
{
	struct emul_fn *a, *b;
	unsigned int i, j;

	for (i = 0; i < 256; i++) {
		a = fns[i];
		if (!a || !a->below || !emul_present(a) ||
		    !a->value[PCI_SECONDARY_BUS])
			continue;
		for (j = i + 1; j < 256; j++) {
			b = fns[j];
			if (!b || !b->below || !emul_present(b) ||
			    !b->value[PCI_SECONDARY_BUS])
				continue;
			if (a->value[PCI_SECONDARY_BUS] <=
			    b->value[PCI_SUBORDINATE_BUS] &&
			    b->value[PCI_SECONDARY_BUS] <=
			    a->value[PCI_SUBORDINATE_BUS])
				emul_wrong(c, b, "forwards buses that %02x.%d forwards",
					   PCI_SLOT(a->devfn),
					   PCI_FUNC(a->devfn));
		}
	}
}

static void emul_check_fns(struct emul_checker *c, struct emul_fn **fns,
			   struct pci_bus *bus)
{
	unsigned int i;

	emul_check_siblings(c, fns);
	for (i = 0; i < 256; i++)
		if (fns[i] && emul_present(fns[i]))
			emul_check_fn(c, fns[i], bus);
}

static int emul_cmp_range(const void *a, const void *b)
{
	const struct emul_range *ra = a, *rb = b;

	if (ra->io != rb->io)
		return ra->io ? 1 : -1;
	return ra->start < rb->start ? -1 : ra->start > rb->start;
}

static void emul_check_overlaps(struct emul_checker *c)
{
	const struct emul_range *a, *b;
	unsigned int i;

	sort(c->range, c->ranges, sizeof(c->range[0]), emul_cmp_range, NULL);
	for (i = 1; i < c->ranges; i++) {
		a = &c->range[i - 1];
		b = &c->range[i];
		if (a->io == b->io && b->start <= a->end)
			emul_wrong(c, b->fn, "%#llx-%#llx overlaps %#llx-%#llx of %02x:%02x.%d",
				   b->start, b->end, a->start, a->end,
				   emul_bus_number(a->fn),
				   PCI_SLOT(a->fn->devfn),
				   PCI_FUNC(a->fn->devfn));
	}
}

/* Devices of the PCI core that no function stands behind */
static unsigned int emul_count_devices(struct pci_bus *bus)
{
	struct pci_bus *child;
	struct pci_dev *dev;
	unsigned int count = 0;

	list_for_each_entry(dev, &bus->devices, bus_list)
		count++;
	list_for_each_entry(child, &bus->children, node)
		count += emul_count_devices(child);

	return count;
}

/**
 * emul_check - check what must always be true
 * @host: the host bridge
 * @quiet: do not say what is wrong
 *
 * Context: process context; nothing below @host is changing.
 * Return: the number of things that are wrong.
 */
unsigned int emul_check(struct emul_host *host, bool quiet)
{
	struct emul_checker *c;
	unsigned int wrong, count;

	if (!host->registered)
		return 0;

	c = kvzalloc(sizeof(*c), GFP_KERNEL);
	if (!c)
		return 1;
	c->host = host;
	c->quiet = quiet;

	pci_lock_rescan_remove();
	emul_check_fns(c, host->below, host->bridge->bus);
	count = emul_count_devices(host->bridge->bus);
	pci_unlock_rescan_remove();
	emul_check_overlaps(c);

	wrong = c->wrong;
	if (count != c->devices) {
		wrong++;
		if (!quiet)
			kunit_err(host->test, "%u devices, %u of them exist\n",
				  count, c->devices);
	}
	kvfree(c);

	return wrong;
}

/**
 * emul_check_sane - fail the test unless emul_check() finds nothing
 * @host: the host bridge
 */
void emul_check_sane(struct emul_host *host)
{
	KUNIT_EXPECT_EQ(host->test, emul_check(host, false), 0);
}
