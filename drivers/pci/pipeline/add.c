// SPDX-License-Identifier: GPL-2.0
/*
 * PCI enumeration pipeline: ADD, into the driver model
 *
 * Top-down: a bridge, then its bus, then what is on that bus.  A device has
 * its addresses and its FINAL fixups when the driver core, its notifiers and
 * user space meet it.
 */
#include <linux/device.h>
#include <linux/errno.h>
#include <linux/of.h>
#include <linux/of_platform.h>
#include <linux/pci.h>
#include <linux/platform_device.h>

#include "../pci.h"
#include "pipeline.h"

/* How long a device may ask for retries (PCIe r6.0 sec 2.3.1) */
#define PCI_ADD_RETRY_MS	1000

/**
 * pci_bus_register - put a child bus into the driver model
 * @bus: the bus, initialized, its bridge registered
 *
 * Context: process context, rescan/remove lock held.
 * Return: 0 or a negative errno.
 */
int pci_bus_register(struct pci_bus *bus)
{
	int ret;

	/* Set up legacy_io and legacy_mem files for this bus */
	pci_create_legacy_files(bus);

	ret = device_add(&bus->dev);
	if (ret)
		pci_remove_legacy_files(bus);
	return ret;
}

/* A device that asks for a retry, after a reset for example, is still there */
static bool pci_dev_answers(struct pci_dev *dev)
{
	u32 id;

	if (dev->is_virtfn)
		return pci_device_is_present(dev);

	return !pci_dev_is_disconnected(dev) &&
	       pci_bus_read_dev_vendor_id(dev->bus, dev->devfn, &id,
					  PCI_ADD_RETRY_MS);
}

/*
 * Hot-added hardware may be gone again.  At boot nobody has pulled anything,
 * and what firmware described to a COMPAT caller need not answer a read of
 * its vendor ID.
 */
static bool pci_dev_vanished(struct pci_batch *batch, struct pci_dev *dev)
{
	switch (batch->kind) {
	case PCI_BATCH_BUS:
	case PCI_BATCH_SLOT:
	case PCI_BATCH_VF:
		return !pci_dev_answers(dev);
	default:
		return false;
	}
}

static int pci_add_device(struct pci_batch *batch, struct pci_dev *dev)
{
	int ret;

	if (pci_dev_vanished(batch, dev))
		return -ENODEV;

	if (pci_create_sysfs_dev_files(dev))
		pci_warn(dev, "no resource files in sysfs\n");

	ret = device_add(&dev->dev);
	if (ret)
		return ret;

	if (dev->subordinate && !device_is_registered(&dev->subordinate->dev)) {
		ret = pci_bus_register(dev->subordinate);
		if (ret)
			return ret;
	}

	pci_npem_create(dev);
	pcibios_bus_add_device(dev);
	if (pci_is_bridge(dev))
		of_pci_make_dev_node(dev);
	pci_proc_attach_device(dev);
	pci_bridge_d3_update(dev);

	/* Save config space for error recoverability */
	pci_save_state(dev);

	pci_caps_end(dev);
	pci_dev_assign_added(dev, true);
	batch->count++;
	return 0;
}

/*
 * A device tree may describe what powers the devices below a bridge; these
 * are platform devices of their own.  The lock is held: the bridge's removal
 * takes them away again.
 */
static void pci_create_pwrctl_devices(struct pci_dev *dev)
{
	struct device_node *dn = dev_of_node(&dev->dev);
	struct platform_device *pdev;

	if (!dn || !pci_is_bridge(dev))
		return;

	for_each_available_child_of_node_scoped(dn, child) {
		if (!of_pci_supply_present(child)) {
			pci_dbg(dev, "skipping OF node: %s\n", child->name);
			continue;
		}

		pdev = of_platform_device_create(child, NULL, &dev->dev);
		if (!pdev)
			pci_err(dev, "failed to create OF node: %s\n",
				child->name);
	}
}

/**
 * pci_batch_add - ADD: put the devices of a batch into the driver model
 * @batch: the batch
 *
 * No driver probes yet.  The ADDED fixups run when all devices are in.
 *
 * Context: process context, rescan/remove lock held.
 */
void pci_batch_add(struct pci_batch *batch)
{
	struct pci_dev *dev;

	pci_batch_each(batch, PCI_STAGE_ADD, pci_add_device);

	list_for_each_entry(dev, &batch->devices, batch_node) {
		pci_fixup_device(pci_fixup_added, dev);
		pci_create_pwrctl_devices(dev);
	}
}
