// SPDX-License-Identifier: GPL-2.0
/*
 * PCI enumeration pipeline tests: hot-added bridges and bus numbers
 *
 * Firmware gives each port as many bus numbers as it needs at boot.  A bridge
 * that is plugged in gets numbers from wherever there are any; buses in use
 * keep theirs and are reachable all the time.  If there are none it is refused
 * with one line, and what is beside it works.
 */
#include <kunit/test.h>
#include <linux/pci.h>

#include "../../pci.h"
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
	emul_add_bar(b->b1, 0, SZ_4K, EMUL_BAR_MEM);
	b->d1 = busnr_device(b, b->b1, 1);
	b->b2 = emul_add_pci_bridge(b->host, b->b1, PCI_DEVFN(2, 0));
	busnr_device(b, b->b2, 1);
	busnr_device(b, b->b2, 2);
	b->b3 = emul_add_pci_bridge(b->host, b->b2, PCI_DEVFN(3, 0));
	b->d3 = busnr_device(b, b->b3, 1);

	for (i = 0; i < BUSNR_PORTS; i++)
		emul_plug(b->port[i]);
	emul_unplug(b->b1);
}

static void busnr_probe(struct kunit *test, struct busnr *b)
{
	KUNIT_ASSERT_EQ(test, emul_host_probe(b->host), 0);
	emul_check_sane(b->host);
	b->host->watch = true;
}

static bool busnr_works(struct emul_fn *fn)
{
	struct pci_dev *dev = emul_get_dev(fn);
	bool works = dev && dev->stage == PCI_STAGE_BIND &&
		     emul_resources_assigned(dev);

	pci_dev_put(dev);
	return works;
}

static void busnr_sane(struct kunit *test, struct busnr *b)
{
	KUNIT_EXPECT_EQ(test, b->host->conflicts, 0);
	KUNIT_EXPECT_EQ(test, b->host->stray, 0);
	emul_check_sane(b->host);
}

static void busnr_all_work(struct kunit *test, struct busnr *b)
{
	KUNIT_EXPECT_TRUE(test, busnr_works(b->b1));
	KUNIT_EXPECT_TRUE(test, busnr_works(b->d1));
	KUNIT_EXPECT_TRUE(test, busnr_works(b->b2));
	KUNIT_EXPECT_TRUE(test, busnr_works(b->b3));
	KUNIT_EXPECT_TRUE(test, busnr_works(b->d3));
	busnr_sane(test, b);
}

static void busnr_add(struct kunit *test, struct busnr *b)
{
	emul_plug(b->b1);
	KUNIT_EXPECT_EQ(test, emul_enumerate(b->port[0], PCI_BATCH_FRESH), 1);
	busnr_all_work(test, b);
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
	static struct emul_grep refused = { .text = "behind this bridge is usable" };
	struct busnr b;

	busnr_create(test, &b, *(const unsigned int *)test->param_value);
	busnr_probe(test, &b);
	emul_grep_start(test, &refused);
	busnr_add(test, &b);
	KUNIT_EXPECT_EQ(test, atomic_read(&refused.count), 0);

	/* A rescan changes nothing */
	pci_rescan_bus_locked(b.host->bridge->bus);
	busnr_all_work(test, &b);

	/* It goes, and comes again */
	emul_remove(b.b1);
	emul_unplug(b.b1);
	busnr_sane(test, &b);
	busnr_add(test, &b);
}

/* The numbers right after are those of something in use */
static void busnr_neighbour(struct kunit *test)
{
	struct emul_fn *live;
	struct busnr b;

	busnr_create(test, &b, 1);
	live = emul_add_endpoint(b.host, b.port[1], 0, busnr_bars, 1);
	emul_plug(live);
	busnr_probe(test, &b);
	live->lives_on = 2;

	busnr_add(test, &b);
	KUNIT_EXPECT_EQ(test, emul_bus_below(b.port[1])->number, 2);
	KUNIT_EXPECT_GT(test, emul_bus_below(b.port[0])->number, 3);
}

/* A bridge comes beside something in use: the ports after it make room */
static void busnr_beside(struct kunit *test)
{
	struct busnr b;

	busnr_create(test, &b, 2);
	emul_plug(b.b1);
	emul_unplug(b.b2);
	busnr_probe(test, &b);
	KUNIT_ASSERT_TRUE(test, busnr_works(b.d1));
	KUNIT_ASSERT_EQ(test, emul_bus_below(b.port[1])->number, 3);
	b.d1->lives_on = 2;
	b.b1->lives_on = 1;

	emul_plug(b.b2);
	pci_rescan_bus_locked(emul_bus_below(b.b1));
	busnr_all_work(test, &b);
	KUNIT_EXPECT_EQ(test, emul_bus_below(b.b1)->number, 2);
	KUNIT_EXPECT_EQ(test, emul_bus_below(b.b2)->number, 3);
	KUNIT_EXPECT_NE(test, emul_bus_below(b.port[1])->number, 3);
}

