// SPDX-License-Identifier: GPL-2.0
/*
 * PCI enumeration pipeline: BARs of devices in use get other addresses
 *
 * A driver goes on using the pointers that ioremap() gave it.  So the resource
 * tree, the registers of the device and of the bridges above it, and what those
 * pointers lead to change together, while no CPU runs anything else.  In there
 * nothing sleeps, allocates, or waits for another CPU, and nothing can be refused
 * once a register was written, other than by hardware: then all of it goes back.
 *
 * What is refused is found out before.  Locks, from the outside in:
 *
 *	rescan/remove lock
 *	cpus_read_lock()
 *	  pci_bus_sem, pci_assign_rwsem
 *	    device_lock() of what moves, tried only	no probe, remove, reset
 *	      pci_move_rwsem		nobody is about to map or request a BAR
 */
#include <linux/acpi.h>
#include <linux/bitfield.h>
#include <linux/cpu.h>
#include <linux/ioremap_move.h>
#include <linux/mm.h>
#include <linux/pci.h>
#include <linux/percpu-rwsem.h>
#include <linux/sched/clock.h>
#include <linux/slab.h>
#include <linux/stop_machine.h>

#include "../pci.h"
#include "layout.h"
#include "pipeline.h"
#include "trace.h"

/**
 * struct pci_move_stop - what all CPUs do together
 * @layout: what changes
 * @mappings: what drivers have mapped of it, or NULL
 * @leader: the CPU that changes it
 * @arrived: how many CPUs have no write under way any more
 * @done: the leader has finished
 * @ret: 0 or a negative errno, from the leader
 * @ns: what the leader took, in ns
 */
struct pci_move_stop {
	struct pci_layout	*layout;
	struct ioremap_move	*mappings;
	unsigned int		leader;
	atomic_t		arrived;
	bool			done;
	int			ret;
	u64			ns;
};

static struct pci_dev *move_dev(const struct pci_layout *layout, unsigned int i)
{
	return layout->res[i].dev;
}

/* The next item after @i that moves; 0 if there is none */
static unsigned int move_next(const struct pci_layout *layout, unsigned int i)
{
	do {
		i = layout->res[i].next;
	} while (i && !layout->res[i].lives);

	return i;
}

/* The same, of another device: BARs of one are next to each other */
static unsigned int move_next_device(const struct pci_layout *layout,
				     unsigned int i)
{
	struct pci_dev *last = i ? move_dev(layout, i) : NULL;

	do {
		i = move_next(layout, i);
	} while (i && move_dev(layout, i) == last);

	return i;
}

/* It is not asked again in this assignment */
static int move_refuse(const struct pci_layout_res *r, const char *why)
{
	pci_info(r->dev, "%s %pR: can't move: %s\n",
		 pci_resource_name(r->dev, r->res - r->dev->resource), r->res,
		 why);
	r->dev->move_refused = why;
	return -EPERM;
}

/* As pci_dev_trylock(), but for what is ready to move */
static bool move_trylock(struct pci_dev *dev)
{
	if (!device_trylock(&dev->dev))
		return false;
	if (pci_cfg_access_trylock(dev))
		return true;
	device_unlock(&dev->dev);

	return false;
}

static void move_unlock(const struct pci_layout *layout, unsigned int end)
{
	unsigned int i;

	for (i = move_next_device(layout, 0); i && i != end;
	     i = move_next_device(layout, i))
		pci_dev_unlock(move_dev(layout, i));
}

/* Only tried: whoever has one of them may wait for a lock that is held here */
static int move_lock(struct pci_layout *layout)
{
	unsigned int i;

	for (i = move_next_device(layout, 0); i;
	     i = move_next_device(layout, i)) {
		if (move_trylock(move_dev(layout, i)))
			continue;
		move_unlock(layout, i);
		layout->busy = move_dev(layout, i);
		return -EBUSY;
	}

	return 0;
}

/* Can mappings of a BAR follow it? */
static bool move_is_mapped(const struct pci_layout_res *r)
{
	return r->flags & IORESOURCE_MEM && ioremap_move_possible() &&
	       IS_ALIGNED(r->start | (r->end + 1), PAGE_SIZE);
}

/* The PCI core keeps the MSI-X table mapped, whatever the driver has mapped */
static bool move_strands_msix(const struct pci_layout_res *r)
{
	u32 table;

	if (!r->dev->msix_enabled || move_is_mapped(r))
		return false;

	pci_read_config_dword(r->dev, r->dev->msix_cap + PCI_MSIX_TABLE, &table);
	return FIELD_GET(PCI_MSIX_TABLE_BIR, table) == r->res - r->dev->resource;
}

/* A ROM decodes, unknown to its resource, while somebody reads it */
static bool move_is_read(const struct pci_layout_res *r)
{
	u32 rom;

	if (r->res != &r->dev->resource[PCI_ROM_RESOURCE] ||
	    r->flags & IORESOURCE_ROM_ENABLE)
		return false;

	pci_read_config_dword(r->dev, r->dev->rom_base_reg, &rom);
	return rom & PCI_ROM_ADDRESS_ENABLE && !PCI_POSSIBLE_ERROR(rom);
}

