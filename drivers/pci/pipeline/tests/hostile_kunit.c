// SPDX-License-Identifier: GPL-2.0
/*
 * PCI enumeration pipeline tests: functions that lie
 *
 * Broken or hostile hardware must not crash or hang the kernel, nor take away
 * what others need: each case has an honest device beside the hostile one,
 * which works.
 */
#include <kunit/test.h>
#include <linux/pci.h>
#include <linux/prandom.h>

#include "emul.h"

#define HOSTILE_SEEDS	300

static const struct emul_bar hostile_bars[] = {
	{ SZ_64K, EMUL_BAR_MEM },
	{ 32, EMUL_BAR_IO },
	{ SZ_1M, EMUL_BAR_PREF64 },
};

struct hostile {
	struct emul_host *host;
	struct emul_fn *port;		/* with the hostile one behind it */
	struct emul_fn *bad;
	struct emul_fn *good;		/* an endpoint on the root bus */
};

static void hostile_create(struct kunit *test, struct hostile *h)
{
	unsigned int count = ARRAY_SIZE(hostile_bars);

	h->host = emul_host_create(test);
	h->port = emul_add_port(h->host, NULL, PCI_DEVFN(1, 0),
				PCI_EXP_TYPE_ROOT_PORT);
	emul_set_hotplug(h->port, 1, 8);
	h->good = emul_add_endpoint(h->host, NULL, PCI_DEVFN(2, 0),
				    hostile_bars, count);
	emul_plug(h->good);
	emul_plug(h->port);
}

static void hostile_endpoint(struct kunit *test, struct hostile *h)
{
	hostile_create(test, h);
	h->bad = emul_add_endpoint(h->host, h->port, 0, hostile_bars,
				   ARRAY_SIZE(hostile_bars));
}

static void hostile_bridge(struct kunit *test, struct hostile *h)
{
	hostile_create(test, h);
	h->bad = emul_add_port(h->host, h->port, 0, PCI_EXP_TYPE_PCI_BRIDGE);
	emul_add_pci_device(h->host, h->bad, PCI_DEVFN(1, 0), hostile_bars,
			    ARRAY_SIZE(hostile_bars));
}

static bool hostile_good_works(struct hostile *h)
{
	struct pci_dev *dev = emul_get_dev(h->good);
	bool works = dev && dev->stage == PCI_STAGE_BIND &&
		     emul_resources_assigned(dev);

	pci_dev_put(dev);
	return works;
}

/* At boot, removed, plugged in, rescanned: nothing warns, the good one works */
static void hostile_run(struct kunit *test, struct hostile *h)
{
	emul_plug(h->bad);
	KUNIT_ASSERT_EQ(test, emul_host_probe(h->host), 0);
	KUNIT_EXPECT_TRUE(test, hostile_good_works(h));

	emul_remove_below(h->port);
	emul_plug(h->bad);
	emul_enumerate(h->port, PCI_BATCH_FRESH);
	KUNIT_EXPECT_TRUE(test, hostile_good_works(h));

	emul_remove_below(h->port);
	emul_plug(h->bad);
	pci_rescan_bus_locked(h->host->bridge->bus);
	KUNIT_EXPECT_TRUE(test, hostile_good_works(h));

	emul_remove_below(h->port);
	emul_unplug(h->bad);
	emul_check_sane(h->host);
}

struct hostile_case {
	const char *name;
	bool bridge;
	void (*spoil)(struct emul_fn *fn);
};

static void hostile_cap_loop(struct emul_fn *fn)
{
	/* PCIe points back to PM */
	emul_set(fn, fn->exp + 1, 1, 0x40, 0, 0);
}

static void hostile_cap_self(struct emul_fn *fn)
{
	emul_set(fn, 0x41, 1, 0x40, 0, 0);
}

static void hostile_cap_header(struct emul_fn *fn)
{
	emul_set(fn, PCI_CAPABILITY_LIST, 1, 0x04, 0, 0);
}

static void hostile_cap_end(struct emul_fn *fn)
{
	emul_set(fn, PCI_CAPABILITY_LIST, 1, 0xfc, 0, 0);
	emul_set(fn, 0xfc, 4, PCI_CAP_ID_EXP, 0, 0);
}

