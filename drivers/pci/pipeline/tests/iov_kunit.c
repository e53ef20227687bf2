// SPDX-License-Identifier: GPL-2.0
/*
 * PCI enumeration pipeline tests: virtual functions
 *
 * VFs pass the same stages as every other device.
 */
#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/err.h>
#include <linux/kthread.h>
#include <linux/mutex.h>
#include <linux/pci.h>

#include "emul.h"

#define IOV_VFS		4

static const struct emul_bar iov_bars[] = {
	{ SZ_64K, EMUL_BAR_MEM },
};

struct iov {
	struct emul_host *host;
	struct emul_log *log;
	struct emul_fn *port;
	struct emul_fn *pf;
	struct pci_dev *dev;
};

/* There is no way to hand it to the driver */
static unsigned int iov_in_probe;
static unsigned int iov_probed_vfs;
static struct iov_locked *iov_locked;

/**
 * struct iov_locked - a driver with a lock that its remove() takes
 * @dev: the PF
 * @lock: the lock
 * @held: the thread has the lock
 * @wanted: remove() is about to wait for the lock
 * @ended: the thread has disabled SR-IOV and is done
 */
struct iov_locked {
	struct pci_dev *dev;
	struct mutex lock;		/* of the driver, for nothing */
	struct completion held;
	struct completion wanted;
	struct completion ended;
};

static int iov_probe(struct pci_dev *dev, const struct pci_device_id *id)
{
	int ret;

	if (dev->is_virtfn) {
		iov_probed_vfs++;
		return 0;
	}

	ret = pci_enable_device(dev);
	if (ret || !iov_in_probe)
		return ret;

	return pci_enable_sriov(dev, iov_in_probe);
}

static void iov_remove(struct pci_dev *dev)
{
	if (dev->is_virtfn)
		return;

	if (iov_locked) {
		complete(&iov_locked->wanted);
		mutex_lock(&iov_locked->lock);
	}
	pci_disable_sriov(dev);
	if (iov_locked)
		mutex_unlock(&iov_locked->lock);
	pci_disable_device(dev);
}

static const struct pci_device_id iov_ids[] = {
	{ PCI_DEVICE(EMUL_VENDOR, EMUL_DEVICE_PF) },
	{ PCI_DEVICE(EMUL_VENDOR, EMUL_DEVICE_VF) },
	{ }
};

static struct pci_driver iov_driver = {
	.name		= "pci-pipeline-iov-test",
	.id_table	= iov_ids,
	.probe		= iov_probe,
	.remove		= iov_remove,
};

static void iov_unregister(void *data)
{
	pci_unregister_driver(&iov_driver);
}

static void iov_put(void *data)
{
	pci_dev_put(data);
}

static void iov_create(struct kunit *test, struct iov *v)
{
	const char *reason = emul_arch_without_vfs();

	if (reason)
		kunit_skip(test, "%s", reason);

	iov_in_probe = 0;
	iov_probed_vfs = 0;
	iov_locked = NULL;
	v->host = emul_host_create(test);
	v->log = emul_log_start(v->host);
	v->port = emul_add_port(v->host, NULL, PCI_DEVFN(1, 0),
				PCI_EXP_TYPE_ROOT_PORT);
	emul_set_hotplug(v->port, 1, 8);
	v->pf = emul_add_endpoint(v->host, v->port, 0, iov_bars,
				  ARRAY_SIZE(iov_bars));
	emul_add_sriov(v->pf, IOV_VFS, SZ_64K);
	emul_plug(v->port);
	KUNIT_ASSERT_EQ(test, emul_host_probe(v->host), 0);
	v->dev = emul_get_dev(v->pf);
	KUNIT_ASSERT_NOT_NULL(test, v->dev);
	emul_do(test, iov_put, v->dev);
	KUNIT_ASSERT_EQ(test, pci_register_driver(&iov_driver), 0);
	emul_do(test, iov_unregister, NULL);
	emul_log_clear(v->log);
}

static void iov_expect_passes(struct kunit *test, struct emul_log *log)
{
	unsigned int i;

	KUNIT_ASSERT_EQ(test, log->count, IOV_VFS * PCI_STAGE_BIND);
	for (i = 0; i < log->count; i++) {
		KUNIT_EXPECT_EQ(test, log->event[i].stage,
				PCI_STAGE_SCAN + i / IOV_VFS);
		KUNIT_EXPECT_EQ(test, log->event[i].devfn, 0x80 + i % IOV_VFS);
		KUNIT_EXPECT_EQ(test, log->event[i].result, 0);
		KUNIT_EXPECT_EQ(test, log->event[i].batch,
				log->event[0].batch);
	}
}

static void iov_stages(struct kunit *test)
{
	struct pci_dev *vf;
	struct iov v;

	iov_create(test, &v);
	KUNIT_ASSERT_EQ(test, pci_enable_sriov(v.dev, IOV_VFS), 0);
	iov_expect_passes(test, v.log);
	KUNIT_EXPECT_EQ(test, iov_probed_vfs, IOV_VFS);
	KUNIT_EXPECT_EQ(test, pci_num_vf(v.dev), IOV_VFS);

	vf = pci_get_domain_bus_and_slot(v.host->domain, 1, 0x81);
	KUNIT_ASSERT_NOT_NULL(test, vf);
	KUNIT_EXPECT_TRUE(test, vf->is_virtfn);
	KUNIT_EXPECT_PTR_EQ(test, pci_physfn(vf), v.dev);
	KUNIT_EXPECT_EQ(test, pci_resource_len(vf, 0), SZ_64K);
	KUNIT_EXPECT_EQ(test, pci_resource_start(vf, 0),
			pci_resource_start(v.dev, PCI_IOV_RESOURCES) + SZ_64K);
	pci_dev_put(vf);

	emul_log_clear(v.log);
	pci_disable_sriov(v.dev);
	KUNIT_EXPECT_EQ(test, v.log->count, IOV_VFS);
	KUNIT_EXPECT_EQ(test, v.log->event[0].stage, PCI_STAGE_NONE);
	KUNIT_EXPECT_NULL(test, v.dev->resource[PCI_IOV_RESOURCES].child);
	emul_check_sane(v.host);
}

