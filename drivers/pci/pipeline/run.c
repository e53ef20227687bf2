// SPDX-License-Identifier: GPL-2.0
/*
 * PCI enumeration pipeline: batches
 *
 * A batch is everything that one event brings: the host bridges waiting at
 * boot, a hot-added host bridge, a slot, a bus that is rescanned, a set of
 * virtual functions.  All of its devices pass one stage before the first of
 * them enters the next one, on every architecture, at boot and at hotplug.
 *
 * The rescan/remove lock is held from SCAN to ADD.  BIND follows after it is
 * dropped.
 */
#include <linux/atomic.h>
#include <linux/export.h>
#include <linux/list.h>
#include <linux/pci.h>

#include "../pci.h"
#include "pipeline.h"
#include "trace.h"

static atomic_t pci_batch_last;

/* The pass of each stage over a batch; SCAN and BIND are not passes */
static void (* const pci_batch_passes[])(struct pci_batch *batch) = {
	[PCI_STAGE_CLAIM]	= pci_batch_claim,
	[PCI_STAGE_ASSIGN]	= pci_batch_assign,
	[PCI_STAGE_CONFIGURE]	= pci_batch_configure,
	[PCI_STAGE_FINAL]	= pci_batch_final,
	[PCI_STAGE_ADD]		= pci_batch_add,
};

/**
 * pci_batch_new_id - number for a new batch
 *
 * Return: a number that no batch had since boot, never 0.
 */
unsigned int pci_batch_new_id(void)
{
	unsigned int id;

	do {
		id = atomic_inc_return(&pci_batch_last);
	} while (!id);

	return id;
}

/**
 * pci_batch_init - make an empty batch
 * @batch: the batch
 * @kind: what brings it
 * @flags: PCI_BATCH_ASSIGNED, PCI_BATCH_FRESH
 */
void pci_batch_init(struct pci_batch *batch, enum pci_batch_kind kind,
		    unsigned int flags)
{
	batch->id = 0;
	batch->kind = kind;
	batch->flags = flags;
	batch->count = 0;
	batch->host = NULL;
	batch->outer = NULL;
	INIT_LIST_HEAD(&batch->buses);
	INIT_LIST_HEAD(&batch->devices);
}

/**
 * pci_batch_add_bus - widen a batch by a further bus
 * @batch: the batch, started
 * @bus: what is scanned on and below this bus belongs to the batch
 *
 * Context: process context, rescan/remove lock held.
 */
void pci_batch_add_bus(struct pci_batch *batch, struct pci_bus *bus)
{
	pci_rescan_remove_assert_held();

	if (list_empty(&bus->batch_node))
		list_add_tail(&bus->batch_node, &batch->buses);
}
EXPORT_SYMBOL_GPL(pci_batch_add_bus);

/**
 * pci_batch_start - begin a batch
 * @batch: the batch, not initialized yet
 * @kind: what brings it
 * @flags: PCI_BATCH_ASSIGNED, PCI_BATCH_FRESH
 * @bus: what is scanned on and below this bus belongs to the batch
 *
 * Call it before the scan, but for PCI_BATCH_HOST and PCI_BATCH_COMPAT, which
 * may take up what is scanned already, and then have its number.  Each
 * pci_batch_start() needs its pci_batch_run() before the rescan/remove lock is
 * dropped, and its pci_batch_bind() after.
 * Batches may nest.
 *
 * Context: process context, rescan/remove lock held until pci_batch_run().
 */
void pci_batch_start(struct pci_batch *batch, enum pci_batch_kind kind,
		     unsigned int flags, struct pci_bus *bus)
{
	struct pci_host_bridge *host = pci_find_host_bridge(bus);

	pci_batch_init(batch, kind, flags);

	/* These come after the scan, which has chosen the number then */
	if ((kind == PCI_BATCH_HOST || kind == PCI_BATCH_COMPAT) &&
	    !host->batch)
		batch->id = host->batch_id;
	if (!batch->id)
		batch->id = pci_batch_new_id();

	pci_batch_add_bus(batch, bus);
	batch->host = host;
	get_device(&host->dev);
	batch->outer = host->batch;
	host->batch = batch;
	trace_pci_batch(batch, bus, "start");
}
EXPORT_SYMBOL_GPL(pci_batch_start);

/**
 * pci_host_is_new - is a host bridge enumerated, not something below it
 * @host: the host bridge
 *
 * Context: process context, rescan/remove lock held, in a hook of a stage.
 * Return: true if the batch brings the host bridge itself, at boot or later.
 */
bool pci_host_is_new(const struct pci_host_bridge *host)
{
	return host->waiting ||
	       (host->batch && host->batch->kind == PCI_BATCH_HOST);
}

/**
 * pci_batch_collect - take what was scanned below a bus into a batch
 * @batch: the batch
 * @bus: the bus
 *
 * Devices of a host bridge that waits are left to the boot batch.
 *
 * Context: process context, rescan/remove lock held.
 */
void pci_batch_collect(struct pci_batch *batch, struct pci_bus *bus)
{
	struct pci_host_bridge *host = pci_find_host_bridge(bus);
	struct pci_dev *dev, *next;

	if (host->waiting && batch->kind != PCI_BATCH_BOOT &&
	    batch->kind != PCI_BATCH_COMPAT)
		return;

	list_for_each_entry_safe(dev, next, &host->scanned, batch_node)
		if (pci_bus_is_below(dev->bus, bus))
			list_move_tail(&dev->batch_node, &batch->devices);

	if (list_empty(&host->scanned))
		host->batch_id = 0;
}

