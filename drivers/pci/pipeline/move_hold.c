// SPDX-License-Identifier: GPL-2.0
/*
 * PCI enumeration pipeline: which BARs of devices in use can move
 *
 * Without a driver, a device can as long as nobody has enabled it.  With one, it
 * takes the driver's word, see &struct pci_driver.  And some are known outside
 * of the driver model: firmware, interrupt code, consoles and framebuffers go by
 * addresses that nobody could tell them to change.
 */
#include <linux/cleanup.h>
#include <linux/console.h>
#include <linux/ioremap_move.h>
#include <linux/mm.h>
#include <linux/pci.h>
#include <linux/pm_runtime.h>
#include <linux/rcupdate.h>

#include "../pci.h"
#include "layout.h"
#include "pipeline.h"

#ifdef CONFIG_PCI_P2PDMA
static bool hold_p2pdma(const struct pci_dev *dev)
{
	return rcu_access_pointer(dev->p2pdma);
}
#else
static bool hold_p2pdma(const struct pci_dev *dev)
{
	return false;
}
#endif

/*
 * Early consoles use what they have found for themselves.  One that is kept has
 * lost CON_BOOT.
 */
static bool hold_early_console(void)
{
	bool early = false;
	struct console *con;
	int cookie;

	cookie = console_srcu_read_lock();
	for_each_console_srcu(con)
		early = early || console_srcu_read_flags(con) & CON_BOOT ||
			(IS_ENABLED(CONFIG_EARLY_PRINTK) && con == early_console);
	console_srcu_read_unlock(cookie);

	return early;
}

/* Some kinds of devices are used by more than their driver */
static const char *hold_class(const struct pci_dev *dev)
{
	switch (dev->class >> 16) {
	case PCI_BASE_CLASS_DISPLAY:
		return "it may be the framebuffer";
	case PCI_BASE_CLASS_COMMUNICATION:
		if (hold_early_console())
			return "it may be an early console";
		break;
	case PCI_BASE_CLASS_SYSTEM:
		return "it is part of the system";
	case PCI_BASE_CLASS_BRIDGE:
		if (!dev->subordinate &&
		    dev->hdr_type == PCI_HEADER_TYPE_NORMAL)
			return "firmware may use it";
		break;
	}

	switch (dev->class >> 8) {
	case PCI_CLASS_NOT_DEFINED:
		return "it has no class";
	case PCI_CLASS_NOT_DEFINED_VGA:
		return "it may be the framebuffer";
	case PCI_CLASS_SERIAL_SMBUS:
	case PCI_CLASS_SERIAL_IPMI:
		return "firmware may use it";
	case PCI_CLASS_COMMUNICATION_SERIAL:
		return "it may be a console";
	case PCI_CLASS_SERIAL_USB:
		if (hold_early_console())
			return "it may be an early console";
		break;
	}

	return NULL;
}

/* Is an error of the device or of a port above it being dealt with? */
static bool hold_in_recovery(struct pci_dev *dev)
{
	if (dev->error_state != pci_channel_io_normal)
		return true;
	for (; dev; dev = pci_upstream_bridge(dev))
		if (test_bit(PCI_DPC_RECOVERING, &dev->priv_flags))
			return true;

	return false;
}

/*
 * What is cut into segments has each of them given to an isolation domain, which
 * would have to be undone and done again with its devices stopped.
 */
static const char *hold_host(const struct pci_host_bridge *host)
{
	if (host->bars_movable)
		return host->preserve_config ?
		       "firmware wants all BARs to stay" : NULL;
	if (host->segments_count)
		return "its isolation domain stays where it is";

	return "nothing can move below this host bridge";
}

