// SPDX-License-Identifier: GPL-2.0
/* What the command line adds to a log: a device, windows of a host bridge */
#include <stdbool.h>
#include <string.h>

#include <linux/kernel.h>

#include "dump.h"
#include "topo.h"

/* The device that HOTADD describes, for a machine or for plans */
struct hotadd {
	struct topo	*topo;
	struct build	*plans;
	unsigned int	count;
	struct fail	*fail;
	bool		bridge;
	unsigned int	bars;
	struct topo_res	res[TOPO_BARS];
};

static int option_bad(struct fail *fail, const char *option, const char *at)
{
	return fail_at(fail, option, 0, "can't be read from \"%.60s\" on", at);
}

/* "pref64=256M": the longest name first, as it is the start of no other */
static int hotadd_bar(struct hotadd *h, const char **p)
{
	static const struct {
		const char	*text;
		bool		io, pref, is64;
	} kinds[] = {
		{ "pref64=", false, true, true },
		{ "pref=", false, true, false },
		{ "mem64=", false, false, true },
		{ "mem=", false, false, false },
		{ "io=", true, false, false },
	};
	const char *start = *p;
	struct topo_res *res;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(kinds); i++)
		if (scan_text(p, kinds[i].text))
			break;
	if (i == ARRAY_SIZE(kinds))
		return option_bad(h->fail, "HOTADD", start);
	if (h->bars + kinds[i].is64 >= TOPO_BARS)
		return fail_at(h->fail, "HOTADD", 0, "no device has so many BARs");

	res = &h->res[h->bars];
	if (!scan_size(p, &res->size))
		return option_bad(h->fail, "HOTADD", start);
	if (res->size < (kinds[i].io ? 4 : 16) || res->size & (res->size - 1))
		return fail_at(h->fail, "HOTADD", 0,
			       "no BAR has the size in \"%.60s\": it has to be a power of two",
			       start);

	res->seen = true;
	res->type = kinds[i].io ? TOPO_IO : TOPO_MEM;
	res->pref = kinds[i].pref;
	res->is64 = kinds[i].is64;
	h->bars += 1 + kinds[i].is64;
	return 0;
}

static int hotadd_parts(struct hotadd *h, const char **p)
{
	do {
		if (scan_text(p, "bridge"))
			h->bridge = true;
		else if (hotadd_bar(h, p))
			return -1;
	} while (scan_text(p, ","));

	if (!h->bars)
		return fail_at(h->fail, "HOTADD", 0, "the device has no BAR");
	return 0;
}

static struct topo_dev *hotadd_dev(struct hotadd *h, struct bdf at)
{
	struct topo_dev *dev;

	while (topo_find(h->topo, &at))
		at.devfn += 8;
	if (at.devfn > 255) {
		fail_at(h->fail, "HOTADD", 0, "no slot is free on bus %02x", at.bus);
		return NULL;
	}

	dev = topo_add(h->topo, &at);
	if (!dev) {
		fail_at(h->fail, "HOTADD", 0, "out of memory");
		return NULL;
	}
	dev->added = true;
	return dev;
}

/* Any number will do, as only addresses are planned */
static unsigned int hotadd_free_bus(const struct topo *topo, unsigned int domain)
{
	const struct topo_dev *dev;
	unsigned int bus, i;

	for (bus = 1; bus < 256; bus++) {
		for (i = 0; i < topo->dev_count; i++) {
			dev = topo->dev[i];
			if (dev->at.domain == domain &&
			    (dev->at.bus == bus || dev->secondary == bus))
				break;
		}
		if (i == topo->dev_count)
			return bus;
	}
	return 0;
}

static int hotadd_place(struct hotadd *h, const struct topo_dev *port)
{
	struct bdf at = { port->at.domain, port->secondary, 0 };
	struct topo_dev *dev;

	if (h->bridge) {
		dev = hotadd_dev(h, at);
		if (!dev)
			return -1;
		dev->header = TOPO_BRIDGE;
		dev->class = 0x0604;
		dev->secondary = hotadd_free_bus(h->topo, at.domain);
		dev->subordinate = dev->secondary;
		if (!dev->secondary)
			return fail_at(h->fail, "HOTADD", 0, "no bus number is free");
		at.bus = dev->secondary;
	}

	dev = hotadd_dev(h, at);
	if (!dev)
		return -1;
	dev->header = TOPO_ENDPOINT;
	memcpy(dev->res, h->res, sizeof(h->res));
	return 0;
}

/* Into each plan for which a port has windows */
static int hotadd_plan(struct hotadd *h, const struct bdf *at)
{
	bool lacks[TOPO_TYPES] = { true, true };
	struct build *build;
	unsigned int i;
	int ret;

	for (i = 0; i < h->count; i++) {
		build = &h->plans[i];
		if (build->domain != at->domain)
			continue;
		ret = build_hotadd(build, topo_name(at).text, h->res, h->bridge);
		if (ret < 0)
			return fail_at(h->fail, "HOTADD", 0, "out of memory");
		if (ret)
			lacks[build->type] = false;
	}

	for (i = 0; i < h->bars; i++)
		if (h->res[i].seen && lacks[h->res[i].type])
			return fail_at(h->fail, "HOTADD", 0,
				       "%s has no %s window in the dump",
				       topo_name(at).text,
				       h->res[i].type == TOPO_IO ? "I/O" : "memory");
	return 0;
}

