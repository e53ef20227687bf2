/* SPDX-License-Identifier: GPL-2.0 */
/*
 * PCI enumeration pipeline tests: emulated host bridges and functions
 *
 * A test builds a tree of functions below an emulated host bridge, which has a
 * PCI domain of its own, and lets the PCI core enumerate it.  Everything is
 * taken down when the test ends, whether it failed or not.  For that the PCI
 * core must be usable then: do not use KUNIT_ASSERT_*() and the like while
 * holding the rescan/remove lock.
 */
#ifndef _PCI_PIPELINE_EMUL_H
#define _PCI_PIPELINE_EMUL_H

#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/list.h>
#include <linux/notifier.h>
#include <linux/pci.h>
#include <linux/pci-pipeline.h>
#include <linux/sizes.h>
#include <linux/spinlock.h>

/* Of no vendor; fixups of the tests match it */
#define EMUL_VENDOR		0xe317

#define EMUL_DEVICE_ENDPOINT	0x0001
#define EMUL_DEVICE_PCI		0x0002
#define EMUL_DEVICE_PF		0x0003
#define EMUL_DEVICE_VF		0x0004
#define EMUL_DEVICE_PORT	0x0010
#define EMUL_DEVICE_BRIDGE	0x0011
#define EMUL_DEVICE_CARDBUS	0x0012

/* Where the windows appear on the bus */
#define EMUL_MEM_BUS_ADDRESS	0x80000000ULL
#define EMUL_PREF_BUS_ADDRESS	0x4000000000ULL
#define EMUL_IO_BUS_ADDRESS	0x1000ULL

/* Low bits of BARs */
#define EMUL_BAR_MEM		PCI_BASE_ADDRESS_SPACE_MEMORY
#define EMUL_BAR_MEM64		PCI_BASE_ADDRESS_MEM_TYPE_64
#define EMUL_BAR_PREF64		(PCI_BASE_ADDRESS_MEM_TYPE_64 | \
				 PCI_BASE_ADDRESS_MEM_PREFETCH)
#define EMUL_BAR_IO		PCI_BASE_ADDRESS_SPACE_IO

/**
 * struct emul_bar - a BAR
 * @size: number of bytes it decodes, a power of two; 0 if there is none
 * @flags: EMUL_BAR_*
 */
struct emul_bar {
	u64 size;
	u32 flags;
};

/**
 * struct emul_window - a range of addresses on the bus
 * @start: first address
 * @end: last address; less than @start if there is none
 */
struct emul_window {
	u64 start;
	u64 end;
};

/**
 * struct emul_windows - the windows of a bridge
 * @io: for I/O ports
 * @mem: for memory
 * @pref: for prefetchable memory
 */
struct emul_windows {
	struct emul_window io;
	struct emul_window mem;
	struct emul_window pref;
};

/**
 * struct emul_count - config accesses
 * @reads: number of reads
 * @writes: number of writes
 */
struct emul_count {
	unsigned int reads;
	unsigned int writes;
};

/**
 * struct emul_fn - an emulated function
 * @host: host bridge it is below
 * @node: in &emul_host.fns
 * @up: bridge it is below, NULL on the root bus
 * @below: functions on the secondary bus by devfn; NULL unless a bridge
 * @devfn: device and function number
 * @size: size of the config space
 * @link: the secondary bus is a PCIe link: there is device 0 only
 * @plugged: there is such a function; VFs are there if their PF is
 * @gone: it vanished, see emul_vanish_after()
 * @bar: BARs, by register; a 64-bit one is in its first register
 * @rom: size of the ROM
 * @cap_at: position for the next capability
 * @cap_link: where the position of the next capability goes
 * @ext_at: position for the next extended capability
 * @ext_link: extended capability to which the next one is linked
 * @exp: position of the PCI Express capability
 * @rebar: position of the Resizable BAR capability, which is about BAR 0
 * @sriov: position of the SR-IOV capability
 * @pf: PF of a VF
 * @vf: number of a VF, from 0
 * @vanish_after: accesses to it and what is below it until it vanishes
 * @rrs: Request Retry Status completions until config space is readable
 * @stays_on: its memory must be reachable whenever addresses change
 * @lives_on: bus where it must be found whenever bus numbers change; 0: any
 * @count: accesses to this function
 * @range: accesses to it by dword
 * @fixup: its EARLY fixup, may be NULL
 * @early: EARLY fixups that ran since it was plugged
 * @header: HEADER fixups that ran since it was plugged
 * @final: FINAL fixups that ran since it was plugged
 * @added: ADDED fixups that ran since it was plugged
 * @value: the config space
 * @reset: the config space after power-on
 * @rw: writable bits
 * @w1c: bits that are cleared by writing 1; all other bits are read-only
 */
