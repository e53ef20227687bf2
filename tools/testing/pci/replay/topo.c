// SPDX-License-Identifier: GPL-2.0
/* The PCI devices of a machine, as its log shows them */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/kernel.h>

#include "topo.h"

#define TOPO_DEPTH	256	/* no more buses than this can be nested */

void topo_init(struct topo *topo, const char *name)
{
	memset(topo, 0, sizeof(*topo));
	topo->name = name;
}

static void topo_clear(struct topo *topo)
{
	unsigned int i;

	for (i = 0; i < topo->dev_count; i++)
		free(topo->dev[i]);
	for (i = 0; i < topo->host_count; i++)
		free(topo->host[i].window);
	free(topo->dev);
	free(topo->host);
	free(topo->foreign);
}

void topo_free(struct topo *topo)
{
	topo_clear(topo);
	topo_init(topo, topo->name);
}

/* The kernel starts once more: what was before is of no interest */
void topo_restart(struct topo *topo)
{
	unsigned int boots = topo->boots, only = topo->only;

	topo_free(topo);
	topo->only = only;
	topo->boots = boots + 1;
}

/* Room for one more; the arrays grow by doubling */
static void *topo_grow(void *array, unsigned int count, size_t size)
{
	if (count & (count - 1))
		return array;

	return realloc(array, (count ? 2 * count : 1) * size);
}

static int topo_compare(const struct bdf *a, const struct bdf *b)
{
	if (a->domain != b->domain)
		return a->domain < b->domain ? -1 : 1;
	if (a->bus != b->bus)
		return a->bus < b->bus ? -1 : 1;
	return a->devfn < b->devfn ? -1 : a->devfn > b->devfn;
}

/* Of two in one place, one is gone, or has still to get its own in a change */
static bool topo_prefers(const struct topo_dev *a, const struct topo_dev *b)
{
	if (a->renumbered != b->renumbered)
		return a->renumbered;
	return b->gone && !a->gone;
}

struct topo_dev *topo_find(const struct topo *topo, const struct bdf *at)
{
	struct topo_dev *found = NULL;
	unsigned int i;

	for (i = 0; i < topo->dev_count; i++)
		if (!topo_compare(&topo->dev[i]->at, at) &&
		    (!found || topo_prefers(topo->dev[i], found)))
			found = topo->dev[i];
	return found;
}

/* NULL if there is no memory */
struct topo_dev *topo_add(struct topo *topo, const struct bdf *at)
{
	struct topo_dev **devs, *dev = calloc(1, sizeof(*dev));

	devs = topo_grow(topo->dev, topo->dev_count, sizeof(struct topo_dev *));
	if (devs)
		topo->dev = devs;
	if (!devs || !dev) {
		free(dev);
		return NULL;
	}

	dev->at = *at;
	dev->header = TOPO_UNKNOWN;
	dev->class = TOPO_CLASS_UNKNOWN;
	dev->host = -1;
	topo->dev[topo->dev_count++] = dev;
	return dev;
}

struct topo_dev *topo_get(struct topo *topo, const struct bdf *at)
{
	struct topo_dev *dev = topo_find(topo, at);

	return dev ? dev : topo_add(topo, at);
}

struct topo_dev *topo_bridge_to(const struct topo *topo, unsigned int domain,
				unsigned int bus)
{
	unsigned int i;

	for (i = 0; bus && i < topo->dev_count; i++)
		if (topo->dev[i]->at.domain == domain &&
		    topo->dev[i]->secondary == bus && !topo->dev[i]->gone)
			return topo->dev[i];
	return NULL;
}

/* The host bridge with a root bus; a new one if there is none, or NULL */
struct topo_host *topo_host(struct topo *topo, unsigned int domain, unsigned int bus)
{
	struct topo_host *host;
	unsigned int i;

	for (i = 0; i < topo->host_count; i++)
		if (topo->host[i].domain == domain && topo->host[i].bus == bus)
			return &topo->host[i];

	host = topo_grow(topo->host, topo->host_count, sizeof(*host));
	if (!host)
		return NULL;

	topo->host = host;
	host += topo->host_count++;
	memset(host, 0, sizeof(*host));
	host->domain = domain;
	host->bus = bus;
	return host;
}

