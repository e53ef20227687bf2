// SPDX-License-Identifier: GPL-2.0
/*
 * PCI enumeration pipeline: hooks of powerpc host bridges
 *
 * The firmware knows the host bridges and usually more about their windows
 * than we do, so we keep as much of its configuration as possible:
 *	- CLAIM the windows of the host bridge and of all PCI-to-PCI bridges.
 *	  This gives us fixed barriers on where we can allocate.
 *	- CLAIM the BARs of all enabled devices, then those of disabled ones and
 *	  ROMs.  What collides is left to ASSIGN.  ROMs are switched off.
 *	- Reserve the ISA ports and the VGA memory below each host bridge, so that
 *	  ASSIGN keeps clear of them.
 *
 * PCI_REASSIGN_ALL_RSRC (powernv): nothing that firmware programmed is kept.
 * The HEADER fixup has forgotten the addresses, and BARs are not claimed.
 * PCI_PROBE_ONLY (pseries, maple): all that firmware programmed is kept, and
 * nothing else is assigned.
 */
#include <linux/init.h>
#include <linux/ioport.h>
#include <linux/pci.h>
#include <linux/pci-pipeline.h>

#include <asm/eeh.h>
#include <asm/machdep.h>
#include <asm/pci-bridge.h>
#include <asm/ppc-pci.h>

/*
 * The platform finds all host bridges early, and pcibios_init() scans them
 * one after the other.  All are claimed before any is assigned.
 */
DEFINE_PCI_HOLD(ppc_pci_phbs_hold, "powerpc-phbs", PCI_STAGE_CLAIM);

/* Has @dev still to pass CLAIM? */
static bool ppc_pci_is_new(struct pci_dev *dev)
{
	return dev->stage < PCI_STAGE_CLAIM;
}

/*
 * Reparent resource children of pr that conflict with res
 * under res, and make res replace those children.
 */
static int reparent_resources(struct resource *parent, struct resource *res)
{
	struct resource *p, **pp;
	struct resource **firstpp = NULL;

	for (pp = &parent->child; (p = *pp) != NULL; pp = &p->sibling) {
		if (p->end < res->start)
			continue;
		if (res->end < p->start)
			break;
		if (p->start < res->start || p->end > res->end)
			return -1;	/* not completely contained */
		if (!firstpp)
			firstpp = pp;
	}
	if (!firstpp)
		return -1;	/* didn't find any conflicting entries? */
	res->parent = parent;
	res->child = *firstpp;
	res->sibling = *pp;
	*firstpp = res;
	*pp = NULL;
	for (p = res->child; p; p = p->sibling) {
		p->parent = res;
		pr_debug("PCI: Reparented %s %pR under %s\n",
			 p->name, p, res->name);
	}
	return 0;
}

static bool ppc_pci_claim_window(struct pci_bus *bus, struct resource *res,
				 int i)
{
	struct resource *pr;

	/* If the resource was left unset at this point, we clear it */
	if (res->flags & IORESOURCE_UNSET)
		return false;

	if (pci_is_root_bus(bus)) {
		pr = (res->flags & IORESOURCE_IO) ?
			&ioport_resource : &iomem_resource;
	} else {
		pr = pci_find_parent_resource(bus->self, res);
		/*
		 * this happens when the generic PCI
		 * code (wrongly) decides that this
		 * bridge is transparent  -- paulus
		 */
		if (pr == res)
			return true;
	}

	pr_debug("PCI: %s (bus %d) bridge rsrc %d: %pR, parent %p (%s)\n",
		 bus->self ? pci_name(bus->self) : "PHB", bus->number,
		 i, res, pr, (pr && pr->name) ? pr->name : "nil");

	if (pr && !(pr->flags & IORESOURCE_UNSET)) {
		if (request_resource(pr, res) == 0)
			return true;
		/*
		 * Must be a conflict with an existing entry.
		 * Move that entry (or entries) under the
		 * bridge resource and try again.
		 */
		if (reparent_resources(pr, res) == 0)
			return true;

		if (bus->self && i < PCI_BRIDGE_RESOURCE_NUM &&
		    pci_claim_bridge_resource(bus->self,
					      i + PCI_BRIDGE_RESOURCES) == 0)
			return true;
	}

	pr_warn("PCI: Cannot allocate resource region %d of PCI bridge %d, will remap\n",
		i, bus->number);
	return false;
}

