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

#include <linux/list.h>
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

#define PCI_PLAN_NO_ALT	(~0U)

/*
 * How firmly an item sits where it is.  What holds least is moved first; what is
 * pinned is not.
 */
enum pci_plan_hold {
	PCI_HOLD_FREE,		/* has no place yet, or nothing is inside */
	PCI_HOLD_CLAIMED,	/* not in the driver model; came with an address */
	PCI_HOLD_UNBOUND,	/* in the driver model, without a driver */
	PCI_HOLD_MOVABLE,	/* its driver takes part */
	PCI_HOLD_PINNED,
};

/**
 * struct pci_plan_place - a range of addresses, or none
 * @start: first address
 * @end: last address
 * @has: there is one
 */
struct pci_plan_place {
	u64	start;
	u64	end;
	bool	has;
};

/**
 * struct pci_plan_host - a window of a host bridge
 * @start: first address
 * @end: last address
 * @pref: prefetchable
 * @wide: for what can be above 4 GiB only, unless it will do for anything
 */
struct pci_plan_host {
	u64	start;
	u64	end;
	bool	pref;
	bool	wide;
};

/* What an item asks for, private to pci_plan_greedy() */
struct pci_plan_ask {
	struct list_head	bus;	/* what is on the bus behind a bridge */
	u64			size;
	u64			align;
	u64			add;	/* what it had better have in addition */
	u64			add_align;
	u64			plain_size;	/* without that */
	u64			plain_align;
	u64			least;	/* a window had this size before */
	bool			gone;	/* it asks for nothing any more */
	bool			failed;	/* there was no place for it */
	bool			in_pref;	/* its place is in a prefetchable window */
	u8			way;	/* what has been made way for behind it */
};

/**
 * struct pci_plan_greedy - how pci_plan_greedy() goes about it
 * @first: index of the first item that may ask for a place
 * @last: index of the last one
 * @bridge: index of the first window of the bridge to the bus that it is about,
 *	which is among these items; 0: a root bus
 * @tries: how often, at least once
 * @boot: only the last time what a hotplug bridge had better have is asked for in
 *	addition, as is what VFs need; and windows of bridges with no bridge behind
 *	them make way first
 * @keep_bars: of pci_plan_most(): BARs that have got a place stay there
 * @keep_windows: so do windows
 * @relax: but not if any BAR that is not optional has none
 */
struct pci_plan_greedy {
	unsigned int	first;
	unsigned int	last;
	unsigned int	bridge;
	unsigned int	tries;
	bool		boot;
	bool		keep_bars;
	bool		keep_windows;
	bool		relax;
};

/**
 * struct pci_plan_item - a range inside another one: a BAR or a bridge window
 * @parent: index of the window that it is in, less than its own
 * @alt: index of another window that will do if there is no room in this one,
 *	less than its own, or PCI_PLAN_NO_ALT; the other way round, if there is
 *	none in a window, the next item may be a prefetchable window with the
 *	former as @alt, and will do for what is prefetchable
 * @window: other items are inside
 * @second: the second window of a bridge; the item before is the first one, and
 *	its @alt
 * @hotplug: a window of a bridge that devices may be added to later
 * @optional: a BAR that the device can do without
 * @pref: prefetchable
 * @vf: a BAR of virtual functions, which asks once all else has a place
 * @barrier: in the way of what is not prefetchable only
 * @fixed: a window that stays as it is
 * @kept: it is @fixed only if all that is required has room then
 * @laid_out: a window of the bridge for the other kind of addresses has a place
 * @reserved: in the way, and no device's: nothing that somebody could remove
 * @device: number that the BARs of one device have in common, which are next to
 *	each other then; or 0
 * @hold: of a BAR; that of a window follows from what is inside
 * @to: output: index of the window that it is in, see @parent and @alt
 * @old: where it is
 * @size: of a BAR; what a window is to have if it gets no share of what is free,
 *	or 0
 * @least: size that a window without a place had before, or 0
 * @align: power of two; of the start of a BAR, or of both ends of a window
 * @avoid: bits that are not set in its start; less than @align of the window
 *	that it is in
 * @reserve: what a window should have even if less is needed inside
 * @limit: last address that will do
 * @prefer: addresses from here on are tried first
 * @new: output: where it is to be
 */
