// SPDX-License-Identifier: GPL-2.0
/*
 * PCI enumeration pipeline: the end of SCAN, bus numbers for everything
 *
 * The scan gives a bridge a number if the bridge above it routes one that no
 * other has.  Here the others get theirs: other bridges route more numbers,
 * or others where nothing is in use behind them.
 */
#include <linux/device.h>
#include <linux/errno.h>
#include <linux/ioport.h>
#include <linux/list.h>
#include <linux/minmax.h>
#include <linux/pci.h>
#include <linux/pm_runtime.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "../pci.h"
#include "pipeline.h"
#include "plan.h"

#define BUSN_NAME	24	/* for "10000:02-new" */

/* Every bus has a number of its own, but the one that wants one */
#define BUSN_MAX	(PCI_BUSN_COUNT + 1)

/* A plan and the buses that it is about */
struct busn_tree {
	struct pci_busn_plan	plan;
	struct pci_bus		**bus;	/* NULL for the one without a number */
	unsigned int		want;
	const char		*wrong;	/* what the check says */
};

static bool busn_is_bridge(const struct pci_dev *dev)
{
	return dev->hdr_type == PCI_HEADER_TYPE_BRIDGE;
}

static bool busn_in_use(struct pci_bus *bus)
{
	bool keep = pci_host_is_new(pci_find_host_bridge(bus));
	struct pci_dev *dev;

	/* What the scan at boot found has its numbers from firmware */
	list_for_each_entry(dev, &bus->devices, bus_list)
		if (keep || dev->stage > PCI_STAGE_SCAN)
			return true;

	return false;
}

/*
 * Numbers that a bus and the VFs on it need, as far as the bridge routes them
 * and has not given them to another one.
 */
static int busn_own(struct pci_bus *bus)
{
	int last = bus->busn_res.start + pci_iov_bus_range(bus);
	struct pci_bus *child;

	last = min_t(int, last, bus->busn_res.end);
	list_for_each_entry(child, &bus->children, node)
		if (child->self)
			last = min_t(int, last, child->busn_res.start - 1);

	return max_t(int, last - bus->busn_res.start, 0) + 1;
}

/* Numbers that are not ours to change */
static bool busn_is_fixed(struct pci_bus *bus)
{
	u8 first, last;

	return !busn_is_bridge(bus->self) || !bus->busn_res.parent ||
	       pci_dev_is_disconnected(bus->self) ||
	       pci_ea_fixed_busnrs(bus->self, &first, &last);
}

static int busn_collect_bus(struct busn_tree *t, struct pci_bus *bus,
			    unsigned int parent)
{
	unsigned int i = t->plan.count++;

	if (i + 1 >= BUSN_MAX || bus->busn_res.end >= PCI_BUSN_COUNT)
		return -EINVAL;

	t->bus[i] = bus;
	t->plan.bus[i] = (struct pci_busn) {
		.parent = parent,
		.start = bus->busn_res.start,
		.end = bus->busn_res.end,
		.own = busn_own(bus),
		.pinned = !i || busn_in_use(bus),
		.fixed = i && busn_is_fixed(bus),
		.hotplug = bus->self && bus->self->is_hotplug_bridge,
	};
	return 0;
}

static void busn_note_foreign(struct busn_tree *t, const struct resource *busn)
{
	unsigned int n;

	for (n = busn->start; n <= busn->end && n < PCI_BUSN_COUNT; n++)
		t->plan.foreign[n] = true;
}

/*
 * Numbers that other host bridges of the domain use.  Their root buses may
 * claim all of them, if firmware does not say how they are divided.
 */
static void busn_collect_foreign(struct busn_tree *t, struct pci_bus *root)
{
	struct pci_bus *other = NULL, *child;

	while ((other = pci_find_next_bus(other))) {
		if (other == root || pci_domain_nr(other) != pci_domain_nr(root))
			continue;
		t->plan.foreign[other->number] = true;
		list_for_each_entry(child, &other->children, node)
			busn_note_foreign(t, &child->busn_res);
	}
}

/* The buses right below one; those of VFs are among what is its own */
static int busn_collect_children(struct busn_tree *t, unsigned int i)
{
	struct pci_bus *child;
	int ret;

	list_for_each_entry(child, &t->bus[i]->children, node) {
		if (child->self)
			ret = busn_collect_bus(t, child, i);
		else if (child->number - t->plan.bus[i].start <
			 t->plan.bus[i].own)
			ret = 0;
		else
			ret = -EINVAL;
		if (ret)
			return ret;
	}

	return 0;
}

