/* SPDX-License-Identifier: GPL-2.0 */
/* A plan of addresses for what a log has shown */
#ifndef REPLAY_BUILD_H
#define REPLAY_BUILD_H

#include "plan.h"
#include "topo.h"

enum build_mode {
	BUILD_BOOT,	/* nothing has an address but what can't have another */
	BUILD_FOUND,	/* all is where the log leaves it, and is in use */
	BUILD_DUMP,	/* as the kernel had it */
};

/**
 * struct build_of - what an item of a plan stands for
 * @dev: function, or NULL
 * @index: which of its resources
 * @name: of it
 * @why: it is pinned, or empty
 * @waits: it has no place unless something in use moves
 */
struct build_of {
	const struct topo_dev	*dev;
	int			index;
	char			name[48];
	char			why[64];
	bool			waits;
};

/**
 * struct build - a plan, and what it is for
 * @topo: machine; NULL for what was dumped
 * @host: host bridge; NULL for what was dumped
 * @domain: of the root bus
 * @bus: root bus
 * @type: of the addresses
 * @mode: how it was made
 * @moves: something in use moves
 * @wrong: what the check says of the plan, or NULL
 * @below: the only port that something is added behind, or NULL
 * @greedy: how the kernel begins if not everything has room; no @tries: as if it
 *	had
 * @windows: those of the host bridge, for the planner
 * @plan: items for the planner
 * @of: what each is
 * @max: room in both
 * @dumped: what the kernel had made of each item, for a dump
 * @settled: that is where everything is, and there is something to add
 */
struct build {
	const struct topo	*topo;
	const struct topo_host	*host;
	unsigned int		domain;
	unsigned int		bus;
	enum topo_type		type;
	enum build_mode		mode;
	bool			moves;
	const char		*wrong;
	const struct topo_dev	*below;
	struct pci_plan_greedy	greedy;
	struct pci_plan_host	*windows;
	struct pci_plan		plan;
	struct build_of		*of;
	unsigned int		max;
	struct pci_plan_place	*dumped;
	bool			settled;
};

int build_add_host(struct build *build, u64 start, u64 end, bool pref, bool wide);
int build_guess_hosts(struct build *build);
void build_settle(struct build *build);
int build_hotadd(struct build *build, const char *port, const struct topo_res *bar,
		 bool bridge);
int build_alloc(struct build *build, unsigned int max);
int build_grow(struct build *build);
int build_make(struct build *build, const struct topo *topo, unsigned int host,
	       enum topo_type type, enum build_mode mode);
void build_free(struct build *build);

/* In options.c */
int hotadd_dump(struct build *plans, unsigned int count, const char *text,
		struct fail *fail);

#endif /* REPLAY_BUILD_H */
