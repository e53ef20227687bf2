// SPDX-License-Identifier: GPL-2.0
/*
 * PCI enumeration pipeline tests: windows that are cut into segments
 */
#include <kunit/test.h>
#include <linux/bitmap.h>
#include <linux/ioport.h>
#include <linux/pci.h>
#include <linux/pci-pipeline.h>
#include <linux/prandom.h>
#include <linux/sizes.h>

#include "../pipeline.h"
#include "emul.h"

#define SEG_MEM		0
#define SEG_PREF	1
#define SEG_KINDS	2
#define SEG_MAX		1024
#define SEG_NOBODY	(-1)

/**
 * struct seg_param - how the windows are cut
 * @name: of the test case
 * @mem: bytes in a segment of the memory window
 * @pref: bytes in a segment of the prefetchable window
 */
struct seg_param {
	const char *name;
	resource_size_t mem;
	resource_size_t pref;
};

static const struct seg_param seg_params[] = {
	{ "1M", SZ_1M, SZ_1M },
	{ "2M and 16M", SZ_2M, SZ_16M },
	{ "8M and 4M", SZ_8M, SZ_4M },
	{ "16M and 64M", SZ_16M, SZ_64M },
};

KUNIT_ARRAY_PARAM_DESC(seg, seg_params, name);

/*
 * What the emulated host bridge has: to which bus each segment and each number
 * of a domain belongs.  One host bridge at a time.
 */
static struct seg_host {
	struct emul_host *host;
	struct pci_segments segments[SEG_KINDS];
	DECLARE_BITMAP(reserved[SEG_KINDS], SEG_MAX);
	int owner[SEG_KINDS][SEG_MAX];
	unsigned int maps;
	unsigned int clashes;
	unsigned int early;
} seg;

static bool seg_taken(struct pci_host_bridge *bridge, unsigned int n,
		      struct pci_bus *bus)
{
	int owner = seg.owner[SEG_PREF][n];

	return owner != SEG_NOBODY && (owner < bus->busn_res.start ||
				       owner > bus->busn_res.end);
}

static void seg_map_bar(struct resource *res, int owner)
{
	const struct pci_segments *s;
	unsigned int n;
	int kind;

	for (kind = 0; kind < SEG_KINDS; kind++) {
		s = &seg.segments[kind];
		if (!res->parent || res->flags & IORESOURCE_IO ||
		    res->start < s->window->start || res->end > s->window->end)
			continue;

		for (n = (res->start - s->base) / s->size;
		     n <= (res->end - s->base) / s->size; n++) {
			if (seg.owner[kind][n] != SEG_NOBODY &&
			    seg.owner[kind][n] != owner)
				seg.clashes++;
			seg.owner[kind][n] = owner;
		}
	}
}

static void seg_map_bus(struct pci_bus *bus, int owner)
{
	struct pci_dev *dev;
	int i;

	list_for_each_entry(dev, &bus->devices, bus_list) {
		for (i = 0; i <= PCI_ROM_RESOURCE; i++)
			seg_map_bar(&dev->resource[i], owner);
		if (dev->subordinate &&
		    pci_isolation_domain(dev->subordinate) != dev->subordinate)
			seg_map_bus(dev->subordinate, owner);
	}
}

/* What leads to a domain is configured when the domain is set up */
static int seg_map(struct pci_bus *bus)
{
	seg.maps++;
	if (bus->self && bus->self->stage < PCI_STAGE_CONFIGURE)
		seg.early++;
	seg_map_bus(bus, bus->number);

	return 0;
}

static const struct pci_pipeline_ops seg_ops = {
	.segment_taken	= seg_taken,
	.map_segments	= seg_map,
};

/* What was below a bus number is gone */
static void seg_forget(unsigned int first, unsigned int last)
{
	int kind, n;

	for (kind = 0; kind < SEG_KINDS; kind++)
		for (n = 0; n < SEG_MAX; n++)
			if (seg.owner[kind][n] >= (int)first &&
			    seg.owner[kind][n] <= (int)last)
				seg.owner[kind][n] = SEG_NOBODY;
}

