// SPDX-License-Identifier: GPL-2.0
/*
 * PCI enumeration pipeline: holds, and the batch of the hosts that wait
 *
 * A host bridge is scanned when it is discovered.  While a hold is taken its
 * batch does not run on alone: the host joins the boot batch, which goes as
 * far as the stage that the lowest hold keeps back.  The release of a hold
 * takes it on from there; after the release of the last one it is complete.
 * Hosts that appear when no hold is taken run straight through.
 *
 * The order in which holds are released does not matter.  Nothing here knows
 * about initcall levels.
 */
#include <linux/init.h>
#include <linux/ktime.h>
#include <linux/list.h>
#include <linux/pci.h>
#include <linux/printk.h>
#include <linux/spinlock.h>

#include "../pci.h"
#include "pipeline.h"
#include "trace.h"

/* Protects the lists of holds and of added work, and pci_boot_busy */
static DEFINE_SPINLOCK(pci_hold_lock);
static LIST_HEAD(pci_holds);
static LIST_HEAD(pci_added_works);

/* Tasks that have released a hold and are taking the boot batch on */
static unsigned int pci_boot_busy;

/*
 * The hosts that wait, all under the rescan/remove lock: pci_boot_batch has
 * passed pci_boot_stage, pci_boot_late joined since then.
 */
static struct pci_batch pci_boot_batch = {
	.kind		= PCI_BATCH_BOOT,
	.buses		= LIST_HEAD_INIT(pci_boot_batch.buses),
	.devices	= LIST_HEAD_INIT(pci_boot_batch.devices),
};

static struct pci_batch pci_boot_late = {
	.kind		= PCI_BATCH_BOOT,
	.buses		= LIST_HEAD_INIT(pci_boot_late.buses),
	.devices	= LIST_HEAD_INIT(pci_boot_late.devices),
};

static enum pci_stage pci_boot_stage = PCI_STAGE_SCAN;
static ktime_t pci_boot_since;

/**
 * pci_holds_taken - does any hold keep host bridges waiting
 *
 * Context: any.
 * Return: true if hosts that are discovered now join the boot batch.
 */
bool pci_holds_taken(void)
{
	bool taken;

	spin_lock(&pci_hold_lock);
	taken = pci_boot_busy || !list_empty(&pci_holds);
	spin_unlock(&pci_hold_lock);

	return taken;
}

/**
 * pci_enumeration_pending - are devices still to come from waiting hosts
 *
 * Context: any.
 * Return: true from the first pci_hold_take() until the boot batch has passed
 * ADD, false otherwise.
 */
bool pci_enumeration_pending(void)
{
	return pci_holds_taken();
}
EXPORT_SYMBOL_GPL(pci_enumeration_pending);

/**
 * pci_bus_pending - does the host bridge of a bus wait for a hold
 * @bus: the bus
 *
 * Return: true if what is below @bus is scanned and not yet in the driver
 * model, because a hold is taken.
 */
bool pci_bus_pending(struct pci_bus *bus)
{
	return READ_ONCE(pci_find_host_bridge(bus)->waiting);
}
EXPORT_SYMBOL_GPL(pci_bus_pending);

/**
 * pci_boot_batch_id - number of the batch that waiting hosts join
 *
 * Context: process context, rescan/remove lock held or single-threaded boot.
 * Return: the number.
 */
unsigned int pci_boot_batch_id(void)
{
	if (!pci_boot_batch.id)
		pci_boot_batch.id = pci_batch_new_id();

	return pci_boot_batch.id;
}

/* The stage before which the boot batch has to stop */
static enum pci_stage pci_boot_limit(void)
{
	enum pci_stage limit = PCI_STAGE_BIND;
	struct pci_hold *hold;

	spin_lock(&pci_hold_lock);
	list_for_each_entry(hold, &pci_holds, node)
		limit = min(limit, hold->before);
	spin_unlock(&pci_hold_lock);

	return limit;
}

