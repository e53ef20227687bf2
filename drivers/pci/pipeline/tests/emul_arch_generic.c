// SPDX-License-Identifier: GPL-2.0
/*
 * PCI enumeration pipeline tests: host bridges on architectures that keep the
 * PCI domain in the bus
 */
#include <linux/acpi.h>
#include <linux/errno.h>
#include <linux/pci-ecam.h>
#include <linux/pci-pipeline.h>
#include <linux/slab.h>

#include "emul.h"

/**
 * emul_arch_init - make &emul_host.sysdata
 * @host: the host bridge
 *
 * With ACPI the architecture expects an ECAM window there; that its parent is
 * NULL means that there is no ACPI device.
 *
 * Return: 0 or a negative errno.
 */
int emul_arch_init(struct emul_host *host)
{
	struct pci_config_window *window;

	window = kzalloc(sizeof(*window), GFP_KERNEL);
	if (!window)
		return -ENOMEM;

	host->sysdata = window;
	return 0;
}

static void emul_claim(struct pci_host_bridge *bridge, struct pci_bus *bus)
{
	pci_bus_claim_resources(bus);
}

/* Batches after that are claimed as those of any other host bridge */
static void emul_claimed(struct pci_host_bridge *bridge)
{
	bridge->pipeline_ops = NULL;
}

static const struct pci_pipeline_ops emul_keep_ops = {
	.claim		= emul_claim,
	.claimed	= emul_claimed,
};

/**
 * emul_arch_prepared - the architecture has set its hooks
 * @host: the host bridge
 *
 * The architecture has none, and assigns everything anew unless firmware asks
 * for its addresses to be kept for good.  The tests expect that they are kept
 * at boot and may move later.
 */
void emul_arch_prepared(struct emul_host *host)
{
	host->bridge->pipeline_ops = &emul_keep_ops;
}
