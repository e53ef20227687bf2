// SPDX-License-Identifier: GPL-2.0
/*
 * What lspci -vv shows of each function, and the hexadecimal dump below it
 *
 * It knows sizes and what is prefetchable, but not what was tried before, and
 * has no windows of host bridges: these come from elsewhere, or are taken to be
 * as large as what is in them.
 */
#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#include <linux/kernel.h>

#include "hex.h"
#include "topo.h"

/* Where the reader is */
struct lspci {
	struct topo	*topo;
	struct log	*log;
	struct fail	*fail;
	struct topo_dev	*dev;
	struct hex	hex;
	bool		sriov;		/* BARs below are of VFs */
	int		wrapped;	/* window whose range is on the next line */
};

static int lspci_bad(struct lspci *l, const char *what)
{
	return fail_at(l->fail, l->log->name, l->log->line,
		       "%s that can't be read: the line is damaged or cut off", what);
}

/* "00:1c.0 ", or with a domain in front */
static bool lspci_header(const char **p, struct bdf *at)
{
	const char *q = *p;
	u64 bus, device, function;

	if (!scan_bdf(&q, at)) {
		if (!scan_hex(&q, 2, 2, &bus) || !scan_text(&q, ":") ||
		    !scan_hex(&q, 2, 2, &device) || !scan_text(&q, ".") ||
		    !scan_hex(&q, 1, 1, &function) || device > 31 || function > 7)
			return false;
		*at = (struct bdf){ 0, bus, device << 3 | function };
	}
	if (!scan_text(&q, " "))
		return false;

	*p = q;
	return true;
}

/* By number if there is one, or by name */
static unsigned int lspci_class(const char *p)
{
	static const struct {
		const char	*name;
		unsigned int	class;
	} names[] = {
		{ "Host bridge", TOPO_CLASS_HOST },
		{ "PIC", TOPO_CLASS_PIC },
		{ "VGA compatible unclassified device", TOPO_CLASS_OLD_VGA },
		{ "VGA compatible controller", 0x0300 },
		{ "XGA compatible controller", 0x0301 },
		{ "3D controller", 0x0302 },
		{ "Display controller", 0x0380 },
		{ "ISA bridge", 0x0601 },
		{ "EISA bridge", 0x0602 },
		{ "PCMCIA bridge", 0x0605 },
		{ "Bridge", 0x0680 },
		{ "Serial controller", TOPO_CLASS_SERIAL },
		{ "DMA controller", 0x0801 },
		{ "Timer", 0x0802 },
		{ "RTC", 0x0803 },
		{ "PCI Hot-plug controller", 0x0804 },
		{ "SD Host controller", 0x0805 },
		{ "IOMMU", 0x0806 },
		{ "System peripheral", 0x0880 },
		{ "SMBus", TOPO_CLASS_SMBUS },
		{ "IPMI ", TOPO_CLASS_IPMI },
		{ "PCI bridge", 0x0604 },
		{ "CardBus bridge", 0x0607 },
		{ "IDE interface", 0x0101 },
	};
	const char *number = strstr(p, " ["), *bare = p;
	unsigned int i;
	u64 class;

	/* Behind a name, or instead of it */
	if (scan_hex(&bare, 4, 4, &class) && *bare == ':')
		return class;
	if (number) {
		number += 2;
		if (scan_hex(&number, 4, 4, &class) && scan_text(&number, "]:"))
			return class;
	}
	for (i = 0; i < ARRAY_SIZE(names); i++)
		if (scan_text(&p, names[i].name))
			return names[i].class;
	return TOPO_CLASS_UNKNOWN;
}

static void lspci_end(struct lspci *l)
{
	if (l->dev)
		hex_apply(&l->hex, l->dev, l->dev->line);
	memset(&l->hex, 0, sizeof(l->hex));
	l->sriov = false;
	l->wrapped = -1;
}

