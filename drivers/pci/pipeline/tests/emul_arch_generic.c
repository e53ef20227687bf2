// SPDX-License-Identifier: GPL-2.0
/*
 * PCI enumeration pipeline tests: host bridges on architectures that keep the
 * PCI domain in the bus
 */
#include <linux/acpi.h>
#include <linux/errno.h>
#include <linux/pci-ecam.h>
#include <linux/slab.h>

#include "emul.h"

/**
 * emul_arch_unsupported - can host bridges be emulated on this machine
 *
 * Return: NULL if so, or the reason why not.
 */
const char *emul_arch_unsupported(void)
{
	return NULL;
}

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

/**
 * emul_arch_exit - free &emul_host.sysdata
 * @host: the host bridge
 */
void emul_arch_exit(struct emul_host *host)
{
	kfree(host->sysdata);
	host->sysdata = NULL;
}
