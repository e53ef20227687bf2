// SPDX-License-Identifier: GPL-2.0
/*
 * PCI enumeration pipeline tests: emulated config space
 *
 * Each bit of a config space is read-only, writable, or cleared by writing 1.
 * Sizing of BARs needs nothing else.  Config cycles find their function as in
 * hardware: by the bus number registers of the bridges.
 *
 * The PCI core calls the accessors with a raw spinlock held and interrupts off
 * on some architectures and without any lock on others, so they have a raw
 * spinlock of their own, and do not sleep.
 */
#include <linux/bitfield.h>
#include <linux/minmax.h>
#include <linux/pci.h>
#include <linux/string.h>

#include "emul.h"

static bool emul_vf_enabled(const struct emul_fn *fn)
{
	const struct emul_fn *pf = fn->pf;

	return emul_peek(pf, pf->sriov + PCI_SRIOV_CTRL, 2) & PCI_SRIOV_CTRL_VFE &&
	       fn->vf < emul_peek(pf, pf->sriov + PCI_SRIOV_NUM_VF, 2);
}

/**
 * emul_present - does a function answer config cycles that reach it
 * @fn: the function
 *
 * Return: true if it is there.
 */
bool emul_present(const struct emul_fn *fn)
{
	if (fn->gone || (fn->pf && fn->pf->gone))
		return false;

	return fn->pf ? fn->pf->plugged && emul_vf_enabled(fn) : fn->plugged;
}

/* The bridge among @fns that forwards config cycles for bus @busnr */
static struct emul_fn *emul_forwards(struct emul_host *host,
				     struct emul_fn **fns, unsigned int busnr)
{
	struct emul_fn *fn, *found = NULL;
	unsigned int i;

	for (i = 0; i < 256; i++) {
		fn = fns[i];
		if (!fn || !fn->below || !emul_present(fn) ||
		    !fn->value[PCI_SECONDARY_BUS] ||
		    busnr < fn->value[PCI_SECONDARY_BUS] ||
		    busnr > fn->value[PCI_SUBORDINATE_BUS])
			continue;

		if (found)
			host->conflicts++;
		else
			found = fn;
	}

	return found;
}

/**
 * emul_route - find the function that a config cycle reaches
 * @host: the host bridge
 * @busnr: bus number
 * @devfn: device and function number
 *
 * Return: the function, NULL if no function answers.
 */
struct emul_fn *emul_route(struct emul_host *host, unsigned int busnr,
			   unsigned int devfn)
{
	unsigned int here = host->busnr;
	struct emul_fn **fns = host->below;
	struct emul_fn *fn;

	while (here != busnr) {
		fn = emul_forwards(host, fns, busnr);
		if (!fn)
			return NULL;
		here = fn->value[PCI_SECONDARY_BUS];
		fns = fn->below;
	}

	fn = fns[devfn];
	return fn && emul_present(fn) ? fn : NULL;
}

/* Count an access; false if that was the one at which something vanished */
static bool emul_survives(struct emul_fn *fn)
{
	bool there = true;

	for (; fn; fn = fn->pf ?: fn->up) {
		if (fn->vanish_after < 0)
			continue;
		if (fn->vanish_after-- == 0)
			fn->gone = true;
		there &= !fn->gone;
	}

	return there;
}

static u32 emul_load(const u8 *space, unsigned int pos, unsigned int size)
{
	u32 value = 0;

	while (size--)
		value = value << 8 | space[pos + size];

	return value;
}

static void emul_store(u8 *space, unsigned int pos, unsigned int size,
		       u32 value)
{
	for (; size--; value >>= 8)
		space[pos++] = value;
}

static u32 emul_cfg_read(struct emul_fn *fn, unsigned int pos,
			 unsigned int size)
{
	if (pos == PCI_VENDOR_ID && fn->rrs) {
		fn->rrs--;
		return 0xffff0001;
	}

	return pos + size <= fn->size ? emul_load(fn->value, pos, size) : ~0;
}

/* BAR 0 has the size that the Resizable BAR capability says */
static void emul_resize(struct emul_fn *fn)
{
	u32 control = emul_load(fn->value, fn->rebar + PCI_REBAR_CTRL, 4);
	u64 mask;

	fn->bar[0].size = (u64)SZ_1M << FIELD_GET(PCI_REBAR_CTRL_BAR_SIZE, control);
	mask = ~(fn->bar[0].size - 1);
	emul_store(fn->rw, PCI_BASE_ADDRESS_0, 4, mask);
	emul_store(fn->value, PCI_BASE_ADDRESS_0, 4,
		   emul_load(fn->value, PCI_BASE_ADDRESS_0, 4) &
		   (mask | ~PCI_BASE_ADDRESS_MEM_MASK));
}

static void emul_cfg_write(struct emul_fn *fn, unsigned int pos,
			   unsigned int size, u32 value)
{
	u8 *at, in;

	if (pos + size > fn->size)
		return;

	for (; size--; pos++, value >>= 8) {
		in = value;
		at = &fn->value[pos];
		*at = (*at & ~fn->rw[pos]) | (in & fn->rw[pos]);
		*at &= ~(in & fn->w1c[pos]);
	}

	if (fn->rebar)
		emul_resize(fn);
}

