/* SPDX-License-Identifier: GPL-2.0 */
/* A log, from its first line to what the planner makes of the machine */
#ifndef REPLAY_H
#define REPLAY_H

#include <stdio.h>

#include "build.h"
#include "report.h"

/**
 * struct replay_options - what the command line asks for
 * @hotadd: devices to add, or NULL
 * @root: windows of host bridges, or NULL
 * @iomem: /proc/iomem of the machine, or NULL
 * @svg: map to draw, or NULL
 * @dump: file for the plans, or NULL
 * @boot: the plans from scratch are dumped, not those as found
 * @still: nothing in use moves
 * @named: what the log names no driver of has none
 * @quiet: no tables
 * @x86: it is such a machine, whatever the log says
 * @only: bit per enum topo_type, or 0 for all
 */
struct replay_options {
	const char	*hotadd;
	const char	*root;
	const char	*iomem;
	const char	*svg;
	const char	*dump;
	bool		boot;
	bool		still;
	bool		named;
	bool		quiet;
	bool		x86;
	unsigned int	only;
};

/**
 * struct replay - a log being replayed
 * @options: what is asked for
 * @topo: machine
 * @format: of the log
 * @boot: plans from scratch, by host bridge and type; or what was dumped
 * @found: plans as the log leaves the machine
 * @count: of @boot, and of @found if there is a machine
 * @tally: what came of it
 */
struct replay {
	const struct replay_options	*options;
	struct topo			topo;
	const char			*format;
	struct build			*boot;
	struct build			*found;
	unsigned int			count;
	struct tally			tally;
};

int replay_log(struct replay *replay, struct log *log, struct fail *fail);
int replay_file(struct replay *replay, const char *path, struct fail *fail);
int replay_output(struct replay *replay, FILE *out, struct fail *fail);
void replay_free(struct replay *replay);

#endif /* REPLAY_H */
