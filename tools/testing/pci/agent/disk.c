// SPDX-License-Identifier: GPL-2.0
/*
 * Verified disk load. Each worker owns a range of 4 KiB blocks, writes them
 * with O_DIRECT in random order and reads them back. On stop every block that
 * was ever written is read once more.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "agent.h"

#define MAX_LOADS	16
#define MAX_WORKERS	8

/**
 * struct load - one load, in memory shared with its workers
 * @name: the host's name for it, empty when the slot is free
 * @workers: number of worker processes
 * @pid: the workers
 * @stop: set to end the load
 * @finished: workers that have ended, final read included
 * @reads: blocks read and compared
 * @writes: blocks written
 * @bad: blocks whose content was not what was written last
 * @errors: failed reads and writes
 * @first_bad: block number of the first bad block, or -1
 * @last_errno: errno of the last failed read or write
 * @progress_ms: time of the last completed operation
 */
struct load {
	char name[64];
	unsigned int workers;
	pid_t pid[MAX_WORKERS];
	atomic_bool stop;
	atomic_uint finished;
	atomic_ullong reads;
	atomic_ullong writes;
	atomic_ullong bad;
	atomic_ullong errors;
	atomic_llong first_bad;
	atomic_int last_errno;
	atomic_ullong progress_ms;
};

static struct load *loads;

static void done(struct load *l)
{
	atomic_store(&l->progress_ms, (unsigned long long)(now_s() * 1000));
}

static void check(struct load *l, int fd, void *block, uint64_t nr,
		  uint64_t generation)
{
	ssize_t n = pread(fd, block, BLOCK, nr * BLOCK);

	if (n != BLOCK) {
		atomic_store(&l->last_errno, n < 0 ? errno : EIO);
		atomic_fetch_add(&l->errors, 1);
	} else {
		atomic_fetch_add(&l->reads, 1);
		if (!block_good(block, nr, generation)) {
			long long none = -1;

			atomic_fetch_add(&l->bad, 1);
			atomic_compare_exchange_strong(&l->first_bad, &none,
						       (long long)nr);
		}
	}
	done(l);
}

static void worker(struct load *l, const char *dev, uint64_t first,
		   uint64_t count, unsigned int pause_us)
{
	/*
	 * Another one each time, so that what an earlier load has left on
	 * the disk is not taken for this one's.
	 */
	uint64_t seed = (uint64_t)(now_s() * 1e9) ^ (uint64_t)getpid() << 40 ^
			(first + 1);
	uint64_t i, serial = block_random(&seed) >> 1;
	uint64_t *generation;
	void *block;
	int fd;

	generation = calloc(count, sizeof(*generation));
	if (!generation || posix_memalign(&block, BLOCK, BLOCK))
		_exit(1);
	fd = open(dev, O_RDWR | O_DIRECT | O_CLOEXEC);
	if (fd < 0) {
		atomic_store(&l->last_errno, errno);
		atomic_fetch_add(&l->errors, 1);
		goto out;
	}
	while (!atomic_load(&l->stop)) {
		uint64_t b = block_random(&seed) % count;

		if (generation[b] && (block_random(&seed) & 1)) {
			check(l, fd, block, first + b, generation[b]);
		} else {
			ssize_t n;

			/*
			 * After a failed write either content is right, so
			 * the block is not looked at until it is rewritten.
			 */
			generation[b] = 0;
			block_fill(block, first + b, ++serial);
			n = pwrite(fd, block, BLOCK, (first + b) * BLOCK);
			if (n == BLOCK) {
				generation[b] = serial;
				atomic_fetch_add(&l->writes, 1);
			} else {
				atomic_store(&l->last_errno,
					     n < 0 ? errno : EIO);
				atomic_fetch_add(&l->errors, 1);
				usleep(10000);
			}
			done(l);
		}
		if (pause_us)
			usleep(pause_us);
	}
	for (i = 0; i < count; i++)
		if (generation[i])
			check(l, fd, block, first + i, generation[i]);
out:
	atomic_fetch_add(&l->finished, 1);
	_exit(0);
}

static struct load *find_load(const char *name)
{
	unsigned int i;

	for (i = 0; loads && i < MAX_LOADS; i++)
		if (*name && !strcmp(loads[i].name, name))
			return &loads[i];
	return NULL;
}

