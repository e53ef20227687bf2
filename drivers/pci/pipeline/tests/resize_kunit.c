// SPDX-License-Identifier: GPL-2.0
/*
 * PCI enumeration pipeline tests: BARs that are resized
 */
#include <kunit/test.h>
#include <linux/pci.h>

#include "../../pci.h"
#include "emul.h"

#define RESIZE_MAX	16	/* functions */

static const struct emul_bar resize_card[] = {
	{ SZ_1M, EMUL_BAR_PREF64 },
	{ 0 },
	{ SZ_16K, EMUL_BAR_MEM },
	{ 0 },
	{ SZ_2M, EMUL_BAR_PREF64 },
};

static const struct emul_bar resize_live[] = {
	{ SZ_1M, EMUL_BAR_PREF64 },
};

/**
 * struct resize - a card with a resizable BAR, and one beside it in use
 * @host: the host bridge
 * @fn: the card
 * @dev: the same
 * @live: what is beside it, behind the same ports
 * @count: functions of the host bridge
 * @was: their config spaces at some time
 * @bar: BARs of the card then
 */
struct resize {
	struct emul_host	*host;
	struct emul_fn		*fn;
	struct pci_dev		*dev;
	struct emul_fn		*live;
	unsigned int		count;
	u8			*was[RESIZE_MAX];
	struct resource		bar[PCI_STD_NUM_BARS];
};

static void resize_put(void *dev)
{
	pci_dev_put(dev);
}

/* Both behind a switch, the card in slot @slot, the other one in slot 0 */
static void resize_create(struct kunit *test, struct resize *r,
			  unsigned int slot)
{
	struct emul_fn *port, *sw;
	struct pci_dev *live;

	*r = (struct resize) { .host = emul_host_create(test) };
	r->host->pref_size = SZ_256M;
	port = emul_add_port(r->host, NULL, PCI_DEVFN(1, 0),
			     PCI_EXP_TYPE_ROOT_PORT);
	sw = emul_add_switch(r->host, port, 2);
	r->live = emul_add_endpoint(r->host, sw->below[0], 0, resize_live,
				    ARRAY_SIZE(resize_live));
	r->fn = emul_add_endpoint(r->host, sw->below[PCI_DEVFN(slot, 0)],
				  slot ? 0 : 1, resize_card,
				  ARRAY_SIZE(resize_card));
	/* 1 MiB, 128 MiB and 1 GiB */
	emul_add_rebar(r->fn, BIT(0) | BIT(7) | BIT(10));
	emul_set(r->live, PCI_HEADER_TYPE, 1, PCI_HEADER_TYPE_MFD, 0, 0);
	emul_plug(port);
	KUNIT_ASSERT_EQ(test, emul_host_probe(r->host), 0);

	live = emul_get_dev(r->live);
	KUNIT_ASSERT_NOT_NULL(test, live);
	KUNIT_EXPECT_EQ(test, pci_enable_device(live), 0);
	pci_dev_put(live);
	r->dev = emul_get_dev(r->fn);
	KUNIT_ASSERT_NOT_NULL(test, r->dev);
	emul_do(test, resize_put, r->dev);
	r->host->watch_addresses = true;
}

static void resize_remember(struct kunit *test, struct resize *r)
{
	struct emul_fn *fn;
	unsigned int i;

	r->count = 0;
	list_for_each_entry(fn, &r->host->fns, node) {
		KUNIT_ASSERT_LT(test, r->count, RESIZE_MAX);
		r->was[r->count] = kunit_kmalloc(test, fn->size, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, r->was[r->count]);
		memcpy(r->was[r->count++], fn->value, fn->size);
	}
	for (i = 0; i < PCI_STD_NUM_BARS; i++)
		r->bar[i] = r->dev->resource[i];
}

static void resize_compare(struct kunit *test, struct resize *r)
{
	struct emul_fn *fn;
	unsigned int i = 0;

	list_for_each_entry(fn, &r->host->fns, node)
		KUNIT_EXPECT_MEMEQ(test, fn->value, r->was[i++], fn->size);
	for (i = 0; i < PCI_STD_NUM_BARS; i++) {
		KUNIT_EXPECT_EQ(test, r->dev->resource[i].start, r->bar[i].start);
		KUNIT_EXPECT_EQ(test, r->dev->resource[i].end, r->bar[i].end);
		KUNIT_EXPECT_EQ(test, r->dev->resource[i].flags, r->bar[i].flags);
		KUNIT_EXPECT_PTR_EQ(test, r->dev->resource[i].parent,
				    r->bar[i].parent);
	}
}

