// SPDX-License-Identifier: GPL-2.0
/*
 * PCI enumeration pipeline tests: BARs of devices in use move
 *
 * Firmware has put two small devices so that neither half of the addresses is
 * free, and a card comes that needs one.  One of the two has to move, whichever:
 * after every single write, what decodes can be reached and is alone there.  If
 * neither can, everything is as it was, bit for bit.
 */
#include <kunit/test.h>
#include <linux/delay.h>
#include <linux/io.h>
#include <linux/ioremap_move.h>
#include <linux/ioport.h>
#include <linux/pci.h>
#include <linux/pm_runtime.h>
#include <linux/prandom.h>
#include <linux/sched.h>
#include <linux/unaligned.h>
#include <linux/vmalloc.h>

#include "../../pci.h"
#include "../layout.h"
#include "emul.h"

#define MOVE_FNS		8
#define MOVE_BARS		2
#define MOVE_SLEEP_TRIES	250

static const struct emul_bar move_small[MOVE_BARS] = {
	{ SZ_64K, EMUL_BAR_MEM },
};

/* One starts where the other one ends */
static const struct emul_bar move_pair[MOVE_BARS] = {
	{ SZ_64K, EMUL_BAR_MEM },
	{ SZ_64K, EMUL_BAR_MEM },
};

static const struct emul_bar move_tiny[MOVE_BARS] = {
	{ SZ_1K, EMUL_BAR_MEM },
};

static const struct emul_bar move_large[] = {
	{ SZ_64M, EMUL_BAR_MEM },
};

/* Two of them have room, with or without a move */
static const struct emul_bar move_three[] = {
	{ SZ_64M, EMUL_BAR_MEM },
	{ SZ_32M, EMUL_BAR_MEM },
	{ SZ_32M, EMUL_BAR_MEM },
};

static const struct emul_bar move_pref[MOVE_BARS] = {
	{ SZ_64K, EMUL_BAR_PREF64 },
};

/* What moves for it has other upper halves then */
static const struct emul_bar move_huge[] = {
	{ SZ_4G, EMUL_BAR_PREF64 },
};

static const struct emul_bar move_ports[MOVE_BARS] = {
	{ SZ_256, EMUL_BAR_IO },
};

static const struct emul_bar move_many_ports[] = {
	{ 0x4000, EMUL_BAR_IO },
};

/* What the driver below does, and saw */
static struct {
	struct pci_dev *refuses;
	bool read;
	unsigned int bound;
	unsigned int limit;
	unsigned int prepared;
	unsigned int done;
	unsigned int locked;
	unsigned int waits;
} move_seen;

static int move_memory(struct pci_dev *dev)
{
	return pci_select_bars(dev, IORESOURCE_MEM);
}

static void __iomem *move_regs(struct pci_dev *dev)
{
	return (void __force __iomem *)pci_get_drvdata(dev);
}

static int move_probe(struct pci_dev *dev, const struct pci_device_id *id)
{
	void __iomem *regs = NULL;
	int ret;

	if (move_seen.bound == move_seen.limit)
		return -ENODEV;
	ret = pci_enable_device(dev);
	if (ret)
		return ret;
	/* Ports that are emulated are not among those of the machine */
	ret = pci_request_selected_regions(dev, move_memory(dev), "move");
	if (ret)
		goto disable;
	if (move_memory(dev)) {
		ret = -ENOMEM;
		regs = pci_iomap(dev, 0, 0);
		if (!regs)
			goto release;
	}
	pci_set_drvdata(dev, (void __force *)regs);
	move_seen.bound++;
	return 0;

release:
	pci_release_selected_regions(dev, move_memory(dev));
disable:
	pci_disable_device(dev);
	return ret;
}

static void move_remove(struct pci_dev *dev)
{
	if (move_regs(dev))
		pci_iounmap(dev, move_regs(dev));
	pci_release_selected_regions(dev, move_memory(dev));
	pci_disable_device(dev);
}

/* What a driver allocates must not wait for a disk that is about to move */
static void move_no_io(void)
{
	move_seen.waits += !(current->flags & PF_MEMALLOC_NOIO);
}

static int move_prepare(struct pci_dev *dev)
{
	move_no_io();
	/* Another device's driver may be waiting for this one's lock */
	if (device_trylock(&dev->dev))
		device_unlock(&dev->dev);
	else
		move_seen.locked++;
	if (dev == move_seen.refuses)
		return -EBUSY;
	move_seen.prepared++;
	return 0;
}

static void move_done(struct pci_dev *dev)
{
	move_no_io();
	move_seen.done++;
	/* Whoever has read the ROM is through with it by now */
	if (move_seen.read)
		pci_disable_rom(dev);
}

static const struct pci_device_id move_ids[] = {
	{ PCI_DEVICE(EMUL_VENDOR, EMUL_DEVICE_ENDPOINT) },
	{ }
};

static struct pci_driver move_driver = {
	.name		= "pci-pipeline-move-test",
	.id_table	= move_ids,
	.probe		= move_probe,
	.remove		= move_remove,
};

static void move_unregister(void *data)
{
	pci_unregister_driver(&move_driver);
}

static void move_register(struct kunit *test, bool movable, bool asks)
{
	move_driver.bars_movable = movable;
	move_driver.bars_prepare = asks ? move_prepare : NULL;
	move_driver.bars_done = asks ? move_done : NULL;
	KUNIT_ASSERT_EQ(test, pci_register_driver(&move_driver), 0);
	emul_do(test, move_unregister, NULL);
}

/* Both devices, as drivers have them; the card is left alone */
static void move_bind(struct kunit *test, bool movable, bool asks)
{
	memset(&move_seen, 0, sizeof(move_seen));
	move_seen.limit = 2;
	move_register(test, movable, asks);
	KUNIT_ASSERT_EQ(test, move_seen.bound, 2);
}

