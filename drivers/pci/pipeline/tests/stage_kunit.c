// SPDX-License-Identifier: GPL-2.0
/*
 * PCI enumeration pipeline tests: order of the stages
 *
 * Seen through the trace event pci:pci_stage, as a user sees it.
 */
#include <kunit/test.h>
#include <linux/pci.h>

#include "emul.h"

static const struct emul_bar stage_bars[] = {
	{ SZ_16K, EMUL_BAR_MEM },
	{ SZ_1M, EMUL_BAR_PREF64 },
};

/*
 * 00.0 endpoint
 * 01.0 root port
 *   00.0 switch
 *     00.0 downstream port
 *       00.0 endpoint
 *     01.0 downstream port
 *       00.0 endpoint, 00.1 endpoint
 */
#define STAGE_BOOT	2
#define STAGE_BELOW	6

static struct emul_fn *stage_tree(struct emul_host *host, bool plug_below)
{
	unsigned int count = ARRAY_SIZE(stage_bars);
	struct emul_fn *port, *sw;

	emul_plug(emul_add_endpoint(host, NULL, 0, stage_bars, count));
	port = emul_add_port(host, NULL, PCI_DEVFN(1, 0),
			     PCI_EXP_TYPE_ROOT_PORT);
	sw = emul_add_switch(host, port, 2);
	emul_add_endpoint(host, sw->below[PCI_DEVFN(0, 0)], 0, stage_bars,
			  count);
	emul_add_endpoint(host, sw->below[PCI_DEVFN(1, 0)], 0, stage_bars,
			  count);
	emul_add_endpoint(host, sw->below[PCI_DEVFN(1, 0)], 1, stage_bars,
			  count);
	emul_set(sw->below[PCI_DEVFN(1, 0)]->below[0], PCI_HEADER_TYPE, 1,
		 PCI_HEADER_TYPE_MFD, 0, 0);
	emul_plug(port);
	if (!plug_below)
		emul_unplug(sw);

	return port;
}

/*
 * One batch: every device has passed a stage before the first one enters the
 * next, each stage is passed once, without failure, in the same order.
 */
static void stage_expect_passes(struct kunit *test, struct emul_log *log,
				unsigned int devices)
{
	unsigned int i, scanned;
	enum pci_stage stage;

	KUNIT_ASSERT_EQ(test, log->count, devices * PCI_STAGE_BIND);

	for (i = 0; i < log->count; i++) {
		stage = PCI_STAGE_SCAN + i / devices;
		scanned = i % devices;
		KUNIT_EXPECT_EQ(test, log->event[i].stage, stage);
		KUNIT_EXPECT_EQ(test, log->event[i].result, 0);
		KUNIT_EXPECT_EQ(test, log->event[i].batch,
				log->event[0].batch);
		KUNIT_EXPECT_EQ(test, log->event[i].bus,
				log->event[scanned].bus);
		KUNIT_EXPECT_EQ(test, log->event[i].devfn,
				log->event[scanned].devfn);
	}
	KUNIT_EXPECT_NE(test, log->event[0].batch, 0);
}

static void stage_expect_unscanned(struct kunit *test, struct emul_log *log,
				   unsigned int devices)
{
	unsigned int i;

	KUNIT_ASSERT_EQ(test, log->count, devices);
	for (i = 0; i < devices; i++)
		KUNIT_EXPECT_EQ(test, log->event[i].stage, PCI_STAGE_NONE);
}

static void stage_host(struct kunit *test)
{
	struct emul_host *host = emul_host_create(test);
	struct emul_log *log = emul_log_start(host);

	stage_tree(host, true);
	KUNIT_ASSERT_EQ(test, emul_host_probe(host), 0);
	stage_expect_passes(test, log, STAGE_BOOT + STAGE_BELOW);
	emul_check_sane(host);

	emul_log_clear(log);
	emul_host_destroy(host);
	stage_expect_unscanned(test, log, STAGE_BOOT + STAGE_BELOW);
}