static void ppc_pci_claim_windows(struct pci_bus *bus)
{
	struct resource *res;
	int i;

	pci_bus_for_each_resource(bus, res, i) {
		if (!res || !res->flags || res->start > res->end || res->parent)
			continue;
		if (ppc_pci_claim_window(bus, res, i))
			continue;

		/*
		 * The resource might be figured out when doing
		 * reassignment based on the resources required
		 * by the downstream PCI devices. Here we set
		 * the size of the resource to be 0 in order to
		 * save more space.
		 */
		res->start = 0;
		res->end = -1;
		res->flags = 0;
	}
}

static void ppc_pci_claim_bus_windows(struct pci_bus *bus)
{
	struct pci_bus *child;

	/* Windows of bridges that are in use are claimed, or ASSIGN's */
	if (bus->self ? ppc_pci_is_new(bus->self) : pci_is_root_bus(bus))
		ppc_pci_claim_windows(bus);

	list_for_each_entry(child, &bus->children, node)
		ppc_pci_claim_bus_windows(child);
}

static void ppc_pci_claim_bar(struct pci_dev *dev, int idx)
{
	struct resource *pr, *r = &dev->resource[idx];

	pr_debug("PCI: Allocating %s: Resource %d: %pR\n",
		 pci_name(dev), idx, r);

	pr = pci_find_parent_resource(dev, r);
	if (pr && !(pr->flags & IORESOURCE_UNSET) && !request_resource(pr, r))
		return;

	pr_warn("PCI: Cannot allocate resource region %d of device %s, will remap\n",
		idx, pci_name(dev));

	/* We'll assign a new address later */
	r->flags |= IORESOURCE_UNSET;
	r->end -= r->start;
	r->start = 0;
}

/* Turn the ROM off, leave the resource region, but keep it unregistered */
static void ppc_pci_disable_rom(struct pci_dev *dev)
{
	struct resource *r = &dev->resource[PCI_ROM_RESOURCE];
	u32 reg;

	/* The device tree does not say whether it is on */
	if (!r->flags)
		return;

	pci_read_config_dword(dev, dev->rom_base_reg, &reg);
	if (!(reg & PCI_ROM_ADDRESS_ENABLE))
		return;

	pr_debug("PCI: Switching off ROM of %s\n", pci_name(dev));
	r->flags &= ~IORESOURCE_ROM_ENABLE;
	pci_write_config_dword(dev, dev->rom_base_reg,
			       reg & ~PCI_ROM_ADDRESS_ENABLE);
}

/* ROMs and VFs come last, in case firmware has screwed them up */
static bool ppc_pci_decodes(struct pci_dev *dev, int idx, u16 command)
{
	if (idx > PCI_STD_RESOURCE_END)
		return false;
	if (dev->resource[idx].flags & IORESOURCE_IO)
		return command & PCI_COMMAND_IO;
	return command & PCI_COMMAND_MEMORY;
}

static bool ppc_pci_has_address(struct pci_dev *dev, int idx)
{
	struct resource *r = &dev->resource[idx];

	if (r->parent)		/* Already allocated */
		return false;
	if (!r->flags || (r->flags & IORESOURCE_UNSET))
		return false;	/* Not assigned at all */
	if (idx > PCI_ROM_RESOURCE && !r->start)
		return false;	/* VF BARs that are not set up */
	return true;
}

/* Those that @dev decodes if @enabled, and then whatever is left */
static void ppc_pci_claim_bars(struct pci_dev *dev, bool enabled)
{
	bool known = false;
	u16 command;
	int idx;

	for (idx = 0; idx < PCI_BRIDGE_RESOURCES; idx++) {
		if (!ppc_pci_has_address(dev, idx))
			continue;
		if (enabled && !known) {
			pci_read_config_word(dev, PCI_COMMAND, &command);
			known = true;
		}
		if (!enabled || ppc_pci_decodes(dev, idx, command))
			ppc_pci_claim_bar(dev, idx);
	}

	if (enabled)
		ppc_pci_disable_rom(dev);
}