/* Take the boot batch as far as the holds allow; true if it passed ADD */
static bool pci_boot_advance(void)
{
	enum pci_stage limit = pci_boot_limit(), stage;
	struct pci_bus *bus, *next;

	/* What a hotplug event or a rescan found below a host that waits */
	list_for_each_entry_safe(bus, next, &pci_boot_batch.buses, batch_node)
		if (!list_empty(&pci_find_host_bridge(bus)->scanned))
			list_move_tail(&bus->batch_node, &pci_boot_late.buses);
	list_for_each_entry(bus, &pci_boot_late.buses, batch_node)
		pci_batch_collect(&pci_boot_late, bus);

	for (stage = PCI_STAGE_CLAIM; stage < limit; stage++) {
		if (stage <= pci_boot_stage) {
			/* Latecomers catch up first */
			pci_batch_pass(&pci_boot_late, stage);
			continue;
		}

		list_splice_tail_init(&pci_boot_late.buses,
				      &pci_boot_batch.buses);
		list_splice_tail_init(&pci_boot_late.devices,
				      &pci_boot_batch.devices);
		pci_batch_pass(&pci_boot_batch, stage);
		pci_boot_stage = stage;
	}

	return limit == PCI_STAGE_BIND;
}

static void pci_boot_call_works(struct list_head *works)
{
	struct pci_added_work *work, *next;

	list_for_each_entry_safe(work, next, works, node) {
		list_del_init(&work->node);
		work->func(work);
	}
}

/*
 * After ADD: hand the boot batch over, so that new hosts can wait again, and
 * the works that waited for it.
 */
static void pci_boot_take(struct pci_batch *batch, struct list_head *works)
{
	struct pci_bus *bus, *next;
	bool any = false;

	*batch = pci_boot_batch;
	INIT_LIST_HEAD(&batch->buses);
	INIT_LIST_HEAD(&batch->devices);
	list_splice_init(&pci_boot_batch.devices, &batch->devices);

	spin_lock(&pci_hold_lock);
	list_splice_tail_init(&pci_added_works, works);
	spin_unlock(&pci_hold_lock);

	list_for_each_entry_safe(bus, next, &pci_boot_batch.buses, batch_node) {
		list_del_init(&bus->batch_node);
		WRITE_ONCE(pci_find_host_bridge(bus)->waiting, false);
		any = true;
	}

	if (any) {
		pr_info("PCI: batch %u: %u devices added, %lld ms after the first host bridge\n",
			batch->id, batch->count,
			ktime_ms_delta(ktime_get(), pci_boot_since));
		trace_pci_batch(batch, NULL, "done");
	}

	pci_boot_batch.id = 0;
	pci_boot_batch.count = 0;
	pci_boot_stage = PCI_STAGE_SCAN;
}

/*
 * A host that came after ADD, and before its works could be called at once,
 * waits as if a hold were taken.
 */
static bool pci_boot_more(void)
{
	bool taken, more;

	pci_rescan_remove_enter(&taken);
	spin_lock(&pci_hold_lock);
	more = list_empty(&pci_holds) &&
	       (!list_empty(&pci_boot_late.buses) ||
		!list_empty(&pci_added_works));
	if (!more)
		pci_boot_busy--;
	spin_unlock(&pci_hold_lock);
	pci_rescan_remove_exit(taken);

	return more;
}

/* The caller counts in pci_boot_busy until this returns */
static void pci_boot_continue(void)
{
	struct pci_batch batch;
	bool taken, complete;
	LIST_HEAD(works);

	do {
		pci_rescan_remove_enter(&taken);
		complete = pci_boot_advance();
		if (complete)
			pci_boot_take(&batch, &works);
		pci_rescan_remove_exit(taken);

		if (!complete)
			break;

		pci_boot_call_works(&works);
		pci_batch_bind(&batch);
	} while (pci_boot_more());

	/* The release of another hold goes on from here */
	if (!complete) {
		spin_lock(&pci_hold_lock);
		pci_boot_busy--;
		spin_unlock(&pci_hold_lock);
	}
}

/**
 * pci_hold_take - make host bridges wait
 * @hold: the reason
 *
 * Take it before the first host bridge can appear that has to wait.  Hosts
 * are scanned all the same, but their devices do not enter @hold->before
 * until pci_hold_release().  Taking a hold that is taken does nothing.
 *
 * Context: any.
 */
