// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of moving I/O mappings to other physical addresses
 *
 * Most map pages of RAM, which tell what a CPU reaches through a mapping.
 * ioremap() refuses RAM, so the areas are made by hand.
 */
#include <kunit/test.h>
#include <linux/atomic.h>
#include <linux/cpu.h>
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/ioport.h>
#include <linux/ioremap_move.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/processor.h>
#include <linux/random.h>
#include <linux/sched/clock.h>
#include <linux/smp.h>
#include <linux/stop_machine.h>
#include <linux/vmalloc.h>

#include "internal.h"

/* What is in the first page of a block of RAM, the second one, and so on */
#define WORD(i)		(0x51a70000 + (i))

/* How often a CPU may have lost a translation for reasons of its own */
#define STALE_TRIES	10

/* How often somebody else may map or unmap something, a millisecond each */
#define AGAIN_TRIES	20

/* Mappings that have nothing to do with a move */
#define MANY_AREAS	2000

/* How often to measure */
#define CHECK_TRIES	20

/*
 * How many moves to try while mappings come and go, how many are enough, and
 * how long to wait for the first of a kind after so many tries
 */
#define CHURN_TRIES	2000
#define CHURN_ENOUGH	100
#define CHURN_SECONDS	20
#define CHURN_USECS	200

/**
 * enum move_step - what a test leaves out of a move, or does besides
 * @NO_COMMIT: the page tables stay
 * @NO_FLUSH: CPUs keep their translations
 * @UNDO: the commit is undone
 * @COMPARE: mappings of churn() are looked for, to see what the check has missed
 */
enum move_step {
	NO_COMMIT = BIT(0),
	NO_FLUSH = BIT(1),
	UNDO = BIT(2),
	COMPARE = BIT(3),
};

/**
 * struct move_run - what the CPUs do in stop_machine(), and see there
 * @move: the move
 * @steps: bits of enum move_step
 * @word: where all of them look; NULL if nowhere
 * @arrived: how many have arrived, at all meeting points together
 * @cpus: how many there are
 * @result: of ioremap_move_check()
 * @ns: what that took
 * @known: mappings of churn() that were found and are to move
 * @missed: and those that are not
 * @before: what each CPU saw before the commit
 * @stale: what it saw between commit and flush
 * @after: what it saw in the end
 */
struct move_run {
	struct ioremap_move *move;
	unsigned int steps;
	u32 *word;
	atomic_t arrived;
	int cpus;
	int result;
	u64 ns;
	unsigned int known;
	unsigned int missed;
	u32 before[NR_CPUS];
	u32 stale[NR_CPUS];
	u32 after[NR_CPUS];
};

static u32 run_look(const struct move_run *run)
{
	return run->word ? READ_ONCE(*run->word) : 0;
}

static void run_meet(struct move_run *run, int point)
{
	atomic_inc(&run->arrived);
	while (atomic_read(&run->arrived) < point * run->cpus)
		cpu_relax();
}

static int churn(void *data);

static int run_compare(struct vm_struct *area, void *data)
{
	struct move_run *run = data;
	unsigned int i;

	if (area->caller != churn)
		return 0;

	for (i = 0; i < run->move->nr_mappings; i++)
		if (run->move->mappings[i].area == area)
			break;
	if (i < run->move->nr_mappings)
		run->known++;
	else
		run->missed++;

	return 0;
}

static void run_lead(struct move_run *run)
{
	u64 start = local_clock();

	run->result = ioremap_move_check(run->move);
	run->ns = local_clock() - start;
	if (!run->result && (run->steps & COMPARE))
		vmap_walk_ioremap(run_compare, run);
	if (run->result || (run->steps & NO_COMMIT))
		return;

	ioremap_move_commit(run->move);
	if (run->steps & UNDO)
		ioremap_move_undo(run->move);
}

static int run_stopped(void *data)
{
	struct move_run *run = data;
	int cpu = smp_processor_id();

	run->before[cpu] = run_look(run);
	run_meet(run, 1);
	if (cpu == cpumask_first(cpu_online_mask))
		run_lead(run);
	run_meet(run, 2);
	run->stale[cpu] = run_look(run);
	if (!(run->steps & NO_FLUSH))
		ioremap_move_flush();
	run->after[cpu] = run_look(run);
	return 0;
}

/* The CPUs that saw @word in @seen */
static int run_count(const u32 *seen, u32 word)
{
	int cpu, count = 0;

	for_each_online_cpu(cpu)
		count += seen[cpu] == word;

	return count;
}

static void run_once(struct move_run *run)
{
	atomic_set(&run->arrived, 0);
	cpus_read_lock();
	run->cpus = num_online_cpus();
	stop_machine_cpuslocked(run_stopped, run, cpu_online_mask);
	cpus_read_unlock();
}

static struct move_run *new_run(struct kunit *test, void *word,
				unsigned int steps)
{
	struct move_run *run = kunit_kzalloc(test, sizeof(*run), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, run);
	run->word = word;
	run->steps = steps;
	return run;
}

static struct move_run *run_move(struct kunit *test, struct ioremap_move *move,
				 void *word, unsigned int steps)
{
	struct move_run *run = new_run(test, word, steps);

	run->move = move;
	run_once(run);
	return run;
}

static void look_ipi(void *data)
{
	struct move_run *run = data;

	run->after[smp_processor_id()] = run_look(run);
}

