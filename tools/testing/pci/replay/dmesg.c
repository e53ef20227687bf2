// SPDX-License-Identifier: GPL-2.0
/*
 * What the kernel says about PCI, of any version since 3.10
 *
 * A line may have anything in front of the driver's and the device's name: a
 * time, a thread, what a logger of the user's adds.  What is not understood is
 * not about addresses; what starts like a line about them and can't be read is
 * an error.
 */
#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#include <linux/kernel.h>

#include "topo.h"

#define DMESG_MAX	0x1000000000000000ULL	/* no BAR is larger */

#define DMESG_TRANSPARENT	0x060401	/* a bridge that is */

/**
 * struct dmesg - a log being read
 * @topo: what it is about
 * @log: at the line that is read
 * @fail: what is wrong with it
 * @released: first line that says that a bus has lost its number, if what comes
 *	of it is not known yet
 * @renumbered: buses have got other numbers since then
 */
struct dmesg {
	struct topo	*topo;
	struct log	*log;
	struct fail	*fail;
	unsigned int	released;
	bool		renumbered;
};

static int dmesg_bad(struct dmesg *d, const char *what)
{
	return fail_at(d->fail, d->log->name, d->log->line,
		       "%s that can't be read: the line is damaged or cut off", what);
}

static int dmesg_no_memory(struct dmesg *d)
{
	return fail_at(d->fail, d->log->name, 0, "out of memory");
}

static void dmesg_place(struct topo_range *place, const struct scan_range *range)
{
	place->has = true;
	place->start = range->start;
	place->end = range->end;
}

static bool dmesg_is_window(int index)
{
	return index >= TOPO_WINDOW_IO;
}

/* Address 0 is what a BAR has that was never written */
static bool dmesg_placed(const struct topo_res *res, const struct scan_range *range,
			 bool window)
{
	if (!range->has || range->end < range->start || range->disabled)
		return false;

	return window || range->start || res->fixed;
}

static void dmesg_learn(struct topo_res *res, const struct scan_range *range,
			bool window)
{
	res->type = range->kind == SCAN_IO ? TOPO_IO : TOPO_MEM;
	res->pref = range->pref;
	res->is64 = range->is64;
	if (!window && range->size)
		res->size = range->size;
}

static void dmesg_reset(struct topo_dev *dev)
{
	dev->gone = 0;
	dev->secondary = 0;
	dev->subordinate = 0;
	dev->transparent = false;
	dev->hotplug = false;
	dev->driver[0] = '\0';
	memset(dev->res, 0, sizeof(dev->res));
}

/* What is gone is there again, and not every architecture says what it is */
static void dmesg_revive(struct topo_dev *dev, enum topo_fate fate)
{
	if (!dev->gone)
		return;
	/* What moves is in use: it has been there all along */
	if (fate == TOPO_MOVED) {
		dev->gone = 0;
		return;
	}
	dmesg_reset(dev);
	dev->header = TOPO_UNKNOWN;
	dev->class = TOPO_CLASS_UNKNOWN;
}

/* Where something is, or is to be, or is not */
static int dmesg_note(struct dmesg *d, struct topo_dev *dev, int index,
		      const struct scan_range *range, enum topo_fate fate)
{
	struct topo_res *res = &dev->res[index];
	bool window = dmesg_is_window(index);
	bool placed;

	if (range->kind != SCAN_IO && range->kind != SCAN_MEM)
		return 0;
	if (!window && range->has && range->end < range->start)
		return dmesg_bad(d, "a BAR that ends before it starts");
	if (!window && (!range->size || range->size > DMESG_MAX))
		return dmesg_bad(d, "a BAR of no possible size");

	dmesg_revive(dev, fate);
	placed = dmesg_placed(res, range, window);
	dmesg_learn(res, range, window);
	if (!res->seen) {
		res->seen = true;
		res->line = d->log->line;
		if (placed && fate == TOPO_SILENT)
			dmesg_place(&res->first, range);
	}

	res->fate = fate;
	res->told = d->log->line;
	res->last.has = false;
	if (placed && topo_works(res))
		dmesg_place(&res->last, range);
	return 0;
}

