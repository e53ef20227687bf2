// SPDX-License-Identifier: GPL-2.0
/*
 * PCI enumeration pipeline tests: config accesses from SCAN to ADD
 *
 * The numbers without the pipeline were measured with this emulation and the
 * same functions; at most half of them may be needed.
 */
#include <kunit/test.h>
#include <linux/pci.h>

#include "emul.h"

#define COUNT_OLD_PORT		240
#define COUNT_OLD_ENDPOINT	171

static const struct emul_bar count_bars[] = {
	{ SZ_16K, EMUL_BAR_MEM },
	{ },
	{ SZ_1M, EMUL_BAR_PREF64 },
};

struct count {
	struct emul_host *host;
	struct emul_fn *port;
	struct emul_fn *ep;
};

static void count_create(struct kunit *test, struct count *c)
{
	c->host = emul_host_create(test);
	c->port = emul_add_port(c->host, NULL, PCI_DEVFN(1, 0),
				PCI_EXP_TYPE_ROOT_PORT);
	c->ep = emul_add_endpoint(c->host, c->port, 0, count_bars,
				  ARRAY_SIZE(count_bars));
	emul_plug(c->port);
}

static unsigned int count_of(struct kunit *test, const char *what,
			     const struct emul_fn *fn)
{
	struct emul_count header = emul_count_range(fn, 0, 0x3f);
	struct emul_count bars = emul_count_range(fn, 0x10,
						  fn->below ? 0x14 : 0x24);

	kunit_info(test, "%s: %u reads, %u writes; header %u/%u, BARs %u/%u\n",
		   what, fn->count.reads, fn->count.writes, header.reads,
		   header.writes, bars.reads, bars.writes);

	return fn->count.reads + fn->count.writes;
}

static void count_host(struct kunit *test)
{
	struct count c;

	count_create(test, &c);
	KUNIT_ASSERT_EQ(test, emul_host_probe(c.host), 0);
	KUNIT_EXPECT_LE(test, count_of(test, "root port", c.port),
			COUNT_OLD_PORT / 2);
	KUNIT_EXPECT_LE(test, count_of(test, "endpoint", c.ep),
			COUNT_OLD_ENDPOINT / 2);
}

static void count_slot(struct kunit *test)
{
	struct count c;

	count_create(test, &c);
	emul_unplug(c.ep);
	KUNIT_ASSERT_EQ(test, emul_host_probe(c.host), 0);
	emul_plug(c.ep);
	emul_count_reset(c.host);
	KUNIT_EXPECT_EQ(test, emul_enumerate(c.port, PCI_BATCH_FRESH), 1);
	count_of(test, "port above", c.port);
	KUNIT_EXPECT_LE(test, count_of(test, "hot-added endpoint", c.ep),
			COUNT_OLD_ENDPOINT / 2);
}

/* A rescan that finds nothing */
static void count_rescan(struct kunit *test)
{
	struct count c;

	count_create(test, &c);
	KUNIT_ASSERT_EQ(test, emul_host_probe(c.host), 0);
	emul_count_reset(c.host);
	pci_rescan_bus_locked(c.host->bridge->bus);
	count_of(test, "root port in a rescan", c.port);
	KUNIT_EXPECT_EQ(test, count_of(test, "endpoint in a rescan", c.ep), 0);
}

static struct kunit_case count_cases[] = {
	KUNIT_CASE(count_host),
	KUNIT_CASE(count_slot),
	KUNIT_CASE(count_rescan),
	{ }
};

static struct kunit_suite count_suite = {
	.name = "pci_count",
	.test_cases = count_cases,
};

kunit_test_suite(count_suite);
