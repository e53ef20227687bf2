// SPDX-License-Identifier: GPL-2.0
/*
 * PCI enumeration pipeline tests: addresses are planned and put in place
 *
 * What is in use is reachable at its address after every single write, windows
 * that do not change are not written, and what the resource tree refuses leaves
 * everything as it was.
 */
#include <kunit/test.h>
#include <linux/math64.h>
#include <linux/pci.h>
#include <linux/prandom.h>

#include "../../pci.h"
#include "../layout.h"
#include "../pipeline.h"
#include "emul.h"

#define LAYOUT_SLOTS	3
#define LAYOUT_PORTS	4
#define LAYOUT_EVENTS	24

static const struct emul_bar layout_small[] = {
	{ SZ_16K, EMUL_BAR_MEM },
};

static const struct emul_bar layout_large[] = {
	{ SZ_4K, EMUL_BAR_MEM },
	{ 0 },
	{ SZ_64M, EMUL_BAR_MEM },
};

/* The windows of a bridge, as its registers have them */
#define LAYOUT_FIRST	PCI_IO_BASE
#define LAYOUT_LAST	PCI_IO_LIMIT_UPPER16
#define LAYOUT_DWORDS	((LAYOUT_LAST + 2 - LAYOUT_FIRST) / 4)

struct layout_was {
	struct emul_fn *fn;
	u32 regs[LAYOUT_DWORDS];
	unsigned int writes;
	struct resource bar[PCI_STD_NUM_BARS];
};

#define LAYOUT_MAX	64

struct layout_state {
	struct layout_was was[LAYOUT_MAX];
	unsigned int count;
};

/* The first dword has status bits, too, which a scan clears */
static unsigned int layout_writes(const struct emul_fn *fn)
{
	return emul_count_range(fn, PCI_MEMORY_BASE, LAYOUT_LAST).writes;
}

static bool layout_live(struct emul_fn *fn)
{
	struct pci_dev *dev = emul_get_dev(fn);
	bool live = dev && dev->stage >= PCI_STAGE_ADD;

	pci_dev_put(dev);
	return live;
}

static void layout_bars(struct emul_fn *fn, struct resource *bar)
{
	struct pci_dev *dev = emul_get_dev(fn);
	int i;

	for (i = 0; i < PCI_STD_NUM_BARS; i++)
		bar[i] = dev->resource[i];
	pci_dev_put(dev);
}

/* Everything in use: where it is, what its registers say */
static struct layout_state *layout_remember(struct kunit *test,
					    struct emul_host *host)
{
	struct layout_state *state;
	struct layout_was *was;
	struct emul_fn *fn;
	unsigned int i;

	state = kunit_kzalloc(test, sizeof(*state), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, state);
	list_for_each_entry(fn, &host->fns, node) {
		if (!emul_present(fn) || !layout_live(fn))
			continue;
		KUNIT_ASSERT_LT(test, state->count, LAYOUT_MAX);
		was = &state->was[state->count++];
		was->fn = fn;
		for (i = 0; i < LAYOUT_DWORDS; i++)
			was->regs[i] = emul_peek(fn, LAYOUT_FIRST + 4 * i, 4);
		was->writes = layout_writes(fn);
		layout_bars(fn, was->bar);
	}

	return state;
}

/* It stays where it was, and bridges that are the same were not written */
static void layout_compare(struct kunit *test, struct emul_host *host,
			   const struct layout_state *state)
{
	struct resource bar[PCI_STD_NUM_BARS];
	const struct layout_was *was;
	unsigned int i, writes;
	bool same;

	KUNIT_EXPECT_EQ(test, host->stray, 0);
	emul_check_sane(host);

	for (was = state->was; was < state->was + state->count; was++) {
		if (!emul_present(was->fn) || !layout_live(was->fn))
			continue;
		layout_bars(was->fn, bar);
		for (i = 0; i < PCI_STD_NUM_BARS; i++) {
			KUNIT_EXPECT_EQ(test, bar[i].start, was->bar[i].start);
			KUNIT_EXPECT_EQ(test, bar[i].flags, was->bar[i].flags);
		}
		if (!was->fn->below)
			continue;
		same = true;
		for (i = 0; i < LAYOUT_DWORDS; i++)
			same = same && was->regs[i] ==
			       emul_peek(was->fn, LAYOUT_FIRST + 4 * i, 4);
		writes = layout_writes(was->fn);
		if (same)
			KUNIT_EXPECT_EQ(test, writes, was->writes);
	}
}

