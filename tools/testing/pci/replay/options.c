// SPDX-License-Identifier: GPL-2.0
/* What the command line adds to a log: a device, windows of a host bridge */
#include <stdbool.h>
#include <string.h>

#include <linux/kernel.h>

#include "topo.h"

/* The device that HOTADD describes */
struct hotadd {
	struct topo	*topo;
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
	const char *p = text, *start;
	struct topo_dev *port;
	struct bdf at;

	do {
		struct hotadd h = { .topo = topo, .fail = fail };

		start = p;
		if (!scan_bdf(&p, &at) || !scan_text(&p, ":"))
			return option_bad(fail, "HOTADD", start);
		port = topo_find(topo, &at);
		if (!port)
			return fail_at(fail, "HOTADD", 0, "there is no %s in the log",
				       topo_name(&at).text);
		if (port->header != TOPO_BRIDGE || !port->secondary)
			return fail_at(fail, "HOTADD", 0, "%s leads to no bus",
				       topo_name(&at).text);
		if (port->host < 0)
			return fail_at(fail, "HOTADD", 0, "nothing leads to %s",
				       topo_name(&at).text);
		if (hotadd_parts(&h, &p) || hotadd_place(&h, port))
			return -1;
	} while (scan_text(&p, ";"));

	return *p ? option_bad(fail, "HOTADD", p) : 0;
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
