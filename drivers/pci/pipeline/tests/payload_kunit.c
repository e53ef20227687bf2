// SPDX-License-Identifier: GPL-2.0
/*
 * PCI enumeration pipeline tests: payload and read request sizes
 *
 * Whether a hierarchy is there at boot, is plugged in, or is found by a
 * rescan: it gets the same sizes.
 */
#include <kunit/test.h>
#include <linux/pci.h>
#include <linux/sizes.h>

#include "emul.h"

#define PAYLOAD_FNS	5

static void payload_restore(void *data)
{
	pcie_bus_config = (uintptr_t)data;
}

struct payload {
	struct emul_host *host;
	struct emul_fn *fn[PAYLOAD_FNS];	/* the first is the root port */
};

struct payload_case {
	const char *name;
	enum pcie_bus_config_types config;
	u8 mpss[PAYLOAD_FNS];		/* supported */
	u8 mps[PAYLOAD_FNS];		/* what it gets; 0 for 128 bytes */
};

/* Port, upstream port, downstream port, endpoint; endpoint beside the switch */
static const struct payload_case payload_cases_of[] = {
	{
		"safe", PCIE_BUS_SAFE,
		{ 2, 2, 2, 1, 1 }, { 1, 1, 1, 1, 1 },
	}, {
		"safe, one with 128", PCIE_BUS_SAFE,
		{ 2, 2, 2, 0, 2 }, { 0, 0, 0, 0, 0 },
	}, {
		"peer to peer", PCIE_BUS_PEER2PEER,
		{ 2, 2, 2, 1, 2 }, { 0, 0, 0, 0, 0 },
	}, {
		"performance", PCIE_BUS_PERFORMANCE,
		{ 2, 3, 1, 2, 2 }, { 2, 2, 1, 1, 1 },
	},
};

static void payload_desc(const struct payload_case *c, char *desc)
{
	strscpy(desc, c->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(payload, payload_cases_of, payload_desc);

static void payload_create(struct kunit *test, struct payload *p,
			   const struct payload_case *c)
{
	unsigned int i;

	emul_do(test, payload_restore, (void *)(uintptr_t)pcie_bus_config);
	pcie_bus_config = c->config;

	p->host = emul_host_create(test);
	p->fn[0] = emul_add_port(p->host, NULL, PCI_DEVFN(1, 0),
				 PCI_EXP_TYPE_ROOT_PORT);
	emul_set_bus_numbers(p->fn[0], 0, 1, 0x1f);
	p->fn[1] = emul_add_switch(p->host, p->fn[0], 1);
	p->fn[2] = p->fn[1]->below[0];
	p->fn[3] = emul_add_endpoint(p->host, p->fn[2], 0, NULL, 0);
	p->fn[4] = emul_add_endpoint(p->host, p->fn[2], 1, NULL, 0);
	emul_set(p->fn[3], PCI_HEADER_TYPE, 1, PCI_HEADER_TYPE_MFD, 0, 0);
	for (i = 0; i < PAYLOAD_FNS; i++)
		emul_set_payload(p->fn[i], c->mpss[i]);
	emul_plug(p->fn[0]);
}

static void payload_expect(struct kunit *test, struct payload *p,
			   const struct payload_case *c, const char *when)
{
	unsigned int i, ctl, mps, mrrs;

	for (i = 0; i < PAYLOAD_FNS; i++) {
		ctl = emul_peek(p->fn[i], p->fn[i]->exp + PCI_EXP_DEVCTL, 2);
		mps = (ctl & PCI_EXP_DEVCTL_PAYLOAD) >> 5;
		mrrs = (ctl & PCI_EXP_DEVCTL_READRQ) >> 12;
		KUNIT_EXPECT_EQ_MSG(test, mps, c->mps[i],
				    "payload of function %u, %s", i, when);
		if (c->config == PCIE_BUS_PERFORMANCE)
			KUNIT_EXPECT_EQ_MSG(test, mrrs, c->mps[i],
					    "read request of function %u, %s",
					    i, when);
	}
	emul_check_sane(p->host);
}

static void payload_is_same(struct kunit *test)
{
	const struct payload_case *c = test->param_value;
	struct payload p;

	payload_create(test, &p, c);
	KUNIT_ASSERT_EQ(test, emul_host_probe(p.host), 0);
	payload_expect(test, &p, c, "at boot");

	emul_remove(p.fn[1]);
	emul_plug(p.fn[1]);
	KUNIT_EXPECT_EQ(test, emul_enumerate(p.fn[0], PCI_BATCH_FRESH), 1);
	payload_expect(test, &p, c, "plugged in");

	emul_remove(p.fn[1]);
	emul_plug(p.fn[1]);
	pci_rescan_bus_locked(p.host->bridge->bus);
	payload_expect(test, &p, c, "rescanned");

	emul_remove(p.fn[0]);
	emul_plug(p.fn[0]);
	pci_rescan_bus_locked(p.host->bridge->bus);
	payload_expect(test, &p, c, "rescanned with its port");
}

/* Firmware wants its configuration kept, whatever brings a batch */
static void payload_probe_only(struct kunit *test)
{
	static const struct emul_bar bar = { .size = SZ_4K };
	static const struct payload_case wanted = {
		"wanted", PCIE_BUS_PERFORMANCE, { 2, 3, 1, 2, 2 },
	};
	static const struct payload_case unchanged = {
		"unchanged", PCIE_BUS_TUNE_OFF, { 2, 3, 1, 2, 2 },
		{ 0, 0, 0, 0, 0 },
	};
	struct emul_fn *ep;
	struct pci_dev *dev;
	struct payload p;

	payload_create(test, &p, &wanted);
	ep = emul_add_endpoint(p.host, NULL, PCI_DEVFN(2, 0), &bar, 1);
	emul_plug(ep);
	p.host->probe_only = true;

	KUNIT_ASSERT_EQ(test, emul_host_probe(p.host), 0);
	pci_rescan_bus_locked(p.host->bridge->bus);
	emul_remove(p.fn[1]);
	emul_plug(p.fn[1]);
	KUNIT_EXPECT_EQ(test, emul_enumerate(p.fn[0], PCI_BATCH_FRESH), 1);

	payload_expect(test, &p, &unchanged, "without leave");
	dev = emul_get_dev(ep);
	KUNIT_ASSERT_NOT_NULL(test, dev);
	KUNIT_EXPECT_NULL(test, dev->resource[0].parent);
	KUNIT_EXPECT_EQ(test, emul_peek(ep, PCI_BASE_ADDRESS_0, 4), 0);
	pci_dev_put(dev);
}

static struct kunit_case payload_cases[] = {
	KUNIT_CASE_PARAM(payload_is_same, payload_gen_params),
	KUNIT_CASE(payload_probe_only),
	{ }
};

static struct kunit_suite payload_suite = {
	.name = "pci_payload",
	.test_cases = payload_cases,
};

kunit_test_suite(payload_suite);
