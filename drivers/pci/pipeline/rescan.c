// SPDX-License-Identifier: GPL-2.0
/*
 * PCI enumeration pipeline: rescans and hotplug slots
 */
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/pci.h>

#include "../pci.h"
#include "pipeline.h"

/**
 * pci_rescan_bus_bridge_resize - Scan a PCI bus for devices
 * @bridge: PCI bridge for the bus to scan
 *
 * Scan a PCI bus and child buses for new devices, add them, and enable them,
 * resizing the windows of @bridge if necessary and possible.  The caller must
 * ensure that the child devices are removed already for that to be possible.
 *
 * Context: process context, rescan/remove lock held.
 * Return: the highest bus number found.
 */
unsigned int pci_rescan_bus_bridge_resize(struct pci_dev *bridge)
{
	struct pci_bus *bus = bridge->subordinate;
	struct pci_batch batch;
	unsigned int max;

	pci_batch_start(&batch, PCI_BATCH_BUS, PCI_BATCH_FRESH, bus);
	max = pci_scan_child_bus(bus);
	pci_batch_run(&batch);
	pci_batch_bind(&batch);

	return max;
}

/**
 * pci_rescan_bus - Scan a PCI bus for devices
 * @bus: PCI bus to scan
 *
 * Scan a PCI bus and child buses for new devices, add them, and enable them.
 *
 * Context: process context, rescan/remove lock held.
 * Return: the highest bus number found.
 */
unsigned int pci_rescan_bus(struct pci_bus *bus)
{
	struct pci_batch batch;
	unsigned int max;

	pci_batch_start(&batch, PCI_BATCH_BUS, 0, bus);
	max = pci_scan_child_bus(bus);
	pci_batch_run(&batch);
	pci_batch_bind(&batch);

	return max;
}
EXPORT_SYMBOL_GPL(pci_rescan_bus);

/**
 * pci_rescan_bus_locked - Scan a PCI bus for devices, with the lock
 * @bus: PCI bus to scan
 *
 * As pci_rescan_bus(), but takes the rescan/remove lock itself, and binds
 * drivers after dropping it.
 *
 * Context: process context, rescan/remove lock not held.
 * Return: the highest bus number found.
 */
unsigned int pci_rescan_bus_locked(struct pci_bus *bus)
{
	struct pci_batch batch;
	unsigned int max;

	pci_lock_rescan_remove();
	pci_batch_start(&batch, PCI_BATCH_BUS, 0, bus);
	max = pci_scan_child_bus(bus);
	pci_batch_run(&batch);
	pci_unlock_rescan_remove();
	pci_batch_bind(&batch);

	return max;
}
EXPORT_SYMBOL_GPL(pci_rescan_bus_locked);

/**
 * pci_rescan_all - Scan all PCI buses for devices
 *
 * As pci_rescan_bus_locked() for each root bus.  No driver is bound before
 * all of them are scanned, and the lock is dropped.
 *
 * Context: process context, rescan/remove lock not held.
 */
void pci_rescan_all(void)
{
	struct pci_batch batch, all;
	struct pci_bus *root = NULL;

	pci_batch_init(&all, PCI_BATCH_BUS, 0);

	pci_lock_rescan_remove();
	while ((root = pci_find_next_bus(root))) {
		pci_batch_start(&batch, PCI_BATCH_BUS, 0, root);
		pci_scan_child_bus(root);
		pci_batch_run(&batch);
		pci_stage_bind_later(&batch, &all);
		pci_batch_bind(&batch);
	}
	pci_unlock_rescan_remove();

	pci_batch_bind(&all);
}

/**
 * pci_scan_slot_bridges - scan a slot and what is behind its bridges
 * @bus: bus of the slot
 * @devfn: the slot, function 0
 *
 * Context: process context, rescan/remove lock held, within a batch.
 * Return: number of new devices in the slot, 0 if there are none.
 */
int pci_scan_slot_bridges(struct pci_bus *bus, int devfn)
{
	struct pci_dev *dev;
	int count;

	count = pci_scan_slot(bus, devfn);
	if (!count)
		return 0;

	for_each_pci_bridge(dev, bus)
		if (PCI_SLOT(dev->devfn) == PCI_SLOT(devfn) &&
		    !pci_dev_is_added(dev))
			pci_hp_add_bridge(dev);

	return count;
}
EXPORT_SYMBOL_GPL(pci_scan_slot_bridges);

/**
 * pci_enumerate_slot - enumerate what is new in a slot
 * @bus: bus of the slot
 * @devfn: the slot, function 0
 * @flags: PCI_BATCH_ASSIGNED, PCI_BATCH_FRESH
 *
 * Context: process context, rescan/remove lock not held.
 * Return: number of new devices in the slot, 0 if there are none.
 */
int pci_enumerate_slot(struct pci_bus *bus, int devfn, unsigned int flags)
{
	struct pci_batch batch;
	int count;

	pci_lock_rescan_remove();
	pci_batch_start(&batch, PCI_BATCH_SLOT, flags, bus);
	count = pci_scan_slot_bridges(bus, devfn);
	pci_batch_run(&batch);
	pci_unlock_rescan_remove();
	pci_batch_bind(&batch);

	return count;
}
EXPORT_SYMBOL_GPL(pci_enumerate_slot);
