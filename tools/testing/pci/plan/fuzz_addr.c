// SPDX-License-Identifier: GPL-2.0
/*
 * Whatever hierarchy the bytes describe: the planner ends, and what it plans
 * passes the check.
 *
 * With clang, "make fuzz" lets libFuzzer choose the bytes.  Without it, main()
 * takes them from a number generator, or from files that libFuzzer has written.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "addr.h"

#define FUZZ_ITEMS	64

struct bytes {
	const uint8_t	*at;
	size_t		left;
};

static unsigned int take(struct bytes *b, unsigned int below)
{
	unsigned int value = 0, i;

	for (i = 0; i < 2 && b->left; i++, b->left--)
		value = value << 8 | *b->at++;
	return value % below;
}

/* Sizes and addresses that are near powers of two, where mistakes are */
static u64 take_number(struct bytes *b)
{
	u64 number = 1ULL << take(b, 62);

	switch (take(b, 4)) {
	case 0:
		return number;
	case 1:
		return number - 1;
	case 2:
		return number + (1ULL << take(b, 62));
	default:
		return number / 65536 * take(b, 65536);
	}
}

static bool overlaps(const struct pci_plan *plan, unsigned int parent,
		     const struct pci_plan_item *item)
{
	for (unsigned int i = 1; i < plan->count; i++) {
		const struct pci_plan_item *other = &plan->item[i];

		if (other->parent == parent && other->old.has &&
		    !(other->barrier && item->pref) &&
		    !(item->barrier && other->pref) &&
		    other->old.start <= item->old.end &&
		    item->old.start <= other->old.end)
			return true;
	}
	return false;
}

/* A place that resource tree and registers allow, or none */
static void take_place(struct pci_plan *plan, struct pci_plan_item *item,
		       struct bytes *b)
{
	const struct pci_plan_item *in = &plan->item[item->parent];
	u64 size = item->window ? item->align * (1 + take(b, 64)) : item->size;
	u64 start = take_number(b);

	if (!in->old.has || !take(b, 3))
		return;
	start = in->old.start + start % (in->old.end - in->old.start + 1);
	start &= ~(item->align - 1);
	item->old = (struct pci_plan_place){ start, start + size - 1, true };
	if (start < in->old.start || start + size - 1 < start ||
	    start + size - 1 > in->old.end || start + size - 1 > item->limit ||
	    overlaps(plan, item->parent, item))
		item->old = (struct pci_plan_place){};
}

static void take_item(struct pci_plan *plan, struct bytes *b)
{
	struct pci_plan_item item = { .alt = PCI_PLAN_NO_ALT };
	unsigned int flags = take(b, 65536), alt;

	item.parent = take(b, plan->count);
	if (!plan->item[item.parent].window)
		return;
	item.window = flags & 1;
	item.hotplug = flags & 2;
	item.optional = flags & 4 && !item.window;
	item.vf = item.optional && flags & 16;
	item.pref = flags & 8;
	item.barrier = flags & 16 && !item.parent && !item.window && !item.pref;
	item.align = 1ULL << take(b, 40);
	item.size = item.window ? 0 : 1 + take_number(b) % (1ULL << 60);
	item.reserve = item.window && flags & 32 ? take_number(b) % (1ULL << 60) : 0;
	item.least = item.window && flags & 4 ? take_number(b) % (1ULL << 40) : 0;
	item.limit = flags & 64 ? take_number(b) : (1ULL << 62) - 1;
	item.prefer = flags & 128 ? take_number(b) : 0;
	if (!item.window && flags & 256 &&
	    (!item.parent || (plan->item[item.parent].align > 0x300 &&
			      plan->item[item.parent].alt == PCI_PLAN_NO_ALT)))
		item.avoid = 0x300;
	alt = take(b, plan->count);
	if (item.window && flags & 512 && plan->item[alt].window &&
	    plan->item[alt].parent == item.parent && alt != item.parent && alt)
		item.alt = alt;
	item.second = item.alt == plan->count - 1 &&
		      !plan->item[item.alt].second;
	/* That of a transparent bridge */
	if (item.window && !item.pref && flags & 8192 &&
	    item.alt == PCI_PLAN_NO_ALT)
		item.alt = item.parent;
	take_place(plan, &item, b);
	item.barrier = item.barrier && item.old.has;
	if (item.old.has && !item.window)
		item.hold = item.barrier ? PCI_HOLD_PINNED :
					   take(b, PCI_HOLD_PINNED + 1);
	item.fixed = item.window && flags & 1024;
	/* That of the item before, one of its own, or nobody's */
	if (!item.window && flags & 2048)
		item.device = flags & 4096 ? plan->count :
					     plan->item[plan->count - 1].device;
	plan->item[plan->count++] = item;
}

