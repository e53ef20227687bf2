/* SPDX-License-Identifier: GPL-2.0 */
/*
 * x86: what mm/ioremap_move.c needs
 */
#ifndef _ASM_X86_IOREMAP_MOVE_H
#define _ASM_X86_IOREMAP_MOVE_H

#include <linux/cpufeature.h>
#include <linux/ioremap_move.h>
#include <asm/tlbflush.h>

/* With Xen PV, the page tables are the hypervisor's. */
static inline bool arch_ioremap_move_possible(void)
{
	return !cpu_feature_enabled(X86_FEATURE_XENPV);
}

/* All of it, global pages included: mappings of the kernel are global. */
static inline void arch_ioremap_move_flush(void)
{
	__flush_tlb_all();
}

bool arch_ioremap_leaf_movable(const struct ioremap_leaf *leaf, phys_addr_t to);
void arch_ioremap_leaf_move(const struct ioremap_leaf *leaf, phys_addr_t to);

/* Memory types are not only in the page tables. */
#define arch_ioremap_types_check arch_ioremap_types_check
int arch_ioremap_types_check(struct ioremap_move *move);
#define arch_ioremap_types_move arch_ioremap_types_move
void arch_ioremap_types_move(struct ioremap_move *move, bool back);

#endif /* _ASM_X86_IOREMAP_MOVE_H */
