// SPDX-License-Identifier: GPL-2.0
/*
 * PCI enumeration pipeline tests: memory runs out during enumeration
 *
 * For each allocation that an enumeration makes, this one fails.  Whatever it
 * was for, nothing crashes or warns; each device is there as a whole or not at
 * all; what is left can be removed; and nothing is lost: with memory, the slot
 * works again.
 */
#include <kunit/test.h>
#include <linux/debugfs.h>
#include <linux/fault-inject.h>
#include <linux/fs.h>
#include <linux/pci.h>
#include <linux/sched.h>

#include "emul.h"

#ifdef CONFIG_FAILSLAB

static const struct emul_bar fail_bars[] = {
	{ SZ_64K, EMUL_BAR_MEM },
	{ SZ_1M, EMUL_BAR_PREF64 },
};

struct fail {
	struct emul_host *host;
	struct emul_log *log;
	struct emul_fn *port;
	struct emul_fn *sw;
	struct emul_fn *ep;
};

/* Where debugfs keeps a setting of failslab */
static void *fail_setting(struct kunit *test, const char *name)
{
	struct dentry *dir, *file;
	void *setting = NULL;

	dir = debugfs_lookup("failslab", NULL);
	file = debugfs_lookup(name, dir);
	if (file)
		setting = d_inode(file)->i_private;
	dput(file);
	dput(dir);
	KUNIT_ASSERT_NOT_NULL(test, setting);

	return setting;
}

struct fail_saved {
	bool *ignore_gfp_wait;
	unsigned long *verbose;
	bool old_ignore_gfp_wait;
	unsigned long old_verbose;
};

static struct fail_saved fail_saved;

static void fail_restore(void *data)
{
	*fail_saved.ignore_gfp_wait = fail_saved.old_ignore_gfp_wait;
	*fail_saved.verbose = fail_saved.old_verbose;
}

/* GFP_KERNEL allocations fail as well, and not each with a stack trace */
static void fail_prepare(struct kunit *test)
{
	if (!IS_ENABLED(CONFIG_FAULT_INJECTION_DEBUG_FS))
		kunit_skip(test, "needs CONFIG_FAULT_INJECTION_DEBUG_FS");

	fail_saved.ignore_gfp_wait = fail_setting(test, "ignore-gfp-wait");
	fail_saved.verbose = fail_setting(test, "verbose");
	fail_saved.old_ignore_gfp_wait = *fail_saved.ignore_gfp_wait;
	fail_saved.old_verbose = *fail_saved.verbose;
	emul_do(test, fail_restore, NULL);
	*fail_saved.ignore_gfp_wait = false;
	*fail_saved.verbose = 0;
}

/* The @n th allocation of this task from now on fails; 0: none does */
static void fail_arm(unsigned int n)
{
	WRITE_ONCE(current->fail_nth, n);
}

/* Did the allocation that was to fail come? */
static bool fail_disarm(void)
{
	bool failed = !READ_ONCE(current->fail_nth);

	WRITE_ONCE(current->fail_nth, 0);
	return failed;
}

static void fail_create(struct kunit *test, struct fail *f, u8 last_busnr)
{
	unsigned int count = ARRAY_SIZE(fail_bars);

	fail_prepare(test);
	f->host = emul_host_create(test);
	f->log = emul_log_start(f->host);
	f->port = emul_add_port(f->host, NULL, PCI_DEVFN(1, 0),
				PCI_EXP_TYPE_ROOT_PORT);
	emul_set_hotplug(f->port, 1, last_busnr);
	f->sw = emul_add_switch(f->host, f->port, 2);
	f->ep = emul_add_endpoint(f->host, f->sw->below[PCI_DEVFN(0, 0)], 0,
				  fail_bars, count);
	emul_add_endpoint(f->host, f->sw->below[PCI_DEVFN(1, 0)], 0,
			  fail_bars, count);
	emul_plug(f->port);
	emul_unplug(f->sw);
	KUNIT_ASSERT_EQ(test, emul_host_probe(f->host), 0);
}

static bool fail_clean(struct fail *f)
{
	struct pci_bus *bus = emul_bus_below(f->port);

	return list_empty(&bus->devices) && list_empty(&bus->children) &&
	       list_empty(&f->host->bridge->scanned) &&
	       !bus->resource[0]->child && !bus->resource[1]->child &&
	       !bus->resource[2]->child;
}