/**
 * struct move - two devices that a card has no room beside
 * @host: what all is below
 * @fn: the two devices, each behind a port
 * @dev: the same
 * @bar: where their BARs were
 * @slot: the hotplug port of the card
 * @card: the card
 * @was: config spaces, see move_remember()
 */
struct move {
	struct emul_host	*host;
	struct emul_fn		*fn[2];
	struct pci_dev		*dev[2];
	struct resource		bar[2];
	struct emul_fn		*slot;
	struct emul_fn		*card;
	u8			*was[MOVE_FNS];
};

static void move_put(void *dev)
{
	pci_dev_put(dev);
}

/* Both devices have a ROM of the given size behind BAR 0, if any */
static struct move *move_create_rom(struct kunit *test,
				    const struct emul_bar *bar,
				    const struct emul_bar *card, u32 rom)
{
	bool io = bar->flags & PCI_BASE_ADDRESS_SPACE_IO;
	bool pref = bar->flags & PCI_BASE_ADDRESS_MEM_PREFETCH;
	u64 first = io ? 0x2000 :
		    pref ? EMUL_PREF_BUS_ADDRESS : EMUL_MEM_BUS_ADDRESS;
	u64 second = io ? 0x5000 : first + card->size;
	struct emul_fn *port;
	struct move *m;
	unsigned int i;

	m = kunit_kzalloc(test, sizeof(*m), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, m);
	m->host = emul_host_create(test);
	m->host->mem_size = SZ_128M;
	if (pref)
		m->host->pref_size = 2 * card->size;
	/* 0x1000 to 0x7fff */
	m->host->io_size = 0x7000;
	for (i = 0; i < 2; i++) {
		port = emul_add_port(m->host, NULL, PCI_DEVFN(1 + i, 0),
				     PCI_EXP_TYPE_ROOT_PORT);
		emul_set_bus_numbers(port, 0, 1 + i, 1 + i);
		m->fn[i] = emul_add_endpoint(m->host, port, 0, bar, MOVE_BARS);
		if (rom)
			emul_add_rom(m->fn[i], rom);
		emul_plug(port);
		emul_leave_bar(m->fn[i], i ? second : first);
		if (bar[1].size)
			emul_poke(m->fn[i], PCI_BASE_ADDRESS_1, 4,
				  (i ? second : first) + bar[0].size);
		if (rom)
			emul_poke(m->fn[i], PCI_ROM_ADDRESS, 4,
				  (i ? second : first) + bar[0].size);
	}
	m->slot = emul_add_port(m->host, NULL, PCI_DEVFN(3, 0),
				PCI_EXP_TYPE_ROOT_PORT);
	emul_set_hotplug(m->slot, 3, 3);
	m->card = emul_add_endpoint(m->host, m->slot, 0, card, 1);
	emul_plug(m->slot);
	emul_unplug(m->card);

	m->host->movable = true;
	KUNIT_ASSERT_EQ(test, emul_host_probe(m->host), 0);
	for (i = 0; i < 2; i++) {
		m->dev[i] = emul_get_dev(m->fn[i]);
		KUNIT_ASSERT_NOT_NULL(test, m->dev[i]);
		emul_do(test, move_put, m->dev[i]);
		m->bar[i] = m->dev[i]->resource[0];
		KUNIT_ASSERT_EQ(test, emul_bar_address(m->fn[i], 0),
				i ? second : first);
	}
	m->host->watch_addresses = true;

	return m;
}

static struct move *move_create(struct kunit *test, const struct emul_bar *bar,
				const struct emul_bar *card)
{
	return move_create_rom(test, bar, card, 0);
}

/* Every config space, and the only BAR of both devices */
static void move_remember(struct kunit *test, struct move *m)
{
	unsigned int count = 0;
	struct emul_fn *fn;

	list_for_each_entry(fn, &m->host->fns, node) {
		KUNIT_ASSERT_LT(test, count, MOVE_FNS);
		m->was[count] = kunit_kmalloc(test, fn->size, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, m->was[count]);
		memcpy(m->was[count++], fn->value, fn->size);
	}
}

/* The slot counts events and has windows for the card, the card is new */
static void move_same_config(struct kunit *test, struct move *m)
{
	unsigned int i = 0;
	struct emul_fn *fn;

	list_for_each_entry(fn, &m->host->fns, node) {
		if (fn != m->slot && fn != m->card)
			KUNIT_EXPECT_MEMEQ(test, fn->value, m->was[i], fn->size);
		i++;
	}
}

static void move_unchanged(struct kunit *test, struct move *m)
{
	unsigned int i;

	move_same_config(test, m);
	for (i = 0; i < 2; i++) {
		KUNIT_EXPECT_EQ(test, m->dev[i]->resource[0].start, m->bar[i].start);
		KUNIT_EXPECT_EQ(test, m->dev[i]->resource[0].end, m->bar[i].end);
		KUNIT_EXPECT_EQ(test, m->dev[i]->resource[0].flags, m->bar[i].flags);
		KUNIT_EXPECT_PTR_EQ(test, m->dev[i]->resource[0].parent,
				    m->bar[i].parent);
	}
	KUNIT_EXPECT_EQ(test, m->host->stray, 0);
	emul_check_sane(m->host);
}

static bool move_has_moved(const struct move *m, unsigned int i)
{
	return m->dev[i]->resource[0].start != m->bar[i].start;
}

static bool move_card_placed(struct move *m)
{
	struct pci_dev *card = emul_get_dev(m->card);
	bool placed = card && card->resource[0].parent;

	pci_dev_put(card);
	return placed;
}

/* Reasons that come up when a device is about to move are in the log only */
static struct emul_grep *move_grep(struct kunit *test, const char *why)
{
	struct emul_grep *grep;

	grep = kunit_kzalloc(test, sizeof(*grep), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, grep);
	grep->text = why;
	emul_grep_start(test, grep);

