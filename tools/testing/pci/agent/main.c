// SPDX-License-Identifier: GPL-2.0
/*
 * Guest agent for the PCI tests.
 *
 * Runs as /init of an initramfs, or as an ordinary daemon ("agent PORT").
 * The host talks to it over a character device that does not depend on the
 * PCI code under test; which one is said on the kernel command line:
 *
 *   agent.port=/dev/ttyS1	device to talk over (this is the default);
 *				a pattern: the first that matches
 *   agent.shell=1		a shell on the console instead; needs /bin/sh
 *
 * Protocol: one line in, one line out.
 *
 *   request:	ID [@MILLISECONDS] COMMAND ARGUMENT...
 *   reply:	{"id":"ID","ok":true,"result":...}
 *		{"id":"ID","ok":false,"errno":N,"error":"..."}
 *
 * Words are separated by blanks; a byte that cannot be written as it is goes
 * as %XX. Whatever arrives that is not a request gets exactly one reply that
 * says what is wrong with it.
 *
 * A command runs in a child that is given MILLISECONDS (30000 unless told):
 * sysfs files of a broken kernel may never return, and the agent has to go
 * on answering, not least to say where the child is stuck.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "agent.h"

#define LINE_LIMIT	(1u << 20)
#define DEFAULT_MS	30000
#define DEFAULT_PORT	"/dev/ttyS1"

static bool is_init;

/**
 * now_s() - seconds since boot, monotonic
 *
 * Return: the time.
 */
double now_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

/**
 * kmsg() - one line into the kernel log
 * @fmt: as for printf(), may start with a "<level>"
 */
void kmsg(const char *fmt, ...)
{
	char line[1024];
	va_list ap;
	int fd, n;

	va_start(ap, fmt);
	n = vsnprintf(line, sizeof(line) - 1, fmt, ap);
	va_end(ap);
	if (n <= 0)
		return;
	if (n > (int)sizeof(line) - 2)
		n = sizeof(line) - 2;
	/* Without its end the kernel would hold the line back. */
	line[n++] = '\n';
	fd = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	if (write(fd, line, n) != n)
		n = 0;
	close(fd);
}

/**
 * parse_number() - an argument as a number, decimal, 0x or octal
 * @a: argument
 * @val: where to put it
 *
 * Return: 0 or -EINVAL.
 */
int parse_number(const struct arg *a, unsigned long long *val)
{
	char *end;

	if (!a->len || a->p[0] == '-')
		return -EINVAL;
	errno = 0;
	*val = strtoull(a->p, &end, 0);
	if (errno || end != a->p + a->len)
		return -EINVAL;
	return 0;
}

static int cmd_ping(int argc, struct arg *argv, struct buf *out)
{
	struct utsname u;

	(void)argc;
	(void)argv;
	uname(&u);
	buf_printf(out, "{\"version\":%d,\"release\":", AGENT_VERSION);
	json_cstr(out, u.release);
	buf_printf(out, ",\"machine\":");
	json_cstr(out, u.machine);
	buf_printf(out, ",\"modules\":%s,\"time\":%.6f}",
		   module_tree_present() ? "true" : "false", now_s());
	return 0;
}

static int cmd_poweroff(int argc, struct arg *argv, struct buf *out)
{
	(void)argc;
	(void)argv;
	if (!is_init) {
		buf_printf(out, "not running as init");
		return -EPERM;
	}
	reboot(RB_POWER_OFF);
	buf_printf(out, "power off failed: %s", strerror(errno));
	return -errno;
}

static const struct cmd main_cmds[] = {
	{ "ping", 0, 0, true, cmd_ping },
	{ "poweroff", 0, 0, true, cmd_poweroff },
	{ NULL, 0, 0, false, NULL }
};

static const struct cmd * const tables[] = {
	main_cmds, file_cmds, uevent_cmds, disk_cmds, net_cmds, map_cmds,
	job_cmds, module_cmds, rtas_cmds,
};