/* With memory, the whole switch comes, and goes */
static bool fail_works(struct fail *f)
{
	bool works;

	emul_plug(f->sw);
	emul_log_clear(f->log);
	emul_enumerate(f->port, PCI_BATCH_FRESH);
	works = f->log->count == 5 * PCI_STAGE_BIND &&
		!emul_check(f->host, false);
	emul_remove_below(f->port);
	emul_unplug(f->sw);

	return works && fail_clean(f);
}

/* A sweep that ended at allocation @last, which should be at least @least */
static void fail_report(struct kunit *test, unsigned int wrong,
			unsigned int last, unsigned int least)
{
	KUNIT_EXPECT_EQ_MSG(test, wrong, 0, "at allocation %u", last);
	KUNIT_EXPECT_GE(test, last, least);
	kunit_info(test, "allocations failed up to %u\n", last);
}

/* In parts: a kernel that checks itself takes minutes for all of them */
#define FAIL_PARTS	4

static const unsigned int fail_firsts[FAIL_PARTS] = { 1, 2, 3, 4 };

static void fail_first_desc(const unsigned int *first, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "each fourth from %u on", *first);
}

KUNIT_ARRAY_PARAM(fail_first, fail_firsts, fail_first_desc);

static void fail_slot(struct kunit *test)
{
	unsigned int splats = emul_splats(), wrong = 0, at = 0;
	unsigned int n = *(const unsigned int *)test->param_value;
	struct fail f;
	bool failed;

	fail_create(test, &f, 0x1f);
	KUNIT_ASSERT_TRUE(test, fail_works(&f));

	for (; !wrong; n += FAIL_PARTS) {
		at = n;
		emul_plug(f.sw);
		fail_arm(n);
		emul_enumerate(f.port, PCI_BATCH_FRESH);
		failed = fail_disarm();
		f.host->no_memory = true;
		wrong = emul_check(f.host, false);
		f.host->no_memory = false;
		emul_remove_below(f.port);
		emul_unplug(f.sw);
		wrong += !fail_clean(&f) + (emul_splats() - splats);
		if (!failed)
			break;
		wrong += !fail_works(&f);
	}
	fail_report(test, wrong, at, 100);
}

static void fail_host(struct kunit *test)
{
	unsigned int splats = emul_splats(), wrong = 0, at = 0;
	unsigned int n = *(const unsigned int *)test->param_value;
	struct fail f;
	bool failed;

	fail_create(test, &f, 0x1f);
	f.host->no_memory = true;

	for (; !wrong; n += FAIL_PARTS) {
		at = n;
		emul_host_destroy(f.host);
		emul_plug(f.port);
		emul_host_prepare(f.host);
		fail_arm(n);
		emul_host_probe(f.host);
		failed = fail_disarm();
		wrong = emul_check(f.host, false) + (emul_splats() - splats);
		if (!failed)
			break;
	}
	fail_report(test, wrong, at, 100);
}

/* While a port gets other bus numbers: the old ones or the new ones, whole */
static void fail_busnr(struct kunit *test)
{
	unsigned int splats = emul_splats(), wrong = 0, at = 0;
	unsigned int n = *(const unsigned int *)test->param_value;
	struct emul_fn *beside;
	struct fail f;
	bool failed;

	fail_create(test, &f, 1);
	beside = emul_add_port(f.host, NULL, PCI_DEVFN(2, 0),
			       PCI_EXP_TYPE_ROOT_PORT);
	emul_set_hotplug(beside, 2, 2);

	for (; !wrong; n += FAIL_PARTS) {
		at = n;
		emul_host_destroy(f.host);
		emul_plug(f.port);
		emul_plug(beside);
		emul_unplug(f.sw);
		emul_host_prepare(f.host);
		KUNIT_ASSERT_EQ(test, emul_host_probe(f.host), 0);
		emul_plug(f.sw);
		fail_arm(n);
		emul_enumerate(f.port, PCI_BATCH_FRESH);
		failed = fail_disarm();
		f.host->no_memory = true;
		wrong = emul_check(f.host, false) + (emul_splats() - splats);
		f.host->no_memory = false;
		if (!failed)
			break;
		emul_remove_below(f.port);
		emul_unplug(f.sw);
		/* First with other numbers, unless it got these before */
		fail_works(&f);
		wrong += !fail_works(&f);
	}
	fail_report(test, wrong, at, 100);
}

