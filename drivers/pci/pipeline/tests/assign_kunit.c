// SPDX-License-Identifier: GPL-2.0
/*
 * PCI enumeration pipeline tests: what is not just a BAR in a window
 *
 * A BAR that nothing leads to is none to a driver, and said once.
 */
#include <kunit/test.h>
#include <linux/err.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/pci.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "../../pci.h"
#include "../layout.h"
#include "emul.h"

#ifdef CONFIG_X86
#include <asm/e820/api.h>
#include <asm/pci_x86.h>
#endif

static const struct emul_bar assign_mixed[] = {
	{ SZ_16K, EMUL_BAR_MEM },
	{ 32, EMUL_BAR_IO },
};

static const struct emul_bar assign_card[] = {
	{ SZ_1M, EMUL_BAR_MEM },
};

/* More than there is */
static const struct emul_bar assign_too_large[] = {
	{ SZ_16K, EMUL_BAR_MEM },
	{ SZ_1G, EMUL_BAR_MEM },
};

/* Nothing is claimed at boot, as on most architectures */
static const struct pci_pipeline_ops assign_no_ops;

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
	KUNIT_ASSERT_EQ(test, emul_host_probe(host), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&said.count), 1);

	emul_plug(card[1]);
	emul_plug(card[2]);
	emul_enumerate(card[1]->up, PCI_BATCH_FRESH);
	emul_enumerate(card[2]->up, PCI_BATCH_FRESH);
	pci_rescan_bus_locked(host->bridge->bus);
	KUNIT_EXPECT_EQ(test, atomic_read(&said.count), 3);

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

/* BAR 0 of a function is to be like this when it is scanned */
struct assign_scanned {
	struct emul_fn	*fn;
	u64		start;
	unsigned long	flags;
};

static void assign_scanned(void *ctx, struct pci_dev *dev, enum pci_stage stage,
			   int result)
{
	struct assign_scanned *s;
	struct resource *res = &dev->resource[0];

	if (stage != PCI_STAGE_SCAN)
		return;

	for (s = ctx; s->fn; s++) {
		if (emul_fn_of(dev) != s->fn)
			continue;
		res->end = s->start + resource_size(res) - 1;
		res->start = s->start;
		res->flags &= ~(IORESOURCE_SIZEALIGN | IORESOURCE_UNSET);
		res->flags |= s->flags;
	}
}

/*
 * What can't be anywhere else is claimed before anything else gets a place: on
 * the root bus, and behind bridges, whose windows need not lead there.
 */
static void assign_fixed(struct kunit *test)
{
	struct assign_scanned fixed[5] = {};
	struct emul_fn *port, *fn;
	struct emul_host *host;
	struct emul_log *log;
	unsigned int i;

	host = emul_host_create(test);
	host->pipeline_ops = &assign_no_ops;
	port = emul_add_port(host, NULL, PCI_DEVFN(4, 0),
			     PCI_EXP_TYPE_ROOT_PORT);
	emul_set_hotplug(port, 1, 1);
	for (i = 0; i < 4; i++)
		fixed[i].fn = emul_add_endpoint(host, i < 2 ? NULL : port,
						i < 2 ? PCI_DEVFN(i + 1, 0) :
						PCI_DEVFN(0, i - 2),
						assign_mixed,
						ARRAY_SIZE(assign_mixed));
	emul_set(fixed[2].fn, PCI_HEADER_TYPE, 1, PCI_HEADER_TYPE_MFD, 0, 0);
	emul_plug(fixed[0].fn);
	emul_plug(fixed[1].fn);
	emul_plug(port);
	emul_unplug(fixed[3].fn);

	/* The first one is where everything else would be, the last at the end */
	emul_host_prepare(host);
	for (i = 0; i < 4; i++) {
		fixed[i].start = host->mem.start + i * SZ_64M;
		fixed[i].flags = IORESOURCE_PCI_FIXED;
	}
	fixed[3].start = host->mem.end + 1 - SZ_16K;
	log = emul_log_start(host);
	log->ctx = fixed;
	log->hook = assign_scanned;
	KUNIT_ASSERT_EQ(test, emul_host_probe(host), 0);
	emul_plug(fixed[3].fn);
	emul_enumerate(port, 0);
	log->hook = NULL;

	for (i = 0; i < 4; i++) {
		fn = fixed[i].fn;
		KUNIT_EXPECT_PTR_EQ(test, assign_bar(fn, 0).parent, &host->mem);
		KUNIT_EXPECT_EQ(test, assign_bar(fn, 0).start, fixed[i].start);
		KUNIT_EXPECT_EQ(test, assign_enable(fn), 0);
	}
}