struct pci_plan_item {
	unsigned int		parent;
	unsigned int		alt;
	bool			window;
	bool			second;
	bool			hotplug;
	bool			optional;
	bool			pref;
	bool			vf;
	bool			barrier;
	bool			fixed;
	bool			kept;
	bool			laid_out;
	bool			reserved;
	unsigned int		device;
	enum pci_plan_hold	hold;
	unsigned int		to;
	struct pci_plan_place	old;
	u64			size;
	u64			least;
	u64			align;
	u64			avoid;
	u64			reserve;
	u64			limit;
	u64			prefer;
	struct pci_plan_place	new;

	/* private: */
	struct pci_plan_item	*in;	/* window that it is in */
	struct list_head	node;	/* in @inside of @in */
	struct list_head	inside;	/* by address; what has none last */
	struct list_head	order;	/* among what asks for a place */
	struct list_head	beside;	/* on a bus that is laid out anew */
	struct pci_plan_place	try;	/* where the attempt has it */
	struct pci_plan_place	best;	/* where the best round had it */
	struct pci_plan_place	reach;	/* part of a window that is needed */
	struct pci_plan_place	used;	/* the same if all inside is packed */
	u64			step;	/* what it can be moved by */
	u64			top;	/* @limit, of what is inside as well */
	u64			block;	/* what it takes to open a closed window */
	u64			inner;	/* what is inside, without gaps */
	union {
		u64		asks;	/* on a bus that is laid out anew */
		u64		before;	/* how far what is before it reaches */
	};
	union {
		struct pci_plan_ask	ask;	/* pci_plan_greedy() */
		struct {
			u64	packed;	/* where it is when packed */
			u64	shift;	/* of what is inside, in the attempt */
			u64	carry;	/* the same, when free room is shared */
			u64	failed_size;	/* something of this size */
			u64	failed_step;	/* had no place inside, */
			u64	failed_top;	/* up to here */
		};
	};
	struct pci_plan_place	first;	/* @old, if pci_plan_greedy() has set that */
	unsigned int		first_in; /* @parent, the same */
	unsigned int		failed_at; /* @moves then */
	unsigned int		weight;	/* what moving it costs */
	u8			prio;	/* on a bus that is laid out anew */
	u8			turn;	/* in a round */
	u8			waits;	/* for all else to have had its turn */
	bool			leaves;	/* it is in the way of the attempt */
	bool			placed;	/* in the attempt, or the packing */
	bool			packs;
	bool			laid;
	bool			opens;
	bool			in_block;
	bool			shares;	/* it gets more, when that is spread */
	bool			spare;	/* it is for what may come */
	bool			changed;
	bool			stale;	/* what is inside is not as measured */
	bool			split;
	bool			hopeless;
};

/**
 * struct pci_plan - one kind of addresses below a host bridge
 * @item: the host bridge's addresses first, every item after the window that it
 *	is in
 * @count: of @item
 * @all: a plan is of no use if anything is left without a place
 * @ports: the addresses are I/O ports
 * @isa: some I/O ports have aliases that ISA cards answer to
 * @host: the windows of the host bridge, in its order; for pci_plan_greedy()
 * @hosts: of @host
 * @missing: output: BARs without a place, optional ones too
 */
struct pci_plan {
	struct pci_plan_item	*item;
	unsigned int		count;
	bool			all;
	bool			ports;
	bool			isa;
	const struct pci_plan_host *host;
	unsigned int		hosts;
	unsigned int		missing;

	/* private: */
	bool			measured;
	bool			stale;	/* in some windows */
	bool			again;	/* one more round */
	bool			late;	/* it is time for what waits */
	bool			small;	/* what is small comes first */
	bool			lean;	/* windows need not have their reserve */
	unsigned int		steps;	/* what is left of PLAN_STEPS */
	unsigned int		bounds;	/* windows that can't change */
	unsigned int		moves;	/* how often others have moved */
	unsigned int		holds;	/* what there is to move */
};

unsigned int pci_plan(struct pci_plan *plan);
bool pci_plan_tight(const struct pci_plan *plan);
unsigned int pci_plan_greedy(struct pci_plan *plan,
			     const struct pci_plan_greedy *how);
void pci_plan_greedy_end(struct pci_plan *plan);
unsigned int pci_plan_most(struct pci_plan *plan,
			   const struct pci_plan_greedy *how);
const char *pci_plan_check(const struct pci_plan *plan);
unsigned int pci_plan_obstacle(const struct pci_plan *plan,
			       const struct pci_plan_item *want);

#endif /* _PCI_PLAN_H */