/* The same one again is the same one */
int topo_add_window(struct topo_host *host, const struct topo_window *window)
{
	struct topo_window *w;
	unsigned int i;

	for (i = 0; i < host->count; i++) {
		w = &host->window[i];
		if (w->type == window->type && w->start == window->start &&
		    w->end == window->end)
			return 0;
	}

	w = topo_grow(host->window, host->count, sizeof(*w));
	if (!w)
		return -1;

	host->window = w;
	w[host->count++] = *window;
	return 0;
}

int topo_add_foreign(struct topo *topo, enum topo_type type, u64 start, u64 end)
{
	struct topo_foreign *f;

	f = topo_grow(topo->foreign, topo->foreign_count, sizeof(*f));
	if (!f)
		return -1;

	topo->foreign = f;
	f[topo->foreign_count++] = (struct topo_foreign){ type, start, end };
	return 0;
}

static bool topo_is_on(const struct topo_dev *dev, unsigned int domain, unsigned int bus)
{
	return dev->at.domain == domain && dev->at.bus == bus;
}

/* From @line on the devices of a bus are gone, and what is behind them */
void topo_remove_bus(struct topo *topo, unsigned int domain, unsigned int bus,
		     unsigned int line)
{
	struct topo_dev *dev;
	unsigned int i;

	for (i = 0; i < topo->dev_count; i++) {
		dev = topo->dev[i];
		if (dev->gone || !topo_is_on(dev, domain, bus))
			continue;
		dev->gone = line;
		if (dev->secondary)
			topo_remove_bus(topo, domain, dev->secondary, line);
	}
}

/* What has been gone since @line is there after all */
void topo_restore(struct topo *topo, unsigned int line)
{
	unsigned int i;

	for (i = 0; i < topo->dev_count; i++)
		if (topo->dev[i]->gone == line)
			topo->dev[i]->gone = 0;
}

/**
 * topo_renumber - a bus gets another number, or gets its own one back
 * @topo: machine
 * @domain: of the bus
 * @from: number that it had
 * @to: number that it gets
 * @since: line of the log from which on it had none
 *
 * Several buses may change numbers at once: what is on @to by now is on a bus
 * whose turn is still to come.
 */
void topo_renumber(struct topo *topo, unsigned int domain, unsigned int from,
		   unsigned int to, unsigned int since)
{
	struct topo_dev *dev;
	unsigned int i;

	for (i = 0; i < topo->dev_count; i++) {
		dev = topo->dev[i];
		if (dev->renumbered || !topo_is_on(dev, domain, from) ||
		    (dev->gone && dev->gone < since))
			continue;
		dev->at.bus = to;
		dev->gone = 0;
		dev->renumbered = true;
	}
}

/* All buses have the numbers that they are to have */
void topo_renumbered(struct topo *topo)
{
	unsigned int i;

	for (i = 0; i < topo->dev_count; i++)
		topo->dev[i]->renumbered = false;
}

/* A BAR with an address */
struct topo_bar {
	struct topo_dev		*dev;
	const struct topo_res	*res;
};

static int topo_by_start(const void *a, const void *b)
{
	const struct topo_range *x = &((const struct topo_bar *)a)->res->last;
	const struct topo_range *y = &((const struct topo_bar *)b)->res->last;

	return x->start < y->start ? -1 : x->start > y->start;
}

static unsigned int topo_list_bars(const struct topo *topo, struct topo_bar *bar)
{
	unsigned int i, count = 0;
	struct topo_dev *dev;
	int k;

	for (i = 0; i < topo->dev_count; i++) {
		dev = topo->dev[i];
		for (k = 0; k < TOPO_BARS && !dev->gone; k++)
			if (dev->res[k].seen && dev->res[k].last.has)
				bar[count++] = (struct topo_bar){ dev, &dev->res[k] };
	}
	return count;
}

/* All functions of a device are taken out together */
static void topo_remove_slot(struct topo *topo, const struct topo_dev *gone,
			     unsigned int line)
{
	struct topo_dev *dev;
	unsigned int i;
	bool stays;
	int k;

	for (i = 0; i < topo->dev_count; i++) {
		dev = topo->dev[i];
		if (dev->gone || !topo_is_on(dev, gone->at.domain, gone->at.bus) ||
		    dev->at.devfn >> 3 != gone->at.devfn >> 3)
			continue;
		/* Unless there is more to be said about one */
		stays = dev->found > line;
		for (k = 0; k < TOPO_RES; k++)
			stays |= dev->res[k].told > line;
		if (stays)
			continue;
		dev->gone = line;
		if (dev->secondary)
			topo_remove_bus(topo, dev->at.domain, dev->secondary, line);
	}
}

