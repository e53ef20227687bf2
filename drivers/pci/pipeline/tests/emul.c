// SPDX-License-Identifier: GPL-2.0
/*
 * PCI enumeration pipeline tests: emulated host bridges
 *
 * An emulated host bridge has a PCI domain of its own, memory windows in a
 * free part of the physical address space, and an I/O window in a port space
 * of its own.  Bus addresses differ from physical ones.
 *
 * What proves that nothing leaks: each device holds its bus, each bus its
 * bridge, so the release of the host bridge shows that all references within
 * its hierarchy are gone; and its windows have to be empty then.
 */
#include <linux/atomic.h>
#include <linux/compiler.h>
#include <linux/err.h>
#include <linux/ioport.h>
#include <linux/pci.h>
#include <linux/slab.h>

#include "emul.h"

/* Above what real machines use; VMD begins at 0x10000 */
#define EMUL_FIRST_DOMAIN	0xa000

static atomic_t emul_domains = ATOMIC_INIT(EMUL_FIRST_DOMAIN);

/**
 * emul_do - run something when the test ends
 * @test: the test
 * @action: the function
 * @ctx: its argument
 *
 * The last one added runs first.
 */
void emul_do(struct kunit *test, void (*action)(void *), void *ctx)
{
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, action, ctx), 0);
}

/**
 * emul_arch_unsupported - can host bridges be emulated on this machine
 *
 * Return: NULL if so, or the reason why not.
 */
const char * __weak emul_arch_unsupported(void)
{
	return NULL;
}

/**
 * emul_arch_without_vfs - is there something in the way of VFs on this machine
 *
 * Return: NULL if not, or what it is.
 */
const char * __weak emul_arch_without_vfs(void)
{
	return NULL;
}

/**
 * emul_arch_segment - make &pci_host_bridge.segments known
 * @host: the host bridge
 */
void __weak emul_arch_segment(struct emul_host *host)
{
}

/**
 * emul_arch_prepared - the architecture has set its hooks
 * @host: the host bridge
 *
 * By default what firmware has programmed is kept, as on every other host
 * bridge.
 */
void __weak emul_arch_prepared(struct emul_host *host)
{
}

/* What emul_arch_init() has made */
static void emul_free_sysdata(struct emul_host *host)
{
	kfree(host->sysdata);
	host->sysdata = NULL;
}

/**
 * emul_is_emulated - is a device below an emulated host bridge
 * @dev: the device
 *
 * Return: true if it is.
 */
bool emul_is_emulated(const struct pci_dev *dev)
{
	return dev->bus->ops == &emul_ops;
}

/**
 * emul_host_of - find the emulated host bridge of a bus
 * @bus: a bus for which emul_ops are used
 *
 * Return: the host bridge.
 */
struct emul_host *emul_host_of(struct pci_bus *bus)
{
	return *(struct emul_host **)
		pci_host_bridge_priv(pci_find_host_bridge(bus));
}

/**
 * emul_fn_of - find the emulated function of a device
 * @dev: a device for which emul_is_emulated() is true
 *
 * Return: the function, NULL if it is not there any more.
 */
struct emul_fn *emul_fn_of(struct pci_dev *dev)
{
	struct emul_host *host = emul_host_of(dev->bus);
	struct emul_fn *fn;
	unsigned long flags;

	raw_spin_lock_irqsave(&host->lock, flags);
	fn = emul_route(host, dev->bus->number, dev->devfn);
	raw_spin_unlock_irqrestore(&host->lock, flags);

	return fn;
}

static void emul_fixup_early(struct pci_dev *dev)
{
	struct emul_fn *fn = emul_is_emulated(dev) ? emul_fn_of(dev) : NULL;

	if (!fn)
		return;

	fn->early++;
	if (fn->fixup)
		fn->fixup(fn, dev);
}
DECLARE_PCI_FIXUP_EARLY(EMUL_VENDOR, PCI_ANY_ID, emul_fixup_early);

