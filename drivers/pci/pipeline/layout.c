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

/* Plan; how many BARs get no address, or a negative errno */
static int layout_plan(struct pci_layout *layout)
{
	unsigned int required;
	const char *wrong;
	int ret;

	ret = pci_layout_collect(layout);
	if (ret)
		return ret;
	if (layout->cardbus)
		return -EOPNOTSUPP;

	required = pci_plan(&layout->plan);
	wrong = pci_plan_check(&layout->plan);
	if (wrong) {
		dev_WARN(&layout->bus->dev, "plan of addresses: %s\n", wrong);
		return -EINVAL;
	}

	return layout->flags & PCI_LAYOUT_REQUIRED ? required :
						     layout->plan.missing;
}

static int layout_assign(struct pci_bus *bus, unsigned long type,
			 unsigned int flags)
{
	struct pci_layout layout = { .bus = bus, .type = type, .flags = flags };
	struct pci_bus *root = pci_find_host_bridge(bus)->bus;
	int ret;

	/* Most often there is room behind the bridge */
	ret = layout_plan(&layout);
	if (ret > 0 && bus != root) {
		pci_layout_free(&layout);
		layout = (struct pci_layout){
			.bus = root, .type = type, .flags = flags,
		};
		ret = layout_plan(&layout);
	}
	if (!ret || (ret > 0 && !(flags & PCI_LAYOUT_ALL))) {
		ret = pci_layout_apply(&layout) ?: ret;
		if (ret >= 0)
			pci_plan_record(&layout);
	}
	pci_layout_free(&layout);

	return ret;
}

/**
 * pci_layout_assign - give addresses to what has none on and below a bus
 * @bus: the bus
 * @flags: PCI_LAYOUT_KEEP_BARS, PCI_LAYOUT_KEEP_WINDOWS: what has a place
 *	stays there; PCI_LAYOUT_ALL: change nothing if something would get none;
 *	PCI_LAYOUT_REQUIRED: what is optional need not have any
 *
 * I/O and memory are planned one after the other; one may get its places and
 * the other not.
 *
 * Context: process context, pci_bus_sem and pci_assign_rwsem held.
 * Return: how many BARs have no address, optional ones too if these count;
 * -EOPNOTSUPP if there is something below the bus that plans do not describe,
 * or another negative errno.
 */
int pci_layout_assign(struct pci_bus *bus, unsigned int flags)
{
	int io, mem;

	io = layout_assign(bus, IORESOURCE_IO, flags);
	if (io < 0)
		return io;
	mem = layout_assign(bus, IORESOURCE_MEM, flags);

	return mem < 0 ? mem : io + mem;
}