static void seg_describe(int kind, const struct resource *window,
			 resource_size_t size)
{
	seg.segments[kind] = (struct pci_segments) {
		.window		= window,
		.base		= window->start,
		.size		= size,
		.count		= resource_size(window) / size,
		.reserved	= seg.reserved[kind],
		.numbered	= kind == SEG_PREF,
	};
	bitmap_zero(seg.reserved[kind], SEG_MAX);
}

static struct emul_host *seg_create(struct kunit *test,
				    const struct seg_param *param)
{
	struct emul_host *host = emul_host_create(test);
	int kind, n;

	host->pipeline_ops = &seg_ops;
	emul_host_prepare(host);

	seg.host = host;
	seg.maps = 0;
	seg.clashes = 0;
	seg.early = 0;
	seg_describe(SEG_MEM, &host->mem, param->mem);
	seg_describe(SEG_PREF, &host->pref, param->pref);
	for (kind = 0; kind < SEG_KINDS; kind++)
		for (n = 0; n < SEG_MAX; n++)
			seg.owner[kind][n] = SEG_NOBODY;
	KUNIT_ASSERT_LE(test, seg.segments[SEG_MEM].count, SEG_MAX);
	KUNIT_ASSERT_LE(test, seg.segments[SEG_PREF].count, SEG_MAX);

	emul_host_segment(host, seg.segments, SEG_KINDS);

	return host;
}

static const struct emul_bar seg_bars[] = {
	{ SZ_64K, EMUL_BAR_MEM },
	{ 0 },
	{ SZ_1M, EMUL_BAR_PREF64 },
	{ 0 },
	{ SZ_16K, EMUL_BAR_MEM },
};

static struct emul_fn *seg_port(struct emul_host *host, unsigned int nr,
				unsigned int buses)
{
	struct emul_fn *port;

	port = emul_add_port(host, NULL, PCI_DEVFN(1 + nr, 0),
			     PCI_EXP_TYPE_ROOT_PORT);
	emul_set_bus_numbers(port, host->busnr, 1 + nr * buses,
			     (1 + nr) * buses);
	/* Closed by firmware, instead of a window at 0 as after reset */
	emul_set(port, PCI_IO_BASE, 1, 0xf1, 0xf0, 0);
	emul_set(port, PCI_MEMORY_BASE, 2, 0xfff0, 0xfff0, 0);
	emul_set(port, PCI_PREF_MEMORY_BASE, 2, 0xfff1, 0xfff0, 0);

	return port;
}

static struct emul_fn *seg_endpoint(struct emul_host *host, struct emul_fn *up,
				    unsigned int devfn)
{
	return emul_add_endpoint(host, up, devfn, seg_bars,
				 ARRAY_SIZE(seg_bars));
}

/* No window leads to a segment that is not for anything behind the bridge */
static void seg_check_window(struct kunit *test, struct pci_dev *bridge, int kind)
{
	const struct resource *window = &bridge->resource[PCI_BRIDGE_MEM_WINDOW + kind];
	const struct pci_segments *s = &seg.segments[kind];
	int n;

	if (!window->parent || window->start < s->window->start ||
	    window->end > s->window->end)
		return;

	for (n = (window->start - s->base) / s->size;
	     n <= (window->end - s->base) / s->size; n++) {
		KUNIT_EXPECT_FALSE(test, test_bit(n, s->reserved));
		KUNIT_EXPECT_FALSE(test, kind == SEG_PREF &&
				   seg_taken(seg.host->bridge, n,
					     bridge->subordinate));
	}
}

static void seg_check_windows(struct kunit *test)
{
	struct pci_dev *bridge;
	struct emul_fn *fn;
	int kind;

	list_for_each_entry(fn, &seg.host->fns, node) {
		bridge = emul_present(fn) ? emul_get_dev(fn) : NULL;
		for (kind = 0; bridge && bridge->subordinate && kind < SEG_KINDS;
		     kind++)
			seg_check_window(test, bridge, kind);
		pci_dev_put(bridge);
	}
}

