// SPDX-License-Identifier: GPL-2.0
/*
 * PCI enumeration pipeline tests: tests of the emulation and its checker
 *
 * A checker that finds nothing wrong in any case would let every other test
 * pass: each of its rules is seen to fail here.
 */
#include <kunit/test.h>
#include <linux/pci.h>

#include "emul.h"

static const struct emul_bar emul_bars[] = {
	{ SZ_16K, EMUL_BAR_MEM },
	{ 32, EMUL_BAR_IO },
	{ SZ_1M, EMUL_BAR_PREF64 },
	{ },
	{ SZ_64K, EMUL_BAR_MEM64 },
};

static void emul_sizes_bars(struct kunit *test)
{
	struct emul_host *host = emul_host_create(test);
	struct emul_fn *fn;
	struct pci_dev *dev;

	fn = emul_add_endpoint(host, NULL, 0, emul_bars,
			       ARRAY_SIZE(emul_bars));
	emul_add_rom(fn, SZ_64K);
	emul_plug(fn);
	KUNIT_ASSERT_EQ(test, emul_host_probe(host), 0);

	dev = emul_get_dev(fn);
	KUNIT_ASSERT_NOT_NULL(test, dev);
	KUNIT_EXPECT_EQ(test, pci_resource_len(dev, 0), SZ_16K);
	KUNIT_EXPECT_EQ(test, pci_resource_len(dev, 1), 32);
	KUNIT_EXPECT_EQ(test, pci_resource_len(dev, 2), SZ_1M);
	KUNIT_EXPECT_EQ(test, pci_resource_len(dev, 4), SZ_64K);
	KUNIT_EXPECT_EQ(test, pci_resource_len(dev, PCI_ROM_RESOURCE), SZ_64K);
	KUNIT_EXPECT_TRUE(test, pci_resource_flags(dev, 1) & IORESOURCE_IO);
	KUNIT_EXPECT_TRUE(test, pci_resource_flags(dev, 2) &
				IORESOURCE_PREFETCH);
	KUNIT_EXPECT_TRUE(test, pci_resource_flags(dev, 4) &
				IORESOURCE_MEM_64);
	KUNIT_EXPECT_TRUE(test, emul_resources_assigned(dev));
	KUNIT_EXPECT_EQ(test, dev->cfg_size, PCI_CFG_SPACE_EXP_SIZE);
	KUNIT_EXPECT_TRUE(test, pci_is_pcie(dev));
	pci_dev_put(dev);
	emul_check_sane(host);
}

static void emul_routes(struct kunit *test)
{
	struct emul_host *host = emul_host_create(test);
	struct emul_fn *port, *sw, *ep;

	port = emul_add_port(host, NULL, PCI_DEVFN(3, 0),
			     PCI_EXP_TYPE_ROOT_PORT);
	sw = emul_add_switch(host, port, 2);
	ep = emul_add_endpoint(host, sw->below[PCI_DEVFN(1, 0)], 0, emul_bars,
			       ARRAY_SIZE(emul_bars));
	emul_plug(port);

	KUNIT_EXPECT_PTR_EQ(test, emul_route(host, 0, PCI_DEVFN(3, 0)), port);
	KUNIT_EXPECT_NULL(test, emul_route(host, 1, 0));

	KUNIT_ASSERT_EQ(test, emul_host_probe(host), 0);
	KUNIT_EXPECT_PTR_EQ(test, emul_route(host, 1, 0), sw);
	KUNIT_EXPECT_PTR_EQ(test, emul_route(host, 4, 0), ep);
	KUNIT_EXPECT_NULL(test, emul_route(host, 5, 0));
	KUNIT_EXPECT_EQ(test, host->conflicts, 0);
	emul_check_sane(host);

	/* Everything below a function that is pulled goes with it */
	emul_unplug(sw);
	KUNIT_EXPECT_NULL(test, emul_route(host, 4, 0));
	KUNIT_EXPECT_NE(test, emul_check(host, true), 0);
	emul_remove(sw);
	emul_remove_below(port);
	emul_check_sane(host);
}

static void emul_vanishes(struct kunit *test)
{
	struct emul_host *host = emul_host_create(test);
	struct emul_fn *fn;
	u32 value;

	fn = emul_add_endpoint(host, NULL, 0, NULL, 0);
	emul_plug(fn);
	KUNIT_ASSERT_EQ(test, emul_host_probe(host), 0);

	emul_vanish_after(fn, 2);
	pci_bus_read_config_dword(host->bridge->bus, 0, 0, &value);
	KUNIT_EXPECT_NE(test, value, ~0);
	pci_bus_write_config_dword(host->bridge->bus, 0, 0, 0);
	KUNIT_EXPECT_TRUE(test, emul_present(fn));
	pci_bus_read_config_dword(host->bridge->bus, 0, 0, &value);
	KUNIT_EXPECT_EQ(test, value, ~0);
	KUNIT_EXPECT_FALSE(test, emul_present(fn));
}

/* How to break a tree that is sane, and be found out */
struct emul_damage {
	const char *name;
	void (*break_it)(struct emul_fn *port, struct emul_fn *ep,
			 struct pci_dev *dev);
	void (*repair)(struct emul_fn *port, struct emul_fn *ep,
		       struct pci_dev *dev);
};