struct emul_fn {
	struct emul_host	*host;
	struct list_head	node;
	struct emul_fn		*up;
	struct emul_fn		**below;
	unsigned int		devfn;
	unsigned int		size;
	bool			link;
	bool			plugged;
	bool			gone;
	struct emul_bar		bar[PCI_STD_NUM_BARS];
	u32			rom;
	unsigned int		cap_at;
	unsigned int		cap_link;
	unsigned int		ext_at;
	unsigned int		ext_link;
	unsigned int		exp;
	unsigned int		rebar;
	unsigned int		sriov;
	struct emul_fn		*pf;
	unsigned int		vf;
	int			vanish_after;
	unsigned int		rrs;
	bool			stays_on;
	unsigned int		lives_on;
	struct emul_count	count;
	struct emul_count	*range;
	void (*fixup)(struct emul_fn *fn, struct pci_dev *dev);
	unsigned int		early;
	unsigned int		header;
	unsigned int		final;
	unsigned int		added;
	u8			*value;
	u8			*reset;
	u8			*rw;
	u8			*w1c;
};

/**
 * struct emul_host - an emulated host bridge
 * @test: the test that made it
 * @bridge: what the PCI core knows of it
 * @sysdata: what the architecture wants to know of it
 * @domain: PCI domain
 * @busnr: number of the root bus
 * @last_busnr: highest bus number
 * @mem_size: size of the memory window; change it before emul_host_probe()
 * @pref_size: size of the prefetchable window
 * @io_size: size of the I/O window
 * @pipeline_ops: hooks to use, NULL for those of emul_arch_prepared()
 * @probe_only: firmware wants its configuration kept
 * @movable: BARs of devices in use can move
 * @windows: their resources exist
 * @mmio: what both memory windows are taken from
 * @io_space: what the I/O window is taken from
 * @mem: window of 32-bit memory
 * @pref: window of 64-bit prefetchable memory
 * @io: I/O window
 * @busn: bus numbers
 * @registered: the PCI core knows the root bus
 * @released: the PCI core has dropped its last reference
 * @lock: protects config spaces and counters; a leaf
 * @below: functions on the root bus by devfn
 * @fns: all functions
 * @count: accesses to any function of this host
 * @nobody: accesses that no function answered
 * @conflicts: accesses that two bridges claimed
 * @watch: look at all bus numbers whenever one changes
 * @watch_addresses: look at all addresses whenever a register changes them
 * @stray: times that numbers did not nest, overlapped, or missed @lives_on; that
 *	something that decodes could not be reached, or overlapped
 * @placed: writes that gave a BAR an address
 * @placed_noio: of these, by somebody whose memory does not wait for I/O
 * @splats: emul_splats() when it was made
 * @no_memory: allocations failed, a bridge may be without its bus
 */
struct emul_host {
	struct kunit		*test;
	struct pci_host_bridge	*bridge;
	void			*sysdata;
	int			domain;
	unsigned int		busnr;
	unsigned int		last_busnr;
	unsigned long		mem_size;
	unsigned long		pref_size;
	unsigned long		io_size;
	const struct pci_pipeline_ops *pipeline_ops;
	bool			probe_only;
	bool			movable;
	bool			windows;
	struct resource		*mmio;
	struct resource		io_space;
	struct resource		mem;
	struct resource		pref;
	struct resource		io;
	struct resource		busn;
	bool			registered;
	struct completion	released;
	raw_spinlock_t		lock;
	struct emul_fn		*below[256];
	struct list_head	fns;
	struct emul_count	count;
	struct emul_count	nobody;
	unsigned int		conflicts;
	bool			watch;
	bool			watch_addresses;
	unsigned int		stray;
	unsigned int		placed;
	unsigned int		placed_noio;
	unsigned int		splats;
	bool			no_memory;
};

/* emul_cfg.c: config space */
extern struct pci_ops emul_ops;
struct emul_fn *emul_route(struct emul_host *host, unsigned int busnr,
			   unsigned int devfn);
bool emul_present(const struct emul_fn *fn);
u32 emul_peek(const struct emul_fn *fn, unsigned int pos, unsigned int size);
void emul_poke(struct emul_fn *fn, unsigned int pos, unsigned int size,
	       u32 value);
void emul_set(struct emul_fn *fn, unsigned int pos, unsigned int size,
	      u32 value, u32 rw, u32 w1c);
void emul_reset(struct emul_fn *fn);
void emul_vanish_after(struct emul_fn *fn, unsigned int accesses);
void emul_unvanish(struct emul_fn *fn);
void emul_count_reset(struct emul_host *host);
struct emul_count emul_count_range(const struct emul_fn *fn,
				   unsigned int first, unsigned int last);

/* emul_fn.c: kinds of functions */
struct emul_fn *emul_add_fn(struct emul_host *host, struct emul_fn *up,
			    unsigned int devfn, unsigned int size);
unsigned int emul_add_cap(struct emul_fn *fn, u8 id, unsigned int len);
unsigned int emul_add_ext_cap(struct emul_fn *fn, u16 id, u8 version,
			      unsigned int len);