static void seg_check_bars(struct kunit *test)
{
	pci_lock_rescan_remove();
	KUNIT_EXPECT_EQ(test, pci_segments_check(seg.host->bridge), 0);
	pci_unlock_rescan_remove();
	KUNIT_EXPECT_EQ(test, seg.clashes, 0);
	KUNIT_EXPECT_EQ(test, seg.early, 0);
	emul_check_sane(seg.host);
}

static void seg_check(struct kunit *test)
{
	seg_check_bars(test);
	seg_check_windows(test);
}

static bool seg_assigned(struct emul_fn *fn)
{
	struct pci_dev *dev = emul_get_dev(fn);
	bool assigned = dev;
	int i;

	for (i = 0; assigned && i < PCI_STD_NUM_BARS; i++)
		assigned = !fn->bar[i].size || dev->resource[i].parent;
	pci_dev_put(dev);

	return assigned;
}

static struct pci_bus *seg_domain(struct emul_fn *bridge)
{
	struct pci_bus *bus = emul_bus_below(bridge);

	return bus ? pci_isolation_domain(bus) : NULL;
}

/* Ports, a switch, and all that is below a PCIe to PCI bridge */
static void seg_domains(struct kunit *test)
{
	const struct seg_param *param = test->param_value;
	struct emul_host *host = seg_create(test, param);
	struct emul_fn *port[3], *up, *pcie, *pci, *fn[4];
	struct resource *window;
	struct pci_dev *dev;
	unsigned int i;

	for (i = 0; i < 3; i++)
		port[i] = seg_port(host, i, 8);
	fn[0] = seg_endpoint(host, port[0], 0);
	up = emul_add_switch(host, port[1], 2);
	fn[1] = seg_endpoint(host, up->below[0], 0);
	pcie = emul_add_port(host, port[2], 0, PCI_EXP_TYPE_PCI_BRIDGE);
	fn[2] = emul_add_pci_device(host, pcie, PCI_DEVFN(1, 0), seg_bars, 1);
	pci = emul_add_pci_bridge(host, pcie, PCI_DEVFN(2, 0));
	fn[3] = emul_add_pci_device(host, pci, PCI_DEVFN(1, 0), seg_bars, 1);
	for (i = 0; i < 3; i++)
		emul_plug(port[i]);
	KUNIT_ASSERT_EQ(test, emul_host_probe(host), 0);

	for (i = 0; i < ARRAY_SIZE(fn); i++)
		KUNIT_EXPECT_TRUE(test, seg_assigned(fn[i]));
	KUNIT_EXPECT_PTR_EQ(test, seg_domain(port[0]), emul_bus_below(port[0]));
	KUNIT_EXPECT_PTR_EQ(test, seg_domain(up), emul_bus_below(up));
	KUNIT_EXPECT_PTR_EQ(test, seg_domain(up->below[0]),
			    emul_bus_below(up->below[0]));
	KUNIT_EXPECT_PTR_EQ(test, seg_domain(pcie), emul_bus_below(pcie));
	KUNIT_EXPECT_PTR_EQ(test, seg_domain(pci), emul_bus_below(pcie));

	/* A window to a domain of its own is cut by segments, one in it not */
	dev = emul_get_dev(port[0]);
	window = &dev->resource[PCI_BRIDGE_MEM_WINDOW];
	KUNIT_EXPECT_TRUE(test, IS_ALIGNED(window->start, param->mem));
	KUNIT_EXPECT_TRUE(test, IS_ALIGNED(window->end + 1, param->mem));
	pci_dev_put(dev);
	KUNIT_EXPECT_EQ(test, pci_segment_alignment(emul_bus_below(port[0]),
						    IORESOURCE_MEM), param->mem);
	KUNIT_EXPECT_EQ(test, pci_segment_alignment(emul_bus_below(pci),
						    IORESOURCE_MEM), 1);

	/* Root bus, two ports, switch, one of its ports, PCI */
	KUNIT_EXPECT_GE(test, seg.maps, 6);
	seg_check(test);
}