static const struct cmd *find_cmd(const char *name)
{
	unsigned int i;

	for (i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		const struct cmd *c;

		for (c = tables[i]; c->name; c++)
			if (!strcmp(c->name, name))
				return c;
	}
	return NULL;
}

static void error_value(struct buf *reply, int err, const char *text)
{
	buf_printf(reply, "\"ok\":false,\"errno\":%d,\"error\":", -err);
	json_cstr(reply, text);
}

static void run_cmd(const struct cmd *c, int argc, struct arg *argv,
		    struct buf *reply)
{
	struct buf out = { 0 };
	int err;

	buf_reset(&out);
	err = c->run(argc, argv, &out);
	if (err) {
		error_value(reply, err, out.p);
	} else {
		buf_printf(reply, "\"ok\":true,\"result\":");
		buf_add(reply, out.p, out.len);
	}
	buf_free(&out);
}

static void reap(void)
{
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
}

static void say_stuck(struct buf *reply, const char *name, pid_t pid, int ms)
{
	struct buf stack = { 0 }, text = { 0 };
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/stack", pid);
	buf_reset(&stack);
	read_file(path, &stack, 65536);
	buf_printf(&text, "%s did not return within %d ms, it is in: %s", name,
		   ms, stack.len ? stack.p : "(stack not available)");
	error_value(reply, -ETIMEDOUT, text.p);
	buf_free(&stack);
	buf_free(&text);
}

static void run_in_child(const struct cmd *c, int argc, struct arg *argv,
			 int ms, struct buf *reply)
{
	double end = now_s() + ms / 1000.0;
	struct buf got = { 0 };
	char chunk[65536];
	int pfd[2], status = 0;
	pid_t pid;

	if (pipe2(pfd, O_CLOEXEC)) {
		error_value(reply, -errno, "pipe");
		return;
	}
	pid = fork();
	if (pid < 0) {
		error_value(reply, -errno, "fork");
		close(pfd[0]);
		close(pfd[1]);
		return;
	}
	if (!pid) {
		size_t at = 0;

		close(pfd[0]);
		run_cmd(c, argc, argv, &got);
		while (at < got.len) {
			ssize_t n = write(pfd[1], got.p + at, got.len - at);

			if (n <= 0)
				_exit(1);
			at += n;
		}
		_exit(0);
	}
	close(pfd[1]);
	buf_reset(&got);
	for (;;) {
		struct pollfd p = { .fd = pfd[0], .events = POLLIN };
		double left = end - now_s();
		ssize_t n;

		if (left <= 0 || poll(&p, 1, left * 1000 + 1) == 0) {
			say_stuck(reply, c->name, pid, ms);
			kill(pid, SIGKILL);
			goto out;
		}
		n = read(pfd[0], chunk, sizeof(chunk));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		buf_add(&got, chunk, n);
	}
	waitpid(pid, &status, 0);
	if (WIFEXITED(status) && !WEXITSTATUS(status) && got.len)
		buf_add(reply, got.p, got.len);
	else
		error_value(reply, -EFAULT, "the command's process died");
out:
	close(pfd[0]);
	buf_free(&got);
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* Decode in place; the result is never longer. */
static int decode(struct arg *a)
{
	size_t i, to = 0;

	for (i = 0; i < a->len; i++) {
		if (a->p[i] == '%') {
			int hi, lo;

			if (i + 2 >= a->len)
				return -EINVAL;
			hi = hex_digit(a->p[i + 1]);
			lo = hex_digit(a->p[i + 2]);
			if (hi < 0 || lo < 0)
				return -EINVAL;
			a->p[to++] = hi * 16 + lo;
			i += 2;
		} else {
			a->p[to++] = a->p[i];
		}
	}
	a->len = to;
	a->p[to] = 0;
	return 0;
}

static void handle_line(char *line, size_t len, struct buf *reply)
{
	struct arg words[MAX_ARGS + 3];
	unsigned long long ms = DEFAULT_MS;
	const struct cmd *c;
	int n = 0, first = 1;
	size_t i = 0;

	buf_printf(reply, "{\"id\":");
	while (i < len) {
		size_t start;

		while (i < len && (line[i] == ' ' || line[i] == '\r'))
			i++;
		if (i == len)
			break;
		start = i;
		while (i < len && line[i] != ' ' && line[i] != '\r')
			i++;
		if (n == MAX_ARGS + 3) {
			json_str(reply, words[0].p, words[0].len);
			buf_add(reply, ",", 1);
			error_value(reply, -E2BIG, "too many words");
			goto out;
		}
		words[n].p = line + start;
		words[n].len = i - start;
		n++;
		if (i < len)
			i++;
	}
	if (!n) {
		buf_printf(reply, "null,");
		error_value(reply, -EINVAL, "empty request");
		goto out;
	}
	for (first = 0; first < n; first++) {
		words[first].p[words[first].len] = 0;
		if (decode(&words[first])) {
			buf_printf(reply, "null,");
			error_value(reply, -EINVAL, "bad %XX escape");
			goto out;
		}
	}
	json_str(reply, words[0].p, words[0].len);
	buf_add(reply, ",", 1);
	first = 1;
	if (n > first && words[first].p[0] == '@') {
		struct arg num = { words[first].p + 1, words[first].len - 1 };

		if (parse_number(&num, &ms) || ms > 86400000) {
			error_value(reply, -EINVAL, "bad time limit");
			goto out;
		}
		first++;
	}
	if (n == first) {
		error_value(reply, -EINVAL, "no command");
		goto out;
	}
	c = find_cmd(words[first].p);
	if (!c) {
		error_value(reply, -ENOSYS, "unknown command");
		goto out;
	}
	n -= first + 1;
	if (n < c->min || n > c->max) {
		error_value(reply, -EINVAL, "wrong number of arguments");
		goto out;
	}
	if (c->inline_)
		run_cmd(c, n, words + first + 1, reply);
	else
		run_in_child(c, n, words + first + 1, ms, reply);
out:
	buf_add(reply, "}\n", 2);
}

static int write_all(int fd, const char *p, size_t len)
{
	while (len) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -EIO;
		p += n;
		len -= n;
	}
	return 0;
}