/* As a driver does: from now on the device decodes */
static void layout_use(struct kunit *test, struct emul_fn *fn)
{
	struct pci_dev *dev = emul_get_dev(fn);

	KUNIT_ASSERT_NOT_NULL(test, dev);
	KUNIT_EXPECT_EQ(test, pci_enable_device(dev), 0);
	pci_dev_put(dev);
}

static void layout_leave(struct emul_fn *fn)
{
	struct pci_dev *dev = emul_get_dev(fn);

	if (dev && pci_is_enabled(dev))
		pci_disable_device(dev);
	pci_dev_put(dev);
}

static bool layout_placed(struct emul_fn *fn)
{
	struct pci_dev *dev = emul_get_dev(fn);
	bool placed = dev;
	int i;

	for (i = 0; dev && i < PCI_STD_NUM_BARS; i++)
		if (fn->bar[i].size && !dev->resource[i].parent)
			placed = false;
	pci_dev_put(dev);
	return placed;
}

/*
 * A switch below a root port, something in its first slot, two empty ones; and
 * an empty port beside it.
 */
struct layout_switch {
	struct emul_host *host;
	struct emul_fn *port;
	struct emul_fn *beside;
	struct emul_fn *sw;
	struct emul_fn *live;
	struct emul_fn *card;
};

static void layout_switch_create(struct kunit *test, struct layout_switch *s)
{
	s->host = emul_host_create(test);
	s->host->mem_size = SZ_128M + SZ_64M;
	s->port = emul_add_port(s->host, NULL, PCI_DEVFN(1, 0),
				PCI_EXP_TYPE_ROOT_PORT);
	s->sw = emul_add_switch(s->host, s->port, LAYOUT_SLOTS);
	s->live = emul_add_endpoint(s->host, s->sw->below[PCI_DEVFN(0, 0)], 0,
				    layout_small, ARRAY_SIZE(layout_small));
	s->card = emul_add_endpoint(s->host, s->sw->below[PCI_DEVFN(1, 0)], 0,
				    layout_large, ARRAY_SIZE(layout_large));
	s->beside = emul_add_port(s->host, NULL, PCI_DEVFN(2, 0),
				  PCI_EXP_TYPE_ROOT_PORT);
	emul_set_hotplug(s->beside, 0x20, 0x20);
	emul_plug(s->port);
	emul_plug(s->beside);
	emul_unplug(s->card);
	KUNIT_ASSERT_EQ(test, emul_host_probe(s->host), 0);
	layout_use(test, s->live);
	s->host->watch_addresses = true;
}

static void layout_grows(struct kunit *test)
{
	struct layout_state *before;
	struct layout_switch s;

	layout_switch_create(test, &s);
	before = layout_remember(test, s.host);
	emul_plug(s.card);
	emul_enumerate(s.sw->below[PCI_DEVFN(1, 0)], PCI_BATCH_FRESH);
	KUNIT_EXPECT_TRUE(test, layout_placed(s.card));
	layout_compare(test, s.host, before);

	/* Everything has its place: nothing changes, wherever one looks */
	before = layout_remember(test, s.host);
	emul_enumerate(s.sw->below[PCI_DEVFN(1, 0)], 0);
	emul_enumerate(s.sw, 0);
	emul_enumerate(s.port, 0);
	pci_rescan_bus_locked(s.host->bridge->bus);
	layout_compare(test, s.host, before);
	KUNIT_EXPECT_EQ(test, emul_splats(), s.host->splats);
}

/* A range that somebody has reserved in the resource tree */
static void layout_reserve(struct kunit *test, struct resource *in,
			   struct resource *res, u64 start, u64 size)
{
	*res = DEFINE_RES_MEM_NAMED(start, size, "layout");
	KUNIT_ASSERT_EQ(test, request_resource(in, res), 0);
}

static void layout_release(void *res)
{
	release_resource(res);
}

/*
 * What belongs to no device stays free of BARs: below the host bridge, and in a
 * window, which takes it along nowhere.
 */