static void hostile_ext_loop(struct emul_fn *fn)
{
	emul_set(fn, 0x100, 4, PCI_EXT_CAP_ID_ERR | 1 << 16 | 0x100 << 20, 0,
		 0);
}

static void hostile_ext_ping_pong(struct emul_fn *fn)
{
	emul_set(fn, 0x100, 4, 0x7ff | 1 << 16 | 0x200U << 20, 0, 0);
	emul_set(fn, 0x200, 4, 0x7fe | 1 << 16 | 0x100U << 20, 0, 0);
}

static void hostile_ext_end(struct emul_fn *fn)
{
	emul_set(fn, 0x100, 4, PCI_EXT_CAP_ID_ERR | 1 << 16 | 0xffcU << 20, 0,
		 0);
	emul_set(fn, 0xffc, 4, PCI_EXT_CAP_ID_SRIOV | 1 << 16, 0, 0);
}

static void hostile_bars_ones(struct emul_fn *fn)
{
	unsigned int i;

	for (i = 0; i < PCI_STD_NUM_BARS; i++)
		emul_set(fn, PCI_BASE_ADDRESS_0 + 4 * i, 4, ~0, 0, 0);
}

static void hostile_bars_writable(struct emul_fn *fn)
{
	unsigned int i;

	for (i = 0; i < PCI_STD_NUM_BARS; i++)
		emul_set(fn, PCI_BASE_ADDRESS_0 + 4 * i, 4, 0, ~0, 0);
}

static void hostile_bar_huge(struct emul_fn *fn)
{
	emul_set(fn, PCI_BASE_ADDRESS_0, 4, EMUL_BAR_PREF64, 0, 0);
	emul_set(fn, PCI_BASE_ADDRESS_1, 4, 0, BIT(31), 0);
}

static void hostile_bar_holes(struct emul_fn *fn)
{
	emul_set(fn, PCI_BASE_ADDRESS_0, 4, 0, 0x0f0f0ff0, 0);
	emul_set(fn, PCI_BASE_ADDRESS_1, 4, 1, 0x5554, 0);
}

/* The last BAR says that its upper half follows; there is none */
static void hostile_bar_last_64(struct emul_fn *fn)
{
	emul_set(fn, PCI_BASE_ADDRESS_5, 4, EMUL_BAR_PREF64, 0xfff00000, 0);
}

static void hostile_rom_ones(struct emul_fn *fn)
{
	emul_set(fn, PCI_ROM_ADDRESS, 4, ~0, 0, 0);
}

static void hostile_header_7e(struct emul_fn *fn)
{
	emul_set(fn, PCI_HEADER_TYPE, 1, 0x7e, 0, 0);
}

static void hostile_header_cardbus(struct emul_fn *fn)
{
	emul_set(fn, PCI_HEADER_TYPE, 1, PCI_HEADER_TYPE_CARDBUS, 0, 0);
	emul_set(fn, PCI_CLASS_DEVICE, 2, PCI_CLASS_BRIDGE_CARDBUS, 0, 0);
}

static void hostile_header_bridge(struct emul_fn *fn)
{
	emul_set(fn, PCI_HEADER_TYPE, 1, PCI_HEADER_TYPE_BRIDGE, 0, 0);
}

static void hostile_class_bridge(struct emul_fn *fn)
{
	emul_set(fn, PCI_CLASS_DEVICE, 2, PCI_CLASS_BRIDGE_PCI, 0, 0);
}

static void hostile_rrs_then_gone(struct emul_fn *fn)
{
	fn->rrs = 4;
	emul_set(fn, PCI_VENDOR_ID, 4, ~0, 0, 0);
}

static void hostile_id_zero(struct emul_fn *fn)
{
	emul_set(fn, PCI_VENDOR_ID, 4, 0, 0, 0);
}

static void hostile_msix(struct emul_fn *fn)
{
	emul_set(fn, 0x58 + PCI_MSIX_FLAGS, 2, 0x7ff, 0xffff, 0);
	emul_set(fn, 0x58 + PCI_MSIX_TABLE, 4, ~0, 0, 0);
}

static void hostile_exp_type(struct emul_fn *fn)
{
	emul_set(fn, fn->exp + PCI_EXP_FLAGS, 2, 0xfff2, 0, 0);
}

