/* SPDX-License-Identifier: GPL-2.0 */
/*
 * PCI enumeration pipeline: planning, without a device at hand
 *
 * What includes nothing else of the kernel than this also builds in user
 * space, where it is tested on random hierarchies and compared with an
 * exhaustive search: no pci_dev, no lock, no allocation.
 */
#ifndef _PCI_PLAN_H
#define _PCI_PLAN_H

#include <linux/types.h>

#define PCI_BUSN_COUNT	256	/* numbers in a domain */

/**
 * struct pci_busn - the bus numbers behind one bridge
 * @parent: index of the bus that the bridge is on, less than the index of this
 *	one; of no meaning for the root bus
 * @start: number of the bus right behind the bridge; 0 if it has none and is
 *	to have one
 * @end: last number that the bridge routes; -1 if it has none
 * @own: numbers from @start on that nothing below can have: that of the bus,
 *	and those of VFs of devices on it; never 0
 * @pinned: @start stays, as there is something in use on or below the bus
 * @fixed: neither @start nor @end can be changed
 * @hotplug: a bridge may come later
 * @new_start: output, as @start
 * @new_end: output, as @end
 * @reach: private: last number that @own or a bus below has
 * @used: private: last number that @own or a bus below needs
 * @packed: private: as @start, if the buses beside it are moved together
 * @packs: private: the buses right below are moved together
 * @shift: private: from @start to @new_start
 */
struct pci_busn {
	unsigned int	parent;
	int		start;
	int		end;
	int		own;
	bool		pinned;
	bool		fixed;
	bool		hotplug;
	int		new_start;
	int		new_end;
	int		reach;
	int		used;
	int		packed;
	bool		packs;
	int		shift;
};

/**
 * struct pci_busn_plan - the bus numbers below a root bus
 * @bus: the root bus first, every bus after its parent
 * @count: of @bus
 * @foreign: numbers that buses of other host bridges have
 */
struct pci_busn_plan {
	struct pci_busn	*bus;
	unsigned int	count;
	bool		foreign[PCI_BUSN_COUNT];
};

int pci_plan_busn(struct pci_busn_plan *plan, unsigned int want);
const char *pci_check_busn(const struct pci_busn_plan *plan, unsigned int want);

#endif /* _PCI_PLAN_H */
