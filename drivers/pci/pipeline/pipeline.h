/* SPDX-License-Identifier: GPL-2.0 */
/*
 * PCI enumeration pipeline: what its files share
 */
#ifndef _PCI_PIPELINE_H
#define _PCI_PIPELINE_H

#include <linux/pci.h>
#include <linux/pci-pipeline.h>

/* Called from the rest of the core: scan.c, add.c, lookup.c, lock.c */
void pci_scan_done(struct pci_dev *dev);
void pci_unscan(struct pci_dev *dev);
int pci_bus_register(struct pci_bus *bus);
void pci_lookup_add(struct pci_dev *dev);
void pci_lookup_del(struct pci_dev *dev);
struct pci_dev *pci_lookup_slot(int domain, unsigned int bus,
				unsigned int devfn, bool registered);

/**
 * struct pci_awaited - whose device_lock() the rescan/remove lock waits for
 * @dev: the device, only compared
 * @leaving: @dev is being removed
 * @valid: this saves what was awaited before
 */
struct pci_awaited {
	struct pci_dev	*dev;
	bool		leaving;
	bool		valid;
};

/* lock.c */
void pci_stopping_begin(struct pci_dev *dev, struct pci_awaited *prev);
void pci_binding_begin(struct pci_dev *dev, struct pci_awaited *prev);
void pci_awaiting_end(const struct pci_awaited *prev);
int pci_lock_rescan_remove_attr(struct device *dev,
				struct device_attribute *attr,
				struct kernfs_node **kn);
void pci_put_rescan_remove_attr(struct kernfs_node *kn);

/* caps.c */
void pci_caps_begin(struct pci_dev *dev);
void pci_caps_begin_exp(struct pci_dev *dev);
struct pci_caps *pci_caps_pause(struct pci_dev *dev);
void pci_caps_resume(struct pci_dev *dev, struct pci_caps *caps);
void pci_caps_end(struct pci_dev *dev);
int pci_caps_find(struct pci_dev *dev, int cap);
int pci_caps_find_ext(struct pci_dev *dev, u16 start, int cap);
struct pci_caps *pci_caps_get(const struct pci_dev *dev);
bool pci_caps_read(const struct pci_caps *caps, int where, int size, u32 *val);
void pci_caps_remember(struct pci_caps *caps, int where, int size, u32 val);
void pci_caps_written(const struct pci_dev *dev, int where, int size);

/* stage.c */
void pci_stage_scanned(struct pci_dev *dev);
void pci_stage_done(struct pci_dev *dev, enum pci_stage stage);
void pci_stage_fail(struct pci_dev *dev, enum pci_stage stage, int error);
bool pci_stage_bind(struct pci_dev *dev);
void pci_stage_stop(struct pci_dev *dev);
void pci_stage_unscan(struct pci_dev *dev);
struct pci_dev *pci_stage_next_to_bind(struct pci_batch *batch);
void pci_stage_bind_later(struct pci_batch *batch, struct pci_batch *to);

/* trace.c */
const char *pci_stage_name(enum pci_stage stage);

/* lookup.c */
bool pci_bus_is_below(struct pci_bus *bus, struct pci_bus *top);

/* run.c */
unsigned int pci_batch_new_id(void);
void pci_batch_init(struct pci_batch *batch, enum pci_batch_kind kind,
		    unsigned int flags);
void pci_batch_collect(struct pci_batch *batch, struct pci_bus *bus);
void pci_batch_pass(struct pci_batch *batch, enum pci_stage stage);
void pci_batch_run_device(struct pci_batch *batch, struct pci_dev *dev);
void pci_batch_each(struct pci_batch *batch, enum pci_stage stage,
		    int (*step)(struct pci_batch *batch, struct pci_dev *dev));

/* busn.c */
void pci_batch_number(struct pci_batch *batch, struct pci_bus *bus);

/* rescan.c */
void pci_rescan_all(void);

/* claim.c */
bool pci_batch_first_of_host(struct pci_batch *batch, struct pci_bus *bus);

/* claim.c, assign.c, configure.c, final.c, add.c: one pass each */
void pci_batch_claim(struct pci_batch *batch);
void pci_batch_assign(struct pci_batch *batch);
void pci_batch_configure(struct pci_batch *batch);
void pci_batch_final(struct pci_batch *batch);
void pci_batch_add(struct pci_batch *batch);

/* layout.c */
#define PCI_LAYOUT_ALL		BIT(0)	/* everything is to get a place */
#define PCI_LAYOUT_KEEP_BARS	BIT(1)	/* BARs that CLAIM found stay */
#define PCI_LAYOUT_KEEP_WINDOWS	BIT(2)	/* so do windows */
#define PCI_LAYOUT_REQUIRED	BIT(3)	/* what is optional does not count */
#define PCI_LAYOUT_MOVE		BIT(4)	/* what is in use may move */
#define PCI_LAYOUT_STAY		BIT(5)	/* what is in use stays, empty windows too */
#define PCI_LAYOUT_BOOT		BIT(6)	/* nothing is in use */
#define PCI_LAYOUT_RELAX	BIT(7)	/* windows stay if that is enough */

int pci_layout_assign(struct pci_bus *bus, unsigned int flags,
		      unsigned int tries);
int pci_layout_assign_device(struct pci_dev *dev, unsigned long type);

/* move_plan.c */
bool pci_move_make_room(struct pci_bus *bus);

/* debugfs.c */
#ifdef CONFIG_DEBUG_FS
void pci_plan_forget(struct pci_bus *root);
#else
static inline void pci_plan_forget(struct pci_bus *root)
{
}
#endif

/* report.c */

/**
 * struct pci_want - a BAR that asks for an address
 * @dev: whose it is
 * @idx: which one
 * @flags: its flags; a BAR that got none has lost them
 * @size: its size
 */
struct pci_want {
	struct pci_dev	*dev;
	int		idx;
	unsigned long	flags;
	resource_size_t	size;
};

/**
 * struct pci_report - the BARs of a batch that ask for an address
 * @want: the BARs, NULL if there was no memory
 * @count: of @want
 */
struct pci_report {
	struct pci_want	*want;
	unsigned int	count;
};

void pci_report_begin(struct pci_report *report, struct pci_batch *batch);
void pci_report_end(struct pci_report *report);

/* segment.c */
int pci_segments_valid(struct pci_host_bridge *host);
struct pci_bus *pci_isolation_domain(struct pci_bus *bus);
resource_size_t pci_segment_alignment(struct pci_bus *bus, unsigned long flags);
resource_size_t pci_segment_align(struct pci_dev *dev, int idx,
				  const struct resource *avail,
				  resource_size_t start, resource_size_t size,
				  resource_size_t align);
bool pci_segment_closed(const struct pci_segments *s, unsigned int n,
			struct pci_bus *bus);
bool pci_segments_closed(struct pci_bus *bus, unsigned long flags);
bool pci_segment_allows(struct pci_dev *dev, int idx);
void pci_segments_spread(struct pci_host_bridge *host);
void pci_segments_report(struct pci_bus *domain, unsigned long flags,
			 resource_size_t size);
void pci_segments_map(struct pci_batch *batch, struct pci_dev *dev);
int pci_segments_check(struct pci_host_bridge *host);
void pci_segments_verify(struct pci_batch *batch);

/* boot.c */
bool pci_holds_taken(void);
unsigned int pci_boot_batch_id(void);
int pci_holds_forgotten(void);

#endif /* _PCI_PIPELINE_H */