/* How many CPUs see @word at @addr in the ordinary way of things */
static int cpus_that_see(struct kunit *test, void *addr, u32 word)
{
	struct move_run *run = new_run(test, addr, 0);
	int count;

	cpus_read_lock();
	on_each_cpu(look_ipi, run, 1);
	count = run_count(run->after, word);
	cpus_read_unlock();
	return count;
}

static void free_block(void *data)
{
	struct page *page = data;

	__free_pages(page, page_private(page));
}

/* 2^@order pages; the i-th starts with WORD(first + i). */
static phys_addr_t alloc_block(struct kunit *test, unsigned int order, u32 first)
{
	struct page *page;
	int i;

	page = alloc_pages(GFP_KERNEL | __GFP_ZERO, order);
	KUNIT_ASSERT_NOT_NULL(test, page);
	set_page_private(page, order);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, free_block, page));

	for (i = 0; i < 1 << order; i++)
		*(u32 *)page_address(page + i) = WORD(first + i);

	return page_to_phys(page);
}

static u32 *block_word(phys_addr_t phys)
{
	return phys_to_virt(phys);
}

static void unmap_area(void *data)
{
	free_vm_area(data);
}

static struct vm_struct *new_area(struct kunit *test, size_t size)
{
	struct vm_struct *area = get_vm_area(size, VM_IOREMAP);

	KUNIT_ASSERT_NOT_NULL(test, area);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, unmap_area, area));
	return area;
}

static void fill_area(struct kunit *test, struct vm_struct *area,
		      phys_addr_t phys)
{
	unsigned long addr = (unsigned long)area->addr;

	KUNIT_ASSERT_EQ(test, 0,
			ioremap_page_range(addr, addr + get_vm_area_size(area),
					   phys, PAGE_KERNEL));
}

static struct vm_struct *map_area(struct kunit *test, phys_addr_t phys,
				  size_t size)
{
	struct vm_struct *area = new_area(test, size);

	area->phys_addr = phys;
	fill_area(test, area, phys);
	return area;
}

static void drop_area(struct kunit *test, struct vm_struct *area)
{
	kunit_release_action(test, unmap_area, area);
}

static void finish_move(void *data)
{
	ioremap_move_finish(data);
}

static struct ioremap_move *try_prepare(const struct ioremap_range *ranges,
					unsigned int count)
{
	struct ioremap_move *move = ioremap_move_prepare(ranges, count);
	int i;

	for (i = 0; move == ERR_PTR(-EAGAIN) && i < AGAIN_TRIES; i++) {
		fsleep(USEC_PER_MSEC);
		move = ioremap_move_prepare(ranges, count);
	}

	return move;
}

static struct ioremap_move *prepare_ranges(struct kunit *test,
					   const struct ioremap_range *ranges,
					   unsigned int count)
{
	struct ioremap_move *move = try_prepare(ranges, count);

	KUNIT_ASSERT_FALSE_MSG(test, IS_ERR(move), "error %ld", PTR_ERR(move));
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, finish_move, move));
	return move;
}

static struct ioremap_move *prepare(struct kunit *test, phys_addr_t from,
				    phys_addr_t to, phys_addr_t size)
{
	const struct ioremap_range range = { from, to, size };

	return prepare_ranges(test, &range, 1);
}

/* Prepare and run, again if somebody else has mapped something in between */
static struct move_run *run_ranges(struct kunit *test,
				   const struct ioremap_range *ranges,
				   unsigned int count, void *word,
				   unsigned int steps)
{
	struct move_run *run = new_run(test, word, steps);
	int i;

	for (i = 0; i < AGAIN_TRIES; i++) {
		run->move = prepare_ranges(test, ranges, count);
		run_once(run);
		if (run->result != -EAGAIN)
			break;
		fsleep(USEC_PER_MSEC);
	}

	return run;
}

static struct move_run *run_range(struct kunit *test, phys_addr_t from,
				  phys_addr_t to, phys_addr_t size, void *word,
				  unsigned int steps)
{
	const struct ioremap_range range = { from, to, size };

	return run_ranges(test, &range, 1, word, steps);
}

/* What ioremap_move_prepare() says to ranges that it must refuse */
static int refusal(const struct ioremap_range *ranges, unsigned int count)
{
	struct ioremap_move *move = try_prepare(ranges, count);

	if (IS_ERR(move))
		return PTR_ERR(move);

	ioremap_move_finish(move);
	return 0;
}

static int refusal_of(phys_addr_t from, phys_addr_t to, phys_addr_t size)
{
	const struct ioremap_range range = { from, to, size };

	return refusal(&range, 1);
}

static void test_follow(struct kunit *test)
{
	phys_addr_t old = alloc_block(test, 1, 0), new = alloc_block(test, 1, 2);
	struct vm_struct *area = map_area(test, old, 2 * PAGE_SIZE);
	struct move_run *run;
	u32 *word = area->addr;
	int cpus = num_online_cpus();

	KUNIT_EXPECT_EQ(test, cpus, cpus_that_see(test, word, WORD(0)));

	run = run_range(test, old, new, 2 * PAGE_SIZE, word, 0);
	KUNIT_ASSERT_EQ(test, 0, run->result);
	KUNIT_EXPECT_EQ(test, cpus, run_count(run->before, WORD(0)));
	KUNIT_EXPECT_EQ(test, cpus, run_count(run->after, WORD(2)));

	KUNIT_EXPECT_EQ(test, cpus, cpus_that_see(test, word, WORD(2)));
	KUNIT_EXPECT_EQ(test, cpus,
			cpus_that_see(test, area->addr + PAGE_SIZE, WORD(3)));
	KUNIT_EXPECT_EQ(test, new, area->phys_addr);

	WRITE_ONCE(*word, WORD(99));
	KUNIT_EXPECT_EQ(test, WORD(99), *block_word(new));
	KUNIT_EXPECT_EQ(test, WORD(0), *block_word(old));
}

