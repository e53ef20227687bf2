// SPDX-License-Identifier: GPL-2.0
/*
 * The configuration space of a function, from a hexadecimal dump
 *
 * The dump has addresses, but no size of a BAR; these come from the text above
 * it or from /proc/iomem.
 */
#include <stdbool.h>
#include <string.h>

#include <linux/pci_regs.h>

#include "hex.h"

static unsigned int hex_word(const struct hex *hex, unsigned int at)
{
	return hex->byte[at] | hex->byte[at + 1] << 8;
}

static u64 hex_long(const struct hex *hex, unsigned int at)
{
	return hex_word(hex, at) | (u64)hex_word(hex, at + 2) << 16;
}

/* "10: 04 00 c0 f7 ...": 16 bytes; what is beyond the first 256 is not kept */
bool hex_line(struct hex *hex, const char *line, bool *damaged)
{
	const char *p = line;
	u64 at, value;
	unsigned int i;

	*damaged = false;
	if (!scan_hex(&p, 2, 3, &at) || !scan_text(&p, ": ") || at & 15)
		return false;

	for (i = 0; i < 16; i++, at++) {
		if (!scan_hex(&p, 2, 2, &value) || (i < 15 && !scan_text(&p, " "))) {
			*damaged = true;
			return true;
		}
		if (at < HEX_SIZE) {
			hex->byte[at] = value;
			hex->count = at + 1;
		}
	}
	return true;
}

static struct topo_res *hex_res(struct topo_dev *dev, int index, enum topo_type type,
				unsigned int line)
{
	struct topo_res *res = &dev->res[index];

	if (!res->seen) {
		res->seen = true;
		res->line = line;
		res->type = type;
	}
	return res;
}

static void hex_place(struct topo_res *res, u64 start, u64 end)
{
	res->last = (struct topo_range){ start, end, true };
	res->first = res->last;
}

/* A BAR that the text does not have; returns how many registers it takes */
static unsigned int hex_bar(const struct hex *hex, struct topo_dev *dev, int index,
			    unsigned int line)
{
	unsigned int reg = PCI_BASE_ADDRESS_0 + 4 * index;
	u64 value = hex_long(hex, reg);
	bool io = value & PCI_BASE_ADDRESS_SPACE_IO;
	bool is64 = !io && (value & PCI_BASE_ADDRESS_MEM_TYPE_MASK) ==
			   PCI_BASE_ADDRESS_MEM_TYPE_64;
	u64 flags = io ? 3 : 15, start;
	struct topo_res *res;

	if (is64 && index < 5)
		value |= hex_long(hex, reg + 4) << 32;
	start = value & ~flags;
	if (!value || dev->res[index].seen)
		return 1 + is64;

	res = hex_res(dev, index, io ? TOPO_IO : TOPO_MEM, line);
	res->is64 = is64;
	res->pref = !io && value & PCI_BASE_ADDRESS_MEM_PREFETCH;
	if (start)
		hex_place(res, start, start);
	return 1 + is64;
}

static void hex_window(struct topo_dev *dev, int index, enum topo_type type,
		       u64 start, u64 end, unsigned int line)
{
	struct topo_res *res = hex_res(dev, index, type, line);

	if (!res->last.has && start <= end && end)
		hex_place(res, start, end);
}

static void hex_bridge(const struct hex *hex, struct topo_dev *dev, unsigned int line)
{
	unsigned int io_base = hex->byte[PCI_IO_BASE], io_end = hex->byte[PCI_IO_LIMIT];
	u64 start, end;

	dev->transparent |= hex->byte[PCI_CLASS_PROG] & 1;
	dev->secondary = hex->byte[PCI_SECONDARY_BUS];
	dev->subordinate = hex->byte[PCI_SUBORDINATE_BUS];

	start = (io_base & 0xf0) << 8 | (u64)hex_word(hex, PCI_IO_BASE_UPPER16) << 16;
	end = (io_end & 0xf0) << 8 | (u64)hex_word(hex, PCI_IO_LIMIT_UPPER16) << 16 | 0xfff;
	if (io_base & 0xf0 || io_end & 0xf0)
		hex_window(dev, TOPO_WINDOW_IO, TOPO_IO, start, end, line);

	start = (u64)(hex_word(hex, PCI_MEMORY_BASE) & 0xfff0) << 16;
	end = (u64)(hex_word(hex, PCI_MEMORY_LIMIT) & 0xfff0) << 16 | 0xfffff;
	if (start)
		hex_window(dev, TOPO_WINDOW_MEM, TOPO_MEM, start, end, line);

	start = (u64)(hex_word(hex, PCI_PREF_MEMORY_BASE) & 0xfff0) << 16 |
		hex_long(hex, PCI_PREF_BASE_UPPER32) << 32;
	end = (u64)(hex_word(hex, PCI_PREF_MEMORY_LIMIT) & 0xfff0) << 16 | 0xfffff |
	      hex_long(hex, PCI_PREF_LIMIT_UPPER32) << 32;
	if (start)
		hex_window(dev, TOPO_WINDOW_PREF, TOPO_MEM, start, end, line);
	hex_res(dev, TOPO_WINDOW_PREF, TOPO_MEM, line)->pref = true;
	dev->res[TOPO_WINDOW_PREF].is64 = hex_word(hex, PCI_PREF_MEMORY_BASE) & 1;
}

/* Has the port a slot that cards come and go in? */
static bool hex_hotplug(const struct hex *hex)
{
	unsigned int at = hex->byte[PCI_CAPABILITY_LIST] & ~3U, steps;

	if (!(hex_word(hex, PCI_STATUS) & PCI_STATUS_CAP_LIST))
		return false;
	for (steps = 0; at >= 0x40 && steps < 48; steps++) {
		if (hex->byte[at] == PCI_CAP_ID_EXP)
			return at + PCI_EXP_SLTCAP + 4 <= hex->count &&
			       hex_word(hex, at + PCI_EXP_FLAGS) & PCI_EXP_FLAGS_SLOT &&
			       hex_long(hex, at + PCI_EXP_SLTCAP) & PCI_EXP_SLTCAP_HPC;
		at = hex->byte[at + 1] & ~3U;
	}
	return false;
}

/**
 * hex_apply - what the text of a function has left open
 * @hex: its configuration space
 * @dev: the function
 * @line: of the log that it is at
 */
void hex_apply(const struct hex *hex, struct topo_dev *dev, unsigned int line)
{
	static const int bars[] = { 6, 2, 1 };
	int i;

	if (hex->count < 64)
		return;

	dev->vendor = hex_word(hex, PCI_VENDOR_ID);
	dev->device = hex_word(hex, PCI_DEVICE_ID);
	dev->class = hex_word(hex, PCI_CLASS_DEVICE);
	dev->header = hex->byte[PCI_HEADER_TYPE] & 0x7f;
	if (dev->header > TOPO_CARDBUS) {
		dev->header = TOPO_UNKNOWN;
		return;
	}

	for (i = 0; i < bars[dev->header]; )
		i += hex_bar(hex, dev, i, line);
	if (dev->header == TOPO_BRIDGE)
		hex_bridge(hex, dev, line);
	dev->hotplug |= hex_hotplug(hex);
}
