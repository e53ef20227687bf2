// SPDX-License-Identifier: GPL-2.0
/*
 * PCI enumeration pipeline tests: hardware that vanishes during enumeration
 *
 * For each config access of an enumeration, the hardware is gone from that
 * access on.  Whatever the stage, nothing crashes or warns, what is left can
 * be removed, and the slot can be used again.
 */
#include <kunit/test.h>
#include <linux/pci.h>

#include "emul.h"

static const struct emul_bar vanish_bars[] = {
	{ SZ_64K, EMUL_BAR_MEM },
	{ 32, EMUL_BAR_IO },
	{ SZ_1M, EMUL_BAR_PREF64 },
};

struct vanish {
	struct emul_host *host;
	struct emul_fn *port;
	struct emul_fn *sw;
	struct emul_fn *ep;
	struct emul_fn *victim;
};

static void vanish_create(struct kunit *test, struct vanish *v)
{
	unsigned int count = ARRAY_SIZE(vanish_bars);

	v->host = emul_host_create(test);
	v->port = emul_add_port(v->host, NULL, PCI_DEVFN(1, 0),
				PCI_EXP_TYPE_ROOT_PORT);
	emul_set_hotplug(v->port, 1, 0x1f);
	v->sw = emul_add_switch(v->host, v->port, 2);
	v->ep = emul_add_endpoint(v->host, v->sw->below[PCI_DEVFN(0, 0)], 0,
				  vanish_bars, count);
	emul_add_endpoint(v->host, v->sw->below[PCI_DEVFN(1, 0)], 0,
			  vanish_bars, count);
	emul_plug(v->port);
	emul_unplug(v->sw);
	KUNIT_ASSERT_EQ(test, emul_host_probe(v->host), 0);
}

static bool vanish_clean(struct vanish *v)
{
	struct pci_bus *bus = emul_bus_below(v->port);

	return list_empty(&bus->devices) && list_empty(&bus->children) &&
	       list_empty(&v->host->bridge->scanned) &&
	       !bus->resource[0]->child && !bus->resource[1]->child &&
	       !bus->resource[2]->child && !emul_check(v->host, false);
}

/*
 * Let the victim vanish at its first access, at its second, and so on, until
 * the enumeration is over earlier.
 */
static void vanish_sweep(struct kunit *test, struct vanish *v)
{
	unsigned int splats = emul_splats(), n = 0;
	bool reached, clean;

	do {
		emul_plug(v->sw);
		emul_vanish_after(v->victim, n++);
		emul_enumerate(v->port, PCI_BATCH_FRESH);
		reached = v->victim->gone;
		emul_remove_below(v->port);
		emul_unplug(v->sw);
		clean = vanish_clean(v) && emul_splats() == splats;
	} while (reached && clean);

	KUNIT_EXPECT_TRUE_MSG(test, clean, "vanished at access %u", n);
	KUNIT_EXPECT_GT(test, n, 50);
	kunit_info(test, "vanished at each of %u accesses\n", n - 1);

	emul_plug(v->sw);
	KUNIT_EXPECT_EQ(test, emul_enumerate(v->port, PCI_BATCH_FRESH), 1);
	KUNIT_EXPECT_TRUE(test, emul_present(v->ep));
	emul_check_sane(v->host);
}

static void vanish_endpoint(struct kunit *test)
{
	struct vanish v;

	vanish_create(test, &v);
	v.victim = v.ep;
	vanish_sweep(test, &v);
}

static void vanish_port(struct kunit *test)
{
	struct vanish v;

	vanish_create(test, &v);
	v.victim = v.ep->up;
	vanish_sweep(test, &v);
}

static void vanish_switch(struct kunit *test)
{
	struct vanish v;

	vanish_create(test, &v);
	v.victim = v.sw;
	vanish_sweep(test, &v);
}

/* The same while it is removed */
static void vanish_removal(struct kunit *test)
{
	unsigned int splats = emul_splats(), n = 0;
	struct vanish v;
	bool reached;

	vanish_create(test, &v);
	do {
		emul_plug(v.sw);
		KUNIT_ASSERT_EQ(test, emul_enumerate(v.port, PCI_BATCH_FRESH),
				1);
		emul_vanish_after(v.sw, n++);
		emul_remove_below(v.port);
		reached = v.sw->gone;
		emul_unplug(v.sw);
		if (!vanish_clean(&v) || emul_splats() != splats)
			break;
	} while (reached);

	KUNIT_EXPECT_TRUE(test, vanish_clean(&v));
	KUNIT_EXPECT_FALSE(test, reached);
	kunit_info(test, "vanished at each of %u accesses\n", n - 1);
}

/* With the port above, and by a rescan of the root bus */
static void vanish_rescan(struct kunit *test)
{
	unsigned int splats = emul_splats(), n = 0;
	bool reached, clean;
	struct vanish v;

	vanish_create(test, &v);
	do {
		emul_remove(v.port);
		emul_plug(v.port);
		emul_vanish_after(v.port, n++);
		pci_rescan_bus_locked(v.host->bridge->bus);
		reached = v.port->gone;
		emul_remove(v.port);
		emul_unplug(v.port);
		clean = list_empty(&v.host->bridge->bus->devices) &&
			!v.host->mem.child && !v.host->pref.child &&
			!v.host->io.child && emul_splats() == splats;
	} while (reached && clean);

	KUNIT_EXPECT_TRUE_MSG(test, clean, "vanished at access %u", n);
	KUNIT_EXPECT_GT(test, n, 200);
	kunit_info(test, "vanished at each of %u accesses\n", n - 1);
}

/* Below a host bridge that is enumerated as a whole */
static void vanish_host(struct kunit *test)
{
	unsigned int splats = emul_splats(), n, total;
	struct vanish v;

	vanish_create(test, &v);
	emul_host_destroy(v.host);
	emul_plug(v.port);
	emul_vanish_after(v.sw, 1000000);
	KUNIT_ASSERT_EQ(test, emul_host_probe(v.host), 0);
	total = 1000000 - v.sw->vanish_after;
	emul_host_destroy(v.host);

	/* Every seventh: a host bridge takes a while */
	for (n = 0; n < total; n += 7) {
		emul_plug(v.port);
		emul_vanish_after(v.sw, n);
		if (emul_host_probe(v.host) || emul_splats() != splats)
			break;
		emul_host_destroy(v.host);
	}
	KUNIT_EXPECT_GE_MSG(test, n, total, "vanished at access %u", n);
}

static struct kunit_case vanish_cases[] = {
	KUNIT_CASE_SLOW(vanish_endpoint),
	KUNIT_CASE_SLOW(vanish_port),
	KUNIT_CASE_SLOW(vanish_switch),
	KUNIT_CASE_SLOW(vanish_removal),
	KUNIT_CASE_SLOW(vanish_rescan),
	KUNIT_CASE_SLOW(vanish_host),
	{ }
};

static struct kunit_suite vanish_suite = {
	.name = "pci_vanish",
	.test_cases = vanish_cases,
};

kunit_test_suite(vanish_suite);