void emul_add_bar(struct emul_fn *fn, unsigned int bar, u64 size, u32 flags);
void emul_add_rom(struct emul_fn *fn, u32 size);
void emul_add_rebar(struct emul_fn *fn, u32 sizes);
void emul_add_sriov(struct emul_fn *fn, unsigned int vfs, u64 bar_size);
struct emul_fn *emul_add_endpoint(struct emul_host *host, struct emul_fn *up,
				  unsigned int devfn,
				  const struct emul_bar *bars,
				  unsigned int count);
struct emul_fn *emul_add_pci_device(struct emul_host *host, struct emul_fn *up,
				    unsigned int devfn,
				    const struct emul_bar *bars,
				    unsigned int count);
struct emul_fn *emul_add_port(struct emul_host *host, struct emul_fn *up,
			      unsigned int devfn, unsigned int type);
struct emul_fn *emul_add_pci_bridge(struct emul_host *host, struct emul_fn *up,
				    unsigned int devfn);
struct emul_fn *emul_add_cardbus(struct emul_host *host, struct emul_fn *up,
				 unsigned int devfn);
struct emul_fn *emul_add_switch(struct emul_host *host, struct emul_fn *up,
				unsigned int ports);
void emul_set_hotplug(struct emul_fn *port, u8 secondary, u8 subordinate);
void emul_set_payload(struct emul_fn *fn, unsigned int mpss);
void emul_set_bus_numbers(struct emul_fn *bridge, u8 primary, u8 secondary,
			  u8 subordinate);
void emul_leave_bar(struct emul_fn *fn, u64 at);
void emul_plug(struct emul_fn *fn);
void emul_unplug(struct emul_fn *fn);

/* emul.c: host bridges */
struct emul_host *emul_host_create(struct kunit *test);
void emul_host_prepare(struct emul_host *host);
int emul_host_scan(struct emul_host *host);
int emul_host_probe(struct emul_host *host);
void emul_host_segment(struct emul_host *host,
		       const struct pci_segments *segments, unsigned int count);
void emul_host_destroy(struct emul_host *host);
bool emul_is_emulated(const struct pci_dev *dev);
struct emul_host *emul_host_of(struct pci_bus *bus);
struct emul_fn *emul_fn_of(struct pci_dev *dev);
unsigned int emul_bus_number(const struct emul_fn *fn);
struct pci_dev *emul_get_dev(struct emul_fn *fn);
struct pci_bus *emul_bus_below(struct emul_fn *bridge);
int emul_enumerate(struct emul_fn *bridge, unsigned int flags);
void emul_remove(struct emul_fn *fn);
void emul_remove_below(struct emul_fn *bridge);
void emul_do(struct kunit *test, void (*action)(void *), void *ctx);

/* emul_watch.c: what must be true between two writes */
void emul_read_windows(const struct emul_fn *fn, struct emul_windows *w);
u64 emul_bar_address(const struct emul_fn *fn, unsigned int bar);
void emul_watch(struct emul_fn *fn, unsigned int pos);

/* emul_check.c: what must always be true */
unsigned int emul_check(struct emul_host *host, bool quiet);
void emul_check_sane(struct emul_host *host);

/*
 * emul_arch_*.c: what an architecture has of its own, &pci_bus.sysdata first; of
 * the others emul.c has a default
 */
const char *emul_arch_unsupported(void);
const char *emul_arch_without_vfs(void);
int emul_arch_init(struct emul_host *host);
void emul_arch_segment(struct emul_host *host);
void emul_arch_prepared(struct emul_host *host);

/* emul_log.c: what the pipeline and the kernel log said */
#define EMUL_EVENTS	8192

/**
 * struct emul_event - a stage as traced
 * @bus: number of the bus of the device
 * @devfn: device and function number
 * @stage: the stage
 * @result: 0 or a negative errno
 * @batch: number of the batch
 * @assigned: all resources of the device that have a size had an address
 * @final: FINAL fixups of the device that had run
 */
struct emul_event {
	u8		bus;
	u8		devfn;
	u8		stage;
	int		result;
	unsigned int	batch;
	bool		assigned;
	unsigned int	final;
};

/**
 * struct emul_log - stages of the devices below a host bridge, as traced
 * @host: the host bridge
 * @hook: called after each event, in the middle of enumeration
 * @ctx: its first argument
 * @lock: protects all below
 * @count: number of events
 * @event: the events
 */
struct emul_log {
	struct emul_host	*host;
	void (*hook)(void *ctx, struct pci_dev *dev, enum pci_stage stage,
		     int result);
	void			*ctx;
	raw_spinlock_t		lock;
	unsigned int		count;
	struct emul_event	event[EMUL_EVENTS];
};

struct emul_log *emul_log_start(struct emul_host *host);
void emul_log_clear(struct emul_log *log);
unsigned int emul_log_failures(struct emul_log *log);
bool emul_resources_assigned(struct pci_dev *dev);

/**
 * struct emul_grep - count lines in the kernel log
 * @text: what to look for
 * @count: records that contained it
 */
struct emul_grep {
	const char	*text;
	atomic_t	count;
};

void emul_grep_start(struct kunit *test, struct emul_grep *grep);
unsigned int emul_splats(void);

#endif /* _PCI_PIPELINE_EMUL_H */
