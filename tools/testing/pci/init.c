// SPDX-License-Identifier: GPL-2.0
/*
 * The init of a kernel that only has to come up: say so, look for leaks if
 * the kernel can, and end the machine.
 *
 * Everything that tests PCI runs in the kernel (KUnit) or through the guest
 * agent; this one is for KUnit's kernels and for the boot of each patch.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <unistd.h>

#define KMEMLEAK "/sys/kernel/debug/kmemleak"

/* kmemleak reports what has been unreferenced for this long, plus slack. */
#define KMEMLEAK_AGE_S 7

static int order(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);
	int ok;

	if (fd < 0)
		return -1;
	ok = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
	close(fd);
	return ok ? 0 : -1;
}

/* Objects can look lost while they are handed over: only the second scan counts. */
static void leaks(void)
{
	char line[256];
	int lines = 0;
	FILE *file;

	if (access(KMEMLEAK, F_OK))
		return;
	sleep(KMEMLEAK_AGE_S);
	if (order(KMEMLEAK, "scan") || order(KMEMLEAK, "scan")) {
		printf("init: kmemleak does not scan\n");
		return;
	}
	file = fopen(KMEMLEAK, "r");
	if (!file) {
		perror("init: " KMEMLEAK);
		return;
	}
	while (fgets(line, sizeof(line), file)) {
		printf("init: leak: %s", line);
		lines++;
	}
	fclose(file);
	printf("init: kmemleak scanned, %d lines\n", lines);
}

static int entries(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	int n = 0;

	if (!dir)
		return -1;
	while ((entry = readdir(dir)))
		n += entry->d_name[0] != '.';
	closedir(dir);
	return n;
}

int main(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	mount("proc", "/proc", "proc", 0, NULL);
	mount("sysfs", "/sys", "sysfs", 0, NULL);
	mount("debugfs", "/sys/kernel/debug", "debugfs", 0, NULL);
	/* Warnings and errors stay, the rest would be mixed into our lines. */
	order("/proc/sys/kernel/printk", "5");
	leaks();
	printf("init: reached, %d PCI devices\n", entries("/sys/bus/pci/devices"));
	sync();
	sleep(1);
	reboot(RB_AUTOBOOT);
	return 1;
}
