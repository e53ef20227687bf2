/* SPDX-License-Identifier: GPL-2.0 */
/* Bus numbers: random hierarchies, and an exhaustive search for comparison */
#ifndef BUSN_H
#define BUSN_H

#include "plan.h"
#include "random.h"

#define BUSN_NODES	64
#define BUSN_SEARCHED	8	/* what an exhaustive search can do */

void busn_make(struct pci_busn_plan *plan, unsigned long long *seed,
	       int last, unsigned int count, unsigned int *want);
int busn_moves(const struct pci_busn_plan *plan, unsigned int want);
int busn_best(const struct pci_busn_plan *plan, unsigned int want);
void busn_print(const struct pci_busn_plan *plan, unsigned int want);

#endif
