// SPDX-License-Identifier: GPL-2.0
/*
 * PCI enumeration pipeline: capabilities, read once per device
 *
 * Some twenty functions look for capabilities between SCAN and ADD, and each
 * look-up walks the list from its head; several of them read the same
 * read-only registers of the PCI Express capability.  Between these stages
 * the positions, and what these registers contain, are remembered.  A fixup
 * may change both, so they are forgotten after each fixup that ran.
 */
#include <linux/bits.h>
#include <linux/pci.h>
#include <linux/slab.h>

#include "../pci.h"
#include "pipeline.h"

#define PCI_CAPS_MAX		48	/* capabilities fit into 192 bytes */
#define PCI_CAPS_EXT_MAX	64

/* Registers of the PCI Express capability that nobody writes */
#define PCI_CAPS_EXP_RO		(BIT(PCI_EXP_DEVCAP >> 2) |		\
				 BIT(PCI_EXP_LNKCAP >> 2) |		\
				 BIT(PCI_EXP_SLTCAP >> 2) |		\
				 BIT(PCI_EXP_DEVCAP2 >> 2) |		\
				 BIT(PCI_EXP_LNKCAP2 >> 2))
#define PCI_CAPS_EXP_MAX	((PCI_EXP_LNKCAP2 >> 2) + 1)

struct pci_caps_entry {
	u16	id;
	u16	pos;
};

/**
 * struct pci_caps - capability lists of a device, in list order
 * @walked: @cap is valid
 * @walked_ext: @ext is valid
 * @count: number of capabilities
 * @count_ext: number of extended capabilities
 * @cap: capabilities (PCI r3.0 sec 6.7)
 * @ext: extended capabilities (PCIe r6.0 sec 7.6.3)
 * @exp_valid: bit n is set if @exp[n] is valid
 * @exp: PCI Express capability, by dword (PCIe r6.0 sec 7.5.3)
 */
struct pci_caps {
	bool			walked;
	bool			walked_ext;
	unsigned int		count;
	unsigned int		count_ext;
	struct pci_caps_entry	cap[PCI_CAPS_MAX];
	struct pci_caps_entry	ext[PCI_CAPS_EXT_MAX];
	unsigned long		exp_valid;
	u32			exp[PCI_CAPS_EXP_MAX];
};

/**
 * pci_caps_begin - begin to remember the capabilities of a device
 * @dev: the device, &pci_dev.hdr_type is valid
 *
 * Without memory the lists are walked each time.
 *
 * Context: process context.
 */
void pci_caps_begin(struct pci_dev *dev)
{
	if (!dev->caps)
		dev->caps = kzalloc(sizeof(*dev->caps), GFP_KERNEL);
}

/**
 * pci_caps_end - stop remembering the capabilities of a device
 * @dev: the device
 */
void pci_caps_end(struct pci_dev *dev)
{
	kfree(dev->caps);
	dev->caps = NULL;
}

/**
 * pci_caps_forget - the capabilities of a device may have changed
 * @dev: the device
 */
void pci_caps_forget(struct pci_dev *dev)
{
	struct pci_caps *caps = dev->caps;

	if (!caps)
		return;

	caps->walked = false;
	caps->walked_ext = false;
	caps->exp_valid = 0;
}

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

/* Only who enumerates may use what is remembered, see pci_caps_end() */
static struct pci_caps *pci_caps_get(struct pci_dev *dev)
{
	if (dev->stage >= PCI_STAGE_ADD || !pci_rescan_remove_held())
		return NULL;

	return dev->caps;
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

/**
 * pci_caps_read_exp - read a dword of the PCI Express capability
 * @dev: the device, with that capability
 * @pos: PCI_EXP_*, a multiple of 4
 * @val: filled in
 *
 * Return: PCIBIOS_SUCCESSFUL, or an error of pci_read_config_dword().
 */
int pci_caps_read_exp(struct pci_dev *dev, int pos, u32 *val)
{
	unsigned int n = pos >> 2;
	struct pci_caps *caps = NULL;
	int ret;

	if (n < PCI_CAPS_EXP_MAX && PCI_CAPS_EXP_RO & BIT(n))
		caps = pci_caps_get(dev);

	if (caps && caps->exp_valid & BIT(n)) {
		*val = caps->exp[n];
		return PCIBIOS_SUCCESSFUL;
	}

	ret = pci_read_config_dword(dev, pci_pcie_cap(dev) + pos, val);
	if (caps && !ret && !PCI_POSSIBLE_ERROR(*val)) {
		caps->exp[n] = *val;
		caps->exp_valid |= BIT(n);
	}

	return ret;
}