	return grep;
}

static void move_plug(struct move *m)
{
	emul_plug(m->card);
	emul_enumerate(m->slot, PCI_BATCH_FRESH);
}

/* Registers, the resource tree, what a reset restores: all say the same */
static void move_agrees(struct kunit *test, struct move *m, unsigned int i)
{
	struct pci_dev *dev = m->dev[i];
	struct resource *res = &dev->resource[0], *child;
	struct pci_bus_region region;

	pcibios_resource_to_bus(dev->bus, &region, res);
	KUNIT_EXPECT_EQ(test, emul_bar_address(m->fn[i], 0), region.start);
	KUNIT_EXPECT_EQ(test, resource_size(res), resource_size(&m->bar[i]));
	KUNIT_EXPECT_EQ(test, res->flags, m->bar[i].flags);
	KUNIT_EXPECT_PTR_EQ(test, res->parent, m->bar[i].parent);
	for (child = res->child; child; child = child->sibling)
		KUNIT_EXPECT_TRUE(test, resource_contains(res, child));
	KUNIT_EXPECT_EQ(test, dev->saved_config_space[PCI_BASE_ADDRESS_0 / 4],
			emul_peek(m->fn[i], PCI_BASE_ADDRESS_0, 4));
	if (res->flags & IORESOURCE_MEM_64)
		KUNIT_EXPECT_EQ(test,
				dev->saved_config_space[PCI_BASE_ADDRESS_1 / 4],
				emul_peek(m->fn[i], PCI_BASE_ADDRESS_1, 4));
}

/* The card has an address because one device has moved, and only one */
static unsigned int move_worked(struct kunit *test, struct move *m)
{
	unsigned int i;

	KUNIT_EXPECT_TRUE(test, move_card_placed(m));
	KUNIT_EXPECT_EQ(test, move_has_moved(m, 0) + move_has_moved(m, 1), 1);
	i = move_has_moved(m, 1);
	move_agrees(test, m, i);
	KUNIT_EXPECT_EQ(test, m->host->stray, 0);
	emul_check_sane(m->host);

	return i;
}

static void move_unbound(struct kunit *test)
{
	struct move *m = move_create(test, move_small, move_large);
	unsigned int i, command;

	command = emul_peek(m->fn[0], PCI_COMMAND, 2);
	move_plug(m);
	i = move_worked(test, m);
	KUNIT_EXPECT_EQ(test, emul_peek(m->fn[i], PCI_COMMAND, 2), command);
}

/* Where a mapping of the kernel leads to */
static phys_addr_t move_mapped_at(void __iomem *regs)
{
	struct vm_struct *area = find_vm_area((void __force *)regs);

	return area ? area->phys_addr : 0;
}

static void move_needs_mappings(struct kunit *test)
{
	if (!ioremap_move_possible())
		kunit_skip(test, "mappings can't move on this machine");
}

static void move_bound(struct kunit *test)
{
	struct move *m = move_create(test, move_small, move_large);
	struct resource *child;
	struct pci_dev *dev;
	unsigned int i;

	move_needs_mappings(test);
	move_bind(test, true, false);
	move_plug(m);
	i = move_worked(test, m);
	dev = m->dev[i];

	KUNIT_EXPECT_EQ(test, move_mapped_at(move_regs(dev)),
			pci_resource_start(dev, 0));
	KUNIT_EXPECT_EQ(test, move_mapped_at(move_regs(m->dev[!i])),
			pci_resource_start(m->dev[!i], 0));
	child = dev->resource[0].child;
	KUNIT_EXPECT_NOT_NULL(test, child);
	if (child)
		KUNIT_EXPECT_EQ(test, child->start, pci_resource_start(dev, 0));

	/* It lets go of all of it, and can be bound again */
	device_release_driver(&dev->dev);
	KUNIT_EXPECT_NULL(test, dev->resource[0].child);
	move_seen.bound = 0;
	KUNIT_EXPECT_EQ(test, device_attach(&dev->dev), 1);
	KUNIT_EXPECT_EQ(test, move_mapped_at(move_regs(dev)),
			pci_resource_start(dev, 0));
}

/* One refuses, the other one has to */
static void move_one_refuses(struct kunit *test)
{
	struct move *m = move_create(test, move_small, move_large);
	struct emul_grep *grep = move_grep(test, "its driver refuses");

	move_needs_mappings(test);
	move_bind(test, true, true);
	move_seen.refuses = m->dev[0];
	move_plug(m);
	KUNIT_EXPECT_EQ(test, atomic_read(&grep->count), 1);
	KUNIT_EXPECT_EQ(test, move_worked(test, m), 1);
	KUNIT_EXPECT_EQ(test, move_seen.prepared, 1);
	KUNIT_EXPECT_EQ(test, move_seen.done, 1);
	KUNIT_EXPECT_EQ(test, move_seen.locked, 0);
	KUNIT_EXPECT_EQ(test, move_seen.waits, 0);
	KUNIT_EXPECT_FALSE(test, current->flags & PF_MEMALLOC_NOIO);
}

/* Who takes part by callbacks alone follows by itself */
static void move_cooperates(struct kunit *test)
{
	struct move *m = move_create(test, move_small, move_large);

	move_needs_mappings(test);
	move_bind(test, false, true);
	move_plug(m);
	move_worked(test, m);
	KUNIT_EXPECT_EQ(test, move_seen.prepared, 1);
	KUNIT_EXPECT_EQ(test, move_seen.done, 1);
}

static void move_ports_cooperate(struct kunit *test)
{
	struct move *m = move_create(test, move_ports, move_many_ports);

	move_bind(test, true, true);
	move_plug(m);
	move_worked(test, m);
	KUNIT_EXPECT_EQ(test, move_seen.prepared, 1);
	KUNIT_EXPECT_EQ(test, move_seen.done, 1);
}

