// SPDX-License-Identifier: GPL-2.0
/*
 * Verified network load. Each worker has a TCP connection to a server that
 * sends back whatever it gets, and keeps a window of 4 KiB blocks on the way.
 * A block that comes back is compared with what was sent; see block.c.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent.h"

#define MAX_STREAMS	8
#define MAX_WORKERS	8
#define WINDOW		8	/* blocks; what socket buffers take surely */
#define TIMEOUT_S	30

/**
 * struct stream - one load, in memory shared with its workers
 * @name: the host's name for it, empty when the slot is free
 * @workers: number of worker processes
 * @stop: set to end the load
 * @finished: workers that have ended
 * @blocks: blocks that came back and were compared
 * @bad: those that were not what had been sent
 * @errors: connections that failed or did not go on for TIMEOUT_S seconds
 * @last_errno: errno of the last of these
 * @worst_ms: longest time that a window of blocks took
 */
struct stream {
	char name[64];
	unsigned int workers;
	atomic_bool stop;
	atomic_uint finished;
	atomic_ullong blocks;
	atomic_ullong bad;
	atomic_ullong errors;
	atomic_int last_errno;
	atomic_ullong worst_ms;
};

static struct stream *streams;

static int transfer(int fd, void *data, size_t len, bool out)
{
	char *p = data;

	while (len) {
		ssize_t n = out ? send(fd, p, len, MSG_NOSIGNAL) :
				  recv(fd, p, len, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (!n)
			return -EPIPE;
		p += n;
		len -= n;
	}
	return 0;
}

static int connect_to(const struct sockaddr_in *to)
{
	struct timeval limit = { .tv_sec = TIMEOUT_S };
	int one = 1, fd, err;

	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (connect(fd, (const struct sockaddr *)to, sizeof(*to))) {
		err = -errno;
		close(fd);
		return err;
	}
	return fd;
}

/* One connection until the load stops or the connection fails */
static int converse(struct stream *s, int fd, uint64_t *serial, void *blocks)
{
	unsigned long long ms, worst;
	unsigned int i;
	double start;
	int err;

	while (!atomic_load(&s->stop)) {
		start = now_s();
		for (i = 0; i < WINDOW; i++)
			block_fill((char *)blocks + i * BLOCK, i, *serial + i);
		err = transfer(fd, blocks, WINDOW * BLOCK, true);
		if (err)
			return err;
		memset(blocks, 0, WINDOW * BLOCK);
		err = transfer(fd, blocks, WINDOW * BLOCK, false);
		if (err)
			return err;
		for (i = 0; i < WINDOW; i++)
			if (!block_good((char *)blocks + i * BLOCK, i,
					*serial + i))
				atomic_fetch_add(&s->bad, 1);
		atomic_fetch_add(&s->blocks, WINDOW);
		*serial += WINDOW;
		ms = (now_s() - start) * 1000;
		worst = atomic_load(&s->worst_ms);
		while (ms > worst &&
		       !atomic_compare_exchange_weak(&s->worst_ms, &worst, ms))
			;
	}
	return 0;
}

static void worker(struct stream *s, const struct sockaddr_in *to)
{
	uint64_t serial = (uint64_t)getpid() << 32;
	void *blocks;

	if (posix_memalign(&blocks, BLOCK, WINDOW * BLOCK))
		_exit(1);
	while (!atomic_load(&s->stop)) {
		int fd = connect_to(to), err = fd;

		if (fd >= 0) {
			err = converse(s, fd, &serial, blocks);
			close(fd);
		}
		if (err) {
			atomic_store(&s->last_errno, -err);
			atomic_fetch_add(&s->errors, 1);
			usleep(100000);
		}
	}
	atomic_fetch_add(&s->finished, 1);
	_exit(0);
}

static struct stream *find_stream(const char *name)
{
	unsigned int i;

	for (i = 0; streams && i < MAX_STREAMS; i++)
		if (*name && !strcmp(streams[i].name, name))
			return &streams[i];
	return NULL;
}

static void report(struct stream *s, struct buf *out)
{
	buf_printf(out,
		   "{\"workers\":%u,\"finished\":%u,\"blocks\":%llu,\"bad\":%llu,\"errors\":%llu,\"worst_ms\":%llu,\"last_error\":",
		   s->workers, atomic_load(&s->finished),
		   atomic_load(&s->blocks), atomic_load(&s->bad),
		   atomic_load(&s->errors), atomic_load(&s->worst_ms));
	json_cstr(out, atomic_load(&s->last_errno) ?
		       strerror(atomic_load(&s->last_errno)) : NULL);
	buf_add(out, "}", 1);
}

static int net_start(int argc, struct arg *argv, struct buf *out)
{
	struct sockaddr_in to = { .sin_family = AF_INET };
	unsigned long long port, workers = 1;
	struct stream *s = NULL;
	unsigned int i;

	if (argc < 4 || !argv[1].len || argv[1].len >= sizeof(s->name) ||
	    inet_pton(AF_INET, argv[2].p, &to.sin_addr) != 1 ||
	    parse_number(&argv[3], &port) || !port || port > 65535 ||
	    (argc > 4 && parse_number(&argv[4], &workers)) ||
	    !workers || workers > MAX_WORKERS) {
		buf_printf(out, "net start NAME ADDRESS PORT [WORKERS]");
		return -EINVAL;
	}
	if (find_stream(argv[1].p)) {
		buf_printf(out, "a load named %s exists", argv[1].p);
		return -EEXIST;
	}
	to.sin_port = htons(port);
	if (!streams) {
		streams = mmap(NULL, MAX_STREAMS * sizeof(*streams),
			       PROT_READ | PROT_WRITE,
			       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
		if (streams == MAP_FAILED) {
			streams = NULL;
			buf_printf(out, "no memory");
			return -ENOMEM;
		}
	}
	for (i = 0; i < MAX_STREAMS && !s; i++)
		if (!streams[i].name[0])
			s = &streams[i];
	if (!s) {
		buf_printf(out, "too many loads");
		return -EBUSY;
	}
	memset(s, 0, sizeof(*s));
	strcpy(s->name, argv[1].p);
	for (i = 0; i < workers; i++) {
		pid_t pid = fork();

		if (pid < 0)
			break;
		if (!pid) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			worker(s, &to);
		}
		s->workers = i + 1;
	}
	report(s, out);
	return 0;
}

static int set_address(int fd, struct ifreq *ifr, unsigned long request,
		       const struct arg *text)
{
	struct sockaddr_in addr = { .sin_family = AF_INET };

	if (inet_pton(AF_INET, text->p, &addr.sin_addr) != 1)
		return -EINVAL;
	memcpy(&ifr->ifr_addr, &addr, sizeof(addr));
	return ioctl(fd, request, ifr) ? -errno : 0;
}

static int net_up(int argc, struct arg *argv, struct buf *out)
{
	struct ifreq ifr = { 0 };
	int fd, err;

	if (argc != 4 || !argv[1].len ||
	    argv[1].len >= sizeof(ifr.ifr_name)) {
		buf_printf(out, "net up INTERFACE ADDRESS NETMASK");
		return -EINVAL;
	}
	strcpy(ifr.ifr_name, argv[1].p);
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0) {
		buf_printf(out, "socket: %s", strerror(errno));
		return -errno;
	}
	err = set_address(fd, &ifr, SIOCSIFADDR, &argv[2]);
	if (!err)
		err = set_address(fd, &ifr, SIOCSIFNETMASK, &argv[3]);
	if (!err && ioctl(fd, SIOCGIFFLAGS, &ifr))
		err = -errno;
	ifr.ifr_flags |= IFF_UP;
	if (!err && ioctl(fd, SIOCSIFFLAGS, &ifr))
		err = -errno;
	close(fd);
	if (err)
		buf_printf(out, "%s: %s", argv[1].p, strerror(-err));
	else
		buf_printf(out, "true");
	return err;
}