/* An alignment that somebody has asked for, and nobody has */
static void assign_start_align(struct kunit *test)
{
	struct assign_scanned asked[2] = {
		{ .start = 1ULL << 40, .flags = IORESOURCE_STARTALIGN },
	};
	struct emul_grep bogus = { .text = "bogus alignment" };
	struct emul_host *host;
	struct emul_log *log;
	struct emul_fn *fn;

	if (sizeof(resource_size_t) < 8)
		kunit_skip(test, "no such alignment");

	host = emul_host_create(test);
	host->pipeline_ops = &assign_no_ops;
	fn = emul_add_endpoint(host, NULL, PCI_DEVFN(1, 0), assign_mixed,
			       ARRAY_SIZE(assign_mixed));
	emul_plug(fn);
	asked[0].fn = fn;
	emul_grep_start(test, &bogus);
	log = emul_log_start(host);
	log->ctx = asked;
	log->hook = assign_scanned;
	KUNIT_ASSERT_EQ(test, emul_host_probe(host), 0);
	log->hook = NULL;

	KUNIT_EXPECT_EQ(test, atomic_read(&bogus.count), 0);
	KUNIT_EXPECT_EQ(test, assign_bar(fn, 0).flags, 0);
	KUNIT_EXPECT_PTR_EQ(test, assign_bar(fn, 1).parent, &host->io);
	KUNIT_EXPECT_EQ(test, assign_enable(fn), 0);
}

#ifdef CONFIG_X86
/* The memory map of the machine, with entries that it does not have */
struct assign_e820 {
	struct e820_table	*was;
	bool			used;
	struct e820_table	table;
};

static void assign_e820_restore(void *ctx)
{
	struct assign_e820 *e = ctx;

	e820_table = e->was;
	pci_use_e820 = e->used;
}

static struct assign_e820 *assign_e820(struct kunit *test)
{
	struct assign_e820 *e = kunit_kzalloc(test, sizeof(*e), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, e);
	e->was = e820_table;
	e->used = pci_use_e820;
	e->table.nr_entries = e->was->nr_entries;
	KUNIT_ASSERT_LE(test, e->table.nr_entries + 3, E820_MAX_ENTRIES);
	memcpy(e->table.entries, e->was->entries,
	       e->was->nr_entries * sizeof(e->was->entries[0]));
	e820_table = &e->table;
	pci_use_e820 = true;
	emul_do(test, assign_e820_restore, e);
	return e;
}

static void assign_e820_add(struct assign_e820 *e, u64 start, u64 size)
{
	e->table.entries[e->table.nr_entries++] = (struct e820_entry) {
		.addr = start,
		.size = size,
		.type = E820_TYPE_RESERVED,
	};
}

static void assign_expect_outside(struct kunit *test, struct emul_fn *fn,
				  u64 start, u64 size)
{
	struct pci_dev *dev = emul_get_dev(fn);
	struct resource *res;

	KUNIT_ASSERT_NOT_NULL(test, dev);
	pci_dev_for_each_resource(dev, res)
		KUNIT_EXPECT_FALSE(test, res->parent &&
				   resource_type(res) == IORESOURCE_MEM &&
				   res->start < start + size &&
				   res->end >= start);
	pci_dev_put(dev);
}

/*
 * Where firmware has memory nothing gets an address, also if the window of the
 * host bridge is inside of that; what has one keeps it.
 */
