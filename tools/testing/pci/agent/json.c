// SPDX-License-Identifier: GPL-2.0
/*
 * Byte buffer and the little JSON the agent writes. Bytes above 0x7f are
 * written as the code point of the same number, so that any file survives
 * the way to the host, which encodes the string as latin-1 again.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent.h"

static void buf_room(struct buf *b, size_t more)
{
	size_t cap = b->cap ? b->cap : 256;

	if (b->len + more + 1 <= b->cap)
		return;
	while (cap < b->len + more + 1)
		cap *= 2;
	b->p = realloc(b->p, cap);
	if (!b->p)
		abort();
	b->cap = cap;
}

/**
 * buf_add() - append bytes
 * @b: buffer
 * @data: bytes
 * @len: how many
 */
void buf_add(struct buf *b, const void *data, size_t len)
{
	buf_room(b, len);
	if (len)
		memcpy(b->p + b->len, data, len);
	b->len += len;
	b->p[b->len] = 0;
}

/**
 * buf_printf() - append formatted text
 * @b: buffer
 * @fmt: as for printf()
 */
void buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	buf_room(b, n);
	va_start(ap, fmt);
	vsnprintf(b->p + b->len, n + 1, fmt, ap);
	va_end(ap);
	b->len += n;
}

/**
 * buf_reset() - empty a buffer and keep its memory
 * @b: buffer
 */
void buf_reset(struct buf *b)
{
	b->len = 0;
	buf_add(b, "", 0);
}

/**
 * buf_free() - give a buffer's memory back
 * @b: buffer
 */
void buf_free(struct buf *b)
{
	free(b->p);
	memset(b, 0, sizeof(*b));
}

/**
 * json_str() - append a JSON string
 * @b: buffer
 * @s: bytes
 * @len: how many
 */
void json_str(struct buf *b, const char *s, size_t len)
{
	size_t i;

	buf_add(b, "\"", 1);
	for (i = 0; i < len; i++) {
		unsigned char c = s[i];

		if (c == '"' || c == '\\')
			buf_printf(b, "\\%c", c);
		else if (c == '\n')
			buf_add(b, "\\n", 2);
		else if (c == '\t')
			buf_add(b, "\\t", 2);
		else if (c < 0x20 || c >= 0x7f)
			buf_printf(b, "\\u%04x", c);
		else
			buf_add(b, &c, 1);
	}
	buf_add(b, "\"", 1);
}

/**
 * json_cstr() - append a NUL terminated string, or null
 * @b: buffer
 * @s: string or NULL
 */
void json_cstr(struct buf *b, const char *s)
{
	if (s)
		json_str(b, s, strlen(s));
	else
		buf_printf(b, "null");
}

/**
 * json_hex() - append bytes as one string of hexadecimal digits
 * @b: buffer
 * @data: bytes
 * @len: how many
 */
void json_hex(struct buf *b, const void *data, size_t len)
{
	const unsigned char *p = data;
	size_t i;

	buf_add(b, "\"", 1);
	for (i = 0; i < len; i++)
		buf_printf(b, "%02x", p[i]);
	buf_add(b, "\"", 1);
}
