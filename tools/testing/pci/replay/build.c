// SPDX-License-Identifier: GPL-2.0
/*
 * A plan of addresses for what a log has shown
 *
 * Made the way the kernel makes it from its devices, see collect.c there: in
 * addresses on the bus, for one host bridge and one kind of addresses.
 */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "build.h"
#include "move.h"

#define BUILD_TOP	((1ULL << 62) - 1)	/* last address of a bus */
#define BUILD_32BIT	0xffffffffULL
#define BUILD_4G	0x100000000ULL
#define BUILD_ISA	0x300ULL	/* alias bits of I/O ports */
#define BUILD_MIN_IO	0x1000ULL	/* left to the devices of the board */
#define BUILD_BIOS_END	0x100000ULL	/* so is this, on x86 */
#define BUILD_ROM_START	0xffe00000ULL	/* and this */
#define BUILD_ROM_END	0xffffffffULL
#define BUILD_SLOT_IO	0x100ULL	/* what a slot is to have */
#define BUILD_SLOT_MEM	0x200000ULL
#define BUILD_TRIES	2		/* PCI_ASSIGN_TRIES */

/* The windows of the bridge to a bus */
struct build_windows {
	unsigned int	mem;	/* or the one for I/O */
	unsigned int	pref;
	bool		split;	/* prefetchable has its own */
	bool		is64;	/* and it can be anywhere */
};

static void build_name(struct build *build, unsigned int i, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(build->of[i].name, sizeof(build->of[i].name), format, args);
	va_end(args);
}

static struct pci_plan_item *build_init(struct pci_plan_item *item)
{
	memset(item, 0, sizeof(*item));
	item->alt = PCI_PLAN_NO_ALT;
	item->align = 1;
	item->limit = BUILD_TOP;
	return item;
}

/* There is room, as it was counted before */
static struct pci_plan_item *build_add(struct build *build)
{
	return build_init(&build->plan.item[build->plan.count++]);
}

static void build_place(struct pci_plan_item *item, u64 start, u64 end)
{
	item->old.has = true;
	item->old.start = start;
	item->old.end = end;
}

static void build_block(struct build *build, unsigned int parent, u64 start,
			u64 end, const char *name)
{
	unsigned int i = build->plan.count;
	struct pci_plan_item *item = build_add(build);

	item->parent = parent;
	item->size = end - start + 1;
	if (end > item->limit)
		item->limit = end;
	item->hold = PCI_HOLD_PINNED;
	item->reserved = true;
	build_place(item, start, end);
	build_name(build, i, "%s", name);
}

/* Where it should not be, it had better stay */
static bool build_odd(struct pci_plan_item *item)
{
	u64 mask = item->align - 1;

	if (!(item->old.start & mask) && item->old.end <= item->limit &&
	    !(item->window && ((item->old.end + 1) & mask)))
		return false;

	item->align = 1;
	if (item->old.end > item->limit)
		item->limit = item->old.end;
	return true;
}

/* The next power of two */
static u64 build_round(u64 size)
{
	u64 power = 1;

	while (power < size && power < (1ULL << 61))
		power <<= 1;
	return power;
}

static struct pci_plan_place build_on_bus(const struct build *build,
					  const struct topo_range *range)
{
	u64 offset = topo_offset(build->host, build->type, range);

	return (struct pci_plan_place){
		.start = range->start - offset,
		.end = range->end - offset,
		.has = true,
	};
}

static bool build_contains(const struct pci_plan_place *outer,
			   const struct pci_plan_place *inner)
{
	return outer->has && outer->start <= inner->start && outer->end >= inner->end;
}

/* The window above that an address is in: of this bridge, or of one further up */
static bool build_find_window(struct build *build, const struct build_windows *windows,
			      const struct pci_plan_place *place, unsigned int *in)
{
	struct pci_plan_item *item = build->plan.item;
	unsigned int i;

	if (build_contains(&item[*in].old, place))
		return true;
	if (build_contains(&item[windows->mem].old, place)) {
		*in = windows->mem;
		return true;
	}
	if (windows->split && build_contains(&item[windows->pref].old, place)) {
		*in = windows->pref;
		return true;
	}

	/* Behind a transparent bridge */
	for (i = windows->mem; i != PCI_PLAN_NO_ALT; i = item[i].alt) {
		if (!build_contains(&item[i].old, place))
			continue;
		*in = i;
		return true;
	}
	return false;
}