/*
 * Is an address that one device had by then another's?  What the firmware leaves
 * need not be true, but what the kernel gives to one is no other's.
 */
static bool topo_replaces(const struct topo_bar *newer, const struct topo_bar *older)
{
	if (newer->res->fate != TOPO_ASSIGNED && newer->res->fate != TOPO_MOVED &&
	    older->res->fate != TOPO_ASSIGNED && older->res->fate != TOPO_MOVED)
		return false;

	return newer->res->told > older->res->told &&
	       (newer->res->fate == TOPO_MOVED || newer->dev->found > older->res->told);
}

static void topo_replace_one(struct topo *topo, const struct topo_bar *a,
			     const struct topo_bar *b)
{
	if (a->dev == b->dev || a->dev->at.domain != b->dev->at.domain ||
	    a->res->type != b->res->type || a->res->fixed || b->res->fixed)
		return;

	if (topo_replaces(a, b))
		topo_remove_slot(topo, b->dev, a->res->told);
	else if (topo_replaces(b, a))
		topo_remove_slot(topo, a->dev, b->res->told);
}

/**
 * topo_replace - find out what has gone without a word
 * @topo: machine, as the whole log has it
 *
 * The kernel says nothing when it removes a device other than a bridge, but it
 * may give the addresses to another one then.
 *
 * Return: 0, or -1 if there is no memory.
 */
int topo_replace(struct topo *topo)
{
	struct topo_bar *bar;
	unsigned int count, i, k;

	bar = calloc(topo->dev_count * TOPO_BARS + 1, sizeof(*bar));
	if (!bar)
		return -1;

	count = topo_list_bars(topo, bar);
	qsort(bar, count, sizeof(*bar), topo_by_start);
	for (i = 0; i < count; i++)
		for (k = i + 1; k < count && bar[k].res->last.start <= bar[i].res->last.end; k++)
			topo_replace_one(topo, &bar[i], &bar[k]);
	free(bar);
	return 0;
}

/* At the end, leave out what is gone */
void topo_forget(struct topo *topo)
{
	unsigned int i, count = 0;

	for (i = 0; i < topo->dev_count; i++) {
		if (!topo->dev[i]->gone) {
			topo->dev[count++] = topo->dev[i];
			continue;
		}
		topo->removed++;
		free(topo->dev[i]);
	}
	topo->dev_count = count;
}

static bool topo_within(const struct topo_range *outer, const struct topo_range *inner)
{
	return outer->has && outer->start <= inner->start && inner->end <= outer->end;
}

/* The window of the host bridge that addresses are in, or NULL */
const struct topo_window *topo_window_of(const struct topo_host *host,
					 enum topo_type type,
					 const struct topo_range *range)
{
	const struct topo_window *w;
	unsigned int i;

	for (i = 0; i < host->count; i++) {
		w = &host->window[i];
		if (w->type == type && w->start <= range->start &&
		    range->end <= w->end)
			return w;
	}
	return NULL;
}

/* From an address on the bus to that of the CPU */
u64 topo_offset(const struct topo_host *host, enum topo_type type,
		const struct topo_range *range)
{
	const struct topo_window *w = topo_window_of(host, type, range);

	return w ? w->offset : 0;
}

/* What the kernel assigns no address to: it is where it is */
bool topo_stays(const struct topo_dev *dev, int index)
{
	return dev->res[index].fixed || dev->class == TOPO_CLASS_NONE ||
	       dev->class == TOPO_CLASS_HOST || dev->class == TOPO_CLASS_PIC;
}

/* Is it in a window of the bridge above, and of that above it, and so on? */
static bool topo_routed(const struct topo *topo, const struct topo_dev *dev,
			const struct topo_res *res)
{
	const struct topo_dev *bridge;
	int i;

	for (bridge = dev->parent; bridge; bridge = bridge->parent) {
		if (bridge->transparent)
			continue;
		for (i = TOPO_WINDOW_IO; i <= TOPO_WINDOW_PREF; i++)
			if (bridge->res[i].type == res->type &&
			    topo_within(&bridge->res[i].last, &res->last))
				break;
		if (i > TOPO_WINDOW_PREF)
			return false;
	}

	return dev->host >= 0 &&
	       topo_window_of(&topo->host[dev->host], res->type, &res->last);
}

/* Has the kernel of the log left an address as it is, or given it? */
bool topo_works(const struct topo_res *res)
{
	return res->fate == TOPO_SILENT || res->fate == TOPO_ASSIGNED ||
	       res->fate == TOPO_MOVED;
}

