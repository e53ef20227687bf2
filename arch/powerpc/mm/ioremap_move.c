// SPDX-License-Identifier: GPL-2.0
/*
 * powerpc: moving I/O mappings to other physical addresses, with the radix MMU
 *
 * A valid entry is not changed to another real address: it is cleared, all CPUs
 * and the nest MMU forget it, and then it is set (Power ISA, "Translation Table
 * Updates").  To make them forget it is a broadcast of the hardware (tlbie), or
 * a call of the hypervisor if it keeps tlbie to itself, and needs no other CPU
 * to run.
 *
 * Doing without a broadcast, each CPU with tlbiel for itself, is not an option:
 * it would come after the new entry is there, and would leave out the nest MMU.
 *
 * With the hash MMU, the hash table has translations of its own.  How many there
 * are, and in which of their slots, is kept with page table entries of some page
 * sizes only, and each is a call of the hypervisor.  Nothing moves there.
 *
 * The I/O space of a host bridge is mapped as a whole, by ioremap_phb(), without
 * an address in its area, or where an ISA bridge has it, without an area.  It
 * stays: the address of a port is not one of memory, and whoever moves I/O ports
 * does not come here.
 */
#include <linux/ioremap_move.h>
#include <linux/mm.h>
#include <linux/pgtable.h>
#include <asm/ioremap_move.h>
#include <asm/mmu.h>
#include <asm/tlbflush.h>

/**
 * arch_ioremap_move_possible - can page table entries be changed here
 *
 * Return: true if they can, without interrupting other CPUs.
 */
bool arch_ioremap_move_possible(void)
{
	return radix_enabled() && radix__flush_tlb_kernel_broadcasts();
}

/**
 * arch_ioremap_leaf_movable - can a page table entry map another address
 * @leaf: the entry
 * @to: the address
 *
 * Return: true if it can.
 */
bool arch_ioremap_leaf_movable(const struct ioremap_leaf *leaf, phys_addr_t to)
{
	return !((to + leaf->size - 1) & PAGE_MASK & ~PTE_RPN_MASK);
}

/* Nothing but a leaf changes: what led there, the page walk cache can keep. */
static void leaf_flush(const struct ioremap_leaf *leaf)
{
	static const int psize[] = {
		[IOREMAP_PMD] = MMU_PAGE_2M,
		[IOREMAP_PUD] = MMU_PAGE_1G,
	};

	radix__flush_tlb_kernel_page(leaf->addr, leaf->level == IOREMAP_PTE ?
				     mmu_virtual_psize : psize[leaf->level]);
}

/*
 * The barrier orders the store before all look-ups in the page table, those of
 * other CPUs included, that come after what this CPU does next.
 */
static void leaf_set(const struct ioremap_leaf *leaf, pte_t *ptep, phys_addr_t to,
		     pgprot_t prot)
{
	set_pte_at(&init_mm, leaf->addr, ptep, pfn_pte(PHYS_PFN(to), prot));
	asm volatile("ptesync" : : : "memory");
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
	pgprot_t prot;

	switch (leaf->level) {
	case IOREMAP_PTE:
		prot = pte_pgprot(ptep_get(leaf->pte));
		pte_clear(&init_mm, leaf->addr, leaf->pte);
		leaf_flush(leaf);
		leaf_set(leaf, leaf->pte, to, prot);
		break;
	case IOREMAP_PMD:
		prot = pte_pgprot(pmd_pte(pmdp_get(leaf->pmd)));
		pmd_clear(leaf->pmd);
		leaf_flush(leaf);
		leaf_set(leaf, pmdp_ptep(leaf->pmd), to, prot);
		break;
	case IOREMAP_PUD:
		prot = pte_pgprot(pud_pte(pudp_get(leaf->pud)));
		pud_clear(leaf->pud);
		leaf_flush(leaf);
		leaf_set(leaf, pudp_ptep(leaf->pud), to, prot);
		break;
	}
}