static void ppc_pci_claim_bus_bars(struct pci_bus *bus, bool enabled)
{
	struct pci_dev *dev;

	list_for_each_entry(dev, &bus->devices, bus_list) {
		if (ppc_pci_is_new(dev))
			ppc_pci_claim_bars(dev, enabled);
		if (dev->subordinate)
			ppc_pci_claim_bus_bars(dev->subordinate, enabled);
	}
}

/* The windows of different host bridges have no address in common */
static void ppc_pci_claim(struct pci_host_bridge *bridge, struct pci_bus *bus)
{
	ppc_pci_claim_bus_windows(bus);

	if (pci_has_flag(PCI_REASSIGN_ALL_RSRC))
		return;

	ppc_pci_claim_bus_bars(bus, true);
	ppc_pci_claim_bus_bars(bus, false);
}

static void ppc_pci_reserve_io(struct pci_controller *hose)
{
	struct resource *res = &hose->legacy_io;

	if (!(hose->io_resource.flags & IORESOURCE_IO))
		return;

	res->name = "Legacy IO";
	res->flags = IORESOURCE_IO;
	res->start = pcibios_io_space_offset(hose);
	res->end = (res->start + 0xfff) & 0xfffffffful;
	pr_debug("Candidate legacy IO: %pR\n", res);
	if (request_resource(&hose->io_resource, res))
		pr_debug("PCI %04x: Cannot reserve Legacy IO %pR\n",
			 hose->global_number, res);
}

static void ppc_pci_reserve_vga(struct pci_controller *hose)
{
	struct resource *pres, *res = &hose->legacy_vga;
	resource_size_t	offset;
	int i;

	for (i = 0; i < 3; i++) {
		pres = &hose->mem_resources[i];
		offset = hose->mem_offset[i];
		if (!(pres->flags & IORESOURCE_MEM))
			continue;
		pr_debug("hose mem res: %pR\n", pres);
		if ((pres->start - offset) <= 0xa0000 &&
		    (pres->end - offset) >= 0xbffff)
			break;
	}
	if (i >= 3)
		return;

	res->name = "Legacy VGA memory";
	res->flags = IORESOURCE_MEM;
	res->start = 0xa0000 + offset;
	res->end = 0xbffff + offset;
	pr_debug("Candidate VGA memory: %pR\n", res);
	if (request_resource(pres, res))
		pr_debug("PCI %04x: Cannot reserve VGA memory %pR\n",
			 hose->global_number, res);
}

/*
 * Before ASSIGN we try to reserve the low IO area and the VGA memory area if
 * they intersect the bus available resources to avoid allocating things on
 * top of them.  That comes with the host bridge: later, somebody may have got
 * an address there already.
 */
static void ppc_pci_claimed(struct pci_host_bridge *bridge)
{
	struct pci_controller *hose = pci_bus_to_host(bridge->bus);

	if (bridge->probe_only || !pci_host_is_new(bridge))
		return;

	pr_debug("Reserving legacy ranges for domain %04x\n",
		 hose->global_number);
	if (!hose->legacy_io.parent)
		ppc_pci_reserve_io(hose);
	if (!hose->legacy_vga.parent)
		ppc_pci_reserve_vga(hose);
}

/*
 * DMA, isolation (PE) and interrupt set-up: after the addresses, which
 * isolation needs, and before FINAL fixups, which may enable the device.
 */
