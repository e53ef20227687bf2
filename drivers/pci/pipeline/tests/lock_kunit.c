// SPDX-License-Identifier: GPL-2.0
/*
 * PCI enumeration pipeline tests: lending the rescan/remove lock
 */
#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/err.h>
#include <linux/kthread.h>
#include <linux/pci.h>

#include "../pipeline.h"
#include "emul.h"

/**
 * struct lock_task - a task that holds the device_lock() of a device
 * @dev: the device whose driver it is in
 * @waits_for: the device whose driver it waits for, under the lock that it was
 *	lent; NULL if it does not
 * @started: it waits for @waits_for
 * @go: it may go on
 * @ended: it has given the lock back
 * @result: what pci_rescan_remove_enter_dev() returned
 * @held: pci_rescan_remove_held() before, in between and after
 */
struct lock_task {
	struct pci_dev *dev;
	struct pci_dev *waits_for;
	struct completion started;
	struct completion go;
	struct completion ended;
	int result;
	bool held[3];
};

static int lock_task_func(void *data)
{
	struct lock_task *t = data;
	struct pci_awaited prev;
	bool taken;

	t->held[0] = pci_rescan_remove_held();
	t->result = pci_rescan_remove_enter_dev(t->dev, &taken);
	t->held[1] = pci_rescan_remove_held();
	if (t->waits_for) {
		pci_stopping_begin(t->waits_for, &prev);
		complete(&t->started);
		wait_for_completion(&t->go);
		pci_awaiting_end(&prev);
	}
	pci_rescan_remove_exit(taken);
	t->held[2] = pci_rescan_remove_held();
	complete(&t->ended);

	return 0;
}

static void lock_task_start(struct kunit *test, struct lock_task *t,
			    struct pci_dev *dev, struct pci_dev *waits_for)
{
	struct task_struct *task;

	*t = (struct lock_task) { .dev = dev, .waits_for = waits_for };
	init_completion(&t->started);
	init_completion(&t->go);
	init_completion(&t->ended);
	task = kthread_run(lock_task_func, t, "pci-lock-test");
	KUNIT_ASSERT_FALSE(test, IS_ERR(task));
}

static void lock_task_expect(struct kunit *test, struct lock_task *t,
			     int result)
{
	KUNIT_EXPECT_EQ(test, t->result, result);
	KUNIT_EXPECT_FALSE(test, t->held[0]);
	KUNIT_EXPECT_TRUE(test, t->held[1]);
	KUNIT_EXPECT_FALSE(test, t->held[2]);
}

static void lock_put(void *data)
{
	pci_dev_put(data);
}

/* Two ports below a host bridge: devices to name, nothing happens to them */
static void lock_create(struct kunit *test, struct pci_dev *dev[2])
{
	struct emul_host *host = emul_host_create(test);
	struct emul_fn *fn[2];
	unsigned int i;

	for (i = 0; i < 2; i++) {
		fn[i] = emul_add_port(host, NULL, PCI_DEVFN(1 + i, 0),
				      PCI_EXP_TYPE_ROOT_PORT);
		emul_plug(fn[i]);
	}
	KUNIT_ASSERT_EQ(test, emul_host_probe(host), 0);
	for (i = 0; i < 2; i++) {
		dev[i] = emul_get_dev(fn[i]);
		KUNIT_ASSERT_NOT_NULL(test, dev[i]);
		emul_do(test, lock_put, dev[i]);
	}
}

/* Who waits for one device lends to its driver, to one task after the other */
static void lock_lend(struct kunit *test)
{
	struct lock_task one, two, other;
	struct pci_awaited prev;
	struct pci_dev *dev[2];

	lock_create(test, dev);
	pci_lock_rescan_remove();
	lock_task_start(test, &other, dev[1], NULL);
	pci_stopping_begin(dev[0], &prev);
	lock_task_start(test, &one, dev[0], NULL);
	wait_for_completion(&one.ended);
	lock_task_start(test, &two, dev[0], NULL);
	wait_for_completion(&two.ended);
	KUNIT_EXPECT_TRUE(test, pci_rescan_remove_held());
	KUNIT_EXPECT_FALSE(test, completion_done(&other.ended));
	pci_awaiting_end(&prev);
	KUNIT_EXPECT_TRUE(test, pci_rescan_remove_held());

	pci_binding_begin(dev[1], &prev);
	wait_for_completion(&other.ended);
	pci_awaiting_end(&prev);
	pci_unlock_rescan_remove();
	KUNIT_EXPECT_FALSE(test, pci_rescan_remove_held());

	lock_task_expect(test, &one, -ENODEV);
	lock_task_expect(test, &two, -ENODEV);
	lock_task_expect(test, &other, 0);
}

/* Whom the lock is lent to may have to wait for a driver, and lends it on */
static void lock_lend_on(struct kunit *test)
{
	struct lock_task outer, inner, late;
	struct pci_awaited prev;
	struct pci_dev *dev[2];

	lock_create(test, dev);
	pci_lock_rescan_remove();
	pci_binding_begin(dev[0], &prev);
	lock_task_start(test, &outer, dev[0], dev[1]);
	wait_for_completion(&outer.started);
	/* The lock is not the owner's to lend now */
	lock_task_start(test, &late, dev[0], NULL);
	lock_task_start(test, &inner, dev[1], NULL);
	wait_for_completion(&inner.ended);
	KUNIT_EXPECT_FALSE(test, completion_done(&outer.ended));
	KUNIT_EXPECT_FALSE(test, completion_done(&late.ended));

	complete(&outer.go);
	wait_for_completion(&outer.ended);
	wait_for_completion(&late.ended);
	pci_awaiting_end(&prev);
	pci_unlock_rescan_remove();

	lock_task_expect(test, &outer, 0);
	lock_task_expect(test, &inner, -ENODEV);
	lock_task_expect(test, &late, 0);
}

/* Without an owner that waits, they take turns */
static void lock_turns(struct kunit *test)
{
	struct pci_dev *dev[2];
	struct lock_task t;
	bool taken;

	lock_create(test, dev);
	KUNIT_EXPECT_EQ(test, pci_rescan_remove_enter_dev(dev[0], &taken), 0);
	KUNIT_EXPECT_TRUE(test, taken);
	lock_task_start(test, &t, dev[0], NULL);
	KUNIT_EXPECT_EQ(test,
			wait_for_completion_timeout(&t.ended, HZ / 10), 0);
	pci_rescan_remove_exit(taken);
	wait_for_completion(&t.ended);
	lock_task_expect(test, &t, 0);
}

static struct kunit_case lock_cases[] = {
	KUNIT_CASE(lock_lend),
	KUNIT_CASE(lock_lend_on),
	KUNIT_CASE(lock_turns),
	{ }
};

static struct kunit_suite lock_suite = {
	.name = "pci_lock",
	.test_cases = lock_cases,
};

kunit_test_suite(lock_suite);