static void emul_fixup_header(struct pci_dev *dev)
{
	struct emul_fn *fn = emul_is_emulated(dev) ? emul_fn_of(dev) : NULL;

	if (fn)
		fn->header++;
}
DECLARE_PCI_FIXUP_HEADER(EMUL_VENDOR, PCI_ANY_ID, emul_fixup_header);

static void emul_fixup_final(struct pci_dev *dev)
{
	struct emul_fn *fn = emul_is_emulated(dev) ? emul_fn_of(dev) : NULL;

	if (fn)
		fn->final++;
}
DECLARE_PCI_FIXUP_FINAL(EMUL_VENDOR, PCI_ANY_ID, emul_fixup_final);

static void emul_fixup_added(struct pci_dev *dev)
{
	struct emul_fn *fn = emul_is_emulated(dev) ? emul_fn_of(dev) : NULL;

	if (fn)
		fn->added++;
}
DECLARE_PCI_FIXUP_ADDED(EMUL_VENDOR, PCI_ANY_ID, emul_fixup_added);

static void emul_host_released(struct pci_host_bridge *bridge)
{
	struct emul_host *host = bridge->release_data;

	complete(&host->released);
}

static void emul_free(struct emul_host *host)
{
	struct emul_fn *fn, *next;

	list_for_each_entry_safe(fn, next, &host->fns, node) {
		kfree(fn->below);
		kvfree(fn);
	}

	if (host->mmio) {
		remove_resource(host->mmio);
		kfree(host->mmio);
	}
	kfree(host);
}

static void emul_expect_empty(struct emul_host *host,
			      const struct resource *window)
{
	if (window->child)
		KUNIT_FAIL(host->test, "left behind: %pR in %pR\n",
			   window->child, window);
}

static void emul_release_windows(struct emul_host *host)
{
	if (!host->windows)
		return;

	emul_expect_empty(host, &host->mem);
	emul_expect_empty(host, &host->pref);
	emul_expect_empty(host, &host->io);
	release_resource(&host->mem);
	release_resource(&host->pref);
	release_resource(&host->io);
	host->windows = false;
}

/**
 * emul_host_destroy - remove a host bridge and everything below it
 * @host: the host bridge; usable again after emul_host_probe()
 *
 * Fails the test if something that belongs to it stays behind.
 */
void emul_host_destroy(struct emul_host *host)
{
	if (!host->bridge)
		return;

	pci_lock_rescan_remove();
	if (host->registered) {
		pci_stop_root_bus(host->bridge->bus);
		pci_remove_root_bus(host->bridge->bus);
	}
	pci_unlock_rescan_remove();

	emul_release_windows(host);
	pci_free_host_bridge(host->bridge);
	host->bridge = NULL;
	host->registered = false;

	if (!wait_for_completion_timeout(&host->released, 10 * HZ))
		KUNIT_FAIL(host->test, "domain %04x: references leaked\n",
			   host->domain);
	else
		emul_free_sysdata(host);
}

static void emul_host_action(void *data)
{
	struct emul_host *host = data;
	bool leaked;

	emul_host_destroy(host);
	if (emul_splats() != host->splats)
		KUNIT_FAIL(host->test, "the kernel warned, see the log\n");

	/* What holds a reference would use what is freed here */
	leaked = host->sysdata;
	if (!leaked)
		emul_free(host);
}

static void emul_reassign_buses(void *data)
{
	pci_add_flags(PCI_REASSIGN_ALL_BUS);
}

/**
 * emul_host_create - build a host bridge with nothing below it
 * @test: the test, at whose end it is removed
 *
 * Return: the host bridge, not known to the PCI core.
 */
struct emul_host *emul_host_create(struct kunit *test)
{
	const char *reason = emul_arch_unsupported();
	struct emul_host *host;

	if (reason)
		kunit_skip(test, "%s", reason);

	/* A host bridge of the machine may have wanted that, for all of them */
	if (pci_has_flag(PCI_REASSIGN_ALL_BUS)) {
		pci_clear_flags(PCI_REASSIGN_ALL_BUS);
		emul_do(test, emul_reassign_buses, NULL);
	}

