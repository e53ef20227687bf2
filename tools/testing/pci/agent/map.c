// SPDX-License-Identifier: GPL-2.0
/*
 * User mappings of files, resourceN above all: one that is held until the
 * host says otherwise, or one that is made and given up again and again. What
 * is mapped is read, so that a mapping that leads nowhere is noticed.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent.h"

#define MAX_MAPS	16

/**
 * struct map - one mapping or loop of mappings, in memory shared with its process
 * @name: the host's name for it, empty when the slot is free
 * @stop: set to end it
 * @mapped: mapped now
 * @finished: the process has ended
 * @rounds: mappings made and given up
 * @errors: failed opens and mappings
 * @changed: times that the first word was not the same as the first time
 * @last_errno: errno of the last error
 * @word: first word of the file, as read last
 */
struct map {
	char name[64];
	atomic_bool stop;
	atomic_bool mapped;
	atomic_bool finished;
	atomic_ullong rounds;
	atomic_ullong errors;
	atomic_ullong changed;
	atomic_int last_errno;
	atomic_uint word;
};

static struct map *maps;

static int map_once(struct map *m, const char *path, bool loop)
{
	atomic_uint *p;
	struct stat st;
	int fd, err;

	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	p = fstat(fd, &st) ? MAP_FAILED :
	    mmap(NULL, st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	err = p == MAP_FAILED ? -errno : 0;
	close(fd);
	if (err)
		return err;
	do {
		unsigned int word = atomic_load(p);

		if ((atomic_load(&m->mapped) || atomic_load(&m->rounds)) &&
		    word != atomic_load(&m->word))
			atomic_fetch_add(&m->changed, 1);
		atomic_store(&m->word, word);
		atomic_store(&m->mapped, true);
		if (!loop)
			usleep(10000);
	} while (!loop && !atomic_load(&m->stop));
	munmap(p, st.st_size);
	atomic_store(&m->mapped, false);
	atomic_fetch_add(&m->rounds, 1);
	return 0;
}

static void run(struct map *m, const char *path, bool loop,
		unsigned int pause_us)
{
	do {
		int err = map_once(m, path, loop);

		if (err) {
			atomic_store(&m->last_errno, -err);
			atomic_fetch_add(&m->errors, 1);
		}
		if (pause_us)
			usleep(pause_us);
	} while (loop && !atomic_load(&m->stop));
	atomic_store(&m->finished, true);
	_exit(0);
}

static struct map *find_map(const char *name)
{
	unsigned int i;

	for (i = 0; maps && i < MAX_MAPS; i++)
		if (*name && !strcmp(maps[i].name, name))
			return &maps[i];
	return NULL;
}

static void report(struct map *m, struct buf *out)
{
	buf_printf(out,
		   "{\"mapped\":%s,\"finished\":%s,\"rounds\":%llu,\"errors\":%llu,\"changed\":%llu,\"word\":%u,\"last_error\":",
		   atomic_load(&m->mapped) ? "true" : "false",
		   atomic_load(&m->finished) ? "true" : "false",
		   atomic_load(&m->rounds), atomic_load(&m->errors),
		   atomic_load(&m->changed), atomic_load(&m->word));
	json_cstr(out, atomic_load(&m->last_errno) ?
		       strerror(atomic_load(&m->last_errno)) : NULL);
	buf_add(out, "}", 1);
}

static int map_start(int argc, struct arg *argv, bool loop, struct buf *out)
{
	unsigned long long pause_us = 0;
	struct map *m = NULL;
	unsigned int i;
	pid_t pid;

	if (argc < 3 || !argv[1].len || argv[1].len >= sizeof(m->name) ||
	    (argc > 3 && (!loop || parse_number(&argv[3], &pause_us) ||
			  pause_us > 1000000))) {
		buf_printf(out, "map hold NAME PATH, map loop NAME PATH [PAUSE_US]");
		return -EINVAL;
	}
	if (find_map(argv[1].p)) {
		buf_printf(out, "a mapping named %s exists", argv[1].p);
		return -EEXIST;
	}
	if (access(argv[2].p, R_OK | W_OK)) {
		int err = -errno;

		buf_printf(out, "%s: %s", argv[2].p, strerror(errno));
		return err;
	}
	if (!maps) {
		maps = mmap(NULL, MAX_MAPS * sizeof(*maps),
			    PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
		if (maps == MAP_FAILED) {
			maps = NULL;
			buf_printf(out, "no memory");
			return -ENOMEM;
		}
	}
	for (i = 0; i < MAX_MAPS && !m; i++)
		if (!maps[i].name[0])
			m = &maps[i];
	if (!m) {
		buf_printf(out, "too many mappings");
		return -EBUSY;
	}
	memset(m, 0, sizeof(*m));
	strcpy(m->name, argv[1].p);
	pid = fork();
	if (pid < 0) {
		m->name[0] = 0;
		buf_printf(out, "fork: %s", strerror(errno));
		return -EAGAIN;
	}
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		run(m, argv[2].p, loop, pause_us);
	}
	report(m, out);
	return 0;
}

static int cmd_map(int argc, struct arg *argv, struct buf *out)
{
	struct map *m;

	if (!strcmp(argv[0].p, "hold") || !strcmp(argv[0].p, "loop"))
		return map_start(argc, argv, !strcmp(argv[0].p, "loop"), out);
	m = argc > 1 ? find_map(argv[1].p) : NULL;
	if (!m) {
		buf_printf(out, "no such mapping");
		return -ENOENT;
	}
	if (!strcmp(argv[0].p, "stop")) {
		atomic_store(&m->stop, true);
		report(m, out);
	} else if (!strcmp(argv[0].p, "status")) {
		report(m, out);
	} else if (!strcmp(argv[0].p, "forget")) {
		if (!atomic_load(&m->finished)) {
			buf_printf(out, "still running");
			return -EBUSY;
		}
		m->name[0] = 0;
		buf_printf(out, "true");
	} else {
		buf_printf(out, "map hold|loop|stop|status|forget");
		return -EINVAL;
	}
	return 0;
}

const struct cmd map_cmds[] = {
	{ "map", 1, 4, true, cmd_map },
	{ NULL, 0, 0, false, NULL }
};
