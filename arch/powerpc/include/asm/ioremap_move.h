/* SPDX-License-Identifier: GPL-2.0 */
/*
 * powerpc: what mm/ioremap_move.c needs
 */
#ifndef _ASM_POWERPC_IOREMAP_MOVE_H
#define _ASM_POWERPC_IOREMAP_MOVE_H

#include <linux/ioremap_move.h>
#include <asm/synch.h>

bool arch_ioremap_move_possible(void);

/*
 * arch_ioremap_leaf_move() has made all CPUs forget the old translation.  What
 * is left to do is to begin anew with what was translated ahead of time, while
 * there was none: nobody expects a fault from a mapping of the kernel.
 */
static inline void arch_ioremap_move_flush(void)
{
	isync();
}

bool arch_ioremap_leaf_movable(const struct ioremap_leaf *leaf, phys_addr_t to);
void arch_ioremap_leaf_move(const struct ioremap_leaf *leaf, phys_addr_t to);

#endif /* _ASM_POWERPC_IOREMAP_MOVE_H */
