// SPDX-License-Identifier: GPL-2.0
/*
 * PCI enumeration pipeline: config space, read once per device
 *
 * Some twenty functions look for capabilities between SCAN and ADD, and each
 * look-up walks the list from its head.  Registers of the header and of the
 * PCI Express capability are read by one function after the other, and all of
 * them once more when the state is saved.  Between these stages the positions
 * of the capabilities are remembered, and the contents of those registers
 * that change only when they are written.
 *
 * A write forgets what was remembered of the register.  A fixup may change
 * anything, in any way, so nothing is remembered while one runs, and all is
 * forgotten after it.
 *
 * Only the task that enumerates, under the rescan/remove lock, reads from memory
 * and fills it.  When somebody else writes to the device, error recovery for
 * example, nothing more is remembered of it.
 */
#include <linux/bitmap.h>
#include <linux/bits.h>
#include <linux/export.h>
#include <linux/pci.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>

#include "../pci.h"
#include "pipeline.h"

#define PCI_CAPS_MAX		48	/* capabilities fit into 192 bytes */
#define PCI_CAPS_EXT_MAX	64
#define PCI_CAPS_WORDS		(PCI_CFG_SPACE_SIZE / 2)

struct pci_caps_entry {
	u16	id;
	u16	pos;
};

/**
 * struct pci_caps - what is remembered of the config space of a device
 * @walked: @cap is valid
 * @walked_ext: @ext is valid
 * @count: number of capabilities
 * @count_ext: number of extended capabilities
 * @cap: capabilities, in list order (PCI r3.0 sec 6.7)
 * @ext: extended capabilities, in list order (PCIe r6.0 sec 7.6.3)
 * @stable: words that change only when they are written
 * @valid: words whose contents @word has
 * @off: somebody who does not hold the rescan/remove lock has written
 * @rcu: for those who come without the lock
 * @word: the first 256 bytes of config space
 */
struct pci_caps {
	bool			walked;
	bool			walked_ext;
	unsigned int		count;
	unsigned int		count_ext;
	struct pci_caps_entry	cap[PCI_CAPS_MAX];
	struct pci_caps_entry	ext[PCI_CAPS_EXT_MAX];
	DECLARE_BITMAP(stable, PCI_CAPS_WORDS);
	DECLARE_BITMAP(valid, PCI_CAPS_WORDS);
	u16			word[PCI_CAPS_WORDS];
	bool			off;
	struct rcu_head		rcu;
};

/* Registers of the PCI Express capability that change by themselves */
static const u8 pci_caps_exp_status[] = {
	PCI_EXP_DEVSTA, PCI_EXP_LNKSTA, PCI_EXP_SLTSTA,
	PCI_EXP_RTSTA, PCI_EXP_RTSTA + 2,
	PCI_EXP_DEVSTA2, PCI_EXP_LNKSTA2, PCI_EXP_SLTSTA2,
};

/* Status registers of the header (PCI r3.0 sec 6.1, PCI-PCI r1.2 sec 3.2) */
static void pci_caps_header(struct pci_dev *dev, struct pci_caps *caps)
{
	bitmap_set(caps->stable, 0, PCI_STD_HEADER_SIZEOF / 2);
	__clear_bit(PCI_STATUS / 2, caps->stable);
	if (dev->hdr_type == PCI_HEADER_TYPE_BRIDGE)
		__clear_bit(PCI_SEC_STATUS / 2, caps->stable);
	else if (dev->hdr_type == PCI_HEADER_TYPE_CARDBUS)
		__clear_bit(PCI_CB_SEC_STATUS / 2, caps->stable);
}

/**
 * pci_caps_begin - begin to remember the config space of a device
 * @dev: the device, &pci_dev.hdr_type is valid
 *
 * Without memory everything is read each time.
 *
 * Context: process context.
 */
void pci_caps_begin(struct pci_dev *dev)
{
	if (dev->caps)
		return;

	dev->caps = kzalloc(sizeof(*dev->caps), GFP_KERNEL);
	if (dev->caps)
		pci_caps_header(dev, dev->caps);
}

/**
 * pci_caps_begin_exp - also remember the PCI Express capability of a device
 * @dev: the device, &pci_dev.pcie_cap is valid
 *
 * Context: process context.
 */
void pci_caps_begin_exp(struct pci_dev *dev)
{
	unsigned int pos = dev->pcie_cap, len, i;
	struct pci_caps *caps = dev->caps;

	if (!caps || !pos)
		return;

	/* Version 1 may end earlier (PCIe r1.1 sec 7.8), others are complete */
	len = (dev->pcie_flags_reg & PCI_EXP_FLAGS_VERS) > 1 ?
	      PCI_EXP_SLTSTA2 + 2 : PCI_EXP_LNKSTA;
	if (pos + len > PCI_CFG_SPACE_SIZE)
		return;

	bitmap_set(caps->stable, pos / 2, len / 2);
	for (i = 0; i < ARRAY_SIZE(pci_caps_exp_status); i++)
		if (pci_caps_exp_status[i] < len)
			__clear_bit((pos + pci_caps_exp_status[i]) / 2,
				    caps->stable);
}

