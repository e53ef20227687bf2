// SPDX-License-Identifier: GPL-2.0
/*
 * PCI enumeration pipeline: SCAN, and the way back from it
 */
#include <linux/list.h>
#include <linux/pci.h>
#include <linux/pm_runtime.h>

#include "../pci.h"
#include "pipeline.h"

/* The batch that scans now, the one of waiting hosts, or one of its own */
static unsigned int pci_scan_batch_id(struct pci_host_bridge *host)
{
	if (host->batch)
		return host->batch->id;

	if (!host->batch_id)
		host->batch_id = pci_holds_taken() ? pci_boot_batch_id() :
						     pci_batch_new_id();
	return host->batch_id;
}

/**
 * pci_scan_done - SCAN: a device is set up and on its bus's list
 * @dev: the device, initialized and not in the driver model
 *
 * The device waits on its host bridge for the batch that takes it on.
 *
 * Context: process context, rescan/remove lock held; callers that scan by
 * themselves at boot do without the lock.
 */
void pci_scan_done(struct pci_dev *dev)
{
	struct pci_host_bridge *host = pci_find_host_bridge(dev->bus);

	if (host->batch)
		pci_rescan_remove_assert_held();

	dev->match_driver = false;
	dev->batch = pci_scan_batch_id(host);
	list_add_tail(&pci_dev_get(dev)->batch_node, &host->scanned);
	pci_lookup_add(dev);

	pci_stage_scanned(dev);
}

/**
 * pci_unscan - take back what the stages before ADD did to a device
 * @dev: the device, off its bus's list
 *
 * device_del() does the same for a device that is in the driver model.
 *
 * Context: process context, rescan/remove lock held.
 */
void pci_unscan(struct pci_dev *dev)
{
	const struct pci_pipeline_ops *ops;

	ops = pci_find_host_bridge(dev->bus)->pipeline_ops;
	if (ops && ops->unconfigure && dev->stage >= PCI_STAGE_CONFIGURE)
		ops->unconfigure(dev);

	/* Give the parent's usage and child counts back */
	pm_runtime_disable(&dev->dev);
	pm_runtime_set_suspended(&dev->dev);
}