static void layout_foreign(struct kunit *test)
{
	struct resource *foreign, *window, bar[PCI_STD_NUM_BARS];
	struct layout_state *before;
	struct layout_switch s;
	struct pci_dev *port;
	u64 start;

	foreign = kunit_kcalloc(test, 2, sizeof(*foreign), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, foreign);
	layout_switch_create(test, &s);

	/* Right after the windows, where they would grow */
	port = emul_get_dev(s.port);
	KUNIT_ASSERT_NOT_NULL(test, port);
	window = &port->resource[PCI_BRIDGE_MEM_WINDOW];
	start = window->end + 1;
	pci_dev_put(port);
	layout_reserve(test, &s.host->mem, &foreign[0], start, SZ_1M);
	emul_do(test, layout_release, &foreign[0]);

	/* In the window of an empty slot, which is used first */
	port = emul_get_dev(s.beside);
	KUNIT_ASSERT_NOT_NULL(test, port);
	window = &port->resource[PCI_BRIDGE_MEM_WINDOW];
	start = window->start;
	pci_dev_put(port);
	KUNIT_ASSERT_NOT_NULL(test, window->parent);
	layout_reserve(test, window, &foreign[1], start, SZ_1M);

	before = layout_remember(test, s.host);
	emul_plug(s.card);
	emul_enumerate(s.sw->below[PCI_DEVFN(1, 0)], PCI_BATCH_FRESH);
	if (layout_placed(s.card)) {
		layout_bars(s.card, bar);
		KUNIT_EXPECT_FALSE(test, resource_overlaps(&bar[2], &foreign[0]));
		KUNIT_EXPECT_FALSE(test, resource_overlaps(&bar[2], &foreign[1]));
	}
	KUNIT_EXPECT_PTR_EQ(test, foreign[1].parent, window);
	KUNIT_EXPECT_TRUE(test, resource_contains(window, &foreign[1]));
	layout_compare(test, s.host, before);
	release_resource(&foreign[1]);
}

/* What firmware has left in the windows of the port above the switch */
static void layout_port_windows(const struct layout_switch *s, u32 *regs)
{
	unsigned int i;

	for (i = 0; i < LAYOUT_DWORDS; i++)
		regs[i] = emul_peek(s->port, LAYOUT_FIRST + 4 * i, 4);
}

/* The next boot: registers are as the last kernel left them, and a card more */
static void layout_boot(struct kunit *test, const struct emul_bar *bars,
			unsigned int count, u32 rom, bool same)
{
	u32 before[LAYOUT_DWORDS], after[LAYOUT_DWORDS];
	struct resource was[PCI_STD_NUM_BARS], is[PCI_STD_NUM_BARS];
	struct emul_fn *card, *fn;
	struct layout_switch s;

	layout_switch_create(test, &s);
	card = emul_add_endpoint(s.host, s.sw->below[PCI_DEVFN(2, 0)], 0, bars,
				 count);
	if (rom)
		emul_add_rom(card, rom);
	layout_bars(s.live, was);
	layout_port_windows(&s, before);
	layout_leave(s.live);
	s.host->watch_addresses = false;
	emul_host_destroy(s.host);

	list_for_each_entry(fn, &s.host->fns, node) {
		fn->early = 0;
		fn->header = 0;
		fn->final = 0;
		fn->added = 0;
	}
	emul_plug(card);
	emul_host_prepare(s.host);
	KUNIT_ASSERT_EQ(test, emul_host_probe(s.host), 0);
	emul_check_sane(s.host);
	KUNIT_EXPECT_TRUE(test, layout_placed(card));
	layout_bars(s.live, is);
	KUNIT_EXPECT_EQ(test, is[0].start, was[0].start);
	layout_port_windows(&s, after);
	KUNIT_EXPECT_EQ(test, same, !memcmp(before, after, sizeof(before)));
}

/* What is required may change what firmware has set up, what is not may not */
static void layout_boot_required(struct kunit *test)
{
	layout_boot(test, layout_large, ARRAY_SIZE(layout_large), 0, false);
}

static void layout_boot_optional(struct kunit *test)
{
	layout_boot(test, NULL, 0, SZ_4M, true);
}

/* Every resource is what and where it was when the plan was made */
static void layout_unchanged(struct kunit *test, const struct pci_layout *layout)
{
	const struct pci_layout_res *r;
	unsigned int i;

	for (i = 1; i < layout->plan.count; i++) {
		r = &layout->res[i];
		if (!r->res)
			continue;
		KUNIT_EXPECT_PTR_EQ(test, r->res->parent, r->parent);
		KUNIT_EXPECT_EQ(test, r->res->start, r->start);
		KUNIT_EXPECT_EQ(test, r->res->end, r->end);
		KUNIT_EXPECT_EQ(test, r->res->flags, r->flags);
	}
}

