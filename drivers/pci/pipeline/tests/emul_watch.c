// SPDX-License-Identifier: GPL-2.0
/*
 * PCI enumeration pipeline tests: what must be true between two writes
 *
 * Each write to a register changes what hardware does at once, and a device in
 * use notices.  These look at nothing but the registers.
 */
#include <linux/list.h>
#include <linux/pci.h>
#include <linux/sched.h>
#include <linux/unaligned.h>

#include "emul.h"

/* A bridge that nothing is routed to forwards nothing */
static bool emul_numbered(const struct emul_fn *fn)
{
	for (; fn; fn = fn->up)
		if (!emul_present(fn) || !fn->value[PCI_SECONDARY_BUS])
			return false;

	return true;
}

/* Bus numbers have changed: is every number in the right place, and once? */
static void emul_watch_numbers(struct emul_host *host)
{
	const struct emul_fn *fn, *other;
	u8 first, last;

	list_for_each_entry(fn, &host->fns, node) {
		if (fn->lives_on && emul_route(host, fn->lives_on, fn->devfn) != fn)
			host->stray++;
		if (!fn->below || !emul_numbered(fn))
			continue;

		first = fn->value[PCI_SECONDARY_BUS];
		last = fn->value[PCI_SUBORDINATE_BUS];
		if (last < first ||
		    (fn->up && (first <= fn->up->value[PCI_SECONDARY_BUS] ||
				last > fn->up->value[PCI_SUBORDINATE_BUS])))
			host->stray++;

		other = fn;
		list_for_each_entry_continue(other, &host->fns, node)
			if (other->below && other->up == fn->up &&
			    emul_numbered(other) &&
			    other->value[PCI_SECONDARY_BUS] <= last &&
			    other->value[PCI_SUBORDINATE_BUS] >= first)
				host->stray++;
	}
}

static struct emul_window emul_cardbus_window(const struct emul_fn *fn,
					      unsigned int base, u32 rest)
{
	return (struct emul_window) {
		.start = emul_peek(fn, base, 4),
		.end = emul_peek(fn, base + 4, 4) | rest,
	};
}

/**
 * emul_read_windows - what a bridge forwards downstream
 * @fn: the bridge
 * @w: its windows
 *
 * PCI-to-PCI Bridge Architecture Specification r1.2 sec 3.2.5.6 to 3.2.5.10.
 * Of the two windows for I/O of a CardBus bridge it is the first one.
 *
 * Context: any.
 */
void emul_read_windows(const struct emul_fn *fn, struct emul_windows *w)
{
	if (emul_peek(fn, PCI_HEADER_TYPE, 1) == PCI_HEADER_TYPE_CARDBUS) {
		w->io = emul_cardbus_window(fn, PCI_CB_IO_BASE_0, 0x3);
		w->mem = emul_cardbus_window(fn, PCI_CB_MEMORY_BASE_1, 0xfff);
		w->pref = emul_cardbus_window(fn, PCI_CB_MEMORY_BASE_0, 0xfff);
		return;
	}

	w->io.start = (emul_peek(fn, PCI_IO_BASE, 1) & 0xf0) << 8 |
		      emul_peek(fn, PCI_IO_BASE_UPPER16, 2) << 16;
	w->io.end = (emul_peek(fn, PCI_IO_LIMIT, 1) & 0xf0) << 8 |
		    emul_peek(fn, PCI_IO_LIMIT_UPPER16, 2) << 16 | 0xfff;
	w->mem.start = emul_peek(fn, PCI_MEMORY_BASE, 2) << 16;
	w->mem.end = emul_peek(fn, PCI_MEMORY_LIMIT, 2) << 16 | 0xfffff;
	w->pref.start = (emul_peek(fn, PCI_PREF_MEMORY_BASE, 2) & 0xfff0) << 16 |
			(u64)emul_peek(fn, PCI_PREF_BASE_UPPER32, 4) << 32;
	w->pref.end = (emul_peek(fn, PCI_PREF_MEMORY_LIMIT, 2) & 0xfff0) << 16 |
		      (u64)emul_peek(fn, PCI_PREF_LIMIT_UPPER32, 4) << 32 |
		      0xfffff;
}

static bool emul_overlap(const struct emul_window *a, const struct emul_window *b)
{
	return a->start <= a->end && b->start <= b->end &&
	       a->start <= b->end && b->start <= a->end;
}

static bool emul_contains(const struct emul_window *a, const struct emul_window *b)
{
	return a->start <= b->start && b->end <= a->end;
}

static bool emul_on(const struct emul_fn *fn, u16 what)
{
	for (; fn; fn = fn->up)
		if (!emul_present(fn) || !(emul_peek(fn, PCI_COMMAND, 2) & what))
			return false;

	return true;
}

/**
 * emul_bar_address - where a BAR is, as its registers say
 * @fn: the function
 * @bar: number of its first register
 *
 * Context: any.
 * Return: the address, without the bits that tell its kind.
 */
u64 emul_bar_address(const struct emul_fn *fn, unsigned int bar)
{
	unsigned int pos = PCI_BASE_ADDRESS_0 + 4 * bar;
	u64 low = emul_peek(fn, pos, 4);

	if (fn->bar[bar].flags & PCI_BASE_ADDRESS_SPACE_IO)
		return low & PCI_BASE_ADDRESS_IO_MASK;
	if (fn->bar[bar].flags & PCI_BASE_ADDRESS_MEM_TYPE_64)
		low |= (u64)emul_peek(fn, pos + 4, 4) << 32;
	return low & PCI_BASE_ADDRESS_MEM_MASK;
}

