/* SPDX-License-Identifier: GPL-2.0 */
/* The PCI devices of a machine, as its log shows them */
#ifndef REPLAY_TOPO_H
#define REPLAY_TOPO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include <linux/types.h>

#include "log.h"
#include "scan.h"

enum topo_type {
	TOPO_IO,
	TOPO_MEM,
	TOPO_TYPES,
};

/* Resources of a function, in the order in which they are planned */
enum topo_index {
	TOPO_BAR	= 0,	/* to 5 */
	TOPO_BARS	= 6,
	TOPO_ROM	= TOPO_BARS,
	TOPO_VF		= 7,	/* to 12 */
	TOPO_WINDOW_IO	= TOPO_VF + TOPO_BARS,
	TOPO_WINDOW_MEM,
	TOPO_WINDOW_PREF,
	TOPO_RES,
};

/* What the kernel of the log made of a BAR or a window */
enum topo_fate {
	TOPO_SILENT,	/* it says no more than where it was found */
	TOPO_ASSIGNED,
	TOPO_MOVED,	/* from elsewhere, while in use */
	TOPO_UNCLAIMED,	/* where it was found will not do */
	TOPO_RELEASED,
	TOPO_FAILED,	/* no space */
};

enum topo_header {
	TOPO_UNKNOWN	= -1,
	TOPO_ENDPOINT	= 0,
	TOPO_BRIDGE	= 1,
	TOPO_CARDBUS	= 2,
};

#define TOPO_CLASS_NONE		0x0000
#define TOPO_CLASS_OLD_VGA	0x0001	/* from before there were classes */
#define TOPO_CLASS_HIDDEN	0x0580	/* what the chipset has for its parts */
#define TOPO_CLASS_HOST		0x0600
#define TOPO_CLASS_SERIAL	0x0700
#define TOPO_CLASS_PIC		0x0800
#define TOPO_CLASS_SMBUS	0x0c05
#define TOPO_CLASS_IPMI		0x0c07
#define TOPO_CLASS_UNKNOWN	0xffff

/**
 * struct topo_range - addresses as the CPU has them, or none
 * @start: first one
 * @end: last one
 * @has: there are any
 */
struct topo_range {
	u64	start;
	u64	end;
	bool	has;
};

/**
 * struct topo_res - a BAR or a window
 * @seen: the log has it
 * @fixed: it can't be anywhere else
 * @pref: prefetchable
 * @is64: 64 bits wide
 * @type: of its addresses
 * @size: of a BAR
 * @align: of a BAR if other than its size; for VFs, that of one
 * @first: where the firmware had it
 * @last: where the log leaves it
 * @fate: what was last said about it
 * @line: of the log that has it first
 * @told: line of the log that has @last
 */
struct topo_res {
	bool			seen;
	bool			fixed;
	bool			pref;
	bool			is64;
	enum topo_type		type;
	u64			size;
	u64			align;
	struct topo_range	first;
	struct topo_range	last;
	enum topo_fate		fate;
	unsigned int		line;
	unsigned int		told;
};

/**
 * struct topo_dev - a function
 * @at: where
 * @header: type of its header
 * @vendor: and
 * @device: what it is
 * @class: without the programming interface
 * @secondary: bus behind a bridge, 0 if none
 * @subordinate: last bus behind it
 * @transparent: a bridge that passes on what it has no window for
 * @hotplug: a bridge with a slot
 * @added: by HOTADD
 * @fresh: the windows that follow are all that are open
 * @pressed: line of the log from which on its slot is about to be switched off
 * @gone: line of the log from which on it is not there, or 0
 * @renumbered: its bus has got another number, in the change that is being read
 * @vfs: VFs that are switched on
 * @driver: name of it, or empty
 * @res: BARs and windows
 * @line: of the log that has it first
 * @found: line of the log that has its type last
 * @parent: bridge to the bus that it is on, or NULL
 * @host: index of the host bridge above it, -1 if none
 */
struct topo_dev {
	struct bdf		at;
	enum topo_header	header;
	unsigned int		vendor;
	unsigned int		device;
	unsigned int		class;
	unsigned int		secondary;
	unsigned int		subordinate;
	bool			transparent;
	bool			hotplug;
	bool			added;
	bool			fresh;
	unsigned int		pressed;
	unsigned int		gone;
	bool			renumbered;
	unsigned int		vfs;
	char			driver[24];
	struct topo_res		res[TOPO_RES];
	unsigned int		line;
	unsigned int		found;
	struct topo_dev		*parent;
	int			host;
};

/**
 * struct topo_window - addresses of a host bridge
 * @type: of the addresses
 * @pref: for what is prefetchable only
 * @is64: said to be for what can be above 4 GiB
 * @start: first, as the CPU has it
 * @end: last
 * @offset: from an address on the bus to that of the CPU
 */
