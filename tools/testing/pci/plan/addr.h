/* SPDX-License-Identifier: GPL-2.0 */
/* Addresses: random hierarchies, and an exhaustive search for comparison */
#ifndef ADDR_H
#define ADDR_H

#include "plan.h"
#include "random.h"

#define ADDR_ITEMS	8000
#define ADDR_BRIDGES	600
#define ADDR_SEARCHED	12	/* what an exhaustive search can do */
#define ADDR_TIGHT	32

/**
 * struct addr_bridge - a bridge of a random hierarchy
 * @mem: index of its window for memory
 * @pref: and of that for prefetchable memory; @mem if it has none
 * @depth: bridges above it
 */
struct addr_bridge {
	unsigned int	mem;
	unsigned int	pref;
	unsigned int	depth;
};

/**
 * struct addr_host - a random hierarchy as large as real ones
 * @plan: the items
 * @item: room for them
 * @bridge: the host bridge first
 * @bridges: of @bridge
 * @devices: numbers that devices have had
 */
struct addr_host {
	struct pci_plan		plan;
	struct pci_plan_item	item[ADDR_ITEMS];
	struct addr_bridge	bridge[ADDR_BRIDGES];
	unsigned int		bridges;
	unsigned int		devices;
};

/* What is asked for at once in a small hierarchy */
#define ADDR_ONE	1
#define ADDR_SOME	3

void addr_make_small(struct pci_plan *plan, unsigned long long *seed,
		     unsigned int wants);
void addr_make_tight(struct pci_plan *plan, unsigned long long *seed);
bool addr_solvable(struct pci_plan *plan);

void addr_make_host(struct addr_host *host, unsigned long long *seed);
void addr_add(struct addr_host *host, unsigned long long *seed);
void addr_commit(struct addr_host *host, unsigned long long *seed);

void addr_print(const struct pci_plan *plan, unsigned int most);

#endif
