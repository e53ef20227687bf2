// SPDX-License-Identifier: GPL-2.0
/*
 * The command line; see README
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "compare.h"
#include "scale.h"

static void bad_usage(void)
{
	fprintf(stderr,
		"usage: assign compare [-x] [-r] [-c] [-s first] [-n seeds] [-m lost] [-l lines]\n"
		"       assign show [-x] [-r] [-c] seed[.event]\n"
		"       assign scale base|series plain|hotplug|short devices\n"
		"\n"
		"  -x  the series leads, and the base follows\n"
		"  -r  the side that leads follows itself\n"
		"  -c  see what can be added after each event\n"
		"  -s  the first seed (1)\n"
		"  -n  how many (100000)\n"
		"  -m  how many BARs may be lost without being a failure (0)\n"
		"  -l  how many events to list (40)\n");
	exit(2);
}

static __u64 parse(const char *text, const char *what, __u64 min, __u64 max)
{
	char *end;
	__u64 n;

	errno = 0;
	n = strtoull(text, &end, 10);
	if (errno || end == text || *end || *text == '-' || n < min || n > max) {
		fprintf(stderr, "assign: '%s' is no %s: must be a number from %llu to %llu\n",
			text, what, min, max);
		exit(2);
	}
	return n;
}

static void swap_sides(struct compare_options *opt)
{
	const struct a_side *side = opt->leads;

	opt->leads = opt->follows;
	opt->follows = side;
}

/* What is left of the arguments then begins at optind */
static void options(int argc, char **argv, struct compare_options *opt)
{
	int c, again = 0;

	while ((c = getopt(argc, argv, "xrcs:n:m:l:")) != -1)
		switch (c) {
		case 'x':
			swap_sides(opt);
			break;
		case 'r':
			again = 1;
			break;
		case 'c':
			opt->next = 1;
			break;
		case 's':
			opt->first = parse(optarg, "seed", 0, 1ULL << 62);
			break;
		case 'n':
			opt->seeds = parse(optarg, "number of seeds", 1,
					   1ULL << 40);
			break;
		case 'm':
			opt->bound = parse(optarg, "bound", 0, 1ULL << 62);
			break;
		case 'l':
			opt->list = parse(optarg, "number of lines", 0, 1 << 20);
			break;
		default:
			bad_usage();
		}
	if (again)
		opt->follows = opt->leads;
}

static void which_event(char *text, struct compare_options *opt)
{
	char *dot = strchr(text, '.');

	opt->show = SHOW_ALL;
	if (dot) {
		*dot = '\0';
		opt->show = parse(dot + 1, "event", 0, RANDOM_EVENTS - 1);
	}
	opt->first = parse(text, "seed", 0, 1ULL << 62);
	opt->seeds = 1;
}

/* BUG() and WARN() of the kernel are an instruction that is not valid */
static void on_bug(int sig)
{
	fprintf(stderr, "assign: warning or bug at %s\n", compare_now());
	_exit(3);
}

static int main_scale(int argc, char **argv)
{
	const struct a_side *side;

	if (argc != 4)
		bad_usage();
	if (!strcmp(argv[1], a_side_base.name))
		side = &a_side_base;
	else if (!strcmp(argv[1], a_side_series.name))
		side = &a_side_series;
	else
		bad_usage();
	return scale(side, argv[2], parse(argv[3], "number of devices", 10,
					  1000000));
}

int main(int argc, char **argv)
{
	struct compare_options opt = {
		.leads = &a_side_base,
		.follows = &a_side_series,
		.first = 1,
		.seeds = 100000,
		.show = SHOW_NONE,
		.list = 40,
	};

	signal(SIGILL, on_bug);
	if (argc < 2)
		bad_usage();
	argc--;
	argv++;
	if (!strcmp(argv[0], "scale"))
		return main_scale(argc, argv);

	options(argc, argv, &opt);
	if (!strcmp(argv[0], "show") && optind + 1 == argc)
		which_event(argv[optind], &opt);
	else if (strcmp(argv[0], "compare") || optind != argc)
		bad_usage();
	return compare(&opt);
}