/*
 * As for disk loads, waiting is the host's business: "net stop" sets the
 * flag, "net status" tells when all have finished, "net forget" frees the
 * slot.
 */
static int cmd_net(int argc, struct arg *argv, struct buf *out)
{
	struct stream *s;

	if (!strcmp(argv[0].p, "up"))
		return net_up(argc, argv, out);
	if (!strcmp(argv[0].p, "start"))
		return net_start(argc, argv, out);
	s = argc > 1 ? find_stream(argv[1].p) : NULL;
	if (!s) {
		buf_printf(out, "no such load");
		return -ENOENT;
	}
	if (!strcmp(argv[0].p, "stop")) {
		atomic_store(&s->stop, true);
		report(s, out);
	} else if (!strcmp(argv[0].p, "status")) {
		report(s, out);
	} else if (!strcmp(argv[0].p, "forget")) {
		if (atomic_load(&s->finished) < s->workers) {
			buf_printf(out, "workers still running");
			return -EBUSY;
		}
		s->name[0] = 0;
		buf_printf(out, "true");
	} else {
		buf_printf(out, "net up|start|stop|status|forget");
		return -EINVAL;
	}
	return 0;
}

const struct cmd net_cmds[] = {
	{ "net", 1, 5, true, cmd_net },
	{ NULL, 0, 0, false, NULL }
};
