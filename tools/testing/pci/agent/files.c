// SPDX-License-Identifier: GPL-2.0
/*
 * Commands on files: proc, sysfs, tracefs, config space, shell.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/klog.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent.h"

#define PCI_DEVICES	"/sys/bus/pci/devices"
#define TRACING		"/sys/kernel/tracing"
#define FIND_LIMIT	20000
#define READ_LIMIT	(16u << 20)

/**
 * read_file() - append a file's bytes
 * @path: file
 * @out: where to
 * @max: stop after so many bytes
 *
 * Return: 0 or a negative errno.
 */
int read_file(const char *path, struct buf *out, size_t max)
{
	char chunk[8192];
	size_t total = 0;
	int fd, err = 0;

	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return -errno;
	buf_add(out, "", 0);
	while (total < max) {
		size_t want = max - total;
		ssize_t n;

		if (want > sizeof(chunk))
			want = sizeof(chunk);
		n = read(fd, chunk, want);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno != EAGAIN)
			err = -errno;
		if (n <= 0)
			break;
		buf_add(out, chunk, n);
		total += n;
	}
	close(fd);
	return err;
}

/**
 * write_file() - write bytes in one write(2)
 * @path: file
 * @data: bytes
 * @len: how many
 *
 * Return: 0 or a negative errno.
 */
int write_file(const char *path, const char *data, size_t len)
{
	ssize_t n;
	int fd, err = 0;

	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = write(fd, data, len);
	if (n < 0)
		err = -errno;
	else if ((size_t)n != len)
		err = -EIO;
	close(fd);
	return err;
}

static char type_char(int type)
{
	switch (type) {
	case DT_DIR:
		return 'd';
	case DT_LNK:
		return 'l';
	case DT_REG:
		return 'f';
	default:
		return 'o';
	}
}

/**
 * list_dir() - append a directory as a JSON object, name to type letter
 * @path: directory
 * @out: where to; "null" when it cannot be opened
 */
void list_dir(const char *path, struct buf *out)
{
	struct dirent *de;
	bool first = true;
	DIR *d;

	d = opendir(path);
	if (!d) {
		buf_printf(out, "null");
		return;
	}
	buf_add(out, "{", 1);
	while ((de = readdir(d))) {
		if (!strcmp(de->d_name, ".") || !strcmp(de->d_name, ".."))
			continue;
		if (!first)
			buf_add(out, ",", 1);
		first = false;
		json_cstr(out, de->d_name);
		buf_printf(out, ":\"%c\"", type_char(de->d_type));
	}
	buf_add(out, "}", 1);
	closedir(d);
}

/**
 * json_link_name() - append the last component of a link's target, or null
 * @b: buffer
 * @path: link
 */
void json_link_name(struct buf *b, const char *path)
{
	char target[4096];
	ssize_t n = readlink(path, target, sizeof(target) - 1);
	char *slash;

	if (n < 0) {
		buf_printf(b, "null");
		return;
	}
	target[n] = 0;
	slash = strrchr(target, '/');
	json_cstr(b, slash ? slash + 1 : target);
}

static int fail(struct buf *out, int err, const char *what)
{
	buf_reset(out);
	buf_printf(out, "%s: %s", what, strerror(-err));
	return err;
}

static int cmd_read(int argc, struct arg *argv, struct buf *out)
{
	unsigned long long max = READ_LIMIT;
	struct buf data = { 0 };
	int err;

	if (argc > 1 && parse_number(&argv[1], &max)) {
		buf_printf(out, "second argument is not a number");
		return -EINVAL;
	}
	err = read_file(argv[0].p, &data, max);
	if (err)
		err = fail(out, err, argv[0].p);
	else
		json_str(out, data.p, data.len);
	buf_free(&data);
	return err;
}

static int cmd_write(int argc, struct arg *argv, struct buf *out)
{
	int err = write_file(argv[0].p, argv[1].p, argv[1].len);

	(void)argc;
	if (err)
		return fail(out, err, argv[0].p);
	buf_printf(out, "%zu", argv[1].len);
	return 0;
}

static int cmd_mkdir(int argc, struct arg *argv, struct buf *out)
{
	(void)argc;
	if (mkdir(argv[0].p, 0755))
		return fail(out, -errno, argv[0].p);
	buf_printf(out, "null");
	return 0;
}

static int cmd_rmdir(int argc, struct arg *argv, struct buf *out)
{
	(void)argc;
	if (rmdir(argv[0].p))
		return fail(out, -errno, argv[0].p);
	buf_printf(out, "null");
	return 0;
}

static int cmd_ls(int argc, struct arg *argv, struct buf *out)
{
	struct stat st;

	(void)argc;
	if (stat(argv[0].p, &st))
		return fail(out, -errno, argv[0].p);
	if (!S_ISDIR(st.st_mode))
		return fail(out, -ENOTDIR, argv[0].p);
	list_dir(argv[0].p, out);
	return 0;
}