static void hostile_exp_port(struct emul_fn *fn)
{
	emul_set(fn, fn->exp + PCI_EXP_FLAGS, 2,
		 2 | PCI_EXP_TYPE_ROOT_PORT << 4 | PCI_EXP_FLAGS_SLOT, 0, 0);
}

static void hostile_sriov(struct emul_fn *fn)
{
	unsigned int pos;

	emul_add_sriov(fn, 1, SZ_64K);
	pos = fn->sriov;
	emul_set(fn, pos + PCI_SRIOV_TOTAL_VF, 2, 0xffff, 0, 0);
	emul_set(fn, pos + PCI_SRIOV_INITIAL_VF, 2, 0xffff, 0, 0);
	emul_set(fn, pos + PCI_SRIOV_VF_OFFSET, 2, 0xffff, 0, 0);
	emul_set(fn, pos + PCI_SRIOV_VF_STRIDE, 2, 0xffff, 0, 0);
}

static void hostile_sriov_zero(struct emul_fn *fn)
{
	unsigned int pos;

	emul_add_sriov(fn, 1, SZ_64K);
	pos = fn->sriov;
	emul_set(fn, pos + PCI_SRIOV_VF_OFFSET, 2, 0, 0, 0);
	emul_set(fn, pos + PCI_SRIOV_VF_STRIDE, 2, 0, 0, 0);
	emul_set(fn, pos + PCI_SRIOV_SUP_PGSIZE, 4, 0, 0, 0);
}

static void hostile_bus_primary(struct emul_fn *fn)
{
	emul_set_bus_numbers(fn, 1, 1, 1);
}

static void hostile_bus_reversed(struct emul_fn *fn)
{
	emul_set_bus_numbers(fn, 1, 8, 2);
}

static void hostile_bus_outside(struct emul_fn *fn)
{
	emul_set_bus_numbers(fn, 1, 0x20, 0x30);
}

static void hostile_bus_beyond(struct emul_fn *fn)
{
	emul_set_bus_numbers(fn, 1, 2, 0xff);
}

static void hostile_bus_zero(struct emul_fn *fn)
{
	emul_set_bus_numbers(fn, 0, 0, 0xff);
}

static void hostile_bus_fixed(struct emul_fn *fn)
{
	emul_set(fn, PCI_PRIMARY_BUS, 4, 0x00ffffff, 0, 0);
}

static void hostile_windows_open(struct emul_fn *fn)
{
	emul_set(fn, PCI_IO_BASE, 2, 0xf101, 0xf0f0, 0);
	emul_set(fn, PCI_MEMORY_BASE, 4, 0xfff00000, 0xfff0fff0, 0);
	emul_set(fn, PCI_PREF_MEMORY_BASE, 4, 0xfff10001, 0xfff0fff0, 0);
	emul_set(fn, PCI_PREF_LIMIT_UPPER32, 4, ~0, ~0, 0);
	emul_set(fn, PCI_COMMAND, 2, PCI_COMMAND_IO | PCI_COMMAND_MEMORY,
		 0x547, 0);
}

static void hostile_windows_stuck(struct emul_fn *fn)
{
	emul_set(fn, PCI_IO_BASE, 2, 0x2121, 0, 0);
	emul_set(fn, PCI_MEMORY_BASE, 4, 0x90008000, 0, 0);
	emul_set(fn, PCI_PREF_MEMORY_BASE, 4, ~0, 0, 0);
}

static void hostile_ea(struct emul_fn *fn)
{
	unsigned int pos = emul_add_cap(fn, PCI_CAP_ID_EA, 12);

	/* Bus numbers that cannot be */
	emul_set(fn, pos + 2, 2, 0x3f, 0, 0);
	emul_set(fn, pos + 4, 4, 0x0000ff01, 0, 0);
}

