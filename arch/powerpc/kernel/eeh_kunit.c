// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of what EEH keeps of the addresses of devices, when these change
 *
 * The devices are made up; the platform's access to their config space is
 * replaced for as long as a test writes to it.
 */
#include <kunit/test.h>
#include <linux/ioport.h>
#include <linux/list.h>
#include <linux/pci.h>
#include <linux/sizes.h>

#include <asm/eeh.h>
#include <asm/ppc-pci.h>

/* Where nothing is, and no device of the machine has an address */
#define BASE	0x7000000000000000ULL

/**
 * struct eeh_card - a device that EEH knows
 * @parent: of its BARs
 * @pe: its isolation domain
 * @edev: what EEH knows
 * @pdev: the device
 */
struct eeh_card {
	struct resource parent;
	struct eeh_pe pe;
	struct eeh_dev edev;
	struct pci_dev pdev;
};

static struct eeh_card *new_card(struct kunit *test)
{
	struct eeh_card *card = kunit_kzalloc(test, sizeof(*card), GFP_KERNEL);
	int i;

	KUNIT_ASSERT_NOT_NULL(test, card);
	INIT_LIST_HEAD(&card->pe.child_list);
	INIT_LIST_HEAD(&card->pe.edevs);
	list_add_tail(&card->edev.entry, &card->pe.edevs);
	card->edev.pe = &card->pe;
	card->edev.pdev = &card->pdev;
	card->pdev.dev.archdata.edev = &card->edev;
	for (i = 0; i < ARRAY_SIZE(card->edev.config_space); i++)
		card->edev.config_space[i] = 0xa5000000 + i;

	return card;
}

static void set_bar(struct eeh_card *card, int bar, u64 start, u64 size)
{
	card->pdev.resource[bar] = (struct resource) {
		.start = start,
		.end = start + size - 1,
		.flags = IORESOURCE_MEM,
		.parent = &card->parent,
	};
}

static void forget_card(void *data)
{
	eeh_addr_cache_rmv_dev(data);
}

static void insert_card(struct kunit *test, struct eeh_card *card)
{
	eeh_addr_cache_insert_dev(&card->pdev);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, forget_card,
							   &card->pdev));
}

/* Config space of the device that is written last */
static u32 written[16];

static int test_read_config(struct eeh_dev *edev, int where, int size, u32 *val)
{
	*val = written[where / 4] >> 8 * (where % 4);
	return 0;
}

static int test_write_config(struct eeh_dev *edev, int where, int size, u32 val)
{
	memcpy((u8 *)written + where, &val, size);
	return 0;
}

static struct eeh_ops test_ops = {
	.name		= "test",
	.read_config	= test_read_config,
	.write_config	= test_write_config,
};

/* What a reset leaves, and then what is put back */
static void reset_card(struct eeh_card *card)
{
	struct eeh_ops *ops = eeh_ops;

	memset(written, 0, sizeof(written));
	eeh_ops = &test_ops;
	eeh_pe_restore_bars(&card->pe);
	eeh_ops = ops;
}

static void test_bar_restored(struct kunit *test)
{
	struct eeh_card *card = new_card(test);

	eeh_address_written(&card->pdev, PCI_BASE_ADDRESS_0, 4, 0x8000000c);
	eeh_address_written(&card->pdev, PCI_BASE_ADDRESS_1, 4, 0x210);
	eeh_address_written(&card->pdev, PCI_BASE_ADDRESS_5, 4, 0x90000000);
	eeh_address_written(&card->pdev, PCI_ROM_ADDRESS, 4, 0xa0000001);
	reset_card(card);

	KUNIT_EXPECT_EQ(test, 0x8000000c, written[PCI_BASE_ADDRESS_0 / 4]);
	KUNIT_EXPECT_EQ(test, 0x210, written[PCI_BASE_ADDRESS_1 / 4]);
	KUNIT_EXPECT_EQ(test, 0xa5000006, written[PCI_BASE_ADDRESS_2 / 4]);
	KUNIT_EXPECT_EQ(test, 0x90000000, written[PCI_BASE_ADDRESS_5 / 4]);
	KUNIT_EXPECT_EQ(test, 0xa0000001, written[PCI_ROM_ADDRESS / 4]);
}

static void test_window_restored(struct kunit *test)
{
	struct eeh_card *card = new_card(test);

	card->edev.mode = EEH_DEV_BRIDGE;
	/* Beside it is the secondary status, which has not been written */
	eeh_address_written(&card->pdev, PCI_IO_BASE, 2, 0x2010);
	eeh_address_written(&card->pdev, PCI_MEMORY_BASE, 4, 0x80f08000);
	eeh_address_written(&card->pdev, PCI_PREF_BASE_UPPER32, 4, 0x2);
	reset_card(card);

	KUNIT_EXPECT_EQ(test, 0xa5002010, written[PCI_IO_BASE / 4]);
	KUNIT_EXPECT_EQ(test, 0x80f08000, written[PCI_MEMORY_BASE / 4]);
	KUNIT_EXPECT_EQ(test, 0xa5000009, written[PCI_PREF_MEMORY_BASE / 4]);
	KUNIT_EXPECT_EQ(test, 0x2, written[PCI_PREF_BASE_UPPER32 / 4]);
}

