// SPDX-License-Identifier: GPL-2.0
/*
 * PCI enumeration pipeline: CLAIM, keep what is programmed
 *
 * At boot it is up to the host bridge whether what firmware programmed is
 * kept: its claim hook and preserve_config say so, and what they do not claim
 * is assigned anew.
 *
 * Later batches keep an address that a device comes with if it is routed to
 * the device and free: a device that was removed and is rescanned stays where
 * it was.  Nothing is said about addresses that are not kept, most of them
 * are left over from reset.  ASSIGN takes claims of new devices back when
 * they are in the way.
 */
#include <linux/ioport.h>
#include <linux/pci.h>

#include "../pci.h"
#include "pipeline.h"

/**
 * pci_batch_first_of_host - is a bus the first of its host bridge in a batch
 * @batch: the batch
 * @bus: one of its buses
 *
 * Context: process context, rescan/remove lock held.
 * Return: true for one bus of each host bridge in the batch.
 */
bool pci_batch_first_of_host(struct pci_batch *batch, struct pci_bus *bus)
{
	struct pci_host_bridge *host = pci_find_host_bridge(bus);
	struct pci_bus *other;

	list_for_each_entry(other, &batch->buses, batch_node) {
		if (other == bus)
			return true;
		if (pci_find_host_bridge(other) == host)
			return false;
	}

	return false;
}

static bool pci_claim_quietly(struct pci_dev *dev, struct resource *res)
{
	struct resource *parent;

	if (!res->start ||
	    res->flags & (IORESOURCE_UNSET | IORESOURCE_DISABLED))
		return false;

	parent = pci_find_parent_resource(dev, res);
	if (!parent || (!parent->parent && !pci_is_root_bus(dev->bus)))
		return false;	/* Not routed, or by a window without a place */

	if (!pci_segment_allows(dev, res - dev->resource))
		return false;

	return !request_resource(parent, res);
}

/* Leave it to ASSIGN to find an address of the same size */
static void pci_claim_none(struct resource *res)
{
	if (res->flags & IORESOURCE_PCI_FIXED)
		return;

	/* The scan left no address: start is the alignment to ask for */
	if (res->flags & IORESOURCE_STARTALIGN) {
		res->flags |= IORESOURCE_UNSET;
		return;
	}

	res->end -= res->start;
	res->start = 0;
	res->flags |= IORESOURCE_UNSET;
}

static void pci_claim_windows(struct pci_dev *dev)
{
	struct resource *window = &dev->resource[PCI_BRIDGE_RESOURCES];
	u16 command;
	int i;

	if (!dev->subordinate || dev->hdr_type != PCI_HEADER_TYPE_BRIDGE)
		return;

	/* Some architectures read the windows while they scan */
	if (!window[0].flags && !window[1].flags && !window[2].flags) {
		pci_read_config_word(dev, PCI_COMMAND, &command);
		if (!(command & (PCI_COMMAND_IO | PCI_COMMAND_MEMORY)))
			return;
		pci_read_bridge_bases(dev->subordinate);
	}

	for (i = 0; i < 3; i++) {
		if (!window[i].flags || window[i].parent ||
		    pci_claim_quietly(dev, &window[i]))
			continue;

		/* No window: ASSIGN makes one if anything needs it */
		if (!(window[i].flags & IORESOURCE_PCI_FIXED)) {
			window[i].start = 0;
			window[i].end = 0;
			window[i].flags = 0;
		}
	}
}

/* An expansion ROM may share its decoder with a BAR: none stays enabled */
static void pci_claim_disable_rom(struct pci_dev *dev)
{
	struct resource *rom = &dev->resource[PCI_ROM_RESOURCE];
	u32 reg;

	if (!(rom->flags & IORESOURCE_ROM_ENABLE))
		return;

	rom->flags &= ~IORESOURCE_ROM_ENABLE;
	pci_read_config_dword(dev, dev->rom_base_reg, &reg);
	pci_write_config_dword(dev, dev->rom_base_reg,
			       reg & ~PCI_ROM_ADDRESS_ENABLE);
}

static void pci_claim_bars(struct pci_dev *dev)
{
	struct resource *res;
	int i;

	pci_dev_for_each_resource(dev, res, i) {
		if (i == PCI_ROM_RESOURCE || i >= PCI_BRIDGE_RESOURCES)
			continue;

		if (res->flags && !res->parent && !pci_claim_quietly(dev, res))
			pci_claim_none(res);
	}
}

/* After all BARs of the batch: a ROM must not take the place of one */
static void pci_claim_rom(struct pci_dev *dev)
{
	struct resource *rom = &dev->resource[PCI_ROM_RESOURCE];

	if (!rom->flags || rom->parent ||
	    rom->flags & IORESOURCE_ROM_SHADOW)
		return;

	if (!pci_claim_quietly(dev, rom))
		pci_claim_none(rom);
}

/* Bridges come before what is behind them in a batch */
static void pci_claim_devices(struct pci_batch *batch, struct pci_bus *bus)
{
	struct pci_host_bridge *host = pci_find_host_bridge(bus);
	struct pci_dev *dev;

	list_for_each_entry(dev, &batch->devices, batch_node) {
		if (dev->stage != PCI_STAGE_SCAN || dev->is_virtfn ||
		    pci_find_host_bridge(dev->bus) != host)
			continue;

		pci_claim_windows(dev);
		pci_claim_disable_rom(dev);
		pci_claim_bars(dev);
	}

	list_for_each_entry(dev, &batch->devices, batch_node)
		if (dev->stage == PCI_STAGE_SCAN && !dev->is_virtfn &&
		    pci_find_host_bridge(dev->bus) == host)
			pci_claim_rom(dev);
}

static void pci_claim_bus(struct pci_batch *batch, struct pci_bus *bus)
{
	struct pci_host_bridge *host = pci_find_host_bridge(bus);
	const struct pci_pipeline_ops *ops = host->pipeline_ops;
	bool boot = batch->kind == PCI_BATCH_BOOT ||
		    batch->kind == PCI_BATCH_HOST;

	if (ops && ops->claim) {
		ops->claim(host, bus);
		return;
	}

	if (boot && host->preserve_config)
		pci_bus_claim_resources(bus);
	else if (!boot || batch->flags & PCI_BATCH_ASSIGNED)
		pci_claim_devices(batch, bus);
}

/**
 * pci_batch_claim - CLAIM: take what is programmed into the resource tree
 * @batch: the batch
 *
 * All devices of the batch are claimed before ASSIGN enters the first one.
 *
 * Context: process context, rescan/remove lock held.
 */
void pci_batch_claim(struct pci_batch *batch)
{
	const struct pci_pipeline_ops *ops;
	struct pci_host_bridge *host;
	struct pci_bus *bus;

	/* The BARs of VFs are parts of those of their PF */
	if (batch->kind == PCI_BATCH_COMPAT || batch->kind == PCI_BATCH_VF)
		goto done;

	list_for_each_entry(bus, &batch->buses, batch_node)
		pci_claim_bus(batch, bus);

	list_for_each_entry(bus, &batch->buses, batch_node) {
		host = pci_find_host_bridge(bus);
		ops = host->pipeline_ops;
		if (ops && ops->claimed && pci_batch_first_of_host(batch, bus))
			ops->claimed(host);
	}

done:
	pci_batch_each(batch, PCI_STAGE_CLAIM, NULL);
}
