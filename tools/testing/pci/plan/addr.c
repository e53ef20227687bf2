// SPDX-License-Identifier: GPL-2.0
/* Addresses: random hierarchies, and an exhaustive search for comparison */
#include <stdio.h>
#include <string.h>

#include "addr.h"

#define KIB	1024ULL
#define MIB	(1024 * KIB)
#define GIB	(1024 * MIB)
#define TOP	(~0ULL >> 2)

static unsigned int add(struct pci_plan *plan, struct pci_plan_item item)
{
	plan->item[plan->count] = item;
	return plan->count++;
}

static struct pci_plan_place range(u64 start, u64 size)
{
	return (struct pci_plan_place){ start, start + size - 1, true };
}

/* Is there anything in a window where something else wants to be? */
static bool clash(const struct pci_plan *plan, unsigned int window,
		  struct pci_plan_place place)
{
	const struct pci_plan_item *item = plan->item;

	if (place.start < item[window].old.start ||
	    place.end > item[window].old.end)
		return true;
	for (unsigned int i = 1; i < plan->count; i++)
		if (item[i].parent == window &&
		    item[i].old.start <= place.end &&
		    place.start <= item[i].old.end)
			return true;
	return false;
}

/* One item somewhere, if there is room */
static void make_old(struct pci_plan *plan, unsigned long long *seed, u64 last)
{
	unsigned int parent = plan_random(seed, plan->count);
	struct pci_plan_item *in = &plan->item[parent];
	bool window = plan_random(seed, 2);
	u64 align = 1 << plan_random(seed, window ? 2 : 3);
	u64 size = window ? align * (1 + plan_random(seed, 4)) : align;
	u64 start;

	if (!in->window)
		return;
	start = in->old.start + plan_random(seed, last + 1);
	start -= start % align;
	if (clash(plan, parent, range(start, size)))
		return;

	add(plan, (struct pci_plan_item){
		.parent = parent,
		.alt = PCI_PLAN_NO_ALT,
		.window = window,
		.old = range(start, size),
		.size = window ? 0 : size,
		.align = align,
		.limit = plan->item[0].limit,
		.hold = !window && plan_random(seed, 3) ? PCI_HOLD_PINNED :
							  PCI_HOLD_FREE,
	});
}

/* One that has no place yet, maybe behind a bridge without a window */
static void make_want(struct pci_plan *plan, unsigned long long *seed, u64 last)
{
	struct pci_plan_item *item = plan->item;
	unsigned int parent;
	u64 size;

	do {
		parent = plan_random(seed, plan->count);
	} while (!item[parent].window);

	if (!plan_random(seed, 4))
		parent = add(plan, (struct pci_plan_item){
			.parent = parent,
			.alt = PCI_PLAN_NO_ALT,
			.window = true,
			.align = 1 << plan_random(seed, 2),
			.limit = item[0].limit,
		});
	size = 1 << plan_random(seed, 3);
	add(plan, (struct pci_plan_item){
		.parent = parent,
		.alt = PCI_PLAN_NO_ALT,
		.size = size,
		.align = size,
		.limit = item[0].limit,
	});
	/* Not below a window that is fit for higher addresses */
	if (!plan_random(seed, 4) && (!parent || (!item[parent].old.has &&
						  !item[parent].parent))) {
		item[plan->count - 1].limit = item[0].old.start + last / 2;
		if (parent)
			item[parent].limit = item[0].old.start + last / 2;
	}
}

static void make_root(struct pci_plan *plan, u64 first, u64 last)
{
	plan->count = 0;
	add(plan, (struct pci_plan_item){
		.window = true,
		.fixed = true,
		.alt = PCI_PLAN_NO_ALT,
		.old = range(first, last + 1),
		.align = 1,
		.limit = first + last,
	});
}

/* A device with a few BARs, maybe behind a bridge of its own */
static void make_device(struct pci_plan *plan, unsigned long long *seed,
			unsigned int device)
{
	unsigned int bars = 1 + plan_random(seed, 4), parent;
	u64 size;

	do {
		parent = plan_random(seed, plan->count);
	} while (!plan->item[parent].window);

	if (!plan_random(seed, 3))
		parent = add(plan, (struct pci_plan_item){
			.parent = parent,
			.alt = PCI_PLAN_NO_ALT,
			.window = true,
			.align = 1 << plan_random(seed, 2),
			.limit = plan->item[0].limit,
		});
	while (bars--) {
		size = 1 << plan_random(seed, 4);
		add(plan, (struct pci_plan_item){
			.parent = parent,
			.alt = PCI_PLAN_NO_ALT,
			.device = device,
			.optional = !plan_random(seed, 8),
			.size = size,
			.align = size,
			.limit = plan->item[0].limit,
		});
	}
}

/* Most often not everything fits */
void addr_make_tight(struct pci_plan *plan, unsigned long long *seed)
{
	u64 last = 7 + plan_random(seed, 25);
	unsigned int old = 1 + plan_random(seed, 4);
	unsigned int devices = 2 + plan_random(seed, 4), i;

	make_root(plan, 0, last);
	for (i = 0; i < 64 && plan->count < old; i++)
		make_old(plan, seed, last);
	for (i = 1; i <= devices; i++)
		make_device(plan, seed, i);
}