static const unsigned int busnr_missing[] = { 0, 1 };

static void busnr_missing_desc(const unsigned int *missing, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%u missing", *missing);
}

KUNIT_ARRAY_PARAM(busnr_missing, busnr_missing, busnr_missing_desc);

/* As many numbers as needed, and one less */
static void busnr_tight(struct kunit *test)
{
	static struct emul_grep refused = { .text = "behind this bridge is usable" };
	unsigned int missing = *(const unsigned int *)test->param_value;
	struct busnr b;

	busnr_create(test, &b, 1);
	b.host->last_busnr = 6 - missing;
	busnr_probe(test, &b);
	emul_grep_start(test, &refused);
	emul_plug(b.b1);
	KUNIT_EXPECT_EQ(test, emul_enumerate(b.port[0], PCI_BATCH_FRESH), 1);
	KUNIT_EXPECT_EQ(test, atomic_read(&refused.count), missing);
	KUNIT_EXPECT_TRUE(test, busnr_works(b.b1));
	KUNIT_EXPECT_TRUE(test, busnr_works(b.d1));
	KUNIT_EXPECT_TRUE(test, busnr_works(b.b3));
	KUNIT_EXPECT_EQ(test, busnr_works(b.d3), !missing);
	busnr_sane(test, &b);

	/* Said again, as somebody has asked again */
	pci_rescan_bus_locked(b.host->bridge->bus);
	KUNIT_EXPECT_EQ(test, atomic_read(&refused.count), 2 * missing);
	busnr_sane(test, &b);
}

/* The registers and what an error or a resume brings back are the same */
static void busnr_saved(struct kunit *test, struct emul_fn *bridge)
{
	struct pci_dev *dev = emul_get_dev(bridge);

	KUNIT_ASSERT_NOT_NULL(test, dev);
	KUNIT_EXPECT_EQ(test, dev->saved_config_space[PCI_PRIMARY_BUS / 4],
			emul_peek(bridge, PCI_PRIMARY_BUS, 4));
	pci_dev_put(dev);
}

/* Numbers that are not ours: nothing moves, one line says so */
static void busnr_fixed(struct kunit *test)
{
	static struct emul_grep refused = { .text = "numbers that firmware gave stay" };
	struct busnr b;

	busnr_create(test, &b, 1);
	busnr_probe(test, &b);
	b.host->bridge->fixed_busnr = true;
	emul_grep_start(test, &refused);
	emul_plug(b.b1);
	KUNIT_EXPECT_EQ(test, emul_enumerate(b.port[0], PCI_BATCH_FRESH), 1);
	KUNIT_EXPECT_EQ(test, atomic_read(&refused.count), 1);
	KUNIT_EXPECT_TRUE(test, busnr_works(b.b1));
	KUNIT_EXPECT_NULL(test, emul_bus_below(b.b1));
	KUNIT_EXPECT_EQ(test, emul_bus_below(b.port[0])->number, 1);
	KUNIT_EXPECT_EQ(test, emul_bus_below(b.port[1])->number, 2);
	busnr_sane(test, &b);

	/* They may be changed after all: a rescan of its bus brings the rest */
	b.host->bridge->fixed_busnr = false;
	pci_rescan_bus_locked(emul_bus_below(b.port[1]));
	KUNIT_EXPECT_NULL(test, emul_bus_below(b.b1));
	pci_rescan_bus_locked(emul_bus_below(b.port[0]));
	busnr_all_work(test, &b);
	busnr_saved(test, b.b1);
}

/* It comes back with numbers in its registers that another one has by now */
static void busnr_stale(struct kunit *test)
{
	struct busnr b;

	busnr_create(test, &b, 4);
	busnr_probe(test, &b);
	emul_set_bus_numbers(b.b1, 1, 5, 5);
	busnr_add(test, &b);
	KUNIT_EXPECT_EQ(test, emul_bus_below(b.port[1])->number, 5);
}

/* Firmware has given a number twice: who knows what else, so nothing moves */
static void busnr_disorder(struct kunit *test)
{
	static struct emul_grep refused = {
		.text = "are not in order, two ranges overlap",
	};
	struct busnr b;

	busnr_create(test, &b, 1);
	emul_set_bus_numbers(b.port[1], 0, 2, 4);
	emul_set_bus_numbers(b.port[2], 0, 4, 4);
	KUNIT_ASSERT_EQ(test, emul_host_probe(b.host), 0);
	emul_grep_start(test, &refused);
	emul_plug(b.b1);
	KUNIT_EXPECT_EQ(test, emul_enumerate(b.port[0], PCI_BATCH_FRESH), 1);
	KUNIT_EXPECT_EQ(test, atomic_read(&refused.count), 1);
	KUNIT_EXPECT_TRUE(test, busnr_works(b.b1));
	KUNIT_EXPECT_NULL(test, emul_bus_below(b.b1));
	KUNIT_EXPECT_EQ(test, emul_bus_below(b.port[0])->number, 1);
}