static void move_lock_device(struct kunit *test, struct move *m)
{
	device_lock(&m->dev[0]->dev);
}

static void move_unlock_device(struct kunit *test, struct move *m)
{
	device_unlock(&m->dev[0]->dev);
}

/* Somebody has one of them locked for long: it is the other one then */
static void move_locked(struct kunit *test)
{
	struct move *m = move_create(test, move_small, move_large);
	struct emul_grep *grep = move_grep(test, "it is busy");

	move_lock_device(test, m);
	move_plug(m);
	move_unlock_device(test, m);
	KUNIT_EXPECT_EQ(test, atomic_read(&grep->count), 1);
	KUNIT_EXPECT_EQ(test, move_worked(test, m), 1);
}

/* What the register of a ROM is to have, but for the bit that turns it on */
static u32 move_rom_reg(struct kunit *test, struct move *m, unsigned int i)
{
	struct resource *rom = &m->dev[i]->resource[PCI_ROM_RESOURCE];
	struct pci_bus_region region;

	KUNIT_EXPECT_PTR_EQ(test, rom->parent, m->dev[i]->resource[0].parent);
	pcibios_resource_to_bus(m->dev[i]->bus, &region, rom);
	return region.start;
}

/* Where a ROM is decoded does not change while somebody reads it */
static void move_rom_is_read(struct kunit *test)
{
	struct move *m = move_create_rom(test, move_small, move_large, SZ_64K);
	struct emul_grep *grep = move_grep(test, "it is busy");
	unsigned int i;
	u32 at[2];

	for (i = 0; i < 2; i++) {
		KUNIT_EXPECT_EQ(test, pci_enable_rom(m->dev[i]), 0);
		at[i] = move_rom_reg(test, m, i);
		KUNIT_EXPECT_EQ(test, emul_peek(m->fn[i], PCI_ROM_ADDRESS, 4),
				at[i] | PCI_ROM_ADDRESS_ENABLE);
	}
	move_remember(test, m);
	move_plug(m);
	KUNIT_EXPECT_GE(test, atomic_read(&grep->count), 2);
	KUNIT_EXPECT_FALSE(test, move_card_placed(m));
	for (i = 0; i < 2; i++)
		KUNIT_EXPECT_EQ(test, move_rom_reg(test, m, i), at[i]);
	move_unchanged(test, m);

	/* It is nobody else's business */
	pci_disable_rom(m->dev[1]);
	emul_remove(m->card);
	emul_unplug(m->card);
	move_plug(m);
	KUNIT_EXPECT_EQ(test, move_worked(test, m), 1);
	KUNIT_EXPECT_EQ(test, move_rom_reg(test, m, 0), at[0]);
	KUNIT_EXPECT_EQ(test, emul_peek(m->fn[0], PCI_ROM_ADDRESS, 4),
			at[0] | PCI_ROM_ADDRESS_ENABLE);

	KUNIT_EXPECT_NE(test, move_rom_reg(test, m, 1), at[1]);
	KUNIT_EXPECT_EQ(test, pci_enable_rom(m->dev[1]), 0);
	KUNIT_EXPECT_EQ(test, emul_peek(m->fn[1], PCI_ROM_ADDRESS, 4),
			move_rom_reg(test, m, 1) | PCI_ROM_ADDRESS_ENABLE);
}

/* Not for long: then it is tried again, and nobody has to say so */
static void move_rom_was_read(struct kunit *test)
{
	struct move *m = move_create_rom(test, move_small, move_large, SZ_64K);
	struct emul_grep *grep = move_grep(test, "it is busy");
	unsigned int i;

	move_needs_mappings(test);
	move_bind(test, true, true);
	move_seen.read = true;
	for (i = 0; i < 2; i++)
		KUNIT_EXPECT_EQ(test, pci_enable_rom(m->dev[i]), 0);
	move_plug(m);
	KUNIT_EXPECT_EQ(test, atomic_read(&grep->count), 0);
	move_worked(test, m);
	KUNIT_EXPECT_EQ(test, move_seen.prepared, 2);
	KUNIT_EXPECT_EQ(test, move_seen.done, 2);
}

static void move_msix_off(void *dev)
{
	((struct pci_dev *)dev)->msix_enabled = 0;
}

/* Vectors are none of what is tested; the table is where hardware says */
static void move_msix_on(struct kunit *test, struct move *m,
			 struct pci_dev *dev)
{
	KUNIT_ASSERT_NE(test, dev->msix_cap, 0);
	dev->msix_enabled = 1;
	emul_do(test, move_msix_off, dev);
}

/* BAR 0 of both can move, but a mapping of it, such as the core's, stays */
static struct move *move_create_msix(struct kunit *test, bool on)
{
	struct move *m = move_create(test, move_tiny, move_large);
	unsigned int i;

	move_bind(test, false, true);
	for (i = 0; i < 2 && on; i++)
		move_msix_on(test, m, m->dev[i]);
	return m;
}

/* The driver has given back its vectors */
static void move_msix_is_off(struct kunit *test)
{
	struct move *m = move_create_msix(test, false);

	move_plug(m);
	move_worked(test, m);
}

/* The table of one is in the BAR, the other one has it elsewhere */
static void move_msix_elsewhere(struct kunit *test)
{
	struct move *m = move_create_msix(test, true);
	struct emul_grep *grep = move_grep(test, "its MSI-X table is mapped");

	emul_poke(m->fn[1], m->dev[1]->msix_cap + PCI_MSIX_TABLE, 4, 2);
	move_plug(m);
	KUNIT_EXPECT_EQ(test, atomic_read(&grep->count), 1);
	KUNIT_EXPECT_EQ(test, move_worked(test, m), 1);
}