static int cmd_link(int argc, struct arg *argv, struct buf *out)
{
	char target[4096];
	ssize_t n = readlink(argv[0].p, target, sizeof(target));

	(void)argc;
	if (n < 0)
		return fail(out, -errno, argv[0].p);
	json_str(out, target, n);
	return 0;
}

static struct buf *find_out;
static unsigned int find_count;

static int find_one(const char *path, const struct stat *st, int flag,
		    struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	if (find_count >= FIND_LIMIT)
		return 1;
	if (find_count++)
		buf_add(find_out, ",", 1);
	json_cstr(find_out, path);
	return 0;
}

static int cmd_find(int argc, struct arg *argv, struct buf *out)
{
	int ret;

	(void)argc;
	find_out = out;
	find_count = 0;
	buf_add(out, "[", 1);
	ret = nftw(argv[0].p, find_one, 32, FTW_PHYS);
	if (ret < 0)
		return fail(out, -errno, argv[0].p);
	if (ret > 0) {
		buf_reset(out);
		buf_printf(out, "%s: more than %u entries", argv[0].p,
			   FIND_LIMIT);
		return -E2BIG;
	}
	buf_add(out, "]", 1);
	return 0;
}

/* Device names come from the host: nothing but hex digits, ':' and '.'. */
static int config_path(struct arg *a, char *path, size_t size)
{
	if (!a->len || strspn(a->p, "0123456789abcdef:.") != a->len ||
	    strstr(a->p, ".."))
		return -EINVAL;
	if ((size_t)snprintf(path, size, PCI_DEVICES "/%s/config", a->p) >= size)
		return -EINVAL;
	return 0;
}

static int cmd_config(int argc, struct arg *argv, struct buf *out)
{
	unsigned long long off = 0, len = 256, val = 0;
	unsigned char bytes[4096];
	char path[256];
	ssize_t n;
	int fd;

	if (config_path(&argv[0], path, sizeof(path))) {
		buf_printf(out, "not a PCI device name: %s", argv[0].p);
		return -EINVAL;
	}
	if ((argc > 1 && parse_number(&argv[1], &off)) ||
	    (argc > 2 && parse_number(&argv[2], &len)) ||
	    (argc > 3 && parse_number(&argv[3], &val)) ||
	    off > 4096 || len > sizeof(bytes) ||
	    (argc > 3 && len != 1 && len != 2 && len != 4)) {
		buf_printf(out, "bad offset, length or value");
		return -EINVAL;
	}
	fd = open(path, (argc > 3 ? O_WRONLY : O_RDONLY) | O_CLOEXEC);
	if (fd < 0)
		return fail(out, -errno, path);
	if (argc > 3) {
		unsigned int i;

		for (i = 0; i < len; i++)
			bytes[i] = val >> (8 * i);
		n = pwrite(fd, bytes, len, off);
	} else {
		n = pread(fd, bytes, len, off);
	}
	close(fd);
	if (n < 0)
		return fail(out, -errno, path);
	if (argc > 3)
		buf_printf(out, "%zd", n);
	else
		json_hex(out, bytes, n);
	return 0;
}

/* All PCI devices with what the tests look at, in one answer. */
static int cmd_pci(int argc, struct arg *argv, struct buf *out)
{
	static const char * const texts[] = {
		"resource", "modalias", "class", "secondary_bus_number",
		"subordinate_bus_number", "enable", "numa_node",
	};
	struct buf data = { 0 };
	struct dirent *de;
	bool first = true;
	DIR *d;

	(void)argc;
	(void)argv;
	d = opendir(PCI_DEVICES);
	if (!d)
		return fail(out, -errno, PCI_DEVICES);
	buf_add(out, "{", 1);
	while ((de = readdir(d))) {
		char path[512];
		unsigned int i;

		if (de->d_name[0] == '.')
			continue;
		buf_printf(out, "%s\"%s\":{", first ? "" : ",", de->d_name);
		first = false;
		snprintf(path, sizeof(path), PCI_DEVICES "/%s", de->d_name);
		buf_printf(out, "\"files\":");
		list_dir(path, out);
		snprintf(path, sizeof(path), PCI_DEVICES "/%s/driver",
			 de->d_name);
		buf_printf(out, ",\"driver\":");
		json_link_name(out, path);
		snprintf(path, sizeof(path), PCI_DEVICES "/%s/iommu_group",
			 de->d_name);
		buf_printf(out, ",\"iommu_group\":");
		json_link_name(out, path);
		snprintf(path, sizeof(path), PCI_DEVICES "/%s", de->d_name);
		{
			char real[4096];
			ssize_t n = readlink(path, real, sizeof(real));

			buf_printf(out, ",\"path\":");
			json_str(out, real, n < 0 ? 0 : n);
		}
		snprintf(path, sizeof(path), PCI_DEVICES "/%s/config",
			 de->d_name);
		buf_reset(&data);
		read_file(path, &data, 256);
		buf_printf(out, ",\"config\":");
		json_hex(out, data.p, data.len);
		for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
			snprintf(path, sizeof(path), PCI_DEVICES "/%s/%s",
				 de->d_name, texts[i]);
			buf_reset(&data);
			if (read_file(path, &data, 65536))
				continue;
			buf_printf(out, ",\"%s\":", texts[i]);
			json_str(out, data.p, data.len);
		}
		buf_add(out, "}", 1);
	}
	closedir(d);
	buf_free(&data);
	buf_add(out, "}", 1);
	return 0;
}