static const struct hostile_case hostile_cases_of[] = {
	{ "capability loop", false, hostile_cap_loop },
	{ "capability after itself", false, hostile_cap_self },
	{ "capability in header", false, hostile_cap_header },
	{ "capability at the end", false, hostile_cap_end },
	{ "ext capability loop", false, hostile_ext_loop },
	{ "ext capability ping-pong", false, hostile_ext_ping_pong },
	{ "ext capability at the end", false, hostile_ext_end },
	{ "BARs all ones", false, hostile_bars_ones },
	{ "BARs all writable", false, hostile_bars_writable },
	{ "BAR of 2^63", false, hostile_bar_huge },
	{ "BARs with holes", false, hostile_bar_holes },
	{ "last BAR 64-bit", false, hostile_bar_last_64 },
	{ "ROM all ones", false, hostile_rom_ones },
	{ "header type 7e", false, hostile_header_7e },
	{ "header type CardBus", false, hostile_header_cardbus },
	{ "endpoint with bridge header", false, hostile_header_bridge },
	{ "endpoint with bridge class", false, hostile_class_bridge },
	{ "RRS, then gone", false, hostile_rrs_then_gone },
	{ "vendor 0", false, hostile_id_zero },
	{ "MSI-X beyond everything", false, hostile_msix },
	{ "no such PCIe type", false, hostile_exp_type },
	{ "endpoint that is a root port", false, hostile_exp_port },
	{ "65535 VFs", false, hostile_sriov },
	{ "VFs on top of their PF", false, hostile_sriov_zero },
	{ "secondary is primary", true, hostile_bus_primary },
	{ "subordinate below secondary", true, hostile_bus_reversed },
	{ "buses of others", true, hostile_bus_outside },
	{ "more buses than its parent", true, hostile_bus_beyond },
	{ "all buses", true, hostile_bus_zero },
	{ "bus numbers stuck", true, hostile_bus_fixed },
	{ "windows wide open", true, hostile_windows_open },
	{ "windows stuck", true, hostile_windows_stuck },
	{ "impossible EA bus numbers", true, hostile_ea },
	{ "bridge that is an endpoint", true, hostile_exp_type },
	{ "bridge with capability loop", true, hostile_cap_loop },
};

