// SPDX-License-Identifier: GPL-2.0
/*
 * PCI enumeration pipeline: make room for a device that has none otherwise
 *
 * The plan for it decides what would have to move.  Drivers that want to be asked
 * are asked then, without any lock of a device held, and the plan is made again:
 * it may come out differently if one refuses.
 */
#include <linux/acpi.h>
#include <linux/cpu.h>
#include <linux/delay.h>
#include <linux/list.h>
#include <linux/pci.h>
#include <linux/pm_runtime.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/wait_bit.h>

#include "../pci.h"
#include "layout.h"
#include "pipeline.h"

#define MOVE_TRIES	10	/* while somebody is busy with a device */
#define MOVE_WAIT	20	/* ms in between */

/**
 * struct move_asked - a device that is to be ready to move
 * @node: in the list of all
 * @dev: the device
 * @res: the first of its BARs that is to move
 * @awake: it is kept from falling asleep, and ACPI was asked
 */
struct move_asked {
	struct list_head	node;
	struct pci_dev		*dev;
	struct resource		*res;
	bool			awake;
};

/* @err is the driver's, or 0 */
static void move_refused(const struct move_asked *a, const char *why, int err)
{
	struct pci_dev *dev = a->dev;
	const char *name = pci_resource_name(dev, a->res - dev->resource);

	if (err)
		pci_info(dev, "%s %pR: can't move: %s (%d)\n", name, a->res,
			 why, err);
	else
		pci_info(dev, "%s %pR: can't move: %s\n", name, a->res, why);
	dev->move_refused = why;
}

/* Is a BAR where AML expects it, even if it has not accessed it so far? */
static void move_ask_acpi(struct move_asked *a)
{
	struct resource *res;
	int i;

	for (i = 0; i < PCI_BRIDGE_RESOURCES; i++) {
		res = &a->dev->resource[i];
		if (!res->parent || !acpi_resource_in_region(res))
			continue;
		a->res = res;
		move_refused(a, "used by ACPI", 0);
		return;
	}
}

/*
 * Before any driver is asked: what sleeps may need what another one keeps, and so
 * may AML.
 */
static void move_wake(struct list_head *asked)
{
	struct move_asked *a;
	int ret;

	list_for_each_entry(a, asked, node) {
		if (a->awake)
			continue;
		ret = pm_runtime_get_sync(&a->dev->dev);
		a->awake = true;
		if (pci_move_asleep(a->dev))
			move_refused(a, "it does not wake up", ret);
		else
			move_ask_acpi(a);
	}
}

/* From here on its driver stays, too, see pci_move_wait() */
static int move_ask(const struct move_asked *a)
{
	const struct pci_driver *drv;
	int ret;

	if (test_bit(PCI_DEV_MOVING, &a->dev->priv_flags))
		return 0;

	/* Whoever has it may wait for the rescan/remove lock */
	if (!device_trylock(&a->dev->dev))
		return -EBUSY;
	/* The system is going to sleep: its driver has been told, or will be */
	if (a->dev->dev.power.is_prepared) {
		device_unlock(&a->dev->dev);
		return -EBUSY;
	}
	drv = a->dev->driver;
	if (drv && drv->bars_prepare)
		set_bit(PCI_DEV_MOVING, &a->dev->priv_flags);
	device_unlock(&a->dev->dev);
	if (!drv || !drv->bars_prepare)
		return 0;

	ret = drv->bars_prepare(a->dev);
	if (ret) {
		clear_and_wake_up_bit(PCI_DEV_MOVING, &a->dev->priv_flags);
		move_refused(a, "its driver refuses", ret);
	}

	return 0;
}

/* Ask all; -EBUSY and @busy if somebody has one of them locked */
static int move_ask_all(struct list_head *asked, struct pci_dev **busy)
{
	struct move_asked *a;
	int ret;

	list_for_each_entry(a, asked, node) {
		if (a->dev->move_refused)
			continue;
		ret = move_ask(a);
		if (ret) {
			*busy = a->dev;
			return ret;
		}
	}

	return 0;
}

/* Whether they have moved or not; drivers that were asked are still there */
static void move_done(struct list_head *asked)
{
	const struct pci_driver *drv;
	struct move_asked *a;

	list_for_each_entry(a, asked, node) {
		if (!test_bit(PCI_DEV_MOVING, &a->dev->priv_flags))
			continue;
		drv = a->dev->driver;
		if (drv->bars_done)
			drv->bars_done(a->dev);
		clear_and_wake_up_bit(PCI_DEV_MOVING, &a->dev->priv_flags);
	}
}

static void move_release(struct list_head *asked)
{
	struct move_asked *a, *next;

	list_for_each_entry_safe(a, next, asked, node) {
		if (a->awake)
			pm_runtime_put(&a->dev->dev);
		list_del(&a->node);
		pci_dev_put(a->dev);
		kfree(a);
	}
}

static bool move_is_asked(const struct list_head *asked,
			  const struct pci_dev *dev)
{
	const struct move_asked *a;

	list_for_each_entry(a, asked, node)
		if (a->dev == dev)
			return true;

	return false;
}

/* What has to be made ready yet, into @asked; how many, or -ENOMEM */
static int move_find(const struct pci_layout *layout, struct list_head *asked)
{
	struct move_asked *a;
	struct pci_dev *dev, *last = NULL;
	unsigned int i;
	int count = 0;

	for (i = 1; i < layout->plan.count; i++) {
		dev = layout->res[i].dev;
		if (!pci_layout_lives(layout, i) || dev == last ||
		    move_is_asked(asked, dev))
			continue;

		a = kzalloc(sizeof(*a), GFP_KERNEL);
		if (!a)
			return -ENOMEM;
		a->dev = pci_dev_get(dev);
		a->res = layout->res[i].res;
		list_add_tail(&a->node, asked);
		last = dev;
		count++;
	}

	return count;
}

