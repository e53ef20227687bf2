// SPDX-License-Identifier: GPL-2.0
/*
 * PCI enumeration pipeline: ASSIGN, an address for everything
 */
#include <linux/pci.h>

#include "../pci.h"
#include "pipeline.h"

/**
 * pci_batch_assign - ASSIGN: find addresses for a batch
 * @batch: the batch
 *
 * A device that gets no address for a BAR stays, with one line in the log: it
 * may work without, and its driver decides.
 *
 * Context: process context, rescan/remove lock held.
 */
void pci_batch_assign(struct pci_batch *batch)
{
	bool fresh = batch->flags & PCI_BATCH_FRESH;
	const struct pci_pipeline_ops *ops;
	struct pci_report report = {};
	struct pci_host_bridge *host;
	struct pci_bus *bus;

	if (batch->kind == PCI_BATCH_COMPAT || batch->kind == PCI_BATCH_VF)
		goto done;

	list_for_each_entry(bus, &batch->buses, batch_node) {
		host = pci_find_host_bridge(bus);
		ops = host->pipeline_ops;
		if (ops && ops->assign)
			ops->assign(host, bus);
	}

	if (batch->flags & PCI_BATCH_ASSIGNED)
		goto assigned;

	pci_report_begin(&report, batch);
	list_for_each_entry(bus, &batch->buses, batch_node)
		if (!pci_find_host_bridge(bus)->probe_only)
			pci_assign_unassigned(bus, fresh);

	pci_report_end(&report);

assigned:
	list_for_each_entry(bus, &batch->buses, batch_node) {
		host = pci_find_host_bridge(bus);
		ops = host->pipeline_ops;
		if (ops && ops->assigned && pci_batch_first_of_host(batch, bus))
			ops->assigned(host);
	}

	pci_segments_verify(batch);

done:
	pci_batch_each(batch, PCI_STAGE_ASSIGN, NULL);
}