static void stage_slot(struct kunit *test)
{
	struct emul_host *host = emul_host_create(test);
	struct emul_log *log = emul_log_start(host);
	struct emul_fn *port = stage_tree(host, false);
	unsigned int batch;

	emul_set_hotplug(port, 1, 0x1f);
	emul_plug(port);
	emul_unplug(port->below[0]);
	KUNIT_ASSERT_EQ(test, emul_host_probe(host), 0);
	stage_expect_passes(test, log, STAGE_BOOT);
	batch = log->event[0].batch;

	emul_log_clear(log);
	emul_plug(port->below[0]);
	KUNIT_EXPECT_EQ(test, emul_enumerate(port, PCI_BATCH_FRESH), 1);
	stage_expect_passes(test, log, STAGE_BELOW);
	KUNIT_EXPECT_GT(test, log->event[0].batch, batch);
	emul_check_sane(host);

	emul_log_clear(log);
	emul_remove(port->below[0]);
	stage_expect_unscanned(test, log, STAGE_BELOW);
	emul_unplug(port->below[0]);
	emul_check_sane(host);
}

static void stage_rescan(struct kunit *test)
{
	struct emul_host *host = emul_host_create(test);
	struct emul_log *log = emul_log_start(host);
	struct emul_fn *port = stage_tree(host, true);

	KUNIT_ASSERT_EQ(test, emul_host_probe(host), 0);

	/* Nothing new: no device passes a stage */
	emul_log_clear(log);
	pci_rescan_bus_locked(host->bridge->bus);
	KUNIT_EXPECT_EQ(test, log->count, 0);

	emul_remove(port);
	emul_plug(port);
	emul_log_clear(log);
	pci_rescan_bus_locked(host->bridge->bus);
	stage_expect_passes(test, log, 1 + STAGE_BELOW);
	emul_check_sane(host);
}

/* For callers that scan and add by themselves: the same stages */
static void stage_compat(struct kunit *test)
{
	struct emul_host *host = emul_host_create(test);
	struct emul_log *log = emul_log_start(host);

	stage_tree(host, true);
	KUNIT_ASSERT_EQ(test, emul_host_scan(host), 0);
	pci_lock_rescan_remove();
	pci_bus_size_bridges(host->bridge->bus);
	pci_bus_assign_resources(host->bridge->bus);
	pci_unlock_rescan_remove();
	pci_bus_add_devices(host->bridge->bus);
	stage_expect_passes(test, log, STAGE_BOOT + STAGE_BELOW);
	emul_check_sane(host);
}

/* Two hosts that are enumerated later are not part of each other's batch */
static void stage_hosts(struct kunit *test)
{
	struct emul_host *one = emul_host_create(test);
	struct emul_host *two = emul_host_create(test);
	struct emul_log *log_one = emul_log_start(one);
	struct emul_log *log_two = emul_log_start(two);

	stage_tree(one, true);
	stage_tree(two, true);
	KUNIT_ASSERT_EQ(test, emul_host_probe(one), 0);
	KUNIT_ASSERT_EQ(test, emul_host_probe(two), 0);
	stage_expect_passes(test, log_one, STAGE_BOOT + STAGE_BELOW);
	stage_expect_passes(test, log_two, STAGE_BOOT + STAGE_BELOW);
	KUNIT_EXPECT_NE(test, log_one->event[0].batch,
			log_two->event[0].batch);
}

static struct kunit_case stage_cases[] = {
	KUNIT_CASE(stage_host),
	KUNIT_CASE(stage_slot),
	KUNIT_CASE(stage_rescan),
	KUNIT_CASE(stage_compat),
	KUNIT_CASE(stage_hosts),
	{ }
};

static struct kunit_suite stage_suite = {
	.name = "pci_stage",
	.test_cases = stage_cases,
};

kunit_test_suite(stage_suite);
