// SPDX-License-Identifier: GPL-2.0
/*
 * PCI enumeration pipeline: finding devices
 *
 * A device is in the driver model from ADD on, and pci_get_device() and its
 * relatives find it from then on.  FINAL fixups, firmware tables that name
 * devices, and interrupt routing have to find it earlier: all devices are in
 * the tree below from SCAN until they are removed.
 *
 * The tree is ordered by domain, bus, device and function.  It needs no
 * memory of its own, so that neither a scan nor a lookup can fail for lack
 * of it, and a lookup takes time in the order of the logarithm of the number
 * of devices.
 */
#include <linux/device.h>
#include <linux/export.h>
#include <linux/mod_devicetable.h>
#include <linux/pci.h>
#include <linux/rbtree.h>
#include <linux/spinlock.h>

#include "../pci.h"
#include "pipeline.h"

/*
 * Protects the tree.  Taken inside every other lock of the PCI core but
 * pci_lock.  Lookups come from any context, interrupts are off for them.
 */
static DEFINE_SPINLOCK(pci_lookup_lock);
static struct rb_root pci_lookup_tree = RB_ROOT;

static u64 pci_lookup_make_key(int domain, unsigned int bus,
			       unsigned int devfn)
{
	return (u64)(u32)domain << 16 | PCI_DEVID(bus, devfn);
}

static struct pci_dev *pci_lookup_entry(struct rb_node *node)
{
	return rb_entry_safe(node, struct pci_dev, lookup_node);
}

static bool pci_lookup_less(struct rb_node *a, const struct rb_node *b)
{
	return rb_entry(a, struct pci_dev, lookup_node)->lookup_key <
	       rb_entry(b, struct pci_dev, lookup_node)->lookup_key;
}

/* The first device whose key is @key or above */
static struct rb_node *pci_lookup_from(u64 key)
{
	struct rb_node *node = pci_lookup_tree.rb_node, *found = NULL;

	while (node) {
		if (pci_lookup_entry(node)->lookup_key >= key) {
			found = node;
			node = node->rb_left;
		} else {
			node = node->rb_right;
		}
	}

	return found;
}

/**
 * pci_lookup_add - make a scanned device known to lookups
 * @dev: the device, initialized, its bus and devfn set
 *
 * Context: any; the rescan/remove lock keeps it apart from pci_lookup_del().
 */
void pci_lookup_add(struct pci_dev *dev)
{
	unsigned long flags;

	spin_lock_irqsave(&pci_lookup_lock, flags);
	if (!WARN_ON(!RB_EMPTY_NODE(&dev->lookup_node))) {
		/*
		 * The key outlives the bus's host bridge, which knows the
		 * domain: a walk may hold a device that is removed already.
		 */
		dev->lookup_key = pci_lookup_make_key(pci_domain_nr(dev->bus),
						      dev->bus->number,
						      dev->devfn);
		rb_add(&dev->lookup_node, &pci_lookup_tree, pci_lookup_less);
	}
	spin_unlock_irqrestore(&pci_lookup_lock, flags);
}

/**
 * pci_lookup_del - lookups do not find a device any more
 * @dev: the device; does nothing if it is not known
 *
 * Call it while the core still has its reference on @dev: what is in the tree
 * is alive, and a lookup may take a reference.
 *
 * Context: any.
 */
void pci_lookup_del(struct pci_dev *dev)
{
	unsigned long flags;

	spin_lock_irqsave(&pci_lookup_lock, flags);
	if (!RB_EMPTY_NODE(&dev->lookup_node)) {
		rb_erase(&dev->lookup_node, &pci_lookup_tree);
		RB_CLEAR_NODE(&dev->lookup_node);
	}
	spin_unlock_irqrestore(&pci_lookup_lock, flags);
}

/**
 * pci_lookup_slot - find a device by its address
 * @domain: PCI domain
 * @bus: bus number
 * @devfn: device and function number
 * @registered: only a device that is in the driver model
 *
 * Context: any.
 * Return: the device with a reference, or NULL.
 */
