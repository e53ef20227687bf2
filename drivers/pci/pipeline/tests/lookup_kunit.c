// SPDX-License-Identifier: GPL-2.0
/*
 * PCI enumeration pipeline tests: finding devices
 */
#include <kunit/test.h>
#include <linux/ktime.h>
#include <linux/pci.h>

#include "emul.h"

static struct emul_fn *lookup_tree(struct emul_host *host)
{
	struct emul_fn *port, *ep;

	port = emul_add_port(host, NULL, PCI_DEVFN(1, 0),
			     PCI_EXP_TYPE_ROOT_PORT);
	emul_set_hotplug(port, 1, 0x1f);
	ep = emul_add_endpoint(host, port, 0, NULL, 0);
	emul_plug(port);
	emul_unplug(ep);

	return ep;
}

/* Found by which of the lookups */
struct lookup_found {
	bool slot;
	bool device;
	bool class;
	bool subsys;
	bool scanned_slot;
	bool scanned_device;
	bool scanned_class;
};

static bool lookup_in(struct pci_dev *(*next)(struct pci_dev *from),
		      struct pci_dev *wanted)
{
	struct pci_dev *dev = NULL;

	while ((dev = next(dev)))
		if (dev == wanted) {
			pci_dev_put(dev);
			return true;
		}

	return false;
}

static struct pci_dev *lookup_device(struct pci_dev *from)
{
	return pci_get_device(EMUL_VENDOR, EMUL_DEVICE_ENDPOINT, from);
}

static struct pci_dev *lookup_subsys(struct pci_dev *from)
{
	return pci_get_subsys(EMUL_VENDOR, EMUL_DEVICE_ENDPOINT, EMUL_VENDOR,
			      PCI_ANY_ID, from);
}

static struct pci_dev *lookup_class(struct pci_dev *from)
{
	return pci_get_class(PCI_CLASS_OTHERS << 8, from);
}

static struct pci_dev *lookup_scanned_device(struct pci_dev *from)
{
	return pci_get_scanned_device(EMUL_VENDOR, EMUL_DEVICE_ENDPOINT, from);
}

static struct pci_dev *lookup_scanned_class(struct pci_dev *from)
{
	return pci_get_scanned_class(PCI_CLASS_OTHERS << 8, from);
}

static struct lookup_found lookup_find(struct pci_dev *wanted)
{
	int domain = pci_domain_nr(wanted->bus);
	unsigned int bus = wanted->bus->number;
	struct lookup_found found;
	struct pci_dev *dev;

	dev = pci_get_domain_bus_and_slot(domain, bus, wanted->devfn);
	found.slot = dev == wanted;
	pci_dev_put(dev);
	dev = pci_get_scanned_slot(domain, bus, wanted->devfn);
	found.scanned_slot = dev == wanted;
	pci_dev_put(dev);
	found.device = lookup_in(lookup_device, wanted);
	found.subsys = lookup_in(lookup_subsys, wanted);
	found.class = lookup_in(lookup_class, wanted);
	found.scanned_device = lookup_in(lookup_scanned_device, wanted);
	found.scanned_class = lookup_in(lookup_scanned_class, wanted);

	return found;
}

static void lookup_expect(struct kunit *test, const struct lookup_found *found,
			  bool registered, bool scanned)
{
	KUNIT_EXPECT_EQ(test, found->slot, registered);
	KUNIT_EXPECT_EQ(test, found->device, registered);
	KUNIT_EXPECT_EQ(test, found->subsys, registered);
	KUNIT_EXPECT_EQ(test, found->class, registered);
	KUNIT_EXPECT_EQ(test, found->scanned_slot, scanned);
	KUNIT_EXPECT_EQ(test, found->scanned_device, scanned);
	KUNIT_EXPECT_EQ(test, found->scanned_class, scanned);
}

/* Drivers do not see a device before ADD; those who have to, do */
static void lookup_scanned(struct kunit *test)
{
	struct emul_host *host = emul_host_create(test);
	struct emul_fn *ep = lookup_tree(host);
	struct lookup_found scanned = {}, added = {}, removed = {};
	struct pci_dev *dev;
	struct pci_batch batch;

	KUNIT_ASSERT_EQ(test, emul_host_probe(host), 0);
	emul_plug(ep);

	pci_lock_rescan_remove();
	pci_batch_start(&batch, PCI_BATCH_SLOT, PCI_BATCH_FRESH,
			emul_bus_below(ep->up));
	pci_scan_slot_bridges(emul_bus_below(ep->up), 0);
	dev = emul_get_dev(ep);
	if (dev)
		scanned = lookup_find(dev);
	pci_batch_run(&batch);
	if (dev)
		added = lookup_find(dev);
	pci_unlock_rescan_remove();
	pci_batch_bind(&batch);
	KUNIT_ASSERT_NOT_NULL(test, dev);

	emul_remove(ep);
	removed = lookup_find(dev);
	lookup_expect(test, &scanned, false, true);
	lookup_expect(test, &added, true, true);
	lookup_expect(test, &removed, false, false);
	KUNIT_EXPECT_EQ(test, kref_read(&dev->dev.kobj.kref), 1);
	pci_dev_put(dev);
}