/*
 * The resource tree does not take one thing of a plan, whichever that is: its
 * place is beyond all windows.  Returns how many there were.
 */
static unsigned int layout_refuse_each(struct kunit *test,
				       struct layout_switch *s,
				       struct pci_layout *layout)
{
	struct emul_count before = s->host->count;
	struct pci_plan_item *item;
	struct pci_plan_place place;
	unsigned int i, refused = 0;

	for (i = 1; i < layout->plan.count; i++) {
		item = &layout->plan.item[i];
		place = item->new;
		if (!layout->res[i].res || !place.has ||
		    (item->old.has && place.start == item->old.start &&
		     place.end == item->old.end))
			continue;

		item->new.start += SZ_1G;
		item->new.end += SZ_1G;
		KUNIT_EXPECT_LT(test, pci_layout_apply(layout), 0);
		layout_unchanged(test, layout);
		item->new = place;
		refused++;
	}
	KUNIT_EXPECT_EQ(test, s->host->count.writes, before.writes);

	return refused;
}

/*
 * Somebody has put something into a window that was empty when it was planned to
 * be smaller.  Returns how many there are.
 */
static unsigned int layout_refuse_filled(struct kunit *test,
					 struct pci_layout *layout)
{
	struct resource res, *window;
	struct pci_plan_item *item;
	unsigned int i, refused = 0;

	for (i = 1; i < layout->plan.count; i++) {
		item = &layout->plan.item[i];
		window = layout->res[i].res;
		if (!item->window || !window || !window->parent ||
		    window->child || item->new.end - item->new.start < SZ_2M)
			continue;

		res = DEFINE_RES_MEM_NAMED(window->start, SZ_4K, "layout");
		KUNIT_EXPECT_EQ(test, request_resource(window, &res), 0);
		item->new.end -= SZ_1M;
		KUNIT_EXPECT_EQ(test, pci_layout_apply(layout), -EBUSY);
		item->new.end += SZ_1M;
		KUNIT_EXPECT_PTR_EQ(test, res.parent, window);
		release_resource(&res);
		layout_unchanged(test, layout);
		refused++;
	}

	return refused;
}

static void layout_refused(struct kunit *test)
{
	struct pci_layout layout = { .type = IORESOURCE_MEM };
	struct layout_state *before;
	struct layout_switch s;
	struct resource *res;
	struct pci_dev *dev;

	layout_switch_create(test, &s);
	emul_plug(s.card);
	pci_lock_rescan_remove();
	pci_scan_slot(emul_bus_below(s.sw->below[PCI_DEVFN(1, 0)]), 0);
	before = layout_remember(test, s.host);
	dev = emul_get_dev(s.card);
	KUNIT_EXPECT_NOT_NULL(test, dev);
	if (!dev)
		goto unlock;
	res = &dev->resource[2];

	layout.bus = s.host->bridge->bus;
	KUNIT_EXPECT_EQ(test, pci_layout_collect(&layout), 0);
	KUNIT_EXPECT_EQ(test, pci_plan(&layout.plan), 0);
	KUNIT_EXPECT_NULL(test, pci_plan_check(&layout.plan));

	/* BARs of the card, and the windows of three ports above it */
	KUNIT_EXPECT_GE(test, layout_refuse_each(test, &s, &layout), 5);
	KUNIT_EXPECT_GE(test, layout_refuse_filled(test, &layout), 1);
	KUNIT_EXPECT_NULL(test, res->parent);
	KUNIT_EXPECT_EQ(test, resource_size(res), SZ_64M);

	/* As it was planned, it works */
	KUNIT_EXPECT_EQ(test, pci_layout_apply(&layout), 0);
	KUNIT_EXPECT_NOT_NULL(test, res->parent);
	pci_layout_free(&layout);
	pci_stop_and_remove_bus_device(dev);
	pci_dev_put(dev);
unlock:
	pci_unlock_rescan_remove();
	emul_unplug(s.card);
	layout_compare(test, s.host, before);
}

