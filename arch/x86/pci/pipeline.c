// SPDX-License-Identifier: GPL-2.0
/*
 * PCI enumeration pipeline: hooks of x86 host bridges
 *
 * Handle resources of PCI devices.  If the world were perfect, we could
 * just allocate all the resource regions and do nothing more.  It isn't.
 * On the other hand, we cannot just re-allocate all devices, as it would
 * require us to know lots of host bridge internals.  So we attempt to
 * keep as much of the original configuration as possible, but tweak it
 * when it's found to be wrong.
 *
 * Known BIOS problems we have to work around:
 *	- I/O or memory regions not configured
 *	- regions configured, but not enabled in the command register
 *	- bogus I/O addresses above 64K used
 *	- expansion ROMs left enabled (this may sound harmless, but given
 *	  the fact the PCI specs explicitly allow address decoders to be
 *	  shared between expansion ROMs and other resource regions, it's
 *	  at least dangerous)
 *	- bad resource sizes or overlaps with other regions
 *
 * Our solution:
 *	(1) CLAIM the windows of all PCI-to-PCI bridges.  This gives us fixed
 *	    barriers on where we can allocate.
 *	(2) CLAIM the resources of all enabled devices.  If there is a
 *	    collision, just mark the resource as unallocated.  Also disable
 *	    expansion ROMs during this step.
 *	(3) Try to CLAIM the resources of disabled devices.  If the resources
 *	    were assigned correctly, everything goes well, if they weren't,
 *	    they won't disturb allocation of other resources.  ROMs have to
 *	    wait until everything else has reserved what it needs.
 *	(4) ASSIGN new addresses to resources which were either not configured
 *	    at all or misconfigured.  If explicitly requested by the user,
 *	    configure the expansion ROM address as well.
 *
 * Where a host bridge comes without a description of its windows, several of
 * them have all of the address space in common.  While host bridges wait to be
 * claimed together, each step is done for all of them before the next one is
 * done for any: step (1) in the claim hook, the others in the claimed hook.
 */
#include <linux/acpi.h>
#include <linux/ioport.h>
#include <linux/pci.h>
#include <linux/pci-acpi.h>
#include <linux/pci-pipeline.h>

#include <xen/xen.h>

#include <asm/pci_x86.h>

/* Has @dev still to pass @stage? */
static bool pcibios_is_new(struct pci_dev *dev, enum pci_stage stage)
{
	return dev->stage < stage;
}

static void pcibios_claim_windows(struct pci_dev *dev)
{
	struct resource *r;
	int idx;

	for (idx = PCI_BRIDGE_RESOURCES; idx < PCI_NUM_RESOURCES; idx++) {
		r = &dev->resource[idx];
		if (!r->flags || r->parent)
			continue;

		if (!r->start || pci_claim_bridge_resource(dev, idx) < 0) {
			/*
			 * Something is wrong with the region.
			 * Invalidate the resource to prevent
			 * child resource allocations in this
			 * range.
			 */
			r->start = 0;
			r->end = 0;
			r->flags = 0;
		}
	}
}

static void pcibios_claim_bus_windows(struct pci_bus *bus)
{
	struct pci_bus *child;

	/* Depth-First Search on bus tree */
	if (bus->self && pcibios_is_new(bus->self, PCI_STAGE_CLAIM))
		pcibios_claim_windows(bus->self);
	list_for_each_entry(child, &bus->children, node)
		pcibios_claim_bus_windows(child);
}

static void pcibios_claim_bar(struct pci_dev *dev, int idx)
{
	struct resource *r = &dev->resource[idx];

	if (pci_claim_resource(dev, idx) >= 0)
		return;

	if (r->flags & IORESOURCE_PCI_FIXED) {
		pci_info(dev, "BAR %d %pR is immovable\n", idx, r);
		return;
	}

	/* We'll assign a new address later */
	pcibios_save_fw_addr(dev, idx, r->start);
	r->end -= r->start;
	r->start = 0;
}

/* Turn the ROM off, leave the resource region, but keep it unregistered */
static void pcibios_disable_rom(struct pci_dev *dev)
{
	struct resource *r = &dev->resource[PCI_ROM_RESOURCE];
	u32 reg;

	if (!(r->flags & IORESOURCE_ROM_ENABLE))
		return;

	pci_dbg(dev, "disabling ROM %pR\n", r);
	r->flags &= ~IORESOURCE_ROM_ENABLE;
	pci_read_config_dword(dev, dev->rom_base_reg, &reg);
	pci_write_config_dword(dev, dev->rom_base_reg,
			       reg & ~PCI_ROM_ADDRESS_ENABLE);
}

static bool pcibios_is_bar(int idx)
{
#ifdef CONFIG_PCI_IOV
	if (idx >= PCI_IOV_RESOURCES && idx <= PCI_IOV_RESOURCE_END)
		return true;
#endif
	return idx <= PCI_STD_RESOURCE_END;
}

