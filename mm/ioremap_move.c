// SPDX-License-Identifier: GPL-2.0
/*
 * Moving I/O mappings of the kernel to other physical addresses
 *
 * A driver keeps the pointer that ioremap() gave it.  When the addresses of its
 * device change, what is behind that pointer has to change with them, at a
 * moment when nobody uses it: while all CPUs are stopped.
 *
 *	move = ioremap_move_prepare(ranges, count);	may sleep
 *	stop_machine():
 *		all CPUs have arrived
 *		ioremap_move_check(move)		one CPU
 *		the addresses of the hardware change
 *		ioremap_move_commit(move)		the same CPU
 *		all CPUs have seen that
 *		ioremap_move_flush()			every CPU
 *	ioremap_move_finish(move);			may sleep
 *
 * If the hardware turns out not to do as it was told, ioremap_move_undo() follows
 * the commit; the flush is needed just the same.
 *
 * What holds in between:
 *
 *  - No lock is held outside of stop_machine().  Mappings come and go after
 *    ioremap_move_prepare(); ioremap_move_check() tells, and the caller starts
 *    again.
 *
 *  - Only ioremap_move_prepare() looks at all mappings of the system.  Inside,
 *    it is those that move, and a number, vmap_ioremap_generation(): while that
 *    is the same, the areas are those that were found, and none was freed.
 *
 *    An area is there, and counted, before it has a physical address and pages.
 *    Found like that it ends ioremap_move_prepare(), unless its address is
 *    already known to be that of others.  Once it is complete, it maps the same
 *    until it goes, or until another move has it, and both are counted.  An area
 *    that is going is counted and out of sight before it is unmapped.  Nobody
 *    sets or clears VM_IOREMAP later on, and an area without a vm_struct, that
 *    of vm_map_ram(), maps RAM.
 *
 *  - Inside, nothing is allocated, nothing waits and no CPU is interrupted.
 *    Spinlocks are free there, as no task is preempted that holds one.  That is
 *    not so with PREEMPT_RT, where nothing is moved.
 *  - Between two calls inside, no CPU uses a mapping that moves, not even for
 *    an NMI or a console.
 *
 * Only what ioremap() and its relatives mapped can follow.  Fixmap entries,
 * mappings of user space and pages of ZONE_DEVICE are not seen here, nor is an
 * address that somebody is about to map: that is for the caller to rule out.
 */
#include <linux/align.h>
#include <linux/ioremap_move.h>
#include <linux/kasan.h>
#include <linux/lockdep.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include <asm/ioremap_move.h>

#include "internal.h"

/* How many mappings may be added between counting and writing them down */
#define IOREMAP_MOVE_SLACK	16

/* Most architectures have memory types in the page tables only. */
#ifndef arch_ioremap_types_check
static int arch_ioremap_types_check(struct ioremap_move *move)
{
	return 0;
}
#endif

#ifndef arch_ioremap_types_move
static void arch_ioremap_types_move(struct ioremap_move *move, bool back)
{
}
#endif

static bool ioremap_overlaps(phys_addr_t a, phys_addr_t a_size,
			     phys_addr_t b, phys_addr_t b_size)
{
	return a < b + b_size && b < a + a_size;
}

static bool ioremap_range_valid(const struct ioremap_range *range)
{
	phys_addr_t end;

	return range->size && range->from && range->to &&
	       PAGE_ALIGNED(range->from | range->to | range->size) &&
	       !check_add_overflow(range->from, range->size, &end) &&
	       !check_add_overflow(range->to, range->size, &end);
}

static bool ioremap_ranges_valid(const struct ioremap_range *ranges,
				 unsigned int count)
{
	const struct ioremap_range *a, *b;

	for (a = ranges; a < ranges + count; a++) {
		if (!ioremap_range_valid(a))
			return false;

		for (b = ranges; b < a; b++)
			if (ioremap_overlaps(a->from, a->size, b->from, b->size) ||
			    ioremap_overlaps(a->to, a->size, b->to, b->size))
				return false;
	}

	return count;
}