/* Where it is, if that is for a plan to start with */
static bool build_keeps(const struct build *build, const struct topo_dev *dev, int index)
{
	if (!topo_has(build->topo, dev, index))
		return false;

	return build->mode == BUILD_FOUND || topo_stays(dev, index);
}

/* The window of the bridge to a bus that a range is to be in */
static unsigned int build_window_for(const struct build_windows *windows,
				     bool pref, bool is64)
{
	if (!pref || !windows->split || (windows->is64 && !is64))
		return windows->mem;

	return windows->pref;
}

/* Where the log has it */
static void build_keep_bar(struct build *build, struct pci_plan_item *item,
			   const struct topo_dev *dev, int index,
			   const struct build_windows *windows)
{
	const char *why = NULL;

	item->old = build_on_bus(build, &dev->res[index].last);
	item->size = item->old.end - item->old.start + 1;
	item->hold = move_hold(build->topo, dev, index, &why);
	if (!build_find_window(build, windows, &item->old, &item->parent)) {
		/* In none: not for the planner to move */
		item->old.has = false;
		item->size = 0;
	} else if (build_odd(item)) {
		item->hold = PCI_HOLD_PINNED;
		why = "it is where it should not be";
	}
	if (why && item->old.has)
		snprintf(build->of[item - build->plan.item].why,
			 sizeof(build->of->why), "%s", why);
}

static void build_add_bar(struct build *build, const struct topo_dev *dev, int index,
			  const struct build_windows *windows)
{
	const struct topo_res *res = &dev->res[index];
	bool keeps = build_keeps(build, dev, index);
	unsigned int i = build->plan.count;
	struct pci_plan_item *item;

	if (!res->seen || res->type != build->type || !res->size ||
	    (!keeps && topo_stays(dev, index)))
		return;

	item = build_add(build);
	item->device = (dev->at.bus << 8 | dev->at.devfn) + 1;
	build->of[i].dev = dev;
	build->of[i].index = index;
	build_name(build, i, "%s %s", topo_name(&dev->at).text,
		   topo_res_name(dev, index).text);

	item->size = res->size;
	item->align = build_round(res->align ? res->align : res->size);
	item->optional = index >= TOPO_ROM;
	item->vf = index >= TOPO_VF;
	item->pref = res->pref;
	if (res->type == TOPO_IO && build->topo->x86)
		item->avoid = BUILD_ISA;
	if (!res->is64)
		item->limit = BUILD_32BIT;
	else if (!dev->parent)
		item->prefer = BUILD_4G;

	item->parent = build_window_for(windows, res->pref, res->is64);
	if (keeps)
		build_keep_bar(build, item, dev, index, windows);
}

static u64 build_reserve(const struct topo_dev *bridge, int index)
{
	if (!bridge->hotplug)
		return 0;

	return index == TOPO_WINDOW_IO ? BUILD_SLOT_IO : BUILD_SLOT_MEM;
}

/* Is something behind a bridge that can't be moved, and the window with it? */
static bool build_window_stays(const struct build *build, const struct topo_dev *bridge,
			       int index)
{
	enum topo_type type = index == TOPO_WINDOW_IO ? TOPO_IO : TOPO_MEM;
	const struct topo_range *w = &bridge->res[index].last;
	const struct topo_dev *dev, *above;
	unsigned int i;
	int k;

	for (i = 0; i < build->topo->dev_count; i++) {
		dev = build->topo->dev[i];
		for (above = dev->parent; above && above != bridge; )
			above = above->parent;
		for (k = 0; above && k < TOPO_WINDOW_IO; k++)
			if (dev->res[k].type == type && topo_stays(dev, k) &&
			    topo_has(build->topo, dev, k) &&
			    w->start <= dev->res[k].last.start &&
			    w->end >= dev->res[k].last.end)
				return true;
	}
	return false;
}

static bool build_keeps_window(const struct build *build, const struct topo_dev *bridge,
			       int index)
{
	const struct topo_res *res = &bridge->res[index];

	if (!res->seen || !res->last.has || res->fate == TOPO_UNCLAIMED)
		return false;

	return build->mode == BUILD_FOUND || build_window_stays(build, bridge, index);
}

