// SPDX-License-Identifier: GPL-2.0
/* Replays logs: see README */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "replay.h"

#define MAIN_REASONS	64

/* What came of the logs in a directory, and why not, by kind of failure */
struct summary {
	unsigned int	logs;
	unsigned int	replayed;
	struct tally	tally;
	const char	*reason[MAIN_REASONS];
	unsigned int	times[MAIN_REASONS];
};

static int main_failed(const struct replay *r)
{
	return r->tally.lost || r->tally.broken;
}

static int main_file(const struct replay_options *options, const char *path)
{
	struct replay replay = { .options = options };
	struct fail fail = {};
	int ret;

	ret = replay_file(&replay, path, &fail);
	if (!ret)
		ret = replay_output(&replay, stdout, &fail);
	if (ret)
		fprintf(stderr, "%s\n", fail.text);
	ret = ret || main_failed(&replay);
	replay_free(&replay);
	return ret;
}

static void main_count(struct summary *s, const char *reason)
{
	unsigned int i;

	for (i = 0; i < MAIN_REASONS; i++) {
		if (s->reason[i] && strcmp(s->reason[i], reason))
			continue;
		s->reason[i] = reason;
		s->times[i]++;
		return;
	}
}

/* A reason is a format: what it is about in particular is left out */
static void main_reason(const char *p)
{
	for (; *p; p++) {
		if (*p != '%') {
			putchar(*p);
			continue;
		}
		p += strspn(p + 1, "0123456789.lu") + 1;
		p -= p[-1] == 'u';
		putchar('*');
	}
	putchar('\n');
}

static void main_reasons(const struct summary *s)
{
	unsigned int i;

	for (i = 0; i < MAIN_REASONS && s->reason[i]; i++) {
		printf("%4u ", s->times[i]);
		main_reason(s->reason[i]);
	}
}

/* One line for a log among others */
static void main_line(const struct replay_options *options, const char *path,
		      struct summary *s)
{
	struct replay replay = { .options = options };
	const struct tally *t = &replay.tally;
	struct fail fail = {};

	s->logs++;
	if (replay_file(&replay, path, &fail)) {
		printf("not replayed: %s\n", fail.text);
		main_count(s, fail.reason);
	} else if (!replay.found) {
		printf("%s: %s: %u plans, %u broken\n",
		       t->broken ? "FAILED" : "replayed", path, replay.count, t->broken);
		s->replayed += !t->broken;
	} else {
		printf("%s: %s: %u functions, had %u lost %u, ",
		       main_failed(&replay) ? "FAILED" : "replayed", path,
		       replay.topo.dev_count, t->had, t->lost);
		printf("lacked %u: %u at boot, %u as found, %u change%s%s\n", t->lacked,
		       t->gained, t->filled, t->moved, t->broken ? "; broken: " : "",
		       t->wrong);
		s->replayed += !main_failed(&replay);
		if (main_failed(&replay))
			main_count(s, t->broken ? "a plan does not pass the check" :
					"a BAR with an address in the log is lost");
	}
	s->tally.had += t->had;
	s->tally.lost += t->lost;
	s->tally.lacked += t->lacked;
	s->tally.gained += t->gained;
	s->tally.lacked_optional += t->lacked_optional;
	s->tally.gained_optional += t->gained_optional;
	s->tally.filled += t->filled;
	s->tally.moved += t->moved;
	s->tally.live += t->live;
	s->tally.broken += t->broken;
	replay_free(&replay);
}

static int main_visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static int main_directory(const struct replay_options *options, const char *path)
{
	struct summary s = {};
	struct dirent **entries;
	char file[4096];
	int count, i;

	count = scandir(path, &entries, main_visible, alphasort);
	if (count < 0) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		return 1;
	}
	for (i = 0; i < count; i++) {
		if (snprintf(file, sizeof(file), "%s/%s", path, entries[i]->d_name) <
		    (int)sizeof(file))
			main_line(options, file, &s);
		free(entries[i]);
	}
	free(entries);

	report_tally(stdout, &s.tally);
	report_broken(stdout, &s.tally);
	printf("%u of %u logs replayed%s\n", s.replayed, s.logs,
	       s.replayed < s.logs ? "; the others:" : "");
	main_reasons(&s);
	return s.replayed != s.logs;
}

static int main_usage(const char *name)
{
	fprintf(stderr,
		"usage: %s [-a hotadd] [-r root] [-i iomem] [-s svg] [-d dump] [-t io|mem] [-b] [-m] [-n] [-q] [-x] log|directory\n",
		name);
	return 2;
}

static bool main_option(struct replay_options *options, int option)
{
	switch (option) {
	case 'a':
		options->hotadd = optarg;
		return true;
	case 'r':
		options->root = optarg;
		return true;
	case 'i':
		options->iomem = optarg;
		return true;
	case 's':
		options->svg = optarg;
		return true;
	case 'd':
		options->dump = optarg;
		return true;
	case 't':
		options->only = 1 << (strcmp(optarg, "io") ? TOPO_MEM : TOPO_IO);
		return !strcmp(optarg, "io") || !strcmp(optarg, "mem");
	case 'b':
		options->boot = true;
		return true;
	case 'm':
		options->named = true;
		return true;
	case 'n':
		options->still = true;
		return true;
	case 'x':
		options->x86 = true;
		return true;
	case 'q':
		options->quiet = true;
		return true;
	default:
		return false;
	}
}

int main(int argc, char **argv)
{
	struct replay_options options = {};
	struct stat st;
	int option;

	while ((option = getopt(argc, argv, "a:r:i:s:d:t:bmnqx")) != -1)
		if (!main_option(&options, option))
			return main_usage(argv[0]);
	if (optind != argc - 1 || !*argv[optind])
		return main_usage(argv[0]);

	if (!stat(argv[optind], &st) && S_ISDIR(st.st_mode))
		return main_directory(&options, argv[optind]);
	return main_file(&options, argv[optind]);
}
