// SPDX-License-Identifier: GPL-2.0
/*
 * PCI enumeration pipeline tests: what is not just a BAR in a window
 *
 * A BAR that nothing leads to is none to a driver, and said once.
 */
#include <kunit/test.h>
#include <linux/pci.h>

#include "../../pci.h"
#include "emul.h"

static const struct emul_bar assign_mixed[] = {
	{ SZ_16K, EMUL_BAR_MEM },
	{ 32, EMUL_BAR_IO },
};

static struct resource assign_bar(struct emul_fn *fn, int idx)
{
	struct pci_dev *dev = emul_get_dev(fn);
	struct resource res = {};

	if (dev)
		res = dev->resource[idx];
	pci_dev_put(dev);
	return res;
}

/* As a driver does */
static int assign_enable(struct emul_fn *fn)
{
	struct pci_dev *dev = emul_get_dev(fn);
	int ret = dev ? pci_enable_device(dev) : -ENODEV;

	if (!ret)
		pci_disable_device(dev);
	pci_dev_put(dev);
	return ret;
}

/* One that has no I/O window */
static struct emul_fn *assign_add_port(struct emul_host *host,
				       unsigned int slot)
{
	struct emul_fn *port;

	port = emul_add_port(host, NULL, PCI_DEVFN(slot, 0),
			     PCI_EXP_TYPE_ROOT_PORT);
	emul_set(port, PCI_IO_BASE, 2, 0, 0, 0);
	emul_set(port, PCI_IO_BASE_UPPER16, 4, 0, 0, 0);
	return port;
}

/*
 * Behind bridges without an I/O window, the second one behind one that has
 * one: at boot and plugged in later, it is said, and nothing else is tried.
 */
static void assign_no_window(struct kunit *test)
{
	struct emul_grep said = { .text = "has no I/O window" };
	struct emul_grep tries = { .text = "try to assign unassigned res" };
	struct emul_fn *port, *sw, *card[3];
	struct emul_host *host;
	unsigned int i;

	host = emul_host_create(test);
	port = assign_add_port(host, 1);
	sw = emul_add_switch(host, port, 2);
	emul_set_hotplug(port, 1, 8);
	card[0] = emul_add_endpoint(host, sw->below[PCI_DEVFN(0, 0)], 0,
				    assign_mixed, ARRAY_SIZE(assign_mixed));
	card[1] = emul_add_endpoint(host, sw->below[PCI_DEVFN(1, 0)], 0,
				    assign_mixed, ARRAY_SIZE(assign_mixed));
	port = assign_add_port(host, 2);
	card[2] = emul_add_endpoint(host, port, 0, assign_mixed,
				    ARRAY_SIZE(assign_mixed));
	emul_plug(host->below[PCI_DEVFN(1, 0)]);
	emul_plug(host->below[PCI_DEVFN(2, 0)]);
	emul_unplug(card[1]);
	emul_unplug(card[2]);
	emul_grep_start(test, &said);
	emul_grep_start(test, &tries);
	KUNIT_ASSERT_EQ(test, emul_host_probe(host), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&said.count), 1);

	emul_plug(card[1]);
	emul_plug(card[2]);
	emul_enumerate(card[1]->up, PCI_BATCH_FRESH);
	emul_enumerate(card[2]->up, PCI_BATCH_FRESH);
	pci_rescan_bus_locked(host->bridge->bus);
	KUNIT_EXPECT_EQ(test, atomic_read(&said.count), 3);
	KUNIT_EXPECT_EQ(test, atomic_read(&tries.count), 0);

	for (i = 0; i < ARRAY_SIZE(card); i++) {
		KUNIT_EXPECT_EQ(test, assign_bar(card[i], 1).flags, 0);
		KUNIT_EXPECT_EQ(test, assign_enable(card[i]), 0);
	}
	emul_check_sane(host);
}

/* What a transparent bridge has no window for it passes on all the same */
static void assign_transparent(struct kunit *test)
{
	struct emul_fn *bridge, *card[2];
	struct emul_host *host;
	unsigned int i;

	host = emul_host_create(test);
	bridge = emul_add_pci_bridge(host, NULL, PCI_DEVFN(1, 0));
	emul_set(bridge, PCI_CLASS_PROG, 1, 1, 0, 0);
	emul_set(bridge, PCI_IO_BASE, 2, 0, 0, 0);
	emul_set(bridge, PCI_IO_BASE_UPPER16, 4, 0, 0, 0);
	for (i = 0; i < ARRAY_SIZE(card); i++)
		card[i] = emul_add_pci_device(host, bridge, PCI_DEVFN(i, 0),
					      assign_mixed,
					      ARRAY_SIZE(assign_mixed));
	emul_plug(bridge);
	emul_unplug(card[1]);
	KUNIT_ASSERT_EQ(test, emul_host_probe(host), 0);
	emul_plug(card[1]);
	pci_rescan_bus_locked(host->bridge->bus);

	for (i = 0; i < ARRAY_SIZE(card); i++) {
		KUNIT_EXPECT_PTR_EQ(test, assign_bar(card[i], 1).parent,
				    &host->io);
		KUNIT_EXPECT_EQ(test, assign_enable(card[i]), 0);
	}
}

static struct kunit_case assign_cases[] = {
	KUNIT_CASE(assign_no_window),
	KUNIT_CASE(assign_transparent),
	{ }
};

static struct kunit_suite assign_suite = {
	.name = "pci_assign",
	.test_cases = assign_cases,
};

kunit_test_suite(assign_suite);