static int resize_to(struct resize *r, int size, int exclude)
{
	int ret;

	pci_lock_rescan_remove();
	ret = pci_resize_resource(r->dev, 0, size, exclude);
	pci_unlock_rescan_remove();
	return ret;
}

static void resize_check(struct kunit *test, struct resize *r, u64 size)
{
	unsigned int i;

	KUNIT_EXPECT_EQ(test, resource_size(&r->dev->resource[0]), size);
	for (i = 0; i < PCI_STD_NUM_BARS; i += 2) {
		KUNIT_EXPECT_NOT_NULL(test, r->dev->resource[i].parent);
		KUNIT_EXPECT_EQ(test, pci_bus_address(r->dev, i),
				emul_bar_address(r->fn, i));
	}
	KUNIT_EXPECT_EQ(test, r->fn->bar[0].size, size);
	KUNIT_EXPECT_EQ(test, r->host->stray, 0);
	emul_check_sane(r->host);
	KUNIT_EXPECT_EQ(test, pci_enable_device(r->dev), 0);
	KUNIT_EXPECT_EQ(test, r->host->stray, 0);
	pci_disable_device(r->dev);
	pci_write_config_word(r->dev, PCI_COMMAND, 0);
	KUNIT_EXPECT_EQ(test, emul_splats(), r->host->splats);
}

/* Larger, and back, while what is beside it stays where it is */
static void resize_both_ways(struct kunit *test, unsigned int slot)
{
	struct resize r;
	u64 live;

	resize_create(test, &r, slot);
	live = emul_bar_address(r.live, 0);
	KUNIT_EXPECT_EQ(test, resize_to(&r, 7, 0), 0);
	resize_check(test, &r, SZ_128M);
	KUNIT_EXPECT_EQ(test, emul_bar_address(r.live, 0), live);

	KUNIT_EXPECT_EQ(test, resize_to(&r, 0, 0), 0);
	resize_check(test, &r, SZ_1M);
	KUNIT_EXPECT_EQ(test, emul_bar_address(r.live, 0), live);
}

/* Windows above grow, with something in use in them */
static void resize_grows(struct kunit *test)
{
	resize_both_ways(test, 1);
}

/* A function of one card, with another one in use */
static void resize_beside(struct kunit *test)
{
	resize_both_ways(test, 0);
}

/* A BAR that is excluded stays */
static void resize_excludes(struct kunit *test)
{
	struct resize r;
	u64 stays;

	resize_create(test, &r, 1);
	stays = emul_bar_address(r.fn, 4);
	KUNIT_EXPECT_EQ(test, resize_to(&r, 7, BIT(4)), 0);
	resize_check(test, &r, SZ_128M);
	KUNIT_EXPECT_EQ(test, emul_bar_address(r.fn, 4), stays);
}

/* More than there is: nothing has changed, in registers or elsewhere */
static void resize_refused(struct kunit *test)
{
	struct resize r;

	resize_create(test, &r, 1);
	resize_remember(test, &r);
	KUNIT_EXPECT_EQ(test, resize_to(&r, 10, 0), -ENOSPC);
	resize_compare(test, &r);
	resize_check(test, &r, SZ_1M);
	/* Not a size that the BAR can have */
	resize_remember(test, &r);
	KUNIT_EXPECT_EQ(test, resize_to(&r, 3, 0), -EINVAL);
	resize_compare(test, &r);
}

/* What another device has given up is its own affair, even if there is room */
static void resize_only(struct kunit *test)
{
	struct resource *bar;
	struct pci_dev *live;
	struct resize r;

	resize_create(test, &r, 1);
	live = emul_get_dev(r.live);
	KUNIT_ASSERT_NOT_NULL(test, live);
	pci_disable_device(live);
	pci_write_config_word(live, PCI_COMMAND, 0);
	bar = &live->resource[0];
	pci_release_resource(live, 0);
	resize_remember(test, &r);
	KUNIT_EXPECT_EQ(test, resize_to(&r, 7, 0), 0);
	resize_check(test, &r, SZ_128M);
	KUNIT_EXPECT_NULL(test, bar->parent);
	KUNIT_EXPECT_EQ(test, resource_size(bar), SZ_1M);
	KUNIT_EXPECT_NE(test, bar->flags & IORESOURCE_MEM_64, 0);
	pci_dev_put(live);
}

static struct kunit_case resize_cases[] = {
	KUNIT_CASE(resize_beside),
	KUNIT_CASE(resize_excludes),
	KUNIT_CASE(resize_grows),
	KUNIT_CASE(resize_only),
	KUNIT_CASE(resize_refused),
	{ }
};

static struct kunit_suite resize_suite = {
	.name = "pci_resize",
	.test_cases = resize_cases,
};

kunit_test_suite(resize_suite);
