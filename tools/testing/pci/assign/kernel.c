// SPDX-License-Identifier: GPL-2.0
/*
 * Machines for the allocator of the tree that this is built in
 *
 * Built with the flags of the kernel's own objects, then linked with those of
 * the allocator, and run in user space.
 */
#include <linux/pci.h>
#include <linux/slab.h>

#include "pci.h"
#ifdef ASSIGN_SERIES
#include "pipeline/pipeline.h"
#endif
#include "assign.h"

/* Every machine has address spaces of its own, so that there can be several */
struct a_machine {
	struct pci_host_bridge	*bridge;
	struct pci_bus		*root;
	struct resource		io;
	struct resource		mem;
	struct resource		window[4];
	unsigned int		max;
	struct pci_dev		*dev[];
};

static struct pci_bus *a_new_bus(struct pci_bus *parent, struct pci_dev *self)
{
	struct pci_bus *bus = kzalloc(sizeof(*bus), GFP_KERNEL);
	int i;

	INIT_LIST_HEAD(&bus->node);
	INIT_LIST_HEAD(&bus->children);
	INIT_LIST_HEAD(&bus->devices);
	INIT_LIST_HEAD(&bus->slots);
	INIT_LIST_HEAD(&bus->resources);
	bus->parent = parent;
	bus->self = self;
	bus->dev.kobj.name = "bus";
	if (!self)
		return bus;

	bus->bridge = &self->dev;
	for (i = 0; i < PCI_BRIDGE_RESOURCE_NUM; i++)
		bus->resource[i] = &self->resource[PCI_BRIDGE_RESOURCES + i];
	list_add_tail(&bus->node, &parent->children);
	return bus;
}

static void a_window(struct a_machine *m, struct resource *res,
		     const struct a_range *range, unsigned long flags)
{
	if (range->end <= range->start)
		return;

	res->name = "host";
	res->start = range->start;
	res->end = range->end;
	res->flags = flags;
	request_resource(flags & IORESOURCE_IO ? &m->io : &m->mem, res);
	pci_add_resource(&m->bridge->windows, res);
	pci_bus_add_resource(m->root, res, 0);
}

static struct a_machine *a_make(const struct a_host *host, unsigned int max)
{
	struct a_machine *m = kzalloc(struct_size(m, dev, max), GFP_KERNEL);

	m->max = max;
	m->io = (struct resource)DEFINE_RES_IO(0, SZ_64K);
	m->mem = (struct resource)DEFINE_RES_MEM(0, SZ_64T);
	m->bridge = kzalloc(sizeof(*m->bridge), GFP_KERNEL);
	INIT_LIST_HEAD(&m->bridge->windows);
	INIT_LIST_HEAD(&m->bridge->dma_ranges);
	m->root = a_new_bus(NULL, NULL);
	m->root->bridge = &m->bridge->dev;
	m->bridge->bus = m->root;
	a_window(m, &m->window[0], &host->io, IORESOURCE_IO);
	a_window(m, &m->window[1], &host->low, IORESOURCE_MEM);
	a_window(m, &m->window[3], &host->more, IORESOURCE_MEM);
	a_window(m, &m->window[2], &host->high,
		 IORESOURCE_MEM | IORESOURCE_MEM_64 | IORESOURCE_PREFETCH);
	return m;
}

static unsigned long a_flags(enum a_kind kind)
{
	switch (kind) {
	case A_IO:
		return IORESOURCE_IO;
	case A_MEM:
		return IORESOURCE_MEM;
	case A_MEM64:
		return IORESOURCE_MEM | IORESOURCE_MEM_64;
	case A_PREF:
		return IORESOURCE_MEM | IORESOURCE_PREFETCH;
	case A_PREF64:
		return IORESOURCE_MEM | IORESOURCE_PREFETCH | IORESOURCE_MEM_64;
	default:
		return 0;
	}
}

/* The resource that the program around this calls @i */
static struct resource *a_res(struct pci_dev *dev, unsigned int i)
{
	return &dev->resource[i < A_BARS ? i : PCI_BRIDGE_RESOURCES + i - A_BARS];
}

static void a_add_bridge(struct pci_dev *dev, const struct a_fn *fn)
{
	dev->is_hotplug_bridge = fn->hotplug;
	dev->io_window = fn->io;
	dev->pref_window = fn->pref != 0;
	dev->pref_64_window = fn->pref == 64;
	dev->subordinate = a_new_bus(dev->bus, dev);
}

