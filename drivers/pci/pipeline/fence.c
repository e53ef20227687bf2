// SPDX-License-Identifier: GPL-2.0
/*
 * PCI enumeration pipeline: BARs stay where they are
 *
 * A BAR may move to another address while the driver of its device runs.
 * Mappings and regions that exist move along.  What must not happen is that
 * somebody reads where a BAR is, and maps or requests that address when the BAR
 * is somewhere else.  Whoever does both is a reader of the semaphore below from
 * the one to the other, and whoever moves BARs has it for writing.
 *
 * The core functions that drivers call are readers.  A driver that calls
 * ioremap(pci_resource_start()) itself does so in its probe(), under the
 * device_lock() that keeps the BARs of the device in place as well, or
 * promises to have nothing to do with their addresses later on.
 *
 * The semaphore nests in all locks that somebody may hold who maps or requests
 * a BAR, such as device_lock(), pci_bus_sem, the mmap_lock and the lock of
 * the MSI descriptors.  In it nest the locks of the resource tree, of vmalloc
 * and of mm (i_mmap_rwsem), and that of config space.  A writer takes
 * cpus_read_lock() before, as it is going to stop all CPUs, so a reader must
 * not take that.
 *
 * A reader must not become a reader again: it would wait for a writer that
 * waits for it.
 */
#include <linux/percpu-rwsem.h>

#include "../pci.h"

DEFINE_PERCPU_RWSEM(pci_move_rwsem);

/**
 * pci_move_read_lock - keep all BARs and bridge windows where they are
 *
 * For as long as it takes to read the address of a BAR and to map or request
 * it: nothing moves before pci_move_read_unlock().  May sleep.  Does not nest.
 *
 * A caller that allocates memory uses guard(pci_move_read) instead: reclaim
 * must not wait for a block device whose driver, to get it going again, has to
 * map a BAR behind a writer that waits for the caller.
 */
void pci_move_read_lock(void)
{
	percpu_down_read(&pci_move_rwsem);
}

/**
 * pci_move_read_unlock - let BARs and bridge windows move
 *
 * Ends what pci_move_read_lock() began.
 */
void pci_move_read_unlock(void)
{
	percpu_up_read(&pci_move_rwsem);
}