/* What a plan for the bus behind a bridge consists of; what it finds for @res */
static u64 layout_beside_plan(struct kunit *test, struct pci_bus *bus,
			      const struct resource *res, unsigned int flags,
			      unsigned int *bars, unsigned int *blocks)
{
	struct pci_layout layout = {
		.bus = bus, .type = IORESOURCE_MEM, .flags = flags,
	};
	u64 at = 0;
	unsigned int i;

	*bars = 0;
	*blocks = 0;
	KUNIT_EXPECT_EQ(test, pci_layout_plan(&layout), 0);
	for (i = 1; i < layout.plan.count; i++) {
		if (layout.plan.item[i].window)
			continue;
		if (layout.res[i].res)
			++*bars;
		else
			++*blocks;
		if (layout.res[i].res == res && layout.plan.item[i].new.has)
			at = layout.plan.item[i].new.start;
	}
	KUNIT_EXPECT_EQ(test, layout.skips, !!(flags & PCI_LAYOUT_STAY));
	pci_layout_free(&layout);

	return at;
}

/*
 * Beside what is in use: that is one stretch in the way if nothing is to move,
 * and the place that is found is the same.
 */
static void layout_beside(struct kunit *test)
{
	struct emul_fn *bridge, *fn[3];
	unsigned int bars, blocks, i;
	struct emul_host *host;
	struct pci_dev *dev;
	u64 at;

	host = emul_host_create(test);
	bridge = emul_add_pci_bridge(host, NULL, PCI_DEVFN(1, 0));
	for (i = 0; i < ARRAY_SIZE(fn); i++)
		fn[i] = emul_add_pci_device(host, bridge, PCI_DEVFN(i + 1, 0),
					    layout_small,
					    ARRAY_SIZE(layout_small));
	emul_plug(bridge);
	emul_unplug(fn[2]);
	KUNIT_ASSERT_EQ(test, emul_host_probe(host), 0);
	layout_use(test, fn[0]);
	layout_use(test, fn[1]);
	host->watch_addresses = true;

	emul_plug(fn[2]);
	pci_lock_rescan_remove();
	pci_scan_slot(emul_bus_below(bridge), PCI_DEVFN(3, 0));
	dev = emul_get_dev(fn[2]);
	KUNIT_EXPECT_NOT_NULL(test, dev);
	if (!dev)
		goto unlock;

	at = layout_beside_plan(test, dev->bus, &dev->resource[0], 0, &bars,
				&blocks);
	KUNIT_EXPECT_NE(test, at, 0);
	KUNIT_EXPECT_EQ(test, bars, 3);
	KUNIT_EXPECT_EQ(test, blocks, 0);
	KUNIT_EXPECT_EQ(test, at,
			layout_beside_plan(test, dev->bus, &dev->resource[0],
					   PCI_LAYOUT_STAY, &bars, &blocks));
	KUNIT_EXPECT_EQ(test, bars, 1);
	KUNIT_EXPECT_EQ(test, blocks, 1);
	pci_dev_put(dev);
unlock:
	pci_unlock_rescan_remove();
	emul_enumerate(bridge, 0);
	KUNIT_EXPECT_TRUE(test, layout_placed(fn[2]));
	layout_leave(fn[0]);
	layout_leave(fn[1]);
}

/* Switches one behind the other, each plugged in with a card */
static void layout_chain(struct kunit *test)
{
	struct emul_fn *up, *sw[4], *card[4];
	struct layout_state *before;
	struct emul_host *host;
	unsigned int i;

	host = emul_host_create(test);
	up = emul_add_port(host, NULL, PCI_DEVFN(1, 0), PCI_EXP_TYPE_ROOT_PORT);
	emul_set_hotplug(up, 1, 1);
	for (i = 0; i < ARRAY_SIZE(sw); i++) {
		sw[i] = emul_add_switch(host, up, 2);
		card[i] = emul_add_endpoint(host, sw[i]->below[0], 0,
					    layout_small,
					    ARRAY_SIZE(layout_small));
		up = sw[i]->below[PCI_DEVFN(1, 0)];
	}
	emul_plug(host->below[PCI_DEVFN(1, 0)]);
	emul_unplug(sw[0]);
	KUNIT_ASSERT_EQ(test, emul_host_probe(host), 0);
	host->watch = true;
	host->watch_addresses = true;

	for (i = 0; i < ARRAY_SIZE(sw); i++) {
		before = layout_remember(test, host);
		emul_plug(sw[i]);
		if (i + 1 < ARRAY_SIZE(sw))
			emul_unplug(sw[i + 1]);
		emul_enumerate(sw[i]->up, PCI_BATCH_FRESH);
		KUNIT_EXPECT_TRUE(test, layout_placed(card[i]));
		layout_use(test, card[i]);
		layout_compare(test, host, before);
	}
}