/*
 * Shows that test_follow() would notice if a CPU were not flushed.  A CPU may
 * forget a translation whenever it likes, but not each time.
 */
static void test_no_flush(struct kunit *test)
{
	phys_addr_t old = alloc_block(test, 0, 0), new = alloc_block(test, 0, 1);
	struct vm_struct *area = map_area(test, old, PAGE_SIZE);
	unsigned long addr = (unsigned long)area->addr;
	phys_addr_t from = old, to = new;
	struct move_run *run;
	int i, stale = 0;

	if (!IS_ENABLED(CONFIG_X86))
		kunit_skip(test, "the commit is seen by all CPUs at once");

	for (i = 0; !stale && i < STALE_TRIES; i++) {
		run = run_range(test, from, to, PAGE_SIZE, area->addr, NO_FLUSH);
		KUNIT_ASSERT_EQ(test, 0, run->result);
		stale = run_count(run->after, WORD(i % 2));
		flush_tlb_kernel_range(addr, addr + PAGE_SIZE);
		swap(from, to);
	}

	kunit_info(test, "%d CPUs kept a translation in try %d\n", stale, i);
	KUNIT_EXPECT_GT(test, stale, 0);
}

/* And that it would notice if the page tables were not written. */
static void test_no_commit(struct kunit *test)
{
	phys_addr_t old = alloc_block(test, 0, 0), new = alloc_block(test, 0, 1);
	struct vm_struct *area = map_area(test, old, PAGE_SIZE);
	struct move_run *run;

	run = run_range(test, old, new, PAGE_SIZE, area->addr, NO_COMMIT);
	KUNIT_ASSERT_EQ(test, 0, run->result);
	KUNIT_EXPECT_EQ(test, num_online_cpus(), run_count(run->after, WORD(0)));
	KUNIT_EXPECT_EQ(test, num_online_cpus(),
			cpus_that_see(test, area->addr, WORD(0)));
	KUNIT_EXPECT_EQ(test, old, area->phys_addr);
}

static void test_undo(struct kunit *test)
{
	phys_addr_t old = alloc_block(test, 0, 0), new = alloc_block(test, 0, 1);
	struct vm_struct *area = map_area(test, old, PAGE_SIZE);
	struct move_run *run;
	int i;

	/* Nothing has changed, so the same move can be done again. */
	for (i = 0; i < AGAIN_TRIES; i++) {
		run = run_range(test, old, new, PAGE_SIZE, area->addr, UNDO);
		KUNIT_ASSERT_EQ(test, 0, run->result);
		KUNIT_EXPECT_EQ(test, num_online_cpus(),
				run_count(run->after, WORD(0)));
		KUNIT_EXPECT_EQ(test, num_online_cpus(),
				cpus_that_see(test, area->addr, WORD(0)));
		KUNIT_EXPECT_EQ(test, old, area->phys_addr);

		run = run_move(test, run->move, area->addr, 0);
		if (run->result != -EAGAIN)
			break;
	}

	KUNIT_EXPECT_EQ(test, 0, run->result);
	KUNIT_EXPECT_EQ(test, num_online_cpus(), run_count(run->after, WORD(1)));
}

/* Two areas at one address, and one in the middle of a range */
static void test_several(struct kunit *test)
{
	phys_addr_t old = alloc_block(test, 2, 0), new = alloc_block(test, 2, 4);
	struct vm_struct *all = map_area(test, old, 4 * PAGE_SIZE);
	struct vm_struct *first = map_area(test, old, PAGE_SIZE);
	struct vm_struct *third = map_area(test, old + 2 * PAGE_SIZE, PAGE_SIZE);
	struct move_run *run;

	run = run_range(test, old, new, 4 * PAGE_SIZE, NULL, 0);
	KUNIT_ASSERT_EQ(test, 0, run->result);
	KUNIT_EXPECT_EQ(test, WORD(7), *(u32 *)(all->addr + 3 * PAGE_SIZE));
	KUNIT_EXPECT_EQ(test, WORD(4), *(u32 *)first->addr);
	KUNIT_EXPECT_EQ(test, WORD(6), *(u32 *)third->addr);
	KUNIT_EXPECT_EQ(test, new + 2 * PAGE_SIZE, third->phys_addr);
}

static void test_swap(struct kunit *test)
{
	phys_addr_t a = alloc_block(test, 0, 0), b = alloc_block(test, 0, 1);
	const struct ioremap_range ranges[] = {
		{ a, b, PAGE_SIZE },
		{ b, a, PAGE_SIZE },
	};
	struct vm_struct *at_a = map_area(test, a, PAGE_SIZE);
	struct vm_struct *at_b = map_area(test, b, PAGE_SIZE);
	struct move_run *run;

	run = run_ranges(test, ranges, 2, at_a->addr, 0);
	KUNIT_ASSERT_EQ(test, 0, run->result);
	KUNIT_EXPECT_EQ(test, num_online_cpus(), run_count(run->after, WORD(1)));
	KUNIT_EXPECT_EQ(test, num_online_cpus(),
			cpus_that_see(test, at_b->addr, WORD(0)));
	KUNIT_EXPECT_EQ(test, b, at_a->phys_addr);
	KUNIT_EXPECT_EQ(test, a, at_b->phys_addr);
}

