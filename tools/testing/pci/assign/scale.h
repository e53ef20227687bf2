/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SCALE_H
#define SCALE_H

#include "assign.h"

int scale(const struct a_side *side, const char *shape, unsigned int devices);

#endif /* SCALE_H */
