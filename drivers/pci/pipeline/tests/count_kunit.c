// SPDX-License-Identifier: GPL-2.0
/*
 * PCI enumeration pipeline tests: config accesses from SCAN to ADD
 *
 * No driver is bound, so that a complete enumeration counts.  Without the
 * pipeline 6.12.117 needs, with this emulation and the same functions, with
 * pci_host_probe() and with what pciehp does, 263 for the port and 186 for
 * the endpoint.  At most half of that is allowed.  The limits are what is
 * reached: they may go down only.
 */
#include <kunit/test.h>
#include <linux/pci.h>

#include "emul.h"

#ifdef CONFIG_PPC
/*
 * Each device has an EARLY and a HEADER fixup there, after which all is read
 * anew; windows are read when a bus is set up, and for an interrupt it looks
 * once more in CONFIGURE.
 */
#define COUNT_PORT	147
#define COUNT_ENDPOINT	105
#else
#define COUNT_PORT	111
#define COUNT_ENDPOINT	87
#endif
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

/*
 * Fixups make the core forget what it knows of a device.  Few devices have
 * one, so leave out those that count themselves for other tests.
 */
static void count_without_fixups(struct emul_fn *fn)
{
	emul_set(fn, PCI_VENDOR_ID, 2, EMUL_VENDOR + 1, 0, 0);
}