static void busnr_restored(struct kunit *test)
{
	struct busnr b;
	unsigned int i;

	busnr_create(test, &b, 1);
	busnr_probe(test, &b);
	emul_plug(b.b1);
	KUNIT_EXPECT_EQ(test, emul_enumerate(b.port[0], PCI_BATCH_FRESH), 1);
	for (i = 0; i < BUSNR_PORTS; i++)
		busnr_saved(test, b.port[i]);
}

static struct emul_fn *busnr_pf(struct busnr *b, struct emul_fn *port,
				unsigned int devfn)
{
	struct emul_fn *pf = emul_add_endpoint(b->host, port, devfn,
					       busnr_bars, 1);

	emul_add_sriov(pf, 2, SZ_4K);
	return pf;
}

/* A device whose VFs need more numbers than its port has */
static void busnr_vfs(struct kunit *test)
{
	struct emul_fn *pf;
	struct busnr b;

	busnr_create(test, &b, 1);
	pf = busnr_pf(&b, b.port[1], 0);
	emul_set(pf, pf->sriov + PCI_SRIOV_TOTAL_VF, 2, 200, 0, 0);
	emul_plug(pf);
	busnr_probe(test, &b);

	busnr_add(test, &b);
}

/* A device with VFs comes with a bridge, and their bus gets another number */
static void busnr_vfs_move(struct kunit *test)
{
	struct emul_fn *pf;
	struct busnr b;

	busnr_create(test, &b, 1);
	pf = busnr_pf(&b, b.port[0], PCI_DEVFN(0, 1));
	emul_set(b.b1, PCI_HEADER_TYPE, 1, PCI_HEADER_TYPE_BRIDGE |
		 PCI_HEADER_TYPE_MFD, 0, 0);
	busnr_probe(test, &b);

	emul_plug(b.b1);
	emul_plug(pf);
	emul_unplug(b.b3);
	KUNIT_EXPECT_EQ(test, emul_enumerate(b.port[0], PCI_BATCH_FRESH), 2);
	KUNIT_EXPECT_TRUE(test, busnr_works(pf));
	KUNIT_EXPECT_EQ(test, pci_iov_bus_range(emul_bus_below(b.port[0])), 0);
	busnr_sane(test, &b);
	emul_plug(b.b3);
	pci_rescan_bus_locked(emul_bus_below(b.port[0]));
	busnr_all_work(test, &b);
}

/* Switches behind each other, each with a device, each hot-added by itself */
static void busnr_chain(struct kunit *test)
{
	struct emul_fn *sw[4], *ep[4], *up;
	struct busnr b;
	unsigned int i;

	busnr_create(test, &b, 1);
	up = b.port[1];
	for (i = 0; i < ARRAY_SIZE(sw); i++) {
		sw[i] = emul_add_switch(b.host, up, 3);
		ep[i] = emul_add_endpoint(b.host, sw[i]->below[0], 0, busnr_bars, 1);
		up = sw[i]->below[PCI_DEVFN(1, 0)];
	}
	for (i = 0; i < ARRAY_SIZE(sw); i++)
		emul_unplug(sw[i]);
	busnr_probe(test, &b);

	up = b.port[1];
	for (i = 0; i < ARRAY_SIZE(sw); i++) {
		emul_plug(sw[i]);
		if (i + 1 < ARRAY_SIZE(sw))
			emul_unplug(sw[i + 1]);
		KUNIT_EXPECT_EQ(test, emul_enumerate(up, PCI_BATCH_FRESH), 1);
		KUNIT_EXPECT_TRUE(test, busnr_works(ep[i]));
		busnr_sane(test, &b);
		ep[i]->lives_on = emul_bus_number(ep[i]);
		up = sw[i]->below[PCI_DEVFN(1, 0)];
	}
}

static struct kunit_case busnr_cases[] = {
	KUNIT_CASE_PARAM(busnr_hot_add, busnr_gen_params),
	KUNIT_CASE(busnr_neighbour),
	KUNIT_CASE(busnr_beside),
	KUNIT_CASE_PARAM(busnr_tight, busnr_missing_gen_params),
	KUNIT_CASE(busnr_fixed),
	KUNIT_CASE(busnr_stale),
	KUNIT_CASE(busnr_disorder),
	KUNIT_CASE(busnr_restored),
	KUNIT_CASE(busnr_vfs),
	KUNIT_CASE(busnr_vfs_move),
	KUNIT_CASE(busnr_chain),
	{ }
};

static struct kunit_suite busnr_suite = {
	.name = "pci_busnr",
	.test_cases = busnr_cases,
};

kunit_test_suite(busnr_suite);