/* By less than its own size */
static void test_shift(struct kunit *test)
{
	phys_addr_t block = alloc_block(test, 2, 0);
	struct vm_struct *area = map_area(test, block, 3 * PAGE_SIZE);
	struct move_run *run;
	int i;

	run = run_range(test, block, block + PAGE_SIZE, 3 * PAGE_SIZE,
			area->addr, 0);
	KUNIT_ASSERT_EQ(test, 0, run->result);
	for (i = 0; i < 3; i++)
		KUNIT_EXPECT_EQ(test, WORD(i + 1),
				*(u32 *)(area->addr + i * PAGE_SIZE));
}

static pmd_t area_pmd(struct vm_struct *area)
{
	unsigned long addr = (unsigned long)area->addr;
	p4d_t *p4d = p4d_offset(pgd_offset_k(addr), addr);

	return pmdp_get(pmd_offset(pud_offset(p4d, addr), addr));
}

static void test_huge(struct kunit *test)
{
	unsigned int order = PMD_SHIFT - PAGE_SHIFT;
	phys_addr_t old, new;
	struct vm_struct *area;
	struct move_run *run;
	u32 *last;

	if (order > MAX_PAGE_ORDER)
		kunit_skip(test, "no block of RAM as large as a huge page");

	old = alloc_block(test, order, 0);
	new = alloc_block(test, order, 1 << order);
	area = map_area(test, old, PMD_SIZE);
	if (!pmd_leaf(area_pmd(area)))
		kunit_skip(test, "no huge pages for I/O mappings");

	last = area->addr + PMD_SIZE - PAGE_SIZE;
	KUNIT_EXPECT_EQ(test, -EBUSY,
			refusal_of(old, new + PAGE_SIZE, PMD_SIZE));

	run = run_range(test, old, new, PMD_SIZE, last, 0);
	KUNIT_ASSERT_EQ(test, 0, run->result);
	KUNIT_EXPECT_TRUE(test, pmd_leaf(area_pmd(area)));
	KUNIT_EXPECT_EQ(test, num_online_cpus(),
			run_count(run->after, WORD((2 << order) - 1)));
	KUNIT_EXPECT_EQ(test, num_online_cpus(),
			cpus_that_see(test, area->addr, WORD(1 << order)));
}

static void test_bad_ranges(struct kunit *test)
{
	phys_addr_t a = alloc_block(test, 2, 0), b = alloc_block(test, 2, 4);
	const struct ioremap_range same_old[] = {
		{ a, b, 2 * PAGE_SIZE },
		{ a + PAGE_SIZE, b + 2 * PAGE_SIZE, PAGE_SIZE },
	};
	const struct ioremap_range same_new[] = {
		{ a, b, PAGE_SIZE },
		{ a + PAGE_SIZE, b, PAGE_SIZE },
	};

	KUNIT_EXPECT_EQ(test, -EINVAL, refusal(NULL, 0));
	KUNIT_EXPECT_EQ(test, -EINVAL, refusal_of(a, b, 0));
	KUNIT_EXPECT_EQ(test, -EINVAL, refusal_of(a, b, PAGE_SIZE / 2));
	KUNIT_EXPECT_EQ(test, -EINVAL, refusal_of(a + 256, b + 256, PAGE_SIZE));
	KUNIT_EXPECT_EQ(test, -EINVAL, refusal_of(a, b + 256, PAGE_SIZE));
	KUNIT_EXPECT_EQ(test, -EINVAL, refusal_of(0, b, PAGE_SIZE));
	KUNIT_EXPECT_EQ(test, -EINVAL, refusal_of(a, -PAGE_SIZE, 2 * PAGE_SIZE));
	KUNIT_EXPECT_EQ(test, -EINVAL, refusal(same_old, 2));
	KUNIT_EXPECT_EQ(test, -EINVAL, refusal(same_new, 2));
	KUNIT_EXPECT_EQ(test, 0, refusal_of(a, b, PAGE_SIZE));
}

static void test_partly(struct kunit *test)
{
	phys_addr_t a = alloc_block(test, 2, 0), b = alloc_block(test, 2, 4);
	struct vm_struct *area = map_area(test, a + PAGE_SIZE, 2 * PAGE_SIZE);
	const struct ioremap_range two[] = {
		{ a, b, 2 * PAGE_SIZE },
		{ a + 2 * PAGE_SIZE, b + 2 * PAGE_SIZE, 2 * PAGE_SIZE },
	};

	KUNIT_EXPECT_EQ(test, -EBUSY, refusal_of(a, b, 2 * PAGE_SIZE));
	KUNIT_EXPECT_EQ(test, -EBUSY,
			refusal_of(a + 2 * PAGE_SIZE, b, PAGE_SIZE));
	KUNIT_EXPECT_EQ(test, -EBUSY, refusal(two, 2));
	KUNIT_EXPECT_EQ(test, 0, refusal_of(a, b, 3 * PAGE_SIZE));
	KUNIT_EXPECT_EQ(test, 0, refusal_of(a + 3 * PAGE_SIZE, b, PAGE_SIZE));

	drop_area(test, area);
	KUNIT_EXPECT_EQ(test, 0, refusal_of(a, b, 2 * PAGE_SIZE));
}

/* Somebody has a mapping of where the range is to go. */
static void test_target_mapped(struct kunit *test)
{
	phys_addr_t a = alloc_block(test, 0, 0), b = alloc_block(test, 0, 1);

	map_area(test, b, PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, -EBUSY, refusal_of(a, b, PAGE_SIZE));
}

