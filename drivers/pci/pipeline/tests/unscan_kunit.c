// SPDX-License-Identifier: GPL-2.0
/*
 * PCI enumeration pipeline tests: devices that are scanned and never added
 */
#include <kunit/test.h>
#include <linux/pci.h>
#include <linux/pm_runtime.h>

#include "emul.h"

static const struct emul_bar unscan_bars[] = {
	{ SZ_64K, EMUL_BAR_MEM },
	{ SZ_1M, EMUL_BAR_PREF64 },
};

/* A root port with a switch that has an endpoint; the switch is not plugged */
static struct emul_fn *unscan_tree(struct emul_host *host)
{
	struct emul_fn *port, *sw;

	port = emul_add_port(host, NULL, PCI_DEVFN(1, 0),
			     PCI_EXP_TYPE_ROOT_PORT);
	emul_set_hotplug(port, 1, 0x1f);
	sw = emul_add_switch(host, port, 1);
	emul_add_endpoint(host, sw->below[0], 0, unscan_bars,
			  ARRAY_SIZE(unscan_bars));
	emul_plug(port);
	emul_unplug(sw);

	return port;
}

struct unscan_state {
	int usage;
	int children;
	int refs;
};

/* What a device below could have changed in a port */
static struct unscan_state unscan_state(struct emul_fn *port)
{
	struct pci_dev *dev = emul_get_dev(port);
	struct unscan_state state = {
		.usage		= atomic_read(&dev->dev.power.usage_count),
		.children	= atomic_read(&dev->dev.power.child_count),
		.refs		= kref_read(&dev->dev.kobj.kref),
	};

	pci_dev_put(dev);
	return state;
}

static void unscan_expect_same(struct kunit *test, struct emul_fn *port,
			       const struct unscan_state *before)
{
	struct unscan_state now = unscan_state(port);
	struct pci_bus *bus = emul_bus_below(port);

	KUNIT_EXPECT_EQ(test, now.usage, before->usage);
	KUNIT_EXPECT_EQ(test, now.children, before->children);
	KUNIT_EXPECT_EQ(test, now.refs, before->refs);
	KUNIT_EXPECT_TRUE(test, list_empty(&bus->devices));
	KUNIT_EXPECT_TRUE(test, list_empty(&bus->children));
	KUNIT_EXPECT_TRUE(test, list_empty(&port->host->bridge->scanned));
}

/* Scan what is below a bus; returns the device in slot 0 with a reference */
static struct pci_dev *unscan_scan(struct pci_bus *bus)
{
	struct pci_dev *dev;

	pci_scan_slot_bridges(bus, 0);
	dev = pci_get_slot(bus, 0);

	return dev;
}

static void unscan_removes(struct kunit *test)
{
	struct emul_host *host = emul_host_create(test);
	struct emul_log *log = emul_log_start(host);
	struct emul_fn *port = unscan_tree(host);
	struct unscan_state before;
	enum pci_stage stage = 0;
	bool registered = true;
	struct pci_dev *dev;
	int refs = 0;

	KUNIT_ASSERT_EQ(test, emul_host_probe(host), 0);
	before = unscan_state(port);
	emul_log_clear(log);
	emul_plug(port->below[0]);

	pci_lock_rescan_remove();
	dev = unscan_scan(emul_bus_below(port));
	if (dev) {
		stage = dev->stage;
		registered = device_is_registered(&dev->dev);
		pci_stop_and_remove_bus_device(dev);
		refs = kref_read(&dev->dev.kobj.kref);
	}
	pci_unlock_rescan_remove();

	KUNIT_ASSERT_NOT_NULL(test, dev);
	KUNIT_EXPECT_EQ(test, stage, PCI_STAGE_SCAN);
	KUNIT_EXPECT_FALSE(test, registered);
	KUNIT_EXPECT_EQ(test, dev->stage, PCI_STAGE_NONE);
	KUNIT_EXPECT_EQ(test, refs, 1);
	pci_dev_put(dev);

	/* Three devices scanned, the same three taken back */
	KUNIT_EXPECT_EQ(test, log->count, 6);
	KUNIT_EXPECT_EQ(test, log->event[5].stage, PCI_STAGE_NONE);
	unscan_expect_same(test, port, &before);
	emul_unplug(port->below[0]);
	emul_check_sane(host);
}

