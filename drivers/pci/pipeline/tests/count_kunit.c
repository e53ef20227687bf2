// SPDX-License-Identifier: GPL-2.0
/*
 * PCI enumeration pipeline tests: config accesses from SCAN to ADD
 *
 * No driver is bound, so that a complete enumeration counts.  Without the
 * pipeline 6.12.117 needs, with this emulation and the same functions, with
 * pci_host_probe() and with what pciehp does, 263 for the port and 186 for
 * the endpoint.  The aim is half of that.  The limits are what is reached so
 * far: they may go down only.
 */
#include <kunit/test.h>
#include <linux/pci.h>

#include "emul.h"

#define COUNT_PORT	161
#define COUNT_ENDPOINT	114
#define COUNT_RESCAN	10	/* of a port, when there is nothing new */

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

/* Who is over the limit wants to know where */
static void count_expect(struct kunit *test, const struct emul_fn *fn,
			 unsigned int limit)
{
	const struct emul_count *reg = fn->range;
	unsigned int i;

	KUNIT_EXPECT_LE(test, fn->count.reads + fn->count.writes, limit);
	if (fn->count.reads + fn->count.writes <= limit)
		return;

	for (i = 0; i < fn->size / 4; i++)
		if (reg[i].reads + reg[i].writes > 1)
			kunit_info(test, "%03x: %u reads, %u writes\n",
				   4 * i, reg[i].reads, reg[i].writes);
}

static void count_print(struct kunit *test, const char *what,
			const struct emul_fn *fn)
{
	struct emul_count header = emul_count_range(fn, 0, 0x3f);
	struct emul_count bars = emul_count_range(fn, 0x10,
						  fn->below ? 0x14 : 0x24);

	kunit_info(test, "%s: %u reads, %u writes; header %u/%u, BARs %u/%u\n",
		   what, fn->count.reads, fn->count.writes, header.reads,
		   header.writes, bars.reads, bars.writes);
}

static void count_host(struct kunit *test)
{
	struct count c;

	count_create(test, &c);
	KUNIT_ASSERT_EQ(test, emul_host_probe(c.host), 0);
	count_print(test, "root port", c.port);
	count_print(test, "endpoint", c.ep);
	count_expect(test, c.port, COUNT_PORT);
	count_expect(test, c.ep, COUNT_ENDPOINT);
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
	count_print(test, "port above", c.port);
	count_print(test, "hot-added endpoint", c.ep);
	count_expect(test, c.ep, COUNT_ENDPOINT);
}

/* A rescan that finds nothing: bus numbers are looked at, nothing else */
static void count_rescan(struct kunit *test)
{
	struct count c;

	count_create(test, &c);
	KUNIT_ASSERT_EQ(test, emul_host_probe(c.host), 0);
	emul_count_reset(c.host);
	pci_rescan_bus_locked(c.host->bridge->bus);
	count_print(test, "root port in a rescan", c.port);
	count_expect(test, c.port, COUNT_RESCAN);
	count_expect(test, c.ep, 0);
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
