// SPDX-License-Identifier: GPL-2.0
/*
 * PCI enumeration pipeline: FINAL fixups
 */
#include <linux/list.h>
#include <linux/pci.h>
#include <linux/printk.h>

#include "../pci.h"
#include "pipeline.h"

static int pci_final_device(struct pci_batch *batch, struct pci_dev *dev)
{
	pci_fixup_device(pci_fixup_final, dev);
	return 0;
}

/*
 * If the architecture does not set the cache line size, use the value shared
 * by all devices that come with their host bridge, and the default when they
 * differ.  What is plugged in later has the value that we give it.
 */
static void pci_final_cache_line_size(struct pci_batch *batch)
{
	static bool started, settled;
	static u8 shared;
	struct pci_dev *dev;
	u8 cls;

	if (settled || list_empty(&batch->devices))
		return;

	switch (batch->kind) {
	case PCI_BATCH_BOOT:
	case PCI_BATCH_HOST:
	case PCI_BATCH_COMPAT:
		break;
	default:
		/* The first devices of all came later */
		if (!pci_cache_line_size)
			pci_cache_line_size = pci_dfl_cache_line_size;
		return;
	}

	if (!started && pci_cache_line_size) {
		pr_info("PCI: CLS %u bytes\n", pci_cache_line_size << 2);
		settled = true;
		return;
	}
	started = true;

	list_for_each_entry(dev, &batch->devices, batch_node) {
		pci_read_config_byte(dev, PCI_CACHE_LINE_SIZE, &cls);
		if (!shared)
			shared = cls;
		if (!cls || cls == shared)
			continue;

		pci_info(dev, "CLS mismatch (%u != %u), using %u bytes\n",
			 shared << 2, cls << 2, pci_dfl_cache_line_size << 2);
		pci_cache_line_size = pci_dfl_cache_line_size;
		settled = true;
		return;
	}

	cls = shared ?: pci_dfl_cache_line_size;
	if (pci_cache_line_size == cls)
		return;

	pr_info("PCI: CLS %u bytes, default %u\n", shared << 2,
		pci_dfl_cache_line_size << 2);
	pci_cache_line_size = cls;
}

/**
 * pci_batch_final - FINAL: run the FINAL fixups of a batch
 * @batch: the batch
 *
 * Each device of the batch has its addresses and its DMA, isolation and
 * interrupt set-up, and none is in the driver model: a fixup that looks for
 * other devices uses pci_get_scanned_device() and its relatives, one that
 * needs registered devices is an ADDED fixup.
 *
 * Context: process context, rescan/remove lock held.
 */
void pci_batch_final(struct pci_batch *batch)
{
	pci_batch_each(batch, PCI_STAGE_FINAL, pci_final_device);
	pci_final_cache_line_size(batch);
}