static int ppc_pci_configure(struct pci_dev *dev)
{
	struct pci_controller *phb = pci_bus_to_host(dev->bus);

	/* Fixup NUMA node as it may not be setup yet by the generic
	 * code and is needed by the DMA init
	 */
	set_dev_node(&dev->dev, pcibus_to_node(dev->bus));

	/* Hook up default DMA ops */
	ppc_pci_use_dma_ops(dev);

	/* Additional platform DMA/iommu setup */
	if (phb->controller_ops.dma_dev_setup)
		phb->controller_ops.dma_dev_setup(dev);

	/* Read default IRQs and fixup if necessary */
	ppc_pci_read_irq_line(dev);
	if (ppc_md.pci_irq_fixup)
		ppc_md.pci_irq_fixup(dev);

	if (phb->controller_ops.configure_device)
		phb->controller_ops.configure_device(dev);

	return 0;
}

/*
 * A device that never came into the driver model: the notifier does not see
 * it go, the rest is undone when it is released.
 */
static void ppc_pci_unconfigure(struct pci_dev *dev)
{
	ppc_pci_put_irq_line(dev);
}

static bool ppc_pci_segment_taken(struct pci_host_bridge *bridge,
				  unsigned int n, struct pci_bus *bus)
{
	struct pci_controller *hose = pci_bus_to_host(bus);

	return hose->controller_ops.segment_taken &&
	       hose->controller_ops.segment_taken(hose, n, bus);
}

static int ppc_pci_map_segments(struct pci_bus *bus)
{
	struct pci_controller *hose = pci_bus_to_host(bus);

	if (!hose->controller_ops.map_segments)
		return 0;

	return hose->controller_ops.map_segments(bus);
}

/* EEH puts back its own copy of config space after a reset */
static void ppc_pci_address_written(struct pci_dev *dev, int where, int size,
				    u32 val)
{
	eeh_address_written(dev, where, size, val);
}

/* And goes from the address of a failed access to the device */
static void ppc_pci_moved(struct pci_host_bridge *bridge)
{
	eeh_addr_cache_update();
}

static const struct pci_pipeline_ops ppc_pci_pipeline_ops = {
	.claim		= ppc_pci_claim,
	.claimed	= ppc_pci_claimed,
	.segment_taken	= ppc_pci_segment_taken,
	.map_segments	= ppc_pci_map_segments,
	.configure	= ppc_pci_configure,
	.unconfigure	= ppc_pci_unconfigure,
	.address_written = ppc_pci_address_written,
	.moved		= ppc_pci_moved,
};

/**
 * pcibios_root_bridge_prepare - set up a host bridge before it is registered
 * @bridge: the host bridge
 *
 * Return: 0 or a negative errno.
 */
int pcibios_root_bridge_prepare(struct pci_host_bridge *bridge)
{
	struct pci_controller *hose = pci_bus_to_host(bridge->bus);

	bridge->pipeline_ops = &ppc_pci_pipeline_ops;
	bridge->segments = hose->segments;
	bridge->segments_count = hose->segments_count;
	bridge->probe_only = pci_has_flag(PCI_PROBE_ONLY);
	/* Device tree nodes, PEs and EEH know devices by them */
	bridge->fixed_busnr = true;

	if (ppc_md.pcibios_root_bridge_prepare)
		return ppc_md.pcibios_root_bridge_prepare(bridge);

	return 0;
}

/**
 * pcibios_enumerate_phb - enumerate a host bridge and what is below it
 * @hose: the host bridge; its &pci_controller.bus is NULL if it could not be
 *	scanned
 *
 * At boot the host bridge waits for all others, and is only scanned when this
 * returns.
 *
 * Context: process context, rescan/remove lock not held.
 */
void pcibios_enumerate_phb(struct pci_controller *hose)
{
	struct pci_batch batch;

	pci_lock_rescan_remove();
	pcibios_scan_phb(hose);
	if (!hose->bus) {
		pci_unlock_rescan_remove();
		return;
	}
	pci_batch_host(&batch, hose->bus);
	pci_unlock_rescan_remove();
	pci_batch_bind(&batch);
}

static int __init discover_phbs(void)
{
	pci_hold_take(&ppc_pci_phbs_hold);

	if (ppc_md.discover_phbs)
		ppc_md.discover_phbs();

	return 0;
}
core_initcall(discover_phbs);