/* What a BAR decodes; empty if there is none of this kind */
static struct emul_window emul_bar_span(const struct emul_fn *fn,
					unsigned int i, bool io)
{
	const struct emul_bar *bar = &fn->bar[i];
	u64 start = emul_bar_address(fn, i);

	if (!bar->size || io != !!(bar->flags & PCI_BASE_ADDRESS_SPACE_IO))
		return (struct emul_window) { 1, 0 };

	return (struct emul_window) { start, start + bar->size - 1 };
}

/* The windows of a bridge: that for I/O, or those for memory */
static unsigned int emul_window_spans(const struct emul_fn *fn, bool io,
				      struct emul_window *span)
{
	struct emul_windows w;

	emul_read_windows(fn, &w);
	if (io) {
		span[0] = (struct emul_window) { w.io.start, w.io.end };
		return 1;
	}
	span[0] = (struct emul_window) { w.mem.start, w.mem.end };
	span[1] = (struct emul_window) { w.pref.start, w.pref.end };
	return 2;
}

/* Does everything above let a BAR through? */
static bool emul_reached(const struct emul_fn *fn, const struct emul_window *bar,
			 bool io)
{
	struct emul_window window[2];
	unsigned int count;

	for (fn = fn->up; fn; fn = fn->up) {
		count = emul_window_spans(fn, io, window);
		if (!emul_contains(&window[0], bar) &&
		    !(count > 1 && emul_contains(&window[1], bar)))
			return false;
	}

	return true;
}

/* Ranges of a function that is on: BARs, or what it forwards */
static unsigned int emul_spans(const struct emul_fn *fn, bool io,
			       struct emul_window *span)
{
	unsigned int i, count = 0;

	for (i = 0; i < (fn->below ? 2 : PCI_STD_NUM_BARS); i++)
		span[count++] = emul_bar_span(fn, i, io);
	if (fn->below)
		count += emul_window_spans(fn, io, &span[count]);

	return count;
}

#define EMUL_SPANS	PCI_STD_NUM_BARS

/* Two functions on a bus may not answer to the same address */
static void emul_watch_pair(struct emul_host *host, const struct emul_fn *a,
			    const struct emul_fn *b, bool io)
{
	struct emul_window of_a[EMUL_SPANS], of_b[EMUL_SPANS];
	unsigned int i, k, count_a, count_b;

	count_a = emul_spans(a, io, of_a);
	count_b = emul_spans(b, io, of_b);
	for (i = 0; i < count_a; i++)
		for (k = 0; k < count_b; k++)
			host->stray += emul_overlap(&of_a[i], &of_b[k]);
}

static void emul_watch_space(struct emul_host *host, bool io)
{
	u16 what = io ? PCI_COMMAND_IO : PCI_COMMAND_MEMORY;
	struct emul_fn *fn, *other;
	struct emul_window bar;
	unsigned int i;

	list_for_each_entry(fn, &host->fns, node) {
		if (!emul_on(fn, what)) {
			host->stray += fn->stays_on && !io;
			continue;
		}

		for (i = 0; i < (fn->below ? 2 : PCI_STD_NUM_BARS); i++) {
			bar = emul_bar_span(fn, i, io);
			if (bar.start <= bar.end && !emul_reached(fn, &bar, io))
				host->stray++;
		}

		other = fn;
		list_for_each_entry_continue(other, &host->fns, node)
			if (other->up == fn->up && emul_on(other, what))
				emul_watch_pair(host, fn, other, io);
	}
}

/* Was an address written to a BAR?  All ones are written to see its size. */
static bool emul_places(const struct emul_fn *fn, unsigned int pos)
{
	unsigned int end = fn->below ? PCI_BASE_ADDRESS_2 : PCI_CARDBUS_CIS;
	u32 rw, address;

	if (pos < PCI_BASE_ADDRESS_0 || pos >= end)
		return false;

	pos = ALIGN_DOWN(pos, 4);
	rw = get_unaligned_le32(&fn->rw[pos]);
	address = emul_peek(fn, pos, 4) & rw;
	return address && address != rw;
}

/**
 * emul_watch - a register was written: is what hardware does now legal
 * @fn: the function
 * @pos: the register
 *
 * Counts in &emul_host.stray what is not.  Also counts who gives addresses to
 * BARs, in &emul_host.placed.
 *
 * Context: &emul_host.lock held.
 */
void emul_watch(struct emul_fn *fn, unsigned int pos)
{
	struct emul_host *host = fn->host;

	if (emul_places(fn, pos)) {
		host->placed++;
		host->placed_noio += !!(current->flags & PF_MEMALLOC_NOIO);
	}

	if (host->watch && fn->below && pos / 4 == PCI_PRIMARY_BUS / 4)
		emul_watch_numbers(host);

	if (host->watch_addresses &&
	    (pos / 4 == PCI_COMMAND / 4 ||
	     (pos >= PCI_BASE_ADDRESS_0 && pos <= PCI_IO_LIMIT_UPPER16))) {
		emul_watch_space(host, false);
		emul_watch_space(host, true);
	}
}