/* Which window a range without a number is */
static int dmesg_window_index(const struct scan_range *range)
{
	if (range->kind == SCAN_IO)
		return TOPO_WINDOW_IO;
	return range->pref ? TOPO_WINDOW_PREF : TOPO_WINDOW_MEM;
}

/*
 * What the kernel numbers 7 to 12 and 13 to 15 depends on its version and on
 * the device: windows of a bridge start at 7 or at 13, BARs of VFs at 7.
 */
static int dmesg_index(const struct topo_dev *dev, unsigned int number,
		       const struct scan_range *range)
{
	if (number <= TOPO_ROM)
		return number;
	if (dev->header == TOPO_BRIDGE && number < 16)
		return dmesg_window_index(range);
	if (dev->header == TOPO_ENDPOINT && number < TOPO_VF + TOPO_BARS)
		return number;
	return -1;
}

/* What is said about a range behind it */
static bool dmesg_fate(const char *tail, enum topo_fate *fate)
{
	scan_text(&tail, ":");
	scan_blank(&tail);
	if (!*tail)
		*fate = TOPO_SILENT;
	else if (scan_text(&tail, "assigned") || scan_text(&tail, "reassigned") ||
		 scan_text(&tail, "was [") || scan_text(&tail, "widened"))
		*fate = TOPO_ASSIGNED;
	else if (scan_text(&tail, "moved from ["))
		*fate = TOPO_MOVED;
	else if (scan_text(&tail, "can't assign") || scan_text(&tail, "failed to assign") ||
		 scan_text(&tail, "no space"))
		*fate = TOPO_FAILED;
	else if (scan_text(&tail, "can't claim") || scan_text(&tail, "no compatible") ||
		 scan_text(&tail, "address conflict"))
		*fate = TOPO_UNCLAIMED;
	else if (scan_text(&tail, "releasing") || scan_text(&tail, "released"))
		*fate = TOPO_RELEASED;
	else
		return false;
	return true;
}

static void dmesg_fix(struct topo_dev *dev, int index)
{
	dev->res[index].fixed = true;
}

/* The one VF's size is what all are aligned to */
static int dmesg_vf(struct dmesg *d, struct topo_dev *dev, unsigned int number,
		    const char *tail)
{
	struct topo_res *res = &dev->res[TOPO_VF + number];
	const char *p = strstr(tail, " for ");
	unsigned int count;

	if (!p)
		return dmesg_bad(d, "a number of VFs");
	p += strlen(" for ");
	if (!scan_number(&p, &count))
		return dmesg_bad(d, "a number of VFs");
	if (count)
		res->align = res->size / count;
	return 0;
}

/* "BAR 0 [...]", "VF BAR 0 [...]" or "ROM [...]" and what is behind it */
static int dmesg_named(struct dmesg *d, struct topo_dev *dev, int index,
		       const char *p)
{
	struct scan_range range;
	enum topo_fate fate;
	int ret;

	if (!scan_range(&p, &range))
		return dmesg_bad(d, "a BAR");
	if (index < 0)
		return 0;

	if (index >= TOPO_VF && !dmesg_is_window(index) && strstr(p, "contains BAR")) {
		ret = dmesg_note(d, dev, index, &range, TOPO_SILENT);
		return ret ? ret : dmesg_vf(d, dev, index - TOPO_VF, p);
	}
	if (strstr(p, "legacy IDE") || strstr(p, "Enhanced Allocation")) {
		dmesg_fix(dev, index);
		return dmesg_note(d, dev, index, &range, TOPO_SILENT);
	}
	if (!dmesg_fate(p, &fate))
		return 0;
	return dmesg_note(d, dev, index, &range, fate);
}

