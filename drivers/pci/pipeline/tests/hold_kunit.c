// SPDX-License-Identifier: GPL-2.0
/*
 * PCI enumeration pipeline tests: holds
 */
#include <kunit/test.h>
#include <linux/pci.h>

#include "../pipeline.h"
#include "emul.h"

#define HOLDS	3

static struct pci_hold hold_of[HOLDS] = {
	{
		.name	= "test-claim",
		.before	= PCI_STAGE_CLAIM,
	}, {
		.name	= "test-assign",
		.before	= PCI_STAGE_ASSIGN,
	}, {
		.name	= "test-final",
		.before	= PCI_STAGE_FINAL,
	},
};

static const struct emul_bar hold_bars[] = {
	{ SZ_64K, EMUL_BAR_MEM },
};

static void hold_release_all(void *data)
{
	unsigned int i;

	for (i = 0; i < HOLDS; i++)
		pci_hold_release(&hold_of[i]);
}

static struct emul_fn *hold_tree(struct emul_host *host)
{
	struct emul_fn *port, *ep;

	port = emul_add_port(host, NULL, PCI_DEVFN(1, 0),
			     PCI_EXP_TYPE_ROOT_PORT);
	ep = emul_add_endpoint(host, port, 0, hold_bars,
			       ARRAY_SIZE(hold_bars));
	emul_plug(port);

	return ep;
}

/*
 * The host bridges have to be gone before the holds that keep them back: the
 * actions run in reverse order.
 */
static struct emul_host *hold_host(struct kunit *test)
{
	emul_do(test, hold_release_all, NULL);
	return emul_host_create(test);
}

static enum pci_stage hold_stage(struct emul_fn *fn)
{
	struct pci_dev *dev = emul_get_dev(fn);
	enum pci_stage stage = dev ? dev->stage : PCI_STAGE_NONE;

	pci_dev_put(dev);
	return stage;
}

/* All orders of three */
static const unsigned int hold_orders[][HOLDS] = {
	{ 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 },
	{ 1, 2, 0 }, { 2, 0, 1 }, { 2, 1, 0 },
};

static void hold_order_desc(const unsigned int (*order)[HOLDS], char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "release %u %u %u", (*order)[0],
		 (*order)[1], (*order)[2]);
}

KUNIT_ARRAY_PARAM(hold_order, hold_orders, hold_order_desc);

/* How far a host comes with the holds that are left */
static enum pci_stage hold_limit(void)
{
	unsigned int i;

	for (i = 0; i < HOLDS; i++)
		if (hold_of[i].taken)
			return hold_of[i].before - 1;

	return PCI_STAGE_BIND;
}

static void hold_order_does_not_matter(struct kunit *test)
{
	const unsigned int *order = test->param_value;
	struct emul_host *host = hold_host(test);
	struct emul_fn *ep = hold_tree(host);
	unsigned int i;

	KUNIT_ASSERT_FALSE(test, pci_enumeration_pending());
	for (i = 0; i < HOLDS; i++)
		pci_hold_take(&hold_of[i]);
	KUNIT_EXPECT_TRUE(test, pci_enumeration_pending());

	KUNIT_ASSERT_EQ(test, emul_host_probe(host), 0);
	KUNIT_EXPECT_EQ(test, hold_stage(ep), PCI_STAGE_SCAN);
	KUNIT_EXPECT_TRUE(test, pci_bus_pending(host->bridge->bus));

	for (i = 0; i < HOLDS; i++) {
		pci_hold_release(&hold_of[order[i]]);
		KUNIT_EXPECT_EQ(test, hold_stage(ep), hold_limit());
		KUNIT_EXPECT_EQ(test, pci_enumeration_pending(),
				i < HOLDS - 1);
	}

	KUNIT_EXPECT_EQ(test, hold_stage(ep), PCI_STAGE_BIND);
	KUNIT_EXPECT_FALSE(test, pci_bus_pending(host->bridge->bus));
	emul_check_sane(host);
}