/**
 * pci_caps_pause - remember nothing for a while
 * @dev: the device
 *
 * For code that has to see the device itself, whatever it does to it.
 *
 * Context: process context, the task that enumerates if there is one.
 * Return: what pci_caps_resume() needs.
 */
struct pci_caps *pci_caps_pause(struct pci_dev *dev)
{
	struct pci_caps *caps = dev->caps;

	WRITE_ONCE(dev->caps, NULL);
	return caps;
}

/**
 * pci_caps_resume - go on remembering, from nothing
 * @dev: the device
 * @caps: what pci_caps_pause() returned
 *
 * Context: process context, the task that called pci_caps_pause().
 */
void pci_caps_resume(struct pci_dev *dev, struct pci_caps *caps)
{
	WRITE_ONCE(dev->caps, caps);
	pci_caps_forget(dev);
}

/**
 * pci_caps_end - stop remembering the config space of a device
 * @dev: the device
 */
void pci_caps_end(struct pci_dev *dev)
{
	struct pci_caps *caps = dev->caps;

	WRITE_ONCE(dev->caps, NULL);
	if (caps)
		kfree_rcu(caps, rcu);
}

/* The memory of a device that has changed, if it is for the caller to clear */
static struct pci_caps *pci_caps_change(const struct pci_dev *dev)
{
	struct pci_caps *caps = READ_ONCE(dev->caps);

	if (!caps || pci_rescan_remove_held())
		return caps;

	rcu_read_lock();
	caps = READ_ONCE(dev->caps);
	if (caps)
		WRITE_ONCE(caps->off, true);
	rcu_read_unlock();

	return NULL;
}

/**
 * pci_caps_forget - the config space of a device may have changed
 * @dev: the device
 *
 * The core does this after each fixup, and when a device is reset or leaves a
 * low-power state.
 *
 * Context: any; what is remembered is only used from SCAN to ADD.
 */
void pci_caps_forget(struct pci_dev *dev)
{
	struct pci_caps *caps = pci_caps_change(dev);

	if (!caps)
		return;

	caps->walked = false;
	caps->walked_ext = false;
	bitmap_zero(caps->valid, PCI_CAPS_WORDS);
}
EXPORT_SYMBOL_GPL(pci_caps_forget);

static u8 pci_caps_head(struct pci_dev *dev)
{
	u16 status;
	u8 pos;

	pci_read_config_word(dev, PCI_STATUS, &status);
	if (!(status & PCI_STATUS_CAP_LIST))
		return 0;

	switch (dev->hdr_type) {
	case PCI_HEADER_TYPE_NORMAL:
	case PCI_HEADER_TYPE_BRIDGE:
		pci_read_config_byte(dev, PCI_CAPABILITY_LIST, &pos);
		return pos;
	case PCI_HEADER_TYPE_CARDBUS:
		pci_read_config_byte(dev, PCI_CB_CAPABILITY_LIST, &pos);
		return pos;
	}

	return 0;
}

static void pci_caps_walk(struct pci_dev *dev, struct pci_caps *caps)
{
	u8 pos = pci_caps_head(dev);
	u16 ent;

	caps->count = 0;
	while (caps->count < PCI_CAPS_MAX && pos >= PCI_STD_HEADER_SIZEOF) {
		pos &= ~3;
		pci_read_config_word(dev, pos, &ent);
		/* Use what there is, and look again the next time */
		if ((ent & 0xff) == 0xff)
			return;

		caps->cap[caps->count].id = ent & 0xff;
		caps->cap[caps->count++].pos = pos;
		pos = ent >> 8;
	}
	caps->walked = true;
}

/* A device with more entries than fit is walked each time */
static bool pci_caps_walk_ext(struct pci_dev *dev, struct pci_caps *caps)
{
	u16 pos = PCI_CFG_SPACE_SIZE;
	u32 header;

	caps->count_ext = 0;
	while (pos >= PCI_CFG_SPACE_SIZE) {
		if (pci_read_config_dword(dev, pos, &header))
			break;
		if (!header && pos == PCI_CFG_SPACE_SIZE)
			break;
		if (caps->count_ext == PCI_CAPS_EXT_MAX)
			return false;

		caps->ext[caps->count_ext].id = PCI_EXT_CAP_ID(header);
		caps->ext[caps->count_ext++].pos = pos;
		pos = PCI_EXT_CAP_NEXT(header);
	}
	caps->walked_ext = true;
	return true;
}

/**
 * pci_caps_get - what is remembered of a device
 * @dev: the device
 *
 * Return: what is remembered, for use before the current task does anything
 * but reading config space; NULL if everything is to be read.
 */
struct pci_caps *pci_caps_get(const struct pci_dev *dev)
{
	struct pci_caps *caps = READ_ONCE(dev->caps);

	if (!caps || !pci_rescan_remove_held() || READ_ONCE(caps->off))
		return NULL;

	return caps;
}

/**
 * pci_caps_find - look for a remembered capability
 * @dev: the device
 * @cap: PCI_CAP_ID_*
 *
 * Return: position of the first such capability, 0 if there is none,
 * -EAGAIN if the list has to be walked by the caller.
 */