/* "assigned [...]" and the like, behind "BAR 0: " of older kernels */
static int dmesg_old_fate(struct dmesg *d, struct topo_dev *dev,
			  unsigned int number, const char *p)
{
	static const struct {
		const char	*text;
		enum topo_fate	fate;
	} fates[] = {
		{ "assigned ", TOPO_ASSIGNED },
		{ "reassigned ", TOPO_ASSIGNED },
		{ "no space for ", TOPO_FAILED },
		{ "failed to assign ", TOPO_FAILED },
		{ "releasing ", TOPO_RELEASED },
	};
	struct scan_range range;
	unsigned int i;
	int index;

	for (i = 0; i < ARRAY_SIZE(fates); i++) {
		if (!scan_text(&p, fates[i].text))
			continue;
		if (*p != '[')
			return 0;
		if (!scan_range(&p, &range))
			return dmesg_bad(d, "a BAR");
		index = dmesg_index(dev, number, &range);
		return index < 0 ? 0 : dmesg_note(d, dev, index, &range, fates[i].fate);
	}
	return 0;
}

/* Behind "BAR " */
static int dmesg_bar(struct dmesg *d, struct topo_dev *dev, const char *p)
{
	struct scan_range range = {};
	const char *peek;
	unsigned int n;

	if (!scan_number(&p, &n))
		return 0;
	if (scan_text(&p, ": "))
		return dmesg_old_fate(d, dev, n, p);
	if (!scan_text(&p, " ") || *p != '[')
		return 0;

	peek = p;
	if (!scan_range(&peek, &range))
		return dmesg_bad(d, "a BAR");
	return dmesg_named(d, dev, dmesg_index(dev, n, &range), p);
}

/* Behind "VF BAR " */
static int dmesg_vf_bar(struct dmesg *d, struct topo_dev *dev, const char *p)
{
	unsigned int n;

	if (!scan_number(&p, &n) || n >= TOPO_BARS || !scan_text(&p, " "))
		return 0;
	/* Alone it is the BAR of one VF */
	if (*p != '[' || p[strlen(p) - 1] == ']')
		return 0;
	return dmesg_named(d, dev, TOPO_VF + n, p);
}

/* Behind "VF(n) BAR": all of a kernel before 6.9 */
static int dmesg_vf_space(struct dmesg *d, struct topo_dev *dev, const char *p)
{
	struct scan_range range;
	unsigned int n;

	if (!scan_number(&p, &n) || n >= TOPO_BARS || !scan_text(&p, " space: "))
		return 0;
	if (!scan_range(&p, &range))
		return dmesg_bad(d, "a BAR of VFs");
	if (dmesg_note(d, dev, TOPO_VF + n, &range, TOPO_SILENT))
		return -1;
	return dmesg_vf(d, dev, n, p);
}

/* Behind "reg ": by the register, of which older kernels leave out the 0x */
static int dmesg_reg(struct dmesg *d, struct topo_dev *dev, const char *p, bool fixed)
{
	struct scan_range range;
	u64 reg;
	int index;

	scan_text(&p, "0x");
	if (!scan_hex(&p, 1, 4, &reg) || !scan_text(&p, ": ") || *p != '[')
		return 0;
	if (!scan_range(&p, &range))
		return dmesg_bad(d, "a BAR");

	if (reg >= 0x10 && reg < 0x28 && !(reg & 3))
		index = (reg - 0x10) / 4;
	else if (reg == 0x30 || reg == 0x38)
		index = TOPO_ROM;
	else
		return 0;	/* of one VF */

	if (fixed)
		dmesg_fix(dev, index);
	return dmesg_note(d, dev, index, &range, TOPO_SILENT);
}

/* What is shown at a bridge closes what is not */
static void dmesg_first_window(struct topo_dev *dev)
{
	int i;

	if (!dev->fresh)
		return;
	dev->fresh = false;
	for (i = TOPO_WINDOW_IO; i < TOPO_RES; i++)
		dev->res[i].last.has = false;
}

/* Behind "bridge window " */
static int dmesg_window(struct dmesg *d, struct topo_dev *dev, const char *p)
{
	struct scan_range range;
	enum topo_fate fate;

	if (!scan_range(&p, &range))
		return dmesg_bad(d, "a bridge window");
	if (dev->header == TOPO_CARDBUS)
		return 0;
	if (strstr(p, "(subtractive decode)")) {
		dev->transparent = true;
		return 0;
	}
	if (!dmesg_fate(p, &fate))
		return 0;

	if (dev->header == TOPO_UNKNOWN)
		dev->header = TOPO_BRIDGE;
	if (!*p)
		dmesg_first_window(dev);
	return dmesg_note(d, dev, dmesg_window_index(&range), &range, fate);
}