/* What is not mapped is being mapped or unmapped: -EAGAIN. */
static int ioremap_find_leaf(unsigned long addr, struct ioremap_leaf *leaf)
{
	pgd_t *pgd = pgd_offset_k(addr);
	p4d_t *p4d;

	if (pgd_none(pgdp_get(pgd)))
		return -EAGAIN;

	p4d = p4d_offset(pgd, addr);
	if (p4d_none(p4dp_get(p4d)))
		return -EAGAIN;
	if (p4d_leaf(p4dp_get(p4d)))
		return -EBUSY;

	leaf->pud = pud_offset(p4d, addr);
	if (pud_leaf(pudp_get(leaf->pud))) {
		leaf->level = IOREMAP_PUD;
		leaf->size = PUD_SIZE;
		leaf->phys = PFN_PHYS(pud_pfn(pudp_get(leaf->pud)));
		goto found;
	}
	if (!pud_present(pudp_get(leaf->pud)))
		return -EAGAIN;

	leaf->pmd = pmd_offset(leaf->pud, addr);
	if (pmd_leaf(pmdp_get(leaf->pmd))) {
		leaf->level = IOREMAP_PMD;
		leaf->size = PMD_SIZE;
		leaf->phys = PFN_PHYS(pmd_pfn(pmdp_get(leaf->pmd)));
		goto found;
	}
	if (!pmd_present(pmdp_get(leaf->pmd)))
		return -EAGAIN;

	leaf->pte = pte_offset_kernel(leaf->pmd, addr);
	if (!pte_present(ptep_get(leaf->pte)))
		return -EAGAIN;
	leaf->level = IOREMAP_PTE;
	leaf->size = PAGE_SIZE;
	leaf->phys = PFN_PHYS(pte_pfn(ptep_get(leaf->pte)));
found:
	leaf->addr = ALIGN_DOWN(addr, leaf->size);
	return 0;
}

static int ioremap_check_leaf(const struct ioremap_mapping *m,
			      const struct ioremap_leaf *leaf)
{
	unsigned long offset = leaf->addr - m->addr;

	/* A leaf that is shared with somebody else starts before or ends after. */
	if (leaf->addr < m->addr || offset + leaf->size > m->size)
		return -EBUSY;

	if (leaf->phys != m->from + offset)
		return -EBUSY;

	if (!IS_ALIGNED(m->to + offset, leaf->size) ||
	    !arch_ioremap_leaf_movable(leaf, m->to + offset))
		return -EBUSY;

	return 0;
}

static int ioremap_check_leaves(const struct ioremap_mapping *m)
{
	struct ioremap_leaf leaf;
	unsigned long addr;
	int err;

	for (addr = m->addr; addr < m->addr + m->size; addr += leaf.size) {
		err = ioremap_find_leaf(addr, &leaf);
		if (!err)
			err = ioremap_check_leaf(m, &leaf);
		if (err)
			return err;
	}

	return 0;
}

static bool ioremap_touches(const struct ioremap_move *move, phys_addr_t phys,
			    phys_addr_t size)
{
	const struct ioremap_range *r;

	for (r = move->ranges; r < move->ranges + move->nr_ranges; r++)
		if (ioremap_overlaps(phys, size, r->from, r->size) ||
		    ioremap_overlaps(phys, size, r->to, r->size))
			return true;

	return false;
}

/*
 * An area without a physical address is one of vmap_pfn(), whose pages can come
 * from anywhere, or one for which ioremap() has not said it yet.
 */
static int ioremap_check_unknown(const struct ioremap_move *move,
				 const struct vm_struct *area)
{
	unsigned long addr = (unsigned long)kasan_reset_tag(area->addr);
	unsigned long end = addr + get_vm_area_size(area);
	struct ioremap_leaf leaf;
	int err;

	for (; addr < end; addr = leaf.addr + leaf.size) {
		err = ioremap_find_leaf(addr, &leaf);
		if (err)
			return err;
		if (ioremap_touches(move, leaf.phys, leaf.size))
			return -EBUSY;
	}

	return 0;
}

static const struct ioremap_range *
ioremap_range_around(const struct ioremap_move *move, phys_addr_t phys,
		     phys_addr_t size)
{
	const struct ioremap_range *r;

	for (r = move->ranges; r < move->ranges + move->nr_ranges; r++)
		if (phys >= r->from && phys - r->from < r->size &&
		    size <= r->size - (phys - r->from))
			return r;

	return NULL;
}

/*
 * Returns 1 if @area is to move, and how; 0 if it has nothing to do with it; or
 * what ioremap_move_prepare() returns.
 */
static int ioremap_describe(const struct ioremap_move *move,
			    struct vm_struct *area, struct ioremap_mapping *m)
{
	phys_addr_t phys = READ_ONCE(area->phys_addr);
	const struct ioremap_range *range;
	int err;