/* Is everything as the plan has it, now that nobody can change it? */
static int move_check(struct pci_layout *layout)
{
	const struct pci_layout_res *r;
	const char *why;
	unsigned int i;

	for (i = move_next(layout, 0); i; i = move_next(layout, i)) {
		r = &layout->res[i];
		if (pci_move_hold(r->dev, r->res - r->dev->resource,
				  layout->untrusted, &why) == PCI_HOLD_PINNED)
			return move_refuse(r, why);
		if (pci_bar_user_mapped(r->dev, r->res))
			return move_refuse(r, "mapped by user space");
		if (move_strands_msix(r))
			return move_refuse(r, "its MSI-X table is mapped");
		if (pci_layout_cuts_off(layout, i))
			return move_refuse(r, "what is behind it would be cut off");
		if (move_is_read(r) ||
		    (pci_move_asks(r->dev) &&
		     !test_bit(PCI_DEV_MOVING, &r->dev->priv_flags))) {
			layout->busy = r->dev;
			return -EBUSY;
		}
	}

	return 0;
}

/* The addresses that mappings follow; how many of them */
static unsigned int move_ranges(const struct pci_layout *layout,
				struct ioremap_range *range)
{
	const struct pci_layout_res *r;
	unsigned int i, count = 0;

	for (i = move_next(layout, 0); i; i = move_next(layout, i)) {
		r = &layout->res[i];
		if (!move_is_mapped(r))
			continue;
		range[count++] = (struct ioremap_range) {
			.from = r->start,
			.to = layout->plan.item[i].new.start + r->offset,
			.size = r->end - r->start + 1,
		};
	}

	return count;
}

/* Is there a mapping of one BAR that could not follow it, were it alone? */
static bool move_mapping_stays(const struct pci_layout_res *r, u64 to)
{
	struct ioremap_range range = {
		.from = r->start,
		.to = to,
		.size = r->end - r->start + 1,
	};
	struct ioremap_move *move = ioremap_move_prepare(&range, 1);

	if (IS_ERR(move))
		return PTR_ERR(move) == -EBUSY;

	ioremap_move_finish(move);
	return false;
}

/* Does something else that moves have to leave the new place of a BAR first? */
static bool move_follows_another(const struct pci_layout *layout, unsigned int i)
{
	const struct pci_plan_place *new = &layout->plan.item[i].new, *old;
	unsigned int k;

	for (k = move_next(layout, 0); k; k = move_next(layout, k)) {
		old = &layout->plan.item[k].old;
		if (k != i && old->start <= new->end && new->start <= old->end)
			return true;
	}

	return false;
}

/*
 * Whose mapping can't follow?  If it is nobody's, somebody is in the middle of
 * mapping or unmapping something.
 */
static int move_refuse_mapped(const struct pci_layout *layout, const char *why)
{
	const struct pci_layout_res *r;
	unsigned int i;
	int ret = -EBUSY;

	for (i = move_next(layout, 0); i; i = move_next(layout, i)) {
		r = &layout->res[i];
		if (move_is_mapped(r) &&
		    (move_mapping_stays(r, r->start) ||
		     (!move_follows_another(layout, i) &&
		      move_mapping_stays(r, layout->plan.item[i].new.start +
					    r->offset))))
			ret = move_refuse(r, why);
	}

	return ret;
}

/* What ACPI has mapped by now is one of the mappings, and would follow */
static int move_check_acpi(const struct pci_layout *layout)
{
	const struct pci_layout_res *r;
	unsigned int i;
	int ret;

	for (i = move_next(layout, 0); i; i = move_next(layout, i)) {
		r = &layout->res[i];
		if (!(r->flags & IORESOURCE_MEM))
			continue;
		ret = acpi_os_maps_range(r->start, r->end - r->start + 1);
		if (ret < 0)
			return ret;
		if (ret)
			return move_refuse(r, "used by ACPI");
	}

	return 0;
}

/* Find what drivers have mapped; NULL if there is nothing that follows */
static struct ioremap_move *move_mappings(struct pci_layout *layout)
{
	struct ioremap_range *range;
	struct ioremap_move *move;
	unsigned int count;

	/* Then drivers touch nothing in the meantime, see move_hold.c */
	if (!ioremap_move_possible())
		return NULL;

	range = kvcalloc(layout->plan.count, sizeof(*range), GFP_KERNEL);
	if (!range)
		return ERR_PTR(-ENOMEM);
	count = move_ranges(layout, range);
	move = count ? ioremap_move_prepare(range, count) : NULL;
	kvfree(range);
	if (!IS_ERR(move))
		return move;

	switch (PTR_ERR(move)) {
	case -EAGAIN:
		return ERR_PTR(-EBUSY);
	case -EBUSY:
		return ERR_PTR(move_refuse_mapped(layout, "a mapping is not of this BAR alone"));
	default:
		return move;
	}
}