static int emul_read(struct pci_bus *bus, unsigned int devfn, int pos,
		     int size, u32 *value)
{
	struct emul_host *host = emul_host_of(bus);
	struct emul_fn *fn;
	unsigned long flags;

	raw_spin_lock_irqsave(&host->lock, flags);
	host->count.reads++;
	*value = ~0;
	fn = emul_route(host, bus->number, devfn);
	if (fn && emul_survives(fn)) {
		fn->count.reads++;
		if (pos < fn->size)
			fn->range[pos / 4].reads++;
		*value = emul_cfg_read(fn, pos, size);
	} else {
		host->nobody.reads++;
	}
	raw_spin_unlock_irqrestore(&host->lock, flags);

	return PCIBIOS_SUCCESSFUL;
}

static int emul_write(struct pci_bus *bus, unsigned int devfn, int pos,
		      int size, u32 value)
{
	struct emul_host *host = emul_host_of(bus);
	struct emul_fn *fn;
	unsigned long flags;

	raw_spin_lock_irqsave(&host->lock, flags);
	host->count.writes++;
	fn = emul_route(host, bus->number, devfn);
	if (fn && emul_survives(fn)) {
		fn->count.writes++;
		if (pos < fn->size)
			fn->range[pos / 4].writes++;
		emul_cfg_write(fn, pos, size, value);
		emul_watch(fn, pos);
	} else {
		host->nobody.writes++;
	}
	raw_spin_unlock_irqrestore(&host->lock, flags);

	return PCIBIOS_SUCCESSFUL;
}

/* The architecture has set its hooks, and what else it has to say, by now */
static int emul_add_bus(struct pci_bus *bus)
{
	struct emul_host *host = emul_host_of(bus);

	if (!pci_is_root_bus(bus))
		return 0;

	emul_arch_prepared(host);
	if (host->pipeline_ops)
		host->bridge->pipeline_ops = host->pipeline_ops;
	host->bridge->probe_only = host->probe_only;

	return 0;
}

struct pci_ops emul_ops = {
	.add_bus	= emul_add_bus,
	.read		= emul_read,
	.write		= emul_write,
};

/**
 * emul_peek - look at config space without an access
 * @fn: the function
 * @pos: position
 * @size: number of bytes, up to 4
 *
 * Return: the value.
 */
u32 emul_peek(const struct emul_fn *fn, unsigned int pos, unsigned int size)
{
	return emul_load(fn->value, pos, size);
}

/**
 * emul_poke - change config space as firmware or the hardware does
 * @fn: the function
 * @pos: position
 * @size: number of bytes, up to 4
 * @value: the value, until the next power-on; read-only bits change as well
 */
void emul_poke(struct emul_fn *fn, unsigned int pos, unsigned int size,
	       u32 value)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&fn->host->lock, flags);
	emul_store(fn->value, pos, size, value);
	raw_spin_unlock_irqrestore(&fn->host->lock, flags);
}

/**
 * emul_set - define a register
 * @fn: the function
 * @pos: position
 * @size: number of bytes, up to 4
 * @value: the value after power-on
 * @rw: writable bits
 * @w1c: bits that are cleared by writing 1
 */
void emul_set(struct emul_fn *fn, unsigned int pos, unsigned int size,
	      u32 value, u32 rw, u32 w1c)
{
	emul_store(fn->reset, pos, size, value);
	emul_store(fn->rw, pos, size, rw);
	emul_store(fn->w1c, pos, size, w1c);
	emul_poke(fn, pos, size, value);
}

/**
 * emul_reset - bring a function to the state after power-on
 * @fn: the function
 */
void emul_reset(struct emul_fn *fn)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&fn->host->lock, flags);
	memcpy(fn->value, fn->reset, fn->size);
	if (fn->rebar)
		emul_resize(fn);
	fn->gone = false;
	fn->vanish_after = -1;
	fn->early = 0;
	fn->header = 0;
	fn->final = 0;
	fn->added = 0;
	raw_spin_unlock_irqrestore(&fn->host->lock, flags);
}

/**
 * emul_vanish_after - make a function vanish, with everything below it
 * @fn: the function
 * @accesses: how many accesses to it and to what is below it still succeed
 */
void emul_vanish_after(struct emul_fn *fn, unsigned int accesses)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&fn->host->lock, flags);
	fn->vanish_after = accesses;
	raw_spin_unlock_irqrestore(&fn->host->lock, flags);
}

/**
 * emul_unvanish - let a function stay that emul_vanish_after() waits for
 * @fn: the function
 */
void emul_unvanish(struct emul_fn *fn)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&fn->host->lock, flags);
	fn->vanish_after = -1;
	raw_spin_unlock_irqrestore(&fn->host->lock, flags);
}

/**
 * emul_count_reset - start to count accesses
 * @host: the host bridge
 */
void emul_count_reset(struct emul_host *host)
{
	struct emul_fn *fn;
	unsigned long flags;

	raw_spin_lock_irqsave(&host->lock, flags);
	host->count = (struct emul_count) { };
	host->nobody = (struct emul_count) { };
	list_for_each_entry(fn, &host->fns, node) {
		fn->count = (struct emul_count) { };
		memset(fn->range, 0, fn->size / 4 * sizeof(*fn->range));
	}
	raw_spin_unlock_irqrestore(&host->lock, flags);
}

/**
 * emul_count_range - accesses to some registers of a function
 * @fn: the function
 * @first: position of the first register
 * @last: position of the last register
 *
 * Return: the accesses since emul_count_reset().
 */
struct emul_count emul_count_range(const struct emul_fn *fn,
				   unsigned int first, unsigned int last)
{
	struct emul_count sum = { };
	unsigned int i;

	for (i = first / 4; i <= last / 4; i++) {
		sum.reads += fn->range[i].reads;
		sum.writes += fn->range[i].writes;
	}

	return sum;
}
