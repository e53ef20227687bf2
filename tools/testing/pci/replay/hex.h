/* SPDX-License-Identifier: GPL-2.0 */
/* The configuration space of a function, from a hexadecimal dump */
#ifndef REPLAY_HEX_H
#define REPLAY_HEX_H

#include "topo.h"

#define HEX_SIZE	256	/* what all devices have */

/**
 * struct hex - configuration space
 * @byte: as dumped
 * @count: bytes that there are, from the first on
 */
struct hex {
	unsigned char	byte[HEX_SIZE];
	unsigned int	count;
};

bool hex_line(struct hex *hex, const char *line, bool *damaged);
void hex_apply(const struct hex *hex, struct topo_dev *dev, unsigned int line);

#endif /* REPLAY_HEX_H */
