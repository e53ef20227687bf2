/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Guest agent for the PCI tests: shared declarations.
 */
#ifndef PCI_AGENT_H
#define PCI_AGENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define AGENT_VERSION	1
#define MAX_ARGS	64

/**
 * struct buf - growing byte buffer
 * @p: bytes, always NUL terminated once something was added
 * @len: bytes used
 * @cap: bytes allocated
 */
struct buf {
	char *p;
	size_t len;
	size_t cap;
};

/**
 * struct arg - one decoded word of a request
 * @p: bytes, NUL terminated in addition to @len
 * @len: number of bytes, so that data may hold NULs
 */
struct arg {
	char *p;
	size_t len;
};

/**
 * struct cmd - one command of the protocol
 * @name: first word of the request
 * @min: least number of arguments
 * @max: largest number of arguments
 * @inline_: run in the agent itself; all others run in a child with a time
 *	limit, so that neither a sysfs file that never returns nor a bug in a
 *	handler takes the agent away
 * @run: handler; adds one JSON value to @out and returns 0, or adds a plain
 *	message to @out and returns a negative errno
 */
struct cmd {
	const char *name;
	int min;
	int max;
	bool inline_;
	int (*run)(int argc, struct arg *argv, struct buf *out);
};

/* json.c */
void buf_add(struct buf *b, const void *data, size_t len);
void buf_printf(struct buf *b, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void buf_reset(struct buf *b);
void buf_free(struct buf *b);
void json_str(struct buf *b, const char *s, size_t len);
void json_cstr(struct buf *b, const char *s);
void json_hex(struct buf *b, const void *data, size_t len);

/* files.c */
extern const struct cmd file_cmds[];
int read_file(const char *path, struct buf *out, size_t max);
int write_file(const char *path, const char *data, size_t len);
void list_dir(const char *path, struct buf *out);
void json_link_name(struct buf *b, const char *path);

/* uevent.c */
extern const struct cmd uevent_cmds[];
int uevent_start(bool load_modules);

/* block.c */
#define BLOCK		4096

uint64_t block_random(uint64_t *state);
void block_fill(void *block, uint64_t nr, uint64_t generation);
bool block_good(void *block, uint64_t nr, uint64_t generation);

/* disk.c */
extern const struct cmd disk_cmds[];

/* net.c */
extern const struct cmd net_cmds[];

/* map.c */
extern const struct cmd map_cmds[];

/* jobs.c */
extern const struct cmd job_cmds[];

/* module.c */
extern const struct cmd module_cmds[];
bool module_tree_present(void);
int module_load(const char *name_or_alias, struct buf *log);
void module_coldplug(void);

/* rtas.c */
extern const struct cmd rtas_cmds[];

/* main.c */
double now_s(void);
void kmsg(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
int parse_number(const struct arg *a, unsigned long long *val);

#endif /* PCI_AGENT_H */
