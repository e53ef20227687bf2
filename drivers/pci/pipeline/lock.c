// SPDX-License-Identifier: GPL-2.0
/*
 * PCI enumeration pipeline: the rescan/remove lock
 *
 * One lock is held by everything that changes the tree of devices and buses:
 * from SCAN to ADD, and for removal.  Locks nest in this order:
 *
 *	pci_rescan_remove_lock		(here)
 *	  device_lock()			(of a PCI device)
 *	    pci_bus_sem
 *	      pci_assign_rwsem		(setup-bus.c)
 *	      pci_move_rwsem		(fence.c)
 *	      pci_lookup_lock		(lookup.c)
 *	        pci_lock		(config space)
 *
 * Two kinds of callers come with an inner lock held already.
 *
 * A driver that enables or disables SR-IOV in its probe(), remove() or
 * sriov_configure() runs under its device_lock(), and may hold locks of its own
 * that these functions take, while the owner of the rescan/remove lock may be
 * waiting for just this device_lock(), or for remove(), to unbind the driver.
 * So whoever waits for the driver of a device under the rescan/remove lock says
 * so (pci_stopping_begin(), pci_binding_begin(),
 * pci_rescan_remove_lock_device()), and pci_rescan_remove_enter_dev() then does
 * not wait: the owner cannot go on before the driver's function returns, and
 * lends its lock until then.  The owner does not go on before the lock is given
 * back either, even if it gets the device_lock() in some other way.
 *
 * This cannot deadlock.  A task T in pci_rescan_remove_enter_dev() holds the
 * device_lock() of @dev, or what the driver of @dev waits for, and waits for
 * the owner, R.  R either waits for nothing that T holds, and will release the
 * lock, which wakes T; or R waits for the driver of @dev, which it has
 * announced, which wakes T as well, and T goes on.  T, lent the lock, does what
 * R could do at this point, and R waits for nothing but T; T may have to wait
 * for a driver as well, and then lends the lock on.  A lock that T holds
 * and that drivers of other devices take in their remove() is not covered.
 * Lockdep knows locks by class only and would not see the difference, so it is
 * not told about the wait.
 *
 * A function that stores a sysfs attribute of a device holds the attribute
 * active, and the owner of the rescan/remove lock waits for that in order to
 * remove the device's files.  pci_lock_rescan_remove_attr() lets go of the
 * attribute first, and looks whether the device is still there afterwards.
 */
#include <linux/array_size.h>
#include <linux/device.h>
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/kernfs.h>
#include <linux/lockdep.h>
#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/sysfs.h>
#include <linux/wait.h>

#include "../pci.h"
#include "pipeline.h"

static DEFINE_MUTEX(pci_rescan_remove_lock);

/* Set and cleared by the owner itself; others only compare it with current */
static struct task_struct *pci_rescan_remove_owner;

/* Protects the two below */
static DEFINE_SPINLOCK(pci_loan_lock);
/* The device whose driver the owner, or the last borrower, waits for */
static struct pci_awaited pci_awaited;
/*
 * The tasks that the lock is lent to, each by the one before it, the first by
 * the owner, and what that one was waiting for.  Only the last one may act.
 * There are no more than a few: each is below the driver of another device.
 */
static struct pci_loan {
	struct task_struct *task;
	struct pci_awaited lender;
} pci_loans[8];
static unsigned int pci_loan_count;

/* Woken by whatever may let someone in pci_rescan_remove_enter_dev() go on */
static DECLARE_WAIT_QUEUE_HEAD(pci_rescan_remove_wait);

/**
 * pci_lock_rescan_remove - keep all others from changing the PCI tree
 *
 * Serializes enumeration, from SCAN to ADD, and removal of devices.  Must not
 * be called with a device_lock() of a PCI device held, nor by a sysfs
 * attribute of a PCI device: see pci_rescan_remove_enter_dev() and
 * pci_lock_rescan_remove_attr().
 *
 * Context: process context, rescan/remove lock not held.
 */
void pci_lock_rescan_remove(void)
{
	mutex_lock(&pci_rescan_remove_lock);
	WRITE_ONCE(pci_rescan_remove_owner, current);
}
EXPORT_SYMBOL_GPL(pci_lock_rescan_remove);

/**
 * pci_unlock_rescan_remove - let others change the PCI tree
 *
 * Context: process context, rescan/remove lock held.
 */
void pci_unlock_rescan_remove(void)
{
	WRITE_ONCE(pci_rescan_remove_owner, NULL);
	mutex_unlock(&pci_rescan_remove_lock);
	wake_up_all(&pci_rescan_remove_wait);
}
EXPORT_SYMBOL_GPL(pci_unlock_rescan_remove);

