/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Between what is built as kernel code, once for each tree, and the program
 * around it, which is not
 */
#ifndef ASSIGN_H
#define ASSIGN_H

#include <linux/types.h>

#define A_BARS		7	/* of a function; the last is the ROM */
#define A_ROM		(A_BARS - 1)
#define A_WINDOWS	3	/* of a bridge: I/O, memory, prefetchable */
#define A_RES		(A_BARS + A_WINDOWS)
#define A_NOWHERE	(-1)

enum a_kind { A_NONE, A_IO, A_MEM, A_MEM64, A_PREF, A_PREF64 };

/* What a BAR asks for */
struct a_bar {
	enum a_kind	kind;
	__u64		size;
};

/**
 * struct a_fn - a function; a bridge may have others behind it
 * @parent: index of the bridge, less than its own, or A_NOWHERE: on the root bus
 * @bridge: it is one
 * @hotplug: a bridge that devices may be added to later
 * @io: a bridge that has an I/O window
 * @pref: bits of the addresses of a bridge's prefetchable window: 0, 32 or 64
 * @gone: removed
 * @bar: its BARs, and the ROM
 */
struct a_fn {
	int		parent;
	int		bridge;
	int		hotplug;
	int		io;
	int		pref;
	int		gone;
	struct a_bar	bar[A_BARS];
};

/* A range of addresses; none if it ends where it starts */
struct a_range {
	__u64	start;
	__u64	end;
};

/* The windows of a host bridge */
struct a_host {
	struct a_range	io;
	struct a_range	low;
	struct a_range	more;	/* right after that, or none */
	struct a_range	high;	/* prefetchable, 64 bits */
};

/**
 * struct a_place - all that an allocator keeps about a BAR or a window
 * @start: struct resource
 * @end: struct resource
 * @flags: struct resource
 * @in: which of the windows to the bus it is in, A_NOWHERE if it has no place
 */
struct a_place {
	__u64		start;
	__u64		end;
	unsigned long	flags;
	int		in;
};

struct a_machine;

/**
 * struct a_side - the allocator of one tree
 * @name: what it is called
 * @make: a machine with a host bridge and room for @max functions
 * @add: a new function, with the index @i, that has no addresses
 * @put: its resources are to be like this; if @claim, only those with a place.
 *	Returns whether that is possible, bridges have to come first
 * @get: what its resources are like
 * @live: it is in the driver model
 * @remove: it is removed; what is behind it goes first
 * @boot: assign all that is below the root buses of some machines
 * @hot_add: assign what is new behind the bridge @i
 * @free: no trace of the machine is left
 */
struct a_side {
	const char *name;
	struct a_machine *(*make)(const struct a_host *host, unsigned int max);
	void (*add)(struct a_machine *m, unsigned int i, const struct a_fn *fn);
	int (*put)(struct a_machine *m, unsigned int i,
		   const struct a_place *place, int claim);
	void (*get)(struct a_machine *m, unsigned int i, struct a_place *place);
	void (*live)(struct a_machine *m, unsigned int i);
	void (*remove)(struct a_machine *m, unsigned int i);
	void (*boot)(struct a_machine **m, unsigned int count);
	void (*hot_add)(struct a_machine *m, unsigned int i);
	void (*free)(struct a_machine *m);
};

extern const struct a_side a_side_base;
extern const struct a_side a_side_series;

#endif /* ASSIGN_H */
