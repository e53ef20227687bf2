/* SPDX-License-Identifier: GPL-2.0 */
/* A map of plans as SVG */
#ifndef REPLAY_SVG_H
#define REPLAY_SVG_H

#include <stdio.h>

#include "build.h"

/**
 * struct svg - a map being drawn
 * @out: file
 * @y: where the next plan goes
 * @columns: levels of the deepest plan
 */
struct svg {
	FILE		*out;
	unsigned int	y;
	unsigned int	columns;
};

void svg_begin(struct svg *svg, FILE *out, const char *title,
	       unsigned int height, unsigned int columns);
unsigned int svg_columns(const struct build *build);
unsigned int svg_height(const struct build *build);
int svg_plan(struct svg *svg, const struct build *build, const char *what);
void svg_end(struct svg *svg);

#endif /* REPLAY_SVG_H */