/* Behind "PCI bridge to " */
static int dmesg_bridge(struct dmesg *d, struct topo_dev *dev, const char *p)
{
	struct scan_range range;

	if (!scan_range(&p, &range) || range.kind != SCAN_BUS)
		return dmesg_bad(d, "a range of buses");
	if (range.end < range.start)
		return dmesg_bad(d, "a range of buses that ends before it starts");

	dmesg_revive(dev, TOPO_SILENT);
	if (dev->header == TOPO_UNKNOWN)
		dev->header = TOPO_BRIDGE;
	if (strstr(p, "(subtractive decode)"))
		dev->transparent = true;
	dev->fresh = true;
	/* Before it has been configured it says 00 */
	if (range.start) {
		dev->secondary = range.start;
		dev->subordinate = range.end;
	}
	return 0;
}

/* All numbers are what they are to be: from here on it is about something else */
static void dmesg_renumbered(struct dmesg *d)
{
	d->released = 0;
	d->renumbered = false;
	topo_renumbered(d->topo);
}

/*
 * "[bus 01-01] becomes [bus 04-ff]": there were no numbers for what was found.
 * All buses that change have lost their numbers before the first one is named
 * like this, a bridge before those behind it, by the name that it has then.
 */
static int dmesg_becomes(struct dmesg *d, struct topo_dev *dev, const char *p)
{
	struct scan_range from, to;

	if (!scan_range(&p, &from))
		return dmesg_bad(d, "a range of buses");
	if (!scan_text(&p, " becomes "))
		return 0;
	if (!scan_range(&p, &to) || to.kind != SCAN_BUS)
		return dmesg_bad(d, "a range of buses");
	if (from.end < from.start || to.end < to.start || !to.start)
		return dmesg_bad(d, "a range of buses that ends before it starts");

	if (!d->released)
		d->released = d->log->line;
	d->renumbered = true;
	topo_renumber(d->topo, dev->at.domain, from.start, to.start, d->released);
	if (dev->header == TOPO_UNKNOWN)
		dev->header = TOPO_BRIDGE;
	dev->secondary = to.start;
	dev->subordinate = to.end;
	return 0;
}

/* "[8086:9d10] type 01 class 0x060400": a function has been found */
static int dmesg_type(struct dmesg *d, struct topo_dev *dev, const char *p)
{
	u64 vendor, device, type, class;

	if (!scan_hex(&p, 4, 4, &vendor) || !scan_text(&p, ":") ||
	    !scan_hex(&p, 4, 4, &device) || !scan_text(&p, "] type "))
		return 0;
	if (!scan_hex(&p, 2, 2, &type) || !scan_text(&p, " class ") ||
	    !scan_0x(&p, &class) || class > 0xffffff)
		return dmesg_bad(d, "a type");

	dmesg_renumbered(d);
	/* In its place there has been another, or the same before it was removed */
	if (dev->found || dev->gone) {
		if (dev->secondary)
			topo_remove_bus(d->topo, dev->at.domain, dev->secondary,
					d->log->line);
		dmesg_reset(dev);
	}
	dev->found = d->log->line;
	dev->vendor = vendor;
	dev->device = device;
	dev->class = class >> 8;
	if (class == DMESG_TRANSPARENT)
		dev->transparent = true;
	/* Of another type it is ignored, as it does not work */
	dev->header = (type & 0x7f) <= TOPO_CARDBUS ? (int)type & 0x7f : TOPO_UNKNOWN;
	return 0;
}

static int dmesg_unclaimed(struct dmesg *d, struct topo_dev *dev, const char *p)
{
	struct scan_range range;
	unsigned int n;
	int index;

	if (!scan_number(&p, &n) || !scan_text(&p, " ") || *p != '[')
		return 0;
	if (!scan_range(&p, &range))
		return dmesg_bad(d, "a BAR");
	index = dmesg_index(dev, n, &range);
	return index < 0 ? 0 : dmesg_note(d, dev, index, &range, TOPO_UNCLAIMED);
}

