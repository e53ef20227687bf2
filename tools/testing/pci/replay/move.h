/* SPDX-License-Identifier: GPL-2.0 */
/* What of a running machine can move, and what does, see move.c */
#ifndef REPLAY_MOVE_H
#define REPLAY_MOVE_H

#include "build.h"

enum pci_plan_hold move_hold(const struct topo *topo, const struct topo_dev *dev,
			     int index, const char **why);
bool move_can(const struct build *build, unsigned int i);
unsigned int move_pin(const struct build *build, unsigned int i);
int move_plan(struct build *build, bool move);

#endif /* REPLAY_MOVE_H */