static bool move_lives(const struct pci_layout *layout)
{
	unsigned int i;

	for (i = 1; i < layout->plan.count; i++)
		if (pci_layout_lives(layout, i))
			return true;

	return false;
}

/* Does more get an address than if nothing that is in use moves? */
static bool move_helps(struct pci_bus *root, unsigned long type, int left)
{
	struct pci_layout still = {
		.bus = root,
		.type = type,
		.flags = PCI_LAYOUT_REQUIRED,
	};
	int ret = pci_layout_plan(&still);

	pci_layout_free(&still);
	return ret < 0 || left < ret;
}

/*
 * Plan for one kind of addresses, as pci_layout_plan(); without anything in it
 * if what would move would do so in vain.
 */
static int move_plan(struct pci_layout *layout, struct pci_bus *root,
		     unsigned long type)
{
	int ret;

	*layout = (struct pci_layout) {
		.bus = root,
		.type = type,
		.flags = PCI_LAYOUT_MOVE | PCI_LAYOUT_REQUIRED,
		.untrusted = pci_layout_lacks(root, type, true),
		.idle = !pci_layout_lacks(root, type, false),
	};

	if (layout->idle)
		return 0;
	ret = pci_layout_plan(layout);
	if (ret <= 0 || !move_lives(layout) || move_helps(root, type, ret))
		return ret;

	pci_layout_free(layout);
	*layout = (struct pci_layout) { .idle = true };
	return ret;
}

/* What moves, it moves for something that gets no address otherwise */
static int move_apply(struct pci_layout *layout, bool *moved)
{
	int ret;

	if (!move_lives(layout))
		return 0;

	ret = pci_layout_apply(layout);
	if (ret)
		return ret;

	pci_plan_record(layout);
	*moved = true;
	return 0;
}

/* Plan, and move if that helps and nobody is to be asked first */
static int move_try(struct pci_layout *io, struct pci_layout *mem,
		    struct pci_bus *root, struct list_head *asked,
		    bool *moved)
{
	int ret, asks;

	ret = move_plan(io, root, IORESOURCE_IO);
	if (ret >= 0)
		ret = move_plan(mem, root, IORESOURCE_MEM);
	if (ret < 0)
		return ret;

	asks = move_find(io, asked);
	ret = asks < 0 ? asks : move_find(mem, asked);
	if (ret < 0)
		return ret;
	if (asks + ret)
		return -EAGAIN;

	ret = move_apply(io, moved);
	return ret ?: move_apply(mem, moved);
}

/* Plan until nobody refuses any more; each time it is somebody else */
static int move_plan_all(struct pci_bus *root, struct list_head *asked,
			 struct pci_dev **busy, bool *moved)
{
	struct pci_layout io, mem;
	int ret;

	do {
		mem = (struct pci_layout) {};
		ret = move_try(&io, &mem, root, asked, moved);
		*busy = io.busy ?: mem.busy;
		pci_layout_free(&io);
		pci_layout_free(&mem);
	} while (ret == -EPERM);

	return ret;
}

/* Somebody is busy with a device: for how much longer? */
static bool move_wait(struct pci_dev *busy, unsigned int *tries)
{
	if (++*tries < MOVE_TRIES) {
		msleep(MOVE_WAIT);
		return true;
	}
	if (!busy) {
		pr_info("PCI: nothing moves: mappings come and go all the time\n");
		return false;
	}

	pci_info(busy, "can't move: it is busy\n");
	busy->move_refused = "it is busy";
	*tries = 0;
	return true;
}

/*
 * One attempt.  No CPU comes or goes from the first driver that is asked to the
 * last that is told: who waits for one of them may keep a CPU from that.  Nor
 * is there I/O for memory, as a disk may be among them.
 */
static int move_attempt(struct pci_bus *root, struct list_head *asked,
			struct pci_dev **busy, bool *moved)
{
	unsigned int noio;
	int ret;

	move_wake(asked);

	cpus_read_lock();
	noio = memalloc_noio_save();
	ret = move_ask_all(asked, busy);
	if (!ret) {
		down_read(&pci_bus_sem);
		down_write(&pci_assign_rwsem);
		ret = move_plan_all(root, asked, busy, moved);
		up_write(&pci_assign_rwsem);
		up_read(&pci_bus_sem);
	}
	move_done(asked);
	memalloc_noio_restore(noio);
	cpus_read_unlock();

	return ret;
}

static int move_forget_refusal(struct pci_dev *dev, void *data)
{
	dev->move_refused = NULL;
	return 0;
}

/**
 * pci_move_make_room - move what is in use, for what has no address otherwise
 * @bus: the bus on or below which something lacks an address
 *
 * As few as possible move, and only for what is required.  Drivers are asked
 * without a lock of a device held.  What has no address afterwards either can
 * still be given one.
 *
 * Context: process context, rescan/remove lock held.
 * Return: true if anything has moved.
 */
bool pci_move_make_room(struct pci_bus *bus)
{
	struct pci_host_bridge *host = pci_find_host_bridge(bus);
	struct pci_dev *busy;
	unsigned int tries = 0;
	bool moved = false;
	LIST_HEAD(asked);
	int ret;

	if (!pci_moves_enabled || !host->bars_movable)
		return false;

	/* Those of the last time; what was refused now is reported later */
	pci_walk_bus(host->bus, move_forget_refusal, NULL);
	do {
		busy = NULL;
		ret = move_attempt(host->bus, &asked, &busy, &moved);
	} while (ret == -EAGAIN || (ret == -EBUSY && move_wait(busy, &tries)));

	move_release(&asked);

	return moved;
}