static void assign_reserved(struct kunit *test)
{
	static const struct emul_bar mem[] = { { SZ_1M, EMUL_BAR_MEM } };
	struct emul_fn *port, *card[3];
	struct assign_e820 *e;
	struct resource was;
	struct emul_host *host;
	unsigned int i;

	host = emul_host_create(test);
	card[0] = emul_add_endpoint(host, NULL, PCI_DEVFN(1, 0), mem,
				    ARRAY_SIZE(mem));
	port = emul_add_port(host, NULL, PCI_DEVFN(2, 0),
			     PCI_EXP_TYPE_ROOT_PORT);
	emul_set_hotplug(port, 1, 1);
	card[1] = emul_add_endpoint(host, port, 0, mem, ARRAY_SIZE(mem));
	emul_set(card[1], PCI_HEADER_TYPE, 1, PCI_HEADER_TYPE_MFD, 0, 0);
	card[2] = emul_add_endpoint(host, port, 1, mem, ARRAY_SIZE(mem));
	emul_plug(card[0]);
	emul_plug(port);
	emul_unplug(card[2]);
	emul_host_prepare(host);

	e = assign_e820(test);
	assign_e820_add(e, host->mem.start - SZ_1M, SZ_32M);
	assign_e820_add(e, host->mem.start + SZ_64M, SZ_32M);
	KUNIT_ASSERT_EQ(test, emul_host_probe(host), 0);
	for (i = 0; i < 2; i++) {
		KUNIT_EXPECT_NOT_NULL(test, assign_bar(card[i], 0).parent);
		assign_expect_outside(test, card[i], host->mem.start - SZ_1M,
				      SZ_32M);
		assign_expect_outside(test, card[i], host->mem.start + SZ_64M,
				      SZ_32M);
	}
	assign_expect_outside(test, port, host->mem.start - SZ_1M, SZ_32M);
	assign_expect_outside(test, port, host->mem.start + SZ_64M, SZ_32M);

	was = assign_bar(card[1], 0);
	assign_e820_add(e, host->mem.start - SZ_1M, SZ_512M);
	emul_plug(card[2]);
	emul_enumerate(port, 0);
	KUNIT_EXPECT_NULL(test, assign_bar(card[2], 0).parent);
	KUNIT_EXPECT_EQ(test, assign_bar(card[1], 0).start, was.start);
	KUNIT_EXPECT_PTR_EQ(test, assign_bar(card[1], 0).parent, was.parent);
	emul_check_sane(host);
}
#endif

/* Comes and goes, like the regions of drivers */
static int assign_flicker(void *parent)
{
	struct resource *res;

	while (!kthread_should_stop()) {
		res = kzalloc(sizeof(*res), GFP_KERNEL);
		if (!res)
			continue;
		*res = *(struct resource *)parent;
		res->start = res->end - SZ_4K + 1;
		res->parent = NULL;
		res->sibling = NULL;
		res->child = NULL;
		if (!request_resource(parent, res))
			release_resource(res);
		memset(res, 0xff, sizeof(*res));
		kfree(res);
		cond_resched();
	}

	return 0;
}

/* What others have in a window may go while somebody looks at it */
static void assign_at_any_time(struct kunit *test)
{
	unsigned long end = jiffies + HZ;
	struct task_struct *task;
	struct emul_host *host;
	struct emul_fn *fn;
	int ret = 0;

	host = emul_host_create(test);
	fn = emul_add_endpoint(host, NULL, PCI_DEVFN(1, 0), assign_mixed,
			       ARRAY_SIZE(assign_mixed));
	emul_plug(fn);
	KUNIT_ASSERT_EQ(test, emul_host_probe(host), 0);
	task = kthread_run(assign_flicker, &host->mem, "assign");
	KUNIT_ASSERT_FALSE(test, IS_ERR(task));

	while (!ret && time_before(jiffies, end)) {
		struct pci_layout layout = {
			.bus = host->bridge->bus,
			.type = IORESOURCE_MEM,
		};

		down_read(&pci_bus_sem);
		down_write(&pci_assign_rwsem);
		ret = pci_layout_collect(&layout);
		up_write(&pci_assign_rwsem);
		up_read(&pci_bus_sem);
		pci_layout_free(&layout);
		cond_resched();
	}
	kthread_stop(task);
	KUNIT_EXPECT_EQ(test, ret, 0);
}

static void assign_expect_noio(struct kunit *test, struct emul_host *host)
{
	KUNIT_EXPECT_GT(test, host->placed, 0);
	KUNIT_EXPECT_EQ(test, host->placed_noio, host->placed);
	KUNIT_EXPECT_FALSE(test, current->flags & PF_MEMALLOC_NOIO);
	host->placed = 0;
	host->placed_noio = 0;
}

/*
 * The driver of a disk may have to wait for whoever assigns addresses, so that
 * one must not wait for the disk: neither at boot, nor for a card that comes,
 * whether all of it gets an address or not, nor when a BAR is resized.
 */