/* Reserved segments in the middle and numbers of domains without a BAR */
static void seg_reserved(struct kunit *test)
{
	const struct seg_param *param = test->param_value;
	struct emul_host *host = seg_create(test, param);
	struct emul_fn *port[4], *fn[4];
	struct resource *res;
	struct pci_dev *dev;
	unsigned int i, n;

	for (i = 0; i < 4; i++) {
		port[i] = seg_port(host, i, 1);
		fn[i] = seg_endpoint(host, port[i], 0);
		emul_plug(port[i]);
	}
	/* Of both kinds segment 2 can be used; no two in a row further up */
	bitmap_set(seg.reserved[SEG_MEM], 0, 2);
	bitmap_set(seg.reserved[SEG_PREF], 0, 2);
	for (n = 3; n < 12; n += 2) {
		set_bit(n, seg.reserved[SEG_MEM]);
		seg.owner[SEG_PREF][n] = 0x80;
	}
	KUNIT_ASSERT_EQ(test, emul_host_probe(host), 0);

	for (i = 0; i < 4; i++) {
		KUNIT_EXPECT_TRUE(test, seg_assigned(fn[i]));
		dev = emul_get_dev(fn[i]);
		KUNIT_ASSERT_NOT_NULL(test, dev);
		res = &dev->resource[0];
		n = (res->start - host->mem.start) / param->mem;
		KUNIT_EXPECT_FALSE(test, test_bit(n, seg.reserved[SEG_MEM]));
		res = &dev->resource[2];
		n = (res->start - host->pref.start) / param->pref;
		KUNIT_EXPECT_FALSE(test, test_bit(n, seg.reserved[SEG_PREF]));
		KUNIT_EXPECT_EQ(test, seg.owner[SEG_PREF][n],
				dev->bus->number);
		pci_dev_put(dev);
	}
	seg_check(test);
}

/* More domains than segments: the last one has to wait, and says for what */
static void seg_full(struct kunit *test)
{
	static const struct seg_param param = { "full", SZ_64M, SZ_256M };
	static struct emul_grep grep = {
		.text = "isolation domain needs 1 more segments of 0x4000000, 0 of 4 are free",
	};
	struct emul_host *host = seg_create(test, &param);
	struct emul_fn *port[5], *fn[5];
	static const struct emul_bar bar = { SZ_1M, EMUL_BAR_MEM };
	unsigned int i;

	emul_grep_start(test, &grep);
	for (i = 0; i < 5; i++) {
		port[i] = seg_port(host, i, 1);
		fn[i] = emul_add_endpoint(host, port[i], 0, &bar, 1);
		emul_plug(port[i]);
	}
	emul_unplug(fn[4]);
	KUNIT_ASSERT_EQ(test, emul_host_probe(host), 0);
	for (i = 0; i < 4; i++)
		KUNIT_EXPECT_TRUE(test, seg_assigned(fn[i]));
	KUNIT_EXPECT_EQ(test, atomic_read(&grep.count), 0);

	emul_plug(fn[4]);
	KUNIT_EXPECT_EQ(test, emul_enumerate(port[4], PCI_BATCH_FRESH), 1);
	KUNIT_EXPECT_FALSE(test, seg_assigned(fn[4]));
	KUNIT_EXPECT_EQ(test, atomic_read(&grep.count), 1);
	for (i = 0; i < 4; i++)
		KUNIT_EXPECT_TRUE(test, seg_assigned(fn[i]));
	seg_check(test);

	/* A segment becomes free */
	emul_remove(port[2]);
	emul_unplug(port[2]);
	seg_forget(3, 3);
	emul_remove_below(port[4]);
	emul_plug(fn[4]);
	KUNIT_EXPECT_EQ(test, emul_enumerate(port[4], PCI_BATCH_FRESH), 1);
	KUNIT_EXPECT_TRUE(test, seg_assigned(fn[4]));
	seg_check(test);
}

