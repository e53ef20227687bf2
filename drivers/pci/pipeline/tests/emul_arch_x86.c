// SPDX-License-Identifier: GPL-2.0
/*
 * PCI enumeration pipeline tests: host bridges on x86
 */
#include <linux/errno.h>
#include <linux/numa.h>
#include <linux/pci.h>
#include <linux/slab.h>

#include "emul.h"

/**
 * emul_arch_init - make &emul_host.sysdata
 * @host: the host bridge
 *
 * Return: 0 or a negative errno.
 */
int emul_arch_init(struct emul_host *host)
{
	struct pci_sysdata *sysdata;

	sysdata = kzalloc(sizeof(*sysdata), GFP_KERNEL);
	if (!sysdata)
		return -ENOMEM;

	sysdata->domain = host->domain;
	sysdata->node = NUMA_NO_NODE;
	host->sysdata = sysdata;
	return 0;
}