/* No lock: an entry that is the current task is set and cleared by it alone */
static bool pci_rescan_remove_borrowed(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(pci_loans); i++)
		if (READ_ONCE(pci_loans[i].task) == current)
			return true;

	return false;
}

/* Has the current task, owner or borrower, got back what it lent? */
static bool pci_rescan_remove_returned(void)
{
	unsigned int count = READ_ONCE(pci_loan_count);

	return !count || READ_ONCE(pci_loans[count - 1].task) == current;
}

/**
 * pci_rescan_remove_held - may the current task change the PCI tree
 *
 * Context: any.
 * Return: true if the current task holds the rescan/remove lock, or the owner
 * has lent it to the current task.
 */
bool pci_rescan_remove_held(void)
{
	return READ_ONCE(pci_rescan_remove_owner) == current ||
	       pci_rescan_remove_borrowed();
}
EXPORT_SYMBOL_GPL(pci_rescan_remove_held);

/**
 * pci_rescan_remove_assert_held - complain if the lock is not held
 *
 * Context: any.
 */
void pci_rescan_remove_assert_held(void)
{
	lockdep_assert(pci_rescan_remove_held());
}
EXPORT_SYMBOL_GPL(pci_rescan_remove_assert_held);

/**
 * pci_rescan_remove_enter - take the rescan/remove lock unless it is held
 * @taken: set to what pci_rescan_remove_exit() has to know
 *
 * Context: process context, with or without the rescan/remove lock.
 */
void pci_rescan_remove_enter(bool *taken)
{
	*taken = !pci_rescan_remove_held();
	if (*taken)
		pci_lock_rescan_remove();
}
EXPORT_SYMBOL_GPL(pci_rescan_remove_enter);

/**
 * pci_rescan_remove_exit - undo pci_rescan_remove_enter()
 * @taken: what pci_rescan_remove_enter() or pci_rescan_remove_enter_dev() set
 *
 * Context: process context, the task that entered.
 */
void pci_rescan_remove_exit(bool taken)
{
	struct pci_loan *loan;

	if (!taken)
		return;

	if (!pci_rescan_remove_borrowed()) {
		pci_unlock_rescan_remove();
		return;
	}

	/* Whom this task lent it to has given it back: pci_awaiting_end() */
	spin_lock(&pci_loan_lock);
	loan = &pci_loans[pci_loan_count - 1];
	pci_awaited = loan->lender;
	WRITE_ONCE(loan->task, NULL);
	WRITE_ONCE(pci_loan_count, pci_loan_count - 1);
	spin_unlock(&pci_loan_lock);
	wake_up_all(&pci_rescan_remove_wait);
}
EXPORT_SYMBOL_GPL(pci_rescan_remove_exit);

/* Get the lock, or borrow it from an owner that waits for @dev */
static bool pci_rescan_remove_try(struct pci_dev *dev, bool *leaving)
{
	struct pci_loan *loan;
	bool lent;

	if (mutex_trylock(&pci_rescan_remove_lock)) {
		WRITE_ONCE(pci_rescan_remove_owner, current);
		return true;
	}

	spin_lock(&pci_loan_lock);
	lent = pci_awaited.dev == dev && pci_loan_count < ARRAY_SIZE(pci_loans);
	if (lent) {
		loan = &pci_loans[pci_loan_count];
		loan->lender = pci_awaited;
		WRITE_ONCE(loan->task, current);
		WRITE_ONCE(pci_loan_count, pci_loan_count + 1);
		*leaving = pci_awaited.leaving;
		/* Nobody else, until the current task waits for a driver too */
		pci_awaited.dev = NULL;
	}
	spin_unlock(&pci_loan_lock);

	return lent;
}

/**
 * pci_rescan_remove_enter_dev - take the lock from a driver's function
 * @dev: the device whose device_lock() is held, usually by the driver core
 *	around the caller's probe() or remove(), or whose driver holds a lock of
 *	its own that these take
 * @taken: set to what pci_rescan_remove_exit() has to know
 *
 * Takes the rescan/remove lock unless it is held, or borrows it from an owner
 * that waits for the driver of @dev.  Call pci_rescan_remove_exit() in any
 * case, before releasing that device_lock() or lock.
 *
 * Context: process context, with or without the rescan/remove lock.
 * Return: 0, or -ENODEV if @dev is being removed: what belongs to it may be
 * taken down, but nothing be added.
 */
int pci_rescan_remove_enter_dev(struct pci_dev *dev, bool *taken)
{
	bool leaving = false;

	*taken = !pci_rescan_remove_held();
	if (!*taken)
		return 0;

	might_sleep();
	wait_event(pci_rescan_remove_wait,
		   pci_rescan_remove_try(dev, &leaving));

	return leaving ? -ENODEV : 0;
}
EXPORT_SYMBOL_GPL(pci_rescan_remove_enter_dev);