/* A walk goes on behind a device that is removed while the walk holds it */
static void lookup_removed_while_walking(struct kunit *test)
{
	struct emul_host *host = emul_host_create(test);
	struct pci_dev *dev = NULL;
	unsigned int seen = 0, i, last = 0;
	bool ordered = true;

	for (i = 0; i < 32; i++)
		emul_plug(emul_add_pci_device(host, NULL, PCI_DEVFN(i, 0),
					      NULL, 0));
	KUNIT_ASSERT_EQ(test, emul_host_probe(host), 0);

	while ((dev = pci_get_scanned_device(EMUL_VENDOR, EMUL_DEVICE_PCI,
					     dev))) {
		ordered &= !seen || dev->devfn > last;
		last = dev->devfn;
		seen++;
		/* This one, and the one that would have been next */
		emul_remove(host->below[dev->devfn]);
		if (PCI_SLOT(last) % 4 == 1)
			emul_remove(host->below[last + PCI_DEVFN(1, 0)]);
	}

	KUNIT_EXPECT_TRUE(test, ordered);
	KUNIT_EXPECT_EQ(test, seen, 24);
	KUNIT_EXPECT_TRUE(test, list_empty(&host->bridge->bus->devices));
}

#define LOOKUP_HOSTS	8
#define LOOKUP_EACH	256

static unsigned int lookup_each(struct emul_host **host, u64 *ns)
{
	struct pci_dev *dev;
	unsigned int i, j, found = 0;
	ktime_t start = ktime_get();

	for (i = 0; i < LOOKUP_HOSTS; i++) {
		for (j = 0; j < LOOKUP_EACH; j++) {
			dev = pci_get_domain_bus_and_slot(host[i]->domain,
							  host[i]->busnr, j);
			if (dev && dev->devfn == j &&
			    pci_domain_nr(dev->bus) == host[i]->domain)
				found++;
			pci_dev_put(dev);
		}
	}
	*ns = ktime_to_ns(ktime_sub(ktime_get(), start));

	return found;
}

/* 2048 devices: each is found, and the walks meet each of them once */
static void lookup_many(struct kunit *test)
{
	struct emul_host *host[LOOKUP_HOSTS];
	unsigned int i, j, walked = 0, scanned = 0;
	struct pci_dev *dev = NULL;
	struct emul_fn *fn;
	u64 ns;

	for (i = 0; i < LOOKUP_HOSTS; i++) {
		host[i] = emul_host_create(test);
		for (j = 0; j < LOOKUP_EACH; j++) {
			fn = emul_add_pci_device(host[i], NULL, j, NULL, 0);
			emul_set(fn, PCI_HEADER_TYPE, 1, PCI_HEADER_TYPE_MFD,
				 0, 0);
			emul_plug(fn);
		}
		KUNIT_ASSERT_EQ(test, emul_host_probe(host[i]), 0);
	}

	KUNIT_EXPECT_EQ(test, lookup_each(host, &ns),
			LOOKUP_HOSTS * LOOKUP_EACH);
	kunit_info(test, "%llu ns for each lookup among %u devices\n",
		   ns / (LOOKUP_HOSTS * LOOKUP_EACH),
		   LOOKUP_HOSTS * LOOKUP_EACH);

	while ((dev = pci_get_device(EMUL_VENDOR, PCI_ANY_ID, dev)))
		walked++;
	while ((dev = pci_get_scanned_device(EMUL_VENDOR, PCI_ANY_ID, dev)))
		scanned++;
	KUNIT_EXPECT_EQ(test, walked, LOOKUP_HOSTS * LOOKUP_EACH);
	KUNIT_EXPECT_EQ(test, scanned, LOOKUP_HOSTS * LOOKUP_EACH);
}

/* What does not exist, and what is out of range */
static void lookup_misses(struct kunit *test)
{
	struct emul_host *host = emul_host_create(test);
	struct emul_fn *fn = emul_add_pci_device(host, NULL, 0, NULL, 0);

	emul_plug(fn);
	KUNIT_ASSERT_EQ(test, emul_host_probe(host), 0);
	KUNIT_EXPECT_NULL(test, pci_get_scanned_slot(host->domain, 0, 1));
	KUNIT_EXPECT_NULL(test, pci_get_scanned_slot(host->domain, 1, 0));
	KUNIT_EXPECT_NULL(test, pci_get_scanned_slot(host->domain, 0x100, 0));
	KUNIT_EXPECT_NULL(test, pci_get_scanned_slot(host->domain, 0, 0x100));
	KUNIT_EXPECT_NULL(test, pci_get_scanned_slot(host->domain + 1, 0, 0));
	KUNIT_EXPECT_NULL(test, pci_get_domain_bus_and_slot(-1, 0, 0));
}

static struct kunit_case lookup_cases[] = {
	KUNIT_CASE(lookup_scanned),
	KUNIT_CASE(lookup_removed_while_walking),
	KUNIT_CASE_SLOW(lookup_many),
	KUNIT_CASE(lookup_misses),
	{ }
};

static struct kunit_suite lookup_suite = {
	.name = "pci_lookup",
	.test_cases = lookup_cases,
};

kunit_test_suite(lookup_suite);
