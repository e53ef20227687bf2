// SPDX-License-Identifier: GPL-2.0
/*
 * Plugin for QEMU's TCG: count the instructions that the guest executes
 *
 * qemu-system-... -plugin insns.so,out=FILE: FILE gets two 64-bit counters,
 * instructions of the kernel (the upper half of the address space) and others.
 * They can be read while the guest runs.  Debian does not package the header
 * of the plugin interface; what is used of its version 1 is declared here.
 */
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

typedef uint64_t qemu_plugin_id_t;
struct qemu_plugin_tb;
struct qemu_info;

enum { INLINE_ADD_U64 };

void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id,
					   void (*cb)(qemu_plugin_id_t id,
						      struct qemu_plugin_tb *tb));
void qemu_plugin_register_vcpu_tb_exec_inline(struct qemu_plugin_tb *tb, int op,
					      void *ptr, uint64_t imm);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *tb);

#define VISIBLE __attribute__((visibility("default")))

extern int qemu_plugin_version;
int qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_info *info,
			int argc, char **argv);

VISIBLE int qemu_plugin_version = 1;

static uint64_t *counters;

static void translated(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
	int user = !(qemu_plugin_tb_vaddr(tb) >> 63);

	(void)id;
	qemu_plugin_register_vcpu_tb_exec_inline(tb, INLINE_ADD_U64,
						 &counters[user],
						 qemu_plugin_tb_n_insns(tb));
}

VISIBLE int qemu_plugin_install(qemu_plugin_id_t id,
				const struct qemu_info *info, int argc,
				char **argv)
{
	size_t size = 2 * sizeof(*counters);
	int fd;

	(void)info;
	if (argc != 1 || strncmp(argv[0], "out=", 4)) {
		fprintf(stderr, "insns: usage: -plugin insns.so,out=FILE\n");
		return -1;
	}

	fd = open(argv[0] + 4, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (fd < 0 || ftruncate(fd, size)) {
		perror(argv[0] + 4);
		return -1;
	}
	counters = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (counters == MAP_FAILED) {
		perror(argv[0] + 4);
		return -1;
	}

	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
	return 0;
}