/* Does the log leave a BAR with an address that works? */
bool topo_has(const struct topo *topo, const struct topo_dev *dev, int index)
{
	const struct topo_res *res = &dev->res[index];

	return res->seen && res->last.has && topo_works(res) &&
	       topo_routed(topo, dev, res);
}

struct topo_label topo_name(const struct bdf *at)
{
	struct topo_label label;

	snprintf(label.text, sizeof(label.text), "%04x:%02x:%02x.%x", at->domain,
		 at->bus, at->devfn >> 3, at->devfn & 7);
	return label;
}

struct topo_label topo_res_name(const struct topo_dev *dev, int index)
{
	static const char * const window[] = { "I/O", "memory", "prefetchable" };
	struct topo_label label;
	size_t size = sizeof(label.text);

	if (index < TOPO_ROM)
		snprintf(label.text, size, "BAR %d", index);
	else if (index == TOPO_ROM)
		snprintf(label.text, size, "ROM");
	else if (index < TOPO_WINDOW_IO)
		snprintf(label.text, size, "VF BAR %d", index - TOPO_VF);
	else
		snprintf(label.text, size, "%s window", window[index - TOPO_WINDOW_IO]);
	return label;
}

struct topo_label topo_hex(u64 start, u64 end)
{
	struct topo_label label;

	snprintf(label.text, sizeof(label.text), "%llx-%llx", (unsigned long long)start,
		 (unsigned long long)end);
	return label;
}

struct topo_label topo_text(enum topo_type type, const struct topo_range *range)
{
	const char *kind = type == TOPO_IO ? "io" : "mem";
	struct topo_label label;
	size_t size = sizeof(label.text);

	if (range->has)
		snprintf(label.text, size, "[%s %.50s]", kind,
			 topo_hex(range->start, range->end).text);
	else
		snprintf(label.text, size, "none");
	return label;
}

static int topo_by_place(const void *a, const void *b)
{
	struct topo_dev *const *x = a, *const *y = b;

	return topo_compare(&(*x)->at, &(*y)->at);
}

static int topo_host_by_place(const void *a, const void *b)
{
	const struct topo_host *x = a, *y = b;
	struct bdf p = { x->domain, x->bus, 0 }, q = { y->domain, y->bus, 0 };

	return topo_compare(&p, &q);
}

static int topo_host_of_bus(const struct topo *topo, const struct bdf *at)
{
	unsigned int i;

	for (i = 0; i < topo->host_count; i++)
		if (topo->host[i].domain == at->domain &&
		    topo->host[i].bus == at->bus)
			return i;
	return -1;
}

/* Two bridges to one bus, and bridges that lead to each other */
static int topo_check_buses(struct topo *topo, struct fail *fail)
{
	struct topo_dev *dev, *other;
	unsigned int i, depth;

	for (i = 0; i < topo->dev_count; i++) {
		dev = topo->dev[i];
		if (!dev->secondary)
			continue;
		other = topo_bridge_to(topo, dev->at.domain, dev->secondary);
		if (other != dev)
			return fail_at(fail, topo->name, dev->line,
				       "%s and %s both lead to bus %02x",
				       topo_name(&other->at).text,
				       topo_name(&dev->at).text, dev->secondary);
	}

	for (i = 0; i < topo->dev_count; i++) {
		dev = topo->dev[i];
		for (depth = 0; dev; depth++) {
			if (depth > TOPO_DEPTH)
				return fail_at(fail, topo->name, topo->dev[i]->line,
					       "the bridges above %s lead to each other",
					       topo_name(&topo->dev[i]->at).text);
			dev = dev->parent;
		}
	}
	return 0;
}

static void topo_link(struct topo *topo)
{
	struct topo_dev *dev, *top;
	unsigned int i, depth;

	for (i = 0; i < topo->dev_count; i++) {
		dev = topo->dev[i];
		dev->parent = NULL;
		if (topo_host_of_bus(topo, &dev->at) < 0)
			dev->parent = topo_bridge_to(topo, dev->at.domain, dev->at.bus);
	}
	for (i = 0; i < topo->dev_count; i++) {
		top = topo->dev[i];
		for (depth = 0; top->parent && depth <= TOPO_DEPTH; depth++)
			top = top->parent;
		topo->dev[i]->host = topo_host_of_bus(topo, &top->at);
	}
}