static void emul_move_bar(struct emul_fn *port, struct emul_fn *ep,
			  struct pci_dev *dev)
{
	emul_poke(ep, PCI_BASE_ADDRESS_0, 4,
		  emul_peek(ep, PCI_BASE_ADDRESS_0, 4) + SZ_16K);
}

static void emul_move_window(struct emul_fn *port, struct emul_fn *ep,
			     struct pci_dev *dev)
{
	emul_poke(port, PCI_MEMORY_LIMIT, 2,
		  emul_peek(port, PCI_MEMORY_LIMIT, 2) + 0x10);
}

static void emul_close_window(struct emul_fn *port, struct emul_fn *ep,
			      struct pci_dev *dev)
{
	emul_poke(port, PCI_MEMORY_LIMIT, 2, 0);
}

static void emul_decode_alone(struct emul_fn *port, struct emul_fn *ep,
			      struct pci_dev *dev)
{
	emul_poke(ep, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	emul_poke(port, PCI_COMMAND, 2, 0);
}

static void emul_steal_bus(struct emul_fn *port, struct emul_fn *ep,
			   struct pci_dev *dev)
{
	emul_poke(port->host->below[PCI_DEVFN(2, 0)], PCI_SECONDARY_BUS, 1, 1);
}

static void emul_renumber(struct emul_fn *port, struct emul_fn *ep,
			  struct pci_dev *dev)
{
	emul_poke(port, PCI_PRIMARY_BUS, 1, 7);
}

static void emul_lie_stage(struct emul_fn *port, struct emul_fn *ep,
			   struct pci_dev *dev)
{
	dev->stage = PCI_STAGE_FINAL;
}

static void emul_true_stage(struct emul_fn *port, struct emul_fn *ep,
			    struct pci_dev *dev)
{
	dev->stage = PCI_STAGE_BIND;
}

static void emul_fix_twice(struct emul_fn *port, struct emul_fn *ep,
			   struct pci_dev *dev)
{
	ep->final = 2;
}

static void emul_vanish(struct emul_fn *port, struct emul_fn *ep,
			struct pci_dev *dev)
{
	ep->gone = true;
}

static void emul_lie_resource(struct emul_fn *port, struct emul_fn *ep,
			      struct pci_dev *dev)
{
	dev->resource[0].end += SZ_16K;
}

static void emul_true_resource(struct emul_fn *port, struct emul_fn *ep,
			       struct pci_dev *dev)
{
	dev->resource[0].end -= SZ_16K;
}

static void emul_overlap(struct emul_fn *port, struct emul_fn *ep,
			 struct pci_dev *dev)
{
	emul_poke(ep, PCI_BASE_ADDRESS_4, 4,
		  emul_peek(ep, PCI_BASE_ADDRESS_0, 4));
}

static const struct emul_damage emul_damages[] = {
	{ "bar moved", emul_move_bar },
	{ "bars overlap", emul_overlap },
	{ "window moved", emul_move_window },
	{ "window closed", emul_close_window },
	{ "bridge does not decode", emul_decode_alone },
	{ "bus number stolen", emul_steal_bus },
	{ "primary bus wrong", emul_renumber },
	{ "stage too low", emul_lie_stage, emul_true_stage },
	{ "fixups twice", emul_fix_twice },
	{ "function gone", emul_vanish },
	{ "resource too large", emul_lie_resource, emul_true_resource },
};

static void emul_damage_desc(const struct emul_damage *damage, char *desc)
{
	strscpy(desc, damage->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(emul_damage, emul_damages, emul_damage_desc);

static void emul_checker_finds(struct kunit *test)
{
	const struct emul_damage *damage = test->param_value;
	struct emul_host *host = emul_host_create(test);
	struct emul_fn *port, *ep, *other;
	struct pci_dev *dev;

	port = emul_add_port(host, NULL, PCI_DEVFN(1, 0),
			     PCI_EXP_TYPE_ROOT_PORT);
	other = emul_add_port(host, NULL, PCI_DEVFN(2, 0),
			      PCI_EXP_TYPE_ROOT_PORT);
	ep = emul_add_endpoint(host, port, 0, emul_bars,
			       ARRAY_SIZE(emul_bars));
	emul_plug(port);
	emul_plug(other);
	KUNIT_ASSERT_EQ(test, emul_host_probe(host), 0);
	dev = emul_get_dev(ep);
	KUNIT_ASSERT_NOT_NULL(test, dev);
	KUNIT_EXPECT_EQ(test, emul_check(host, false), 0);

	damage->break_it(port, ep, dev);
	KUNIT_EXPECT_NE(test, emul_check(host, true), 0);
	if (damage->repair)
		damage->repair(port, ep, dev);
	pci_dev_put(dev);
}

static struct kunit_case emul_cases[] = {
	KUNIT_CASE(emul_sizes_bars),
	KUNIT_CASE(emul_routes),
	KUNIT_CASE(emul_vanishes),
	KUNIT_CASE_PARAM(emul_checker_finds, emul_damage_gen_params),
	{ }
};

static struct kunit_suite emul_suite = {
	.name = "pci_emul",
	.test_cases = emul_cases,
};

kunit_test_suite(emul_suite);
