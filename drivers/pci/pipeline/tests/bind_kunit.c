// SPDX-License-Identifier: GPL-2.0
/*
 * PCI enumeration pipeline tests: binding drivers
 */
#include <kunit/test.h>
#include <linux/atomic.h>
#include <linux/kthread.h>
#include <linux/pci.h>

#include "../pipeline.h"
#include "emul.h"

#define BIND_PORTS	2
#define BIND_ROUNDS	40
#define BIND_RESCANS	200

/* What the driver below does in its probe(), and saw */
static struct {
	void (*in_probe)(struct pci_dev *dev);
	atomic_t probed;
	atomic_t removed;
	atomic_t unregistered;
} bind_seen;

/* All functions of the device are in the driver model when one is bound */
static void bind_look_at_siblings(struct pci_dev *dev)
{
	struct pci_dev *sibling;
	unsigned int i;

	for (i = 0; i < 8; i++) {
		sibling = pci_get_scanned_slot(pci_domain_nr(dev->bus),
					       dev->bus->number,
					       PCI_DEVFN(PCI_SLOT(dev->devfn),
							 i));
		if (sibling && !device_is_registered(&sibling->dev))
			atomic_inc(&bind_seen.unregistered);
		pci_dev_put(sibling);
	}
}

static int bind_probe(struct pci_dev *dev, const struct pci_device_id *id)
{
	atomic_inc(&bind_seen.probed);
	bind_look_at_siblings(dev);
	if (bind_seen.in_probe)
		bind_seen.in_probe(dev);

	return 0;
}

static void bind_remove(struct pci_dev *dev)
{
	atomic_inc(&bind_seen.removed);
}

static const struct pci_device_id bind_ids[] = {
	{ PCI_DEVICE(EMUL_VENDOR, EMUL_DEVICE_ENDPOINT) },
	{ }
};

static struct pci_driver bind_driver = {
	.name		= "pci-pipeline-bind-test",
	.id_table	= bind_ids,
	.probe		= bind_probe,
	.remove		= bind_remove,
};

static void bind_unregister(void *data)
{
	pci_unregister_driver(&bind_driver);
}

static void bind_register(struct kunit *test)
{
	bind_seen.in_probe = NULL;
	atomic_set(&bind_seen.probed, 0);
	atomic_set(&bind_seen.removed, 0);
	atomic_set(&bind_seen.unregistered, 0);
	KUNIT_ASSERT_EQ(test, pci_register_driver(&bind_driver), 0);
	emul_do(test, bind_unregister, NULL);
}

/* A hotplug port with a device that has @functions functions */
static struct emul_fn *bind_port(struct emul_host *host, unsigned int nr,
				 unsigned int functions)
{
	static const struct emul_bar bar = { SZ_64K, EMUL_BAR_MEM };
	struct emul_fn *port, *fn;
	unsigned int i;

	port = emul_add_port(host, NULL, PCI_DEVFN(1 + nr, 0),
			     PCI_EXP_TYPE_ROOT_PORT);
	emul_set_hotplug(port, 0x10 * nr + 1, 0x10 * nr + 8);
	for (i = 0; i < functions; i++) {
		fn = emul_add_endpoint(host, port, i, &bar, 1);
		emul_set(fn, PCI_HEADER_TYPE, 1, PCI_HEADER_TYPE_MFD, 0, 0);
	}
	emul_plug(port);

	return port;
}

static void bind_plug(struct emul_fn *port, bool plug)
{
	unsigned int i;

	for (i = 0; i < 8; i++)
		if (port->below[i]) {
			if (plug)
				emul_plug(port->below[i]);
			else
				emul_unplug(port->below[i]);
		}
}

