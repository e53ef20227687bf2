// SPDX-License-Identifier: GPL-2.0
/* The planner of bus numbers: examples, properties, and the best there is */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "busn.h"

#define ROOT(last)	{ .end = last, .own = 1, .pinned = true }
#define PORT(on, first, last) \
	{ .parent = on, .start = first, .end = last, .own = 1, .hotplug = true }
#define LIVE(on, first, last) \
	{ .parent = on, .start = first, .end = last, .own = 1, .pinned = true }
#define WANTS(on)	{ .parent = on, .end = -1, .own = 1 }

/* What it looks like, and what comes of it: start and end of each bus */
struct example {
	const char	*name;
	struct pci_busn	bus[BUSN_SEARCHED];
	int		foreign;
	int		wanted[BUSN_SEARCHED][2];
};

static const struct example examples[] = { {
	.name = "an empty port with one number moves to where there are more",
	.bus = { ROOT(255), PORT(0, 1, 1), PORT(0, 2, 2), PORT(0, 3, 3), WANTS(1) },
	.wanted = { { 0, 255 }, { 4, 88 }, { 2, 2 }, { 3, 3 }, { 5, 88 } },
}, {
	.name = "a range ends later if the numbers after it are free",
	.bus = { ROOT(255), PORT(0, 2, 2), LIVE(0, 1, 1), WANTS(1) },
	.wanted = { { 0, 255 }, { 2, 255 }, { 1, 1 }, { 3, 255 } },
}, {
	.name = "empty ports make room for a bus in use",
	.bus = { ROOT(255), LIVE(0, 1, 1), PORT(0, 2, 2), PORT(0, 3, 3), WANTS(1) },
	.wanted = { { 0, 255 }, { 1, 2 }, { 11, 11 }, { 3, 3 }, { 2, 2 } },
}, {
	.name = "nothing above where there is room changes",
	.bus = { ROOT(255), LIVE(0, 1, 8), PORT(1, 2, 2), PORT(1, 3, 3), WANTS(2) },
	.wanted = { { 0, 255 }, { 1, 8 }, { 4, 6 }, { 3, 3 }, { 5, 6 } },
}, {
	.name = "numbers of another host bridge are left alone",
	.bus = { ROOT(255), PORT(0, 1, 1), WANTS(1) },
	.foreign = 2,
	.wanted = { { 0, 255 }, { 3, 255 }, { 4, 255 } },
}, {
	.name = "a reserve is given up if there is nothing else",
	.bus = { ROOT(8), LIVE(0, 1, 1), PORT(0, 2, 8), WANTS(1) },
	.wanted = { { 0, 8 }, { 1, 4 }, { 8, 8 }, { 2, 4 } },
}, {
	.name = "nothing is free",
	.bus = { ROOT(3), LIVE(0, 1, 1), LIVE(0, 2, 2), LIVE(0, 3, 3), WANTS(1) },
	.wanted = { { 0, 3 }, { 1, 1 }, { 2, 2 }, { 3, 3 }, { 0, -1 } },
}, {
	.name = "what cannot change is in the way",
	.bus = { ROOT(255), LIVE(0, 1, 1),
		 { .start = 2, .end = 3, .own = 1, .pinned = true, .fixed = true }, WANTS(1) },
	.wanted = { { 0, 255 }, { 1, 1 }, { 2, 3 }, { 0, -1 } },
} };

static bool busn_is_range(const int *range)
{
	return range[0] <= range[1];
}

static void test_examples(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < sizeof(examples) / sizeof(*examples); i++) {
		const struct example *e = &examples[i];
		struct pci_busn bus[BUSN_SEARCHED];
		struct pci_busn_plan plan = { .bus = bus };
		unsigned int want, bad = 0;
		int ret;

		memcpy(bus, e->bus, sizeof(bus));
		while (!plan.count || bus[plan.count - 1].end >= 0)
			plan.count++;
		want = plan.count - 1;
		if (e->foreign)
			plan.foreign[e->foreign] = true;

		ret = pci_plan_busn(&plan, want);
		if (!ret && pci_check_busn(&plan, want))
			bad = 1;
		for (unsigned int k = 0; k < plan.count; k++)
			bad += bus[k].new_start != e->wanted[k][0] ||
			       bus[k].new_end != e->wanted[k][1];
		if (bad || !ret != busn_is_range(e->wanted[want])) {
			printf("%s: %d\n", e->name, ret);
			busn_print(&plan, want);
			fail();
		}
	}
}