static void count_create(struct kunit *test, struct count *c)
{
	c->host = emul_host_create(test);
	c->port = emul_add_port(c->host, NULL, PCI_DEVFN(1, 0),
				PCI_EXP_TYPE_ROOT_PORT);
	c->ep = emul_add_endpoint(c->host, c->port, 0, count_bars,
				  ARRAY_SIZE(count_bars));
	count_without_fixups(c->port);
	count_without_fixups(c->ep);
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

/* Link Control, and what Link Capabilities say before and after it is written */
struct count_again {
	struct kunit *test;
	struct emul_fn *fn;
	unsigned int seen;
};

static unsigned int count_reads(const struct emul_fn *fn, unsigned int pos)
{
	struct emul_count c = emul_count_range(fn, pos, pos + 3);

	return c.reads;
}

static void count_again_at(void *ctx, struct pci_dev *dev,
			   enum pci_stage stage, int result)
{
	struct count_again *a = ctx;
	struct kunit *test = a->test;
	unsigned int cap = a->fn->exp + PCI_EXP_LNKCAP, reads;
	u32 old, val;
	u16 sta, ctl;

	if (emul_fn_of(dev) != a->fn || stage != PCI_STAGE_CLAIM)
		return;
	a->seen++;

	/* What nobody has written is not read again ... */
	pcie_capability_read_dword(dev, PCI_EXP_LNKCAP, &old);
	pcie_capability_read_word(dev, PCI_EXP_LNKCTL, &ctl);
	reads = count_reads(a->fn, cap);
	pcie_capability_read_dword(dev, PCI_EXP_LNKCAP, &val);
	KUNIT_EXPECT_EQ(test, val, old);
	KUNIT_EXPECT_EQ(test, count_reads(a->fn, cap), reads);

	/* ... what changes by itself is ... */
	reads = count_reads(a->fn, a->fn->exp + PCI_EXP_DEVCTL);
	pcie_capability_read_word(dev, PCI_EXP_DEVSTA, &sta);
	pcie_capability_read_word(dev, PCI_EXP_DEVSTA, &sta);
	KUNIT_EXPECT_EQ(test, count_reads(a->fn, a->fn->exp + PCI_EXP_DEVCTL),
			reads + 2);

	/* ... and so is what a write may have changed, in whatever way */
	emul_poke(a->fn, cap, 4, old ^ PCI_EXP_LNKCAP_L0SEL);
	pcie_capability_write_word(dev, PCI_EXP_LNKCTL,
				   ctl ^ PCI_EXP_LNKCTL_CCC);
	pcie_capability_read_dword(dev, PCI_EXP_LNKCAP, &val);
	KUNIT_EXPECT_EQ(test, val, old ^ PCI_EXP_LNKCAP_L0SEL);
	pcie_capability_read_word(dev, PCI_EXP_LNKCTL, &sta);
	KUNIT_EXPECT_EQ(test, sta, ctl ^ PCI_EXP_LNKCTL_CCC);

	/* After a reset anything may be different */
	pci_read_config_dword(dev, PCI_SUBSYSTEM_VENDOR_ID, &old);
	emul_poke(a->fn, PCI_SUBSYSTEM_VENDOR_ID, 4, old + 1);
	pci_read_config_dword(dev, PCI_SUBSYSTEM_VENDOR_ID, &val);
	KUNIT_EXPECT_EQ(test, val, old);
	pci_caps_forget(dev);
	pci_read_config_dword(dev, PCI_SUBSYSTEM_VENDOR_ID, &val);
	KUNIT_EXPECT_EQ(test, val, old + 1);

	pci_write_config_byte(dev, PCI_CACHE_LINE_SIZE, 0x20);
	pci_read_config_dword(dev, PCI_CACHE_LINE_SIZE, &val);
	KUNIT_EXPECT_EQ(test, val & 0xff, 0x20);
	pci_write_config_byte(dev, PCI_CACHE_LINE_SIZE, 0x40);
	pci_read_config_word(dev, PCI_CACHE_LINE_SIZE, &sta);
	KUNIT_EXPECT_EQ(test, sta & 0xff, 0x40);
}

/* From ADD on everything is read: drivers may count on it */
static void count_again(struct kunit *test)
{
	struct count_again a = { .test = test };
	struct emul_log *log;
	unsigned int reads;
	struct pci_dev *dev;
	struct count c;
	u32 val;

	count_create(test, &c);
	a.fn = c.ep;
	log = emul_log_start(c.host);
	log->ctx = &a;
	log->hook = count_again_at;
	KUNIT_ASSERT_EQ(test, emul_host_probe(c.host), 0);
	KUNIT_EXPECT_EQ(test, a.seen, 1);

	dev = emul_get_dev(c.ep);
	KUNIT_ASSERT_NOT_NULL(test, dev);
	reads = count_reads(c.ep, PCI_CLASS_REVISION);
	pci_read_config_dword(dev, PCI_CLASS_REVISION, &val);
	pci_read_config_dword(dev, PCI_CLASS_REVISION, &val);
	KUNIT_EXPECT_EQ(test, count_reads(c.ep, PCI_CLASS_REVISION), reads + 2);
	pci_dev_put(dev);
}

/* A write to a register of its own makes it another kind of device */
static void count_become(struct emul_fn *fn, struct pci_dev *dev)
{
	u32 class;

	emul_poke(fn, PCI_CLASS_DEVICE, 2, PCI_CLASS_OTHERS + 1);
	pci_read_config_dword(dev, PCI_CLASS_REVISION, &class);
	dev->class = class >> 8;
}

static void count_fixup(struct kunit *test)
{
	struct pci_dev *dev;
	struct count c;

	count_create(test, &c);
	emul_set(c.ep, PCI_VENDOR_ID, 2, EMUL_VENDOR, 0, 0);
	c.ep->fixup = count_become;
	KUNIT_ASSERT_EQ(test, emul_host_probe(c.host), 0);

	dev = emul_get_dev(c.ep);
	KUNIT_ASSERT_NOT_NULL(test, dev);
	KUNIT_EXPECT_EQ(test, dev->class >> 8, PCI_CLASS_OTHERS + 1);
	KUNIT_EXPECT_EQ(test, dev->saved_config_space[2] >> 16,
			PCI_CLASS_OTHERS + 1);
	pci_dev_put(dev);
}

static struct kunit_case count_cases[] = {
	KUNIT_CASE(count_again),
	KUNIT_CASE(count_fixup),
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