/* Its ROM is where the firmware has put a copy */
static int dmesg_shadow(struct dmesg *d, struct topo_dev *dev, const char *p)
{
	struct scan_range range;

	if (!scan_text(&p, " at "))
		return 0;
	if (!scan_range(&p, &range))
		return dmesg_bad(d, "a ROM");
	dmesg_fix(dev, TOPO_ROM);
	return dmesg_note(d, dev, TOPO_ROM, &range, TOPO_SILENT);
}

/* Behind "pciehp: Slot(": what is in it is about to be removed, or that is called off */
static void dmesg_slot(struct dmesg *d, struct topo_dev *dev, const char *p)
{
	const char *what = strstr(p, "): ");

	if (!what || !dev->secondary)
		return;

	what += strlen("): ");
	if (!strcmp(what, "Button press: canceling request to power off")) {
		topo_restore(d->topo, dev->pressed);
		return;
	}
	if (!strcmp(what, "Button press: will power off in 5 sec"))
		dev->pressed = d->log->line;
	else if (strcmp(what, "Link Down") && strcmp(what, "Card not present"))
		return;
	topo_remove_bus(d->topo, dev->at.domain, dev->secondary, d->log->line);
}

static int dmesg_message(struct dmesg *d, struct topo_dev *dev, const char *p)
{
	scan_blank(&p);
	if (scan_text(&p, "[bus "))
		return dmesg_becomes(d, dev, p - strlen("[bus "));
	if (scan_text(&p, "["))
		return dmesg_type(d, dev, p);
	if (scan_text(&p, "reg "))
		return dmesg_reg(d, dev, p, false);
	if (scan_text(&p, "legacy IDE quirk: reg "))
		return dmesg_reg(d, dev, p, true);
	if (scan_text(&p, "BAR "))
		return dmesg_bar(d, dev, p);
	if (scan_text(&p, "VF BAR "))
		return dmesg_vf_bar(d, dev, p);
	if (scan_text(&p, "VF(n) BAR"))
		return dmesg_vf_space(d, dev, p);
	if (scan_text(&p, "ROM ["))
		return dmesg_named(d, dev, TOPO_ROM, p - 1);
	if (scan_text(&p, "bridge window ") && *p == '[')
		return dmesg_window(d, dev, p);
	if (scan_text(&p, "PCI bridge to ") || scan_text(&p, "CardBus bridge to "))
		return dmesg_bridge(d, dev, p);
	if (scan_text(&p, "can't claim BAR "))
		return dmesg_unclaimed(d, dev, p);
	if (scan_text(&p, "Video device with shadowed ROM"))
		return dmesg_shadow(d, dev, p);
	if (scan_text(&p, "pciehp: Slot("))
		dmesg_slot(d, dev, p);
	else if (strstr(p, "Slot #") && strstr(p, "HotPlug+"))
		dev->hotplug = true;
	return 0;
}

/* Is it the name of the bus, or of what comes with a bridge? */
static bool dmesg_is_driver(const char *name, size_t length)
{
	static const char * const none[] = { "pci", "pcieport", "PCI", "shpchp",
					     "pciehp", "acpiphp", "device" };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(none); i++)
		if (strlen(none[i]) == length && !strncmp(name, none[i], length))
			return false;
	for (i = 0; i < length; i++)
		if (!isalnum((unsigned char)name[i]) && name[i] != '_' && name[i] != '-')
			return false;
	return length;
}

static void dmesg_driver(struct topo_dev *dev, const char *line, const char *at)
{
	const char *end = at, *start;
	size_t length;

	while (end > line && end[-1] == ' ')
		end--;
	for (start = end; start > line && start[-1] != ' '; )
		start--;

	length = end - start;
	if (!dmesg_is_driver(start, length) || dev->driver[0])
		return;
	if (length >= sizeof(dev->driver))
		length = sizeof(dev->driver) - 1;
	memcpy(dev->driver, start, length);
	dev->driver[length] = '\0';
}