static void report(struct load *l, struct buf *out)
{
	unsigned long long idle = (unsigned long long)(now_s() * 1000) -
				  atomic_load(&l->progress_ms);

	buf_printf(out,
		   "{\"workers\":%u,\"finished\":%u,\"reads\":%llu,\"writes\":%llu,\"bad\":%llu,\"errors\":%llu,\"first_bad\":%lld,\"last_error\":",
		   l->workers, atomic_load(&l->finished),
		   atomic_load(&l->reads), atomic_load(&l->writes),
		   atomic_load(&l->bad), atomic_load(&l->errors),
		   atomic_load(&l->first_bad));
	json_cstr(out, atomic_load(&l->last_errno) ?
		       strerror(atomic_load(&l->last_errno)) : NULL);
	buf_printf(out, ",\"idle_ms\":%llu}", idle);
}

static int load_start(int argc, struct arg *argv, struct buf *out)
{
	unsigned long long blocks = 1024, workers = 1, pause_us = 0;
	struct load *l = NULL;
	unsigned int i;

	if (argc < 3 || !argv[1].len || argv[1].len >= sizeof(l->name)) {
		buf_printf(out, "disk start NAME DEVICE [BLOCKS [WORKERS [PAUSE_US]]]");
		return -EINVAL;
	}
	if ((argc > 3 && parse_number(&argv[3], &blocks)) ||
	    (argc > 4 && parse_number(&argv[4], &workers)) ||
	    (argc > 5 && parse_number(&argv[5], &pause_us)) ||
	    !workers || workers > MAX_WORKERS || blocks < workers ||
	    blocks > 1u << 24) {
		buf_printf(out, "bad number of blocks, workers or pause");
		return -EINVAL;
	}
	if (find_load(argv[1].p)) {
		buf_printf(out, "a load named %s exists", argv[1].p);
		return -EEXIST;
	}
	if (access(argv[2].p, R_OK | W_OK)) {
		int err = -errno;

		buf_printf(out, "%s: %s", argv[2].p, strerror(errno));
		return err;
	}
	if (!loads) {
		loads = mmap(NULL, MAX_LOADS * sizeof(*loads),
			     PROT_READ | PROT_WRITE,
			     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
		if (loads == MAP_FAILED) {
			loads = NULL;
			buf_printf(out, "no memory");
			return -ENOMEM;
		}
	}
	for (i = 0; i < MAX_LOADS && !l; i++)
		if (!loads[i].name[0])
			l = &loads[i];
	if (!l) {
		buf_printf(out, "too many loads");
		return -EBUSY;
	}
	memset(l, 0, sizeof(*l));
	strcpy(l->name, argv[1].p);
	l->first_bad = -1;
	done(l);
	for (i = 0; i < workers; i++) {
		uint64_t share = blocks / workers;
		pid_t pid = fork();

		if (pid < 0)
			break;
		if (!pid) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			worker(l, argv[2].p, i * share, share, pause_us);
		}
		l->pid[i] = pid;
		l->workers = i + 1;
	}
	report(l, out);
	return 0;
}

/*
 * Waiting for the workers is the host's business: "disk stop" sets the flag,
 * "disk status" tells when all have finished, "disk forget" frees the slot.
 */
static int cmd_disk(int argc, struct arg *argv, struct buf *out)
{
	struct load *l;

	if (!strcmp(argv[0].p, "start"))
		return load_start(argc, argv, out);
	l = argc > 1 ? find_load(argv[1].p) : NULL;
	if (!l) {
		buf_printf(out, "no such load");
		return -ENOENT;
	}
	if (!strcmp(argv[0].p, "stop")) {
		atomic_store(&l->stop, true);
		report(l, out);
	} else if (!strcmp(argv[0].p, "status")) {
		report(l, out);
	} else if (!strcmp(argv[0].p, "forget")) {
		if (atomic_load(&l->finished) < l->workers) {
			buf_printf(out, "workers still running");
			return -EBUSY;
		}
		l->name[0] = 0;
		buf_printf(out, "true");
	} else {
		buf_printf(out, "disk start|stop|status|forget");
		return -EINVAL;
	}
	return 0;
}

const struct cmd disk_cmds[] = {
	{ "disk", 1, 6, true, cmd_disk },
	{ NULL, 0, 0, false, NULL }
};