/* @dev is a bridge that has no number */
static int busn_collect(struct busn_tree *t, struct pci_dev *dev)
{
	struct pci_bus *root = pci_find_host_bridge(dev->bus)->bus;
	struct pci_busn *bus;
	unsigned int i, above = 0;
	int ret;

	t->plan.bus = kvcalloc(BUSN_MAX, sizeof(*t->plan.bus), GFP_KERNEL);
	t->bus = kvcalloc(BUSN_MAX, sizeof(*t->bus), GFP_KERNEL);
	if (!t->plan.bus || !t->bus)
		return -ENOMEM;

	busn_collect_foreign(t, root);
	ret = busn_collect_bus(t, root, 0);
	if (ret)
		return ret;
	for (i = 0; i < t->plan.count; i++) {
		if (t->bus[i] == dev->bus)
			above = i;
		ret = busn_collect_children(t, i);
		if (ret)
			return ret;
	}

	/* What is above something in use is in use */
	bus = t->plan.bus;
	for (i = t->plan.count - 1; i; i--)
		if (bus[i].pinned || bus[i].fixed)
			bus[bus[i].parent].pinned = true;

	t->want = t->plan.count++;
	bus[t->want] = (struct pci_busn) {
		.parent = above,
		.end = -1,
		.own = 1,
		.hotplug = dev->is_hotplug_bridge,
	};
	return 0;
}

static void busn_free(struct busn_tree *t)
{
	kvfree(t->bus);
	kvfree(t->plan.bus);
}

/* What is below a bus that moves does so as well, even to where it was */
static bool busn_moves(const struct busn_tree *t, unsigned int i)
{
	const struct pci_busn *bus = t->plan.bus;

	if (!t->bus[i])
		return false;

	while (i && bus[i].new_start == bus[i].start)
		i = bus[i].parent;

	return i;
}

static int busn_rename_device(struct device *dev, const char *name)
{
	return device_is_registered(dev) ? device_rename(dev, name) :
					   dev_set_name(dev, "%s", name);
}

static int busn_rename_pci_dev(struct pci_dev *dev, const char *bus)
{
	const char *old = pci_name(dev);
	struct resource *res;
	int ret;

	ret = dev_set_name(&dev->dev, "%s:%02x.%d", bus, PCI_SLOT(dev->devfn),
			   PCI_FUNC(dev->devfn));
	if (ret)
		return ret;

	/* @old is only compared, it is gone */
	pci_dev_for_each_resource(dev, res)
		if (res->name == old)
			res->name = pci_name(dev);

	return 0;
}

/* Devices on a bus that moves are not in the driver model yet */
static int busn_set_names(struct pci_bus *bus, int number, const char *suffix)
{
	struct pci_dev *dev;
	char name[BUSN_NAME];
	int ret;

	snprintf(name, sizeof(name), "%04x:%02x%s", pci_domain_nr(bus), number,
		 suffix);
	ret = busn_rename_device(&bus->dev, name);
	if (ret || *suffix)
		return ret;

	list_for_each_entry(dev, &bus->devices, bus_list) {
		ret = busn_rename_pci_dev(dev, name);
		if (ret)
			return ret;
	}

	return 0;
}

/*
 * New names for the buses that move, and for what is on them.  The name of one
 * may be that of another so far: all of them get names of their own first.
 */
static int busn_rename(const struct busn_tree *t)
{
	const struct pci_busn *bus = t->plan.bus;
	unsigned int i, k = 0;
	int ret;

	for (i = 1; i < t->plan.count; i++) {
		if (!busn_moves(t, i))
			continue;
		ret = busn_set_names(t->bus[i], bus[i].new_start, "-new");
		if (ret)
			goto undo;
	}
	for (k = 1; k < t->plan.count; k++) {
		if (!busn_moves(t, k))
			continue;
		ret = busn_set_names(t->bus[k], bus[k].new_start, "");
		if (ret) {
			k++;
			goto undo;
		}
	}

	return 0;

undo:
	while (k-- > 1)
		if (busn_moves(t, k))
			busn_set_names(t->bus[k], bus[k].new_start, "-new");
	while (i-- > 1)
		if (busn_moves(t, i))
			busn_set_names(t->bus[i], bus[i].start, "");
	return ret;
}