/* All of them are in one batch, also one that comes between two releases */
static void hold_hosts_share_batch(struct kunit *test)
{
	struct emul_host *one = hold_host(test);
	struct emul_host *two = hold_host(test);
	struct emul_log *log_one = emul_log_start(one);
	struct emul_log *log_two = emul_log_start(two);
	struct emul_fn *ep_one = hold_tree(one);
	struct emul_fn *ep_two = hold_tree(two);

	pci_hold_take(&hold_of[0]);
	pci_hold_take(&hold_of[2]);
	KUNIT_ASSERT_EQ(test, emul_host_probe(one), 0);
	pci_hold_release(&hold_of[0]);
	KUNIT_EXPECT_EQ(test, hold_stage(ep_one), PCI_STAGE_CONFIGURE);
	KUNIT_ASSERT_EQ(test, emul_host_probe(two), 0);
	KUNIT_EXPECT_LT(test, hold_stage(ep_two), PCI_STAGE_FINAL);
	pci_hold_release(&hold_of[2]);

	KUNIT_EXPECT_EQ(test, hold_stage(ep_one), PCI_STAGE_BIND);
	KUNIT_EXPECT_EQ(test, hold_stage(ep_two), PCI_STAGE_BIND);
	KUNIT_EXPECT_EQ(test, log_one->count, 2 * PCI_STAGE_BIND);
	KUNIT_EXPECT_EQ(test, log_two->count, 2 * PCI_STAGE_BIND);
	KUNIT_EXPECT_EQ(test, log_one->event[0].batch,
			log_two->event[0].batch);
	emul_check_sane(one);
	emul_check_sane(two);
}

/* What took a hold and forgot it does not keep the machine from booting */
static void hold_forgotten(struct kunit *test)
{
	static struct emul_grep grep = {
		.text = "hold \"test-assign\" was never",
	};
	struct emul_host *host = hold_host(test);
	struct emul_fn *ep = hold_tree(host);

	emul_grep_start(test, &grep);
	pci_hold_take(&hold_of[1]);
	KUNIT_ASSERT_EQ(test, emul_host_probe(host), 0);
	KUNIT_EXPECT_LT(test, hold_stage(ep), PCI_STAGE_ASSIGN);

	KUNIT_EXPECT_EQ(test, pci_holds_forgotten(), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&grep.count), 1);
	KUNIT_EXPECT_FALSE(test, pci_enumeration_pending());
	KUNIT_EXPECT_EQ(test, hold_stage(ep), PCI_STAGE_BIND);
	emul_check_sane(host);
}

static void hold_twice(struct kunit *test)
{
	struct emul_host *host = hold_host(test);
	struct emul_fn *ep = hold_tree(host);

	pci_hold_take(&hold_of[0]);
	pci_hold_take(&hold_of[0]);
	KUNIT_ASSERT_EQ(test, emul_host_probe(host), 0);
	pci_hold_release(&hold_of[0]);
	KUNIT_EXPECT_EQ(test, hold_stage(ep), PCI_STAGE_BIND);
	KUNIT_EXPECT_FALSE(test, pci_enumeration_pending());
	pci_hold_release(&hold_of[0]);
	emul_check_sane(host);
}

/* What is plugged in below a host that waits comes when the host comes */
static const unsigned int hold_last_of[] = { 0, 1, 2 };