struct pci_dev *pci_lookup_slot(int domain, unsigned int bus,
				unsigned int devfn, bool registered)
{
	struct pci_dev *dev;
	unsigned long flags;
	u64 key;

	if (bus > 0xff || devfn > 0xff)
		return NULL;

	key = pci_lookup_make_key(domain, bus, devfn);

	spin_lock_irqsave(&pci_lookup_lock, flags);
	dev = pci_lookup_entry(pci_lookup_from(key));
	while (dev && dev->lookup_key == key && registered &&
	       !pci_dev_registered(dev))
		dev = pci_lookup_entry(rb_next(&dev->lookup_node));
	if (dev && dev->lookup_key != key)
		dev = NULL;
	pci_dev_get(dev);
	spin_unlock_irqrestore(&pci_lookup_lock, flags);

	return dev;
}

static struct pci_dev *pci_lookup_next(const struct pci_device_id *id,
				       struct pci_dev *from)
{
	struct pci_dev *dev;
	struct rb_node *node;
	unsigned long flags;

	spin_lock_irqsave(&pci_lookup_lock, flags);
	if (!from)
		node = rb_first(&pci_lookup_tree);
	else if (!RB_EMPTY_NODE(&from->lookup_node))
		node = rb_next(&from->lookup_node);
	else
		node = pci_lookup_from(from->lookup_key + 1);

	for (; node; node = rb_next(node)) {
		const struct pci_device_id dev_id =
			pci_id_from_device(pci_lookup_entry(node));

		if (pci_match_one_id(id, &dev_id))
			break;
	}
	dev = pci_dev_get(pci_lookup_entry(node));
	spin_unlock_irqrestore(&pci_lookup_lock, flags);

	pci_dev_put(from);
	return dev;
}

/**
 * pci_get_scanned_slot - find a scanned device by its address
 * @domain: PCI domain
 * @bus: bus number
 * @devfn: device and function number
 *
 * As pci_get_domain_bus_and_slot(), and finds devices that are not in the
 * driver model yet as well.
 *
 * Context: any.
 * Return: the device with a reference, or NULL.
 */
struct pci_dev *pci_get_scanned_slot(int domain, unsigned int bus,
				     unsigned int devfn)
{
	return pci_lookup_slot(domain, bus, devfn, false);
}
EXPORT_SYMBOL_GPL(pci_get_scanned_slot);

/**
 * pci_get_scanned_device - begin or continue searching for a scanned device
 * @vendor: vendor id to match, or %PCI_ANY_ID
 * @device: device id to match, or %PCI_ANY_ID
 * @from: previous device found, or NULL for a new search; its reference is
 *	dropped
 *
 * As pci_get_device(), and finds devices that are not in the driver model yet
 * as well.  The order is that of domain, bus, device and function.  @from may
 * have been removed meanwhile; the search goes on behind its place.
 *
 * Context: as pci_dev_put(); any if @from is NULL.
 * Return: the device with a reference, or NULL.
 */
struct pci_dev *pci_get_scanned_device(unsigned int vendor,
				       unsigned int device,
				       struct pci_dev *from)
{
	const struct pci_device_id id = {
		.vendor = vendor,
		.device = device,
		.subvendor = PCI_ANY_ID,
		.subdevice = PCI_ANY_ID,
	};

	return pci_lookup_next(&id, from);
}
EXPORT_SYMBOL_GPL(pci_get_scanned_device);

/**
 * pci_get_scanned_class - begin or continue searching for a scanned device by
 *	class
 * @class: class, subclass and programming interface to match
 * @from: previous device found, or NULL for a new search; its reference is
 *	dropped
 *
 * As pci_get_class(), and finds devices that are not in the driver model yet
 * as well; see pci_get_scanned_device().
 *
 * Context: as pci_dev_put(); any if @from is NULL.
 * Return: the device with a reference, or NULL.
 */
struct pci_dev *pci_get_scanned_class(unsigned int class, struct pci_dev *from)
{
	const struct pci_device_id id = {
		.vendor = PCI_ANY_ID,
		.device = PCI_ANY_ID,
		.subvendor = PCI_ANY_ID,
		.subdevice = PCI_ANY_ID,
		.class_mask = PCI_ANY_ID,
		.class = class,
	};

	return pci_lookup_next(&id, from);
}
EXPORT_SYMBOL_GPL(pci_get_scanned_class);

/**
 * pci_bus_is_below - is a bus another one or below it
 * @bus: the bus
 * @top: the other bus
 *
 * Context: rescan/remove lock held.
 * Return: true if it is.
 */
bool pci_bus_is_below(struct pci_bus *bus, struct pci_bus *top)
{
	for (; bus; bus = bus->parent)
		if (bus == top)
			return true;
	return false;
}