/* All three numbers change with one write */
static void busn_write(struct pci_bus *bus, int first, int last)
{
	struct pci_dev *bridge = bus->self;
	u32 buses;

	pci_read_config_dword(bridge, PCI_PRIMARY_BUS, &buses);
	buses &= 0xff000000;
	buses |= bridge->bus->number | first << 8 | last << 16;
	pci_write_config_dword(bridge, PCI_PRIMARY_BUS, buses);

	/* Neither a resume nor the recovery from an error brings old ones back */
	bridge->saved_config_space[PCI_PRIMARY_BUS / 4] = buses;
}

/* Take a bus off its number: nothing is routed to it any more */
static void busn_take(struct pci_bus *bus)
{
	struct pci_dev *dev;

	busn_write(bus, 0, 0);
	pci_bus_release_busn_res(bus);
	pci_proc_detach_bus(bus);
	list_for_each_entry(dev, &bus->devices, bus_list)
		pci_lookup_del(dev);
}

static void busn_give(struct pci_bus *bus, int first, int last)
{
	struct pci_dev *dev;

	pci_iov_bus_moved(bus, first - bus->number);
	bus->number = first;
	bus->primary = bus->parent->number;
	sprintf(bus->name, "PCI Bus %04x:%02x", pci_domain_nr(bus), first);
	pci_bus_insert_busn_res(bus, first, last);
	busn_write(bus, first, last);
	list_for_each_entry(dev, &bus->devices, bus_list) {
		pci_lookup_add(dev);
		pci_set_msi_domain(dev);
	}
}

static void busn_set_end(struct pci_bus *bus, int last)
{
	pci_bus_update_busn_res_end(bus, last);
	busn_write(bus, bus->number, last);
}

/*
 * Cannot fail.  At every moment the ranges lie in each other and do not
 * overlap, and no bus in use is cut off.
 */
static void busn_apply(const struct busn_tree *t)
{
	const struct pci_busn *bus = t->plan.bus;
	unsigned int i;

	for (i = t->plan.count - 1; i; i--)
		if (busn_moves(t, i))
			busn_take(t->bus[i]);
	for (i = t->plan.count - 1; i; i--)
		if (t->bus[i] && !busn_moves(t, i) &&
		    bus[i].new_end < bus[i].end)
			busn_set_end(t->bus[i], bus[i].new_end);
	for (i = 1; i < t->plan.count; i++) {
		if (!t->bus[i])
			continue;
		if (busn_moves(t, i))
			busn_give(t->bus[i], bus[i].new_start, bus[i].new_end);
		else if (bus[i].new_end > bus[i].end)
			busn_set_end(t->bus[i], bus[i].new_end);
	}
}

static bool busn_changes(const struct busn_tree *t, unsigned int i)
{
	return busn_moves(t, i) ||
	       (t->bus[i] && t->plan.bus[i].new_end != t->plan.bus[i].end);
}

/* What is on the buses that move is as if it had not been scanned meanwhile */
static void busn_each_moving(const struct busn_tree *t,
			     void (*step)(struct pci_dev *dev))
{
	struct pci_dev *dev;
	unsigned int i;

	for (i = 1; i < t->plan.count; i++)
		if (busn_moves(t, i))
			list_for_each_entry(dev, &t->bus[i]->devices, bus_list)
				step(dev);
}

static int busn_make_room(const struct busn_tree *t)
{
	const struct pci_busn *bus = t->plan.bus;
	unsigned int i;
	int ret;

	for (i = 1; i < t->plan.count; i++)
		if (busn_changes(t, i))
			pm_runtime_get_sync(&t->bus[i]->self->dev);

	busn_each_moving(t, pci_stage_unscan);
	ret = busn_rename(t);
	if (!ret)
		busn_apply(t);
	busn_each_moving(t, pci_stage_scanned);

	for (i = 1; i < t->plan.count; i++) {
		if (!busn_changes(t, i))
			continue;
		if (!ret)
			pci_info(t->bus[i]->self, "[bus %02x-%02x] becomes [bus %02x-%02x]\n",
				 bus[i].start, bus[i].end, bus[i].new_start,
				 bus[i].new_end);
		pm_runtime_put(&t->bus[i]->self->dev);
	}

	return ret;
}

static unsigned int busn_count_free(const struct busn_tree *t)
{
	const struct pci_busn *bus = t->plan.bus;
	unsigned int count = 0, i;
	int n;

	for (n = bus[0].start + bus[0].own; n <= bus[0].end; n++) {
		for (i = 1; i < t->plan.count; i++)
			if (!bus[i].parent && bus[i].start <= n &&
			    n <= bus[i].end)
				break;
		count += i == t->plan.count && !t->plan.foreign[n];
	}

	return count;
}