static void complain(const struct pci_plan *plan, const char *wrong)
{
	printf("%s\n", wrong);
	addr_print(plan, plan->count);
	fflush(stdout);
	abort();
}

static unsigned int lacking(const struct pci_plan *plan)
{
	const struct pci_plan_item *item = plan->item;
	unsigned int left = 0, i;

	for (i = 1; i < plan->count; i++)
		left += !item[i].window && !item[i].optional && item[i].size &&
			!item[i].new.has;
	return left;
}

/* What comes of giving places away, as a plan */
static void check_greedy(struct pci_plan *plan, struct pci_plan_place *place)
{
	struct pci_plan_item *item = plan->item;
	const char *wrong;
	unsigned int i;

	for (i = 0; i < plan->count; i++) {
		item[i].new = item[i].old;
		item[i].to = item[i].parent;
		place[i] = item[i].old;
	}
	pci_plan_greedy_end(plan);
	wrong = pci_plan_check(plan);
	if (wrong)
		complain(plan, wrong);
}

/* With less than there is room for: what has a place first keeps it */
static void plan_most(struct pci_plan *plan, unsigned int flags)
{
	struct pci_plan_item *item = plan->item;
	struct pci_plan_host host = {
		.start = item[0].old.start,
		.end = item[0].old.end,
	};
	struct pci_plan_greedy how = {
		.first = 1,
		.last = plan->count - 1,
		.tries = 1 + (flags & 3),
		.boot = flags & 4,
		.keep_bars = flags & 32,
		.keep_windows = flags & 64,
		.relax = flags & 128,
	};
	struct pci_plan_place place[FUZZ_ITEMS];
	unsigned int left, i;
	const char *wrong;

	/* There would have to be windows of the host bridge to match */
	for (i = 1; i < plan->count; i++)
		if (item[i].barrier)
			return;
	plan->ports = flags & 8;
	plan->isa = flags & 16;
	plan->host = &host;
	plan->hosts = 1;

	pci_plan_greedy(plan, &how);
	check_greedy(plan, place);
	left = pci_plan_most(plan, &how);
	wrong = pci_plan_check(plan);
	if (!wrong && left != lacking(plan))
		wrong = "not the number of BARs without a place";
	for (i = 1; i < plan->count && !wrong; i++)
		if (!item[i].window && place[i].has &&
		    (!item[i].new.has ||
		     (how.keep_bars && !item[i].old.has &&
		      item[i].new.start != place[i].start)))
			wrong = "what has got a place does not keep it";
	if (wrong)
		complain(plan, wrong);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pci_plan_item items[FUZZ_ITEMS] = {};
	struct pci_plan plan = { .item = items, .count = 1 };
	struct bytes b = { data, size };
	unsigned int flags = take(&b, 65536), ret;
	const char *wrong;

	items[0] = (struct pci_plan_item){
		.window = true,
		.fixed = true,
		.alt = PCI_PLAN_NO_ALT,
		.align = 1,
		.limit = (1ULL << 62) - 1,
	};
	items[0].old.start = take_number(&b) % (1ULL << 61);
	items[0].old.end = items[0].old.start + take_number(&b) % (1ULL << 61);
	items[0].old.has = true;
	while (b.left && plan.count < FUZZ_ITEMS)
		take_item(&plan, &b);

	ret = pci_plan(&plan);
	wrong = pci_plan_check(&plan);
	if (!wrong && ret != lacking(&plan))
		wrong = "not the number of BARs without a place";
	if (wrong)
		complain(&plan, wrong);
	plan_most(&plan, flags);

	return 0;
}

#ifndef FUZZ_LIBFUZZER
static int run_file(const char *name)
{
	static uint8_t data[65536];
	FILE *file = fopen(name, "r");
	size_t size;

	if (!file) {
		perror(name);
		return 1;
	}
	size = fread(data, 1, sizeof(data), file);
	fclose(file);
	return LLVMFuzzerTestOneInput(data, size);
}

int main(int argc, char **argv)
{
	unsigned long long seed, at, runs = 100000;
	uint8_t data[1024];
	unsigned int i, size;

	if (argc > 1 && strspn(argv[1], "0123456789") == strlen(argv[1]))
		runs = strtoull(argv[1], NULL, 10);
	else
		for (i = 1; i < argc; i++)
			if (run_file(argv[i]))
				return 1;

	for (seed = 1; seed <= runs; seed++) {
		at = seed;
		size = plan_random(&at, sizeof(data));
		for (i = 0; i < size; i++)
			data[i] = plan_random(&at, 256);
		if (getenv("VERBOSE"))
			printf("seed %llu\n", seed);
		LLVMFuzzerTestOneInput(data, size);
	}
	printf("%llu hierarchies\n", runs);
	return 0;
}
#endif