/* A port, a switch in it or not, and cards for every slot */
struct layout_any {
	struct emul_host *host;
	struct rnd_state rnd;
	struct emul_fn *card[LAYOUT_PORTS * LAYOUT_SLOTS];
	unsigned int cards;
};

static u32 layout_random(struct layout_any *a, u32 below)
{
	return prandom_u32_state(&a->rnd) % below;
}

static void layout_any_card(struct layout_any *a, struct emul_fn *up)
{
	struct emul_bar bars[PCI_STD_NUM_BARS] = {};
	unsigned int i, kind;

	for (i = 0; i < PCI_STD_NUM_BARS; i += 2) {
		kind = layout_random(a, 5);
		bars[i].size = SZ_4K << layout_random(a, 15);
		if (kind == 0)
			bars[i].size = 0;
		else if (kind == 1)
			bars[i] = (struct emul_bar) { 32, EMUL_BAR_IO };
		else if (kind == 2)
			bars[i].flags = EMUL_BAR_PREF64;
		else
			bars[i].flags = EMUL_BAR_MEM;
	}
	a->card[a->cards++] = emul_add_endpoint(a->host, up, 0, bars,
						PCI_STD_NUM_BARS);
}

static void layout_any_create(struct kunit *test, struct layout_any *a,
			      u64 seed)
{
	struct emul_fn *port, *sw;
	unsigned int i, k;

	*a = (struct layout_any) { .host = emul_host_create(test) };
	prandom_seed_state(&a->rnd, seed);
	a->host->mem_size = SZ_128M;
	a->host->pref_size = SZ_256M;
	for (i = 0; i < LAYOUT_PORTS; i++) {
		port = emul_add_port(a->host, NULL, PCI_DEVFN(1 + i, 0),
				     PCI_EXP_TYPE_ROOT_PORT);
		if (!layout_random(a, 2)) {
			layout_any_card(a, port);
		} else {
			sw = emul_add_switch(a->host, port, LAYOUT_SLOTS);
			for (k = 0; k < LAYOUT_SLOTS; k++)
				layout_any_card(a, sw->below[PCI_DEVFN(k, 0)]);
		}
		emul_plug(port);
	}
	for (i = 0; i < a->cards; i++)
		if (layout_random(a, 3))
			emul_unplug(a->card[i]);
	KUNIT_ASSERT_EQ(test, emul_host_probe(a->host), 0);
	for (i = 0; i < a->cards; i++)
		if (layout_placed(a->card[i]))
			layout_use(test, a->card[i]);
	a->host->watch_addresses = true;
}

/* Cards come and go; returns whether one came, and got no address */
static bool layout_any_event(struct kunit *test, struct layout_any *a)
{
	struct emul_fn *card = a->card[layout_random(a, a->cards)];

	if (emul_present(card)) {
		layout_leave(card);
		emul_remove(card);
		emul_unplug(card);
		return false;
	}

	emul_plug(card);
	emul_enumerate(card->up, 0);
	if (!layout_placed(card))
		return true;

	layout_use(test, card);
	return false;
}

static const u64 layout_seeds[] = { 1, 2, 3, 4, 5, 6, 7, 8 };

static void layout_seed_desc(const u64 *seed, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "seed %llu", *seed);
}

KUNIT_ARRAY_PARAM(layout_seed, layout_seeds, layout_seed_desc);

static void layout_events(struct kunit *test)
{
	const u64 *seed = test->param_value;
	struct layout_state *before;
	unsigned int i, failed = 0;
	struct layout_any a;

	layout_any_create(test, &a, *seed);
	for (i = 0; i < LAYOUT_EVENTS; i++) {
		before = layout_remember(test, a.host);
		failed += layout_any_event(test, &a);
		layout_compare(test, a.host, before);
	}
	kunit_info(test, "%u of %u events without room\n", failed, i);
	for (i = 0; i < a.cards; i++)
		layout_leave(a.card[i]);
}

static struct kunit_case layout_cases[] = {
	KUNIT_CASE(layout_beside),
	KUNIT_CASE(layout_boot_optional),
	KUNIT_CASE(layout_boot_required),
	KUNIT_CASE(layout_foreign),
	KUNIT_CASE(layout_grows),
	KUNIT_CASE(layout_refused),
	KUNIT_CASE(layout_chain),
	KUNIT_CASE_PARAM(layout_events, layout_seed_gen_params),
	{ }
};

static struct kunit_suite layout_suite = {
	.name = "pci_layout",
	.test_cases = layout_cases,
};

kunit_test_suite(layout_suite);
