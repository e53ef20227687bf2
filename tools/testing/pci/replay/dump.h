/* SPDX-License-Identifier: GPL-2.0 */
/* Plans as text, see dump.c */
#ifndef REPLAY_DUMP_H
#define REPLAY_DUMP_H

#include <stdio.h>

#include "build.h"

bool dump_is_plan(const char *line);
const char *dump_check(const struct pci_plan *plan, unsigned int index);
void dump_write(FILE *out, const struct build *build);
int dump_read(struct log *log, struct build **plans, unsigned int *count,
	      struct fail *fail);

#endif /* REPLAY_DUMP_H */