void pci_hold_take(struct pci_hold *hold)
{
	bool took;

	/* BIND waits for nothing but ADD */
	WARN_ON(hold->before <= PCI_STAGE_SCAN || hold->before > PCI_STAGE_ADD);

	spin_lock(&pci_hold_lock);
	took = !hold->taken;
	if (took) {
		hold->taken = true;
		list_add_tail(&hold->node, &pci_holds);
	}
	spin_unlock(&pci_hold_lock);

	if (took)
		trace_pci_hold(hold, "take");
}
EXPORT_SYMBOL_GPL(pci_hold_take);

/**
 * pci_hold_release - the reason to wait is gone
 * @hold: the reason
 *
 * The release of the last hold takes all waiting hosts through to BIND before
 * it returns.  Releasing a hold that is not taken does nothing.
 *
 * Context: process context, no rescan/remove lock held.
 */
void pci_hold_release(struct pci_hold *hold)
{
	bool released;

	spin_lock(&pci_hold_lock);
	released = hold->taken;
	if (released) {
		hold->taken = false;
		list_del_init(&hold->node);
		pci_boot_busy++;
	}
	spin_unlock(&pci_hold_lock);

	if (!released)
		return;

	trace_pci_hold(hold, "release");
	pci_boot_continue();
}
EXPORT_SYMBOL_GPL(pci_hold_release);

/**
 * pci_when_added - call a function once the waiting host bridges are in
 * @work: the function; must stay valid until it is called
 *
 * The function is called at once if no host bridge waits, and otherwise after
 * ADD of the boot batch, before any of its devices is bound.
 *
 * Context: process context, no PCI locks held.
 */
void pci_when_added(struct pci_added_work *work)
{
	bool wait;

	spin_lock(&pci_hold_lock);
	wait = pci_boot_busy || !list_empty(&pci_holds);
	if (wait)
		list_add_tail(&work->node, &pci_added_works);
	spin_unlock(&pci_hold_lock);

	if (!wait)
		work->func(work);
}
EXPORT_SYMBOL_GPL(pci_when_added);

/**
 * pci_batch_host - enumerate a host bridge whose root bus is scanned
 * @batch: the batch of the host bridge; initialized here
 * @root: the root bus
 *
 * While a hold is taken the host bridge joins the boot batch, and @batch
 * stays empty.  Call pci_batch_bind() in any case.
 *
 * Context: process context, rescan/remove lock held since before the scan.
 */
void pci_batch_host(struct pci_batch *batch, struct pci_bus *root)
{
	struct pci_host_bridge *host = pci_find_host_bridge(root);

	pci_rescan_remove_assert_held();

	if (pci_holds_taken()) {
		pci_batch_init(batch, PCI_BATCH_HOST, 0);
		if (list_empty(&pci_boot_batch.buses) &&
		    list_empty(&pci_boot_late.buses)) {
			pci_boot_since = ktime_get();
			pci_boot_batch_id();
			trace_pci_batch(&pci_boot_batch, root, "start");
		}
		WRITE_ONCE(host->waiting, true);
		pci_batch_number(batch, root);
		pci_boot_late.id = pci_boot_batch.id;
		pci_batch_add_bus(&pci_boot_late, root);
		pci_batch_collect(&pci_boot_late, root);
		return;
	}

	pci_batch_start(batch, PCI_BATCH_HOST, 0, root);
	pci_batch_run(batch);
}
EXPORT_SYMBOL_GPL(pci_batch_host);

/**
 * pci_holds_forgotten - release what nobody released
 *
 * A machine always boots.  Not __init: there is a test for it.
 *
 * Context: process context, no rescan/remove lock held.
 * Return: 0.
 */
int pci_holds_forgotten(void)
{
	struct pci_hold *hold;

	for (;;) {
		spin_lock(&pci_hold_lock);
		hold = list_first_entry_or_null(&pci_holds, struct pci_hold,
						node);
		spin_unlock(&pci_hold_lock);
		if (!hold)
			break;
		pr_warn("PCI: hold \"%s\" was never released, host bridges waited for it\n",
			hold->name);
		pci_hold_release(hold);
	}

	return 0;
}
late_initcall(pci_holds_forgotten);