	if (!phys)
		return ioremap_check_unknown(move, area);

	*m = (struct ioremap_mapping) {
		.area = area,
		.addr = (unsigned long)kasan_reset_tag(area->addr),
		.size = get_vm_area_size(area),
		.from = phys,
	};

	range = ioremap_range_around(move, phys, m->size);
	if (!range)
		return ioremap_touches(move, phys, m->size) ? -EBUSY : 0;

	m->to = range->to + (phys - range->from);
	err = ioremap_check_leaves(m);
	return err ?: 1;
}

static int ioremap_collect_area(struct vm_struct *area, void *data)
{
	struct ioremap_move *move = data;
	struct ioremap_mapping m;
	int ret;

	ret = ioremap_describe(move, area, &m);
	if (ret <= 0)
		return ret;

	if (move->nr_mappings < move->room)
		move->mappings[move->nr_mappings] = m;
	move->nr_mappings++;
	return 0;
}

/*
 * The page tables of a mapping that is being made can be freed, for a huge page
 * in their place, by whoever holds the mmap lock for reading.
 */
static int ioremap_walk(struct ioremap_move *move)
{
	int err;

	move->nr_mappings = 0;
	/* First, so that what the walk misses makes it another number */
	move->generation = vmap_ioremap_generation();
	mmap_write_lock(&init_mm);
	err = vmap_walk_ioremap(ioremap_collect_area, move);
	mmap_write_unlock(&init_mm);
	return err;
}

/* Count first, then with memory for a few more than there were. */
static int ioremap_collect(struct ioremap_move *move)
{
	int err;

	err = ioremap_walk(move);
	while (!err && move->nr_mappings >= move->room) {
		kvfree(move->mappings);
		move->room = move->nr_mappings + IOREMAP_MOVE_SLACK;
		move->mappings = kvcalloc(move->room, sizeof(*move->mappings),
					  GFP_KERNEL);
		if (!move->mappings)
			return -ENOMEM;

		err = ioremap_walk(move);
	}

	return err;
}

/**
 * ioremap_move_possible - can I/O mappings move on this machine
 *
 * Context: any.
 * Return: true if they can.
 */
bool ioremap_move_possible(void)
{
	return !IS_ENABLED(CONFIG_PREEMPT_RT) && arch_ioremap_move_possible();
}

/**
 * ioremap_move_prepare - find the I/O mappings of ranges that are to move
 * @ranges: the ranges; they are copied
 * @count: how many there are
 *
 * Ranges may move to where others are that move, so that two can be swapped,
 * and a range may overlap itself.  The old ranges must be disjoint, and so must
 * the new ones.
 *
 * Context: may sleep.
 * Return: the move, for ioremap_move_finish() in the end, or an ERR_PTR():
 *
 * * -EINVAL: a range is empty, not page aligned, or starts with address 0; or
 *   two ranges overlap
 * * -EBUSY: a mapping is only partly inside a range, or is of one of the new
 *   ranges and does not move away, or has no single physical address; a huge
 *   page would not be aligned; the memory type of a range is reserved for
 *   others, which can also be a mapping that is just being made
 * * -EAGAIN: a mapping is just being made, or has a page that is not there
 * * -ENOMEM: no memory
 * * -EOPNOTSUPP: not on this machine
 */
struct ioremap_move *ioremap_move_prepare(const struct ioremap_range *ranges,
					  unsigned int count)
{
	struct ioremap_move *move;
	int err;

	might_sleep();

	if (!ioremap_move_possible())
		return ERR_PTR(-EOPNOTSUPP);

	if (!ioremap_ranges_valid(ranges, count))
		return ERR_PTR(-EINVAL);

	move = kzalloc(struct_size(move, ranges, count), GFP_KERNEL);
	if (!move)
		return ERR_PTR(-ENOMEM);

	move->nr_ranges = count;
	memcpy(move->ranges, ranges, array_size(count, sizeof(*ranges)));

	err = ioremap_collect(move);
	if (!err)
		err = arch_ioremap_types_check(move);
	if (err) {
		ioremap_move_finish(move);
		return ERR_PTR(err);
	}

	return move;
}

/* Is a mapping, which is still there, as it was found? */
static bool ioremap_same(const struct ioremap_mapping *m)
{
	return READ_ONCE(m->area->phys_addr) == m->from &&
	       get_vm_area_size(m->area) == m->size && !ioremap_check_leaves(m);
}