static void busn_refuse(const struct busn_tree *t, struct pci_dev *dev, int ret)
{
	struct pci_host_bridge *host = pci_find_host_bridge(dev->bus);

	if (ret == -ENOSPC)
		pci_warn(dev, "no bus number, nothing behind this bridge is usable: %u of %pR are free, none where the bridges above can route it; booting with pci=assign-busses,hpbussize=4 may help\n",
			 busn_count_free(t), &host->bus->busn_res);
	else if (ret == -EPERM)
		pci_warn(dev, "no bus number free in %pR, nothing behind this bridge is usable: the numbers that firmware gave stay\n",
			 &dev->bus->busn_res);
	else if (t->wrong)
		pci_warn(dev, "no bus number, nothing behind this bridge is usable: the numbers below %pR are not in order, %s\n",
			 &host->bus->busn_res, t->wrong);
	else
		pci_warn(dev, "no bus number, nothing behind this bridge is usable: error %d\n",
			 ret);
}

static int busn_plan(struct pci_batch *batch, struct busn_tree *t,
		     struct pci_dev *dev)
{
	struct pci_host_bridge *host = pci_find_host_bridge(dev->bus);
	u8 first, last;
	int ret;

	if (batch->kind == PCI_BATCH_COMPAT ||
	    batch->flags & PCI_BATCH_ASSIGNED || host->fixed_busnr ||
	    host->probe_only || host->preserve_config ||
	    pci_ea_fixed_busnrs(dev, &first, &last))
		return -EPERM;

	ret = busn_collect(t, dev);
	if (ret)
		return ret;

	ret = pci_plan_busn(&t->plan, t->want);
	if (ret)
		return ret;

	/* Firmware may have left numbers that overlap, for example */
	t->wrong = pci_check_busn(&t->plan, t->want);
	if (t->wrong)
		return -EINVAL;

	return busn_make_room(t);
}

static void busn_number(struct pci_batch *batch, struct pci_dev *dev)
{
	const struct pci_busn *got;
	struct busn_tree t = {};
	int ret;

	ret = busn_plan(batch, &t, dev);
	if (!ret) {
		got = &t.plan.bus[t.want];
		pci_scan_bridge_at(dev, got->new_start, got->new_end);
		if (!dev->subordinate)
			ret = -ENODEV;
	}
	if (ret)
		busn_refuse(&t, dev, ret);

	busn_free(&t);
	cond_resched();
}

/*
 * Two bridges may lead to the same bus, if one of them does not tell the truth
 * or the hardware is made so.  What was found at boot is left alone.
 */
static bool busn_leads_elsewhere(struct pci_dev *dev)
{
	u8 secondary;

	if (dev->stage <= PCI_STAGE_SCAN &&
	    !pci_host_is_new(pci_find_host_bridge(dev->bus)))
		return false;

	pci_read_config_byte(dev, PCI_SECONDARY_BUS, &secondary);
	return secondary && pci_find_bus(pci_domain_nr(dev->bus), secondary);
}

static bool busn_lacks(struct pci_dev *dev, struct pci_bus *top)
{
	return busn_is_bridge(dev) && !dev->subordinate &&
	       !pci_dev_is_disconnected(dev) &&
	       pci_bus_is_below(dev->bus, top) && !busn_leads_elsewhere(dev);
}

/**
 * pci_batch_number - the end of SCAN: bus numbers for bridges that have none
 * @batch: the batch, scanned
 * @bus: topmost bus of the batch, or one of them
 *
 * What is found behind the bridges joins the batch.  A bridge for which there
 * is no number stays without a bus, with one line in the log.
 *
 * Context: process context, rescan/remove lock held.
 */
void pci_batch_number(struct pci_batch *batch, struct pci_bus *bus)
{
	struct pci_host_bridge *host = pci_find_host_bridge(bus);
	struct pci_dev *dev = NULL;

	/* There may have been no number when they were found */
	if (batch->kind == PCI_BATCH_BUS)
		for_each_scanned_pci_dev(dev)
			if (dev->stage >= PCI_STAGE_ADD && busn_lacks(dev, bus))
				busn_number(batch, dev);

	/* What is found meanwhile comes at the end */
	list_for_each_entry(dev, &host->scanned, batch_node)
		if (busn_lacks(dev, bus))
			busn_number(batch, dev);
}