static void pci_await(struct pci_dev *dev, bool leaving,
		      struct pci_awaited *prev)
{
	/* Without the lock there is nothing to lend */
	prev->valid = pci_rescan_remove_held();
	if (!prev->valid)
		return;

	spin_lock(&pci_loan_lock);
	prev->dev = pci_awaited.dev;
	prev->leaving = pci_awaited.leaving;
	pci_awaited.dev = dev;
	pci_awaited.leaving = leaving;
	spin_unlock(&pci_loan_lock);

	wake_up_all(&pci_rescan_remove_wait);
}

/**
 * pci_stopping_begin - from here on, the removal of a device may wait for its
 *	device_lock()
 * @dev: the device
 * @prev: state to hand to pci_awaiting_end()
 *
 * Up to pci_awaiting_end() the caller must not touch the PCI tree by itself:
 * the rescan/remove lock, if held, may be lent to a task that holds the
 * device_lock() of @dev.
 *
 * Context: process context.
 */
void pci_stopping_begin(struct pci_dev *dev, struct pci_awaited *prev)
{
	pci_await(dev, true, prev);
}

/**
 * pci_binding_begin - from here on, binding a driver may wait for the
 *	device_lock() of a device
 * @dev: the device
 * @prev: state to hand to pci_awaiting_end()
 *
 * As pci_stopping_begin(), for a device that stays.  Only matters if drivers
 * are bound with the rescan/remove lock held.
 *
 * Context: process context.
 */
void pci_binding_begin(struct pci_dev *dev, struct pci_awaited *prev)
{
	pci_await(dev, false, prev);
}

/**
 * pci_awaiting_end - nothing waits for a device_lock() any more
 * @prev: what pci_stopping_begin() or pci_binding_begin() has set
 *
 * Waits until the lock is given back.
 *
 * Context: process context, the task that began.
 */
void pci_awaiting_end(const struct pci_awaited *prev)
{
	if (!prev->valid)
		return;

	spin_lock(&pci_loan_lock);
	while (!pci_rescan_remove_returned()) {
		spin_unlock(&pci_loan_lock);
		wait_event(pci_rescan_remove_wait,
			   pci_rescan_remove_returned());
		spin_lock(&pci_loan_lock);
	}
	pci_awaited.dev = prev->dev;
	pci_awaited.leaving = prev->leaving;
	spin_unlock(&pci_loan_lock);
}

/**
 * pci_rescan_remove_lock_device - device_lock() under the rescan/remove lock
 * @dev: the device
 *
 * Use it instead of device_lock() for a PCI device that may have SR-IOV: its
 * driver may hold the lock and wait for the rescan/remove lock.
 *
 * Context: process context, with or without the rescan/remove lock.
 */
void pci_rescan_remove_lock_device(struct pci_dev *dev)
{
	struct pci_awaited prev;

	pci_binding_begin(dev, &prev);
	device_lock(&dev->dev);
	pci_awaiting_end(&prev);
}

/**
 * pci_lock_rescan_remove_attr - take the lock in a sysfs attribute
 * @dev: the PCI device or bus that has the attribute
 * @attr: the attribute that is being stored
 * @kn: set to what pci_put_rescan_remove_attr() needs
 *
 * Takes the rescan/remove lock without keeping the owner from removing @dev
 * and its attributes meanwhile.  On success call pci_unlock_rescan_remove(),
 * and pci_put_rescan_remove_attr() last: until then @dev stays valid, but may
 * be removed again as soon as the lock is released.
 *
 * Context: process context, the attribute's store function.
 * Return: 0, or -ENODEV, with nothing held, if @dev was removed.
 */
int pci_lock_rescan_remove_attr(struct device *dev,
				struct device_attribute *attr,
				struct kernfs_node **kn)
{
	*kn = sysfs_break_active_protection(&dev->kobj, &attr->attr);
	if (!*kn)
		return -ENODEV;

	pci_lock_rescan_remove();
	if (device_is_registered(dev))
		return 0;

	pci_unlock_rescan_remove();
	sysfs_unbreak_active_protection(*kn);
	return -ENODEV;
}

/**
 * pci_put_rescan_remove_attr - end what pci_lock_rescan_remove_attr() began
 * @kn: what pci_lock_rescan_remove_attr() has set
 *
 * Context: process context, rescan/remove lock released.
 */
void pci_put_rescan_remove_attr(struct kernfs_node *kn)
{
	sysfs_unbreak_active_protection(kn);
}