static void bind_siblings_first(struct kunit *test)
{
	struct emul_host *host = emul_host_create(test);
	struct emul_fn *port = bind_port(host, 0, 8);

	bind_register(test);
	KUNIT_ASSERT_EQ(test, emul_host_probe(host), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&bind_seen.probed), 8);

	emul_remove_below(port);
	KUNIT_EXPECT_EQ(test, atomic_read(&bind_seen.removed), 8);
	bind_plug(port, true);
	KUNIT_EXPECT_EQ(test, emul_enumerate(port, PCI_BATCH_FRESH), 8);
	KUNIT_EXPECT_EQ(test, atomic_read(&bind_seen.probed), 16);
	KUNIT_EXPECT_EQ(test, atomic_read(&bind_seen.unregistered), 0);
	emul_check_sane(host);
}

/* A batch up to ADD; pci_batch_bind() is left to the caller */
static void bind_add(struct emul_fn *port, struct pci_batch *batch)
{
	struct pci_bus *bus;

	pci_lock_rescan_remove();
	bus = emul_bus_below(port);
	pci_batch_start(batch, PCI_BATCH_SLOT, PCI_BATCH_FRESH, bus);
	pci_scan_slot_bridges(bus, 0);
	pci_batch_run(batch);
	pci_unlock_rescan_remove();
}

/* A driver that is loaded between ADD and BIND does not come too early */
static void bind_waits(struct kunit *test)
{
	struct emul_host *host = emul_host_create(test);
	struct emul_fn *port = bind_port(host, 0, 2);
	struct pci_batch batch;
	unsigned int early;

	bind_plug(port, false);
	KUNIT_ASSERT_EQ(test, emul_host_probe(host), 0);
	bind_plug(port, true);
	bind_add(port, &batch);
	bind_register(test);
	early = atomic_read(&bind_seen.probed);
	pci_batch_bind(&batch);
	KUNIT_EXPECT_EQ(test, early, 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&bind_seen.probed), 2);
	emul_check_sane(host);
}

/* A device that is removed between ADD and BIND is not bound */
static void bind_after_removal(struct kunit *test)
{
	struct emul_host *host = emul_host_create(test);
	struct emul_fn *port = bind_port(host, 0, 4);
	struct pci_batch batch;

	bind_register(test);
	bind_plug(port, false);
	KUNIT_ASSERT_EQ(test, emul_host_probe(host), 0);
	bind_plug(port, true);
	bind_add(port, &batch);
	emul_remove(port->below[0]);
	emul_unplug(port->below[0]);
	emul_remove(port->below[2]);
	emul_unplug(port->below[2]);
	pci_batch_bind(&batch);
	KUNIT_EXPECT_EQ(test, atomic_read(&bind_seen.probed), 2);
	emul_check_sane(host);

	/* And with all of them, and the port above */
	emul_remove_below(port);
	bind_plug(port, true);
	bind_add(port, &batch);
	emul_remove(port);
	emul_unplug(port);
	pci_batch_bind(&batch);
	KUNIT_EXPECT_EQ(test, atomic_read(&bind_seen.probed), 2);
	emul_check_sane(host);
}

static void bind_take_lock(struct pci_dev *dev)
{
	pci_lock_rescan_remove();
	pci_unlock_rescan_remove();
}

/* probe() runs without the lock, wherever the device comes from */
static void bind_probe_locks(struct kunit *test)
{
	static DEFINE_PCI_HOLD(hold, "test-bind", PCI_STAGE_FINAL);
	struct emul_host *host = emul_host_create(test);
	struct emul_fn *port = bind_port(host, 0, 1);

	bind_register(test);
	bind_seen.in_probe = bind_take_lock;
	KUNIT_ASSERT_EQ(test, emul_host_probe(host), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&bind_seen.probed), 1);

	emul_remove_below(port);
	bind_plug(port, true);
	emul_enumerate(port, PCI_BATCH_FRESH);
	KUNIT_EXPECT_EQ(test, atomic_read(&bind_seen.probed), 2);

	emul_remove_below(port);
	bind_plug(port, true);
	pci_rescan_bus_locked(host->bridge->bus);
	KUNIT_EXPECT_EQ(test, atomic_read(&bind_seen.probed), 3);

	emul_host_destroy(host);
	emul_plug(port);
	pci_hold_take(&hold);
	emul_host_probe(host);
	pci_hold_release(&hold);
	KUNIT_EXPECT_EQ(test, atomic_read(&bind_seen.probed), 4);
}