static int move_switch(struct pci_move_stop *stop)
{
	u64 start = local_clock();
	int ret;

	if (stop->mappings && ioremap_move_check(stop->mappings))
		return -EBUSY;

	ret = pci_layout_switch(stop->layout);
	if (!ret && stop->mappings)
		ioremap_move_commit(stop->mappings);
	stop->ns = local_clock() - start;

	return ret;
}

/* On each CPU, with interrupts off */
static int move_stop(void *data)
{
	struct pci_move_stop *stop = data;

	/* What this CPU has written is on its way to the device */
	mb();
	atomic_inc(&stop->arrived);

	if (smp_processor_id() == stop->leader) {
		while (atomic_read_acquire(&stop->arrived) < num_online_cpus())
			cpu_relax();
		stop->ret = move_switch(stop);
		/* All of that comes before what others do from here on */
		smp_store_release(&stop->done, true);
	} else {
		/* Pairs with the above */
		while (!smp_load_acquire(&stop->done))
			cpu_relax();
	}
	if (stop->mappings)
		ioremap_move_flush();

	return 0;
}

/* One line for each BAR, and one event */
static void move_report(const struct pci_layout *layout, u64 ns, u64 total)
{
	const struct pci_layout_res *r;
	struct resource from;
	const char *name;
	unsigned int i;

	for (i = move_next(layout, 0); i; i = move_next(layout, i)) {
		r = &layout->res[i];
		name = pci_resource_name(r->dev, r->res - r->dev->resource);
		from = (struct resource) {
			.start = r->start,
			.end = r->end,
			.flags = r->flags,
		};
		pci_info(r->dev, "%s %pR: moved from %pR, stopped for %llu us\n",
			 name, r->res, &from, div_u64(ns, NSEC_PER_USEC));
		trace_pci_move(r->dev, name, &from, r->res, ns, total);
	}
}

/* Tables of the architecture that go by addresses */
static void move_tell(const struct pci_layout *layout)
{
	struct pci_host_bridge *host = pci_find_host_bridge(layout->bus);

	if (host->pipeline_ops && host->pipeline_ops->moved)
		host->pipeline_ops->moved(host);
}

static int move_run(struct pci_layout *layout, struct ioremap_move *mappings)
{
	struct pci_move_stop stop = {
		.layout = layout,
		.mappings = mappings,
		.leader = cpumask_first(cpu_online_mask),
	};
	u64 start = local_clock(), total;
	int ret;

	ret = stop_machine_cpuslocked(move_stop, &stop, cpu_online_mask);
	total = local_clock() - start;
	if (ret)
		return ret;
	if (stop.ret == -EIO)
		return move_refuse(&layout->res[layout->stuck],
				   "it does not keep another address");
	if (!stop.ret) {
		move_tell(layout);
		move_report(layout, stop.ns, total);
	}

	return stop.ret;
}

/**
 * pci_move_written - an address in config space of a device in use was written
 * @dev: the device
 * @where: offset of the register
 * @size: how much of it was written, in bytes
 * @val: the value
 *
 * Context: any, also with all CPUs stopped.
 */
void pci_move_written(struct pci_dev *dev, int where, int size, u32 val)
{
	const struct pci_pipeline_ops *ops;

	ops = pci_find_host_bridge(dev->bus)->pipeline_ops;
	if (ops && ops->address_written)
		ops->address_written(dev, where, size, val);
}

/**
 * pci_move_commit - put a plan in place in which devices in use move
 * @layout: the layout, marked by pci_layout_apply()
 *
 * Context: process context; cpus_read_lock(), pci_bus_sem and pci_assign_rwsem
 * held; memory without I/O, as what moves may have to be reset for I/O to go on
 * while somebody waits for pci_move_rwsem.
 * Return: 0, or a negative errno: nothing has changed.
 *
 * * -EPERM: a device does not move, which was said; plan again without it
 * * -EBUSY: try again a little later; it is because of &pci_layout.busy if that
 *   is set
 * * -ENOMEM: no memory
 * * what stop_machine() and pci_layout_switch() return else
 */
int pci_move_commit(struct pci_layout *layout)
{
	struct ioremap_move *mappings = NULL;
	int ret;

	lockdep_assert_cpus_held();

	ret = move_lock(layout);
	if (ret)
		return ret;

	percpu_down_write(&pci_move_rwsem);
	ret = move_check(layout);
	if (ret)
		goto unlock;

	mappings = move_mappings(layout);
	if (IS_ERR(mappings)) {
		ret = PTR_ERR(mappings);
		goto unlock;
	}
	/* After that: what is mapped from here on changes the mappings found */
	ret = move_check_acpi(layout);
	if (!ret)
		ret = move_run(layout, mappings);
	if (mappings)
		ioremap_move_finish(mappings);
unlock:
	percpu_up_write(&pci_move_rwsem);
	move_unlock(layout, 0);

	return ret;
}