/* Has a window for the other kind of addresses a place? */
static bool build_is_laid_out(const struct build *build, const struct topo_dev *bridge)
{
	if (build->type == TOPO_MEM)
		return build_keeps_window(build, bridge, TOPO_WINDOW_IO);

	return build_keeps_window(build, bridge, TOPO_WINDOW_MEM) ||
	       build_keeps_window(build, bridge, TOPO_WINDOW_PREF);
}

static unsigned int build_add_window(struct build *build, const struct topo_dev *bridge,
				     int index, unsigned int parent, unsigned int alt,
				     const struct build_windows *above)
{
	const struct topo_res *res = &bridge->res[index];
	unsigned int i = build->plan.count;
	struct pci_plan_item *item = build_add(build);

	build->of[i].dev = bridge;
	build->of[i].index = index;
	build_name(build, i, "%s %s", topo_name(&bridge->at).text,
		   topo_res_name(bridge, index).text);

	item->parent = parent;
	item->alt = alt;
	item->window = true;
	item->pref = index == TOPO_WINDOW_PREF;
	item->hotplug = bridge->hotplug;
	item->laid_out = build_is_laid_out(build, bridge);
	item->reserve = build_reserve(bridge, index);
	item->align = index == TOPO_WINDOW_IO ? 0x1000 : 0x100000;
	if (index != TOPO_WINDOW_PREF || !res->is64)
		item->limit = BUILD_32BIT;
	else if (!bridge->parent)
		item->prefer = BUILD_4G;

	if (build_keeps_window(build, bridge, index)) {
		item->old = build_on_bus(build, &res->last);
		if (!build_find_window(build, above, &item->old, &item->parent))
			item->old.has = false;
		else if (build_odd(item))
			item->fixed = true;
		else
			item->kept = build->mode == BUILD_BOOT;
		item->fixed = item->fixed || item->kept;
	}
	return i;
}

static void build_add_bus(struct build *build, const struct topo_dev *bridge,
			  const struct build_windows *windows);

/* What may ask for a place: all from @first on, for the bus behind a bridge or all */
static void build_range(struct build *build, unsigned int first, unsigned int bridge)
{
	if (first == build->plan.count)
		return;
	build->greedy.first = first;
	build->greedy.last = build->plan.count - 1;
	build->greedy.bridge = bridge;
}

static void build_add_bridge(struct build *build, const struct topo_dev *bridge,
			     const struct build_windows *above)
{
	unsigned int alt = bridge->transparent ? above->mem : PCI_PLAN_NO_ALT;
	bool is64 = bridge->res[TOPO_WINDOW_PREF].is64;
	struct build_windows windows = {};

	if (build->type == TOPO_IO) {
		windows.mem = build_add_window(build, bridge, TOPO_WINDOW_IO,
					       above->mem, alt, above);
	} else {
		windows.mem = build_add_window(build, bridge, TOPO_WINDOW_MEM,
					       above->mem, alt, above);
		windows.pref = build_add_window(build, bridge, TOPO_WINDOW_PREF,
						build_window_for(above, true, is64),
						windows.mem, above);
		build->plan.item[windows.pref].second = true;
		windows.split = true;
		windows.is64 = is64;
	}
	build_add_bus(build, bridge, &windows);
}

/* Below @bridge, or right below the host bridge */
static void build_add_bus(struct build *build, const struct topo_dev *bridge,
			  const struct build_windows *windows)
{
	const struct topo *topo = build->topo;
	const struct topo_dev *dev;
	unsigned int i, first, in;
	int index;

	for (i = 0; i < topo->dev_count; i++) {
		dev = topo->dev[i];
		if (dev->parent != bridge || dev->host < 0 ||
		    &topo->host[dev->host] != build->host)
			continue;
		first = build->plan.count;
		for (index = 0; index < TOPO_WINDOW_IO; index++)
			build_add_bar(build, dev, index, windows);
		if (dev->header != TOPO_BRIDGE || !dev->secondary)
			continue;
		in = build->plan.count;
		build_add_bridge(build, dev, windows);
		if (dev == build->below)
			build_range(build, first, in);
	}
}

/* The window of a host bridge that begins next from @from on, on the bus */
static const struct topo_window *build_next_window(const struct build *build, u64 from)
{
	const struct topo_window *w, *found = NULL;
	unsigned int i;

	for (i = 0; i < build->host->count; i++) {
		w = &build->host->window[i];
		if (w->type != build->type || w->end - w->offset < from ||
		    w->start - w->offset > BUILD_TOP)
			continue;
		if (!found || w->start - w->offset < found->start - found->offset)
			found = w;
	}
	return found;
}