void addr_make_small(struct pci_plan *plan, unsigned long long *seed,
		     unsigned int wants)
{
	u64 first = plan_random(seed, 2) ? 0 : 16, last = 7 + plan_random(seed, 9);
	unsigned int most = 2 + plan_random(seed, 4);

	make_root(plan, first, last);
	for (unsigned int try = 0; try < 64 && plan->count < most; try++)
		make_old(plan, seed, last);
	wants = wants > 1 ? 1 + plan_random(seed, wants) : 1;
	while (wants-- && plan->count + 2 <= ADDR_SEARCHED)
		make_want(plan, seed, last);
}

/* With each BAR at its @new.start, do windows that are no larger do? */
static bool fits(const struct pci_plan *plan)
{
	const struct pci_plan_item *item = plan->item;
	struct pci_plan_place has[ADDR_SEARCHED] = {};
	unsigned int i, k, m;

	for (i = plan->count; i--; ) {
		if (!item[i].window)
			has[i] = range(item[i].new.start, item[i].size);
		for (k = i + 1; k < plan->count; k++) {
			if (item[k].parent != i || !has[k].has)
				continue;
			for (m = i + 1; m < k; m++)
				if (item[m].parent == i && has[m].has &&
				    has[m].start <= has[k].end &&
				    has[k].start <= has[m].end)
					return false;
			if (!has[i].has || has[k].start < has[i].start)
				has[i].start = has[k].start;
			if (!has[i].has || has[k].end > has[i].end)
				has[i].end = has[k].end;
			has[i].has = true;
		}
		if (!has[i].has || !i)
			continue;
		if (item[i].window) {
			has[i].start -= has[i].start % item[i].align;
			has[i].end = (has[i].end / item[i].align + 1) *
				     item[i].align - 1;
		}
		if (has[i].end > item[i].limit)
			return false;
	}
	return !has[0].has || (has[0].start >= item[0].old.start &&
			       has[0].end <= item[0].old.end);
}

static bool search(struct pci_plan *plan, unsigned int i)
{
	struct pci_plan_item *item = plan->item;
	u64 start;

	while (i < plan->count && item[i].window)
		i++;
	if (i == plan->count)
		return fits(plan);

	start = (item[0].old.start + item[i].align - 1) / item[i].align *
		item[i].align;
	for (; start + item[i].size - 1 <= item[0].old.end; start += item[i].align) {
		if (item[i].old.has && item[i].hold == PCI_HOLD_PINNED &&
		    start != item[i].old.start)
			continue;
		item[i].new.start = start;
		if (search(plan, i + 1))
			return true;
	}
	return false;
}

/* Is there a place for everything at all?  Overwrites @new */
bool addr_solvable(struct pci_plan *plan)
{
	return search(plan, 1);
}

/* A device with a few BARs */
static void add_device(struct addr_host *host, unsigned int on,
		       unsigned long long *seed)
{
	struct addr_bridge *bridge = &host->bridge[on];
	unsigned int bars = 1 + plan_random(seed, 3);
	unsigned int device = ++host->devices;
	bool pref;
	u64 size;

	while (bars-- && host->plan.count < ADDR_ITEMS) {
		size = 4 * KIB << plan_random(seed, 12);
		if (!plan_random(seed, 30))
			size <<= 8;
		pref = plan_random(seed, 2);
		add(&host->plan, (struct pci_plan_item){
			.parent = pref ? bridge->pref : bridge->mem,
			.alt = PCI_PLAN_NO_ALT,
			.device = device,
			.pref = pref,
			.optional = !plan_random(seed, 8),
			.size = size,
			.align = size,
			.limit = pref ? TOP : 4 * GIB - 1,
			.prefer = pref && !bridge->pref ? 4 * GIB : 0,
		});
	}
}

static void add_bridge(struct addr_host *host, unsigned int on,
		       unsigned long long *seed)
{
	struct addr_bridge *above = &host->bridge[on], bridge = {};
	bool hotplug = plan_random(seed, 2);
	unsigned int me, inside;

	if (above->depth == 8 || host->bridges == ADDR_BRIDGES ||
	    host->plan.count + 2 > ADDR_ITEMS)
		return;

	bridge.depth = above->depth + 1;
	bridge.mem = add(&host->plan, (struct pci_plan_item){
		.parent = above->mem,
		.alt = PCI_PLAN_NO_ALT,
		.window = true,
		.hotplug = hotplug,
		.align = MIB,
		.limit = 4 * GIB - 1,
		.reserve = hotplug ? 2 * MIB : 0,
	});
	bridge.pref = bridge.mem;
	if (plan_random(seed, 8))
		bridge.pref = add(&host->plan, (struct pci_plan_item){
			.parent = above->pref,
			.alt = bridge.mem,
			.window = true,
			.pref = true,
			.hotplug = hotplug,
			.align = MIB,
			.limit = above->pref && above->pref == above->mem ?
				 4 * GIB - 1 : TOP,
			.prefer = above->pref ? 0 : 4 * GIB,
			.reserve = hotplug ? 2 * MIB : 0,
		});
	me = host->bridges++;
	host->bridge[me] = bridge;

	for (inside = plan_random(seed, 4); inside--; )
		if (plan_random(seed, 3))
			add_device(host, me, seed);
		else
			add_bridge(host, me, seed);
}

