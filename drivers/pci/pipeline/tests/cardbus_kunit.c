// SPDX-License-Identifier: GPL-2.0
/*
 * PCI enumeration pipeline tests: bridges to CardBus
 *
 * They have two windows for I/O and two for memory, of sizes that do not depend
 * on the card, and which stay where they are.
 */
#include <kunit/test.h>
#include <linux/pci.h>

#include "../../pci.h"
#include "emul.h"

static const struct emul_bar cardbus_bars[] = {
	{ 64, EMUL_BAR_IO },
	{ SZ_64K, EMUL_BAR_MEM },
	{ SZ_1M, EMUL_BAR_MEM | PCI_BASE_ADDRESS_MEM_PREFETCH },
};

static const struct emul_bar cardbus_huge[] = {
	{ SZ_16K, EMUL_BAR_MEM },
	{ SZ_128M, EMUL_BAR_MEM },
};

/* Registers of a window: base, and limit right after it */
static const unsigned int cardbus_regs[PCI_BRIDGE_RESOURCE_NUM] = {
	PCI_CB_IO_BASE_0, PCI_CB_IO_BASE_1,
	PCI_CB_MEMORY_BASE_0, PCI_CB_MEMORY_BASE_1,
};

static struct resource *cardbus_window(struct pci_dev *bridge, unsigned int i)
{
	return &bridge->resource[PCI_BRIDGE_RESOURCES + i];
}

/* All windows have a place, their registers say so, and there is no other one */
static void cardbus_check(struct kunit *test, struct emul_fn *fn)
{
	struct pci_dev *bridge = emul_get_dev(fn);
	struct pci_bus_region region;
	struct resource *window;
	unsigned int i;
	u64 size;

	KUNIT_ASSERT_NOT_NULL(test, bridge);
	for (i = 0; i < PCI_BRIDGE_RESOURCE_NUM; i++) {
		window = cardbus_window(bridge, i);
		size = i < 2 ? pci_cardbus_io_size : pci_cardbus_mem_size;
		KUNIT_EXPECT_NOT_NULL(test, window->parent);
		KUNIT_EXPECT_EQ(test, resource_size(window), size);
		KUNIT_EXPECT_EQ(test, resource_type(window),
				i < 2 ? IORESOURCE_IO : IORESOURCE_MEM);
		KUNIT_EXPECT_EQ(test, !!(window->flags & IORESOURCE_PREFETCH),
				i == 2);
		pcibios_resource_to_bus(bridge->bus, &region, window);
		KUNIT_EXPECT_EQ(test, emul_peek(fn, cardbus_regs[i], 4),
				region.start);
		KUNIT_EXPECT_EQ(test, emul_peek(fn, cardbus_regs[i] + 4, 4),
				region.end & (i < 2 ? ~0x3 : ~0xfff));
	}
	KUNIT_EXPECT_EQ(test, emul_peek(fn, PCI_CB_BRIDGE_CONTROL, 2) &
			(PCI_CB_BRIDGE_CTL_PREFETCH_MEM0 |
			 PCI_CB_BRIDGE_CTL_PREFETCH_MEM1),
			PCI_CB_BRIDGE_CTL_PREFETCH_MEM0);
	pci_dev_put(bridge);
}

/* Is a BAR of the card in this window of the bridge? */
static bool cardbus_inside(struct emul_fn *card, unsigned int bar,
			   struct emul_fn *fn, unsigned int window)
{
	struct pci_dev *bridge = emul_get_dev(fn), *dev = emul_get_dev(card);
	bool inside = bridge && dev &&
		      dev->resource[bar].parent == cardbus_window(bridge, window);

	pci_dev_put(bridge);
	pci_dev_put(dev);
	return inside;
}

static struct emul_host *cardbus_create(struct kunit *test,
					struct emul_fn **bridge)
{
	struct emul_host *host = emul_host_create(test);
	static const struct emul_bar beside = { SZ_16M, EMUL_BAR_MEM };

