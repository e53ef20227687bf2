// SPDX-License-Identifier: GPL-2.0
/*
 * Uevent listener. What user space may rely on when a device is announced
 * can only be seen at that moment, so this runs as a real-time thread that
 * looks at a new PCI device before it does anything else, and keeps what it
 * saw for the host to ask for.
 *
 * The same thread plays udev's part in a modular kernel: it hands every
 * MODALIAS to a child that loads the modules, and goes back to listening.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/netlink.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent.h"

#define MAX_RECORDS	50000

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char *records[MAX_RECORDS];
static unsigned int nr_records;
static unsigned int nr_lost;
static int nl_fd = -1;
static bool nl_modules;

static const char *get(const char *msg, size_t len, const char *key)
{
	size_t klen = strlen(key);
	const char *p = msg;

	while (p < msg + len) {
		size_t l = strnlen(p, msg + len - p);

		if (l > klen && !strncmp(p, key, klen) && p[klen] == '=')
			return p + klen + 1;
		p += l + 1;
	}
	return NULL;
}

/* The order matters: addresses first, they are what might still change. */
static void look_at_device(struct buf *b, const char *devpath)
{
	struct buf data = { 0 };
	char path[4096];

	snprintf(path, sizeof(path), "/sys%s/resource", devpath);
	buf_reset(&data);
	read_file(path, &data, 65536);
	buf_printf(b, ",\"resource\":");
	json_str(b, data.p, data.len);

	snprintf(path, sizeof(path), "/sys%s/driver", devpath);
	buf_printf(b, ",\"driver\":");
	json_link_name(b, path);

	snprintf(path, sizeof(path), "/sys%s", devpath);
	buf_printf(b, ",\"files\":");
	list_dir(path, b);

	snprintf(path, sizeof(path), "/sys%s/config", devpath);
	buf_reset(&data);
	read_file(path, &data, 256);
	buf_printf(b, ",\"config\":");
	json_hex(b, data.p, data.len);
	buf_free(&data);
}

static void load_for(const char *alias)
{
	pid_t pid = fork();

	if (pid == 0) {
		struct sched_param none = { 0 };

		sched_setscheduler(0, SCHED_OTHER, &none);
		module_load(alias, NULL);
		_exit(0);
	}
}

static void handle(const char *msg, size_t len)
{
	const char *action = get(msg, len, "ACTION");
	const char *devpath = get(msg, len, "DEVPATH");
	const char *subsys = get(msg, len, "SUBSYSTEM");
	const char *alias = get(msg, len, "MODALIAS");
	const char *seq = get(msg, len, "SEQNUM");
	struct buf b = { 0 };
	double when = now_s();

	if (!action || !devpath || !subsys)
		return;
	buf_printf(&b, "\"seq\":%llu,\"time\":%.6f,\"action\":",
		   seq ? strtoull(seq, NULL, 10) : 0, when);
	json_cstr(&b, action);
	buf_printf(&b, ",\"devpath\":");
	json_cstr(&b, devpath);
	buf_printf(&b, ",\"subsystem\":");
	json_cstr(&b, subsys);
	buf_printf(&b, ",\"modalias\":");
	json_cstr(&b, alias);
	if (!strcmp(subsys, "pci") && !strcmp(action, "add"))
		look_at_device(&b, devpath);
	if (!strcmp(subsys, "pci") && !strcmp(action, "bind"))
		/* Puts the moment on the kernel log's own clock. */
		kmsg("<7>agent: bound %s", strrchr(devpath, '/') + 1);

	pthread_mutex_lock(&lock);
	if (nr_records < MAX_RECORDS) {
		records[nr_records++] = b.p;
		b.p = NULL;
	} else {
		nr_lost++;
	}
	pthread_mutex_unlock(&lock);
	buf_free(&b);

	if (nl_modules && alias && !strcmp(action, "add"))
		load_for(alias);
}

static void *listener(void *unused)
{
	static char msg[65536];

	(void)unused;
	for (;;) {
		ssize_t n = recv(nl_fd, msg, sizeof(msg) - 1, 0);

		if (n < 0) {
			if (errno == ENOBUFS) {
				pthread_mutex_lock(&lock);
				nr_lost++;
				pthread_mutex_unlock(&lock);
			}
			continue;
		}
		msg[n] = 0;
		handle(msg, n);
	}
	return NULL;
}

/**
 * uevent_start() - open the netlink socket and start listening
 * @load_modules: load modules for MODALIAS, as udev would
 *
 * Return: 0 or a negative errno.
 */
int uevent_start(bool load_modules)
{
	struct sockaddr_nl addr = {
		.nl_family = AF_NETLINK,
		.nl_groups = 1,
	};
	struct sched_param prio = { .sched_priority = 10 };
	int size = 16 << 20;
	pthread_t thread;
	int err;

	nl_fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC,
		       NETLINK_KOBJECT_UEVENT);
	if (nl_fd < 0)
		return -errno;
	setsockopt(nl_fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	if (bind(nl_fd, (struct sockaddr *)&addr, sizeof(addr))) {
		err = -errno;
		goto err_close;
	}
	nl_modules = load_modules;
	err = -pthread_create(&thread, NULL, listener, NULL);
	if (err)
		goto err_close;
	/* Refused in an unprivileged test run; only costs precision there. */
	pthread_setschedparam(thread, SCHED_FIFO, &prio);
	return 0;

err_close:
	close(nl_fd);
	nl_fd = -1;
	return err;
}

static int cmd_uevents(int argc, struct arg *argv, struct buf *out)
{
	unsigned long long from = 0;
	unsigned int i;

	if (argc && parse_number(&argv[0], &from)) {
		buf_printf(out, "start is not a number");
		return -EINVAL;
	}
	pthread_mutex_lock(&lock);
	buf_printf(out, "{\"next\":%u,\"lost\":%u,\"events\":[", nr_records,
		   nr_lost);
	for (i = from; i < nr_records; i++)
		buf_printf(out, "%s{\"index\":%u,%s}", i > from ? "," : "", i,
			   records[i]);
	pthread_mutex_unlock(&lock);
	buf_add(out, "]}", 2);
	return 0;
}

const struct cmd uevent_cmds[] = {
	{ "uevents", 0, 1, true, cmd_uevents },
	{ NULL, 0, 0, false, NULL }
};
