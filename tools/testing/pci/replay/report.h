/* SPDX-License-Identifier: GPL-2.0 */
/* What came of a replay */
#ifndef REPLAY_REPORT_H
#define REPLAY_REPORT_H

#include <stdio.h>

#include "build.h"

/**
 * struct tally - numbers of a replay
 * @had: BARs that have an address in the log
 * @lost: of these, without a place if planned from scratch
 * @lacked: BARs that the log leaves without an address
 * @gained: of these, with one if planned from scratch
 * @lacked_optional: of @lacked, what a device can do without
 * @gained_optional: of these, with a place
 * @filled: of @lacked, with one if only what is not in use can be moved
 * @added: BARs that HOTADD brings
 * @fitted: of these, with a place
 * @moved: what is elsewhere than in the log, windows too
 * @live: of these, BARs of devices in use
 * @broken: plans that do not pass the check
 * @wrong: what the check says of the first
 */
struct tally {
	unsigned int	had;
	unsigned int	lost;
	unsigned int	lacked;
	unsigned int	gained;
	unsigned int	lacked_optional;
	unsigned int	gained_optional;
	unsigned int	filled;
	unsigned int	added;
	unsigned int	fitted;
	unsigned int	moved;
	unsigned int	live;
	unsigned int	broken;
	char		wrong[96];
};

/* How firmly something sits where it is, and why; by value, as struct topo_label */
struct report_text {
	char	text[160];
};

void report_count(const struct build *boot, const struct build *found,
		  struct tally *tally);
void report_check(const struct build *build, struct tally *tally);
void report_topo(FILE *out, const struct topo *topo, const char *format);
void report_plan(FILE *out, const struct build *boot, const struct build *found);
void report_dump(FILE *out, const struct build *build);
void report_tally(FILE *out, const struct tally *tally);
void report_broken(FILE *out, const struct tally *tally);
struct report_text report_held(const struct build *build, unsigned int i);

#endif /* REPLAY_REPORT_H */
