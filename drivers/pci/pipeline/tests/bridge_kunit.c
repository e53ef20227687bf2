// SPDX-License-Identifier: GPL-2.0
/*
 * PCI enumeration pipeline tests: BARs of bridges move
 *
 * Half of the addresses has an endpoint in use in it that can't move, the other
 * half the BAR of the port above it, and a card comes that needs half of them.
 * What is behind a bridge must be reachable all the time.
 */
#include <kunit/test.h>
#include <linux/ioremap_move.h>
#include <linux/pci.h>

#include "../../pci.h"
#include "emul.h"

#define BRIDGE_LOW	EMUL_MEM_BUS_ADDRESS
#define BRIDGE_HIGH	(EMUL_MEM_BUS_ADDRESS + SZ_64M)

static const struct emul_bar bridge_small[] = {
	{ SZ_64K, EMUL_BAR_MEM },
};

static const struct emul_bar bridge_pref[] = {
	{ SZ_64K, EMUL_BAR_MEM | PCI_BASE_ADDRESS_MEM_PREFETCH },
};

static const struct emul_bar bridge_large[] = {
	{ SZ_64M, EMUL_BAR_MEM },
};

static int bridge_probe(struct pci_dev *dev, const struct pci_device_id *id)
{
	return pci_enable_device(dev);
}

static void bridge_remove(struct pci_dev *dev)
{
	pci_disable_device(dev);
}

static const struct pci_device_id bridge_ids[] = {
	{ PCI_DEVICE(EMUL_VENDOR, EMUL_DEVICE_PORT) },
	{ }
};

static struct pci_driver bridge_driver = {
	.name		= "pci-pipeline-bridge-test",
	.id_table	= bridge_ids,
	.probe		= bridge_probe,
	.remove		= bridge_remove,
	.bars_movable	= true,
};

static void bridge_unregister(void *data)
{
	pci_unregister_driver(&bridge_driver);
}

/**
 * struct bridge - a bridge with a BAR in the way of a card
 * @host: what all is below
 * @fn: the bridge
 * @dev: the same
 * @was: where its BAR was
 * @slot: the hotplug port of the card
 * @card: the card
 */
struct bridge {
	struct emul_host	*host;
	struct emul_fn		*fn;
	struct pci_dev		*dev;
	struct resource		was;
	struct emul_fn		*slot;
	struct emul_fn		*card;
};

static void bridge_put(void *dev)
{
	pci_dev_put(dev);
}

static void bridge_disable(void *dev)
{
	pci_disable_device(dev);
}

static struct emul_host *bridge_host(struct kunit *test)
{
	struct emul_host *host;

	if (!ioremap_move_possible())
		kunit_skip(test, "mappings can't move on this machine");
	host = emul_host_create(test);
	host->mem_size = SZ_128M;
	host->movable = true;
	return host;
}

/* A port with a BAR, as firmware has set it up */
static struct emul_fn *bridge_add(struct emul_host *host, struct emul_fn *up,
				  unsigned int type)
{
	struct emul_fn *fn;

	fn = emul_add_port(host, up, up ? 0 : PCI_DEVFN(1, 0), type);
	emul_add_bar(fn, 0, SZ_64K, EMUL_BAR_MEM);
	return fn;
}