/* What keeps all BARs of a device, whatever its driver says */
static const char *hold_device(struct pci_dev *dev)
{
	const char *why = hold_host(pci_find_host_bridge(dev->bus));

	if (why)
		return why;
	if (dev->mmio_always_on || dev->non_compliant_bars)
		return "its BARs are not to be touched";
	if (pci_num_vf(dev))
		return "it has VFs";
	if (hold_p2pdma(dev))
		return "other devices use its memory";
	if (hold_in_recovery(dev))
		return "it recovers from an error";

	return dev->move_refused ?: hold_class(dev);
}

static const char *hold_without_driver(struct pci_dev *dev,
				       const struct resource *res)
{
	if (res->child)
		return "somebody has requested it";
	if (pci_is_enabled(dev))
		return "it is enabled without a driver";
	/* They can be told to use a device of any class */
	if (hold_early_console())
		return "it may be an early console";
	/* Then nobody knows what is mapped */
	if (res->flags & IORESOURCE_MEM && !ioremap_move_possible())
		return "mappings can't move on this machine";

	return NULL;
}

static const char *hold_with_driver(const struct pci_driver *drv,
				    const struct resource *res)
{
	bool asks = drv->bars_prepare && drv->bars_done;

	if (!drv->bars_movable && !asks)
		return "its driver takes no part";
	if (res->flags & IORESOURCE_IO)
		return asks ? NULL : "its driver takes no part with I/O ports";
	if (!drv->bars_movable)
		return NULL;
	if (!ioremap_move_possible())
		return "mappings can't move on this machine";
	/* Whose the rest of the page is can't be told from a mapping */
	if (!IS_ALIGNED(resource_size(res), PAGE_SIZE))
		return "it is less than a page";

	return NULL;
}

/**
 * pci_move_hold - can a BAR of a device in use move
 * @dev: the device, in the driver model
 * @idx: index of the BAR among its resources
 * @untrusted: it would be for an untrusted device
 * @why: output: why it can't, or NULL
 *
 * What takes longer to find out is looked at when the planner wants to move it,
 * see move.c: what is said here can be taken back then.
 *
 * Context: any.
 * Return: how firmly it stays where it is.
 */
enum pci_plan_hold pci_move_hold(struct pci_dev *dev, int idx, bool untrusted,
				 const char **why)
{
	const struct resource *res = &dev->resource[idx];
	const struct pci_driver *drv;

	/* A driver that is unbound meanwhile may be unloaded only after that */
	guard(rcu)();
	drv = READ_ONCE(dev->driver);

	if (!pci_moves_enabled)
		*why = "moving is switched off";
	else if (IS_ENABLED(CONFIG_PREEMPT_RT))
		*why = "nothing moves with PREEMPT_RT";
	else if (res->flags & IORESOURCE_PCI_FIXED)
		*why = "its address is fixed";
	else if (untrusted && !dev->untrusted)
		*why = "not for a device that is not trusted";
	else
		*why = hold_device(dev);
	if (!*why)
		*why = drv ? hold_with_driver(drv, res) :
			     hold_without_driver(dev, res);
	if (*why)
		return PCI_HOLD_PINNED;

	return drv ? PCI_HOLD_MOVABLE : PCI_HOLD_UNBOUND;
}

/**
 * pci_move_asleep - does a device have to wake up before it can move
 * @dev: the device
 *
 * What of its registers is restored when it wakes up, and when, is not known
 * here.
 *
 * Context: any.
 * Return: true if it does.
 */
bool pci_move_asleep(struct pci_dev *dev)
{
	return !pm_runtime_active(&dev->dev) ||
	       (dev->current_state != PCI_D0 &&
		dev->current_state != PCI_UNKNOWN);
}

/**
 * pci_move_asks - is there something to do before a device can move
 * @dev: the device, whose BARs can move
 *
 * Its driver is to be asked, or it has to wake up.
 *
 * Context: any.
 * Return: true if there is.
 */
bool pci_move_asks(struct pci_dev *dev)
{
	const struct pci_driver *drv;

	guard(rcu)();
	drv = READ_ONCE(dev->driver);

	return (drv && drv->bars_prepare) || pci_move_asleep(dev);
}