/* What the host bridge has no use for; of no size where two windows touch */
static void add_hole(struct pci_plan *plan, u64 start, u64 size)
{
	add(plan, (struct pci_plan_item){
		.alt = PCI_PLAN_NO_ALT,
		.size = size,
		.align = 1,
		.limit = TOP,
		.hold = PCI_HOLD_PINNED,
		.reserved = true,
		.old = range(start, size),
	});
}

void addr_make_host(struct addr_host *host, unsigned long long *seed)
{
	u64 last = plan_random(seed, 2) ? 64 * GIB - 1 : 36 * GIB - 1;
	unsigned int inside = 1 + plan_random(seed, 6);

	host->plan = (struct pci_plan){ .item = host->item };
	host->bridges = 1;
	host->devices = 0;
	host->bridge[0] = (struct addr_bridge){};

	add(&host->plan, (struct pci_plan_item){
		.window = true,
		.fixed = true,
		.alt = PCI_PLAN_NO_ALT,
		.old = { 2 * GIB, last, true },
		.align = 1,
		.limit = TOP,
	});
	/* The hole below 4 GiB, and one more */
	add_hole(&host->plan, 3 * GIB, GIB);
	add_hole(&host->plan, (8 + plan_random(seed, 16)) * GIB, GIB);
	if (*seed % 2)
		add_hole(&host->plan, 5 * GIB / 2, 0);
	while (inside--)
		if (plan_random(seed, 2))
			add_device(host, 0, seed);
		else
			add_bridge(host, 0, seed);
}

/* Something is plugged in somewhere */
void addr_add(struct addr_host *host, unsigned long long *seed)
{
	unsigned int on, some = 1 + plan_random(seed, 3);

	while (some--) {
		on = plan_random(seed, host->bridges);
		if (plan_random(seed, 2))
			add_device(host, on, seed);
		else
			add_bridge(host, on, seed);
	}
}

#define GONE	(~0U)

/* What was planned is so now; some of it goes, more of it is in use */
void addr_commit(struct addr_host *host, unsigned long long *seed)
{
	static unsigned int map[ADDR_ITEMS];
	struct pci_plan_item item;
	unsigned int i, n = 1;

	map[0] = 0;
	for (i = 1; i < host->plan.count; i++) {
		item = host->item[i];
		map[i] = GONE;
		if (map[item.parent] == GONE || map[item.to] == GONE)
			continue;
		if (!item.window && !(item.hold == PCI_HOLD_PINNED && !item.to) &&
		    (!item.new.has || !plan_random(seed, 12)))
			continue;
		if (item.window && !plan_random(seed, 40))
			continue;

		if (item.alt != PCI_PLAN_NO_ALT)
			item.alt = map[item.alt];
		item.old = item.new;
		item.parent = map[item.to];
		if (!item.window && item.hold != PCI_HOLD_PINNED)
			item.hold = plan_random(seed, 4) ?
				    PCI_HOLD_PINNED :
				    1 + plan_random(seed, PCI_HOLD_PINNED - 1);
		host->item[n] = item;
		map[i] = n++;
	}
	host->plan.count = n;

	for (i = 1, n = 1; i < host->bridges; i++) {
		struct addr_bridge *bridge = &host->bridge[i];

		if (map[bridge->mem] == GONE || map[bridge->pref] == GONE)
			continue;
		host->bridge[n] = *bridge;
		host->bridge[n].mem = map[bridge->mem];
		host->bridge[n].pref = map[bridge->pref];
		n++;
	}
	host->bridges = n;
}

static void print_place(const struct pci_plan_place *place)
{
	if (place->has)
		printf(" %llx-%llx", (unsigned long long)place->start,
		       (unsigned long long)place->end);
	else
		printf(" none");
}

void addr_print(const struct pci_plan *plan, unsigned int most)
{
	for (unsigned int i = 0; i < plan->count && i < most; i++) {
		const struct pci_plan_item *item = &plan->item[i];

		printf("  %u in %u", i, item->parent);
		if (item->alt != PCI_PLAN_NO_ALT)
			printf(" or %u", item->alt);
		printf(": %s%s%s", item->fixed ? "fixed " : item->barrier ? "barrier " : "",
		       item->pref ? "pref " : "",
		       item->window ? "window" : item->optional ? "optional" : "BAR");
		printf(" size %llx align %llx limit %llx hold %d",
		       (unsigned long long)item->size,
		       (unsigned long long)item->align,
		       (unsigned long long)item->limit, item->hold);
		if (item->device)
			printf(" device %u", item->device);
		print_place(&item->old);
		printf(" ->");
		print_place(&item->new);
		printf("\n");
	}
}