static bool topo_has_bars(const struct topo_dev *dev)
{
	int i;

	for (i = 0; i < TOPO_WINDOW_IO; i++)
		if (dev->res[i].seen)
			return true;
	return false;
}

/* Is anything missing that a device can't be replayed without? */
static int topo_check_dev(struct topo *topo, struct topo_dev *dev, struct fail *fail)
{
	if (!topo_has_bars(dev))
		return 0;
	if (dev->header == TOPO_UNKNOWN)
		return fail_at(fail, topo->name, dev->line,
			       "not complete enough: %s has BARs, but the line with its type is missing",
			       topo_name(&dev->at).text);
	if (dev->host < 0)
		return fail_at(fail, topo->name, dev->line,
			       "not complete enough: nothing leads to the bus of %s",
			       topo_name(&dev->at).text);
	return 0;
}

/* An address in use has to be in a window of the host bridge */
static int topo_check_window(struct topo *topo, struct topo_dev *dev, int index,
			     struct fail *fail)
{
	const struct topo_host *host = &topo->host[dev->host];
	const struct topo_res *res = &dev->res[index];
	unsigned int i;

	if (!res->seen || !res->last.has || topo_stays(dev, index) ||
	    topo_window_of(host, res->type, &res->last))
		return 0;

	/* A ROM or VFs that nobody has enabled may have anything there */
	if (!topo_works(res) || (res->fate == TOPO_SILENT && index >= TOPO_ROM))
		return 0;

	for (i = 0; i < host->count; i++)
		if (host->window[i].type == res->type)
			return fail_at(fail, topo->name, res->line,
				       "not complete enough: %s %s %s is in no window of root bus %04x:%02x that is shown",
				       topo_name(&dev->at).text,
				       topo_res_name(dev, index).text,
				       topo_text(res->type, &res->last).text,
				       host->domain, host->bus);

	return fail_at(fail, topo->name, res->line,
		       "not complete enough: no %s window of root bus %04x:%02x is shown, and %s has %s %s",
		       res->type == TOPO_IO ? "I/O" : "memory", host->domain,
		       host->bus, topo_name(&dev->at).text,
		       topo_res_name(dev, index).text,
		       topo_text(res->type, &res->last).text);
}

static int topo_check_res(struct topo *topo, struct topo_dev *dev, int index,
			  struct fail *fail)
{
	const struct topo_res *res = &dev->res[index];

	if (topo->only && !(topo->only & 1 << res->type))
		return 0;
	if (res->seen && res->last.has && !res->size && !topo_stays(dev, index))
		return fail_at(fail, topo->name, res->line,
			       "not complete enough: the size of %s %s is not shown",
			       topo_name(&dev->at).text,
			       topo_res_name(dev, index).text);

	return topo_check_window(topo, dev, index, fail);
}

static int topo_check(struct topo *topo, struct fail *fail)
{
	struct topo_dev *dev;
	bool any = false;
	unsigned int i;
	int index;

	for (i = 0; i < topo->dev_count; i++) {
		dev = topo->dev[i];
		if (topo_check_dev(topo, dev, fail))
			return -1;
		if (dev->host < 0)
			continue;
		for (index = 0; index < TOPO_WINDOW_IO; index++)
			if (topo_check_res(topo, dev, index, fail))
				return -1;
		any |= topo_has_bars(dev);
	}
	if (!any)
		return fail_at(fail, topo->name, 0, "not complete enough: no BAR is shown");
	return 0;
}

static bool topo_shows(const struct topo *topo, bool is64)
{
	const struct topo_res *res;
	unsigned int i;

	for (i = 0; i < topo->dev_count; i++) {
		res = &topo->dev[i]->res[TOPO_WINDOW_PREF];
		if (res->seen && res->is64 == is64)
			return true;
	}
	return false;
}

/*
 * A window that is closed may never be shown.  Every bridge has one for memory,
 * and what the others of the machine have it is taken to have as well.
 */
static void topo_assume_windows(struct topo *topo)
{
	bool only32 = topo_shows(topo, false) && !topo_shows(topo, true);
	struct topo_dev *dev;
	unsigned int i;

	for (i = 0; i < topo->dev_count; i++) {
		dev = topo->dev[i];
		if (dev->header != TOPO_BRIDGE)
			continue;
		dev->res[TOPO_WINDOW_IO].type = TOPO_IO;
		dev->res[TOPO_WINDOW_MEM].type = TOPO_MEM;
		dev->res[TOPO_WINDOW_PREF].type = TOPO_MEM;
		if (dev->res[TOPO_WINDOW_PREF].seen)
			continue;
		dev->res[TOPO_WINDOW_PREF].is64 = !only32;
		if (!dev->added)
			topo->assumed_pref++;
	}
}