static void bind_remove_sibling(struct pci_dev *dev)
{
	struct pci_dev *sibling;

	if (PCI_FUNC(dev->devfn))
		return;

	sibling = pci_get_slot(dev->bus, dev->devfn + 1);
	if (sibling)
		pci_stop_and_remove_bus_device_locked(sibling);
	pci_dev_put(sibling);
}

/* A driver that removes what was to be bound next */
static void bind_probe_removes(struct kunit *test)
{
	struct emul_host *host = emul_host_create(test);
	struct emul_fn *port = bind_port(host, 0, 4);

	bind_register(test);
	bind_seen.in_probe = bind_remove_sibling;
	KUNIT_ASSERT_EQ(test, emul_host_probe(host), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&bind_seen.probed), 3);
	emul_unplug(port->below[1]);
	emul_check_sane(host);
}

/* A device that is enabled again and again */
struct bind_enabler {
	struct pci_dev *dev;
	unsigned int tries;
	unsigned int failures;
};

/* One slot in use, again and again */
struct bind_worker {
	struct emul_fn *port;
	struct task_struct *task;
	unsigned int missing;
};

static int bind_hotplug(void *data)
{
	struct bind_worker *w = data;
	unsigned int i;

	for (i = 0; i < BIND_ROUNDS; i++) {
		bind_plug(w->port, true);
		emul_enumerate(w->port, PCI_BATCH_FRESH);
		/* The other one, or a rescan, may have been faster */
		if (list_empty(&emul_bus_below(w->port)->devices))
			w->missing++;
		emul_remove_below(w->port);
		bind_plug(w->port, false);
	}

	return 0;
}

static int bind_rescan(void *data)
{
	struct emul_host *host = data;
	struct pci_dev *dev = NULL;
	unsigned int i;

	for (i = 0; i < BIND_ROUNDS; i++) {
		pci_rescan_bus_locked(host->bridge->bus);
		while ((dev = pci_get_device(EMUL_VENDOR, PCI_ANY_ID, dev)))
			cond_resched();
	}

	return 0;
}

static struct task_struct *bind_run(int (*func)(void *data), void *data)
{
	struct task_struct *task;

	task = kthread_create(func, data, "pci-bind-test");
	if (IS_ERR(task))
		return NULL;
	get_task_struct(task);
	wake_up_process(task);

	return task;
}

static void bind_join(struct task_struct *task)
{
	kthread_stop_put(task);
}

/* Hotplug in two slots, rescans and lookups at the same time */
static void bind_parallel(struct kunit *test)
{
	struct emul_host *host = emul_host_create(test);
	struct bind_worker w[BIND_PORTS] = { };
	struct task_struct *rescan;
	unsigned int i;

	bind_register(test);
	for (i = 0; i < BIND_PORTS; i++) {
		w[i].port = bind_port(host, i, 2);
		bind_plug(w[i].port, false);
	}
	KUNIT_ASSERT_EQ(test, emul_host_probe(host), 0);

	for (i = 0; i < BIND_PORTS; i++)
		w[i].task = bind_run(bind_hotplug, &w[i]);
	rescan = bind_run(bind_rescan, host);
	for (i = 0; i < BIND_PORTS; i++)
		if (w[i].task)
			bind_join(w[i].task);
	if (rescan)
		bind_join(rescan);

	KUNIT_EXPECT_NOT_NULL(test, rescan);
	for (i = 0; i < BIND_PORTS; i++) {
		KUNIT_EXPECT_NOT_NULL(test, w[i].task);
		KUNIT_EXPECT_EQ(test, w[i].missing, 0);
		emul_remove_below(w[i].port);
	}
	KUNIT_EXPECT_EQ(test, atomic_read(&bind_seen.probed),
			atomic_read(&bind_seen.removed));
	KUNIT_EXPECT_GT(test, atomic_read(&bind_seen.probed), BIND_ROUNDS);
	emul_check_sane(host);
}