/* Where mappings can follow, that of the table does */
static void move_msix_follows(struct kunit *test)
{
	struct move *m = move_create(test, move_small, move_large);
	unsigned int i;

	move_needs_mappings(test);
	move_bind(test, true, false);
	for (i = 0; i < 2; i++)
		move_msix_on(test, m, m->dev[i]);
	move_plug(m);
	move_worked(test, m);
}

static void move_keep_awake(void *data)
{
	struct pci_dev *dev = data;

	pm_runtime_get_sync(&dev->dev);
	pm_runtime_forbid(&dev->dev);
}

static bool move_in_d3hot(struct move *m, unsigned int i)
{
	u16 ctrl = emul_peek(m->fn[i], m->dev[i]->pm_cap + PCI_PM_CTRL, 2);

	return (ctrl & PCI_PM_CTRL_STATE_MASK) == (__force u16)PCI_D3hot;
}

/* Until somebody needs it */
static void move_sleep(struct kunit *test, struct move *m, unsigned int i)
{
	struct pci_dev *dev = m->dev[i];

	if (!IS_ENABLED(CONFIG_PM))
		kunit_skip(test, "devices do not sleep with this kernel");
	pm_runtime_allow(&dev->dev);
	pm_runtime_put_sync(&dev->dev);
	emul_do(test, move_keep_awake, dev);
	KUNIT_ASSERT_TRUE(test, move_in_d3hot(m, i));
}

/* What sleeps is woken, moves, and falls asleep with its address of today */
static void move_asleep(struct kunit *test)
{
	struct move *m = move_create(test, move_small, move_large);
	unsigned int i, tries = 0;
	struct pci_dev *dev;

	move_needs_mappings(test);
	move_bind(test, true, false);
	for (i = 0; i < 2; i++)
		move_sleep(test, m, i);
	move_plug(m);
	i = move_worked(test, m);
	dev = m->dev[i];

	while (!pm_runtime_suspended(&dev->dev) && tries++ < MOVE_SLEEP_TRIES)
		msleep(20);
	KUNIT_EXPECT_TRUE(test, move_in_d3hot(m, 0));
	KUNIT_EXPECT_TRUE(test, move_in_d3hot(m, 1));
	move_agrees(test, m, i);

	KUNIT_EXPECT_EQ(test, pm_runtime_resume(&dev->dev), 0);
	KUNIT_EXPECT_FALSE(test, move_in_d3hot(m, i));
	move_agrees(test, m, i);
	KUNIT_EXPECT_EQ(test, move_mapped_at(move_regs(dev)),
			pci_resource_start(dev, 0));
}

/**
 * struct move_kind - a kind of addresses
 * @name: of the test
 * @bar: of both devices
 * @card: what comes
 */
struct move_kind {
	const char		*name;
	const struct emul_bar	*bar;
	const struct emul_bar	*card;
};

static const struct move_kind move_kinds[] = {
	{ "32 bits", move_small, move_large },
	{ "64 bits", move_pref, move_huge },
	{ "I/O ports", move_ports, move_many_ports },
};

