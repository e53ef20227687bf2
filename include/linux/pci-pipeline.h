/* SPDX-License-Identifier: GPL-2.0 */
/*
 * PCI enumeration pipeline: stages, batches, holds and host bridge hooks
 */
#ifndef _LINUX_PCI_PIPELINE_H
#define _LINUX_PCI_PIPELINE_H

#include <linux/list.h>
#include <linux/types.h>

struct device;
struct pci_bus;
struct pci_dev;
struct pci_host_bridge;
struct resource;

/**
 * enum pci_stage - how far a device has come in enumeration
 * @PCI_STAGE_NONE: allocated, or taken back by an unscan
 * @PCI_STAGE_SCAN: config space read, EARLY and HEADER fixups run, bus
 *	numbers programmed, on &pci_bus.devices, not in the driver model
 * @PCI_STAGE_CLAIM: what firmware programmed and is worth keeping is in the
 *	resource tree
 * @PCI_STAGE_ASSIGN: every resource that can have an address has one, bridge
 *	windows are programmed
 * @PCI_STAGE_CONFIGURE: MPS and MRRS set, arch DMA, isolation and interrupt
 *	set-up done
 * @PCI_STAGE_FINAL: FINAL fixups run, once
 * @PCI_STAGE_ADD: in the driver model, sysfs and proc files complete
 * @PCI_STAGE_BIND: drivers may probe
 *
 * The stages are ordered: "@dev->stage >= PCI_STAGE_ADD" asks whether a
 * device is in the driver model.  Only drivers/pci/pipeline/stage.c changes
 * &pci_dev.stage.
 */
enum pci_stage {
	PCI_STAGE_NONE,
	PCI_STAGE_SCAN,
	PCI_STAGE_CLAIM,
	PCI_STAGE_ASSIGN,
	PCI_STAGE_CONFIGURE,
	PCI_STAGE_FINAL,
	PCI_STAGE_ADD,
	PCI_STAGE_BIND,
};

/**
 * enum pci_batch_kind - what brought a batch
 * @PCI_BATCH_BOOT: the host bridges that waited for the holds
 * @PCI_BATCH_HOST: one host bridge that appeared later
 * @PCI_BATCH_BUS: a bus that is rescanned
 * @PCI_BATCH_SLOT: a slot, or what is behind one bridge
 * @PCI_BATCH_VF: virtual functions of one device
 * @PCI_BATCH_COMPAT: a caller that scans and adds by itself
 */
enum pci_batch_kind {
	PCI_BATCH_BOOT,
	PCI_BATCH_HOST,
	PCI_BATCH_BUS,
	PCI_BATCH_SLOT,
	PCI_BATCH_VF,
	PCI_BATCH_COMPAT,
};

/*
 * The caller programs the resources of the devices by itself: CLAIM takes
 * what it finds into the resource tree, ASSIGN leaves the devices alone.
 */
#define PCI_BATCH_ASSIGNED	0x1

/*
 * Nothing below the bridge of the batch's bus was in use before: windows of
 * that bridge may be released and made anew.
 */
#define PCI_BATCH_FRESH		0x2

/**
 * struct pci_batch - all devices that one event brings
 * @id: number in traces, unique since boot
 * @kind: what brought the batch
 * @flags: PCI_BATCH_ASSIGNED, PCI_BATCH_FRESH
 * @buses: topmost buses of the batch, linked by &pci_bus.batch_node
 * @devices: the devices in scan order, linked by &pci_dev.batch_node; the
 *	batch owns a reference on each
 * @count: devices that reached ADD
 * @host: host bridge of the batch; NULL for the boot batch
 * @outer: batch within which this one was started
 *
 * Lives on the stack of the function that handles the event.  Protected by
 * the rescan/remove lock from pci_batch_start() to the end of
 * pci_batch_run(); @devices by a spinlock after that.
 */
struct pci_batch {
	unsigned int		id;
	enum pci_batch_kind	kind;
	unsigned int		flags;
	struct list_head	buses;
	struct list_head	devices;
	unsigned int		count;
	struct pci_host_bridge	*host;
	struct pci_batch	*outer;
};

/**
 * struct pci_segments - how a host bridge cuts a window to isolate errors
 * @window: the window of the host bridge; segments outside it are not used
 * @base: address of segment 0, a multiple of @size
 * @size: bytes in a segment, a power of two
 * @count: number of segments
 * @reserved: bitmap of segments that nothing gets, may be NULL
 * @numbered: segment n belongs to the isolation domain with number n, a domain
 *	with several segments has all their numbers; otherwise the host bridge
 *	can give any segment to any domain
 *
 * A bus is an isolation domain; what is below a PCIe to PCI bridge is one
 * together.  Each gets whole segments for its own use, on the root bus as well
 * as at the end of a hierarchy.
 */
struct pci_segments {
	const struct resource	*window;
	resource_size_t		base;
	resource_size_t		size;
	unsigned int		count;
	const unsigned long	*reserved;
	bool			numbered;
};

