// SPDX-License-Identifier: GPL-2.0
/* Bus numbers: random hierarchies, and an exhaustive search for comparison */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "busn.h"

/* Is there a place for one more bus on @parent now?  Its longest extent */
static int gap(const struct pci_busn_plan *plan, unsigned int count,
	       unsigned int parent, int start)
{
	const struct pci_busn *bus = plan->bus;
	int end = start;

	for (; end <= bus[parent].end && !plan->foreign[end]; end++)
		for (unsigned int i = 1; i < count; i++)
			if (bus[i].parent == parent && bus[i].start <= end &&
			    end <= bus[i].end)
				return end - start;
	return end - start;
}

/*
 * A hierarchy as it may be found: ranges nested and disjoint, what is above
 * something in use is in use.  One bus more than fits wants a number.
 */
void busn_make(struct pci_busn_plan *plan, unsigned long long *seed,
	       int last, unsigned int count, unsigned int *want)
{
	struct pci_busn *bus = plan->bus;
	unsigned int n = 1, try, parent, i;
	int start, len;

	memset(plan->foreign, 0, sizeof(plan->foreign));
	memset(bus, 0, count * sizeof(*bus));
	bus[0] = (struct pci_busn){ .end = last, .own = 1, .pinned = true };
	if (!plan_random(seed, 8))
		plan->foreign[1 + plan_random(seed, last)] = true;

	for (try = 0; try < 64 && n < count - 1; try++) {
		parent = plan_random(seed, n);
		start = bus[parent].start + bus[parent].own +
			plan_random(seed, last + 1);
		if (start > bus[parent].end)
			continue;
		len = gap(plan, n, parent, start);
		if (!len)
			continue;
		len = 1 + plan_random(seed, len);
		bus[n] = (struct pci_busn){
			.parent = parent,
			.start = start,
			.end = start + len - 1,
			.own = 1 + (len > 1 && !plan_random(seed, 6)),
			.hotplug = plan_random(seed, 2),
		};
		n++;
	}
	for (i = n - 1; i; i--) {
		if (!plan_random(seed, 3))
			bus[i].pinned = true;
		if (!plan_random(seed, 16))
			bus[i].fixed = true;
		if (bus[i].pinned || bus[i].fixed)
			bus[bus[i].parent].pinned = true;
	}
	do {
		parent = plan_random(seed, n);
	} while (bus[parent].fixed);
	bus[n] = (struct pci_busn){ .parent = parent, .end = -1, .own = 1 };
	*want = n;
	plan->count = n + 1;
}

/* Bridges whose bus has another number than before */
int busn_moves(const struct pci_busn_plan *plan, unsigned int want)
{
	int moves = 0;

	for (unsigned int i = 0; i < plan->count; i++)
		moves += i != want && plan->bus[i].new_start != plan->bus[i].start;
	return moves;
}

static void search(struct pci_busn_plan *plan, unsigned int want,
		   unsigned int i, int moves, int *best)
{
	struct pci_busn *bus = &plan->bus[i], *parent, *other;
	int first, last;
	unsigned int k;

	if (moves >= *best)
		return;
	if (i == plan->count) {
		*best = moves;
		return;
	}

	parent = &plan->bus[bus->parent];
	first = parent->new_start + parent->own;
	last = parent->new_end;
	for (int start = first; start <= last; start++) {
		if (i != want && (bus->pinned || bus->fixed) && start != bus->start)
			continue;
		for (int end = start + bus->own - 1; end <= last; end++) {
			if (plan->foreign[end])
				break;
			if (bus->fixed && i != want && end != bus->end)
				continue;
			for (k = 1; k < i; k++) {
				other = &plan->bus[k];
				if (other->parent == bus->parent &&
				    other->new_start <= end &&
				    start <= other->new_end)
					break;
			}
			if (k < i)
				break;
			if (bus->own == 2 && plan->foreign[start])
				break;
			bus->new_start = start;
			bus->new_end = end;
			search(plan, want, i + 1,
			       moves + (i != want && start != bus->start), best);
		}
	}
}

/* The fewest moves that any plan needs; INT_MAX if there is no plan */
int busn_best(const struct pci_busn_plan *plan, unsigned int want)
{
	struct pci_busn bus[BUSN_SEARCHED];
	struct pci_busn_plan copy = *plan;
	int best = INT_MAX;

	memcpy(bus, plan->bus, plan->count * sizeof(*bus));
	copy.bus = bus;
	bus[0].new_start = bus[0].start;
	bus[0].new_end = bus[0].end;
	search(&copy, want, 1, 0, &best);
	return best;
}

void busn_print(const struct pci_busn_plan *plan, unsigned int want)
{
	for (unsigned int i = 0; i < plan->count; i++) {
		const struct pci_busn *bus = &plan->bus[i];

		printf("%2u on %2u own %d %c%c%c %3d-%3d -> %3d-%3d%s\n", i,
		       bus->parent, bus->own, bus->pinned ? 'p' : '-',
		       bus->fixed ? 'f' : '-', bus->hotplug ? 'h' : '-',
		       bus->start, bus->end, bus->new_start, bus->new_end,
		       i == want ? " wants" : "");
	}
	for (int i = 0; i < PCI_BUSN_COUNT; i++)
		if (plan->foreign[i])
			printf("foreign %d\n", i);
}