/* Page tables that have nothing to do with the address of the area */
static void test_other_pages(struct kunit *test)
{
	phys_addr_t a = alloc_block(test, 0, 0), b = alloc_block(test, 0, 1);
	struct vm_struct *area = map_area(test, b, PAGE_SIZE);

	area->phys_addr = a;
	KUNIT_EXPECT_EQ(test, -EBUSY, refusal_of(a, b, PAGE_SIZE));
}

/* As vmap_pfn() does it, and ioremap() on the way */
static void test_no_address(struct kunit *test)
{
	phys_addr_t a = alloc_block(test, 1, 0), b = alloc_block(test, 1, 2);
	struct vm_struct *area = new_area(test, 2 * PAGE_SIZE);

	KUNIT_EXPECT_EQ(test, -EAGAIN, refusal_of(a, b, PAGE_SIZE));
	fill_area(test, area, a);
	KUNIT_EXPECT_EQ(test, -EBUSY, refusal_of(a + PAGE_SIZE, b, PAGE_SIZE));
	KUNIT_EXPECT_EQ(test, -EBUSY, refusal_of(b, a + PAGE_SIZE, PAGE_SIZE));
	KUNIT_EXPECT_EQ(test, 0, refusal_of(b, b + PAGE_SIZE, PAGE_SIZE));
}

static void test_half_mapped(struct kunit *test)
{
	phys_addr_t a = alloc_block(test, 0, 0), b = alloc_block(test, 0, 1);
	struct vm_struct *area = new_area(test, PAGE_SIZE);

	area->phys_addr = a;
	KUNIT_EXPECT_EQ(test, -EAGAIN, refusal_of(a, b, PAGE_SIZE));
}

/* The move finds something else than what was prepared, and touches nothing. */
static void expect_again(struct kunit *test, struct ioremap_move *move,
			 struct vm_struct *area, phys_addr_t phys, u32 word)
{
	struct move_run *run = run_move(test, move, area->addr, 0);

	KUNIT_EXPECT_EQ(test, -EAGAIN, run->result);
	KUNIT_EXPECT_EQ(test, phys, area->phys_addr);
	KUNIT_EXPECT_EQ(test, num_online_cpus(), run_count(run->after, word));
}

static void test_appears(struct kunit *test)
{
	phys_addr_t a = alloc_block(test, 0, 0), b = alloc_block(test, 0, 1);
	struct vm_struct *area = map_area(test, a, PAGE_SIZE);
	struct ioremap_move *move;
	struct vm_struct *more;

	move = prepare(test, a, b, PAGE_SIZE);
	more = map_area(test, a, PAGE_SIZE);
	expect_again(test, move, area, a, WORD(0));
	drop_area(test, more);

	move = prepare(test, a, b, PAGE_SIZE);
	more = map_area(test, b, PAGE_SIZE);
	expect_again(test, move, area, a, WORD(0));
	drop_area(test, more);

	move = prepare(test, a, b, PAGE_SIZE);
	more = new_area(test, PAGE_SIZE);
	expect_again(test, move, area, a, WORD(0));
	drop_area(test, more);

	KUNIT_EXPECT_EQ(test, 0,
			run_range(test, a, b, PAGE_SIZE, NULL, 0)->result);
}

static void test_goes(struct kunit *test)
{
	phys_addr_t a = alloc_block(test, 1, 0), b = alloc_block(test, 1, 2);
	struct vm_struct *area = map_area(test, a, PAGE_SIZE);
	struct vm_struct *gone = map_area(test, a + PAGE_SIZE, PAGE_SIZE);
	struct ioremap_move *move = prepare(test, a, b, 2 * PAGE_SIZE);

	drop_area(test, gone);
	expect_again(test, move, area, a, WORD(0));
}

/* One goes and another comes, so that there are as many as before. */
static void test_replaced(struct kunit *test)
{
	phys_addr_t a = alloc_block(test, 1, 0), b = alloc_block(test, 1, 2);
	struct vm_struct *gone = map_area(test, a, PAGE_SIZE);
	struct ioremap_move *move = prepare(test, a, b, 2 * PAGE_SIZE);
	struct vm_struct *area = map_area(test, a + PAGE_SIZE, PAGE_SIZE);

	drop_area(test, gone);
	expect_again(test, move, area, a + PAGE_SIZE, WORD(1));
}

/* Another page than the one that was found, in an area that has stayed */
static void test_rewritten(struct kunit *test)
{
	phys_addr_t a = alloc_block(test, 1, 0), b = alloc_block(test, 1, 2);
	struct vm_struct *area = map_area(test, a, PAGE_SIZE);
	unsigned long addr = (unsigned long)area->addr;
	struct ioremap_move *move = prepare(test, a, b, PAGE_SIZE);

	vunmap_range(addr, addr + PAGE_SIZE);
	fill_area(test, area, a + PAGE_SIZE);
	expect_again(test, move, area, a, WORD(1));

	vunmap_range(addr, addr + PAGE_SIZE);
	fill_area(test, area, a);
	move = prepare(test, a, b, PAGE_SIZE);
	area->phys_addr = a + PAGE_SIZE;
	expect_again(test, move, area, a + PAGE_SIZE, WORD(0));
}