/* A function with a message behind it; its service may be named as well */
static bool dmesg_find_dev(const char *line, const char **at, const char **message,
			   struct bdf *bdf)
{
	const char *p, *q;
	u64 service;

	for (p = line; *p; p++) {
		q = p;
		if ((p != line && p[-1] != ' ') || !scan_bdf(&q, bdf))
			continue;
		if (scan_text(&q, ":pcie") && !scan_hex(&q, 1, 4, &service))
			return false;
		*at = p;
		*message = q + 1;
		return *q == ':';
	}
	return false;
}

static int dmesg_root(struct dmesg *d, const struct bdf *bus, const char *p)
{
	struct topo_window window = {};
	struct scan_range range, at_bus;
	struct topo_host *host = topo_host(d->topo, bus->domain, bus->bus);
	u64 start;

	if (!host)
		return dmesg_no_memory(d);
	if (!host->line)
		host->line = d->log->line;
	if (!scan_range(&p, &range))
		return dmesg_bad(d, "a window of a root bus");
	if (range.kind != SCAN_IO && range.kind != SCAN_MEM)
		return 0;
	if (range.end < range.start)
		return dmesg_bad(d, "a window of a root bus that ends before it starts");

	scan_blank(&p);
	start = range.start;
	if (scan_text(&p, "(bus address [") &&
	    (!scan_0x(&p, &start) || !scan_text(&p, "-") || !scan_0x(&p, &at_bus.end)))
		return dmesg_bad(d, "an address on a bus");

	if (start > ~0ULL - (range.end - range.start))
		return dmesg_bad(d, "an address on a bus");

	window.type = range.kind == SCAN_IO ? TOPO_IO : TOPO_MEM;
	window.pref = range.pref;
	window.is64 = range.is64;
	window.start = range.start;
	window.end = range.end;
	window.offset = range.start - start;
	return topo_add_window(host, &window) ? dmesg_no_memory(d) : 0;
}

/*
 * A bus has lost its number, which is in brackets.  If it is called otherwise, it
 * is about to get another one; if not, it is removed, unless it turns out to get
 * the same one again.  The bridge to it is removed with it.
 */
static int dmesg_released(struct dmesg *d, const struct bdf *bus, const char *p)
{
	struct scan_range range;
	struct topo_dev *bridge;

	if (!scan_range(&p, &range) || range.kind != SCAN_BUS)
		return dmesg_bad(d, "a range of buses");
	if (!scan_text(&p, " is released"))
		return 0;

	if (d->renumbered)
		dmesg_renumbered(d);
	if (!d->released)
		d->released = d->log->line;
	if (range.start != bus->bus)
		return 0;

	topo_remove_bus(d->topo, bus->domain, bus->bus, d->log->line);
	bridge = topo_bridge_to(d->topo, bus->domain, bus->bus);
	if (bridge)
		bridge->gone = d->log->line;
	return 0;
}

/* "pci_bus 0000:01: ..." */
static int dmesg_bus(struct dmesg *d, const char *p)
{
	struct bdf bus;

	if (!scan_bus(&p, &bus) || !scan_text(&p, ": "))
		return 0;
	if (scan_text(&p, "root bus resource "))
		return dmesg_root(d, &bus, p);
	if (scan_text(&p, "busn_res: ") && strstr(p, "is released"))
		return dmesg_released(d, &bus, p);
	return 0;
}

/* "[mem 0x...-0x...] has been reserved", as said of what the firmware lists */
static int dmesg_reserved(struct dmesg *d, const char *line)
{
	const char *p = strchr(line, '['), *q;
	struct scan_range range;

	for (; p; p = strchr(p + 1, '[')) {
		q = p;
		if (!scan_range(&q, &range) || strcmp(q, " has been reserved") ||
		    !range.size)
			continue;
		if (range.kind != SCAN_IO && range.kind != SCAN_MEM)
			continue;
		if (topo_add_foreign(d->topo, range.kind == SCAN_IO ? TOPO_IO : TOPO_MEM,
				     range.start, range.end))
			return dmesg_no_memory(d);
	}
	return 0;
}

