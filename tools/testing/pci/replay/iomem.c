// SPDX-License-Identifier: GPL-2.0
/* What /proc/iomem and /proc/ioports list, alone or in another log */
#include <stdbool.h>
#include <string.h>

#include "topo.h"

/* "  f7c00000-f7cfffff : PCI Bus 0000:02"; ports have four digits */
static bool iomem_line(const char *p, struct topo_range *range, enum topo_type *type,
		       const char **name)
{
	const char *digits;

	scan_blank(&p);
	digits = p;
	if (!scan_hex(&p, 4, 16, &range->start))
		return false;
	*type = p - digits < 8 ? TOPO_IO : TOPO_MEM;
	if (!scan_text(&p, "-") || !scan_hex(&p, 4, 16, &range->end) ||
	    !scan_text(&p, " : "))
		return false;

	range->has = true;
	*name = p;
	return true;
}

/* A window of a host bridge, unless a bridge leads to the bus */
static int iomem_bus(struct topo *topo, struct log *log, const struct topo_range *range,
		     enum topo_type type, const char *p, struct fail *fail)
{
	struct topo_window window = {
		.type = type,
		.start = range->start,
		.end = range->end,
	};
	struct topo_host *host;
	struct bdf bus;

	if (!scan_bus(&p, &bus) || topo_bridge_to(topo, bus.domain, bus.bus))
		return 0;
	if (!range->end)
		return fail_at(fail, log->name, log->line,
			       "the addresses are hidden: only root can read them");

	host = topo_host(topo, bus.domain, bus.bus);
	if (!host || topo_add_window(host, &window))
		return fail_at(fail, log->name, 0, "out of memory");
	return 0;
}

/* A hexadecimal dump has no size of a BAR, but this has */
static void iomem_size(struct topo *topo, const struct topo_range *range,
		       enum topo_type type, const struct bdf *at)
{
	struct topo_dev *dev = topo_find(topo, at);
	struct topo_res *res;
	int i;

	for (i = 0; dev && i < TOPO_WINDOW_IO; i++) {
		res = &dev->res[i];
		if (!res->seen || res->size || res->type != type || !res->last.has ||
		    res->last.start != range->start)
			continue;
		res->size = range->end - range->start + 1;
		res->last = *range;
		res->first = *range;
	}
}

/**
 * iomem_read - read windows of host bridges, and what is in the way
 * @topo: with all devices in it
 * @log: any log
 * @fail: what is wrong
 *
 * Return: 0, or -1 with @fail.
 */
int iomem_read(struct topo *topo, struct log *log, struct fail *fail)
{
	struct topo_range range = {};
	enum topo_type type;
	const char *line, *name;
	struct bdf at;

	log_rewind(log);
	while ((line = log_next(log))) {
		if (!iomem_line(line, &range, &type, &name))
			continue;
		if (range.end < range.start)
			return fail_at(fail, log->name, log->line,
				       "a range that ends before it starts");
		if (!strcmp(name, "Local APIC") || !strcmp(name, "pic1"))
			topo->x86 = true;
		if (scan_text(&name, "PCI Bus ")) {
			if (iomem_bus(topo, log, &range, type, name, fail))
				return -1;
		} else if (scan_bdf(&name, &at)) {
			iomem_size(topo, &range, type, &at);
		} else if (topo_add_foreign(topo, type, range.start, range.end)) {
			return fail_at(fail, log->name, 0, "out of memory");
		}
	}
	return 0;
}
