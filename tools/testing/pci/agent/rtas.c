// SPDX-License-Identifier: GPL-2.0
/*
 * Calls of the firmware of a pSeries machine.
 *
 * What is hot-plugged there waits in a dynamic reconfiguration connector
 * until the operating system takes it out, and goes back into it before it
 * can be unplugged (LoPAR 13, Dynamic Reconfiguration). Elsewhere these are
 * calls that user space makes, with the rtas() system call.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "agent.h"

#ifdef __NR_rtas

/* All in big-endian; the results follow the arguments */
struct rtas_args {
	uint32_t token;
	uint32_t nargs;
	uint32_t nret;
	uint32_t args[16];
	uint64_t rets;
};

/* rtas FUNCTION ARGUMENT...: the status, which is all that most return */
static int cmd_rtas(int argc, struct arg *argv, struct buf *out)
{
	struct rtas_args call = { .nret = htonl(1) };
	struct buf token = { 0 };
	unsigned long long val;
	char path[256];
	int i, err;

	if (strchr(argv[0].p, '/') ||
	    (size_t)snprintf(path, sizeof(path), "/proc/device-tree/rtas/%s",
			     argv[0].p) >= sizeof(path)) {
		buf_printf(out, "bad function name");
		return -EINVAL;
	}
	err = read_file(path, &token, sizeof(call.token));
	if (!err && token.len != sizeof(call.token))
		err = -ENODATA;
	if (err) {
		buf_printf(out, "%s: no such function", argv[0].p);
		buf_free(&token);
		return err;
	}
	memcpy(&call.token, token.p, sizeof(call.token));
	buf_free(&token);

	call.nargs = htonl(argc - 1);
	for (i = 1; i < argc; i++) {
		if (parse_number(&argv[i], &val)) {
			buf_printf(out, "%s: not a number", argv[i].p);
			return -EINVAL;
		}
		call.args[i - 1] = htonl(val);
	}
	if (syscall(__NR_rtas, &call)) {
		err = -errno;
		buf_printf(out, "rtas: %s", strerror(-err));
		return err;
	}
	buf_printf(out, "%d", (int32_t)ntohl(call.args[argc - 1]));
	return 0;
}

#endif

const struct cmd rtas_cmds[] = {
#ifdef __NR_rtas
	{ "rtas", 1, 9, false, cmd_rtas },
#endif
	{ NULL, 0, 0, false, NULL }
};
