/* SPDX-License-Identifier: GPL-2.0 */
/*
 * PCI enumeration pipeline: a plan of addresses and what it is about
 */
#ifndef _PCI_LAYOUT_H
#define _PCI_LAYOUT_H

#include "plan.h"

/**
 * struct pci_layout_res - the resource that an item of a plan stands for
 * @dev: whose it is; NULL for what belongs to no device here
 * @res: the resource
 * @parent: where it was in the resource tree
 * @start: as in @res, before
 * @end: as in @res, before
 * @flags: as in @res, before
 * @offset: from an address on the bus to that of a resource, after
 * @children: of a window: items in the resource tree right inside
 * @command: the command register of @dev, from before
 * @why: why it is pinned, if it is
 * @next: the next item that changes, 0 after the last one; of item 0 the first
 * @prev: the one before, 0 before the first one; of item 0 the last
 * @changes: it gets another place, or loses its own
 * @stays: it, or something inside, stays where it is
 * @lives: a BAR that gets another place, of a device in the driver model
 * @open: the same, of a bridge that leads to something that stays
 */
struct pci_layout_res {
	struct pci_dev	*dev;
	struct resource	*res;
	struct resource	*parent;
	resource_size_t	start;
	resource_size_t	end;
	unsigned long	flags;
	u64		offset;
	unsigned int	children;
	u16		command;
	const char	*why;
	unsigned int	next;
	unsigned int	prev;
	bool		changes;
	bool		stays;
	bool		lives;
	bool		open;
};

/**
 * struct pci_layout_known - to find the item of a resource
 * @res: the resource
 * @item: index of the item
 */
struct pci_layout_known {
	const struct resource *res;
	unsigned int	item;
};

/**
 * struct pci_layout - addresses of one kind below a bus
 * @bus: a root bus, or one whose windows stay as they are
 * @below: of a root bus, if it is for the sake of this bus, or NULL
 * @only: the only device whose BARs are to get an address, or NULL
 * @type: IORESOURCE_IO or IORESOURCE_MEM
 * @flags: PCI_LAYOUT_*
 * @idle: there is nothing to do
 * @skips: there is something that could have moved, but for PCI_LAYOUT_STAY
 * @fixed: something that can't be anywhere else has no place
 * @translates: the host bridge has other addresses on the bus than the CPU has
 * @programs: windows of bridges in the driver model change
 * @moves: BARs of devices in the driver model get another place
 * @busy: the device because of which nothing moves just now, or NULL
 * @stuck: the item of a BAR that does not do as it is told, or 0
 * @untrusted: something asks for addresses for whose sake nothing that is
 *	trusted moves
 * @greedy: how to go about it if not everything fits; @tries of it is set
 * @plan: the plan, in addresses on the bus
 * @res: for each item of it
 * @max: items there is memory for
 * @error: a negative errno if something could not be described
 * @known: the resources of all items, sorted; NULL if not needed yet
 * @known_count: of @known
 * @inside: what was in the window that was looked into last
 * @inside_max: there is memory for so many
 */
struct pci_layout {
	struct pci_bus		*bus;
	struct pci_bus		*below;
	struct pci_dev		*only;
	unsigned long		type;
	unsigned int		flags;
	bool			idle;
	bool			skips;
	bool			fixed;
	bool			translates;
	bool			programs;
	bool			moves;
	bool			untrusted;
	unsigned int		stuck;
	struct pci_dev		*busy;
	struct pci_plan_greedy	greedy;
	struct pci_plan		plan;
	struct pci_layout_res	*res;
	unsigned int		max;
	int			error;
	struct pci_layout_known	*known;
	unsigned int		known_count;
	struct resource_child	*inside;
	unsigned int		inside_max;
};

/* collect.c, apply.c */
unsigned long pci_layout_window_flags(const struct pci_dev *bridge, int idx);
int pci_layout_collect(struct pci_layout *layout);
int pci_layout_collect_host(struct pci_layout *layout);
void pci_layout_free(struct pci_layout *layout);
unsigned int pci_layout_inside(struct pci_layout *layout,
			       const struct resource *window);
bool pci_layout_gap(const struct pci_layout *layout,
		    const struct resource *window, unsigned int count,
		    unsigned int i, struct resource *gap);
int pci_layout_switch(struct pci_layout *layout);
int pci_layout_apply(struct pci_layout *layout);

bool pci_layout_lives(const struct pci_layout *layout, unsigned int i);
bool pci_layout_cuts_off(const struct pci_layout *layout, unsigned int i);

/* layout.c */
unsigned long pci_layout_lacks(const struct pci_bus *bus, unsigned long types,
			       bool untrusted);
int pci_layout_plan(struct pci_layout *layout);

/* move_hold.c */
enum pci_plan_hold pci_move_hold(struct pci_dev *dev, int idx, bool untrusted,
				 const char **why);
bool pci_move_asleep(struct pci_dev *dev);
bool pci_move_asks(struct pci_dev *dev);

/* move.c */
int pci_move_commit(struct pci_layout *layout);
void pci_move_written(struct pci_dev *dev, int where, int size, u32 val);

/* debugfs.c */
#ifdef CONFIG_DEBUG_FS
void pci_plan_record(struct pci_layout *layout);
#else
static inline void pci_plan_record(struct pci_layout *layout)
{
}
#endif

#endif /* _PCI_LAYOUT_H */