/* The same, a hundred times, and each time the bus numbers are there again */
static void unscan_repeats(struct kunit *test)
{
	struct emul_host *host = emul_host_create(test);
	struct emul_fn *port = unscan_tree(host);
	struct unscan_state before;
	unsigned int i, missing = 0;
	struct pci_dev *dev;

	KUNIT_ASSERT_EQ(test, emul_host_probe(host), 0);
	before = unscan_state(port);

	for (i = 0; i < 100; i++) {
		emul_plug(port->below[0]);
		pci_lock_rescan_remove();
		dev = unscan_scan(emul_bus_below(port));
		if (dev)
			pci_stop_and_remove_bus_device(dev);
		else
			missing++;
		pci_unlock_rescan_remove();
		pci_dev_put(dev);
	}

	KUNIT_EXPECT_EQ(test, missing, 0);
	unscan_expect_same(test, port, &before);
	emul_plug(port->below[0]);
	KUNIT_EXPECT_EQ(test, emul_enumerate(port, PCI_BATCH_FRESH), 1);
	emul_check_sane(host);
}

/* Someone still holds the device when it is taken back */
static void unscan_held(struct kunit *test)
{
	struct emul_host *host = emul_host_create(test);
	struct emul_fn *port = unscan_tree(host);
	struct emul_fn *ep = port->below[0]->below[0]->below[0];
	struct pci_dev *dev, *held;

	KUNIT_ASSERT_EQ(test, emul_host_probe(host), 0);
	emul_plug(port->below[0]);

	pci_lock_rescan_remove();
	dev = unscan_scan(emul_bus_below(port));
	held = emul_get_dev(ep);
	if (dev)
		pci_stop_and_remove_bus_device(dev);
	pci_unlock_rescan_remove();
	pci_dev_put(dev);

	KUNIT_ASSERT_NOT_NULL(test, held);
	KUNIT_EXPECT_EQ(test, held->stage, PCI_STAGE_NONE);
	KUNIT_EXPECT_EQ(test, kref_read(&held->dev.kobj.kref), 1);
	KUNIT_EXPECT_TRUE(test, list_empty(&held->batch_node));
	KUNIT_EXPECT_TRUE(test, RB_EMPTY_NODE(&held->lookup_node));
	pci_dev_put(held);
}

/* A root bus that is scanned and goes away again */
static void unscan_host(struct kunit *test)
{
	struct emul_host *host = emul_host_create(test);
	struct emul_fn *port = unscan_tree(host);

	emul_plug(port);
	KUNIT_ASSERT_EQ(test, emul_host_scan(host), 0);
	emul_host_destroy(host);

	/* And comes back */
	emul_plug(port);
	KUNIT_ASSERT_EQ(test, emul_host_probe(host), 0);
	emul_check_sane(host);
}

/* A scanned device has addresses already when it is taken back */
static void unscan_assigned(struct kunit *test)
{
	struct emul_host *host = emul_host_create(test);
	struct emul_fn *port = unscan_tree(host);
	struct pci_bus *bus;
	struct pci_dev *dev;
	bool assigned = false;
	unsigned int i;

	KUNIT_ASSERT_EQ(test, emul_host_probe(host), 0);
	emul_plug(port->below[0]);

	pci_lock_rescan_remove();
	bus = emul_bus_below(port);
	unscan_scan(bus);
	dev = emul_get_dev(port->below[0]->below[0]->below[0]);
	pci_bus_size_bridges(bus);
	pci_bus_assign_resources(bus);
	if (dev)
		assigned = emul_resources_assigned(dev);
	pci_dev_put(dev);
	dev = pci_get_slot(bus, 0);
	if (dev) {
		pci_dev_put(dev);
		pci_stop_and_remove_bus_device(dev);
	}
	pci_unlock_rescan_remove();
	pci_dev_put(dev);

	KUNIT_EXPECT_TRUE(test, assigned);
	for (i = 0; i < 3; i++)
		KUNIT_EXPECT_NULL(test, bus->resource[i]->child);
}

static struct kunit_case unscan_cases[] = {
	KUNIT_CASE(unscan_removes),
	KUNIT_CASE(unscan_repeats),
	KUNIT_CASE(unscan_held),
	KUNIT_CASE(unscan_host),
	KUNIT_CASE(unscan_assigned),
	{ }
};

static struct kunit_suite unscan_suite = {
	.name = "pci_unscan",
	.test_cases = unscan_cases,
};

kunit_test_suite(unscan_suite);
