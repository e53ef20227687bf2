// SPDX-License-Identifier: GPL-2.0
/*
 * PCI enumeration pipeline: CONFIGURE, what needs addresses and comes before
 * FINAL fixups and drivers
 */
#include <linux/pci.h>

#include "../pci.h"
#include "pipeline.h"

static bool pci_dev_is_new(struct pci_dev *dev)
{
	return dev->stage < PCI_STAGE_CONFIGURE;
}

/* Are the devices on a bus all new; if there are none, is its bridge? */
static bool pci_bus_is_new(struct pci_bus *bus)
{
	struct pci_dev *dev;

	list_for_each_entry(dev, &bus->devices, bus_list)
		if (!pci_dev_is_new(dev))
			return false;

	return !list_empty(&bus->devices) || pci_dev_is_new(bus->self);
}

/*
 * Payload sizes have to agree from the port at the top of a hierarchy down to
 * its devices.  That is settled for each hierarchy that is new as a whole;
 * devices that are in use keep what they have.
 */
static void pci_configure_payload(struct pci_bus *bus)
{
	struct pci_dev *dev;

	if (bus->self && pci_bus_is_new(bus)) {
		pcie_bus_configure_settings(bus);
		return;
	}

	list_for_each_entry(dev, &bus->devices, bus_list)
		if (dev->subordinate)
			pci_configure_payload(dev->subordinate);
}

static int pci_configure_device(struct pci_batch *batch, struct pci_dev *dev)
{
	const struct pci_pipeline_ops *ops;

	pci_segments_map(batch, dev);

	ops = pci_find_host_bridge(dev->bus)->pipeline_ops;
	return ops && ops->configure ? ops->configure(dev) : 0;
}

/**
 * pci_batch_configure - CONFIGURE: set up what drivers and fixups rely on
 * @batch: the batch
 *
 * Context: process context, rescan/remove lock held.
 */
void pci_batch_configure(struct pci_batch *batch)
{
	struct pci_bus *bus;

	if (batch->kind != PCI_BATCH_COMPAT && batch->kind != PCI_BATCH_VF)
		list_for_each_entry(bus, &batch->buses, batch_node)
			if (!pci_find_host_bridge(bus)->probe_only)
				pci_configure_payload(bus);

	pci_batch_each(batch, PCI_STAGE_CONFIGURE, pci_configure_device);
}