/* Where mappings were when one move was prepared, another may have changed. */
static void test_other_move(struct kunit *test)
{
	phys_addr_t a = alloc_block(test, 0, 0), b = alloc_block(test, 0, 1);
	phys_addr_t c = alloc_block(test, 0, 2);
	struct vm_struct *area = map_area(test, a, PAGE_SIZE);
	struct vm_struct *other = map_area(test, c, PAGE_SIZE);
	struct ioremap_move *move;

	/* To where the other one is going to be */
	move = prepare(test, a, b, PAGE_SIZE);
	KUNIT_ASSERT_EQ(test, 0,
			run_range(test, c, b, PAGE_SIZE, NULL, 0)->result);
	expect_again(test, move, area, a, WORD(0));
	KUNIT_EXPECT_EQ(test, b, other->phys_addr);

	/* Undone is as good as not done, but is not known to be. */
	move = prepare(test, a, c, PAGE_SIZE);
	KUNIT_ASSERT_EQ(test, 0,
			run_range(test, b, c, PAGE_SIZE, NULL, UNDO)->result);
	expect_again(test, move, area, a, WORD(0));
	KUNIT_EXPECT_EQ(test, b, other->phys_addr);
}

static int same_address(struct vm_struct *area, void *data)
{
	return area->phys_addr == *(phys_addr_t *)data;
}

static bool has_area(phys_addr_t phys)
{
	return vmap_walk_ioremap(same_address, &phys);
}

static void free_addresses(void *data)
{
	release_resource(data);
}

/* Addresses that nothing decodes; they can be mapped, but not looked at. */
static phys_addr_t free_address(struct kunit *test, phys_addr_t size)
{
	struct resource *res;

	res = kunit_kzalloc(test, sizeof(*res), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, res);
	res->name = "ioremap_move test";
	res->flags = IORESOURCE_MEM;
	KUNIT_ASSERT_EQ(test, 0,
			allocate_resource(&iomem_resource, res, size, SZ_4G,
					  SZ_1T - 1, size, NULL, NULL));
	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, free_addresses, res));
	return res->start;
}

/* The attributes of a mapping, as the page table has them */
static u64 mapped_prot(void __iomem *addr)
{
	pmd_t *pmd = pmd_off_k((unsigned long)addr);

	return pgprot_val(pte_pgprot(ptep_get(pte_offset_kernel(pmd,
							(unsigned long)addr))));
}

/* What an ioremap() of @phys would get now */
static u64 prot_at(struct kunit *test, phys_addr_t phys)
{
	void __iomem *addr = ioremap(phys, PAGE_SIZE);
	u64 prot;

	KUNIT_ASSERT_TRUE(test, !!addr);
	prot = mapped_prot(addr);
	iounmap(addr);
	return prot;
}

static void __iomem *map_wc(struct kunit *test, phys_addr_t phys)
{
	void __iomem *addr = ioremap_wc(phys, PAGE_SIZE);

	KUNIT_ASSERT_TRUE(test, !!addr);
	return addr;
}

/*
 * With PAT, ioremap() of an address that is mapped as WC also gets WC, so it
 * shows for which addresses a type is reserved.
 */
static void need_types(struct kunit *test, phys_addr_t phys)
{
	u64 prot = prot_at(test, phys);
	void __iomem *wc = map_wc(test, phys);
	bool tracked = mapped_prot(wc) != prot &&
		       mapped_prot(wc) == prot_at(test, phys);

	iounmap(wc);
	if (!tracked)
		kunit_skip(test, "memory types are not tracked");
}

static void test_types(struct kunit *test)
{
	phys_addr_t a = free_address(test, PAGE_SIZE);
	phys_addr_t b = free_address(test, PAGE_SIZE);
	const struct ioremap_range ranges[] = {
		{ a, b, PAGE_SIZE },
		{ b, a, PAGE_SIZE },
	};
	u64 prot = prot_at(test, a), wc_prot;
	void __iomem *wc, *uc;
	struct move_run *run;

	need_types(test, a);
	wc = map_wc(test, a);
	wc_prot = mapped_prot(wc);
	uc = ioremap(b, PAGE_SIZE);
	KUNIT_ASSERT_TRUE(test, !!uc);

	run = run_ranges(test, ranges, 2, NULL, UNDO);
	KUNIT_EXPECT_EQ(test, 0, run->result);
	KUNIT_EXPECT_EQ(test, wc_prot, prot_at(test, a));
	KUNIT_EXPECT_EQ(test, prot, prot_at(test, b));

	run = run_ranges(test, ranges, 2, NULL, 0);
	KUNIT_EXPECT_EQ(test, 0, run->result);
	KUNIT_EXPECT_EQ(test, wc_prot, mapped_prot(wc));
	KUNIT_EXPECT_EQ(test, prot, mapped_prot(uc));
	KUNIT_EXPECT_EQ(test, wc_prot, prot_at(test, b));
	KUNIT_EXPECT_EQ(test, prot, prot_at(test, a));

	iounmap(wc);
	KUNIT_EXPECT_EQ(test, prot, prot_at(test, b));
	iounmap(uc);

	/* Whatever is left of the types would be in the way of this one. */
	wc = map_wc(test, a);
	KUNIT_EXPECT_EQ(test, wc_prot, mapped_prot(wc));
	iounmap(wc);
	wc = map_wc(test, b);
	KUNIT_EXPECT_EQ(test, wc_prot, mapped_prot(wc));
	iounmap(wc);
}