static int cmd_trace(int argc, struct arg *argv, struct buf *out)
{
	struct buf data = { 0 };
	int err;

	if (argc && !strcmp(argv[0].p, "clear")) {
		/* What clears the buffer is opening the file so. */
		int fd = open(TRACING "/trace", O_WRONLY | O_TRUNC | O_CLOEXEC);

		if (fd < 0)
			return fail(out, -errno, TRACING "/trace");
		close(fd);
		buf_printf(out, "true");
		return 0;
	}
	if (argc) {
		buf_printf(out, "trace takes nothing or 'clear'");
		return -EINVAL;
	}
	err = read_file(TRACING "/trace", &data, READ_LIMIT);
	if (err)
		err = fail(out, err, TRACING "/trace");
	else
		json_str(out, data.p, data.len);
	buf_free(&data);
	return err;
}

static int cmd_event(int argc, struct arg *argv, struct buf *out)
{
	char path[512];
	int err;

	(void)argc;
	if (strstr(argv[0].p, "..") ||
	    (size_t)snprintf(path, sizeof(path), TRACING "/events/%s/enable",
			     argv[0].p) >= sizeof(path)) {
		buf_printf(out, "bad event name");
		return -EINVAL;
	}
	err = write_file(path, argv[1].p, argv[1].len);
	if (err)
		return fail(out, err, path);
	buf_printf(out, "true");
	return 0;
}

static int cmd_klog(int argc, struct arg *argv, struct buf *out)
{
	int size = klogctl(10, NULL, 0);
	char *text;
	int n;

	(void)argc;
	(void)argv;
	if (size < 0)
		return fail(out, -errno, "klog");
	text = malloc(size + 1);
	if (!text)
		return fail(out, -ENOMEM, "klog");
	n = klogctl(3, text, size);
	if (n < 0) {
		int err = -errno;

		free(text);
		return fail(out, err, "klog");
	}
	json_str(out, text, n);
	free(text);
	return 0;
}

static int cmd_sh(int argc, struct arg *argv, struct buf *out)
{
	struct buf text = { 0 };
	char chunk[4096];
	int pfd[2], status = 0;
	ssize_t n;
	pid_t pid;

	(void)argc;
	if (access("/bin/sh", X_OK))
		return fail(out, -ENOENT, "/bin/sh");
	if (pipe2(pfd, O_CLOEXEC))
		return fail(out, -errno, "pipe");
	pid = fork();
	if (pid < 0)
		return fail(out, -errno, "fork");
	if (!pid) {
		dup2(pfd[1], 1);
		dup2(pfd[1], 2);
		execl("/bin/sh", "sh", "-c", argv[0].p, NULL);
		_exit(127);
	}
	close(pfd[1]);
	buf_reset(&text);
	while ((n = read(pfd[0], chunk, sizeof(chunk))) > 0)
		buf_add(&text, chunk, n);
	close(pfd[0]);
	waitpid(pid, &status, 0);
	buf_printf(out, "{\"status\":%d,\"output\":",
		   WIFEXITED(status) ? WEXITSTATUS(status) :
				       128 + WTERMSIG(status));
	json_str(out, text.p, text.len);
	buf_add(out, "}", 1);
	buf_free(&text);
	return 0;
}

const struct cmd file_cmds[] = {
	{ "read", 1, 2, false, cmd_read },
	{ "write", 2, 2, false, cmd_write },
	{ "mkdir", 1, 1, false, cmd_mkdir },
	{ "rmdir", 1, 1, false, cmd_rmdir },
	{ "ls", 1, 1, false, cmd_ls },
	{ "link", 1, 1, false, cmd_link },
	{ "find", 1, 1, false, cmd_find },
	{ "config", 1, 4, false, cmd_config },
	{ "pci", 0, 0, false, cmd_pci },
	{ "trace", 0, 1, false, cmd_trace },
	{ "event", 2, 2, false, cmd_event },
	{ "klog", 0, 0, false, cmd_klog },
	{ "sh", 1, 1, false, cmd_sh },
	{ NULL, 0, 0, false, NULL }
};