/* A device without EEH, and a register that is not saved */
static void test_not_saved(struct kunit *test)
{
	struct eeh_card *card = new_card(test);
	struct eeh_dev before = card->edev;

	eeh_address_written(&card->pdev, 0x40, 4, 0x80000000);
	KUNIT_EXPECT_MEMEQ(test, &before, &card->edev, sizeof(before));

	card->pdev.dev.archdata.edev = NULL;
	eeh_address_written(&card->pdev, PCI_BASE_ADDRESS_0, 4, 0x80000000);
	KUNIT_EXPECT_MEMEQ(test, &before, &card->edev, sizeof(before));
}

static void test_found(struct kunit *test)
{
	struct eeh_card *a = new_card(test), *b = new_card(test);

	set_bar(a, 0, BASE, SZ_64K);
	set_bar(a, 2, BASE + SZ_1M, SZ_64K);
	set_bar(b, 0, BASE + SZ_2M, SZ_4K);
	insert_card(test, a);
	insert_card(test, b);

	set_bar(a, 2, BASE + SZ_4M, SZ_64K);
	eeh_addr_cache_update();

	KUNIT_EXPECT_PTR_EQ(test, &a->edev,
			    eeh_addr_cache_get_dev(BASE + SZ_64K - 1));
	KUNIT_EXPECT_NULL(test, eeh_addr_cache_get_dev(BASE + SZ_1M));
	KUNIT_EXPECT_PTR_EQ(test, &a->edev,
			    eeh_addr_cache_get_dev(BASE + SZ_4M));
	KUNIT_EXPECT_PTR_EQ(test, &b->edev,
			    eeh_addr_cache_get_dev(BASE + SZ_2M));
}

/* Each goes to where another one was, and so does one that overlaps itself */
static void test_swapped(struct kunit *test)
{
	struct eeh_card *a = new_card(test), *b = new_card(test);

	set_bar(a, 0, BASE, SZ_64K);
	set_bar(b, 0, BASE + SZ_64K, SZ_64K);
	set_bar(b, 1, BASE + SZ_128K, SZ_64K);
	insert_card(test, a);
	insert_card(test, b);

	set_bar(a, 0, BASE + SZ_128K, SZ_64K);
	set_bar(b, 0, BASE, SZ_64K);
	set_bar(b, 1, BASE + SZ_64K, SZ_64K);
	eeh_addr_cache_update();

	KUNIT_EXPECT_PTR_EQ(test, &b->edev, eeh_addr_cache_get_dev(BASE));
	KUNIT_EXPECT_PTR_EQ(test, &b->edev,
			    eeh_addr_cache_get_dev(BASE + SZ_64K));
	KUNIT_EXPECT_PTR_EQ(test, &a->edev,
			    eeh_addr_cache_get_dev(BASE + SZ_128K));

	set_bar(a, 0, BASE + SZ_128K + SZ_4K, SZ_64K);
	eeh_addr_cache_update();
	KUNIT_EXPECT_NULL(test, eeh_addr_cache_get_dev(BASE + SZ_128K));
	KUNIT_EXPECT_PTR_EQ(test, &a->edev,
			    eeh_addr_cache_get_dev(BASE + SZ_128K + SZ_64K));
}

/* What has no address any more is not found where it was */
static void test_lost(struct kunit *test)
{
	struct eeh_card *card = new_card(test);

	set_bar(card, 0, BASE, SZ_64K);
	insert_card(test, card);

	card->pdev.resource[0] = (struct resource) {};
	eeh_addr_cache_update();
	KUNIT_EXPECT_NULL(test, eeh_addr_cache_get_dev(BASE));

	/* As if it were new */
	set_bar(card, 0, BASE, SZ_64K);
	eeh_addr_cache_insert_dev(&card->pdev);
	KUNIT_EXPECT_PTR_EQ(test, &card->edev, eeh_addr_cache_get_dev(BASE));
}

static struct kunit_case eeh_cases[] = {
	KUNIT_CASE(test_bar_restored),
	KUNIT_CASE(test_window_restored),
	KUNIT_CASE(test_not_saved),
	KUNIT_CASE(test_found),
	KUNIT_CASE(test_swapped),
	KUNIT_CASE(test_lost),
	{}
};

static struct kunit_suite eeh_suite = {
	.name = "eeh",
	.test_cases = eeh_cases,
};

kunit_test_suite(eeh_suite);