/* A type that is reserved without a mapping of the kernel */
static void test_type_held(struct kunit *test)
{
	phys_addr_t a = free_address(test, PAGE_SIZE);
	phys_addr_t b = free_address(test, PAGE_SIZE);
	struct ioremap_move *move;
	void __iomem *addr;

	need_types(test, a);
	addr = map_wc(test, a);
	move = prepare(test, a, b, PAGE_SIZE);

	KUNIT_ASSERT_EQ(test, 0, arch_io_reserve_memtype_wc(a, PAGE_SIZE));
	KUNIT_EXPECT_EQ(test, -EBUSY, refusal_of(a, b, PAGE_SIZE));
	KUNIT_EXPECT_EQ(test, -EAGAIN, run_move(test, move, NULL, 0)->result);
	arch_io_free_memtype_wc(a, PAGE_SIZE);

	KUNIT_EXPECT_EQ(test, 0,
			run_range(test, a, b, PAGE_SIZE, NULL, 0)->result);
	iounmap(addr);
}

static void test_no_leak(struct kunit *test)
{
	phys_addr_t a = free_address(test, 2 * PAGE_SIZE);
	phys_addr_t b = free_address(test, 2 * PAGE_SIZE);
	void __iomem *addr;
	int i;

	for (i = 0; i < 10; i++) {
		addr = ioremap(a, 2 * PAGE_SIZE);
		KUNIT_ASSERT_TRUE(test, !!addr);
		KUNIT_EXPECT_EQ(test, 0,
				run_range(test, a, b, 2 * PAGE_SIZE, NULL,
					  0)->result);
		KUNIT_EXPECT_FALSE(test, has_area(a));
		KUNIT_EXPECT_TRUE(test, has_area(b));
		iounmap(addr);
	}

	KUNIT_EXPECT_FALSE(test, has_area(a));
	KUNIT_EXPECT_FALSE(test, has_area(b));
	/* A reservation that stayed behind would be in the way. */
	KUNIT_EXPECT_EQ(test, 0, refusal_of(a, b, 2 * PAGE_SIZE));
	KUNIT_EXPECT_EQ(test, 0, refusal_of(b, a, 2 * PAGE_SIZE));
}

/* A mapping from the middle of a page is one of that page, and not of the next. */
static void test_offset(struct kunit *test)
{
	phys_addr_t a = free_address(test, 2 * PAGE_SIZE);
	phys_addr_t b = free_address(test, 2 * PAGE_SIZE);
	void __iomem *addr = ioremap(a + PAGE_SIZE / 2, PAGE_SIZE / 2);

	KUNIT_ASSERT_TRUE(test, !!addr);
	KUNIT_EXPECT_EQ(test, 0,
			run_range(test, a, b, PAGE_SIZE, NULL, 0)->result);
	iounmap(addr);
}

/* What is mapped or unmapped may have to do with the move, so it starts again. */
static void test_unrelated(struct kunit *test)
{
	phys_addr_t a = alloc_block(test, 0, 0), b = alloc_block(test, 0, 1);
	struct vm_struct *area = map_area(test, a, PAGE_SIZE);
	phys_addr_t c = free_address(test, PAGE_SIZE);
	struct ioremap_move *move;
	void __iomem *addr;

	move = prepare(test, a, b, PAGE_SIZE);
	addr = ioremap(c, PAGE_SIZE);
	KUNIT_ASSERT_TRUE(test, !!addr);
	expect_again(test, move, area, a, WORD(0));

	move = prepare(test, a, b, PAGE_SIZE);
	iounmap(addr);
	expect_again(test, move, area, a, WORD(0));

	KUNIT_EXPECT_EQ(test, 0,
			run_range(test, a, b, PAGE_SIZE, NULL, 0)->result);
}

static int ram_mapped(struct page *page)
{
	void *addr = vmalloc(PAGE_SIZE);
	void *alias = vmap(&page, 1, VM_MAP, PAGE_KERNEL);
	void *ram = vm_map_ram(&page, 1, NUMA_NO_NODE);
	int err = addr && alias && ram ? 0 : -ENOMEM;

	if (ram)
		vm_unmap_ram(ram, 1);
	vunmap(alias);
	vfree(addr);
	return err;
}

/* Mappings of RAM come and go all the time, and don't matter. */
static void test_ram_mapped(struct kunit *test)
{
	phys_addr_t a = alloc_block(test, 0, 0), b = alloc_block(test, 0, 1);
	struct vm_struct *area = map_area(test, a, PAGE_SIZE);
	struct move_run *run = new_run(test, area->addr, 0);
	int i;

	for (i = 0; i < AGAIN_TRIES; i++) {
		run->move = prepare(test, a, b, PAGE_SIZE);
		KUNIT_ASSERT_EQ(test, 0, ram_mapped(pfn_to_page(PHYS_PFN(a))));
		run_once(run);
		if (run->result != -EAGAIN)
			break;
	}

	KUNIT_EXPECT_EQ(test, 0, run->result);
	KUNIT_EXPECT_EQ(test, num_online_cpus(), run_count(run->after, WORD(1)));
}

/* What a check takes that succeeds, without what disturbs it now and then */
static u64 fastest_check(struct move_run *run)
{
	u64 ns = run->ns;
	int i;

	for (i = 0; i < CHECK_TRIES; i++) {
		run_once(run);
		if (!run->result)
			ns = min(ns, run->ns);
	}

	return ns;
}

static void set_addresses(struct vm_struct **areas, phys_addr_t phys)
{
	int i;

	for (i = 0; i < MANY_AREAS; i++)
		areas[i]->phys_addr = phys;
}

/*
 * While all CPUs are stopped, only the mappings that move are looked at.  Areas
 * that get an address in the way of the move, as they never do once they have
 * one, would be noticed by whoever looks at them.
 */
