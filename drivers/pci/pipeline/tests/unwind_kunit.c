// SPDX-License-Identifier: GPL-2.0
/*
 * PCI enumeration pipeline tests: a device that is refused in a stage
 *
 * It goes back through the stages it has passed, with everything below it and
 * nothing else; and it can come again.
 */
#include <kunit/test.h>
#include <linux/device.h>
#include <linux/notifier.h>
#include <linux/pci.h>

#include "../pipeline.h"
#include "emul.h"

static const struct emul_bar unwind_bars[] = {
	{ SZ_64K, EMUL_BAR_MEM },
	{ SZ_1M, EMUL_BAR_PREF64 },
};

/*
 * 01.0 root port
 *   00.0 switch
 *     00.0 downstream port
 *       00.0 endpoint "left"
 *     01.0 downstream port
 *       00.0 endpoint "right"
 */
struct unwind {
	struct emul_host *host;
	struct emul_log *log;
	struct emul_fn *port;
	struct emul_fn *sw;
	struct emul_fn *left_port;
	struct emul_fn *left;
	struct emul_fn *right;
	struct emul_fn *victim;
	enum pci_stage at;
	bool refuse;
	unsigned int configured;
	unsigned int unconfigured;
	unsigned int removed;
	unsigned int passed;
	struct notifier_block nb;
};

/* There is no way to hand it to the hooks */
static struct unwind *unwind;

static int unwind_configure(struct pci_dev *dev)
{
	if (unwind->refuse && emul_fn_of(dev) == unwind->victim)
		return -EIO;

	unwind->configured++;
	return 0;
}

static void unwind_unconfigure(struct pci_dev *dev)
{
	unwind->unconfigured++;
}

static const struct pci_pipeline_ops unwind_ops = {
	.configure	= unwind_configure,
	.unconfigure	= unwind_unconfigure,
};

static int unwind_notify(struct notifier_block *nb, unsigned long event,
			 void *data)
{
	struct pci_dev *dev = to_pci_dev(data);

	if (emul_is_emulated(dev) && event == BUS_NOTIFY_REMOVED_DEVICE)
		unwind->removed++;

	return NOTIFY_DONE;
}

static void unwind_stop(void *data)
{
	bus_unregister_notifier(&pci_bus_type, &unwind->nb);
}

static struct unwind *unwind_create(struct kunit *test)
{
	unsigned int count = ARRAY_SIZE(unwind_bars);
	struct unwind *u;

	u = kunit_kzalloc(test, sizeof(*u), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, u);
	unwind = u;
	u->nb.notifier_call = unwind_notify;
	bus_register_notifier(&pci_bus_type, &u->nb);
	emul_do(test, unwind_stop, NULL);

	u->host = emul_host_create(test);
	u->log = emul_log_start(u->host);
	u->port = emul_add_port(u->host, NULL, PCI_DEVFN(1, 0),
				PCI_EXP_TYPE_ROOT_PORT);
	emul_set_hotplug(u->port, 1, 0x1f);
	u->sw = emul_add_switch(u->host, u->port, 2);
	u->left_port = u->sw->below[PCI_DEVFN(0, 0)];
	u->left = emul_add_endpoint(u->host, u->left_port, 0, unwind_bars,
				    count);
	u->right = emul_add_endpoint(u->host, u->sw->below[PCI_DEVFN(1, 0)], 0,
				     unwind_bars, count);
	emul_plug(u->port);
	emul_unplug(u->sw);
	u->host->pipeline_ops = &unwind_ops;
	KUNIT_ASSERT_EQ(test, emul_host_probe(u->host), 0);
	emul_log_clear(u->log);
	u->configured = 0;

	return u;
}

static bool unwind_is_there(struct emul_fn *fn)
{
	struct pci_dev *dev = emul_get_dev(fn);

	pci_dev_put(dev);
	return dev;
}

/* Everything that was taken back, from whatever stage, comes again */
static void unwind_again(struct kunit *test, struct unwind *u)
{
	u->victim = NULL;
	u->refuse = false;
	emul_remove(u->sw);
	emul_unplug(u->sw);
	emul_check_sane(u->host);
	KUNIT_EXPECT_NULL(test, emul_bus_below(u->port)->resource[0]->child);
	KUNIT_EXPECT_NULL(test, emul_bus_below(u->port)->resource[1]->child);
	KUNIT_EXPECT_NULL(test, emul_bus_below(u->port)->resource[2]->child);

	emul_log_clear(u->log);
	emul_plug(u->sw);
	KUNIT_EXPECT_EQ(test, emul_enumerate(u->port, PCI_BATCH_FRESH), 1);
	KUNIT_EXPECT_EQ(test, u->log->count, 5 * PCI_STAGE_BIND);
	KUNIT_EXPECT_EQ(test, emul_log_failures(u->log), 0);
	emul_check_sane(u->host);
}

struct unwind_victim {
	const char *name;
	size_t fn;
	unsigned int refused;	/* devices that go with it */
};

static const struct unwind_victim unwind_victims[] = {
	{ "endpoint", offsetof(struct unwind, left), 1 },
	{ "port", offsetof(struct unwind, left_port), 2 },
	{ "switch", offsetof(struct unwind, sw), 5 },
};

