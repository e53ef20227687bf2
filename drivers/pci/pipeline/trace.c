// SPDX-License-Identifier: GPL-2.0
/*
 * PCI enumeration pipeline: trace events and the names they print
 */
#include <linux/pci.h>

#include "pipeline.h"

#define CREATE_TRACE_POINTS
#include "trace.h"

static const char * const pci_stage_names[] = {
	[PCI_STAGE_NONE]	= "unscan",
	[PCI_STAGE_SCAN]	= "scan",
	[PCI_STAGE_CLAIM]	= "claim",
	[PCI_STAGE_ASSIGN]	= "assign",
	[PCI_STAGE_CONFIGURE]	= "configure",
	[PCI_STAGE_FINAL]	= "final",
	[PCI_STAGE_ADD]		= "add",
	[PCI_STAGE_BIND]	= "bind",
};

/**
 * pci_stage_name - name of a stage, as in traces
 * @stage: the stage
 *
 * Return: the name.
 */
const char *pci_stage_name(enum pci_stage stage)
{
	return pci_stage_names[stage];
}