/* What of the start of a window an architecture does not want to be used */
static u64 build_low(const struct build *build, const struct topo_window *w)
{
	const struct topo *topo = build->topo;
	u64 start = w->start;

	if (w->type == TOPO_IO) {
		if (!start)
			start = BUILD_MIN_IO;
		if (topo->x86 && start & BUILD_ISA)
			start = (start | (BUILD_ISA | 0xff)) + 1;
	} else {
		if (!start)
			start = topo->mem_start;
		if (topo->x86 && start < BUILD_BIOS_END)
			start = BUILD_BIOS_END;
	}
	return start - w->start;
}

/* What is of one kind and touches, the kernel makes one window of */
static bool build_apart(const struct topo_window *a, const struct topo_window *b)
{
	return a->pref != b->pref || a->offset != b->offset;
}

/*
 * The windows of a root bus are one range with holes, of no size where nothing
 * is to be in two that touch.
 */
static void build_add_root(struct build *build)
{
	struct pci_plan_item *root = build_add(build);
	const struct topo_window *w, *last = NULL;
	u64 next = 0, start, end, low;

	build_name(build, 0, "%04x:%02x", build->domain, build->bus);
	root->window = true;
	root->fixed = true;
	while (next <= BUILD_TOP && (w = build_next_window(build, next))) {
		start = w->start - w->offset;
		end = w->end - w->offset;
		if (end > BUILD_TOP)
			end = BUILD_TOP;
		/* Two that overlap are one */
		if (start < next)
			start = next;
		if (!last)
			build_place(root, start, end);
		else if (start > next || build_apart(last, w))
			build_block(build, 0, next, start - 1, "hole");
		root->old.end = end;
		last = w;

		low = build_low(build, w);
		if (low > end - start + 1)
			low = end - start + 1;
		if (low)
			build_block(build, 0, start, start + low - 1, "kept free");
		if (w->pref) {
			build_block(build, 0, start, end, "prefetchable only");
			build->plan.item[build->plan.count - 1].barrier = true;
		}
		next = end + 1;
	}
}

/* The same windows one by one, in the order of the log; 0, or -1 */
static int build_add_windows(struct build *build)
{
	const struct topo_window *w;
	unsigned int i;

	build->windows = calloc(build->host->count + 1, sizeof(*build->windows));
	if (!build->windows)
		return -1;

	for (i = 0; i < build->host->count; i++) {
		w = &build->host->window[i];
		if (w->type != build->type || w->start - w->offset > BUILD_TOP)
			continue;
		build->windows[build->plan.hosts++] = (struct pci_plan_host){
			.start = w->start - w->offset,
			.end = w->end - w->offset > BUILD_TOP ? BUILD_TOP :
								w->end - w->offset,
			.pref = w->pref,
			.wide = w->is64,
		};
	}
	build->plan.host = build->windows;
	return 0;
}

/* The port that something is added behind, if there is one and no other */
static const struct topo_dev *build_port(const struct build *build)
{
	const struct topo *topo = build->topo;
	const struct topo_dev *dev, *port = NULL;
	unsigned int i;

	for (i = 0; i < topo->dev_count; i++) {
		dev = topo->dev[i];
		if (!dev->added || !dev->parent || dev->parent->added)
			continue;
		if (port && port != dev->parent)
			return NULL;
		port = dev->parent;
	}
	return port && &topo->host[port->host] == build->host ? port : NULL;
}

/* At boot what CLAIM has found stays, and else something is in use */
static void build_begin(struct build *build)
{
	bool boot = build->mode == BUILD_BOOT;

	build->plan.ports = build->type == TOPO_IO;
	build->greedy = (struct pci_plan_greedy){
		.tries = boot ? 1 : BUILD_TRIES,
		.boot = boot,
		.keep_bars = boot,
		.keep_windows = boot,
		.relax = boot,
	};
	if (!boot)
		build->below = build_port(build);
}

static bool build_overlaps(const struct topo_range *range, const struct topo_foreign *f)
{
	return range->has && range->start <= f->end && f->start <= range->end;
}