static void set_raw(int fd)
{
	struct termios t;

	if (tcgetattr(fd, &t))
		return;
	cfmakeraw(&t);
	t.c_cflag |= CLOCAL | CREAD;
	cfsetspeed(&t, B115200);
	tcsetattr(fd, TCSANOW, &t);
}

/* Serves requests until the other side goes away for good. */
static void serve(int fd)
{
	struct buf line = { 0 }, reply = { 0 };
	bool skipping = false;
	char chunk[4096];

	buf_reset(&line);
	for (;;) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		ssize_t n, i;

		reap();
		if (poll(&p, 1, 1000) <= 0)
			continue;
		n = read(fd, chunk, sizeof(chunk));
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n <= 0) {
			/* A virtio port without a listener reads as ended. */
			if (!is_init)
				break;
			usleep(100000);
			continue;
		}
		for (i = 0; i < n; i++) {
			if (chunk[i] != '\n') {
				if (line.len < LINE_LIMIT)
					buf_add(&line, &chunk[i], 1);
				else
					skipping = true;
				continue;
			}
			buf_reset(&reply);
			if (skipping) {
				buf_printf(&reply, "{\"id\":null,");
				error_value(&reply, -E2BIG, "line too long");
				buf_add(&reply, "}\n", 2);
			} else {
				handle_line(line.p, line.len, &reply);
			}
			write_all(fd, reply.p, reply.len);
			skipping = false;
			buf_reset(&line);
		}
	}
	buf_free(&line);
	buf_free(&reply);
}