/* What firmware has programmed stays unless it breaks isolation */
static void seg_claim(struct kunit *test)
{
	static const struct seg_param param = { "claim", SZ_4M, SZ_4M };
	static const struct emul_bar bar = { SZ_64K, EMUL_BAR_MEM };
	struct emul_host *host = seg_create(test, &param);
	struct emul_fn *port, *pcie, *fn[4];
	struct pci_dev *dev;
	unsigned int i, n;
	u32 window;

	/* All on one bus of conventional PCI, with a window of 16 segments */
	port = seg_port(host, 0, 8);
	pcie = emul_add_port(host, port, 0, PCI_EXP_TYPE_PCI_BRIDGE);
	for (i = 0; i < 4; i++)
		fn[i] = emul_add_pci_device(host, pcie, PCI_DEVFN(i, 0), &bar,
					    1);
	emul_plug(port);
	for (i = 1; i < 4; i++)
		emul_unplug(fn[i]);
	KUNIT_ASSERT_EQ(test, emul_host_probe(host), 0);
	KUNIT_ASSERT_TRUE(test, seg_assigned(fn[0]));

	dev = emul_get_dev(fn[0]);
	n = (pci_resource_start(dev, 0) - host->mem.start) / param.mem;
	KUNIT_ASSERT_LT(test, n, seg.segments[SEG_MEM].count - 1);
	set_bit(n + 1, seg.reserved[SEG_MEM]);
	window = emul_peek(fn[0], PCI_BASE_ADDRESS_0, 4);
	pci_dev_put(dev);

	/* Beside the first one, in a reserved segment, and on the first one */
	for (i = 1; i < 4; i++)
		emul_plug(fn[i]);
	emul_poke(fn[1], PCI_BASE_ADDRESS_0, 4, window + SZ_1M);
	emul_poke(fn[2], PCI_BASE_ADDRESS_0, 4, window + SZ_4M);
	emul_poke(fn[3], PCI_BASE_ADDRESS_0, 4, window);
	pci_rescan_bus_locked(host->bridge->bus);
	for (i = 0; i < 4; i++)
		KUNIT_EXPECT_TRUE(test, seg_assigned(fn[i]));
	KUNIT_EXPECT_EQ(test, emul_peek(fn[0], PCI_BASE_ADDRESS_0, 4), window);
	KUNIT_EXPECT_EQ(test, emul_peek(fn[1], PCI_BASE_ADDRESS_0, 4),
			window + SZ_1M);
	KUNIT_EXPECT_NE(test, emul_peek(fn[2], PCI_BASE_ADDRESS_0, 4),
			window + SZ_4M);
	KUNIT_EXPECT_NE(test, emul_peek(fn[3], PCI_BASE_ADDRESS_0, 4), window);
	/* The window was there before the segment in it was reserved */
	seg_check_bars(test);
}

/* One root port and one switch below it: the rest of the windows is theirs */
static void seg_spread(struct kunit *test)
{
	static const struct seg_param param = { "spread", SZ_1M, SZ_4M };
	struct emul_host *host = seg_create(test, &param);
	struct emul_fn *port, *up, *bridge[2], *fn[2];
	struct resource *window;
	struct pci_dev *dev;
	unsigned int i;

	port = seg_port(host, 0, 16);
	up = emul_add_switch(host, port, 2);
	for (i = 0; i < 2; i++)
		fn[i] = seg_endpoint(host, up->below[PCI_DEVFN(i, 0)], 0);
	bridge[0] = port;
	bridge[1] = up;
	emul_plug(port);
	emul_unplug(fn[1]);
	KUNIT_ASSERT_EQ(test, emul_host_probe(host), 0);

	for (i = 0; i < 2; i++) {
		dev = emul_get_dev(bridge[i]);
		KUNIT_ASSERT_NOT_NULL(test, dev);
		window = &dev->resource[PCI_BRIDGE_MEM_WINDOW];
		KUNIT_EXPECT_EQ(test, window->start, host->mem.start);
		KUNIT_EXPECT_EQ(test, window->end, host->mem.end);
		window = &dev->resource[PCI_BRIDGE_PREF_MEM_WINDOW];
		KUNIT_EXPECT_EQ(test, window->start, host->pref.start);
		KUNIT_EXPECT_EQ(test, window->end, host->pref.end);
		pci_dev_put(dev);
	}

	/* So that there is room while the first one is in use */
	emul_plug(fn[1]);
	KUNIT_EXPECT_EQ(test, emul_enumerate(up->below[PCI_DEVFN(1, 0)],
					     PCI_BATCH_FRESH), 1);
	KUNIT_EXPECT_TRUE(test, seg_assigned(fn[0]));
	KUNIT_EXPECT_TRUE(test, seg_assigned(fn[1]));
	seg_check(test);
}