/* What the log has as reserved may be for a device: then it is in nobody's way */
static bool build_in_the_way(const struct build *build, const struct topo_foreign *f)
{
	const struct topo *topo = build->topo;
	const struct topo_res *res;
	unsigned int i;
	int index;

	for (i = 0; i < topo->dev_count; i++) {
		for (index = 0; index < TOPO_RES; index++) {
			res = &topo->dev[i]->res[index];
			if (res->seen && res->type == f->type &&
			    (build_overlaps(&res->first, f) ||
			     build_overlaps(&res->last, f)))
				return false;
		}
	}
	return true;
}

/* It may be larger than a window of the host bridge, and in several */
static void build_block_foreign(struct build *build, const struct topo_foreign *f)
{
	const struct topo_window *w;
	struct pci_plan_place place;
	struct topo_range range;
	unsigned int i;

	for (i = 0; i < build->host->count; i++) {
		w = &build->host->window[i];
		range = (struct topo_range){ w->start, w->end, true };
		if (w->type != f->type || !build_overlaps(&range, f))
			continue;
		if (range.start < f->start)
			range.start = f->start;
		if (range.end > f->end)
			range.end = f->end;
		place = build_on_bus(build, &range);
		build_block(build, 0, place.start, place.end, "reserved");
	}
}

static void build_add_foreign(struct build *build)
{
	static const struct topo_foreign bios = {
		.type = TOPO_MEM,
		.start = BUILD_ROM_START,
		.end = BUILD_ROM_END,
	};
	const struct topo *topo = build->topo;
	const struct topo_foreign *f;
	unsigned int i;

	for (i = 0; i < topo->foreign_count; i++) {
		f = &topo->foreign[i];
		if (f->type == build->type && build_in_the_way(build, f))
			build_block_foreign(build, f);
	}
	if (topo->x86 && build->type == TOPO_MEM && build_in_the_way(build, &bios))
		build_block_foreign(build, &bios);
}

int build_alloc(struct build *build, unsigned int max)
{
	build->max = max;
	build->plan.item = calloc(max, sizeof(*build->plan.item));
	build->of = calloc(max, sizeof(*build->of));
	return build->plan.item && build->of ? 0 : -1;
}

static void *build_larger(void *array, unsigned int count, size_t size)
{
	char *larger = realloc(array, 2 * count * size);

	if (larger)
		memset(larger + count * size, 0, count * size);
	return larger;
}

/* Twice as much room, also in @dumped; 0, or -1 if there is no memory */
int build_grow(struct build *build)
{
	struct pci_plan_place *dumped;
	struct pci_plan_item *item;
	struct build_of *of;

	item = build_larger(build->plan.item, build->max, sizeof(*item));
	if (item)
		build->plan.item = item;
	of = build_larger(build->of, build->max, sizeof(*of));
	if (of)
		build->of = of;
	dumped = build_larger(build->dumped, build->max, sizeof(*dumped));
	if (dumped)
		build->dumped = dumped;
	if (!item || !of || !dumped)
		return -1;

	build->max *= 2;
	return 0;
}

/**
 * build_settle - what a dump has planned has been put in place
 * @build: the plan
 *
 * What got a place only then is in use since, and by whom is not known.
 */
void build_settle(struct build *build)
{
	struct pci_plan_item *item;
	unsigned int i;

	build->settled = true;
	build->greedy = (struct pci_plan_greedy){ .tries = BUILD_TRIES };
	for (i = 1; i < build->plan.count; i++) {
		item = &build->plan.item[i];
		item->old = build->dumped[i];
		item->fixed = item->fixed && !item->kept;
		item->kept = false;
		if (!item->old.has)
			continue;
		item->parent = item->to;
		if (item->window || item->hold > PCI_HOLD_CLAIMED)
			continue;
		item->hold = PCI_HOLD_PINNED;
		snprintf(build->of[i].why, sizeof(build->of->why), "%s",
			 "its driver is not known");
	}
}

/* A window of the host bridge, behind those that are there; 0, or -1 */
int build_add_host(struct build *build, u64 start, u64 end, bool pref, bool wide)
{
	struct pci_plan_host *windows;

	windows = realloc(build->windows, (build->plan.hosts + 1) * sizeof(*windows));
	if (!windows)
		return -1;

	windows[build->plan.hosts++] = (struct pci_plan_host){
		.start = start, .end = end, .pref = pref, .wide = wide,
	};
	build->windows = windows;
	build->plan.host = windows;
	return 0;
}

