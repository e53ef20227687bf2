// SPDX-License-Identifier: GPL-2.0
/*
 * arm64: moving I/O mappings to other physical addresses
 *
 * The output address of a live entry must not change: it is cleared, all CPUs
 * forget it, and then it is set (Arm ARM, "Using break-before-make when updating
 * translation table entries").  The invalidation is a broadcast of the hardware
 * and needs no other CPU to run.
 */
#include <linux/ioremap_move.h>
#include <linux/mm.h>
#include <linux/pgtable.h>
#include <asm/ioremap_move.h>
#include <asm/tlbflush.h>

static bool leaf_contiguous(const struct ioremap_leaf *leaf)
{
	switch (leaf->level) {
	case IOREMAP_PTE:
		return pte_cont(__ptep_get(leaf->pte));
	case IOREMAP_PMD:
		return pmd_cont(pmdp_get(leaf->pmd));
	case IOREMAP_PUD:
		return pte_cont(pud_pte(pudp_get(leaf->pud)));
	}

	return false;
}

/**
 * arch_ioremap_leaf_movable - can a page table entry map another address
 * @leaf: the entry
 * @to: the address
 *
 * ioremap() makes no contiguous entries.  They would have to be broken all at
 * once.
 *
 * Return: true if it can.
 */
bool arch_ioremap_leaf_movable(const struct ioremap_leaf *leaf, phys_addr_t to)
{
	return to + leaf->size - 1 <= PHYS_MASK && !leaf_contiguous(leaf);
}

/*
 * One address invalidates the translation of a whole block.  The barriers
 * around it order the clearing before, and the next write after.
 */
static void leaf_flush(const struct ioremap_leaf *leaf)
{
	flush_tlb_kernel_range(leaf->addr, leaf->addr + PAGE_SIZE);
}

/**
 * arch_ioremap_leaf_move - let a page table entry map another address
 * @leaf: the entry
 * @to: the address
 *
 * The attributes stay.
 *
 * Context: all CPUs are stopped.
 */
void arch_ioremap_leaf_move(const struct ioremap_leaf *leaf, phys_addr_t to)
{
	unsigned long pfn = PHYS_PFN(to);
	pgprot_t prot;

	switch (leaf->level) {
	case IOREMAP_PTE:
		prot = pte_pgprot(__ptep_get(leaf->pte));
		__pte_clear(&init_mm, leaf->addr, leaf->pte);
		leaf_flush(leaf);
		__set_pte(leaf->pte, pfn_pte(pfn, prot));
		break;
	case IOREMAP_PMD:
		prot = pmd_pgprot(pmdp_get(leaf->pmd));
		pmd_clear(leaf->pmd);
		leaf_flush(leaf);
		set_pmd(leaf->pmd, pfn_pmd(pfn, prot));
		break;
	case IOREMAP_PUD:
		prot = pud_pgprot(pudp_get(leaf->pud));
		pud_clear(leaf->pud);
		leaf_flush(leaf);
		set_pud(leaf->pud, pfn_pud(pfn, prot));
		break;
	}
}