/* The firmware's map: whatever is in it is not for devices */
static int dmesg_e820(struct dmesg *d, const char *p)
{
	struct scan_range range;

	d->topo->x86 = true;
	scan_blank(&p);
	if (!scan_range(&p, &range) || range.kind != SCAN_MEM || !range.size)
		return 0;
	if (topo_add_foreign(d->topo, TOPO_MEM, range.start, range.end))
		return dmesg_no_memory(d);
	return 0;
}

/* "PCI: Cannot allocate resource region 0 of device 0000:00:1f.0, will remap" */
static void dmesg_remap(struct dmesg *d, const char *p)
{
	struct topo_dev *dev;
	struct bdf bdf;
	unsigned int n;

	if (!scan_number(&p, &n) || n > TOPO_ROM || !scan_text(&p, " of device ") ||
	    !scan_bdf(&p, &bdf))
		return;
	dev = topo_find(d->topo, &bdf);
	if (!dev)
		return;
	dev->res[n].fate = TOPO_UNCLAIMED;
	dev->res[n].last.has = false;
}

/* What the kernel may take from, if a window starts at 0 */
static void dmesg_available(struct dmesg *d, const char *line)
{
	const char *p = strstr(line, "[mem 0x");
	struct scan_range range;

	d->topo->x86 = true;
	if (p && scan_range(&p, &range))
		d->topo->mem_start = range.start;
}

/* What no device is named in front of */
static int dmesg_other(struct dmesg *d, const char *line)
{
	const char *p;
	struct bdf bdf;

	p = strstr(line, "Linux version ");
	if (p && isdigit((unsigned char)p[14])) {
		topo_restart(d->topo);
		return 0;
	}
	p = strstr(line, "BIOS-e820: ");
	if (p)
		return dmesg_e820(d, p + strlen("BIOS-e820: "));
	if (strstr(line, "PCI: Using configuration type"))
		d->topo->x86 = true;
	if (strstr(line, "available for PCI devices"))
		dmesg_available(d, line);
	p = strstr(line, "Cannot allocate resource region ");
	if (p)
		dmesg_remap(d, p + strlen("Cannot allocate resource region "));
	p = strstr(line, "PCI host bridge to bus ");
	if (!p)
		return dmesg_reserved(d, line);

	p += strlen("PCI host bridge to bus ");
	if (!scan_bus(&p, &bdf))
		return dmesg_bad(d, "a root bus");
	return topo_host(d->topo, bdf.domain, bdf.bus) ? 0 : dmesg_no_memory(d);
}

static int dmesg_line(struct dmesg *d, char *line)
{
	const char *at, *message, *bus;
	struct topo_dev *dev;
	struct bdf bdf;
	size_t length = strlen(line);

	while (length && isspace((unsigned char)line[length - 1]))
		line[--length] = '\0';

	if (dmesg_find_dev(line, &at, &message, &bdf)) {
		dev = topo_get(d->topo, &bdf);
		if (!dev)
			return dmesg_no_memory(d);
		if (!dev->line)
			dev->line = d->log->line;
		dmesg_driver(dev, line, at);
		return dmesg_message(d, dev, message);
	}
	bus = strstr(line, "pci_bus ");
	if (bus)
		return dmesg_bus(d, bus + strlen("pci_bus "));
	return dmesg_other(d, line);
}

/**
 * dmesg_read - read what a kernel has said
 * @topo: what is found goes here
 * @log: from the first line on
 * @fail: what is wrong
 *
 * Return: 0, or -1 with @fail.
 */
int dmesg_read(struct topo *topo, struct log *log, struct fail *fail)
{
	struct dmesg d = { .topo = topo, .log = log, .fail = fail };
	char *line;

	log_rewind(log);
	while ((line = log_next(log)))
		if (dmesg_line(&d, line))
			return -1;
	if (topo_replace(topo))
		return dmesg_no_memory(&d);
	topo_forget(topo);
	return 0;
}