static void mount_one(const char *type, const char *dir)
{
	mkdir(dir, 0755);
	if (mount(type, dir, type, 0, NULL) && errno != EBUSY)
		kmsg("<4>agent: cannot mount %s on %s: %s", type, dir,
		     strerror(errno));
}

static void mount_all(void)
{
	mount_one("devtmpfs", "/dev");
	mount_one("proc", "/proc");
	mount_one("sysfs", "/sys");
	mount_one("tmpfs", "/tmp");
	/* A kernel without them says so when a test asks for their files. */
	if (!access("/sys/kernel/debug", F_OK))
		mount_one("debugfs", "/sys/kernel/debug");
	if (!access("/sys/kernel/tracing", F_OK))
		mount_one("tracefs", "/sys/kernel/tracing");
	if (!access("/sys/kernel/config", F_OK))
		mount_one("configfs", "/sys/kernel/config");
}

/* The value of "key=" on the kernel command line, or NULL. */
static char *cmdline_value(const char *key)
{
	struct buf text = { 0 };
	char *word, *save, *val = NULL;
	size_t len = strlen(key);

	if (read_file("/proc/cmdline", &text, 65536))
		return NULL;
	for (word = strtok_r(text.p, "\n ", &save); word;
	     word = strtok_r(NULL, "\n ", &save))
		if (!strncmp(word, key, len) && word[len] == '=')
			val = word + len + 1;
	val = val ? strdup(val) : NULL;
	buf_free(&text);
	return val;
}

static void shell(void)
{
	pid_t pid = fork();

	if (!pid) {
		int fd;

		setsid();
		fd = open("/dev/console", O_RDWR);
		if (fd >= 0) {
			dup2(fd, 0);
			dup2(fd, 1);
			dup2(fd, 2);
			ioctl(fd, TIOCSCTTY, 1);
		}
		setenv("PATH", "/bin:/sbin", 1);
		setenv("HOME", "/", 1);
		setenv("PS1", "guest# ", 1);
		execl("/bin/sh", "sh", NULL);
		dprintf(2, "agent: no /bin/sh in this initramfs\n");
		_exit(127);
	}
	waitpid(pid, NULL, 0);
	sync();
	reboot(RB_POWER_OFF);
}

/* The first file that matches */
static int open_one(const char *pattern)
{
	glob_t found;
	int fd;

	if (glob(pattern, 0, NULL, &found)) {
		errno = ENOENT;
		return -1;
	}
	fd = open(found.gl_pathv[0], O_RDWR | O_NOCTTY | O_CLOEXEC);
	globfree(&found);
	return fd;
}

static int open_port(const char *name)
{
	int tries, fd = -1;

	for (tries = 0; tries < 200; tries++) {
		fd = open_one(name);
		if (fd >= 0)
			break;
		usleep(100000);
	}
	if (fd < 0)
		kmsg("<3>agent: cannot open %s: %s", name, strerror(errno));
	else if (isatty(fd))
		set_raw(fd);
	return fd;
}

int main(int argc, char **argv)
{
	char *port = NULL, *want_shell = NULL;
	int fd, err;

	is_init = getpid() == 1;
	signal(SIGPIPE, SIG_IGN);
	if (is_init) {
		mount_all();
		port = cmdline_value("agent.port");
		want_shell = cmdline_value("agent.shell");
	}
	if (argc > 1 && (!is_init || argv[1][0] == '/'))
		port = argv[1];
	err = uevent_start(is_init && module_tree_present());
	if (err)
		kmsg("<4>agent: no uevents: %s", strerror(-err));
	if (is_init && module_tree_present())
		module_coldplug();
	if (want_shell && !strcmp(want_shell, "1"))
		shell();
	if (!port)
		port = DEFAULT_PORT;
	/* A socket as standard input: for testing the agent on its own. */
	fd = strcmp(port, "-") ? open_port(port) : 0;
	if (fd < 0) {
		while (is_init)
			pause();
		return 1;
	}
	kmsg("<6>agent: ready on %s", port);
	serve(fd);
	return 0;
}