	host = kzalloc(sizeof(*host), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, host);
	host->test = test;
	host->last_busnr = 0xff;
	host->mem_size = SZ_256M;
	host->pref_size = SZ_1G;
	host->io_size = 0xf000;
	INIT_LIST_HEAD(&host->fns);
	raw_spin_lock_init(&host->lock);
	init_completion(&host->released);
	host->splats = emul_splats();
	emul_do(test, emul_host_action, host);

	return host;
}

static int emul_make_window(struct resource *parent, struct resource *res,
			    const char *name, resource_size_t start,
			    resource_size_t size, unsigned long flags)
{
	*res = (struct resource) {
		.name	= name,
		.start	= start,
		.end	= start + size - 1,
		.flags	= flags,
	};

	return request_resource(parent, res);
}

static void emul_make_windows(struct emul_host *host)
{
	unsigned long total = host->pref_size + host->mem_size;
	struct kunit *test = host->test;
	int ret;

	if (!host->mmio) {
		host->mmio = alloc_free_mem_region(&iomem_resource, total,
						   roundup_pow_of_two(total),
						   "emulated PCI");
		if (IS_ERR(host->mmio))
			host->mmio = NULL;
		KUNIT_ASSERT_NOT_NULL(test, host->mmio);
	}

	host->io_space = (struct resource) {
		.name	= "emulated PCI",
		.end	= 0xffffff,
		.flags	= IORESOURCE_IO,
	};
	ret = emul_make_window(host->mmio, &host->pref, "emulated PCI pref",
			       host->mmio->start, host->pref_size,
			       IORESOURCE_MEM | IORESOURCE_PREFETCH |
			       IORESOURCE_MEM_64);
	ret |= emul_make_window(host->mmio, &host->mem, "emulated PCI mem",
				host->mmio->start + host->pref_size,
				host->mem_size, IORESOURCE_MEM);
	ret |= emul_make_window(&host->io_space, &host->io, "emulated PCI io",
				EMUL_IO_BUS_ADDRESS, host->io_size,
				IORESOURCE_IO);
	host->windows = true;
	KUNIT_ASSERT_EQ(test, ret, 0);
}

/* An architecture may want to know of the release of its host bridges itself */
static void emul_host_keep_release(struct emul_host *host)
{
	pci_set_host_bridge_release(host->bridge, emul_host_released, host);
}

/**
 * emul_host_prepare - make what the PCI core wants for a host bridge
 * @host: the host bridge
 *
 * emul_host_probe() and emul_host_scan() do that as well.  For tests in which
 * these must not allocate memory of their own.
 */
void emul_host_prepare(struct emul_host *host)
{
	struct kunit *test = host->test;
	struct pci_host_bridge *bridge;

	if (host->bridge)
		return;

	emul_make_windows(host);

	host->domain = atomic_inc_return(&emul_domains);
	KUNIT_ASSERT_EQ(test, emul_arch_init(host), 0);

	bridge = pci_alloc_host_bridge(sizeof(host));
	if (!bridge)
		emul_free_sysdata(host);
	KUNIT_ASSERT_NOT_NULL(test, bridge);

	*(struct emul_host **)pci_host_bridge_priv(bridge) = host;
	host->bridge = bridge;
	reinit_completion(&host->released);
	emul_host_keep_release(host);
	bridge->sysdata = host->sysdata;
	bridge->ops = &emul_ops;
	bridge->busnr = host->busnr;
	bridge->domain_nr = host->domain;

	host->busn = (struct resource) {
		.name	= "emulated PCI buses",
		.start	= host->busnr,
		.end	= host->last_busnr,
		.flags	= IORESOURCE_BUS,
	};
	pci_add_resource(&bridge->windows, &host->busn);
	pci_add_resource(&bridge->windows, &host->io);
	pci_add_resource_offset(&bridge->windows, &host->mem,
				host->mem.start - EMUL_MEM_BUS_ADDRESS);
	pci_add_resource_offset(&bridge->windows, &host->pref,
				host->pref.start - EMUL_PREF_BUS_ADDRESS);
}

