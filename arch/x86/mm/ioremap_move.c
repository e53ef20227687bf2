// SPDX-License-Identifier: GPL-2.0
/*
 * x86: moving I/O mappings to other physical addresses
 *
 * ioremap() reserves the memory type of what it maps, by physical address.  The
 * reservation moves with the mapping, under memtype_lock.  That nobody who is
 * stopped holds the lock is explained in mm/ioremap_move.c.
 */
#include <linux/ioremap_move.h>
#include <linux/mm.h>
#include <linux/pgtable.h>
#include <linux/spinlock.h>
#include <asm/ioremap_move.h>
#include <asm/memtype.h>
#include <asm/mtrr.h>

#include "pat/memtype.h"
#include "physaddr.h"

/**
 * arch_ioremap_leaf_movable - can a page table entry map another address
 * @leaf: the entry
 * @to: the address
 *
 * A huge page must not cross the border of a range that MTRRs describe.
 *
 * Return: true if it can.
 */
bool arch_ioremap_leaf_movable(const struct ioremap_leaf *leaf, phys_addr_t to)
{
	u8 uniform;

	if (!phys_addr_valid(to + leaf->size - 1))
		return false;

	if (leaf->level == IOREMAP_PTE)
		return true;

	mtrr_type_lookup(to, to + leaf->size, &uniform);
	return uniform;
}

/**
 * arch_ioremap_leaf_move - let a page table entry map another address
 * @leaf: the entry
 * @to: the address
 *
 * Protection and cache mode stay.  The page tables of the kernel above
 * VMALLOC_START are the same in all address spaces.
 *
 * Context: all CPUs are stopped.
 */
void arch_ioremap_leaf_move(const struct ioremap_leaf *leaf, phys_addr_t to)
{
	unsigned long pfn = PHYS_PFN(to);

	switch (leaf->level) {
	case IOREMAP_PTE:
		set_pte(leaf->pte, pfn_pte(pfn, pte_pgprot(ptep_get(leaf->pte))));
		break;
	case IOREMAP_PMD:
		set_pmd(leaf->pmd, pfn_pmd(pfn, pmd_pgprot(pmdp_get(leaf->pmd))));
		break;
	case IOREMAP_PUD:
		set_pud(leaf->pud, pfn_pud(pfn, pud_pgprot(pudp_get(leaf->pud))));
		break;
	}
}

/*
 * All are taken before the first is put back: where two ranges are swapped, a
 * reservation that has moved looks like one that has not.
 */
static void memtypes_take(struct ioremap_move *move, bool back)
{
	struct ioremap_mapping *m;
	phys_addr_t start;

	for (m = move->mappings; m < move->mappings + move->nr_mappings; m++) {
		start = back ? m->to : m->from;
		m->type = memtype_take(start, start + m->size);
	}
}

static void memtypes_put(struct ioremap_move *move, bool back)
{
	struct ioremap_mapping *m;

	for (m = move->mappings; m < move->mappings + move->nr_mappings; m++) {
		if (m->type)
			memtype_put(m->type, back ? m->from : m->to);
		m->type = NULL;
	}
}

static bool memtypes_left(const struct ioremap_move *move)
{
	const struct ioremap_range *r;

	for (r = move->ranges; r < move->ranges + move->nr_ranges; r++)
		if (memtype_reserved(r->from, r->from + r->size) ||
		    memtype_reserved(r->to, r->to + r->size))
			return true;

	return false;
}

/**
 * arch_ioremap_types_check - can the memory types be moved
 * @move: all mappings that move
 *
 * A reservation that belongs to no mapping is that of a mapping in user space,
 * of arch_io_reserve_memtype_wc(), or of an ioremap() that is not done yet.
 * Only those that overlap the ranges are looked at, in a tree.
 *
 * Return: 0 or -EBUSY.
 */
int arch_ioremap_types_check(struct ioremap_move *move)
{
	bool left;

	if (!pat_enabled())
		return 0;

	spin_lock(&memtype_lock);
	memtypes_take(move, false);
	left = memtypes_left(move);
	memtypes_put(move, true);
	spin_unlock(&memtype_lock);

	return left ? -EBUSY : 0;
}

/**
 * arch_ioremap_types_move - move the memory types of all mappings
 * @move: all mappings that move
 * @back: from the new addresses to the old ones
 *
 * Context: all CPUs are stopped.
 */
void arch_ioremap_types_move(struct ioremap_move *move, bool back)
{
	if (!pat_enabled())
		return;

	spin_lock(&memtype_lock);
	memtypes_take(move, back);
	memtypes_put(move, back);
	spin_unlock(&memtype_lock);
}