/* The addresses that begin next from @from on and are for what is prefetchable only */
static const struct pci_plan_item *build_next_barrier(const struct build *build, u64 from)
{
	const struct pci_plan_item *item, *found = NULL;
	unsigned int i;

	for (i = 1; i < build->plan.count; i++) {
		item = &build->plan.item[i];
		if (item->barrier && item->old.has && item->old.end >= from &&
		    (!found || item->old.start < found->old.start))
			found = item;
	}
	return found;
}

/**
 * build_guess_hosts - windows of a host bridge that a dump does not show
 * @build: the plan
 *
 * What is prefetchable has its own, and the rest is as good as one.
 *
 * Return: 0, or -1 if there is no memory.
 */
int build_guess_hosts(struct build *build)
{
	const struct pci_plan_place *root = &build->plan.item[0].old;
	const struct pci_plan_item *pref;
	u64 from = root->start;

	while (root->has && from <= root->end) {
		pref = build_next_barrier(build, from);
		if (!pref)
			return build_add_host(build, from, root->end, false, false);
		if (pref->old.start > from &&
		    build_add_host(build, from, pref->old.start - 1, false, false))
			return -1;
		if (pref->old.start > from)
			from = pref->old.start;
		if (build_add_host(build, from, pref->old.end, true, from > BUILD_32BIT))
			return -1;
		from = pref->old.end + 1;
	}
	return 0;
}

static void build_shift(unsigned int *index, unsigned int at)
{
	if (*index != PCI_PLAN_NO_ALT && *index >= at)
		++*index;
}

/* Make room for one more at @at; 0, or -1 if there is no memory */
static int build_open(struct build *build, unsigned int at)
{
	unsigned int count = build->plan.count, more = count - at, i;
	struct pci_plan_item *item;

	if (count == build->max && build_grow(build))
		return -1;

	item = build->plan.item;
	memmove(&item[at + 1], &item[at], more * sizeof(*item));
	memmove(&build->of[at + 1], &build->of[at], more * sizeof(*build->of));
	memset(&build->of[at], 0, sizeof(*build->of));
	memmove(&build->dumped[at + 1], &build->dumped[at], more * sizeof(*build->dumped));
	memset(&build->dumped[at], 0, sizeof(*build->dumped));
	for (i = at + 1; i <= count; i++) {
		build_shift(&item[i].parent, at);
		build_shift(&item[i].alt, at);
		build_shift(&item[i].to, at);
	}
	build->plan.count++;
	return 0;
}

/* One more in a plan that was dumped, at *@at, or NULL if there is no memory */
static struct pci_plan_item *build_insert(struct build *build, unsigned int *at,
					  unsigned int parent, const char *port,
					  const char *name)
{
	unsigned int i = (*at)++;
	struct pci_plan_item *item;

	if (build_open(build, i))
		return NULL;

	item = build_init(&build->plan.item[i]);
	item->parent = parent;
	build_name(build, i, "behind %s, %s", port, name);
	return item;
}

/* The windows of a bridge that is added, instead of those of the port */
static int build_insert_bridge(struct build *build, unsigned int *at, const char *port,
			       struct build_windows *windows)
{
	struct pci_plan_item *item;
	struct build_windows above = *windows;
	bool io = build->type == TOPO_IO;

	windows->mem = *at;
	item = build_insert(build, at, above.mem, port, io ? "I/O window" : "memory window");
	if (!item)
		return -1;
	item->window = true;
	item->align = io ? 0x1000 : 0x100000;
	item->limit = BUILD_32BIT;
	if (!above.split)
		return 0;

	windows->pref = *at;
	item = build_insert(build, at, above.pref, port, "prefetchable window");
	if (!item)
		return -1;
	item->window = true;
	item->pref = true;
	item->alt = windows->mem;
	item->second = true;
	item->align = 0x100000;
	if (!above.is64)
		item->limit = BUILD_32BIT;
	return 0;
}

/* Is an item of a dump one of a bridge? */
static bool build_is_of(const struct build *build, unsigned int i, const char *port)
{
	size_t length = strlen(port);

	return !strncmp(build->of[i].name, port, length) && build->of[i].name[length] == ' ';
}

/* The windows of a port, by its name; true if it has any */
static bool build_windows_of(const struct build *build, const char *port,
			     struct build_windows *windows)
{
	const struct pci_plan_item *item;
	bool found = false;
	unsigned int i;

