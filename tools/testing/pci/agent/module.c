// SPDX-License-Identifier: GPL-2.0
/*
 * Just enough of modprobe: modules.alias and modules.dep of the running
 * kernel, dependencies first.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "agent.h"

static void tree_path(char *path, size_t size, const char *file)
{
	struct utsname u;

	uname(&u);
	snprintf(path, size, "/lib/modules/%s/%s", u.release, file);
}

/**
 * module_tree_present() - is there a module tree for the running kernel?
 *
 * Return: true when modules.dep can be read.
 */
bool module_tree_present(void)
{
	char path[512];

	tree_path(path, sizeof(path), "modules.dep");
	return !access(path, R_OK);
}

/* Module names may be written with either '-' or '_'. */
static bool same_name(const char *a, size_t alen, const char *b)
{
	size_t i;

	if (strlen(b) != alen)
		return false;
	for (i = 0; i < alen; i++)
		if ((a[i] == '-' ? '_' : a[i]) != (b[i] == '-' ? '_' : b[i]))
			return false;
	return true;
}

static int insert(const char *rel, struct buf *log)
{
	char path[4096];
	int fd, err = 0;

	tree_path(path, sizeof(path), rel);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		err = -errno;
	} else {
		if (syscall(SYS_finit_module, fd, "", 0))
			err = -errno;
		close(fd);
	}
	if (err == -EEXIST)
		err = 0;
	else if (log)
		buf_printf(log, "%s%s: %s", log->len ? "; " : "", rel,
			   err ? strerror(-err) : "loaded");
	if (err)
		kmsg("<4>agent: cannot load %s: %s", path, strerror(-err));
	return err;
}

/* A line of modules.dep is "module: its dependencies". */
static int insert_with_deps(const char *name, struct buf *log)
{
	char path[512], *line = NULL;
	int ret = -ENOENT;
	size_t size = 0;
	FILE *f;

	tree_path(path, sizeof(path), "modules.dep");
	f = fopen(path, "re");
	if (!f)
		return -errno;
	while (getline(&line, &size, f) > 0) {
		char *colon = strchr(line, ':'), *base, *words[256], *w, *save;
		int n = 0;

		if (!colon)
			continue;
		*colon = 0;
		base = strrchr(line, '/');
		base = base ? base + 1 : line;
		if (!same_name(base, strcspn(base, "."), name))
			continue;
		for (w = strtok_r(colon + 1, "\n ", &save); w && n < 256;
		     w = strtok_r(NULL, "\n ", &save))
			words[n++] = w;
		ret = 0;
		while (n-- && !ret)
			ret = insert(words[n], log);
		if (!ret)
			ret = insert(line, log);
		break;
	}
	free(line);
	fclose(f);
	return ret;
}

/**
 * module_load() - load a module by its name or by an alias
 * @name_or_alias: "nvme" or "pci:v00001B36d00000010..."
 * @log: what was loaded or failed is appended here; may be NULL
 *
 * An alias may name several modules; all are loaded, as modprobe does.
 *
 * Return: 0, or a negative errno; -ENOENT when nothing matches.
 */
int module_load(const char *name_or_alias, struct buf *log)
{
	char path[512], *line = NULL;
	size_t size = 0;
	int ret;
	FILE *f;

	ret = insert_with_deps(name_or_alias, log);
	if (ret != -ENOENT)
		return ret;
	tree_path(path, sizeof(path), "modules.alias");
	f = fopen(path, "re");
	if (!f)
		return -errno;
	while (getline(&line, &size, f) > 0) {
		char *save, *word = strtok_r(line, " ", &save);
		char *pattern = word ? strtok_r(NULL, " ", &save) : NULL;
		char *module = pattern ? strtok_r(NULL, "\n ", &save) : NULL;

		if (!module || strcmp(word, "alias"))
			continue;
		if (!fnmatch(pattern, name_or_alias, 0))
			ret = insert_with_deps(module, log);
	}
	free(line);
	fclose(f);
	return ret;
}

/**
 * module_coldplug() - load modules for every device that is already there
 *
 * Loading a module can bring new devices; their uevents reach the listener,
 * which runs by then.
 */
void module_coldplug(void)
{
	static const char * const buses[] = { "pci", "virtio", "usb", "scsi" };
	unsigned int i;

	for (i = 0; i < sizeof(buses) / sizeof(buses[0]); i++) {
		char path[512];
		struct dirent *de;
		DIR *d;

		snprintf(path, sizeof(path), "/sys/bus/%s/devices", buses[i]);
		d = opendir(path);
		if (!d)
			continue;
		while ((de = readdir(d))) {
			struct buf alias = { 0 };

			if (de->d_name[0] == '.')
				continue;
			snprintf(path, sizeof(path),
				 "/sys/bus/%s/devices/%s/modalias", buses[i],
				 de->d_name);
			if (!read_file(path, &alias, 4096) && alias.len) {
				alias.p[strcspn(alias.p, "\n")] = 0;
				module_load(alias.p, NULL);
			}
			buf_free(&alias);
		}
		closedir(d);
	}
}

static int cmd_modprobe(int argc, struct arg *argv, struct buf *out)
{
	struct buf log = { 0 };
	int err;

	(void)argc;
	buf_reset(&log);
	err = module_load(argv[0].p, &log);
	if (err)
		buf_printf(out, "%s: %s %s", argv[0].p, strerror(-err), log.p);
	else
		json_str(out, log.p, log.len);
	buf_free(&log);
	return err;
}

const struct cmd module_cmds[] = {
	{ "modprobe", 1, 1, false, cmd_modprobe },
	{ NULL, 0, 0, false, NULL }
};