/* The buses are not looked at after ADD and may vanish with their bridges */
static void pci_batch_finish(struct pci_batch *batch)
{
	struct pci_bus *bus, *next;

	bus = list_first_entry_or_null(&batch->buses, struct pci_bus,
				       batch_node);
	trace_pci_batch(batch, bus, "done");

	list_for_each_entry_safe(bus, next, &batch->buses, batch_node)
		list_del_init(&bus->batch_node);
}

/**
 * pci_batch_each - take every device of a batch through one stage
 * @batch: the batch
 * @stage: the stage
 * @step: what the stage does to a device; NULL if there is nothing to do per
 *	device; a negative errno refuses the device
 *
 * Devices that have passed @stage already are left alone.
 *
 * Context: process context, rescan/remove lock held.
 */
void pci_batch_each(struct pci_batch *batch, enum pci_stage stage,
		    int (*step)(struct pci_batch *batch, struct pci_dev *dev))
{
	struct pci_dev *dev;
	int ret;

again:
	list_for_each_entry(dev, &batch->devices, batch_node) {
		if (dev->stage >= stage)
			continue;

		pci_dev_get(dev);
		ret = step ? step(batch, dev) : 0;
		if (dev->stage == PCI_STAGE_NONE) {
			/* @step removed it, perhaps with all below it */
			pci_dev_put(dev);
			goto again;
		}
		if (ret) {
			pci_stage_fail(dev, stage, ret);
			pci_dev_put(dev);
			goto again;
		}
		pci_stage_done(dev, stage);
		pci_dev_put(dev);
	}
}

/**
 * pci_batch_pass - run one pass over a batch
 * @batch: the batch
 * @stage: PCI_STAGE_CLAIM to PCI_STAGE_ADD
 *
 * Context: process context, rescan/remove lock held.
 */
void pci_batch_pass(struct pci_batch *batch, enum pci_stage stage)
{
	pci_batch_passes[stage](batch);
}

/**
 * pci_batch_run - take what was scanned through CLAIM to ADD
 * @batch: the batch
 *
 * Bridges that the scan found no bus number for are given one before.
 * Devices that cannot pass a stage are refused: each with one message, and
 * removed with everything below it.
 *
 * Context: process context, rescan/remove lock held since pci_batch_start().
 */
void pci_batch_run(struct pci_batch *batch)
{
	enum pci_stage stage;
	struct pci_bus *bus;

	pci_rescan_remove_assert_held();

	list_for_each_entry(bus, &batch->buses, batch_node) {
		pci_batch_number(batch, bus);
		pci_batch_collect(batch, bus);
	}

	/*
	 * A host bridge has windows to claim if nothing is below it yet, and a
	 * rescan without new devices assigns what had no room before.
	 */
	if (!list_empty(&batch->devices) || batch->kind == PCI_BATCH_HOST ||
	    (batch->kind == PCI_BATCH_BUS && !batch->host->waiting))
		for (stage = PCI_STAGE_CLAIM; stage <= PCI_STAGE_ADD; stage++)
			pci_batch_pass(batch, stage);
	pci_batch_finish(batch);

	batch->host->batch = batch->outer;
}
EXPORT_SYMBOL_GPL(pci_batch_run);

/**
 * pci_batch_run_device - take one scanned device through CLAIM to ADD
 * @batch: the batch, started
 * @dev: the device
 *
 * As pci_batch_run(), for @dev alone.
 *
 * Context: process context, rescan/remove lock held since pci_batch_start().
 */
void pci_batch_run_device(struct pci_batch *batch, struct pci_dev *dev)
{
	enum pci_stage stage;

	pci_rescan_remove_assert_held();

	if (dev->stage == PCI_STAGE_SCAN && !list_empty(&dev->batch_node)) {
		list_move_tail(&dev->batch_node, &batch->devices);
		for (stage = PCI_STAGE_CLAIM; stage <= PCI_STAGE_ADD; stage++)
			pci_batch_pass(batch, stage);
	}
	if (list_empty(&batch->host->scanned))
		batch->host->batch_id = 0;
	pci_batch_finish(batch);

	batch->host->batch = batch->outer;
}

static void pci_bind_device(struct pci_dev *dev)
{
	struct pci_awaited prev;
	int ret;

	if (!pci_stage_bind(dev))
		return;

	/* Callers of old bind with the rescan/remove lock held */
	pci_binding_begin(dev, &prev);
	ret = device_attach(&dev->dev);
	pci_awaiting_end(&prev);
	if (ret < 0 && ret != -EPROBE_DEFER)
		pci_warn(dev, "device attach failed (%d)\n", ret);
}

/**
 * pci_batch_bind - let drivers probe the devices of a batch
 * @batch: the batch
 *
 * Drops the batch's references.  A device that is removed meanwhile is not
 * bound.
 *
 * Context: process context; call it without the rescan/remove lock, so that
 * probe() may take it.
 */
void pci_batch_bind(struct pci_batch *batch)
{
	struct pci_dev *dev;

	while ((dev = pci_stage_next_to_bind(batch))) {
		pci_bind_device(dev);
		pci_dev_put(dev);
	}

	if (batch->host)
		put_device(&batch->host->dev);
}
EXPORT_SYMBOL_GPL(pci_batch_bind);
