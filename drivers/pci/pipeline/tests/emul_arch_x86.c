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
 * emul_arch_unsupported - can host bridges be emulated on this machine
 *
 * Return: NULL if so, or the reason why not.
 */
const char *emul_arch_unsupported(void)
{
	return NULL;
}

/**
 * emul_arch_without_vfs - is there something in the way of VFs on this machine
 *
 * Return: NULL if not, or what it is.
 */
const char *emul_arch_without_vfs(void)
{
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
	struct pci_sysdata *sysdata;

	sysdata = kzalloc(sizeof(*sysdata), GFP_KERNEL);
	if (!sysdata)
		return -ENOMEM;

	sysdata->domain = host->domain;
	sysdata->node = NUMA_NO_NODE;
	host->sysdata = sysdata;
	return 0;
}

/**
 * emul_arch_segment - make &pci_host_bridge.segments known
 * @host: the host bridge
 */
void emul_arch_segment(struct emul_host *host)
{
}

/**
 * emul_arch_prepared - the architecture has set its hooks
 * @host: the host bridge
 *
 * What firmware has programmed is kept, as on every other host bridge.
 */
void emul_arch_prepared(struct emul_host *host)
{
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
