// SPDX-License-Identifier: GPL-2.0
/*
 * PCI enumeration pipeline tests: what a notifier meets
 *
 * At BUS_NOTIFY_ADD_DEVICE every resource of every device of the batch is
 * assigned, every FINAL fixup has run, and the bridge and its bus are in the
 * driver model.  No driver is bound before all devices are there.
 */
#include <kunit/test.h>
#include <linux/device.h>
#include <linux/kernfs.h>
#include <linux/notifier.h>
#include <linux/pci.h>

#include "emul.h"

static const struct emul_bar notify_bars[] = {
	{ SZ_16K, EMUL_BAR_MEM },
	{ 32, EMUL_BAR_IO },
	{ SZ_1M, EMUL_BAR_PREF64 },
};

struct notify {
	struct kunit *test;
	struct emul_host *host;
	struct notifier_block nb;
	unsigned int added;
	unsigned int bound;
	unsigned int bound_early;
	unsigned int expected;
	unsigned int not_assigned;
	unsigned int others_not_assigned;
	unsigned int not_final;
	unsigned int others_not_final;
	unsigned int bridge_missing;
	unsigned int bus_missing;
	unsigned int wrong_files;
	unsigned int no_slot_lookup;
};

/* There is no way to hand it to the driver */
static struct notify *notify;

static void notify_look_at_others(struct notify *n)
{
	struct emul_fn *fn;
	struct pci_dev *dev;

	list_for_each_entry(fn, &n->host->fns, node) {
		if (!emul_present(fn))
			continue;
		dev = emul_get_dev(fn);
		if (!dev)
			continue;
		if (!emul_resources_assigned(dev))
			n->others_not_assigned++;
		if (fn->final != 1)
			n->others_not_final++;
		pci_dev_put(dev);
	}
}

/* Attributes are there when user space hears of the device */
static bool notify_has_file(struct pci_dev *dev, const char *name)
{
	struct kernfs_node *node = kernfs_find_and_get(dev->dev.kobj.sd, name);

	kernfs_put(node);
	return node;
}

static void notify_look_at(struct notify *n, struct pci_dev *dev)
{
	struct emul_fn *fn = emul_fn_of(dev);
	struct pci_dev *found;

	n->added++;
	if (!emul_resources_assigned(dev))
		n->not_assigned++;
	if (!fn || fn->final != 1)
		n->not_final++;
	if (!device_is_registered(dev->dev.parent))
		n->bridge_missing++;
	if (!device_is_registered(&dev->bus->dev))
		n->bus_missing++;
	if (!notify_has_file(dev, "config") ||
	    notify_has_file(dev, "resource0") != !!pci_resource_len(dev, 0))
		n->wrong_files++;

	found = pci_get_domain_bus_and_slot(n->host->domain, dev->bus->number,
					    dev->devfn);
	if (found != dev)
		n->no_slot_lookup++;
	pci_dev_put(found);
	notify_look_at_others(n);
}

static int notify_event(struct notifier_block *nb, unsigned long event,
			void *data)
{
	struct notify *n = container_of(nb, struct notify, nb);
	struct pci_dev *dev = to_pci_dev(data);

	if (!emul_is_emulated(dev) || emul_host_of(dev->bus) != n->host)
		return NOTIFY_DONE;
	if (event == BUS_NOTIFY_ADD_DEVICE)
		notify_look_at(n, dev);

	/* Errors of notifiers do not stop anything */
	return NOTIFY_BAD;
}

static int notify_probe(struct pci_dev *dev, const struct pci_device_id *id)
{
	notify->bound++;
	if (notify->added < notify->expected)
		notify->bound_early++;

	return 0;
}

static void notify_remove(struct pci_dev *dev)
{
}

static const struct pci_device_id notify_ids[] = {
	{ PCI_DEVICE(EMUL_VENDOR, PCI_ANY_ID) },
	{ }
};

static struct pci_driver notify_driver = {
	.name		= "pci-pipeline-notify-test",
	.id_table	= notify_ids,
	.probe		= notify_probe,
	.remove		= notify_remove,
};

static void notify_stop(void *data)
{
	struct notify *n = data;

	bus_unregister_notifier(&pci_bus_type, &n->nb);
}

static void notify_unregister(void *data)
{
	pci_unregister_driver(&notify_driver);
}

static struct notify *notify_create(struct kunit *test)
{
	struct notify *n;

