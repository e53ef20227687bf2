/* SPDX-License-Identifier: GPL-2.0 */
/*
 * arm64: what mm/ioremap_move.c needs
 */
#ifndef __ASM_IOREMAP_MOVE_H
#define __ASM_IOREMAP_MOVE_H

#include <linux/ioremap_move.h>
#include <asm/barrier.h>

static inline bool arch_ioremap_move_possible(void)
{
	return true;
}

/*
 * arch_ioremap_leaf_move() has told all CPUs to forget the old translation.
 * What is left to do is not to go on with what was decoded before.
 */
static inline void arch_ioremap_move_flush(void)
{
	isb();
}

bool arch_ioremap_leaf_movable(const struct ioremap_leaf *leaf, phys_addr_t to);
void arch_ioremap_leaf_move(const struct ioremap_leaf *leaf, phys_addr_t to);

#endif /* __ASM_IOREMAP_MOVE_H */
