/* SPDX-License-Identifier: GPL-2.0 */
/* A log in memory, read line by line, and what is wrong with it */
#ifndef REPLAY_LOG_H
#define REPLAY_LOG_H

#include <stdbool.h>
#include <stddef.h>

#include <linux/compiler.h>

/**
 * struct fail - the first thing that went wrong
 * @text: one line, without a newline; empty if all is well
 * @reason: what it was made from, the same for all failures of a kind
 */
struct fail {
	char		text[512];
	const char	*reason;
};

/**
 * struct log - a text file
 * @name: for messages
 * @text: all of it; a NUL is behind each line that was read
 * @size: of @text
 * @next: start of the next line
 * @line: number of the line that was read last
 * @cut: the last line does not end in a newline
 */
struct log {
	const char	*name;
	char		*text;
	size_t		size;
	char		*next;
	unsigned int	line;
	bool		cut;
};

__printf(4, 5)
int fail_at(struct fail *fail, const char *name, unsigned int line,
	    const char *format, ...);
int log_open(struct log *log, const char *path, struct fail *fail);
int log_text(struct log *log, const char *name, const char *text, size_t size,
	     struct fail *fail);
void log_rewind(struct log *log);
char *log_next(struct log *log);
void log_close(struct log *log);

#endif /* REPLAY_LOG_H */