/* Behind a port of a machine */
static int hotadd_behind(struct hotadd *h, const struct bdf *at)
{
	struct topo_dev *port = topo_find(h->topo, at);

	if (!port)
		return fail_at(h->fail, "HOTADD", 0, "there is no %s in the log",
			       topo_name(at).text);
	if (port->header != TOPO_BRIDGE || !port->secondary)
		return fail_at(h->fail, "HOTADD", 0, "%s leads to no bus",
			       topo_name(at).text);
	if (port->host < 0)
		return fail_at(h->fail, "HOTADD", 0, "nothing leads to %s",
			       topo_name(at).text);
	return hotadd_place(h, port);
}

/* Each of them goes to a machine, or to plans if there is none */
static int hotadd_each(const struct hotadd *to, const char *text)
{
	const char *p = text, *start;
	struct bdf at;

	do {
		struct hotadd h = *to;

		start = p;
		if (!scan_bdf(&p, &at) || !scan_text(&p, ":"))
			return option_bad(h.fail, "HOTADD", start);
		if (hotadd_parts(&h, &p) ||
		    (h.topo ? hotadd_behind(&h, &at) : hotadd_plan(&h, &at)))
			return -1;
	} while (scan_text(&p, ";"));

	return *p ? option_bad(to->fail, "HOTADD", p) : 0;
}

/**
 * hotadd_parse - add what HOTADD names
 * @topo: machine, after topo_finish(), which has to be called again
 * @text: "<port>:<kind>=<size>[,...][,bridge][;...]"
 * @fail: what is wrong
 *
 * Return: 0, or -1 with @fail.
 */
int hotadd_parse(struct topo *topo, const char *text, struct fail *fail)
{
	struct hotadd h = { .topo = topo, .fail = fail };

	return hotadd_each(&h, text);
}

/**
 * hotadd_dump - add what HOTADD names to plans
 * @plans: read from a dump; what they have planned is where everything is then
 * @count: of @plans
 * @text: as for hotadd_parse()
 * @fail: what is wrong
 *
 * Return: 0, or -1 with @fail.
 */
int hotadd_dump(struct build *plans, unsigned int count, const char *text,
		struct fail *fail)
{
	struct hotadd h = { .plans = plans, .count = count, .fail = fail };
	const char *wrong;
	unsigned int i, k;

	for (i = 0; i < count; i++) {
		build_settle(&plans[i]);
		for (k = 0; k < plans[i].plan.count; k++) {
			wrong = dump_check(&plans[i].plan, k);
			if (wrong)
				return fail_at(fail, "HOTADD", 0,
					       "the dump has planned %s: %s", wrong,
					       plans[i].of[k].name);
		}
	}
	return hotadd_each(&h, text);
}

static bool root_address(const char **p, u64 *value)
{
	scan_text(p, "0x");
	return scan_hex(p, 1, 16, value);
}

/* "mem:e0000000-febfffff" */
static int root_window(struct topo_host *host, const char **p, struct fail *fail)
{
	struct topo_window window = {};
	const char *start = *p;

	window.type = TOPO_MEM;
	window.pref = scan_text(p, "pref:");
	if (!window.pref && !scan_text(p, "mem:")) {
		if (!scan_text(p, "io:"))
			return option_bad(fail, "ROOT", start);
		window.type = TOPO_IO;
	}
	if (!root_address(p, &window.start) || !scan_text(p, "-") ||
	    !root_address(p, &window.end) || window.end < window.start)
		return option_bad(fail, "ROOT", start);
	if (topo_add_window(host, &window))
		return fail_at(fail, "ROOT", 0, "out of memory");
	return 0;
}

/**
 * root_parse - add the windows that ROOT names
 * @topo: machine
 * @text: "[<domain>:<bus>,]<io|mem|pref>:<start>-<end>[,...]"
 * @fail: what is wrong
 *
 * Return: 0, or -1 with @fail.
 */
int root_parse(struct topo *topo, const char *text, struct fail *fail)
{
	struct topo_host *host = topo->host_count == 1 ? topo->host : NULL;
	const char *p = text;
	struct bdf bus;

	do {
		if (scan_bus(&p, &bus)) {
			host = topo_host(topo, bus.domain, bus.bus);
			if (!host)
				return fail_at(fail, "ROOT", 0, "out of memory");
			continue;
		}
		if (!host)
			return fail_at(fail, "ROOT", 0,
				       "there are %u root buses: name one, as in 0000:00,mem:...",
				       topo->host_count);
		if (root_window(host, &p, fail))
			return -1;
	} while (scan_text(&p, ","));

	return *p ? option_bad(fail, "ROOT", p) : 0;
}