/*
 * A function that the firmware hides may be looked at for a moment, when all
 * else has long been placed: it is outside of all windows, and does not matter.
 */
static void topo_fix_hidden(struct topo *topo)
{
	const struct topo_res *res;
	struct topo_dev *dev;
	unsigned int i;
	int k;

	for (i = 0; i < topo->dev_count; i++) {
		dev = topo->dev[i];
		if (dev->class != TOPO_CLASS_HIDDEN || dev->parent || dev->host < 0)
			continue;
		for (k = 0; k < TOPO_WINDOW_IO; k++) {
			res = &dev->res[k];
			if (res->seen && res->last.has && res->fate == TOPO_SILENT &&
			    !topo_window_of(&topo->host[dev->host], res->type, &res->last))
				dev->res[k].fixed = true;
		}
	}
}

/* What of one kind is in use right below a host bridge, from @lo to @hi */
static struct topo_range topo_span(const struct topo *topo, int host,
				   enum topo_type type, u64 lo, u64 hi)
{
	const struct topo_range *range;
	struct topo_range span = {};
	const struct topo_res *res;
	unsigned int i;
	int k;

	for (i = 0; i < topo->dev_count; i++) {
		if (topo->dev[i]->host != host || topo->dev[i]->parent)
			continue;
		for (k = 0; k < TOPO_RES; k++) {
			res = &topo->dev[i]->res[k];
			range = &res->last;
			if (!res->seen || res->type != type || !range->has ||
			    topo_stays(topo->dev[i], k) || range->start < lo ||
			    range->end > hi)
				continue;
			if (!span.has || range->start < span.start)
				span.start = range->start;
			if (!span.has || range->end > span.end)
				span.end = range->end;
			span.has = true;
		}
	}
	return span;
}

static int topo_assume_host(struct topo *topo, int index, struct fail *fail)
{
	static const struct {
		enum topo_type	type;
		u64		lo, hi, unit;
	} kinds[] = {
		{ TOPO_IO, 0, ~0ULL, 0x1000 },
		{ TOPO_MEM, 0, 0xffffffff, 0x100000 },
		{ TOPO_MEM, 0x100000000, ~0ULL, 0x100000 },
	};
	struct topo_host *host = &topo->host[index];
	unsigned int i, known = 0, count = host->count;
	struct topo_window window;
	struct topo_range span;

	/* What is known of one type is all there is */
	for (i = 0; i < host->count; i++)
		known |= 1 << host->window[i].type;

	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (known & 1 << kinds[i].type)
			continue;
		span = topo_span(topo, index, kinds[i].type, kinds[i].lo, kinds[i].hi);
		if (!span.has)
			continue;
		window = (struct topo_window){
			.type = kinds[i].type,
			.start = span.start & ~(kinds[i].unit - 1),
			.end = span.end | (kinds[i].unit - 1),
		};
		if (topo_add_window(host, &window))
			return fail_at(fail, topo->name, 0, "out of memory");
	}
	topo->assumed_hosts += host->count != count;
	return 0;
}

/**
 * topo_finish - put together what the log has, and see if it is enough
 * @topo: all that was read
 * @fail: what is missing
 *
 * Return: 0, or -1 with @fail.
 */
int topo_finish(struct topo *topo, struct fail *fail)
{
	unsigned int i;

	if (!topo->dev_count)
		return fail_at(fail, topo->name, 0, topo->removed ?
			       "all PCI devices in it are gone at its end" :
			       "no PCI devices in it");

	qsort(topo->dev, topo->dev_count, sizeof(struct topo_dev *), topo_by_place);
	if (topo->host_count)
		qsort(topo->host, topo->host_count, sizeof(*topo->host),
		      topo_host_by_place);
	topo->assumed_pref = 0;
	topo->cardbus = 0;
	for (i = 0; i < topo->dev_count; i++)
		topo->cardbus += topo->dev[i]->header == TOPO_CARDBUS;
	topo_assume_windows(topo);
	topo_link(topo);
	if (topo_check_buses(topo, fail))
		return -1;

	for (i = 0; topo->hostless && i < topo->host_count; i++)
		if (topo_assume_host(topo, i, fail))
			return -1;

	topo_fix_hidden(topo);
	return topo_check(topo, fail);
}