static void seg_impossible(struct kunit *test)
{
	static const struct seg_param param = { "impossible", SZ_1M, SZ_1M };
	static struct emul_grep grep = { .text = "are not possible" };
	struct emul_host *host = seg_create(test, &param);
	struct pci_segments good = seg.segments[SEG_PREF];

	emul_grep_start(test, &grep);
	seg.segments[SEG_PREF].size = SZ_1M + SZ_64K;
	KUNIT_EXPECT_EQ(test, pci_segments_valid(host->bridge), -EINVAL);
	seg.segments[SEG_PREF] = good;
	seg.segments[SEG_PREF].base += SZ_64K;
	KUNIT_EXPECT_EQ(test, pci_segments_valid(host->bridge), -EINVAL);
	seg.segments[SEG_PREF] = good;
	seg.segments[SEG_PREF].count = 0;
	KUNIT_EXPECT_EQ(test, pci_segments_valid(host->bridge), -EINVAL);
	KUNIT_EXPECT_EQ(test, atomic_read(&grep.count), 3);
	seg.segments[SEG_PREF] = good;
	KUNIT_EXPECT_EQ(test, pci_segments_valid(host->bridge), 0);
	KUNIT_EXPECT_EQ(test, emul_host_probe(host), 0);
}

/* The checker sees what it is there for */
static void seg_checker(struct kunit *test)
{
	static const struct seg_param param = { "checker", SZ_4M, SZ_4M };
	static struct emul_grep shares = { .text = "shares segment" };
	static struct emul_grep not_for = { .text = "which is not for it" };
	struct emul_host *host = seg_create(test, &param);
	struct resource *res[2], window[2];
	struct emul_fn *port[2], *fn[2];
	struct pci_dev *dev[2];
	unsigned int i;
	int found;

	emul_grep_start(test, &shares);
	emul_grep_start(test, &not_for);
	for (i = 0; i < 2; i++) {
		port[i] = seg_port(host, i, 1);
		fn[i] = seg_endpoint(host, port[i], 0);
		emul_plug(port[i]);
	}
	KUNIT_ASSERT_EQ(test, emul_host_probe(host), 0);
	for (i = 0; i < 2; i++) {
		dev[i] = emul_get_dev(fn[i]);
		KUNIT_ASSERT_NOT_NULL(test, dev[i]);
		res[i] = &dev[i]->resource[0];
		window[i] = *res[i];
	}

	/* As if the second BAR were in the segment of the first one */
	res[1]->start = res[0]->start + SZ_1M;
	res[1]->end = res[1]->start + SZ_64K - 1;
	pci_lock_rescan_remove();
	found = pci_segments_check(host->bridge);
	pci_unlock_rescan_remove();
	KUNIT_EXPECT_EQ(test, found, 1);
	KUNIT_EXPECT_EQ(test, atomic_read(&shares.count), 1);
	*res[1] = window[1];

	set_bit((res[0]->start - host->mem.start) / SZ_4M,
		seg.reserved[SEG_MEM]);
	pci_lock_rescan_remove();
	found = pci_segments_check(host->bridge);
	pci_unlock_rescan_remove();
	/* Two BARs of the first device are in it */
	KUNIT_EXPECT_EQ(test, found, 2);
	KUNIT_EXPECT_EQ(test, atomic_read(&not_for.count), 2);
	bitmap_zero(seg.reserved[SEG_MEM], SEG_MAX);

	for (i = 0; i < 2; i++)
		pci_dev_put(dev[i]);
	seg_check(test);
}

