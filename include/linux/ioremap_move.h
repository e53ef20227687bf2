/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Moving I/O mappings of the kernel to other physical addresses
 */
#ifndef _LINUX_IOREMAP_MOVE_H
#define _LINUX_IOREMAP_MOVE_H

#include <linux/err.h>
#include <linux/pgtable.h>
#include <linux/types.h>

struct vm_struct;

/**
 * struct ioremap_range - physical addresses that move
 * @from: where they are
 * @to: where they will be
 * @size: how many there are
 *
 * All three are multiples of PAGE_SIZE.  Where somebody else has a part of a
 * page, at the old or the new address, the caller must not move it: mappings do
 * not tell whose part they are for.
 */
struct ioremap_range {
	phys_addr_t from;
	phys_addr_t to;
	phys_addr_t size;
};

/**
 * struct ioremap_mapping - a mapping that moves, for mm and architectures
 * @area: its area; valid while no mapping can go
 * @addr: its first virtual address
 * @size: without the guard page
 * @from: the physical address of @addr
 * @to: the physical address that @addr is going to have
 * @type: the architecture's record of the memory type, while it is moved
 */
struct ioremap_mapping {
	struct vm_struct *area;
	unsigned long addr;
	unsigned long size;
	phys_addr_t from;
	phys_addr_t to;
	void *type;
};

/**
 * enum ioremap_move_state - what was done about a move
 * @IOREMAP_MOVE_PREPARED: its mappings are known
 * @IOREMAP_MOVE_CHECKED: they are still the same
 * @IOREMAP_MOVE_COMMITTED: they are at their new addresses
 */
enum ioremap_move_state {
	IOREMAP_MOVE_PREPARED,
	IOREMAP_MOVE_CHECKED,
	IOREMAP_MOVE_COMMITTED,
};

/**
 * struct ioremap_move - ranges and the mappings inside of them
 * @state: what was done
 * @generation: tells whether I/O mappings have come, gone or moved since
 * @mappings: the mappings
 * @nr_mappings: how many there are
 * @room: for how many there is memory
 * @nr_ranges: how many ranges there are
 * @ranges: the ranges
 */
struct ioremap_move {
	enum ioremap_move_state state;
	unsigned long generation;
	struct ioremap_mapping *mappings;
	unsigned int nr_mappings;
	unsigned int room;
	unsigned int nr_ranges;
	struct ioremap_range ranges[] __counted_by(nr_ranges);
};

/**
 * enum ioremap_level - the page table level of a leaf
 * @IOREMAP_PTE: an entry of the lowest level
 * @IOREMAP_PMD: a huge page
 * @IOREMAP_PUD: a larger huge page
 */
enum ioremap_level {
	IOREMAP_PTE,
	IOREMAP_PMD,
	IOREMAP_PUD,
};

/**
 * struct ioremap_leaf - a page table entry that maps something
 * @addr: the first virtual address that it maps
 * @size: how much it maps
 * @phys: the physical address of @addr
 * @level: which of the pointers is valid
 * @pte: the entry on the level of @IOREMAP_PTE
 * @pmd: the entry on the level of @IOREMAP_PMD
 * @pud: the entry on the level of @IOREMAP_PUD
 */
struct ioremap_leaf {
	unsigned long addr;
	unsigned long size;
	phys_addr_t phys;
	enum ioremap_level level;
	union {
		pte_t *pte;
		pmd_t *pmd;
		pud_t *pud;
	};
};

#ifdef CONFIG_IOREMAP_MOVE
bool ioremap_move_possible(void);
struct ioremap_move *ioremap_move_prepare(const struct ioremap_range *ranges,
					  unsigned int count);
int ioremap_move_check(struct ioremap_move *move);
void ioremap_move_commit(struct ioremap_move *move);
void ioremap_move_undo(struct ioremap_move *move);
void ioremap_move_flush(void);
void ioremap_move_finish(struct ioremap_move *move);
#else
static inline bool ioremap_move_possible(void)
{
	return false;
}

static inline struct ioremap_move *
ioremap_move_prepare(const struct ioremap_range *ranges, unsigned int count)
{
	return ERR_PTR(-EOPNOTSUPP);
}

static inline int ioremap_move_check(struct ioremap_move *move)
{
	return -EOPNOTSUPP;
}

static inline void ioremap_move_commit(struct ioremap_move *move)
{
}

static inline void ioremap_move_undo(struct ioremap_move *move)
{
}

static inline void ioremap_move_flush(void)
{
}

static inline void ioremap_move_finish(struct ioremap_move *move)
{
}
#endif /* CONFIG_IOREMAP_MOVE */

#endif /* _LINUX_IOREMAP_MOVE_H */
