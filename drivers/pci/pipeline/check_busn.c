// SPDX-License-Identifier: GPL-2.0
/*
 * PCI enumeration pipeline: what a plan of bus numbers has to comply with
 *
 * Knows nothing of how it was made.
 */
#include <linux/types.h>

#include "plan.h"

static const char *busn_check_one(const struct pci_busn *bus,
				  const struct pci_busn *parent, bool wants)
{
	if (bus->own < 1)
		return "a bus has no number of its own";
	if (bus->new_start > bus->new_end)
		return "a range is empty";
	if (bus->new_end - bus->new_start + 1 < bus->own)
		return "a bus has fewer numbers than it needs itself";
	if (bus->new_start < parent->new_start + parent->own)
		return "a range begins before the numbers below its parent do";
	if (bus->new_end > parent->new_end)
		return "a range ends after that of its parent";
	if (!wants && (bus->pinned || bus->fixed) &&
	    bus->new_start != bus->start)
		return "the number of a bus in use changes";
	if (bus->fixed && bus->new_end != bus->end)
		return "a fixed range changes";

	return NULL;
}

/**
 * pci_check_busn - is a plan of bus numbers one that can be put in place
 * @plan: the buses, with @new_start and @new_end
 * @want: index of the bus that had no number
 *
 * Context: any.
 * Return: NULL if it is, or what is wrong first.
 */
const char *pci_check_busn(const struct pci_busn_plan *plan, unsigned int want)
{
	const struct pci_busn *bus = plan->bus, *other;
	const char *wrong;
	unsigned int i, k;
	int n;

	if (bus->new_start != bus->start || bus->new_end != bus->end)
		return "the root bus changes";

	for (i = 1; i < plan->count; i++) {
		wrong = busn_check_one(&bus[i], &bus[bus[i].parent], i == want);
		if (wrong)
			return wrong;

		for (k = 1; k < i; k++) {
			other = &bus[k];
			if (other->parent == bus[i].parent &&
			    other->new_start <= bus[i].new_end &&
			    bus[i].new_start <= other->new_end)
				return "two ranges overlap";
		}

		for (n = bus[i].new_start; n <= bus[i].new_end; n++)
			if (plan->foreign[n])
				return "a range has a number of another host bridge";
	}

	return NULL;
}