static void move_describe_kind(const struct move_kind *kind, char *name)
{
	strscpy(name, kind->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(move_kinds, move_kinds, move_describe_kind);

/* What a reset does to the header */
static void move_reset(struct emul_fn *fn)
{
	unsigned int pos;

	for (pos = 0; pos < PCI_STD_HEADER_SIZEOF; pos += 4)
		emul_poke(fn, pos, 4, get_unaligned_le32(&fn->reset[pos]));
}

/*
 * A reset restores what was saved before, with the addresses of today: those of
 * BARs, and of the windows that lead there.
 */
static void move_restored(struct kunit *test)
{
	const struct move_kind *kind = test->param_value;
	struct pci_dev *port;
	struct move *m;
	unsigned int i;
	u32 upper[2];

	if (!IS_ENABLED(CONFIG_64BIT) && kind->card->size > U32_MAX)
		kunit_skip(test, "no such addresses on this machine");

	m = move_create(test, kind->bar, kind->card);
	for (i = 0; i < 2; i++) {
		port = pci_upstream_bridge(m->dev[i]);
		KUNIT_EXPECT_EQ(test, pci_save_state(m->dev[i]), 0);
		KUNIT_EXPECT_EQ(test, pci_save_state(port), 0);
		upper[i] = emul_peek(m->fn[i], PCI_BASE_ADDRESS_1, 4);
	}
	move_plug(m);
	i = move_worked(test, m);
	if (kind->card->size > U32_MAX)
		KUNIT_EXPECT_NE(test, upper[i],
				emul_peek(m->fn[i], PCI_BASE_ADDRESS_1, 4));
	move_remember(test, m);

	move_reset(m->fn[i]);
	move_reset(m->fn[i]->up);
	pci_restore_state(pci_upstream_bridge(m->dev[i]));
	pci_restore_state(m->dev[i]);
	move_same_config(test, m);
	move_agrees(test, m, i);
	KUNIT_EXPECT_EQ(test, m->host->stray, 0);
	emul_check_sane(m->host);
}

/**
 * struct move_refusal - a reason for which nothing moves
 * @name: of the test
 * @why: the reason
 * @bar: of both devices
 * @card: what comes
 * @bind: they have a driver
 * @movable: which takes part
 * @asks: by callbacks, too
 * @late: it comes up when one of them is about to move
 * @set: what else is to be, for one of the devices or for the card
 */
struct move_refusal {
	const char		*name;
	const char		*why;
	const struct emul_bar	*bar;
	const struct emul_bar	*card;
	bool			bind;
	bool			movable;
	bool			asks;
	bool			late;
	void (*set)(struct kunit *test, struct move *m, struct pci_dev *dev);
};

static void move_no_host(struct kunit *test, struct move *m, struct pci_dev *dev)
{
	m->host->bridge->bars_movable = 0;
}

static void move_preserved(struct kunit *test, struct move *m,
			   struct pci_dev *dev)
{
	m->host->bridge->preserve_config = 1;
}

static void move_fixed(struct kunit *test, struct move *m, struct pci_dev *dev)
{
	dev->resource[0].flags |= IORESOURCE_PCI_FIXED;
	m->bar[dev == m->dev[1]].flags |= IORESOURCE_PCI_FIXED;
}

static void move_always_on(struct kunit *test, struct move *m, struct pci_dev *dev)
{
	dev->mmio_always_on = 1;
}

static void move_non_compliant(struct kunit *test, struct move *m,
			       struct pci_dev *dev)
{
	dev->non_compliant_bars = 1;
}

static void move_error(struct kunit *test, struct move *m, struct pci_dev *dev)
{
	dev->error_state = pci_channel_io_frozen;
}

static void move_dpc(struct kunit *test, struct move *m, struct pci_dev *dev)
{
	set_bit(PCI_DPC_RECOVERING, &pci_upstream_bridge(dev)->priv_flags);
}

static void move_display(struct kunit *test, struct move *m, struct pci_dev *dev)
{
	dev->class = PCI_CLASS_DISPLAY_VGA << 8;
}

static void move_serial(struct kunit *test, struct move *m, struct pci_dev *dev)
{
	dev->class = PCI_CLASS_COMMUNICATION_SERIAL << 8;
}

static void move_system(struct kunit *test, struct move *m, struct pci_dev *dev)
{
	dev->class = PCI_CLASS_SYSTEM_PIC << 8;
}

static void move_lpc(struct kunit *test, struct move *m, struct pci_dev *dev)
{
	dev->class = PCI_CLASS_BRIDGE_ISA << 8;
}

static void move_smbus(struct kunit *test, struct move *m, struct pci_dev *dev)
{
	dev->class = PCI_CLASS_SERIAL_SMBUS << 8;
}

static void move_enabled(struct kunit *test, struct move *m, struct pci_dev *dev)
{
	KUNIT_EXPECT_EQ(test, pci_enable_device(dev), 0);
}

static void move_release(void *res)
{
	release_mem_region(((struct resource *)res)->start,
			   resource_size(res));
}

static void move_requested(struct kunit *test, struct move *m,
			   struct pci_dev *dev)
{
	struct resource *res;

	res = request_mem_region(pci_resource_start(dev, 0), SZ_4K, "move");
	KUNIT_ASSERT_NOT_NULL(test, res);
	emul_do(test, move_release, res);
}

/* The power state does not change any more */
static void move_sleep_on(struct kunit *test, struct move *m,
			  struct pci_dev *dev)
{
	unsigned int i = dev == m->dev[1], pos = dev->pm_cap + PCI_PM_CTRL;

	move_sleep(test, m, i);
	emul_set(m->fn[i], pos, 2, emul_peek(m->fn[i], pos, 2), 0, 0);
}

static void move_unmap(void *regs)
{
	iounmap((void __force __iomem *)regs);
}

static void move_map_both(struct kunit *test, struct move *m,
			  struct pci_dev *dev)
{
	void *regs;

	regs = (void __force *)ioremap(pci_resource_start(dev, 0), 2 * SZ_64K);
	KUNIT_ASSERT_NOT_NULL(test, regs);
	emul_do(test, move_unmap, regs);
}

#ifdef CONFIG_PCI_P2PDMA
static void move_unshare(void *dev)
{
	RCU_INIT_POINTER(((struct pci_dev *)dev)->p2pdma, NULL);
}

/* Only whether there is any is looked at */
static void move_share(struct kunit *test, struct move *m, struct pci_dev *dev)
{
	rcu_assign_pointer(dev->p2pdma, (struct pci_p2pdma *)m);
	emul_do(test, move_unshare, dev);
}
#else
static void move_share(struct kunit *test, struct move *m, struct pci_dev *dev)
{
	kunit_skip(test, "no peer-to-peer DMA with this kernel");
}
#endif

static void move_switched_off(struct kunit *test, struct move *m,
			      struct pci_dev *dev)
{
	pci_moves_enabled = false;
}

static void move_both_refuse(struct kunit *test, struct move *m,
			     struct pci_dev *dev)
{
	move_driver.bars_prepare = NULL;
}

static void move_distrust(struct emul_fn *fn, struct pci_dev *dev)
{
	dev->untrusted = 1;
}

static void move_outside(struct kunit *test, struct move *m, struct pci_dev *dev)
{
	m->card->fixup = move_distrust;
}

static const struct move_refusal move_refusals[] = {
	{ "driver takes no part", "its driver takes no part", move_small,
	  move_large, true },
	{ "driver has one callback only", "its driver takes no part",
	  move_small, move_large, true, false, true,
	  .set = move_both_refuse },
	{ "less than a page", "it is less than a page", move_tiny, move_large,
	  true, true },
	{ "I/O ports without callbacks",
	  "its driver takes no part with I/O ports", move_ports,
	  move_many_ports, true, true },
	{ "host bridge", "nothing can move below this host bridge",
	  move_small, move_large, .set = move_no_host },
	{ "preserve_config", "firmware wants all BARs to stay", move_small,
	  move_large, .set = move_preserved },
	{ "fixed", "its address is fixed", move_small, move_large,
	  .set = move_fixed },
	{ "always on", "its BARs are not to be touched", move_small,
	  move_large, .set = move_always_on },
	{ "not compliant", "its BARs are not to be touched", move_small,
	  move_large, .set = move_non_compliant },
	{ "error", "it recovers from an error", move_small, move_large,
	  .set = move_error },
	{ "DPC", "it recovers from an error", move_small, move_large,
	  .set = move_dpc },
	{ "peer-to-peer DMA", "other devices use its memory", move_small,
	  move_large, .set = move_share },
	{ "display", "it may be the framebuffer", move_small, move_large,
	  .set = move_display },
	{ "serial", "it may be a console", move_small, move_large,
	  .set = move_serial },
	{ "system", "it is part of the system", move_small, move_large,
	  .set = move_system },
	{ "LPC", "firmware may use it", move_small, move_large,
	  .set = move_lpc },
	{ "SMBus", "firmware may use it", move_small, move_large,
	  .set = move_smbus },
	{ "enabled without a driver", "it is enabled without a driver",
	  move_small, move_large, .set = move_enabled },
	{ "requested without a driver", "somebody has requested it",
	  move_small, move_large, .set = move_requested },
	{ "asleep for good", "it does not wake up", move_small, move_large,
	  true, true, .late = true, .set = move_sleep_on },
	{ "mapping of two BARs", "a mapping is not of this BAR alone",
	  move_pair, move_large, true, true, .late = true,
	  .set = move_map_both },
	{ "MSI-X", "its MSI-X table is mapped", move_tiny, move_large, true,
	  false, true, .late = true, .set = move_msix_on },
	{ "switched off", "moving is switched off", move_small, move_large,
	  .set = move_switched_off },
	{ "for an untrusted card", "not for a device that is not trusted",
	  move_small, move_large, .set = move_outside },
};

static void move_describe(const struct move_refusal *refusal, char *name)
{
	strscpy(name, refusal->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(move_refusals, move_refusals, move_describe);

static void move_switch_on(void *data)
{
	pci_moves_enabled = true;
}

/* Both stay, and for no other reason */
static void move_pinned(struct kunit *test, struct move *m, const char *why)
{
	struct pci_dev *card = emul_get_dev(m->card);
	const char *said;
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, card);
	emul_do(test, move_put, card);
	for (i = 0; i < 2; i++) {
		KUNIT_EXPECT_EQ(test, pci_move_hold(m->dev[i], 0,
						    card->untrusted, &said),
				PCI_HOLD_PINNED);
		KUNIT_EXPECT_STREQ(test, said, why);
	}
}

static void move_refused(struct kunit *test)
{
	const struct move_refusal *refusal = test->param_value;
	struct move *m = move_create(test, refusal->bar, refusal->card);
	struct emul_grep *grep = move_grep(test, refusal->why);
	unsigned int i;

	emul_do(test, move_switch_on, NULL);
	if (refusal->movable && refusal->bar->flags == EMUL_BAR_MEM)
		move_needs_mappings(test);
	if (refusal->bind)
		move_bind(test, refusal->movable, refusal->asks);
	for (i = 0; i < 2 && refusal->set; i++)
		refusal->set(test, m, m->dev[i]);
	move_remember(test, m);
	move_plug(m);
	if (refusal->late)
		KUNIT_EXPECT_GE(test, atomic_read(&grep->count), 2);
	else
		move_pinned(test, m, refusal->why);
	KUNIT_EXPECT_FALSE(test, move_card_placed(m));
	move_unchanged(test, m);
	KUNIT_EXPECT_EQ(test, move_seen.prepared, move_seen.done);
}

#define MOVE_STUCK	"it does not keep another address"

/* A BAR that can't be written after all */
static void move_stick(struct emul_fn *fn)
{
	emul_set(fn, PCI_BASE_ADDRESS_0, 4, emul_peek(fn, PCI_BASE_ADDRESS_0, 4),
		 0, 0);
}

/* If that is one, all of that goes back, and another one moves */
static void move_one_stuck(struct kunit *test)
{
	struct emul_grep *grep = move_grep(test, MOVE_STUCK);
	unsigned int i;

	for (i = 0; i < 2; i++) {
		struct move *m = move_create(test, move_small, move_large);

		move_stick(m->fn[i]);
		move_plug(m);
		KUNIT_EXPECT_EQ(test, move_worked(test, m), !i);
	}
	/* The planner may have taken the other one at once */
	KUNIT_EXPECT_GE(test, atomic_read(&grep->count), 1);
}

static void move_stuck(struct kunit *test)
{
	struct move *m = move_create(test, move_small, move_large);
	struct emul_grep *grep = move_grep(test, MOVE_STUCK);

	move_stick(m->fn[0]);
	move_stick(m->fn[1]);
	move_remember(test, m);
	move_plug(m);
	/* Said of each, and once more where it is said what the card has not got */
	KUNIT_EXPECT_EQ(test, atomic_read(&grep->count), 3);
	KUNIT_EXPECT_FALSE(test, move_card_placed(m));
	move_unchanged(test, m);
}

/* What moves vanishes at any access: nobody else is harmed */
static void move_vanishes(struct kunit *test)
{
	unsigned int n, moved = 0;

	for (n = 1; n < 16; n++) {
		struct move *m = move_create(test, move_small, move_large);

		emul_vanish_after(m->fn[0], n);
		emul_vanish_after(m->fn[1], n);
		move_plug(m);
		KUNIT_EXPECT_EQ(test, m->host->stray, 0);
		m->host->watch_addresses = false;
		moved += move_has_moved(m, 0) || move_has_moved(m, 1);
	}
	KUNIT_EXPECT_GT(test, moved, 0);
}

#define MOVE_SLOTS	6
#define MOVE_EVENTS	120

/* Cards come and go, all of them in use */
struct move_any {
	struct emul_host *host;
	struct rnd_state rnd;
	struct emul_fn *card[MOVE_SLOTS];
	u64 at[MOVE_SLOTS];
	unsigned int moved;
	unsigned int left;
};

static u32 move_random(struct move_any *a, u32 below)
{
	return prandom_u32_state(&a->rnd) % below;
}

static void move_any_create(struct kunit *test, struct move_any *a)
{
	struct emul_bar bar = { .flags = EMUL_BAR_MEM };
	struct emul_fn *port, *sw;
	unsigned int i;

	a->host = emul_host_create(test);
	a->host->mem_size = SZ_16M;
	a->host->movable = true;
	port = emul_add_port(a->host, NULL, PCI_DEVFN(1, 0),
			     PCI_EXP_TYPE_ROOT_PORT);
	sw = emul_add_switch(a->host, port, MOVE_SLOTS);
	for (i = 0; i < MOVE_SLOTS; i++) {
		bar.size = SZ_1M << move_random(a, 4);
		a->card[i] = emul_add_endpoint(a->host,
					       sw->below[PCI_DEVFN(i, 0)], 0,
					       &bar, 1);
	}
	emul_plug(port);
	for (i = 0; i < MOVE_SLOTS; i++)
		emul_unplug(a->card[i]);
	KUNIT_ASSERT_EQ(test, emul_host_probe(a->host), 0);
	a->host->watch_addresses = true;
}

/* What had an address has one, and everybody knows the same one */
static void move_any_check(struct kunit *test, struct move_any *a)
{
	struct pci_bus_region region;
	struct pci_dev *dev;
	struct resource *res;
	unsigned int i;

	KUNIT_EXPECT_EQ(test, a->host->stray, 0);
	emul_check_sane(a->host);
	for (i = 0; i < MOVE_SLOTS; i++) {
		dev = emul_get_dev(a->card[i]);
		if (!dev) {
			a->at[i] = 0;
			continue;
		}
		res = &dev->resource[0];
		if (!res->parent) {
			KUNIT_EXPECT_EQ(test, a->at[i], 0);
			a->left++;
			pci_dev_put(dev);
			continue;
		}
		pcibios_resource_to_bus(dev->bus, &region, res);
		KUNIT_EXPECT_EQ(test, emul_bar_address(a->card[i], 0),
				region.start);
		KUNIT_EXPECT_NOT_NULL(test, pci_get_drvdata(dev));
		KUNIT_EXPECT_EQ(test, move_mapped_at(move_regs(dev)),
				res->start);
		a->moved += a->at[i] && a->at[i] != region.start;
		a->at[i] = region.start;
		pci_dev_put(dev);
	}
}

static const u64 move_seeds[] = { 1, 3, 5, 10, 11, 14 };

static void move_describe_seed(const u64 *seed, char *name)
{
	snprintf(name, KUNIT_PARAM_DESC_SIZE, "seed %llu", *seed);
}

KUNIT_ARRAY_PARAM(move_seeds, move_seeds, move_describe_seed);

static void move_events(struct kunit *test)
{
	struct move_any *a = kunit_kzalloc(test, sizeof(*a), GFP_KERNEL);
	struct emul_fn *card;
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, a);
	move_needs_mappings(test);
	prandom_seed_state(&a->rnd, *(const u64 *)test->param_value);
	move_any_create(test, a);
	memset(&move_seen, 0, sizeof(move_seen));
	move_seen.limit = UINT_MAX;
	move_register(test, true, *(const u64 *)test->param_value & 1);

	for (i = 0; i < MOVE_EVENTS; i++) {
		card = a->card[move_random(a, MOVE_SLOTS)];
		if (emul_present(card)) {
			emul_remove(card);
			emul_unplug(card);
		} else {
			emul_plug(card);
			emul_enumerate(card->up, PCI_BATCH_FRESH);
		}
		move_any_check(test, a);
	}
	kunit_info(test, "%u moved, %u times without an address\n", a->moved,
		   a->left);
	KUNIT_EXPECT_GT(test, a->moved, 0);
	KUNIT_EXPECT_EQ(test, move_seen.prepared, move_seen.done);
}

/* Nothing moves if as much goes without an address then */
static void move_in_vain(struct kunit *test)
{
	struct move *m = move_create(test, move_small, move_large);
	unsigned int i, placed = 0;
	struct pci_dev *dev;
	struct emul_fn *fn;

	fn = emul_add_endpoint(m->host, NULL, PCI_DEVFN(4, 0), move_three,
			       ARRAY_SIZE(move_three));
	emul_plug(fn);
	pci_rescan_bus_locked(m->host->bridge->bus);

	dev = emul_get_dev(fn);
	KUNIT_ASSERT_NOT_NULL(test, dev);
	for (i = 0; i < ARRAY_SIZE(move_three); i++)
		placed += !!dev->resource[i].parent;
	pci_dev_put(dev);
	KUNIT_EXPECT_EQ(test, placed, 2);
	for (i = 0; i < 2; i++)
		KUNIT_EXPECT_FALSE(test, move_has_moved(m, i));
	KUNIT_EXPECT_EQ(test, m->host->stray, 0);
	emul_check_sane(m->host);
}

static struct kunit_case move_cases[] = {
	KUNIT_CASE(move_unbound),
	KUNIT_CASE(move_bound),
	KUNIT_CASE(move_one_refuses),
	KUNIT_CASE(move_cooperates),
	KUNIT_CASE(move_ports_cooperate),
	KUNIT_CASE(move_locked),
	KUNIT_CASE(move_rom_is_read),
	KUNIT_CASE(move_rom_was_read),
	KUNIT_CASE(move_msix_is_off),
	KUNIT_CASE(move_msix_elsewhere),
	KUNIT_CASE(move_msix_follows),
	KUNIT_CASE(move_asleep),
	KUNIT_CASE(move_in_vain),
	KUNIT_CASE_PARAM(move_restored, move_kinds_gen_params),
	KUNIT_CASE_PARAM(move_refused, move_refusals_gen_params),
	KUNIT_CASE(move_one_stuck),
	KUNIT_CASE(move_stuck),
	KUNIT_CASE(move_vanishes),
	KUNIT_CASE_PARAM(move_events, move_seeds_gen_params),
	{ }
};

static struct kunit_suite move_suite = {
	.name = "pci_move",
	.test_cases = move_cases,
};

kunit_test_suite(move_suite);
