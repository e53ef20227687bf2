// SPDX-License-Identifier: GPL-2.0
/*
 * PCI enumeration pipeline tests: host bridges on powerpc
 *
 * They have the hooks of all host bridges there (pci-pipeline.c), and no device
 * tree node: no isolation domain, no interrupt, no EEH.
 */
#include <linux/errno.h>
#include <linux/io.h>
#include <linux/numa.h>
#include <linux/pci.h>
#include <linux/slab.h>

#include <asm/machdep.h>
#include <asm/pci-bridge.h>
#include <asm/ppc-pci.h>

#include "emul.h"

/**
 * emul_arch_unsupported - can host bridges be emulated on this machine
 *
 * Return: NULL if so, or the reason why not.
 */
const char *emul_arch_unsupported(void)
{
	if (machine_is(powernv))
		return "powernv has data of its own for each host bridge";
	if (pci_has_flag(PCI_PROBE_ONLY))
		return "nothing is assigned on this machine";

	return NULL;
}

/**
 * emul_arch_without_vfs - is there something in the way of VFs on this machine
 *
 * Return: NULL if not, or what it is.
 */
const char *emul_arch_without_vfs(void)
{
	if (ppc_md.pcibios_sriov_enable)
		return "VFs need a device tree node on this machine";

	return NULL;
}

/**
 * emul_arch_init - make &emul_host.sysdata
 * @host: the host bridge
 *
 * Return: 0 or a negative errno.
 */
int emul_arch_init(struct emul_host *host)
{
	struct pci_controller *hose;

	hose = kzalloc(sizeof(*hose), GFP_KERNEL);
	if (!hose)
		return -ENOMEM;

	hose->node = NUMA_NO_NODE;
	hose->global_number = host->domain;
	hose->first_busno = host->busnr;
	hose->last_busno = host->last_busnr;
	hose->ops = &emul_ops;
	/* Port numbers on the bus are those of the I/O window */
	hose->io_base_virt = (void __iomem *)_IO_BASE;
	host->sysdata = hose;

	return 0;
}

/**
 * emul_arch_segment - make &pci_host_bridge.segments known
 * @host: the host bridge
 */
void emul_arch_segment(struct emul_host *host)
{
	struct pci_controller *hose = host->sysdata;

	hose->segments = host->bridge->segments;
	hose->segments_count = host->bridge->segments_count;
}

/**
 * emul_arch_prepared - the architecture has set its hooks
 * @host: the host bridge
 *
 * Nothing knows the devices by their bus numbers.
 */
void emul_arch_prepared(struct emul_host *host)
{
	host->bridge->fixed_busnr = false;
}