static bool ioremap_same_all(const struct ioremap_move *move)
{
	const struct ioremap_mapping *m;

	/* Before any area is looked at: it could have been freed. */
	if (vmap_ioremap_generation() != move->generation)
		return false;

	for (m = move->mappings; m < move->mappings + move->nr_mappings; m++)
		if (!ioremap_same(m))
			return false;

	return true;
}

/**
 * ioremap_move_check - is everything as it was when the move was prepared
 * @move: the move
 *
 * Changes nothing, so that the caller can still give up.  Until the commit, all
 * CPUs stay in the same stop_machine().
 *
 * How long it takes depends on the mappings that move.  Any I/O mapping that has
 * come or gone in the meantime lets it fail, as it is not known whose it is.
 *
 * Context: inside stop_machine(), on one CPU, when all CPUs have arrived.
 * Return: 0, or -EAGAIN: start again with ioremap_move_prepare().
 */
int ioremap_move_check(struct ioremap_move *move)
{
	lockdep_assert_irqs_disabled();

	if (WARN_ON_ONCE(move->state == IOREMAP_MOVE_COMMITTED))
		return -EAGAIN;

	/* See what the others did before they arrived; pairs with stop_machine(). */
	smp_mb();

	if (!ioremap_same_all(move) || arch_ioremap_types_check(move))
		return -EAGAIN;

	move->state = IOREMAP_MOVE_CHECKED;
	return 0;
}

static void ioremap_retarget(struct ioremap_mapping *m, phys_addr_t to)
{
	struct ioremap_leaf leaf;
	unsigned long offset;

	for (offset = 0; offset < m->size; offset += leaf.size) {
		/* It was found a moment ago, and nobody else has run since. */
		if (WARN_ON_ONCE(ioremap_find_leaf(m->addr + offset, &leaf)))
			return;
		arch_ioremap_leaf_move(&leaf, to + offset);
	}

	m->area->phys_addr = to;
}

static void ioremap_retarget_all(struct ioremap_move *move, bool back)
{
	struct ioremap_mapping *m;

	arch_ioremap_types_move(move, back);
	for (m = move->mappings; m < move->mappings + move->nr_mappings; m++)
		ioremap_retarget(m, back ? m->from : m->to);

	/* Others that were prepared have to look again; this one need not. */
	move->generation = vmap_ioremap_moved();
}

/**
 * ioremap_move_commit - point all mappings at their new addresses
 * @move: the move
 *
 * Sets page tables, what iounmap() will go by, and where the architecture keeps
 * track of memory types.  CPUs can still have old translations.
 *
 * Context: inside stop_machine(), on one CPU, after ioremap_move_check() has
 * returned 0 and while the others wait.
 */
void ioremap_move_commit(struct ioremap_move *move)
{
	lockdep_assert_irqs_disabled();

	if (WARN_ON_ONCE(move->state != IOREMAP_MOVE_CHECKED))
		return;

	ioremap_retarget_all(move, false);
	move->state = IOREMAP_MOVE_COMMITTED;
}

/**
 * ioremap_move_undo - point all mappings at their old addresses again
 * @move: the move
 *
 * Everything is as if ioremap_move_commit() had not been called; if it was not,
 * this does nothing.  CPUs can still have translations of both kinds.
 *
 * Context: inside stop_machine(), the same in which the commit was done, on one
 * CPU, while the others wait.
 */
void ioremap_move_undo(struct ioremap_move *move)
{
	lockdep_assert_irqs_disabled();

	if (move->state != IOREMAP_MOVE_COMMITTED)
		return;

	ioremap_retarget_all(move, true);
	move->state = IOREMAP_MOVE_CHECKED;
}

/**
 * ioremap_move_flush - forget old translations of this CPU
 *
 * A CPU that is offline needs none: it comes up without translations.
 *
 * Context: inside stop_machine(), on every CPU, after ioremap_move_commit() or
 * ioremap_move_undo() has returned on its own.
 */
void ioremap_move_flush(void)
{
	lockdep_assert_irqs_disabled();

	arch_ioremap_move_flush();
}

/**
 * ioremap_move_finish - free a move, whatever became of it
 * @move: the move
 *
 * Context: may sleep.
 */
void ioremap_move_finish(struct ioremap_move *move)
{
	might_sleep();

	kvfree(move->mappings);
	kfree(move);
}