static int lspci_function(struct lspci *l, const struct bdf *at, const char *p)
{
	struct topo_dev *dev = topo_find(l->topo, at);

	lspci_end(l);
	if (dev)
		return fail_at(l->fail, l->log->name, l->log->line,
			       "%s is listed for the second time, first at line %u",
			       topo_name(at).text, dev->line);
	dev = topo_add(l->topo, at);
	if (!dev)
		return fail_at(l->fail, l->log->name, 0, "out of memory");

	dev->line = l->log->line;
	dev->header = TOPO_ENDPOINT;
	dev->class = lspci_class(p);
	if (dev->class == 0x0604)
		dev->header = TOPO_BRIDGE;
	if (dev->class == 0x0607)
		dev->header = TOPO_CARDBUS;
	dev->transparent = strstr(p, "[Subtractive decode]");
	l->dev = dev;
	return 0;
}

static bool lspci_size(const char *p, u64 *size)
{
	p = strstr(p, "[size=");
	if (!p)
		return false;
	p += strlen("[size=");
	return scan_size(&p, size) && *p == ']';
}

/* Is a bracket open at the end? */
static bool lspci_open(const char *p)
{
	const char *open = strrchr(p, '[');

	return open && !strchr(open, ']');
}

/* Behind "Region 0: " or at "Expansion ROM at" */
static int lspci_bar(struct lspci *l, int index, const char *p)
{
	struct topo_res *res = &l->dev->res[index];
	bool io = strstr(p, "I/O ports at");
	const char *at = strstr(p, " at ");
	u64 start, size;

	/* What is not in the register belongs to a VF, or is a copy of a ROM */
	if (l->sriov || (strstr(p, "[virtual]") && !io)) {
		l->topo->vf_unsized += l->sriov;
		return 0;
	}
	if (!at || lspci_open(p) || (!lspci_size(p, &size) && strstr(p, "[size")))
		return lspci_bad(l, "a BAR");
	if (!lspci_size(p, &size))
		size = 0;	/* not mapped by the kernel, or too old an lspci */

	at += strlen(" at ");
	res->seen = true;
	res->line = l->log->line;
	res->type = io ? TOPO_IO : TOPO_MEM;
	res->is64 = strstr(p, "(64-bit");
	res->pref = index == TOPO_ROM || strstr(p, ", prefetchable)");
	res->size = size;
	if (*at == '<')
		return 0;
	if (!scan_hex(&at, 1, 16, &start))
		return lspci_bad(l, "a BAR");
	if (start) {
		res->last = (struct topo_range){ start, start + (size ? size - 1 : 0), true };
		res->first = res->last;
	}
	/* A controller for disks at the addresses of the first PC */
	if (io && start < 0x400 && l->dev->class == 0x0101)
		res->fixed = true;
	return 0;
}

/* "0000e000-0000efff [size=4K] [32-bit]", or none */
static int lspci_window(struct lspci *l, int index, const char *p)
{
	struct topo_res *res = &l->dev->res[index];
	const char *digits;
	u64 start, end;

	scan_blank(&p);
	if (!*p) {
		l->wrapped = index;
		return 0;
	}

	l->wrapped = -1;
	res->seen = true;
	res->line = l->log->line;
	res->type = index == TOPO_WINDOW_IO ? TOPO_IO : TOPO_MEM;
	res->pref = index == TOPO_WINDOW_PREF;
	res->is64 = strstr(p, "[64-bit]");
	if (scan_text(&p, "None") || *p == '[')
		return 0;

	digits = p;
	if (!scan_hex(&p, 4, 16, &start))
		return lspci_bad(l, "a bridge window");
	if (res->pref && p - digits > 8)
		res->is64 = true;
	if (!scan_text(&p, "-") || !scan_hex(&p, 4, 16, &end))
		return lspci_bad(l, "a bridge window");
	if (start <= end && !strstr(p, "[disabled]")) {
		res->last = (struct topo_range){ start, end, true };
		res->first = res->last;
	}
	return 0;
}

/* "primary=00, secondary=03, subordinate=03, ..." */
static int lspci_buses(struct lspci *l, const char *p)
{
	u64 primary, secondary, subordinate;

	if (!scan_text(&p, "primary=") || !scan_hex(&p, 2, 2, &primary) ||
	    !scan_text(&p, ", secondary=") || !scan_hex(&p, 2, 2, &secondary) ||
	    !scan_text(&p, ", subordinate=") || !scan_hex(&p, 2, 2, &subordinate))
		return lspci_bad(l, "a range of buses");

	if (l->dev->header == TOPO_ENDPOINT)
		l->dev->header = TOPO_BRIDGE;
	l->dev->secondary = secondary;
	l->dev->subordinate = subordinate;
	return 0;
}

