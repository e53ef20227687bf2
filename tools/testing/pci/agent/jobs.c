// SPDX-License-Identifier: GPL-2.0
/*
 * Background jobs: processes that write to a list of files again and again,
 * for instance "1" to a device's remove file and then to the bus's rescan
 * file. Several of them running against each other are the race tests.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "agent.h"

#define MAX_JOBS	32

/**
 * struct job - one background job, in memory shared with its process
 * @name: the host's name for it, empty when the slot is free
 * @pid: the process
 * @stop: set to end the job after the write it is in
 * @finished: the process has ended
 * @rounds: rounds through the list of files completed
 * @writes: successful writes
 * @missing: files that were not there, which a racing remove makes normal
 * @errors: writes that failed in another way
 * @last_errno: errno of the last such failure
 * @start_ms: when the write in progress was started, 0 between writes
 */
struct job {
	char name[64];
	pid_t pid;
	atomic_bool stop;
	atomic_bool finished;
	atomic_ullong rounds;
	atomic_ullong writes;
	atomic_ullong missing;
	atomic_ullong errors;
	atomic_int last_errno;
	atomic_ullong start_ms;
};

static struct job *jobs;

static unsigned long long now_ms(void)
{
	return (unsigned long long)(now_s() * 1000);
}

static void run(struct job *j, unsigned long long count,
		unsigned long long pause_us, int steps, struct arg *step)
{
	unsigned long long i;
	int s;

	for (i = 0; (!count || i < count) && !atomic_load(&j->stop); i++) {
		for (s = 0; s < steps && !atomic_load(&j->stop); s++) {
			char *eq = strrchr(step[s].p, '=');
			int err;

			*eq = 0;
			atomic_store(&j->start_ms, now_ms());
			err = write_file(step[s].p, eq + 1, strlen(eq + 1));
			atomic_store(&j->start_ms, 0);
			*eq = '=';
			if (!err) {
				atomic_fetch_add(&j->writes, 1);
			} else if (err == -ENOENT || err == -ENODEV) {
				atomic_fetch_add(&j->missing, 1);
			} else {
				atomic_store(&j->last_errno, -err);
				atomic_fetch_add(&j->errors, 1);
			}
			if (pause_us)
				usleep(pause_us);
		}
		atomic_fetch_add(&j->rounds, 1);
	}
	atomic_store(&j->finished, true);
	_exit(0);
}

static struct job *find_job(const char *name)
{
	unsigned int i;

	for (i = 0; jobs && i < MAX_JOBS; i++)
		if (*name && !strcmp(jobs[i].name, name))
			return &jobs[i];
	return NULL;
}

static void report(struct job *j, struct buf *out)
{
	unsigned long long start = atomic_load(&j->start_ms);

	buf_printf(out,
		   "{\"finished\":%s,\"rounds\":%llu,\"writes\":%llu,\"missing\":%llu,\"errors\":%llu,\"last_error\":",
		   atomic_load(&j->finished) ? "true" : "false",
		   atomic_load(&j->rounds), atomic_load(&j->writes),
		   atomic_load(&j->missing), atomic_load(&j->errors));
	json_cstr(out, atomic_load(&j->last_errno) ?
		       strerror(atomic_load(&j->last_errno)) : NULL);
	buf_printf(out, ",\"busy_ms\":%llu,\"stack\":",
		   start ? now_ms() - start : 0);
	if (start && now_ms() - start > 1000) {
		struct buf stack = { 0 };
		char path[64];

		snprintf(path, sizeof(path), "/proc/%d/stack", j->pid);
		buf_reset(&stack);
		read_file(path, &stack, 65536);
		json_str(out, stack.p, stack.len);
		buf_free(&stack);
	} else {
		buf_printf(out, "null");
	}
	buf_add(out, "}", 1);
}

static int job_start(int argc, struct arg *argv, struct buf *out)
{
	unsigned long long count, pause_us;
	struct job *j = NULL;
	pid_t pid;
	int i;

	if (argc < 5 || !argv[1].len || argv[1].len >= sizeof(j->name) ||
	    parse_number(&argv[2], &count) ||
	    parse_number(&argv[3], &pause_us)) {
		buf_printf(out, "job start NAME COUNT PAUSE_US PATH=DATA...");
		return -EINVAL;
	}
	for (i = 4; i < argc; i++) {
		if (!strchr(argv[i].p, '=')) {
			buf_printf(out, "step without '=': %s", argv[i].p);
			return -EINVAL;
		}
	}
	if (find_job(argv[1].p)) {
		buf_printf(out, "a job named %s exists", argv[1].p);
		return -EEXIST;
	}
	if (!jobs) {
		jobs = mmap(NULL, MAX_JOBS * sizeof(*jobs),
			    PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
		if (jobs == MAP_FAILED) {
			jobs = NULL;
			buf_printf(out, "no memory");
			return -ENOMEM;
		}
	}
	for (i = 0; i < MAX_JOBS && !j; i++)
		if (!jobs[i].name[0])
			j = &jobs[i];
	if (!j) {
		buf_printf(out, "too many jobs");
		return -EBUSY;
	}
	memset(j, 0, sizeof(*j));
	strcpy(j->name, argv[1].p);
	pid = fork();
	if (pid < 0) {
		int err = -errno;

		j->name[0] = 0;
		buf_printf(out, "fork: %s", strerror(-err));
		return err;
	}
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		run(j, count, pause_us, argc - 4, argv + 4);
	}
	j->pid = pid;
	report(j, out);
	return 0;
}

static int cmd_job(int argc, struct arg *argv, struct buf *out)
{
	struct job *j;

	if (!strcmp(argv[0].p, "start"))
		return job_start(argc, argv, out);
	j = argc > 1 ? find_job(argv[1].p) : NULL;
	if (!j) {
		buf_printf(out, "no such job");
		return -ENOENT;
	}
	if (!strcmp(argv[0].p, "stop")) {
		atomic_store(&j->stop, true);
		report(j, out);
	} else if (!strcmp(argv[0].p, "status")) {
		report(j, out);
	} else if (!strcmp(argv[0].p, "forget")) {
		if (!atomic_load(&j->finished)) {
			buf_printf(out, "still running");
			return -EBUSY;
		}
		j->name[0] = 0;
		buf_printf(out, "true");
	} else {
		buf_printf(out, "job start|stop|status|forget");
		return -EINVAL;
	}
	return 0;
}

const struct cmd job_cmds[] = {
	{ "job", 1, MAX_ARGS, true, cmd_job },
	{ NULL, 0, 0, false, NULL }
};