/* A driver that is in its probe() all the time */
static int bind_enable(void *data)
{
	struct bind_enabler *e = data;

	while (!kthread_should_stop()) {
		e->tries++;
		if (pci_enable_resources(e->dev, ~0))
			e->failures++;
		cond_resched();
	}

	return 0;
}

/*
 * A port without an I/O window, because there is no room for it, is enabled
 * while a rescan looks for room for a card, and thinks that there is for a
 * moment.
 */
static void bind_during_rescan(struct kunit *test)
{
	static const struct emul_bar io = { SZ_256, EMUL_BAR_IO };
	struct emul_host *host = emul_host_create(test);
	struct emul_fn *card;
	struct bind_enabler e = { };
	struct task_struct *task;
	struct emul_fn *port[2];
	unsigned int i;

	/* Enough for one of two */
	host->io_size = SZ_4K;
	for (i = 0; i < ARRAY_SIZE(port); i++)
		port[i] = bind_port(host, i, 1);
	KUNIT_ASSERT_EQ(test, emul_host_probe(host), 0);
	for (i = 0; i < ARRAY_SIZE(port); i++) {
		pci_dev_put(e.dev);
		e.dev = emul_get_dev(port[i]);
		KUNIT_ASSERT_NOT_NULL(test, e.dev);
		if (!e.dev->resource[PCI_BRIDGE_IO_WINDOW].parent)
			break;
	}
	KUNIT_EXPECT_NULL(test, e.dev->resource[PCI_BRIDGE_IO_WINDOW].parent);
	card = emul_add_endpoint(host, emul_fn_of(e.dev), 1, &io, 1);

	task = bind_run(bind_enable, &e);
	for (i = 0; task && i < BIND_RESCANS; i++) {
		emul_plug(card);
		pci_rescan_bus_locked(host->bridge->bus);
		emul_remove(card);
		emul_unplug(card);
	}
	if (task)
		bind_join(task);
	pci_dev_put(e.dev);

	KUNIT_EXPECT_NOT_NULL(test, task);
	KUNIT_EXPECT_GT(test, e.tries, BIND_ROUNDS);
	KUNIT_EXPECT_EQ(test, e.failures, 0);
	emul_check_sane(host);
}

static bool bind_was_held;

static void bind_look_at_lock(struct pci_dev *dev)
{
	bind_was_held = pci_rescan_remove_held();
}

/* A probe() may rescan or enable VFs, whichever attribute began the rescan */
static void bind_rescan_all(struct kunit *test)
{
	struct emul_host *host = emul_host_create(test);
	struct emul_fn *port = bind_port(host, 0, 1);

	bind_register(test);
	bind_plug(port, false);
	KUNIT_ASSERT_EQ(test, emul_host_probe(host), 0);
	bind_seen.in_probe = bind_look_at_lock;
	bind_was_held = true;
	bind_plug(port, true);
	pci_rescan_all();
	KUNIT_EXPECT_EQ(test, atomic_read(&bind_seen.probed), 1);
	KUNIT_EXPECT_FALSE(test, bind_was_held);
	emul_check_sane(host);
}

static struct kunit_case bind_cases[] = {
	KUNIT_CASE(bind_rescan_all),
	KUNIT_CASE(bind_siblings_first),
	KUNIT_CASE(bind_waits),
	KUNIT_CASE(bind_after_removal),
	KUNIT_CASE(bind_probe_locks),
	KUNIT_CASE(bind_probe_removes),
	KUNIT_CASE_SLOW(bind_during_rescan),
	KUNIT_CASE_SLOW(bind_parallel),
	{ }
};

static struct kunit_suite bind_suite = {
	.name = "pci_bind",
	.test_cases = bind_cases,
};

kunit_test_suite(bind_suite);