	for (i = 1; i < build->plan.count; i++) {
		item = &build->plan.item[i];
		if (!item->window || !build_is_of(build, i, port))
			continue;
		found = true;
		if (item->pref) {
			windows->pref = i;
			windows->split = true;
			windows->is64 = item->limit > BUILD_32BIT;
		} else {
			windows->mem = i;
		}
	}
	return found;
}

/* Behind a port are its items and all that is inside of these; the first after that */
static unsigned int build_end(const struct build *build, unsigned int first,
			      const char *port)
{
	unsigned int i, in;

	for (i = first; i < build->plan.count; i++) {
		for (in = i; in > first && !build_is_of(build, in, port); )
			in = build->plan.item[in].parent;
		if (in < first || !build_is_of(build, in, port))
			break;
	}
	return i;
}

/* The first item of a port, BARs included */
static unsigned int build_first(const struct build *build, const char *port)
{
	unsigned int i = 1;

	while (i < build->plan.count && !build_is_of(build, i, port))
		i++;
	return i;
}

/* What asks for a place is behind the port, or anywhere if there are several */
static void build_added(struct build *build, const char *port, unsigned int end)
{
	unsigned int first = build_first(build, port), bridge = first;

	while (!build->plan.item[bridge].window)
		bridge++;
	if (build->greedy.last && build->greedy.bridge != bridge) {
		build_range(build, 1, 0);
		return;
	}
	build_range(build, first, bridge);
	build->greedy.last = end - 1;
}

/* I/O ports are wanted where those of the others are */
static u64 build_avoid(const struct build *build)
{
	u64 avoid = 0;
	unsigned int i;

	for (i = 1; i < build->plan.count; i++)
		avoid |= build->plan.item[i].avoid;
	return avoid;
}

/**
 * build_hotadd - add a device to a plan that was dumped
 * @build: the plan, after build_settle()
 * @port: name of the bridge that it is behind
 * @bar: its TOPO_BARS BARs
 * @bridge: it is behind one of its own
 *
 * Return: 1, 0 if the port has no windows here, or -1 if there is no memory.
 */
int build_hotadd(struct build *build, const char *port, const struct topo_res *bar,
		 bool bridge)
{
	struct build_windows windows = {};
	struct pci_plan_item *item;
	u64 avoid = build_avoid(build);
	unsigned int device, at, i;
	char name[16];

	if (!build_windows_of(build, port, &windows))
		return 0;
	at = build_end(build, build_first(build, port), port);
	if (bridge && build_insert_bridge(build, &at, port, &windows))
		return -1;

	device = build->plan.count;
	for (i = 0; i < TOPO_BARS; i++) {
		if (!bar[i].seen || bar[i].type != build->type)
			continue;
		snprintf(name, sizeof(name), "BAR %u", i);
		item = build_insert(build, &at, build_window_for(&windows, bar[i].pref,
								 bar[i].is64),
				    port, name);
		if (!item)
			return -1;
		item->device = device;
		item->size = bar[i].size;
		item->align = bar[i].size;
		item->avoid = avoid;
		item->pref = bar[i].pref;
		if (!bar[i].is64)
			item->limit = BUILD_32BIT;
	}
	build_added(build, port, at);
	return 1;
}

/**
 * build_make - describe the addresses below a host bridge
 * @build: build_free() it, also after a failure
 * @topo: machine
 * @host: index of the host bridge
 * @type: of the addresses
 * @mode: how things are to start with
 *
 * Return: 0, or -1 if there is no memory.
 */
int build_make(struct build *build, const struct topo *topo, unsigned int host,
	       enum topo_type type, enum build_mode mode)
{
	struct build_windows none = {};
	unsigned int max;

	memset(build, 0, sizeof(*build));
	build->topo = topo;
	build->host = &topo->host[host];
	build->domain = build->host->domain;
	build->bus = build->host->bus;
	build->type = type;
	build->mode = mode;

	/* Of each window of the host bridge come three items, and what is reserved */
	max = 1 + (4 + topo->foreign_count) * build->host->count +
	      TOPO_RES * topo->dev_count;
	if (build_alloc(build, max))
		return -1;

	build_begin(build);
	build_add_root(build);
	if (build_add_windows(build))
		return -1;
	build_add_bus(build, NULL, &none);
	if (!build->below)
		build_range(build, 1, 0);
	build_add_foreign(build);
	return 0;
}

void build_free(struct build *build)
{
	free(build->plan.item);
	free(build->of);
	free(build->windows);
	free(build->dumped);
	memset(build, 0, sizeof(*build));
}