static bool fail_placed(struct emul_fn *fn)
{
	struct pci_dev *dev = emul_get_dev(fn);
	bool placed = dev && dev->resource[0].parent;

	pci_dev_put(dev);
	return placed;
}

/* While something in use moves: one of two has, for a card that is in, or none */
static void fail_move(struct kunit *test)
{
	static const struct emul_bar small = { SZ_64K, EMUL_BAR_MEM };
	static const struct emul_bar large = { SZ_64M, EMUL_BAR_MEM };
	const u32 at[] = { EMUL_MEM_BUS_ADDRESS, EMUL_MEM_BUS_ADDRESS + SZ_64M };
	unsigned int splats = emul_splats(), wrong = 0, moved, i, last = 0;
	unsigned int n = *(const unsigned int *)test->param_value;
	struct emul_fn *port[3], *fn[3];
	struct emul_host *host;
	bool failed;

	fail_prepare(test);
	host = emul_host_create(test);
	host->mem_size = SZ_128M;
	host->movable = true;
	for (i = 0; i < 3; i++) {
		port[i] = emul_add_port(host, NULL, PCI_DEVFN(1 + i, 0),
					PCI_EXP_TYPE_ROOT_PORT);
		emul_set_hotplug(port[i], 1 + i, 1 + i);
		fn[i] = emul_add_endpoint(host, port[i], 0,
					  i < 2 ? &small : &large, 1);
	}

	for (; !wrong; n += FAIL_PARTS) {
		last = n;
		emul_host_destroy(host);
		for (i = 0; i < 3; i++)
			emul_plug(port[i]);
		emul_leave_bar(fn[0], at[0]);
		emul_leave_bar(fn[1], at[1]);
		emul_unplug(fn[2]);
		emul_host_prepare(host);
		KUNIT_ASSERT_EQ(test, emul_host_probe(host), 0);
		host->watch_addresses = true;

		emul_plug(fn[2]);
		fail_arm(n);
		emul_enumerate(port[2], PCI_BATCH_FRESH);
		failed = fail_disarm();
		host->no_memory = true;
		wrong = emul_check(host, false) + (emul_splats() - splats) +
			host->stray;
		host->no_memory = false;
		host->watch_addresses = false;
		moved = (emul_bar_address(fn[0], 0) != at[0]) +
			(emul_bar_address(fn[1], 0) != at[1]);
		wrong += moved > 1 || (fail_placed(fn[2]) && !moved);
		if (!failed) {
			wrong += !moved;
			break;
		}
	}
	fail_report(test, wrong, last, 50);
}

/* While it is removed */
static void fail_removal(struct kunit *test)
{
	unsigned int splats = emul_splats(), n, wrong = 0;
	struct fail f;
	bool failed;

	fail_create(test, &f, 0x1f);

	for (n = 1; !wrong; n++) {
		emul_plug(f.sw);
		emul_enumerate(f.port, PCI_BATCH_FRESH);
		fail_arm(n);
		emul_remove_below(f.port);
		failed = fail_disarm();
		emul_unplug(f.sw);
		wrong = emul_check(f.host, false) + !fail_clean(&f) +
			(emul_splats() - splats);
		if (!failed)
			break;
	}
	fail_report(test, wrong, n - 1, 0);
}

static struct kunit_case fail_cases[] = {
	KUNIT_CASE_PARAM(fail_slot, fail_first_gen_params),
	KUNIT_CASE_PARAM(fail_host, fail_first_gen_params),
	KUNIT_CASE_PARAM(fail_busnr, fail_first_gen_params),
	KUNIT_CASE_PARAM(fail_move, fail_first_gen_params),
	KUNIT_CASE_SLOW(fail_removal),
	{ }
};

#else

static void fail_needs_failslab(struct kunit *test)
{
	kunit_skip(test, "needs CONFIG_FAILSLAB");
}

static struct kunit_case fail_cases[] = {
	KUNIT_CASE(fail_needs_failslab),
	{ }
};

#endif /* CONFIG_FAILSLAB */

static struct kunit_suite fail_suite = {
	.name = "pci_fail",
	.test_cases = fail_cases,
};

kunit_test_suite(fail_suite);