static void lspci_driver(struct topo *topo, struct topo_dev *dev, const char *p)
{
	size_t length = strcspn(p, " \t");

	if (length >= sizeof(dev->driver))
		length = sizeof(dev->driver) - 1;
	memcpy(dev->driver, p, length);
	dev->driver[length] = '\0';
	/* Who may see one driver sees them all */
	topo->drivers = true;
}

/* "Initial VFs: 8, Total VFs: 8, Number of VFs: 0, ..." */
static void lspci_vfs(struct topo_dev *dev, const char *p)
{
	unsigned int count;

	p = strstr(p, "Number of VFs: ");
	if (p && scan_text(&p, "Number of VFs: ") && scan_number(&p, &count))
		dev->vfs = count;
}

static int lspci_region(struct lspci *l, const char *p)
{
	unsigned int n;

	if (!scan_number(&p, &n) || n >= TOPO_BARS || !scan_text(&p, ": "))
		return lspci_bad(l, "a BAR");
	return lspci_bar(l, n, p);
}

/* A line below that of a function */
static int lspci_detail(struct lspci *l, const char *p)
{
	scan_blank(&p);
	if (l->wrapped >= 0 && (isxdigit((unsigned char)*p) || *p == '['))
		return lspci_window(l, l->wrapped, p);
	l->wrapped = -1;

	if (l->sriov)
		lspci_vfs(l->dev, p);
	if (scan_text(&p, "Region "))
		return lspci_region(l, p);
	if (!strncmp(p, "Expansion ROM at", 16) ||
	    !strncmp(p, "[virtual] Expansion ROM at", 26))
		return lspci_bar(l, TOPO_ROM, p);
	if (scan_text(&p, "Bus: "))
		return lspci_buses(l, p);
	if (scan_text(&p, "I/O behind bridge:"))
		return lspci_window(l, TOPO_WINDOW_IO, p);
	if (scan_text(&p, "Memory behind bridge:"))
		return lspci_window(l, TOPO_WINDOW_MEM, p);
	if (scan_text(&p, "Prefetchable memory behind bridge:"))
		return lspci_window(l, TOPO_WINDOW_PREF, p);
	if (scan_text(&p, "Capabilities: "))
		l->sriov = strstr(p, "Single Root I/O Virtualization");
	else if (scan_text(&p, "Kernel driver in use: "))
		lspci_driver(l->topo, l->dev, p);
	else if (strstr(p, "HotPlug+"))
		l->dev->hotplug = true;
	return 0;
}

static int lspci_line(struct lspci *l, const char *line)
{
	const char *p = line;
	struct bdf at;
	bool damaged;

	if (lspci_header(&p, &at))
		return lspci_function(l, &at, p);
	if (!l->dev)
		return 0;
	if (hex_line(&l->hex, line, &damaged))
		return damaged ? lspci_bad(l, "a line of a hexadecimal dump") : 0;
	if (*line == ' ' || *line == '\t')
		return lspci_detail(l, line);
	return 0;
}

/* A bus that no bridge leads to is a root bus */
static int lspci_hosts(struct lspci *l)
{
	struct topo *topo = l->topo;
	struct topo_host *host;
	struct topo_dev *dev;
	unsigned int i;

	topo->hostless = true;
	for (i = 0; i < topo->dev_count; i++) {
		dev = topo->dev[i];
		if (topo_bridge_to(topo, dev->at.domain, dev->at.bus))
			continue;
		host = topo_host(topo, dev->at.domain, dev->at.bus);
		if (!host)
			return fail_at(l->fail, l->log->name, 0, "out of memory");
		if (!host->line)
			host->line = dev->line;
	}
	return 0;
}

/**
 * lspci_read - read what lspci has shown
 * @topo: what is found goes here
 * @log: from the first line on
 * @fail: what is wrong
 *
 * Return: 0, or -1 with @fail.
 */
int lspci_read(struct topo *topo, struct log *log, struct fail *fail)
{
	struct lspci l = { .topo = topo, .log = log, .fail = fail, .wrapped = -1 };
	char *line;

	log_rewind(log);
	while ((line = log_next(log)))
		if (lspci_line(&l, line))
			return -1;
	lspci_end(&l);
	return lspci_hosts(&l);
}