struct topo_window {
	enum topo_type	type;
	bool		pref;
	bool		is64;
	u64		start;
	u64		end;
	u64		offset;
};

/**
 * struct topo_host - a host bridge
 * @domain: of its buses
 * @bus: root bus
 * @window: its addresses
 * @count: of @window
 * @line: of the log that has it first
 */
struct topo_host {
	unsigned int		domain;
	unsigned int		bus;
	struct topo_window	*window;
	unsigned int		count;
	unsigned int		line;
};

/**
 * struct topo_foreign - addresses that belong to something else
 * @type: of the addresses
 * @start: first
 * @end: last
 */
struct topo_foreign {
	enum topo_type	type;
	u64		start;
	u64		end;
};

/**
 * struct topo - a machine
 * @name: of the log
 * @dev: by domain, bus and function once topo_finish() has returned
 * @dev_count: of @dev
 * @host: by domain and bus
 * @host_count: of @host
 * @foreign: addresses in the way
 * @foreign_count: of @foreign
 * @mem_start: what the kernel leaves alone in a window that starts at 0
 * @only: bit per enum topo_type that is planned, or 0 for all
 * @removed: functions that are gone at the end of the log
 * @x86: it is one
 * @boots: how often the kernel starts in the log
 * @assumed_pref: bridges that never show a prefetchable window
 * @vf_unsized: BARs of VFs that the log has no size for
 * @cardbus: bridges to CardBus, whose windows are not planned
 * @drivers: what has no driver in the log has none
 * @hostless: the format shows no windows of host bridges
 * @assumed_hosts: host bridges with windows that are taken from what is in use
 */
struct topo {
	const char		*name;
	struct topo_dev		**dev;
	unsigned int		dev_count;
	struct topo_host	*host;
	unsigned int		host_count;
	struct topo_foreign	*foreign;
	unsigned int		foreign_count;
	u64			mem_start;
	unsigned int		only;
	unsigned int		removed;
	bool			x86;
	unsigned int		boots;
	unsigned int		assumed_pref;
	unsigned int		vf_unsized;
	unsigned int		cardbus;
	bool			drivers;
	bool			hostless;
	unsigned int		assumed_hosts;
};

/* A short text, passed by value so that nobody has to free it */
struct topo_label {
	char	text[64];
};

void topo_init(struct topo *topo, const char *name);
void topo_free(struct topo *topo);
struct topo_dev *topo_find(const struct topo *topo, const struct bdf *at);
struct topo_dev *topo_add(struct topo *topo, const struct bdf *at);
struct topo_dev *topo_get(struct topo *topo, const struct bdf *at);
struct topo_dev *topo_bridge_to(const struct topo *topo, unsigned int domain,
				unsigned int bus);
struct topo_host *topo_host(struct topo *topo, unsigned int domain, unsigned int bus);
int topo_add_window(struct topo_host *host, const struct topo_window *window);
int topo_add_foreign(struct topo *topo, enum topo_type type, u64 start, u64 end);
void topo_remove_bus(struct topo *topo, unsigned int domain, unsigned int bus,
		     unsigned int line);
void topo_restore(struct topo *topo, unsigned int line);
void topo_renumber(struct topo *topo, unsigned int domain, unsigned int from,
		   unsigned int to, unsigned int since);
void topo_renumbered(struct topo *topo);
int topo_replace(struct topo *topo);
void topo_forget(struct topo *topo);
void topo_restart(struct topo *topo);
int topo_finish(struct topo *topo, struct fail *fail);

const struct topo_window *topo_window_of(const struct topo_host *host,
					 enum topo_type type,
					 const struct topo_range *range);
u64 topo_offset(const struct topo_host *host, enum topo_type type,
		const struct topo_range *range);
bool topo_works(const struct topo_res *res);
bool topo_has(const struct topo *topo, const struct topo_dev *dev, int index);
bool topo_stays(const struct topo_dev *dev, int index);
struct topo_label topo_name(const struct bdf *at);
struct topo_label topo_res_name(const struct topo_dev *dev, int index);
struct topo_label topo_hex(u64 start, u64 end);
struct topo_label topo_text(enum topo_type type, const struct topo_range *range);

/* One of them for each format; 0, or -1 with what is wrong */
int dmesg_read(struct topo *topo, struct log *log, struct fail *fail);
int lspci_read(struct topo *topo, struct log *log, struct fail *fail);
int iomem_read(struct topo *topo, struct log *log, struct fail *fail);
int hotadd_parse(struct topo *topo, const char *text, struct fail *fail);
int root_parse(struct topo *topo, const char *text, struct fail *fail);

#endif /* REPLAY_TOPO_H */