/**
 * struct pci_pipeline_ops - architecture and host bridge hooks of the stages
 * @claim: replaces the generic CLAIM of what is below @bus: puts into the
 *	resource tree what firmware programmed and is to be kept
 * @claimed: @claim has been called for every bus of the batch; reserve what
 *	ASSIGN must keep clear of
 * @assign: nothing holds ASSIGN back any more and nothing below @bus is
 *	assigned yet; claim what had to leave the choice to everybody else
 * @assigned: every device of the batch below this host bridge is assigned
 * @segment_taken: does number @n belong to an isolation domain that is not at
 *	or below @bus; asked in ASSIGN where segments are numbered
 * @map_segments: the BARs of the isolation domain whose topmost bus is @bus
 *	have addresses; give it the segments that they are in, also when it has
 *	some already.  Called right before @configure for the first new device
 *	of the domain, after @configure for the bridge that leads there; after
 *	an error the devices stay, @configure decides
 * @configure: per-device set-up that needs addresses and has to be ready for
 *	FINAL fixups and drivers (DMA, isolation domain, interrupt); an error
 *	refuses the device
 * @unconfigure: undo @configure for a device that never reached ADD
 * @address_written: a BAR of a device in use, or a window of a bridge in use, was
 *	written; for copies of config space that are put back after a reset.
 *	All CPUs may be stopped: neither sleeps nor allocates nor prints
 * @moved: BARs of devices in use below the host bridge have other addresses;
 *	for tables that are looked up by address.  Nobody can map a BAR or
 *	request its region meanwhile
 *
 * They are called with the rescan/remove lock held and may sleep.  A NULL
 * member means the generic behaviour.
 */
struct pci_pipeline_ops {
	void (*claim)(struct pci_host_bridge *bridge, struct pci_bus *bus);
	void (*claimed)(struct pci_host_bridge *bridge);
	void (*assign)(struct pci_host_bridge *bridge, struct pci_bus *bus);
	void (*assigned)(struct pci_host_bridge *bridge);
	bool (*segment_taken)(struct pci_host_bridge *bridge, unsigned int n,
			      struct pci_bus *bus);
	int (*map_segments)(struct pci_bus *bus);
	int (*configure)(struct pci_dev *dev);
	void (*unconfigure)(struct pci_dev *dev);
	void (*address_written)(struct pci_dev *dev, int where, int size,
				u32 val);
	void (*moved)(struct pci_host_bridge *bridge);
};

/**
 * struct pci_hold - a named reason for host bridges to wait
 * @name: what is waited for, as it appears in traces and messages
 * @before: the stage that the hold keeps back
 * @taken: the hold is taken
 * @node: in the list of the holds that were ever taken
 */
struct pci_hold {
	const char		*name;
	enum pci_stage		before;
	bool			taken;
	struct list_head	node;
};

/**
 * DEFINE_PCI_HOLD - define a hold
 * @var: name of the variable
 * @text: what is waited for
 * @stage: the stage that the hold keeps back: PCI_STAGE_CLAIM (more host
 *	bridges may come), PCI_STAGE_ASSIGN (addresses are still to be
 *	reserved) or PCI_STAGE_FINAL (something that fixups use is not ready)
 */
#define DEFINE_PCI_HOLD(var, text, stage)				\
	struct pci_hold var = {						\
		.name = text,						\
		.before = stage,					\
	}

/**
 * struct pci_added_work - call a function once the waiting host bridges are in
 * @func: the function; called in process context without PCI locks held
 * @node: private
 */
struct pci_added_work {
	void (*func)(struct pci_added_work *work);
	struct list_head node;
};

#ifdef CONFIG_PCI
void pci_hold_take(struct pci_hold *hold);
void pci_hold_release(struct pci_hold *hold);
bool pci_enumeration_pending(void);
bool pci_bus_pending(struct pci_bus *bus);
bool pci_host_is_new(const struct pci_host_bridge *host);
void pci_when_added(struct pci_added_work *work);

void pci_batch_start(struct pci_batch *batch, enum pci_batch_kind kind,
		     unsigned int flags, struct pci_bus *bus);
void pci_batch_add_bus(struct pci_batch *batch, struct pci_bus *bus);
void pci_batch_run(struct pci_batch *batch);
void pci_batch_host(struct pci_batch *batch, struct pci_bus *root);
void pci_batch_bind(struct pci_batch *batch);

int pci_scan_slot_bridges(struct pci_bus *bus, int devfn);
int pci_enumerate_slot(struct pci_bus *bus, int devfn, unsigned int flags);
unsigned int pci_rescan_bus_locked(struct pci_bus *bus);

void pci_caps_forget(struct pci_dev *dev);

void pci_rescan_remove_enter(bool *taken);
void pci_rescan_remove_exit(bool taken);
int pci_rescan_remove_enter_dev(struct pci_dev *dev, bool *taken);
void pci_rescan_remove_lock_device(struct pci_dev *dev);
bool pci_rescan_remove_held(void);
void pci_rescan_remove_assert_held(void);

struct pci_dev *pci_get_scanned_slot(int domain, unsigned int bus,
				     unsigned int devfn);
struct pci_dev *pci_get_scanned_device(unsigned int vendor,
				       unsigned int device,
				       struct pci_dev *from);
struct pci_dev *pci_get_scanned_class(unsigned int class, struct pci_dev *from);
#else
static inline void pci_hold_take(struct pci_hold *hold) { }
static inline void pci_hold_release(struct pci_hold *hold) { }
static inline bool pci_enumeration_pending(void) { return false; }
static inline bool pci_bus_pending(struct pci_bus *bus) { return false; }
static inline void pci_when_added(struct pci_added_work *work)
{
	work->func(work);
}

static inline struct pci_dev *
pci_get_scanned_slot(int domain, unsigned int bus, unsigned int devfn)
{
	return NULL;
}

static inline struct pci_dev *
pci_get_scanned_device(unsigned int vendor, unsigned int device,
		       struct pci_dev *from)
{
	return NULL;
}

static inline struct pci_dev *
pci_get_scanned_class(unsigned int class, struct pci_dev *from)
{
	return NULL;
}
#endif

/**
 * for_each_scanned_pci_dev - walk all scanned devices, also those that are
 *	not in the driver model yet
 * @d: loop variable, holds a reference; put it when leaving the loop early
 */
#define for_each_scanned_pci_dev(d) \
	for (; (d = pci_get_scanned_device(PCI_ANY_ID, PCI_ANY_ID, d));)

#endif /* _LINUX_PCI_PIPELINE_H */