/* Those that are decoded by @dev if @enabled, the others if not */
static void pcibios_claim_bars(struct pci_dev *dev, bool enabled)
{
	bool command_read = false, decoded;
	struct resource *r;
	u16 command;
	int idx;

	pci_dev_for_each_resource(dev, r, idx) {
		if (!pcibios_is_bar(idx))
			continue;
		if (r->parent)	/* Already allocated */
			continue;
		if (!r->start)	/* Address not assigned at all */
			continue;

		if (!command_read)
			pci_read_config_word(dev, PCI_COMMAND, &command);
		command_read = true;

		if (r->flags & IORESOURCE_IO)
			decoded = command & PCI_COMMAND_IO;
		else
			decoded = command & PCI_COMMAND_MEMORY;
		if (decoded != enabled)
			continue;

		pci_dbg(dev, "BAR %d: reserving %pr (%s)\n", idx, r,
			enabled ? "enabled" : "disabled");
		pcibios_claim_bar(dev, idx);
	}

	if (enabled)
		pcibios_disable_rom(dev);
}

static void pcibios_claim_bus_bars(struct pci_bus *bus, bool enabled)
{
	struct pci_dev *dev;

	list_for_each_entry(dev, &bus->devices, bus_list) {
		if (pcibios_is_new(dev, PCI_STAGE_CLAIM))
			pcibios_claim_bars(dev, enabled);
		if (dev->subordinate)
			pcibios_claim_bus_bars(dev->subordinate, enabled);
	}
}

/*
 * Try to use BIOS settings for ROMs, otherwise let ASSIGN find the new
 * addresses.
 */
static void pcibios_claim_rom(struct pci_dev *dev)
{
	struct resource *r = &dev->resource[PCI_ROM_RESOURCE];

	if (!r->flags || !r->start)
		return;
	if (r->parent) /* Already allocated */
		return;

	if (pci_claim_resource(dev, PCI_ROM_RESOURCE) < 0) {
		r->end -= r->start;
		r->start = 0;
	}
}

static void pcibios_claim_bus_roms(struct pci_bus *bus)
{
	struct pci_dev *dev;

	list_for_each_entry(dev, &bus->devices, bus_list) {
		if (pcibios_is_new(dev, PCI_STAGE_ASSIGN))
			pcibios_claim_rom(dev);
		if (dev->subordinate)
			pcibios_claim_bus_roms(dev->subordinate);
	}
}

static void pcibios_claim(struct pci_host_bridge *bridge, struct pci_bus *bus)
{
	dev_dbg(&bus->dev, "Allocating resources\n");

	pcibios_claim_bus_windows(bus);
	if (bridge->waiting)
		return;

	pcibios_claim_bus_bars(bus, true);
	pcibios_claim_bus_bars(bus, false);
}

static void pcibios_claimed(struct pci_host_bridge *bridge)
{
	struct pci_host_bridge *other;
	struct pci_bus *bus;

	if (!bridge->waiting)
		return;

	/* What is claimed already is left alone */
	list_for_each_entry(bus, &pci_root_buses, node) {
		other = pci_find_host_bridge(bus);
		if (other->waiting &&
		    other->pipeline_ops == bridge->pipeline_ops)
			pcibios_claim_bus_bars(bus, true);
	}
	pcibios_claim_bus_bars(bridge->bus, false);
}

/* The e820 map, IOAPICs and motherboard resources are reserved by now */
static void pcibios_assign(struct pci_host_bridge *bridge, struct pci_bus *bus)
{
	if (!(pci_probe & PCI_ASSIGN_ROMS))
		pcibios_claim_bus_roms(bus);
}

static void pcibios_assigned(struct pci_host_bridge *bridge)
{
	pcibios_drop_fw_addr(bridge);

	/*
	 * IOAPICs have to wait for their BARs.  FINAL fixups enable devices,
	 * and with that their interrupts.
	 */
	if (pci_host_is_new(bridge) && ACPI_HANDLE(&bridge->dev))
		acpi_ioapic_add(ACPI_HANDLE(&bridge->dev));
}

static const struct pci_pipeline_ops pcibios_pipeline_ops = {
	.claim		= pcibios_claim,
	.claimed	= pcibios_claimed,
	.assign		= pcibios_assign,
	.assigned	= pcibios_assigned,
};

/**
 * pcibios_root_bridge_prepare - set up a host bridge before it is registered
 * @bridge: the host bridge
 *
 * Return: 0.
 */
int pcibios_root_bridge_prepare(struct pci_host_bridge *bridge)
{
	/*
	 * Host bridges from ACPI, PCI BIOS or a peer scan have no parent.
	 * One that has a parent belongs to a driver (VMD, Hyper-V, Xen's
	 * front end), which calls the core with a sysdata that is likely to
	 * be different from what we expect, and with resources that are not
	 * from the firmware.  Let it go in that case.
	 */
	if (bridge->dev.parent)
		return 0;

	bridge->pipeline_ops = &pcibios_pipeline_ops;
	/* The hypervisor knows some BARs, too */
	bridge->bars_movable = !xen_pv_domain();
#ifdef CONFIG_ACPI
	ACPI_COMPANION_SET(&bridge->dev,
			   to_pci_sysdata(bridge->bus)->companion);
#endif
	return 0;
}