static void unwind_victim_desc(const struct unwind_victim *victim, char *desc)
{
	strscpy(desc, victim->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(unwind_victim, unwind_victims, unwind_victim_desc);

static void unwind_expect_refused(struct kunit *test, struct unwind *u,
				  const struct unwind_victim *victim)
{
	KUNIT_EXPECT_EQ(test, emul_log_failures(u->log), 1);
	KUNIT_EXPECT_FALSE(test, unwind_is_there(u->left));
	KUNIT_EXPECT_EQ(test, unwind_is_there(u->left_port),
			victim->refused < 2);
	KUNIT_EXPECT_EQ(test, unwind_is_there(u->right), victim->refused < 5);
	emul_check_sane(u->host);
}

static void unwind_from_configure(struct kunit *test)
{
	const struct unwind_victim *victim = test->param_value;
	struct unwind *u = unwind_create(test);

	u->victim = *(struct emul_fn **)((void *)u + victim->fn);
	u->refuse = true;
	emul_plug(u->sw);
	emul_enumerate(u->port, PCI_BATCH_FRESH);
	unwind_expect_refused(test, u, victim);

	/* None of them was in the driver model */
	KUNIT_EXPECT_EQ(test, u->removed, 0);
	KUNIT_EXPECT_EQ(test, u->configured - u->unconfigured,
			5 - victim->refused);
	unwind_again(test, u);
}

/* Pull the victim when the last device of the batch has passed the stage */
static void unwind_pull(void *ctx, struct pci_dev *dev, enum pci_stage stage,
			int result)
{
	struct unwind *u = ctx;

	if (stage == u->at && !result && ++u->passed == 5 && u->victim)
		u->victim->gone = true;
}

static const enum pci_stage unwind_stages[] = {
	PCI_STAGE_SCAN, PCI_STAGE_CLAIM, PCI_STAGE_ASSIGN, PCI_STAGE_CONFIGURE,
	PCI_STAGE_FINAL, PCI_STAGE_ADD, PCI_STAGE_BIND,
};

static void unwind_stage_desc(const enum pci_stage *stage, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "pulled after %s",
		 pci_stage_name(*stage));
}

KUNIT_ARRAY_PARAM(unwind_stage, unwind_stages, unwind_stage_desc);

static void unwind_pull_at(struct kunit *test, struct unwind *u,
			   struct emul_fn *victim, enum pci_stage at)
{
	u->victim = victim;
	u->at = at;
	u->log->hook = unwind_pull;
	u->log->ctx = u;
	emul_plug(u->sw);
	emul_enumerate(u->port, PCI_BATCH_FRESH);
	KUNIT_EXPECT_EQ(test, u->passed, 5);
	u->log->hook = NULL;
}

static void unwind_from_pull(struct kunit *test)
{
	static const struct unwind_victim left = { "endpoint", 0, 1 };
	const enum pci_stage *at = test->param_value;
	struct unwind *u = unwind_create(test);

	unwind_pull_at(test, u, u->left, *at);

	if (*at < PCI_STAGE_ADD) {
		unwind_expect_refused(test, u, &left);
	} else {
		/* Too late for the pipeline: who hears of it removes it */
		KUNIT_EXPECT_EQ(test, emul_log_failures(u->log), 0);
		KUNIT_EXPECT_TRUE(test, unwind_is_there(u->left));
	}
	unwind_again(test, u);
}

/* As unwind_from_pull(), but with everything that the batch brought */
static void unwind_from_pull_all(struct kunit *test)
{
	const enum pci_stage *at = test->param_value;
	struct unwind *u = unwind_create(test);

	unwind_pull_at(test, u, u->sw, *at);

	if (*at < PCI_STAGE_ADD) {
		KUNIT_EXPECT_FALSE(test, unwind_is_there(u->sw));
		KUNIT_EXPECT_TRUE(test, list_empty(&emul_bus_below(u->port)->devices));
		KUNIT_EXPECT_EQ(test, u->configured, u->unconfigured);
		emul_check_sane(u->host);
	}
	unwind_again(test, u);
}

/* A host bridge of which one device is refused brings the others */
static void unwind_host(struct kunit *test)
{
	struct emul_host *host;
	struct unwind *u = unwind_create(test);

	emul_host_destroy(u->host);
	host = u->host;
	emul_plug(u->port);
	u->victim = u->left_port;
	u->refuse = true;
	emul_log_clear(u->log);
	KUNIT_ASSERT_EQ(test, emul_host_probe(host), 0);

	KUNIT_EXPECT_EQ(test, emul_log_failures(u->log), 1);
	KUNIT_EXPECT_FALSE(test, unwind_is_there(u->left_port));
	KUNIT_EXPECT_TRUE(test, unwind_is_there(u->right));
	emul_check_sane(host);
}

static struct kunit_case unwind_cases[] = {
	KUNIT_CASE_PARAM(unwind_from_configure, unwind_victim_gen_params),
	KUNIT_CASE_PARAM(unwind_from_pull, unwind_stage_gen_params),
	KUNIT_CASE_PARAM(unwind_from_pull_all, unwind_stage_gen_params),
	KUNIT_CASE(unwind_host),
	{ }
};

static struct kunit_suite unwind_suite = {
	.name = "pci_unwind",
	.test_cases = unwind_cases,
};

kunit_test_suite(unwind_suite);
