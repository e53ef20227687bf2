/* SPDX-License-Identifier: GPL-2.0 */
/* Bus numbers: random hierarchies, and an exhaustive search for comparison */
#ifndef BUSN_H
#define BUSN_H

#include "plan.h"

#define BUSN_NODES	64
#define BUSN_SEARCHED	8	/* what an exhaustive search can do */

/* A number generator of its own, so that a seed is the same everywhere */
unsigned int busn_random(unsigned long long *seed, unsigned int below);

void busn_make(struct pci_busn_plan *plan, unsigned long long *seed,
	       int last, unsigned int count, unsigned int *want);
int busn_moves(const struct pci_busn_plan *plan, unsigned int want);
int busn_best(const struct pci_busn_plan *plan, unsigned int want);
void busn_print(const struct pci_busn_plan *plan, unsigned int want);

#endif