	/* Below 4 GiB everything that CardBus knows has to be */
	host->mem_size = SZ_256M;
	*bridge = emul_add_cardbus(host, NULL, PCI_DEVFN(1, 0));
	emul_plug(*bridge);
	emul_plug(emul_add_endpoint(host, NULL, PCI_DEVFN(2, 0), &beside, 1));
	return host;
}

/* The windows are there before any card is, and nothing else changes for one */
static void cardbus_card(struct kunit *test)
{
	struct emul_fn *bridge, *card;
	struct emul_host *host = cardbus_create(test, &bridge);

	card = emul_add_pci_device(host, bridge, 0, cardbus_bars,
				   ARRAY_SIZE(cardbus_bars));
	KUNIT_ASSERT_EQ(test, emul_host_probe(host), 0);
	cardbus_check(test, bridge);

	host->watch_addresses = true;
	emul_plug(card);
	KUNIT_EXPECT_EQ(test, emul_enumerate(bridge, 0), 1);
	KUNIT_EXPECT_TRUE(test, cardbus_inside(card, 0, bridge, 0));
	KUNIT_EXPECT_TRUE(test, cardbus_inside(card, 1, bridge, 3));
	KUNIT_EXPECT_TRUE(test, cardbus_inside(card, 2, bridge, 2));
	cardbus_check(test, bridge);
	emul_check_sane(host);
	KUNIT_EXPECT_EQ(test, host->stray, 0);
	KUNIT_EXPECT_EQ(test, emul_splats(), host->splats);
}

/* What is larger than the windows has to go without, and takes nothing away */
static void cardbus_too_large(struct kunit *test)
{
	static struct emul_grep grep = { .text = "BAR 1 has no address" };
	struct emul_fn *bridge, *card;
	struct emul_host *host = cardbus_create(test, &bridge);

	emul_grep_start(test, &grep);
	card = emul_add_pci_device(host, bridge, 0, cardbus_huge,
				   ARRAY_SIZE(cardbus_huge));
	emul_unplug(card);
	KUNIT_ASSERT_EQ(test, emul_host_probe(host), 0);
	emul_plug(card);
	KUNIT_EXPECT_EQ(test, emul_enumerate(bridge, 0), 1);
	KUNIT_EXPECT_TRUE(test, cardbus_inside(card, 0, bridge, 3));
	KUNIT_EXPECT_FALSE(test, cardbus_inside(card, 1, bridge, 3));
	KUNIT_EXPECT_EQ(test, atomic_read(&grep.count), 1);
	cardbus_check(test, bridge);
	emul_check_sane(host);
}

/* A bridge that comes later, below one that is in use */
static void cardbus_added(struct kunit *test)
{
	struct emul_host *host = emul_host_create(test);
	struct emul_fn *up, *bridge, *card;

	host->mem_size = SZ_256M;
	up = emul_add_pci_bridge(host, NULL, PCI_DEVFN(1, 0));
	emul_set_bus_numbers(up, 0, 1, 8);
	bridge = emul_add_cardbus(host, up, PCI_DEVFN(3, 0));
	card = emul_add_pci_device(host, bridge, 0, cardbus_bars,
				   ARRAY_SIZE(cardbus_bars));
	emul_plug(up);
	emul_unplug(bridge);
	KUNIT_ASSERT_EQ(test, emul_host_probe(host), 0);

	host->watch_addresses = true;
	emul_plug(bridge);
	emul_unplug(card);
	pci_rescan_bus_locked(host->bridge->bus);
	cardbus_check(test, bridge);
	emul_plug(card);
	KUNIT_EXPECT_EQ(test, emul_enumerate(bridge, 0), 1);
	KUNIT_EXPECT_TRUE(test, cardbus_inside(card, 2, bridge, 2));
	emul_check_sane(host);
	KUNIT_EXPECT_EQ(test, host->stray, 0);
}

static struct kunit_case cardbus_cases[] = {
	KUNIT_CASE(cardbus_card),
	KUNIT_CASE(cardbus_too_large),
	KUNIT_CASE(cardbus_added),
	{ }
};

static struct kunit_suite cardbus_suite = {
	.name = "pci_cardbus",
	.test_cases = cardbus_cases,
};

kunit_test_suite(cardbus_suite);