/**
 * emul_host_scan - let the PCI core scan a host bridge, and no more
 * @host: the host bridge
 *
 * Return: 0 or a negative errno.
 */
int emul_host_scan(struct emul_host *host)
{
	int ret;

	emul_host_prepare(host);
	pci_lock_rescan_remove();
	ret = pci_scan_root_bus_bridge(host->bridge);
	pci_unlock_rescan_remove();
	emul_host_keep_release(host);
	host->registered = !ret;

	return ret;
}

/**
 * emul_host_probe - let the PCI core enumerate a host bridge
 * @host: the host bridge
 *
 * Return: 0 or a negative errno.
 */
int emul_host_probe(struct emul_host *host)
{
	int ret;

	emul_host_prepare(host);
	ret = pci_host_probe(host->bridge);
	emul_host_keep_release(host);
	host->bridge->bars_movable = host->movable;
	host->registered = !ret;

	return ret;
}

/**
 * emul_host_segment - describe how a host bridge cuts its windows
 * @host: the host bridge, prepared and not yet known to the PCI core
 * @segments: how it cuts them
 * @count: number of @segments
 */
void emul_host_segment(struct emul_host *host,
		       const struct pci_segments *segments, unsigned int count)
{
	host->bridge->segments = segments;
	host->bridge->segments_count = count;
	emul_arch_segment(host);
}

/**
 * emul_bus_number - on which bus is a function
 * @fn: the function
 *
 * Return: the bus number in hardware.
 */
unsigned int emul_bus_number(const struct emul_fn *fn)
{
	return fn->up ? emul_peek(fn->up, PCI_SECONDARY_BUS, 1) :
			fn->host->busnr;
}

/**
 * emul_get_dev - find the device of a function
 * @fn: the function
 *
 * Return: the device with a reference, also if it is not in the driver model
 * yet, or NULL.
 */
struct pci_dev *emul_get_dev(struct emul_fn *fn)
{
	/* Nothing has numbered the bus yet */
	if (fn->up && !emul_bus_number(fn))
		return NULL;

	return pci_get_scanned_slot(fn->host->domain, emul_bus_number(fn),
				    fn->devfn);
}

/**
 * emul_bus_below - find the bus behind a bridge
 * @bridge: the bridge
 *
 * Return: the bus, NULL if there is none.
 */
struct pci_bus *emul_bus_below(struct emul_fn *bridge)
{
	struct pci_dev *dev = emul_get_dev(bridge);
	struct pci_bus *bus = dev ? dev->subordinate : NULL;

	pci_dev_put(dev);
	return bus;
}

/**
 * emul_enumerate - enumerate what was plugged in behind a bridge, as slot 0
 * @bridge: the bridge
 * @flags: PCI_BATCH_*
 *
 * Return: number of new devices or a negative errno.
 */
int emul_enumerate(struct emul_fn *bridge, unsigned int flags)
{
	struct pci_bus *bus = emul_bus_below(bridge);

	return bus ? pci_enumerate_slot(bus, 0, flags) : -ENODEV;
}

/**
 * emul_remove - remove the device of a function
 * @fn: the function; it stays plugged
 */
void emul_remove(struct emul_fn *fn)
{
	struct pci_dev *dev = emul_get_dev(fn);

	if (dev)
		pci_stop_and_remove_bus_device_locked(dev);
	pci_dev_put(dev);
}

/**
 * emul_remove_below - remove all devices behind a bridge
 * @bridge: the bridge
 */
void emul_remove_below(struct emul_fn *bridge)
{
	struct pci_dev *dev, *next;
	struct pci_bus *bus;

	pci_lock_rescan_remove();
	bus = emul_bus_below(bridge);
	if (bus)
		list_for_each_entry_safe_reverse(dev, next, &bus->devices,
						 bus_list)
			pci_stop_and_remove_bus_device(dev);
	pci_unlock_rescan_remove();
}