static void bridge_leave(struct emul_fn *fn, unsigned int window, u32 at)
{
	emul_poke(fn, window, 4, (at >> 16) | (at & 0xfff00000));
	emul_poke(fn, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
}

/* @ep can't move from here on, nor be cut off */
static void bridge_start(struct kunit *test, struct bridge *b,
			 struct emul_fn *ep)
{
	struct pci_dev *dev;

	b->slot = emul_add_port(b->host, NULL, PCI_DEVFN(3, 0),
				PCI_EXP_TYPE_ROOT_PORT);
	emul_set_hotplug(b->slot, 4, 4);
	b->card = emul_add_endpoint(b->host, b->slot, 0, bridge_large, 1);
	emul_plug(b->slot);
	emul_unplug(b->card);

	KUNIT_ASSERT_EQ(test, emul_host_probe(b->host), 0);
	b->dev = emul_get_dev(b->fn);
	KUNIT_ASSERT_NOT_NULL(test, b->dev);
	emul_do(test, bridge_put, b->dev);
	b->was = b->dev->resource[0];
	KUNIT_ASSERT_EQ(test, emul_bar_address(b->fn, 0), BRIDGE_LOW);
	KUNIT_ASSERT_EQ(test, pci_register_driver(&bridge_driver), 0);
	emul_do(test, bridge_unregister, NULL);
	KUNIT_ASSERT_PTR_EQ(test, b->dev->driver, &bridge_driver);

	dev = emul_get_dev(ep);
	KUNIT_ASSERT_NOT_NULL(test, dev);
	emul_do(test, bridge_put, dev);
	KUNIT_ASSERT_EQ(test, pci_enable_device(dev), 0);
	emul_do(test, bridge_disable, dev);
	KUNIT_ASSERT_EQ(test, emul_bar_address(ep, 0), BRIDGE_HIGH);
	ep->stays_on = true;
	b->host->watch_addresses = true;

	emul_plug(b->card);
	emul_enumerate(b->slot, PCI_BATCH_FRESH);
}

static bool bridge_card_placed(struct bridge *b)
{
	struct pci_dev *card = emul_get_dev(b->card);
	bool placed = card && card->resource[0].parent;

	pci_dev_put(card);
	return placed;
}

/* It is written while the bridge goes on forwarding */
static void bridge_forwards(struct kunit *test)
{
	struct bridge b = { .host = bridge_host(test) };
	struct emul_fn *ep;

	b.fn = bridge_add(b.host, NULL, PCI_EXP_TYPE_ROOT_PORT);
	emul_set_bus_numbers(b.fn, 0, 1, 1);
	ep = emul_add_endpoint(b.host, b.fn, 0, bridge_small, 1);
	emul_plug(b.fn);
	emul_leave_bar(ep, BRIDGE_HIGH);
	emul_poke(b.fn, PCI_BASE_ADDRESS_0, 4, BRIDGE_LOW);
	bridge_start(test, &b, ep);

	KUNIT_EXPECT_TRUE(test, bridge_card_placed(&b));
	KUNIT_EXPECT_GT(test, emul_bar_address(b.fn, 0), BRIDGE_HIGH);
	KUNIT_EXPECT_NE(test, b.dev->resource[0].start, b.was.start);
	KUNIT_EXPECT_EQ(test, b.host->stray, 0);
	emul_check_sane(b.host);
}

/*
 * The window that its BAR is in would move along, and what is in its other
 * window stays.
 */
static void bridge_cuts_off(struct kunit *test)
{
	struct bridge b = { .host = bridge_host(test) };
	struct emul_fn *root, *up, *ep;

	root = emul_add_port(b.host, NULL, PCI_DEVFN(1, 0),
			     PCI_EXP_TYPE_ROOT_PORT);
	up = emul_add_port(b.host, root, 0, PCI_EXP_TYPE_UPSTREAM);
	b.fn = bridge_add(b.host, up, PCI_EXP_TYPE_DOWNSTREAM);
	ep = emul_add_endpoint(b.host, b.fn, 0, bridge_pref, 1);
	emul_set_bus_numbers(root, 0, 1, 3);
	emul_set_bus_numbers(up, 1, 2, 3);
	emul_set_bus_numbers(b.fn, 2, 3, 3);
	emul_plug(root);
	bridge_leave(root, PCI_MEMORY_BASE, BRIDGE_LOW);
	bridge_leave(root, PCI_PREF_MEMORY_BASE, BRIDGE_HIGH);
	bridge_leave(up, PCI_MEMORY_BASE, BRIDGE_LOW);
	bridge_leave(up, PCI_PREF_MEMORY_BASE, BRIDGE_HIGH);
	bridge_leave(b.fn, PCI_PREF_MEMORY_BASE, BRIDGE_HIGH);
	emul_poke(b.fn, PCI_BASE_ADDRESS_0, 4, BRIDGE_LOW);
	emul_poke(ep, PCI_BASE_ADDRESS_0, 4,
		  BRIDGE_HIGH | PCI_BASE_ADDRESS_MEM_PREFETCH);
	emul_poke(ep, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	bridge_start(test, &b, ep);

	KUNIT_EXPECT_FALSE(test, bridge_card_placed(&b));
	KUNIT_EXPECT_EQ(test, emul_bar_address(b.fn, 0), BRIDGE_LOW);
	KUNIT_EXPECT_EQ(test, b.dev->resource[0].start, b.was.start);
	KUNIT_EXPECT_STREQ(test, b.dev->move_refused ?: "",
			   "what is behind it would be cut off");
	KUNIT_EXPECT_EQ(test, b.host->stray, 0);
	emul_check_sane(b.host);
}

static struct kunit_case bridge_cases[] = {
	KUNIT_CASE(bridge_forwards),
	KUNIT_CASE(bridge_cuts_off),
	{ }
};

static struct kunit_suite bridge_suite = {
	.name = "pci_move_bridge",
	.test_cases = bridge_cases,
};

kunit_test_suite(bridge_suite);
