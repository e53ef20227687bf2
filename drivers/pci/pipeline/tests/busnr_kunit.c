// SPDX-License-Identifier: GPL-2.0
/*
 * PCI enumeration pipeline tests: hot-added bridges and bus numbers
 *
 * Firmware gives each port as many bus numbers as it needs at boot.  A bridge
 * that is plugged in works if there is a number for it; if there is none it is
 * refused with one line, and what is beside it works.
 */
#include <kunit/test.h>
#include <linux/pci.h>

#include "emul.h"

#define BUSNR_PORTS	3

static const struct emul_bar busnr_bars[] = {
	{ SZ_64K, EMUL_BAR_MEM },
	{ 32, EMUL_BAR_IO },
};

/*
 * 01.0, 02.0, 03.0 root ports; in the first of them:
 *   00.0 PCIe to PCI bridge "b1"
 *     01.0 device "d1"
 *     02.0 bridge "b2"
 *       01.0, 02.0 devices
 *       03.0 bridge "b3"
 *         01.0 device "d3"
 */
struct busnr {
	struct emul_host *host;
	struct emul_fn *port[BUSNR_PORTS];
	struct emul_fn *b1;
	struct emul_fn *d1;
	struct emul_fn *b2;
	struct emul_fn *b3;
	struct emul_fn *d3;
};

static struct emul_fn *busnr_device(struct busnr *b, struct emul_fn *up,
				    unsigned int slot)
{
	return emul_add_pci_device(b->host, up, PCI_DEVFN(slot, 0), busnr_bars,
				   ARRAY_SIZE(busnr_bars));
}

/* @numbers: how many bus numbers the first port has */
static void busnr_create(struct kunit *test, struct busnr *b,
			 unsigned int numbers)
{
	unsigned int i, next = 1;

	b->host = emul_host_create(test);
	for (i = 0; i < BUSNR_PORTS; i++) {
		b->port[i] = emul_add_port(b->host, NULL, PCI_DEVFN(1 + i, 0),
					   PCI_EXP_TYPE_ROOT_PORT);
		emul_set_hotplug(b->port[i], next, next + numbers - 1);
		next += numbers;
		numbers = 1;
	}
	b->b1 = emul_add_port(b->host, b->port[0], 0, PCI_EXP_TYPE_PCI_BRIDGE);
	b->d1 = busnr_device(b, b->b1, 1);
	b->b2 = emul_add_pci_bridge(b->host, b->b1, PCI_DEVFN(2, 0));
	busnr_device(b, b->b2, 1);
	busnr_device(b, b->b2, 2);
	b->b3 = emul_add_pci_bridge(b->host, b->b2, PCI_DEVFN(3, 0));
	b->d3 = busnr_device(b, b->b3, 1);

	for (i = 0; i < BUSNR_PORTS; i++)
		emul_plug(b->port[i]);
	emul_unplug(b->b1);
	KUNIT_ASSERT_EQ(test, emul_host_probe(b->host), 0);
	emul_check_sane(b->host);
}

static bool busnr_works(struct emul_fn *fn)
{
	struct pci_dev *dev = emul_get_dev(fn);
	bool works = dev && dev->stage == PCI_STAGE_BIND &&
		     emul_resources_assigned(dev);

	pci_dev_put(dev);
	return works;
}

/* Either there is a bus behind it, or it was said once that there is none */
static void busnr_expect(struct kunit *test, struct busnr *b, unsigned int lines)
{
	unsigned int refused = 0;

	if (!emul_bus_below(b->b1))
		refused = 1;
	else if (!emul_bus_below(b->b2))
		refused = 1;
	else if (!emul_bus_below(b->b3))
		refused = 1;
	KUNIT_EXPECT_EQ(test, lines, refused);

	KUNIT_EXPECT_TRUE(test, busnr_works(b->b1));
	if (emul_bus_below(b->b1)) {
		KUNIT_EXPECT_TRUE(test, busnr_works(b->d1));
		KUNIT_EXPECT_TRUE(test, busnr_works(b->b2));
	}
	if (!refused)
		KUNIT_EXPECT_TRUE(test, busnr_works(b->d3));
	KUNIT_EXPECT_EQ(test, b->host->conflicts, 0);
	emul_check_sane(b->host);
}

/* Numbers that the first port has: for the port, b1, b2, b3 */
static const unsigned int busnr_numbers[] = { 1, 2, 3, 4 };

static void busnr_desc(const unsigned int *numbers, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%u of 4", *numbers);
}

KUNIT_ARRAY_PARAM(busnr, busnr_numbers, busnr_desc);

static void busnr_hot_add(struct kunit *test)
{
	struct emul_grep none = { .text = "No bus number available" };
	struct emul_grep free = { .text = "no bus number free" };
	struct emul_grep wrong = { .text = "behind bridge are unusable" };
	const unsigned int *numbers = test->param_value;
	struct busnr b;

	busnr_create(test, &b, *numbers);
	emul_grep_start(test, &none);
	emul_grep_start(test, &free);
	emul_grep_start(test, &wrong);
	emul_plug(b.b1);
	KUNIT_EXPECT_EQ(test, emul_enumerate(b.port[0], PCI_BATCH_FRESH), 1);
	busnr_expect(test, &b,
		     atomic_read(&none.count) + atomic_read(&free.count));
	KUNIT_EXPECT_EQ(test, atomic_read(&wrong.count), 0);
	if (*numbers == 4)
		KUNIT_EXPECT_TRUE(test, busnr_works(b.d3));

	/* A rescan neither hangs nor makes it worse */
	pci_rescan_bus_locked(b.host->bridge->bus);
	KUNIT_EXPECT_TRUE(test, busnr_works(b.b1));
	KUNIT_EXPECT_EQ(test, b.host->conflicts, 0);
	emul_check_sane(b.host);

	emul_remove(b.b1);
	emul_unplug(b.b1);
	emul_check_sane(b.host);
}

static struct kunit_case busnr_cases[] = {
	KUNIT_CASE_PARAM(busnr_hot_add, busnr_gen_params),
	{ }
};

static struct kunit_suite busnr_suite = {
	.name = "pci_busnr",
	.test_cases = busnr_cases,
};

kunit_test_suite(busnr_suite);
