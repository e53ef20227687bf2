/* SPDX-License-Identifier: GPL-2.0 */
/* A number generator of its own, so that a seed is the same everywhere */
#ifndef RANDOM_H
#define RANDOM_H

static inline unsigned int plan_random(unsigned long long *seed,
				       unsigned int below)
{
	*seed = *seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (*seed >> 33) % below;
}

#endif