int pci_caps_find(struct pci_dev *dev, int cap)
{
	struct pci_caps *caps = pci_caps_get(dev);
	unsigned int i;

	if (!caps)
		return -EAGAIN;

	if (!caps->walked)
		pci_caps_walk(dev, caps);

	for (i = 0; i < caps->count; i++)
		if (caps->cap[i].id == cap)
			return caps->cap[i].pos;

	return 0;
}

/**
 * pci_caps_find_ext - look for a remembered extended capability
 * @dev: the device, with extended config space
 * @start: position of the capability to go on after, 0 for the first
 * @cap: PCI_EXT_CAP_ID_*
 *
 * Return: position of the next such capability, 0 if there is none,
 * -EAGAIN if the list has to be walked by the caller.
 */
int pci_caps_find_ext(struct pci_dev *dev, u16 start, int cap)
{
	struct pci_caps *caps = pci_caps_get(dev);
	unsigned int i = 0;

	if (!caps || (!caps->walked_ext && !pci_caps_walk_ext(dev, caps)))
		return -EAGAIN;

	if (start) {
		while (i < caps->count_ext && caps->ext[i].pos != start)
			i++;
		if (i == caps->count_ext)
			return -EAGAIN;
		i++;
	}

	for (; i < caps->count_ext; i++)
		if (caps->ext[i].id == cap)
			return caps->ext[i].pos;

	return 0;
}

/* Is a register among what can be remembered?  Those that are lie aligned */
static bool pci_caps_covers(int where, int size)
{
	return (unsigned int)where < PCI_CFG_SPACE_SIZE && !(where & (size - 1));
}

/* Its words in the one long of a bitmap where they are */
static unsigned long pci_caps_mask(int where, int size)
{
	return (size > 2 ? 3UL : 1UL) << (where / 2 % BITS_PER_LONG);
}

/**
 * pci_caps_read - read a remembered register
 * @caps: what is remembered, NULL if nothing is
 * @where: position
 * @size: 1, 2 or 4
 * @val: filled in on success
 *
 * Return: true if all of the register is remembered, false if it has to be
 * read by the caller.
 */
bool pci_caps_read(const struct pci_caps *caps, int where, int size, u32 *val)
{
	unsigned int n = where / 2;
	unsigned long mask;

	if (!caps || !pci_caps_covers(where, size))
		return false;

	mask = pci_caps_mask(where, size);
	if ((caps->valid[BIT_WORD(n)] & mask) != mask)
		return false;

	if (size == 4)
		*val = caps->word[n] | (u32)caps->word[n + 1] << 16;
	else if (size == 2)
		*val = caps->word[n];
	else
		*val = where & 1 ? caps->word[n] >> 8 : caps->word[n] & 0xff;

	return true;
}

/**
 * pci_caps_remember - what a register contains
 * @caps: where to remember it, NULL if nothing is to be remembered
 * @where: position
 * @size: 2 or 4; nothing is remembered of single bytes
 * @val: what was read from it, or what it is known to read as
 */
void pci_caps_remember(struct pci_caps *caps, int where, int size, u32 val)
{
	unsigned long first, mask;
	unsigned int n = where / 2;

	/* All ones is most likely the answer of nobody */
	if (!caps || !pci_caps_covers(where, size) || size < 2 ||
	    val == U32_MAX || READ_ONCE(caps->off))
		return;

	first = pci_caps_mask(where, 2);
	mask = pci_caps_mask(where, size) & caps->stable[BIT_WORD(n)];
	if ((val & 0xffff) == U16_MAX)
		mask &= ~first;
	if (val >> 16 == U16_MAX)
		mask &= first;

	if (mask & first)
		caps->word[n] = val;
	if (mask & ~first)
		caps->word[n + 1] = val >> 16;
	caps->valid[BIT_WORD(n)] |= mask;
}

/**
 * pci_caps_written - a register was written
 * @dev: the device
 * @where: position
 * @size: 1, 2 or 4
 *
 * In the PCI Express capability, writing one register may change others: the
 * latencies in Link Capabilities depend on Common Clock Configuration in Link
 * Control (PCIe r6.0 sec 7.5.3.6).
 */
void pci_caps_written(const struct pci_dev *dev, int where, int size)
{
	unsigned int pos = dev->pcie_cap, exp_end = pos + PCI_EXP_SLTSTA2 + 2;
	struct pci_caps *caps = pci_caps_change(dev);

	if (!caps || where < 0 || where + size > PCI_CFG_SPACE_SIZE)
		return;

	if (pos && where >= pos && where < exp_end)
		bitmap_clear(caps->valid, pos / 2,
			     (min(exp_end, PCI_CFG_SPACE_SIZE) - pos) / 2);
	else if (pci_caps_covers(where, size))
		caps->valid[BIT_WORD(where / 2)] &= ~pci_caps_mask(where, size);
	else
		bitmap_clear(caps->valid, where / 2,
			     DIV_ROUND_UP(where % 2 + size, 2));
}