/* Each rule of the check is broken once */
static void test_check(void **state)
{
	static const struct { unsigned int bus; int start, end; } wrong[] = {
		{ 0, 0, 9 }, { 1, 3, 2 }, { 1, 1, 1 }, { 3, 3, 3 }, { 2, 9, 11 },
		{ 2, 5, 5 }, { 1, 1, 7 }, { 2, 7, 8 }, { 4, 12, 12 }, { 5, 2, 3 },
	};
	static const struct pci_busn good[] = {
		ROOT(10), LIVE(0, 1, 4), PORT(0, 5, 8), WANTS(1),
		{ .parent = 2, .start = 6, .end = 6, .own = 1, .fixed = true },
		{ .parent = 1, .start = 3, .end = 4, .own = 2 },
	};
	unsigned int count = sizeof(good) / sizeof(*good), i, k;
	struct pci_busn bus[BUSN_SEARCHED];
	struct pci_busn_plan plan = { .bus = bus, .count = count };

	(void)state;
	plan.foreign[9] = true;
	for (i = 0; i <= sizeof(wrong) / sizeof(*wrong); i++) {
		memcpy(bus, good, sizeof(good));
		for (k = 0; k < count; k++) {
			bus[k].new_start = bus[k].start;
			bus[k].new_end = bus[k].end;
		}
		bus[3].new_start = 2;
		bus[3].new_end = 2;
		if (!i) {
			assert_null(pci_check_busn(&plan, 3));
			continue;
		}
		bus[wrong[i - 1].bus].new_start = wrong[i - 1].start;
		bus[wrong[i - 1].bus].new_end = wrong[i - 1].end;
		if (!pci_check_busn(&plan, 3)) {
			busn_print(&plan, 3);
			fail();
		}
	}
}

/* As large as real ones: whatever comes of it can be put in place */
static void test_large(void **state)
{
	unsigned long long seed, at;
	static struct pci_busn bus[BUSN_NODES];
	struct pci_busn_plan plan = { .bus = bus };
	unsigned int want, solved = 0, plans = 20000;
	const char *wrong;

	(void)state;
	for (seed = 1; seed <= plans; seed++) {
		at = seed;
		busn_make(&plan, &at, 255, 3 + plan_random(&at, BUSN_NODES - 2), &want);
		if (pci_plan_busn(&plan, want))
			continue;
		solved++;
		wrong = pci_check_busn(&plan, want);
		if (wrong) {
			printf("seed %llu: %s\n", seed, wrong);
			busn_print(&plan, want);
			fail();
		}
	}
	printf("%u of %u plans\n", solved, plans);
	assert_true(solved > plans / 2);
}

/* Small ones, where all that can be done can be tried */
static void test_best(void **state)
{
	unsigned long long seed, at;
	struct pci_busn bus[BUSN_SEARCHED];
	struct pci_busn_plan plan = { .bus = bus };
	unsigned int want, solvable = 0, solved = 0, fewest = 0, plans = 100000;
	const char *wrong;
	int best, ret;

	(void)state;
	for (seed = 1; seed <= plans; seed++) {
		at = seed;
		busn_make(&plan, &at, 3 + plan_random(&at, 7),
			  3 + plan_random(&at, 4), &want);
		best = busn_best(&plan, want);
		ret = pci_plan_busn(&plan, want);
		if (!ret) {
			wrong = pci_check_busn(&plan, want);
			if (wrong || best == INT_MAX) {
				printf("seed %llu: %s\n", seed,
				       wrong ? wrong : "the search found nothing");
				busn_print(&plan, want);
				fail();
			}
		}
		if (best == INT_MAX)
			continue;
		solvable++;
		solved += !ret;
		fewest += !ret && busn_moves(&plan, want) == best;
		if (getenv("VERBOSE") && (ret || busn_moves(&plan, want) > best)) {
			printf("seed %llu: %d moves would do\n", seed, best);
			busn_print(&plan, want);
		}
	}
	printf("%u of %u with a solution are solved, %u with the fewest moves\n",
	       solved, solvable, fewest);
	assert_true(solved * 1000ULL >= solvable * 999ULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_examples),
		cmocka_unit_test(test_check),
		cmocka_unit_test(test_large),
		cmocka_unit_test(test_best),
	};
	int failed = cmocka_run_group_tests_name("bus numbers", tests, NULL, NULL);

	printf("%d passed, %d failed\n", (int)(sizeof(tests) / sizeof(*tests)) - failed, failed);
	return !!failed;
}
