/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Small readers of text.  Each looks at what is at a cursor and moves it on if
 * that is what was asked for; if not, it stays.
 */
#ifndef REPLAY_SCAN_H
#define REPLAY_SCAN_H

#include <linux/types.h>

/* Where a function is */
struct bdf {
	unsigned int	domain;
	unsigned int	bus;
	unsigned int	devfn;
};

enum scan_kind {
	SCAN_OTHER,	/* neither of these */
	SCAN_IO,
	SCAN_MEM,
	SCAN_BUS,
};

/**
 * struct scan_range - what the kernel prints between brackets
 * @kind: of addresses
 * @start: first one
 * @end: last one
 * @has: there is an address, not only a size
 * @size: 0 if @end is less than @start
 * @pref: prefetchable
 * @is64: 64 bits wide
 * @disabled: said to be so
 */
struct scan_range {
	enum scan_kind	kind;
	u64		start;
	u64		end;
	u64		size;
	bool		has;
	bool		pref;
	bool		is64;
	bool		disabled;
};

bool scan_text(const char **cursor, const char *text);
bool scan_hex(const char **cursor, unsigned int min, unsigned int max, u64 *value);
bool scan_0x(const char **cursor, u64 *value);
bool scan_number(const char **cursor, unsigned int *value);
bool scan_size(const char **cursor, u64 *value);
bool scan_bdf(const char **cursor, struct bdf *bdf);
bool scan_bus(const char **cursor, struct bdf *bdf);
bool scan_range(const char **cursor, struct scan_range *range);
void scan_blank(const char **cursor);

#endif /* REPLAY_SCAN_H */
