// SPDX-License-Identifier: GPL-2.0
/* Small readers of text */
#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#include "scan.h"

bool scan_text(const char **cursor, const char *text)
{
	size_t length = strlen(text);

	if (strncmp(*cursor, text, length))
		return false;

	*cursor += length;
	return true;
}

void scan_blank(const char **cursor)
{
	while (**cursor == ' ' || **cursor == '\t')
		(*cursor)++;
}

static unsigned int hex_value(char c)
{
	if (c <= '9')
		return c - '0';
	return tolower(c) - 'a' + 10;
}

/* @min to @max hexadecimal digits, and no more behind them */
bool scan_hex(const char **cursor, unsigned int min, unsigned int max, u64 *value)
{
	const char *p = *cursor;
	unsigned int digits;
	u64 v = 0;

	for (digits = 0; isxdigit((unsigned char)*p); p++) {
		if (++digits > max)
			return false;
		v = v << 4 | hex_value(*p);
	}
	if (digits < min)
		return false;

	*value = v;
	*cursor = p;
	return true;
}

bool scan_0x(const char **cursor, u64 *value)
{
	const char *p = *cursor;

	if (!scan_text(&p, "0x") || !scan_hex(&p, 1, 16, value))
		return false;

	*cursor = p;
	return true;
}

/* Decimal, less than a million */
bool scan_number(const char **cursor, unsigned int *value)
{
	const char *p = *cursor;
	unsigned int v = 0;

	while (isdigit((unsigned char)*p)) {
		v = v * 10 + (*p++ - '0');
		if (v >= 1000000)
			return false;
	}
	if (p == *cursor)
		return false;

	*value = v;
	*cursor = p;
	return true;
}

/* A decimal number, with K, M, G or T for units of 1024 and so on */
bool scan_size(const char **cursor, u64 *value)
{
	static const char units[] = "KMGT";
	const char *p = *cursor, *unit;
	unsigned int v;

	if (!scan_number(&p, &v))
		return false;

	*value = v;
	unit = *p ? strchr(units, toupper((unsigned char)*p)) : NULL;
	if (unit) {
		*value <<= 10 * (unit - units + 1);
		p++;
	}
	*cursor = p;
	return true;
}

/* A domain and a bus, as in 0000:00 */
bool scan_bus(const char **cursor, struct bdf *bdf)
{
	const char *p = *cursor;
	u64 domain, bus;

	if (!scan_hex(&p, 4, 8, &domain) || !scan_text(&p, ":") ||
	    !scan_hex(&p, 2, 2, &bus))
		return false;

	bdf->domain = domain;
	bdf->bus = bus;
	bdf->devfn = 0;
	*cursor = p;
	return true;
}

/* A function, as in 0000:00:1c.0 */
bool scan_bdf(const char **cursor, struct bdf *bdf)
{
	const char *p = *cursor;
	u64 device, function;

	if (!scan_bus(&p, bdf) || !scan_text(&p, ":") ||
	    !scan_hex(&p, 2, 2, &device) || !scan_text(&p, ".") ||
	    !scan_hex(&p, 1, 1, &function))
		return false;
	if (device > 31 || function > 7)
		return false;

	bdf->devfn = device << 3 | function;
	*cursor = p;
	return true;
}

static bool scan_kind(const char **cursor, enum scan_kind *kind)
{
	if (scan_text(cursor, "io "))
		*kind = SCAN_IO;
	else if (scan_text(cursor, "mem "))
		*kind = SCAN_MEM;
	else if (scan_text(cursor, "bus "))
		*kind = SCAN_BUS;
	else if (scan_text(cursor, "??? "))
		*kind = SCAN_OTHER;
	else
		return false;

	scan_blank(cursor);
	return true;
}

/* Addresses of a bus have no 0x in front */
static bool scan_address(const char **cursor, enum scan_kind kind, u64 *value)
{
	return kind == SCAN_BUS ? scan_hex(cursor, 2, 2, value) :
				  scan_0x(cursor, value);
}

static bool scan_extent(const char **cursor, struct scan_range *range)
{
	if (scan_text(cursor, "size ")) {
		if (!scan_0x(cursor, &range->size))
			return false;
		range->start = 0;
		range->end = range->size - 1;
		return true;
	}

	if (!scan_address(cursor, range->kind, &range->start))
		return false;
	range->end = range->start;
	range->has = true;
	if (scan_text(cursor, "-") &&
	    !scan_address(cursor, range->kind, &range->end))
		return false;
	if (range->end >= range->start)
		range->size = range->end - range->start + 1;
	return true;
}

/* What is behind the addresses, up to the bracket */
static bool scan_flags(const char **cursor, struct scan_range *range)
{
	u64 flags;

	for (;;) {
		scan_blank(cursor);
		if (scan_text(cursor, "]"))
			return true;
		if (scan_text(cursor, "64bit"))
			range->is64 = true;
		else if (scan_text(cursor, "pref"))
			range->pref = true;
		else if (scan_text(cursor, "disabled"))
			range->disabled = true;
		else if (!scan_text(cursor, "window") &&
			 !(scan_text(cursor, "flags ") && scan_0x(cursor, &flags)))
			return false;
	}
}

/* A range as in [mem 0xf0000000-0xf7ffffff 64bit pref] */
bool scan_range(const char **cursor, struct scan_range *range)
{
	const char *p = *cursor;

	memset(range, 0, sizeof(*range));
	if (!scan_text(&p, "[") || !scan_kind(&p, &range->kind) ||
	    !scan_extent(&p, range) || !scan_flags(&p, range))
		return false;

	*cursor = p;
	return true;
}