static void test_many(struct kunit *test)
{
	phys_addr_t a = alloc_block(test, 0, 0), b = alloc_block(test, 0, 1);
	phys_addr_t c = alloc_block(test, 0, 2);
	struct vm_struct *area = map_area(test, a, PAGE_SIZE);
	struct move_run *few, *many;
	struct vm_struct **areas;
	u64 ns;
	int i;

	few = run_range(test, a, b, PAGE_SIZE, area->addr, NO_COMMIT);
	KUNIT_ASSERT_EQ(test, 0, few->result);
	ns = fastest_check(few);

	areas = kunit_kcalloc(test, MANY_AREAS, sizeof(*areas), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, areas);
	for (i = 0; i < MANY_AREAS; i++)
		areas[i] = new_area(test, PAGE_SIZE);

	many = new_run(test, area->addr, NO_COMMIT);
	for (i = 0; i < AGAIN_TRIES; i++) {
		set_addresses(areas, c);
		many->move = prepare(test, a, b, PAGE_SIZE);
		set_addresses(areas, b);
		run_once(many);
		if (many->result != -EAGAIN)
			break;
	}

	KUNIT_EXPECT_EQ(test, 0, many->result);
	KUNIT_EXPECT_EQ(test, -EBUSY, refusal_of(a, b, PAGE_SIZE));
	kunit_info(test, "checked in %llu ns, with %d mappings more in %llu ns\n",
		   ns, MANY_AREAS, fastest_check(many));
}

/* Maps and unmaps what moves, at any moment. */
static int churn(void *data)
{
	phys_addr_t phys = *(phys_addr_t *)data;
	struct vm_struct *area;
	unsigned long addr;

	while (!kthread_should_stop()) {
		area = get_vm_area_caller(PAGE_SIZE, VM_IOREMAP, churn);
		if (area) {
			addr = (unsigned long)area->addr;
			area->phys_addr = phys;
			if (!ioremap_page_range(addr, addr + PAGE_SIZE, phys,
						PAGE_KERNEL))
				fsleep(get_random_u32_below(CHURN_USECS));
			free_vm_area(area);
		}
		fsleep(get_random_u32_below(CHURN_USECS));
	}

	return 0;
}

/* Whenever the check succeeds, what was prepared is all that there is. */
static void test_churn(struct kunit *test)
{
	phys_addr_t a = alloc_block(test, 0, 0), b = alloc_block(test, 0, 1);
	const struct ioremap_range range = { a, b, PAGE_SIZE };
	struct move_run *run = new_run(test, NULL, NO_COMMIT | COMPARE);
	unsigned int checked = 0, again = 0, mappings = 0;
	struct task_struct *task;
	unsigned long end = jiffies + CHURN_SECONDS * HZ;
	int i;

	task = kthread_run(churn, &a, "ioremap_churn");
	KUNIT_ASSERT_FALSE(test, IS_ERR(task));

	for (i = 0; min(checked, again) < (i < CHURN_TRIES ? CHURN_ENOUGH : 1) &&
	     time_before(jiffies, end); i++) {
		run->move = ioremap_move_prepare(&range, 1);
		if (IS_ERR(run->move)) {
			again++;
			cond_resched();
			continue;
		}
		run_once(run);
		if (run->result) {
			again++;
		} else {
			checked++;
			mappings += run->move->nr_mappings;
		}
		ioremap_move_finish(run->move);
	}
	kthread_stop(task);

	kunit_info(test, "%u moves with %u mappings, %u times again\n", checked,
		   mappings, again);
	KUNIT_EXPECT_GT(test, checked, 0);
	KUNIT_EXPECT_GT(test, again, 0);
	KUNIT_EXPECT_EQ(test, mappings, run->known);
	KUNIT_EXPECT_EQ(test, 0, run->missed);
}

static struct kunit_case ioremap_move_cases[] = {
	KUNIT_CASE(test_follow),
	KUNIT_CASE(test_no_flush),
	KUNIT_CASE(test_no_commit),
	KUNIT_CASE(test_undo),
	KUNIT_CASE(test_several),
	KUNIT_CASE(test_swap),
	KUNIT_CASE(test_shift),
	KUNIT_CASE(test_huge),
	KUNIT_CASE(test_bad_ranges),
	KUNIT_CASE(test_partly),
	KUNIT_CASE(test_target_mapped),
	KUNIT_CASE(test_other_pages),
	KUNIT_CASE(test_no_address),
	KUNIT_CASE(test_half_mapped),
	KUNIT_CASE(test_appears),
	KUNIT_CASE(test_goes),
	KUNIT_CASE(test_replaced),
	KUNIT_CASE(test_rewritten),
	KUNIT_CASE(test_other_move),
	KUNIT_CASE(test_types),
	KUNIT_CASE(test_type_held),
	KUNIT_CASE(test_no_leak),
	KUNIT_CASE(test_offset),
	KUNIT_CASE(test_unrelated),
	KUNIT_CASE(test_ram_mapped),
	KUNIT_CASE(test_many),
	KUNIT_CASE(test_churn),
	{}
};

/* Not so with the hash MMU of powerpc, for one */
static int need_moves(struct kunit *test)
{
	if (refusal(NULL, 0) == -EOPNOTSUPP)
		kunit_skip(test, "mappings can't move on this machine");

	return 0;
}

static struct kunit_suite ioremap_move_suite = {
	.name = "ioremap_move",
	.init = need_moves,
	.test_cases = ioremap_move_cases,
};

kunit_test_suite(ioremap_move_suite);

MODULE_DESCRIPTION("Tests of moving I/O mappings to other physical addresses");
MODULE_LICENSE("GPL");