static void a_add(struct a_machine *m, unsigned int i, const struct a_fn *fn)
{
	struct pci_dev *dev = kzalloc(sizeof(*dev), GFP_KERNEL);
	struct resource *res;
	unsigned int k;

	m->dev[i] = dev;
	dev->bus = fn->parent < 0 ? m->root : m->dev[fn->parent]->subordinate;
	dev->dev.kobj.name = "dev";
	dev->dev.parent = dev->bus->bridge;
	dev->class = fn->bridge ? PCI_CLASS_BRIDGE_PCI << 8 :
				  PCI_CLASS_NETWORK_ETHERNET << 8;
	dev->hdr_type = fn->bridge ? PCI_HEADER_TYPE_BRIDGE :
				     PCI_HEADER_TYPE_NORMAL;
	list_add_tail(&dev->bus_list, &dev->bus->devices);
	if (fn->bridge)
		a_add_bridge(dev, fn);

	for (k = 0; k < A_RES; k++) {
		res = a_res(dev, k);
		res->name = k < A_BARS ? "bar" : "window";
		if (k >= A_BARS || !fn->bar[k].kind)
			continue;
		res->end = fn->bar[k].size - 1;
		res->flags = a_flags(fn->bar[k].kind) | IORESOURCE_SIZEALIGN |
			     IORESOURCE_UNSET;
	}
}

static int a_put(struct a_machine *m, unsigned int i,
		 const struct a_place *place, int claim)
{
	struct pci_dev *dev = m->dev[i];
	struct resource *res, *parent;
	unsigned int k;

	for (k = 0; k < A_RES; k++, place++) {
		if (claim && place->in == A_NOWHERE)
			continue;

		res = a_res(dev, k);
		res->start = place->start;
		res->end = place->end;
		res->flags = place->flags;
		if (place->in == A_NOWHERE)
			continue;

		parent = pci_bus_resource_n(dev->bus, place->in);
		if (!parent || request_resource(parent, res))
			return 0;
	}
	return 1;
}

/* What is in no window to its bus at all has a number that put() refuses */
static int a_window_of(struct pci_dev *dev, struct resource *parent)
{
	struct resource *res;
	int i;

	if (!parent)
		return A_NOWHERE;

	pci_bus_for_each_resource(dev->bus, res, i)
		if (res == parent)
			return i;
	return i;
}

static void a_get(struct a_machine *m, unsigned int i, struct a_place *place)
{
	struct pci_dev *dev = m->dev[i];
	struct resource *res;
	unsigned int k;

	for (k = 0; k < A_RES; k++) {
		res = a_res(dev, k);
		place[k].start = res->start;
		place[k].end = res->end;
		place[k].flags = res->flags;
		place[k].in = a_window_of(dev, res->parent);
	}
}

/* The base does not care */
static void a_live(struct a_machine *m, unsigned int i)
{
#ifdef ASSIGN_SERIES
	m->dev[i]->stage = PCI_STAGE_BIND;
#endif
}

static void a_free_dev(struct pci_dev *dev)
{
	if (!dev)
		return;
	kfree(dev->subordinate);
	kfree(dev);
}

static void a_remove(struct a_machine *m, unsigned int i)
{
	struct pci_dev *dev = m->dev[i];
	struct resource *res;

	pci_dev_for_each_resource(dev, res)
		if (res->parent)
			release_resource(res);
	list_del(&dev->bus_list);
	if (dev->subordinate)
		list_del(&dev->subordinate->node);
	a_free_dev(dev);
	m->dev[i] = NULL;
}

/* Profilers find this and the next one by name */
static void a_boot(struct a_machine **m, unsigned int count)
{
	unsigned int i;

	for (i = 0; i < count; i++)
		pci_assign_unassigned_root_bus_resources(m[i]->root);
}

static void a_hot_add(struct a_machine *m, unsigned int i)
{
	pci_assign_unassigned_bridge_resources(m->dev[i]);
}

static void a_free(struct a_machine *m)
{
	unsigned int i;

	for (i = 0; i < m->max; i++)
		a_free_dev(m->dev[i]);
	pci_free_resource_list(&m->bridge->windows);
	pci_bus_remove_resources(m->root);
	kfree(m->root);
	kfree(m->bridge);
	kfree(m);
}

#ifdef ASSIGN_SERIES
#define A_SIDE	a_side_series
#define A_NAME	"series"
#else
#define A_SIDE	a_side_base
#define A_NAME	"base"
#endif

const struct a_side A_SIDE = {
	.name		= A_NAME,
	.make		= a_make,
	.add		= a_add,
	.put		= a_put,
	.get		= a_get,
	.live		= a_live,
	.remove		= a_remove,
	.boot		= a_boot,
	.hot_add	= a_hot_add,
	.free		= a_free,
};