/* Something random on a bus, with something below it now and then */
static void seg_populate(struct emul_fn *up, struct rnd_state *rnd, int depth)
{
	struct emul_host *host = up->host;
	u64 mem = SZ_4K << prandom_u32_state(rnd) % 10;
	u64 pref = SZ_64K << prandom_u32_state(rnd) % 8;
	const struct emul_bar bars[] = {
		{ mem, EMUL_BAR_MEM },
		{ 0 },
		{ pref, EMUL_BAR_PREF64 },
	};
	unsigned int ports, i;
	struct emul_fn *fn;

	switch (depth ? prandom_u32_state(rnd) % 4 : 0) {
	case 0:
	case 1:
		emul_add_endpoint(host, up, 0, bars, ARRAY_SIZE(bars));
		return;
	case 2:
		ports = 1 + prandom_u32_state(rnd) % 3;
		fn = emul_add_switch(host, up, ports);
		for (i = 0; i < ports; i++)
			seg_populate(fn->below[PCI_DEVFN(i, 0)], rnd,
				     depth - 1);
		return;
	default:
		fn = emul_add_port(host, up, 0, PCI_EXP_TYPE_PCI_BRIDGE);
		emul_add_pci_device(host, fn, PCI_DEVFN(1, 0), bars, 1);
		fn = emul_add_pci_bridge(host, fn, PCI_DEVFN(2, 0));
		emul_add_pci_device(host, fn, PCI_DEVFN(1, 0), bars, 1);
		return;
	}
}

/* Hot-add and removal in random order, with one domain in each segment */
static void seg_random(struct kunit *test)
{
	const struct seg_param *param = test->param_value;
	struct emul_host *host = seg_create(test, param);
	bool plugged[4] = { true, true, true, true };
	struct emul_fn *port[4];
	struct rnd_state rnd;
	unsigned int i, round;

	prandom_seed_state(&rnd, param->mem + param->pref);
	for (i = 0; i < 4; i++) {
		port[i] = seg_port(host, i, 32);
		seg_populate(port[i], &rnd, 2);
		emul_plug(port[i]);
	}
	for (i = 0; i < 12; i++) {
		set_bit(prandom_u32_state(&rnd) % seg.segments[SEG_MEM].count,
			seg.reserved[SEG_MEM]);
		set_bit(prandom_u32_state(&rnd) % seg.segments[SEG_PREF].count,
			seg.reserved[SEG_PREF]);
	}
	KUNIT_ASSERT_EQ(test, emul_host_probe(host), 0);
	seg_check(test);

	for (round = 0; round < 24; round++) {
		i = prandom_u32_state(&rnd) % 4;
		if (plugged[i]) {
			emul_remove_below(port[i]);
			emul_unplug(port[i]->below[0]);
			seg_forget(1 + i * 32, (1 + i) * 32);
		} else {
			emul_plug(port[i]->below[0]);
			KUNIT_EXPECT_EQ(test, emul_enumerate(port[i],
							     PCI_BATCH_FRESH),
					1);
		}
		plugged[i] = !plugged[i];
		seg_check(test);
	}
}

static struct kunit_case seg_cases[] = {
	KUNIT_CASE_PARAM(seg_domains, seg_gen_params),
	KUNIT_CASE_PARAM(seg_reserved, seg_gen_params),
	KUNIT_CASE(seg_full),
	KUNIT_CASE(seg_claim),
	KUNIT_CASE(seg_spread),
	KUNIT_CASE(seg_impossible),
	KUNIT_CASE(seg_checker),
	KUNIT_CASE_PARAM(seg_random, seg_gen_params),
	{ }
};

static struct kunit_suite seg_suite = {
	.name = "pci_segment",
	.test_cases = seg_cases,
};

kunit_test_suite(seg_suite);