static void hostile_desc(const struct hostile_case *c, char *desc)
{
	strscpy(desc, c->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(hostile, hostile_cases_of, hostile_desc);

static void hostile_lies(struct kunit *test)
{
	const struct hostile_case *c = test->param_value;
	struct hostile h;

	if (c->bridge)
		hostile_bridge(test, &h);
	else
		hostile_endpoint(test, &h);
	c->spoil(h.bad);
	hostile_run(test, &h);
}

/* Not ready for a while, as after a reset, then all right */
static void hostile_not_ready(struct kunit *test)
{
	struct pci_dev *dev;
	struct hostile h;

	hostile_endpoint(test, &h);
	KUNIT_ASSERT_EQ(test, emul_host_probe(h.host), 0);
	emul_plug(h.bad);
	h.bad->rrs = 5;
	KUNIT_EXPECT_EQ(test, emul_enumerate(h.port, PCI_BATCH_FRESH), 1);
	dev = emul_get_dev(h.bad);
	KUNIT_ASSERT_NOT_NULL(test, dev);
	KUNIT_EXPECT_EQ(test, dev->stage, PCI_STAGE_BIND);
	KUNIT_EXPECT_EQ(test, h.bad->rrs, 0);
	pci_dev_put(dev);
	emul_check_sane(h.host);
}

/* Two bridges with the same bus numbers: each number works for one at most */
static void hostile_same_buses(struct kunit *test)
{
	struct emul_fn *other, *fn;
	struct hostile h;

	hostile_create(test, &h);
	fn = emul_add_endpoint(h.host, h.port, 0, hostile_bars,
			       ARRAY_SIZE(hostile_bars));
	other = emul_add_port(h.host, NULL, PCI_DEVFN(3, 0),
			      PCI_EXP_TYPE_ROOT_PORT);
	emul_set_hotplug(other, 1, 8);
	emul_add_endpoint(h.host, other, 0, hostile_bars,
			  ARRAY_SIZE(hostile_bars));
	emul_plug(h.port);
	emul_plug(other);
	KUNIT_ASSERT_EQ(test, emul_host_probe(h.host), 0);
	KUNIT_EXPECT_TRUE(test, hostile_good_works(&h));

	emul_remove(other);
	emul_unplug(other);
	emul_remove(h.port);
	emul_plug(h.port);
	pci_rescan_bus_locked(h.host->bridge->bus);
	KUNIT_EXPECT_TRUE(test, emul_present(fn));
	emul_check_sane(h.host);
}

/* A function without function 0, and with */
static void hostile_no_function_0(struct kunit *test)
{
	struct emul_fn *fn;
	struct hostile h;

	hostile_create(test, &h);
	fn = emul_add_endpoint(h.host, h.port, 7, hostile_bars,
			       ARRAY_SIZE(hostile_bars));
	emul_plug(fn);
	KUNIT_ASSERT_EQ(test, emul_host_probe(h.host), 0);
	KUNIT_EXPECT_NULL(test, emul_get_dev(fn));
	emul_check_sane(h.host);
}

/*
 * Any bits at all, writable in any way.  The class stays that of an unknown
 * device: code for known classes maps BARs and waits for their devices.
 */
static void hostile_fill(struct emul_fn *fn, struct rnd_state *rnd)
{
	unsigned int pos;
	u32 rw;

	for (pos = 0; pos < fn->size; pos += 4) {
		rw = prandom_u32_state(rnd);
		emul_set(fn, pos, 4, prandom_u32_state(rnd), rw,
			 prandom_u32_state(rnd) & ~rw);
	}
	emul_set(fn, PCI_VENDOR_ID, 4, EMUL_VENDOR | 0x7777 << 16, 0, 0);
	emul_set(fn, PCI_CLASS_REVISION, 4, PCI_CLASS_OTHERS << 16, 0, 0);
	emul_set(fn, PCI_HEADER_TYPE, 1, prandom_u32_state(rnd) & 1, 0, 0);
	fn->reset[PCI_STATUS] |= PCI_STATUS_CAP_LIST;
}

/* Chains of real capabilities in the noise */
static void hostile_caps(struct emul_fn *fn, struct rnd_state *rnd)
{
	unsigned int pos, id;

	for (pos = 0x40; pos < 0x100; pos += 0x20) {
		id = prandom_u32_state(rnd) % (PCI_CAP_ID_MAX + 1);
		emul_set(fn, pos, 2, id | ((pos + 0x20) & 0xff) << 8, 0, 0);
	}
	emul_set(fn, PCI_CAPABILITY_LIST, 1, 0x40, 0, 0);
	for (pos = 0x100; pos < 0xf00; pos += 0x80) {
		id = prandom_u32_state(rnd) % (PCI_EXT_CAP_ID_MAX + 1);
		emul_set(fn, pos, 4, id | 1 << 16 | (pos + 0x80) << 20, 0, 0);
	}
}

static void hostile_noise(struct kunit *test)
{
	unsigned int splats = emul_splats(), seed;
	unsigned int bound = 0;
	struct rnd_state rnd;
	struct pci_dev *dev;
	struct hostile h;

	hostile_bridge(test, &h);
	KUNIT_ASSERT_EQ(test, emul_host_probe(h.host), 0);

	for (seed = 1; seed <= HOSTILE_SEEDS; seed++) {
		prandom_seed_state(&rnd, seed);
		hostile_fill(h.bad, &rnd);
		if (seed & 1)
			hostile_caps(h.bad, &rnd);
		emul_plug(h.bad);
		emul_enumerate(h.port, PCI_BATCH_FRESH);
		pci_rescan_bus_locked(h.host->bridge->bus);
		dev = emul_get_dev(h.bad);
		bound += dev && dev->stage == PCI_STAGE_BIND;
		pci_dev_put(dev);
		emul_remove_below(h.port);
		emul_unplug(h.bad);
		if (emul_splats() != splats || !hostile_good_works(&h) ||
		    emul_check(h.host, false))
			break;
	}
	KUNIT_EXPECT_GT_MSG(test, seed, HOSTILE_SEEDS, "with seed %u", seed);
	KUNIT_EXPECT_GT(test, bound, HOSTILE_SEEDS / 2);
	kunit_info(test, "%u of %u became devices\n", bound, HOSTILE_SEEDS);
}

static struct kunit_case hostile_cases[] = {
	KUNIT_CASE_PARAM(hostile_lies, hostile_gen_params),
	KUNIT_CASE(hostile_not_ready),
	KUNIT_CASE(hostile_same_buses),
	KUNIT_CASE(hostile_no_function_0),
	KUNIT_CASE_SLOW(hostile_noise),
	{ }
};

static struct kunit_suite hostile_suite = {
	.name = "pci_hostile",
	.test_cases = hostile_cases,
};

kunit_test_suite(hostile_suite);
