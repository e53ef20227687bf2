// SPDX-License-Identifier: GPL-2.0
/*
 * PCI enumeration pipeline: the stage of a device
 *
 * A device passes the stages of enum pci_stage one after the other and goes
 * back to PCI_STAGE_NONE when it is taken out.  Up to PCI_STAGE_ADD the
 * rescan/remove lock protects every change.  BIND runs without that lock, so
 * that a driver's probe() may take it; there pci_batch_lock decides between
 * a device that is being bound and its removal.
 */
#include <linux/errno.h>
#include <linux/of.h>
#include <linux/pci.h>
#include <linux/spinlock.h>

#include "../pci.h"
#include "pipeline.h"
#include "trace.h"

/* Protects &pci_batch.devices after ADD, and the step from ADD to BIND */
static DEFINE_SPINLOCK(pci_batch_lock);

/* The one place that changes the stage of a device */
static void pci_stage_set(struct pci_dev *dev, enum pci_stage stage)
{
	if (WARN_ONCE(stage != PCI_STAGE_NONE && stage != dev->stage + 1,
		      "%s: stage %d after %d\n", pci_name(dev), stage,
		      dev->stage))
		return;

	WRITE_ONCE(dev->stage, stage);
	trace_pci_stage(dev, stage, 0);
}

/**
 * pci_stage_scanned - note that a device passed SCAN
 * @dev: the device
 *
 * Context: process context, rescan/remove lock held; callers that scan by
 * themselves at boot do without the lock.
 */
void pci_stage_scanned(struct pci_dev *dev)
{
	pci_stage_set(dev, PCI_STAGE_SCAN);
}

/**
 * pci_stage_done - note that a device passed a stage
 * @dev: the device
 * @stage: the stage, PCI_STAGE_CLAIM to PCI_STAGE_ADD; the one after the
 *	present stage
 *
 * Context: process context, rescan/remove lock held.
 */
void pci_stage_done(struct pci_dev *dev, enum pci_stage stage)
{
	pci_rescan_remove_assert_held();

	pci_stage_set(dev, stage);
}

/**
 * pci_stage_fail - refuse a device in a stage
 * @dev: the device
 * @stage: the stage that it does not pass
 * @error: why, a negative errno
 *
 * Takes the device, and everything below it, back through the stages that it
 * has passed.  The caller must not use @dev afterwards.
 *
 * Context: process context, rescan/remove lock held.
 */
void pci_stage_fail(struct pci_dev *dev, enum pci_stage stage, int error)
{
	pci_rescan_remove_assert_held();

	trace_pci_stage(dev, stage, error);
	pci_err(dev, "refused in stage %s: error %d\n",
		pci_stage_name(stage), error);
	pci_stop_and_remove_bus_device(dev);
}

/**
 * pci_stage_bind - let drivers probe a device
 * @dev: the device
 *
 * Context: any; the rescan/remove lock is not needed.
 * Return: true if the device is in the driver model and may be bound now,
 * false if it is being removed.
 */
bool pci_stage_bind(struct pci_dev *dev)
{
	struct device_node *dn = dev->dev.of_node;
	bool match = !dn || of_device_is_available(dn);
	bool ok;

	spin_lock(&pci_batch_lock);
	ok = dev->stage == PCI_STAGE_ADD && !dev->stopping;
	if (ok) {
		dev->match_driver = match;
		pci_stage_set(dev, PCI_STAGE_BIND);
	}
	spin_unlock(&pci_batch_lock);

	return ok;
}

/**
 * pci_stage_stop - keep drivers off a device that is going to be removed
 * @dev: the device
 *
 * Takes the device out of the batch that has not bound it yet.  A probe that
 * runs already is not waited for: the driver core does that.
 *
 * Context: process context, rescan/remove lock held.
 */
void pci_stage_stop(struct pci_dev *dev)
{
	bool queued;

	spin_lock(&pci_batch_lock);
	dev->match_driver = false;
	/* pci_batch_bind() may have taken it off its list already */
	dev->stopping = true;
	queued = !list_empty(&dev->batch_node);
	if (queued)
		list_del_init(&dev->batch_node);
	spin_unlock(&pci_batch_lock);

	if (queued)
		pci_dev_put(dev);
}

/**
 * pci_stage_unscan - a device is taken out
 * @dev: the device
 *
 * Context: process context, rescan/remove lock held.
 */
void pci_stage_unscan(struct pci_dev *dev)
{
	pci_stage_set(dev, PCI_STAGE_NONE);
}

/**
 * pci_stage_next_to_bind - take the first device off a batch
 * @batch: the batch
 *
 * Return: the device with the batch's reference on it, NULL at the end.
 */
struct pci_dev *pci_stage_next_to_bind(struct pci_batch *batch)
{
	struct pci_dev *dev;

	spin_lock(&pci_batch_lock);
	dev = list_first_entry_or_null(&batch->devices, struct pci_dev,
				       batch_node);
	if (dev)
		list_del_init(&dev->batch_node);
	spin_unlock(&pci_batch_lock);

	return dev;
}

/**
 * pci_stage_bind_later - leave it to another batch to bind the devices of one
 * @batch: the batch that has passed ADD
 * @to: the batch that pci_batch_bind() is called for
 */
void pci_stage_bind_later(struct pci_batch *batch, struct pci_batch *to)
{
	spin_lock(&pci_batch_lock);
	list_splice_tail_init(&batch->devices, &to->devices);
	spin_unlock(&pci_batch_lock);
}
