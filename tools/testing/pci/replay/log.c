// SPDX-License-Identifier: GPL-2.0
/* A log in memory, read line by line, and what is wrong with it */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "log.h"

#define LOG_MAX	(64UL << 20)	/* nobody's log is larger */

/* Notes the first failure only, as what follows may come of it; always -1 */
int fail_at(struct fail *fail, const char *name, unsigned int line,
	    const char *format, ...)
{
	size_t size = sizeof(fail->text);
	va_list args;
	int used;

	if (fail->text[0])
		return -1;

	fail->reason = format;
	if (line)
		used = snprintf(fail->text, size, "%s:%u: ", name, line);
	else
		used = snprintf(fail->text, size, "%s: ", name);
	if (used < 0 || used >= (int)size)
		return -1;

	va_start(args, format);
	vsnprintf(fail->text + used, size - used, format, args);
	va_end(args);
	return -1;
}

static unsigned int log_line_of(const struct log *log, const char *at)
{
	unsigned int line = 1;
	const char *p;

	for (p = log->text; p < at; p++)
		line += *p == '\n';
	return line;
}

/* Takes over @text, which has one byte more than @size */
static int log_take(struct log *log, const char *name, char *text, size_t size,
		    struct fail *fail)
{
	const char *nul;

	log->name = name;
	log->text = text;
	log->size = size;
	text[size] = '\0';
	if (!size)
		return fail_at(fail, name, 0, "the file is empty");

	nul = memchr(text, '\0', size);
	if (nul)
		return fail_at(fail, name, log_line_of(log, nul),
			       "not a text file: there is a NUL byte");

	log->cut = text[size - 1] != '\n';
	log_rewind(log);
	return 0;
}

static int log_read(struct log *log, const char *path, FILE *file, size_t size,
		    struct fail *fail)
{
	char *text = malloc(size + 1);

	if (!text)
		return fail_at(fail, path, 0, "out of memory");
	size = fread(text, 1, size, file);
	if (ferror(file)) {
		free(text);
		return fail_at(fail, path, 0, "cannot be read");
	}
	return log_take(log, path, text, size, fail);
}

/**
 * log_open - read a file
 * @log: the log; log_close() it, also after a failure
 * @path: of the file; has to stay
 * @fail: what is wrong with it
 *
 * Return: 0, or -1 with @fail.
 */
int log_open(struct log *log, const char *path, struct fail *fail)
{
	struct stat st;
	FILE *file;
	int ret;

	memset(log, 0, sizeof(*log));
	if (stat(path, &st))
		return fail_at(fail, path, 0, "%s", strerror(errno));
	if (!S_ISREG(st.st_mode))
		return fail_at(fail, path, 0, "not a regular file");
	if ((unsigned long)st.st_size > LOG_MAX)
		return fail_at(fail, path, 0, "larger than %lu MiB",
			       LOG_MAX >> 20);

	file = fopen(path, "r");
	if (!file)
		return fail_at(fail, path, 0, "%s", strerror(errno));
	ret = log_read(log, path, file, st.st_size, fail);
	fclose(file);
	return ret;
}

/**
 * log_text - take a log from memory
 * @log: the log; log_close() it, also after a failure
 * @name: for messages
 * @text: copied
 * @size: of @text
 * @fail: what is wrong with it
 *
 * Return: 0, or -1 with @fail.
 */
int log_text(struct log *log, const char *name, const char *text, size_t size,
	     struct fail *fail)
{
	char *copy = malloc(size + 1);

	memset(log, 0, sizeof(*log));
	if (!copy)
		return fail_at(fail, name, 0, "out of memory");
	memcpy(copy, text, size);
	return log_take(log, name, copy, size, fail);
}

/* Start again with the first line */
void log_rewind(struct log *log)
{
	size_t i;

	/* Lines that were read end in a NUL */
	for (i = 0; i < log->size; i++)
		if (!log->text[i])
			log->text[i] = '\n';
	log->next = log->text;
	log->line = 0;
}

/* The next line without its end, or NULL */
char *log_next(struct log *log)
{
	char *line = log->next, *end = log->text + log->size, *stop;

	if (!line || line >= end)
		return NULL;

	stop = memchr(line, '\n', end - line);
	if (stop)
		*stop = '\0';
	else
		stop = end;
	if (stop > line && stop[-1] == '\r')
		stop[-1] = ' ';

	log->next = stop + 1;
	log->line++;
	return line;
}

void log_close(struct log *log)
{
	free(log->text);
	memset(log, 0, sizeof(*log));
}