	n = kunit_kzalloc(test, sizeof(*n), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, n);
	n->test = test;
	n->nb.notifier_call = notify_event;
	notify = n;

	KUNIT_ASSERT_EQ(test, pci_register_driver(&notify_driver), 0);
	emul_do(test, notify_unregister, NULL);
	n->host = emul_host_create(test);
	bus_register_notifier(&pci_bus_type, &n->nb);
	emul_do(test, notify_stop, n);

	return n;
}

/* A port with a switch that has two endpoints, and one beside it: 7 devices */
static struct emul_fn *notify_tree(struct emul_host *host)
{
	unsigned int count = ARRAY_SIZE(notify_bars);
	struct emul_fn *port, *sw;

	emul_plug(emul_add_endpoint(host, NULL, 0, notify_bars, count));
	port = emul_add_port(host, NULL, PCI_DEVFN(1, 0),
			     PCI_EXP_TYPE_ROOT_PORT);
	emul_set_hotplug(port, 1, 0x1f);
	sw = emul_add_switch(host, port, 2);
	emul_add_endpoint(host, sw->below[PCI_DEVFN(0, 0)], 0, notify_bars,
			  count);
	emul_add_endpoint(host, sw->below[PCI_DEVFN(1, 0)], 0, notify_bars,
			  count);
	emul_plug(port);

	return port;
}

static void notify_expect(struct kunit *test, struct notify *n)
{
	KUNIT_EXPECT_EQ(test, n->added, n->expected);
	KUNIT_EXPECT_EQ(test, n->bound, n->expected);
	KUNIT_EXPECT_EQ(test, n->not_assigned, 0);
	KUNIT_EXPECT_EQ(test, n->others_not_assigned, 0);
	KUNIT_EXPECT_EQ(test, n->not_final, 0);
	KUNIT_EXPECT_EQ(test, n->others_not_final, 0);
	KUNIT_EXPECT_EQ(test, n->bridge_missing, 0);
	KUNIT_EXPECT_EQ(test, n->bus_missing, 0);
	KUNIT_EXPECT_EQ(test, n->wrong_files, 0);
	KUNIT_EXPECT_EQ(test, n->no_slot_lookup, 0);
	KUNIT_EXPECT_EQ(test, n->bound_early, 0);
	emul_check_sane(n->host);
}

static void notify_host(struct kunit *test)
{
	struct notify *n = notify_create(test);

	notify_tree(n->host);
	n->expected = 7;
	KUNIT_ASSERT_EQ(test, emul_host_probe(n->host), 0);
	notify_expect(test, n);
}

static void notify_held_host(struct kunit *test)
{
	static DEFINE_PCI_HOLD(hold, "test-notify", PCI_STAGE_ASSIGN);
	struct notify *n = notify_create(test);

	notify_tree(n->host);
	n->expected = 7;
	pci_hold_take(&hold);
	emul_host_probe(n->host);
	KUNIT_EXPECT_EQ(test, n->added, 0);
	pci_hold_release(&hold);
	notify_expect(test, n);
}

static void notify_slot(struct kunit *test)
{
	struct notify *n = notify_create(test);
	struct emul_fn *port = notify_tree(n->host);

	emul_unplug(port->below[0]);
	n->expected = 2;
	KUNIT_ASSERT_EQ(test, emul_host_probe(n->host), 0);
	notify_expect(test, n);

	emul_plug(port->below[0]);
	n->expected = 7;
	KUNIT_EXPECT_EQ(test, emul_enumerate(port, PCI_BATCH_FRESH), 1);
	notify_expect(test, n);
}

static void notify_rescan(struct kunit *test)
{
	struct notify *n = notify_create(test);
	struct emul_fn *port = notify_tree(n->host);

	n->expected = 7;
	KUNIT_ASSERT_EQ(test, emul_host_probe(n->host), 0);
	emul_remove(port->below[0]);
	emul_plug(port->below[0]);
	n->expected += 5;
	pci_rescan_bus_locked(n->host->bridge->bus);
	notify_expect(test, n);
}

static struct kunit_case notify_cases[] = {
	KUNIT_CASE(notify_host),
	KUNIT_CASE(notify_held_host),
	KUNIT_CASE(notify_slot),
	KUNIT_CASE(notify_rescan),
	{ }
};

static struct kunit_suite notify_suite = {
	.name = "pci_notify",
	.test_cases = notify_cases,
};

kunit_test_suite(notify_suite);