static void assign_without_io(struct kunit *test)
{
	struct emul_fn *port[2], *card[2];
	struct emul_host *host;
	struct pci_dev *dev;
	unsigned int i;

	host = emul_host_create(test);
	for (i = 0; i < 2; i++) {
		port[i] = emul_add_port(host, NULL, PCI_DEVFN(1 + i, 0),
					PCI_EXP_TYPE_ROOT_PORT);
		emul_set_hotplug(port[i], 1 + i, 1 + i);
		card[i] = emul_add_endpoint(host, port[i], 0,
					    i ? assign_too_large : assign_card,
					    i ? 2 : 1);
	}
	emul_add_rebar(card[0], BIT(0) | BIT(4));
	emul_plug(port[0]);
	emul_plug(port[1]);
	emul_unplug(card[1]);
	KUNIT_ASSERT_EQ(test, emul_host_probe(host), 0);
	assign_expect_noio(test, host);

	emul_plug(card[1]);
	emul_enumerate(port[1], PCI_BATCH_FRESH);
	KUNIT_EXPECT_NOT_NULL(test, assign_bar(card[1], 0).parent);
	KUNIT_EXPECT_NULL(test, assign_bar(card[1], 1).parent);
	assign_expect_noio(test, host);

	emul_remove(card[0]);
	emul_unplug(card[0]);
	emul_plug(card[0]);
	emul_enumerate(port[0], PCI_BATCH_FRESH);
	KUNIT_EXPECT_NOT_NULL(test, assign_bar(card[0], 0).parent);
	assign_expect_noio(test, host);

	dev = emul_get_dev(card[0]);
	KUNIT_ASSERT_NOT_NULL(test, dev);
	pci_lock_rescan_remove();
	KUNIT_EXPECT_EQ(test, pci_resize_resource(dev, 0, 4, 0), 0);
	pci_unlock_rescan_remove();
	pci_dev_put(dev);
	assign_expect_noio(test, host);
	emul_check_sane(host);
}

#ifdef CONFIG_X86
/* Where firmware had BAR 0 of a function */
struct assign_firmware {
	struct emul_fn	*fn;
	resource_size_t	start;
};

static void assign_had(void *ctx, struct pci_dev *dev, enum pci_stage stage,
		       int result)
{
	struct assign_firmware *firmware = ctx;

	if (stage == PCI_STAGE_CLAIM && emul_fn_of(dev) == firmware->fn)
		pcibios_save_fw_addr(dev, 0, firmware->start);
}

/*
 * What has no address goes where firmware had it, if nothing is there: it may
 * well work.  What firmware had no address for has none.
 */
static void assign_as_firmware(struct kunit *test)
{
	static const struct emul_bar mem[] = { { SZ_64K, EMUL_BAR_MEM } };
	struct resource free = { .name = "test", .flags = IORESOURCE_MEM };
	struct assign_firmware firmware;
	struct emul_host *host;
	struct emul_fn *fn[2];
	struct assign_e820 *e;
	struct emul_log *log;
	unsigned int i;

	KUNIT_ASSERT_EQ(test, allocate_resource(&iomem_resource, &free, SZ_64K,
						SZ_1M, U32_MAX, SZ_64K, NULL,
						NULL), 0);
	firmware.start = free.start;
	release_resource(&free);

	host = emul_host_create(test);
	for (i = 0; i < 2; i++) {
		fn[i] = emul_add_endpoint(host, NULL, PCI_DEVFN(1 + i, 0), mem,
					  ARRAY_SIZE(mem));
		emul_plug(fn[i]);
	}
	firmware.fn = fn[1];
	emul_host_prepare(host);
	log = emul_log_start(host);
	log->ctx = &firmware;
	log->hook = assign_had;
	e = assign_e820(test);
	assign_e820_add(e, host->mem.start - SZ_1M, SZ_512M);
	KUNIT_ASSERT_EQ(test, emul_host_probe(host), 0);
	log->hook = NULL;

	KUNIT_EXPECT_NULL(test, assign_bar(fn[0], 0).parent);
	KUNIT_EXPECT_PTR_EQ(test, assign_bar(fn[1], 0).parent, &iomem_resource);
	KUNIT_EXPECT_EQ(test, assign_bar(fn[1], 0).start, firmware.start);
	KUNIT_EXPECT_EQ(test, assign_enable(fn[1]), 0);
}
#endif

static struct kunit_case assign_cases[] = {
#ifdef CONFIG_X86
	KUNIT_CASE(assign_as_firmware),
#endif
	KUNIT_CASE(assign_at_any_time),
	KUNIT_CASE(assign_fixed),
	KUNIT_CASE(assign_no_window),
#ifdef CONFIG_X86
	KUNIT_CASE(assign_reserved),
#endif
	KUNIT_CASE(assign_start_align),
	KUNIT_CASE(assign_transparent),
	KUNIT_CASE(assign_without_io),
	{ }
};

static struct kunit_suite assign_suite = {
	.name = "pci_assign",
	.test_cases = assign_cases,
};

kunit_test_suite(assign_suite);