static void hold_last_desc(const unsigned int *last, char *desc)
{
	strscpy(desc, hold_of[*last].name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(hold_last, hold_last_of, hold_last_desc);

static void hold_hotplug_while_waiting(struct kunit *test)
{
	const unsigned int *last = test->param_value;
	struct emul_host *host = hold_host(test);
	struct emul_fn *ep = hold_tree(host);
	struct pci_dev *dev;
	unsigned int i;

	emul_unplug(ep);
	for (i = 0; i <= *last; i++)
		pci_hold_take(&hold_of[i]);
	KUNIT_ASSERT_EQ(test, emul_host_probe(host), 0);
	for (i = 0; i < *last; i++)
		pci_hold_release(&hold_of[i]);
	KUNIT_EXPECT_LT(test, hold_stage(ep->up), hold_of[*last].before);

	emul_plug(ep);
	KUNIT_EXPECT_EQ(test, emul_enumerate(ep->up, PCI_BATCH_FRESH), 1);
	KUNIT_EXPECT_LT(test, hold_stage(ep), hold_of[*last].before);

	pci_hold_release(&hold_of[*last]);
	KUNIT_EXPECT_EQ(test, hold_stage(ep->up), PCI_STAGE_BIND);
	KUNIT_EXPECT_EQ(test, hold_stage(ep), PCI_STAGE_BIND);
	dev = emul_get_dev(ep);
	KUNIT_ASSERT_NOT_NULL(test, dev);
	KUNIT_EXPECT_TRUE(test, emul_resources_assigned(dev));
	pci_dev_put(dev);
	emul_check_sane(host);
}

static void hold_remove_while_waiting(struct kunit *test)
{
	struct emul_host *host = hold_host(test);
	struct emul_fn *ep = hold_tree(host);

	pci_hold_take(&hold_of[1]);
	KUNIT_ASSERT_EQ(test, emul_host_probe(host), 0);
	KUNIT_EXPECT_LT(test, hold_stage(ep), PCI_STAGE_ASSIGN);
	emul_remove(ep);
	emul_unplug(ep);
	emul_host_destroy(host);
	pci_hold_release(&hold_of[1]);
	KUNIT_EXPECT_FALSE(test, pci_enumeration_pending());
}

static unsigned int hold_work_calls;

static void hold_work_func(struct pci_added_work *work)
{
	hold_work_calls++;
}

static void hold_when_added(struct kunit *test)
{
	static struct pci_added_work now = { .func = hold_work_func };
	static struct pci_added_work later = { .func = hold_work_func };
	struct emul_host *host = hold_host(test);

	hold_tree(host);
	hold_work_calls = 0;
	pci_when_added(&now);
	KUNIT_EXPECT_EQ(test, hold_work_calls, 1);

	pci_hold_take(&hold_of[0]);
	KUNIT_ASSERT_EQ(test, emul_host_probe(host), 0);
	pci_when_added(&later);
	KUNIT_EXPECT_EQ(test, hold_work_calls, 1);
	pci_hold_release(&hold_of[0]);
	KUNIT_EXPECT_EQ(test, hold_work_calls, 2);
}

/* A host that comes while the works are called, and has a work of its own */
struct hold_late {
	struct pci_added_work first;
	struct pci_added_work second;
	struct emul_host *host;
	struct emul_fn *ep;
	unsigned int calls;
	enum pci_stage stage;
};

static void hold_late_second(struct pci_added_work *work)
{
	struct hold_late *l = container_of(work, struct hold_late, second);

	l->calls++;
	l->stage = hold_stage(l->ep);
}

static void hold_late_first(struct pci_added_work *work)
{
	struct hold_late *l = container_of(work, struct hold_late, first);

	KUNIT_EXPECT_EQ(l->host->test, emul_host_probe(l->host), 0);
	KUNIT_EXPECT_LT(l->host->test, hold_stage(l->ep), PCI_STAGE_ADD);
	pci_when_added(&l->second);
	KUNIT_EXPECT_EQ(l->host->test, l->calls, 0);
}

static void hold_late_host(struct kunit *test)
{
	struct emul_host *host = hold_host(test);
	struct hold_late l = {
		.first.func = hold_late_first,
		.second.func = hold_late_second,
	};

	hold_tree(host);
	l.host = hold_host(test);
	l.ep = hold_tree(l.host);
	pci_hold_take(&hold_of[0]);
	KUNIT_ASSERT_EQ(test, emul_host_probe(host), 0);
	pci_when_added(&l.first);
	pci_hold_release(&hold_of[0]);

	KUNIT_EXPECT_EQ(test, l.calls, 1);
	KUNIT_EXPECT_EQ(test, l.stage, PCI_STAGE_ADD);
	KUNIT_EXPECT_EQ(test, hold_stage(l.ep), PCI_STAGE_BIND);
	KUNIT_EXPECT_FALSE(test, pci_enumeration_pending());
	emul_check_sane(host);
	emul_check_sane(l.host);
}

static struct kunit_case hold_cases[] = {
	KUNIT_CASE_PARAM(hold_order_does_not_matter, hold_order_gen_params),
	KUNIT_CASE(hold_hosts_share_batch),
	KUNIT_CASE(hold_forgotten),
	KUNIT_CASE(hold_twice),
	KUNIT_CASE_PARAM(hold_hotplug_while_waiting, hold_last_gen_params),
	KUNIT_CASE(hold_remove_while_waiting),
	KUNIT_CASE(hold_when_added),
	KUNIT_CASE(hold_late_host),
	{ }
};

static struct kunit_suite hold_suite = {
	.name = "pci_hold",
	.test_cases = hold_cases,
};

kunit_test_suite(hold_suite);