/* The PF's driver enables them in its probe(), as many do */
static void iov_from_probe(struct kunit *test)
{
	struct iov v;

	iov_create(test, &v);
	emul_remove(v.pf);
	emul_plug(v.pf);
	iov_in_probe = IOV_VFS;
	emul_log_clear(v.log);
	KUNIT_EXPECT_EQ(test, emul_enumerate(v.port, PCI_BATCH_FRESH), 1);
	KUNIT_EXPECT_EQ(test, v.log->count, (1 + IOV_VFS) * PCI_STAGE_BIND);
	KUNIT_EXPECT_EQ(test, iov_probed_vfs, IOV_VFS);

	/* The PF goes, its driver disables them in remove() */
	emul_log_clear(v.log);
	emul_remove(v.pf);
	KUNIT_EXPECT_EQ(test, v.log->count, 1 + IOV_VFS);
	emul_unplug(v.pf);
	emul_check_sane(v.host);
}

static void iov_repeats(struct kunit *test)
{
	unsigned int i;
	struct iov v;
	int refs;

	iov_create(test, &v);
	refs = kref_read(&v.dev->dev.kobj.kref);
	for (i = 1; i <= IOV_VFS; i++) {
		KUNIT_EXPECT_EQ(test, pci_enable_sriov(v.dev, i), 0);
		KUNIT_EXPECT_EQ(test, iov_probed_vfs, i);
		pci_disable_sriov(v.dev);
		iov_probed_vfs = 0;
	}
	KUNIT_EXPECT_EQ(test, kref_read(&v.dev->dev.kobj.kref), refs);
	emul_check_sane(v.host);
}

/* Pulled while its VFs are enumerated */
static void iov_vanishes(struct kunit *test)
{
	unsigned int splats = emul_splats(), n = 0;
	struct pci_dev *dev;
	bool reached, clean;
	struct iov v;

	iov_create(test, &v);
	do {
		emul_remove(v.pf);
		emul_plug(v.pf);
		emul_enumerate(v.port, PCI_BATCH_FRESH);
		dev = emul_get_dev(v.pf);
		if (!dev)
			break;
		emul_vanish_after(v.pf, n);
		pci_enable_sriov(dev, 1);
		reached = v.pf->gone;
		emul_remove(v.pf);
		pci_dev_put(dev);
		clean = list_empty(&emul_bus_below(v.port)->devices) &&
			emul_splats() == splats;
		/* Each takes 200 ms */
		n += 3;
	} while (reached && clean);

	KUNIT_EXPECT_NOT_NULL(test, dev);
	KUNIT_EXPECT_TRUE_MSG(test, clean, "vanished at access %u", n - 3);
	KUNIT_EXPECT_GT(test, n, 10);
	emul_unplug(v.pf);
	emul_check_sane(v.host);
	kunit_info(test, "vanished at each third of %u accesses\n", n);
}

static int iov_disable_locked(void *data)
{
	struct iov_locked *l = data;

	mutex_lock(&l->lock);
	complete(&l->held);
	wait_for_completion(&l->wanted);
	pci_disable_sriov(l->dev);
	mutex_unlock(&l->lock);
	complete(&l->ended);

	return 0;
}

/*
 * A driver disables SR-IOV with a lock of its own held and no device_lock(),
 * while it is being removed and its remove() waits for that lock.
 */
static void iov_driver_lock(struct kunit *test)
{
	struct task_struct *thread;
	struct iov_locked l;
	struct iov v;

	iov_create(test, &v);
	KUNIT_ASSERT_EQ(test, pci_enable_sriov(v.dev, IOV_VFS), 0);
	l.dev = v.dev;
	mutex_init(&l.lock);
	init_completion(&l.held);
	init_completion(&l.wanted);
	init_completion(&l.ended);
	thread = kthread_run(iov_disable_locked, &l, "iov-test");
	KUNIT_ASSERT_FALSE(test, IS_ERR(thread));
	wait_for_completion(&l.held);

	emul_log_clear(v.log);
	iov_locked = &l;
	emul_remove(v.pf);
	wait_for_completion(&l.ended);
	iov_locked = NULL;
	KUNIT_EXPECT_EQ(test, v.log->count, 1 + IOV_VFS);
	emul_unplug(v.pf);
	emul_check_sane(v.host);
}

static struct kunit_case iov_cases[] = {
	KUNIT_CASE(iov_stages),
	KUNIT_CASE(iov_from_probe),
	KUNIT_CASE_SLOW(iov_driver_lock),
	KUNIT_CASE_SLOW(iov_repeats),
	KUNIT_CASE_SLOW(iov_vanishes),
	{ }
};

static struct kunit_suite iov_suite = {
	.name = "pci_iov",
	.test_cases = iov_cases,
};

kunit_test_suite(iov_suite);
