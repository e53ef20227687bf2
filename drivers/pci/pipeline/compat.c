// SPDX-License-Identifier: GPL-2.0
/*
 * PCI enumeration pipeline: callers that scan, assign and add by themselves
 *
 * They call pci_scan_child_bus() or a relative of it, program resources as
 * they like, and then one of the functions below, which take what was scanned
 * through the stages that are left.
 */
#include <linux/export.h>
#include <linux/pci.h>

#include "../pci.h"
#include "pipeline.h"

/*
 * A PCI driver that makes a host bridge of its own in probe() holds the
 * device_lock() of its device.
 */
static int pci_compat_enter(struct pci_bus *bus, bool *taken)
{
	struct device *parent = pci_find_host_bridge(bus)->dev.parent;

	if (parent && dev_is_pci(parent))
		return pci_rescan_remove_enter_dev(to_pci_dev(parent), taken);

	pci_rescan_remove_enter(taken);
	return 0;
}

/**
 * pci_bus_add_device - start driver for a single device
 * @dev: device to add
 *
 * Takes @dev, but nothing below it, through the rest of the stages.
 *
 * Context: process context, with or without the rescan/remove lock.
 */
void pci_bus_add_device(struct pci_dev *dev)
{
	struct pci_batch batch;
	bool taken;

	/* Nothing is added below what is being removed */
	if (pci_compat_enter(dev->bus, &taken)) {
		pci_rescan_remove_exit(taken);
		return;
	}

	pci_batch_start(&batch, PCI_BATCH_COMPAT, 0, dev->bus);
	pci_batch_run_device(&batch, dev);
	pci_rescan_remove_exit(taken);
	pci_batch_bind(&batch);
}
EXPORT_SYMBOL_GPL(pci_bus_add_device);

/**
 * pci_bus_add_devices - start driver for PCI devices
 * @bus: bus to check for new devices
 *
 * Takes what was scanned on and below @bus through the rest of the stages.
 *
 * Context: process context, with or without the rescan/remove lock.
 */
void pci_bus_add_devices(const struct pci_bus *bus)
{
	struct pci_bus *top = (struct pci_bus *)bus;
	struct pci_batch batch;
	bool taken;

	if (pci_compat_enter(top, &taken)) {
		pci_rescan_remove_exit(taken);
		return;
	}

	pci_batch_start(&batch, PCI_BATCH_COMPAT, 0, top);
	pci_batch_run(&batch);
	pci_rescan_remove_exit(taken);
	pci_batch_bind(&batch);
}
EXPORT_SYMBOL(pci_bus_add_devices);
