// SPDX-License-Identifier: GPL-2.0
/*
 * PCI enumeration pipeline tests: kinds of emulated functions
 *
 * Register layouts are those of the PCI Local Bus Specification r3.0 sec 6,
 * the PCI-to-PCI Bridge Architecture Specification r1.2 sec 3.2, and PCIe
 * r6.0 sec 7.
 */
#include <linux/align.h>
#include <linux/kernel.h>
#include <linux/log2.h>
#include <linux/pci.h>
#include <linux/slab.h>
#include <linux/wordpart.h>

#include "emul.h"

#define EMUL_EXP_SIZE	0x3c	/* version 2 */

static void emul_link_fn(struct emul_fn *fn, struct emul_fn *up)
{
	struct emul_host *host = fn->host;
	struct emul_fn **fns = up ? up->below : host->below;

	/* Into the list first: that is what frees it */
	list_add_tail(&fn->node, &host->fns);
	fn->up = up;

	KUNIT_ASSERT_NOT_NULL(host->test, fns);
	KUNIT_ASSERT_NULL(host->test, fns[fn->devfn]);
	fns[fn->devfn] = fn;
}

/**
 * emul_add_fn - build a function that has an empty config space
 * @host: the host bridge
 * @up: bridge to put it below, NULL for the root bus
 * @devfn: device and function number
 * @size: PCI_CFG_SPACE_SIZE or PCI_CFG_SPACE_EXP_SIZE
 *
 * It is not there until emul_plug().
 *
 * Return: the function.
 */
struct emul_fn *emul_add_fn(struct emul_host *host, struct emul_fn *up,
			    unsigned int devfn, unsigned int size)
{
	struct emul_fn *fn;

	fn = kvzalloc(sizeof(*fn) + 4 * size +
		      size / 4 * sizeof(*fn->range), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(host->test, fn);

	fn->host = host;
	fn->devfn = devfn;
	fn->size = size;
	fn->range = (struct emul_count *)(fn + 1);
	fn->value = (u8 *)(fn->range + size / 4);
	fn->reset = fn->value + size;
	fn->rw = fn->reset + size;
	fn->w1c = fn->rw + size;
	fn->cap_at = 0x40;
	fn->cap_link = PCI_CAPABILITY_LIST;
	fn->ext_at = PCI_CFG_SPACE_SIZE;
	fn->vanish_after = -1;
	emul_link_fn(fn, up);

	return fn;
}

/**
 * emul_add_cap - add a capability
 * @fn: the function
 * @id: PCI_CAP_ID_*
 * @len: its length
 *
 * Return: its position.
 */
unsigned int emul_add_cap(struct emul_fn *fn, u8 id, unsigned int len)
{
	unsigned int pos = fn->cap_at;

	fn->cap_at = ALIGN(pos + len, 4);
	KUNIT_ASSERT_LE(fn->host->test, fn->cap_at, PCI_CFG_SPACE_SIZE);

	emul_set(fn, fn->cap_link, 1, pos, 0, 0);
	emul_set(fn, pos, 2, id, 0, 0);
	fn->cap_link = pos + PCI_CAP_LIST_NEXT;
	fn->reset[PCI_STATUS] |= PCI_STATUS_CAP_LIST;
	fn->value[PCI_STATUS] |= PCI_STATUS_CAP_LIST;

	return pos;
}

/**
 * emul_add_ext_cap - add an extended capability
 * @fn: the function
 * @id: PCI_EXT_CAP_ID_*
 * @version: its version
 * @len: its length
 *
 * Return: its position.
 */
unsigned int emul_add_ext_cap(struct emul_fn *fn, u16 id, u8 version,
			      unsigned int len)
{
	unsigned int pos = fn->ext_at;

	fn->ext_at = ALIGN(pos + len, 4);
	KUNIT_ASSERT_LE(fn->host->test, fn->ext_at, fn->size);

	if (fn->ext_link)
		emul_set(fn, fn->ext_link + 2, 2,
			 emul_peek(fn, fn->ext_link + 2, 2) | pos << 4, 0, 0);
	emul_set(fn, pos, 4, id | version << 16, 0, 0);
	fn->ext_link = pos;

	return pos;
}

static void emul_set_bar(struct emul_fn *fn, unsigned int pos, u64 size,
			 u32 flags)
{
	u32 low = flags & PCI_BASE_ADDRESS_SPACE_IO ? 0x3 : 0xf;
	u64 rw = ~(size - 1) & ~(u64)low;

	emul_set(fn, pos, 4, flags, lower_32_bits(rw), 0);
	if (flags & PCI_BASE_ADDRESS_MEM_TYPE_64)
		emul_set(fn, pos + 4, 4, 0, upper_32_bits(rw), 0);
}

/**
 * emul_add_bar - add a BAR
 * @fn: the function
 * @bar: number of its first register
 * @size: number of bytes it decodes, a power of two
 * @flags: EMUL_BAR_*
 */
void emul_add_bar(struct emul_fn *fn, unsigned int bar, u64 size, u32 flags)
{
	KUNIT_ASSERT_LT(fn->host->test, bar, PCI_STD_NUM_BARS);
	KUNIT_ASSERT_TRUE(fn->host->test, is_power_of_2(size));

	fn->bar[bar] = (struct emul_bar) { .size = size, .flags = flags };
	emul_set_bar(fn, PCI_BASE_ADDRESS_0 + 4 * bar, size, flags);
}

/**
 * emul_add_rom - add an expansion ROM
 * @fn: the function
 * @size: its size, a power of two
 */
void emul_add_rom(struct emul_fn *fn, u32 size)
{
	unsigned int pos = fn->below ? PCI_ROM_ADDRESS1 : PCI_ROM_ADDRESS;

	fn->rom = size;
	emul_set(fn, pos, 4, 0,
		 (~(size - 1) & PCI_ROM_ADDRESS_MASK) | PCI_ROM_ADDRESS_ENABLE,
		 0);
}

/**
 * emul_add_rebar - make BAR 0 resizable, PCIe r6.0 sec 7.8.6
 * @fn: the function, with a BAR 0 of 1 MiB or more
 * @sizes: sizes it supports, bit 0 for 1 MiB, bit 1 for 2 MiB and so on
 */
void emul_add_rebar(struct emul_fn *fn, u32 sizes)
{
	unsigned int pos = emul_add_ext_cap(fn, PCI_EXT_CAP_ID_REBAR, 1, 12);

	KUNIT_ASSERT_GE(fn->host->test, fn->bar[0].size, SZ_1M);
	fn->rebar = pos;
	emul_set(fn, pos + PCI_REBAR_CAP, 4, sizes << 4, 0, 0);
	emul_set(fn, pos + PCI_REBAR_CTRL, 4,
		 1 << PCI_REBAR_CTRL_NBAR_SHIFT |
		 ilog2(fn->bar[0].size / SZ_1M) << PCI_REBAR_CTRL_BAR_SHIFT,
		 PCI_REBAR_CTRL_BAR_SIZE, 0);
}

/* PCI Local Bus Specification r3.0 sec 6.1, PCIe r6.0 sec 7.5.1.1 */
static void emul_add_header(struct emul_fn *fn, u16 device, u32 class, u8 type)
{
	emul_set(fn, PCI_VENDOR_ID, 2, EMUL_VENDOR, 0, 0);
	emul_set(fn, PCI_DEVICE_ID, 2, device, 0, 0);
	emul_set(fn, PCI_COMMAND, 2, 0,
		 PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER |
		 PCI_COMMAND_PARITY | PCI_COMMAND_SERR |
		 PCI_COMMAND_INTX_DISABLE, 0);
	emul_set(fn, PCI_STATUS, 2, 0, 0, 0xf900);
	emul_set(fn, PCI_CLASS_REVISION, 4, class << 8 | 1, 0, 0);
	emul_set(fn, PCI_CACHE_LINE_SIZE, 1, 0, 0xff, 0);
	emul_set(fn, PCI_HEADER_TYPE, 1, type, 0, 0);
	emul_set(fn, PCI_INTERRUPT_LINE, 1, 0, 0xff, 0);
}

/* Type 1 header: PCI-to-PCI Bridge Architecture Specification r1.2 sec 3.2 */
static void emul_add_bridge_header(struct emul_fn *fn, u16 device)
{
	fn->below = kcalloc(256, sizeof(*fn->below), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(fn->host->test, fn->below);

	/*
	 * The programming interface is not 0, to keep drivers of real ports
	 * away.
	 */
	emul_add_header(fn, device, PCI_CLASS_BRIDGE_PCI << 8 | 0x02,
			PCI_HEADER_TYPE_BRIDGE);
	emul_set(fn, PCI_PRIMARY_BUS, 4, 0, 0x00ffffff, 0);
	emul_set(fn, PCI_IO_BASE, 2, 0x0101, 0xf0f0, 0);
	emul_set(fn, PCI_SEC_STATUS, 2, 0, 0, 0xf900);
	emul_set(fn, PCI_MEMORY_BASE, 4, 0, 0xfff0fff0, 0);
	emul_set(fn, PCI_PREF_MEMORY_BASE, 4, 0x00010001, 0xfff0fff0, 0);
	emul_set(fn, PCI_PREF_BASE_UPPER32, 4, 0, ~0, 0);
	emul_set(fn, PCI_PREF_LIMIT_UPPER32, 4, 0, ~0, 0);
	emul_set(fn, PCI_IO_BASE_UPPER16, 4, 0, ~0, 0);
	emul_set(fn, PCI_BRIDGE_CONTROL, 2, 0, 0x0fff, 0);
}

static void emul_add_pm(struct emul_fn *fn)
{
	unsigned int pos = emul_add_cap(fn, PCI_CAP_ID_PM, PCI_PM_SIZEOF);

	emul_set(fn, pos + PCI_PM_PMC, 2, 3, 0, 0);
	emul_set(fn, pos + PCI_PM_CTRL, 2, PCI_PM_CTRL_NO_SOFT_RESET,
		 PCI_PM_CTRL_STATE_MASK, 0);
}

static void emul_add_msi(struct emul_fn *fn)
{
	unsigned int pos = emul_add_cap(fn, PCI_CAP_ID_MSI, 14);

	emul_set(fn, pos + PCI_MSI_FLAGS, 2, PCI_MSI_FLAGS_64BIT,
		 PCI_MSI_FLAGS_ENABLE | PCI_MSI_FLAGS_QSIZE, 0);
	emul_set(fn, pos + PCI_MSI_ADDRESS_LO, 4, 0, ~3, 0);
	emul_set(fn, pos + PCI_MSI_ADDRESS_HI, 4, 0, ~0, 0);
	emul_set(fn, pos + PCI_MSI_DATA_64, 2, 0, 0xffff, 0);
}

static void emul_add_msix(struct emul_fn *fn)
{
	unsigned int pos = emul_add_cap(fn, PCI_CAP_ID_MSIX,
					PCI_CAP_MSIX_SIZEOF);

	emul_set(fn, pos + PCI_MSIX_FLAGS, 2, 3,
		 PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL, 0);
	emul_set(fn, pos + PCI_MSIX_PBA, 4, 0x800, 0, 0);
}

/* PCIe r6.0 sec 7.5.3 */
static void emul_add_exp(struct emul_fn *fn, unsigned int type)
{
	unsigned int pos = emul_add_cap(fn, PCI_CAP_ID_EXP, EMUL_EXP_SIZE);

	fn->exp = pos;
	emul_set(fn, pos + PCI_EXP_FLAGS, 2, 2 | type << 4, 0, 0);
	emul_set(fn, pos + PCI_EXP_DEVCAP, 4, PCI_EXP_DEVCAP_RBER |
		 (type == PCI_EXP_TYPE_ENDPOINT ? PCI_EXP_DEVCAP_FLR : 0), 0, 0);
	emul_set(fn, pos + PCI_EXP_DEVCTL, 2, PCI_EXP_DEVCTL_RELAX_EN |
		 PCI_EXP_DEVCTL_NOSNOOP_EN | PCI_EXP_DEVCTL_READRQ_512B,
		 0x7fff, 0);
	emul_set(fn, pos + PCI_EXP_DEVSTA, 2, 0, 0, 0xf);
	emul_set(fn, pos + PCI_EXP_LNKCAP, 4, PCI_EXP_LNKCAP_SLS_8_0GB | 1 << 4,
		 0, 0);
	emul_set(fn, pos + PCI_EXP_LNKCTL, 2, 0,
		 0xfff & ~PCI_EXP_LNKCTL_RL, 0);
	emul_set(fn, pos + PCI_EXP_LNKSTA, 2, PCI_EXP_LNKSTA_CLS_8_0GB |
		 PCI_EXP_LNKSTA_NLW_X1 | PCI_EXP_LNKSTA_SLC, 0, 0xc000);
	emul_set(fn, pos + PCI_EXP_DEVCAP2, 4, PCI_EXP_DEVCAP2_COMP_TMOUT_DIS,
		 0, 0);
	emul_set(fn, pos + PCI_EXP_DEVCTL2, 2, 0, PCI_EXP_DEVCTL2_COMP_TIMEOUT |
		 PCI_EXP_DEVCTL2_COMP_TMOUT_DIS, 0);
	emul_set(fn, pos + PCI_EXP_LNKCAP2, 4, PCI_EXP_LNKCAP2_SLS_2_5GB |
		 PCI_EXP_LNKCAP2_SLS_5_0GB | PCI_EXP_LNKCAP2_SLS_8_0GB, 0, 0);
	emul_set(fn, pos + PCI_EXP_LNKCTL2, 2, PCI_EXP_LNKCTL2_TLS_8_0GT,
		 PCI_EXP_LNKCTL2_TLS, 0);
}

/* PCIe r6.0 sec 7.8.4 */
static void emul_add_aer(struct emul_fn *fn, bool root)
{
	unsigned int pos = emul_add_ext_cap(fn, PCI_EXT_CAP_ID_ERR, 2, 0x48);

	emul_set(fn, pos + PCI_ERR_UNCOR_STATUS, 4, 0, 0, ~0);
	emul_set(fn, pos + PCI_ERR_UNCOR_MASK, 4, 0, ~0, 0);
	emul_set(fn, pos + PCI_ERR_UNCOR_SEVER, 4, 0x00462030, ~0, 0);
	emul_set(fn, pos + PCI_ERR_COR_STATUS, 4, 0, 0, ~0);
	emul_set(fn, pos + PCI_ERR_COR_MASK, 4, 0x2000, ~0, 0);
	emul_set(fn, pos + PCI_ERR_CAP, 4, 0xa0, 0x140, 0);
	if (root) {
		emul_set(fn, pos + PCI_ERR_ROOT_COMMAND, 4, 0, 7, 0);
		emul_set(fn, pos + PCI_ERR_ROOT_STATUS, 4, 0, 0, 0x7f);
	}
}

/* PCIe r6.0 sec 7.7.11 */
static void emul_add_acs(struct emul_fn *fn)
{
	unsigned int pos = emul_add_ext_cap(fn, PCI_EXT_CAP_ID_ACS, 1, 8);
	u16 cap = PCI_ACS_SV | PCI_ACS_TB | PCI_ACS_RR | PCI_ACS_CR |
		  PCI_ACS_UF | PCI_ACS_DT;

	emul_set(fn, pos + PCI_ACS_CAP, 2, cap, 0, 0);
	emul_set(fn, pos + PCI_ACS_CTRL, 2, 0, cap, 0);
}

static void emul_add_bars(struct emul_fn *fn, const struct emul_bar *bars,
			  unsigned int count)
{
	unsigned int i;

	for (i = 0; i < count; i++)
		if (bars[i].size)
			emul_add_bar(fn, i, bars[i].size, bars[i].flags);
}

/**
 * emul_add_endpoint - build a PCIe endpoint: PM, MSI, MSI-X, PCIe and AER
 * @host: the host bridge
 * @up: port to put it below, NULL for the root bus
 * @devfn: device and function number
 * @bars: BARs by register, may be NULL
 * @count: number of @bars
 *
 * Return: the function, not plugged yet.
 */
struct emul_fn *emul_add_endpoint(struct emul_host *host, struct emul_fn *up,
				  unsigned int devfn,
				  const struct emul_bar *bars,
				  unsigned int count)
{
	struct emul_fn *fn;

	fn = emul_add_fn(host, up, devfn, PCI_CFG_SPACE_EXP_SIZE);
	emul_add_header(fn, EMUL_DEVICE_ENDPOINT, PCI_CLASS_OTHERS << 8,
			PCI_HEADER_TYPE_NORMAL);
	emul_set(fn, PCI_SUBSYSTEM_VENDOR_ID, 4, EMUL_VENDOR, 0, 0);
	emul_add_pm(fn);
	emul_add_msi(fn);
	emul_add_msix(fn);
	emul_add_exp(fn, PCI_EXP_TYPE_ENDPOINT);
	emul_add_aer(fn, false);
	emul_add_bars(fn, bars, count);

	return fn;
}

/**
 * emul_add_pci_device - build a device of conventional PCI
 * @host: the host bridge
 * @up: bridge to put it below, NULL for the root bus
 * @devfn: device and function number
 * @bars: BARs by register, may be NULL
 * @count: number of @bars
 *
 * Return: the function, not plugged yet.
 */
struct emul_fn *emul_add_pci_device(struct emul_host *host, struct emul_fn *up,
				    unsigned int devfn,
				    const struct emul_bar *bars,
				    unsigned int count)
{
	struct emul_fn *fn;

	fn = emul_add_fn(host, up, devfn, PCI_CFG_SPACE_SIZE);
	emul_add_header(fn, EMUL_DEVICE_PCI, PCI_CLASS_OTHERS << 8,
			PCI_HEADER_TYPE_NORMAL);
	emul_set(fn, PCI_SUBSYSTEM_VENDOR_ID, 4, EMUL_VENDOR, 0, 0);
	emul_add_pm(fn);
	emul_add_bars(fn, bars, count);

	return fn;
}

/**
 * emul_add_port - build a port of a root complex or switch, or a PCIe bridge
 * @host: the host bridge
 * @up: bridge to put it below, NULL for the root bus
 * @devfn: device and function number
 * @type: PCI_EXP_TYPE_*
 *
 * Return: the function, not plugged yet.
 */
struct emul_fn *emul_add_port(struct emul_host *host, struct emul_fn *up,
			      unsigned int devfn, unsigned int type)
{
	bool root = type == PCI_EXP_TYPE_ROOT_PORT;
	bool down = root || type == PCI_EXP_TYPE_DOWNSTREAM;
	struct emul_fn *fn;

	fn = emul_add_fn(host, up, devfn, PCI_CFG_SPACE_EXP_SIZE);
	emul_add_bridge_header(fn, EMUL_DEVICE_PORT);
	emul_add_pm(fn);
	emul_add_msi(fn);
	emul_add_exp(fn, type);
	emul_add_aer(fn, root);
	if (down) {
		fn->link = true;
		emul_add_acs(fn);
		emul_set(fn, fn->exp + PCI_EXP_LNKCAP, 4,
			 emul_peek(fn, fn->exp + PCI_EXP_LNKCAP, 4) |
			 PCI_EXP_LNKCAP_DLLLARC, 0, 0);
		emul_set(fn, fn->exp + PCI_EXP_LNKSTA, 2,
			 emul_peek(fn, fn->exp + PCI_EXP_LNKSTA, 2) |
			 PCI_EXP_LNKSTA_DLLLA, 0, 0xc000);
	}
	if (root)
		emul_set(fn, fn->exp + PCI_EXP_RTCTL, 2, 0, 0x1f, 0);

	return fn;
}

/**
 * emul_add_pci_bridge - build a bridge from conventional PCI to the same
 * @host: the host bridge
 * @up: bridge to put it below, NULL for the root bus
 * @devfn: device and function number
 *
 * Return: the function, not plugged yet.
 */
struct emul_fn *emul_add_pci_bridge(struct emul_host *host, struct emul_fn *up,
				    unsigned int devfn)
{
	struct emul_fn *fn;

	fn = emul_add_fn(host, up, devfn, PCI_CFG_SPACE_SIZE);
	emul_add_bridge_header(fn, EMUL_DEVICE_BRIDGE);
	emul_add_pm(fn);

	return fn;
}

/**
 * emul_add_cardbus - build a bridge to CardBus, PCI Card Standard r8.0
 * @host: the host bridge
 * @up: bridge to put it below, NULL for the root bus
 * @devfn: device and function number
 *
 * Return: the function, not plugged yet.
 */
struct emul_fn *emul_add_cardbus(struct emul_host *host, struct emul_fn *up,
				 unsigned int devfn)
{
	struct emul_fn *fn;
	unsigned int pos;

	fn = emul_add_fn(host, up, devfn, PCI_CFG_SPACE_SIZE);
	fn->below = kcalloc(256, sizeof(*fn->below), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(host->test, fn->below);

	/* The programming interface keeps the driver of real bridges away */
	emul_add_header(fn, EMUL_DEVICE_CARDBUS,
			PCI_CLASS_BRIDGE_CARDBUS << 8 | 0x02,
			PCI_HEADER_TYPE_CARDBUS);
	emul_add_bar(fn, 0, SZ_4K, EMUL_BAR_MEM);
	emul_set(fn, PCI_CB_PRIMARY_BUS, 4, 0, 0x00ffffff, 0);
	for (pos = PCI_CB_MEMORY_BASE_0; pos < PCI_CB_IO_BASE_0; pos += 4)
		emul_set(fn, pos, 4, 0, 0xfffff000, 0);
	for (; pos <= PCI_CB_IO_LIMIT_1; pos += 4)
		emul_set(fn, pos, 4, 0, 0xfffffffc, 0);
	emul_set(fn, PCI_CB_BRIDGE_CONTROL, 2, PCI_CB_BRIDGE_CTL_PREFETCH_MEM1,
		 PCI_CB_BRIDGE_CTL_PREFETCH_MEM0 |
		 PCI_CB_BRIDGE_CTL_PREFETCH_MEM1 | PCI_CB_BRIDGE_CTL_CB_RESET,
		 0);

	return fn;
}

/**
 * emul_add_switch - build a PCIe switch
 * @host: the host bridge
 * @up: port to put it below
 * @ports: number of downstream ports; they are devices 0 to @ports - 1 on its
 *	internal bus
 *
 * Return: the upstream port, not plugged yet.
 */
struct emul_fn *emul_add_switch(struct emul_host *host, struct emul_fn *up,
				unsigned int ports)
{
	struct emul_fn *fn;
	unsigned int i;

	fn = emul_add_port(host, up, 0, PCI_EXP_TYPE_UPSTREAM);
	for (i = 0; i < ports; i++)
		emul_add_port(host, fn, PCI_DEVFN(i, 0),
			      PCI_EXP_TYPE_DOWNSTREAM);

	return fn;
}

/* PCIe r6.0 sec 9.3.3; VFs have the devfns from 0x80 on, on the PF's bus */
static void emul_set_sriov(struct emul_fn *fn, unsigned int vfs, u64 bar_size)
{
	unsigned int pos = emul_add_ext_cap(fn, PCI_EXT_CAP_ID_SRIOV, 1,
					    PCI_EXT_CAP_SRIOV_SIZEOF);

	fn->sriov = pos;
	emul_set(fn, pos + PCI_SRIOV_CTRL, 2, 0,
		 PCI_SRIOV_CTRL_VFE | PCI_SRIOV_CTRL_MSE, 0);
	emul_set(fn, pos + PCI_SRIOV_INITIAL_VF, 2, vfs, 0, 0);
	emul_set(fn, pos + PCI_SRIOV_TOTAL_VF, 2, vfs, 0, 0);
	emul_set(fn, pos + PCI_SRIOV_NUM_VF, 2, 0, 0xffff, 0);
	emul_set(fn, pos + PCI_SRIOV_VF_OFFSET, 2, 0x80 - fn->devfn, 0, 0);
	emul_set(fn, pos + PCI_SRIOV_VF_STRIDE, 2, 1, 0, 0);
	emul_set(fn, pos + PCI_SRIOV_VF_DID, 2, EMUL_DEVICE_VF, 0, 0);
	emul_set(fn, pos + PCI_SRIOV_SUP_PGSIZE, 4, 1, 0, 0);
	emul_set(fn, pos + PCI_SRIOV_SYS_PGSIZE, 4, 1, 1, 0);
	emul_set_bar(fn, pos + PCI_SRIOV_BAR, bar_size, EMUL_BAR_PREF64);
}

/**
 * emul_add_sriov - make a function a PF
 * @fn: the function
 * @vfs: number of VFs
 * @bar_size: size of BAR 0 of each VF
 *
 * The VFs appear when the SR-IOV capability enables them.
 */
void emul_add_sriov(struct emul_fn *fn, unsigned int vfs, u64 bar_size)
{
	struct emul_fn *vf;
	unsigned int i;

	emul_set(fn, PCI_DEVICE_ID, 2, EMUL_DEVICE_PF, 0, 0);
	emul_set_sriov(fn, vfs, bar_size);

	for (i = 0; i < vfs; i++) {
		vf = emul_add_fn(fn->host, fn->up, 0x80 + i,
				 PCI_CFG_SPACE_EXP_SIZE);
		vf->pf = fn;
		vf->vf = i;
		emul_add_header(vf, 0xffff, PCI_CLASS_OTHERS << 8,
				PCI_HEADER_TYPE_NORMAL);
		emul_set(vf, PCI_VENDOR_ID, 2, 0xffff, 0, 0);
		emul_set(vf, PCI_SUBSYSTEM_VENDOR_ID, 4, EMUL_VENDOR, 0, 0);
		emul_set(vf, PCI_COMMAND, 2, 0, PCI_COMMAND_MASTER, 0);
		emul_add_msix(vf);
		emul_add_exp(vf, PCI_EXP_TYPE_ENDPOINT);
	}
}

/**
 * emul_set_hotplug - give a port a hotplug slot
 * @port: the port, on the root bus
 * @secondary: number of the bus behind it, as programmed by firmware
 * @subordinate: highest number behind it
 */
void emul_set_hotplug(struct emul_fn *port, u8 secondary, u8 subordinate)
{
	emul_set_bus_numbers(port, port->host->busnr, secondary, subordinate);
	emul_set(port, port->exp + PCI_EXP_FLAGS, 2,
		 emul_peek(port, port->exp + PCI_EXP_FLAGS, 2) |
		 PCI_EXP_FLAGS_SLOT, 0, 0);
	emul_set(port, port->exp + PCI_EXP_SLTCAP, 4,
		 PCI_EXP_SLTCAP_HPC | PCI_EXP_SLTCAP_HPS | 1 << 19, 0, 0);
	emul_set(port, port->exp + PCI_EXP_SLTCTL, 2, 0, 0x1fff, 0);
	emul_set(port, port->exp + PCI_EXP_SLTSTA, 2, PCI_EXP_SLTSTA_PDS, 0,
		 0x11f);
}

/**
 * emul_set_payload - set what payload a function supports
 * @fn: the function, with PCI Express capability
 * @mpss: 0 for 128 bytes, 1 for 256 and so on
 */
void emul_set_payload(struct emul_fn *fn, unsigned int mpss)
{
	u32 cap = emul_peek(fn, fn->exp + PCI_EXP_DEVCAP, 4);

	emul_set(fn, fn->exp + PCI_EXP_DEVCAP, 4,
		 (cap & ~PCI_EXP_DEVCAP_PAYLOAD) | mpss, 0, 0);
}

/**
 * emul_set_bus_numbers - bus numbers that firmware programs at power-on
 * @bridge: the bridge
 * @primary: number of the bus it is on
 * @secondary: number of the bus behind it
 * @subordinate: highest number behind it
 */
void emul_set_bus_numbers(struct emul_fn *bridge, u8 primary, u8 secondary,
			  u8 subordinate)
{
	emul_set(bridge, PCI_PRIMARY_BUS, 1, primary, 0xff, 0);
	emul_set(bridge, PCI_SECONDARY_BUS, 1, secondary, 0xff, 0);
	emul_set(bridge, PCI_SUBORDINATE_BUS, 1, subordinate, 0xff, 0);
}

/**
 * emul_leave_bar - set BAR 0 of a function as firmware would have
 * @fn: the function, plugged in, behind a port that it has for itself
 * @at: address on the bus
 *
 * The port has a window of the smallest size there.
 */
void emul_leave_bar(struct emul_fn *fn, u64 at)
{
	u32 io = fn->bar[0].flags & PCI_BASE_ADDRESS_SPACE_IO;
	struct emul_fn *port = fn->up;

	if (fn->bar[0].flags & PCI_BASE_ADDRESS_MEM_PREFETCH) {
		emul_poke(port, PCI_PREF_MEMORY_BASE, 4, 0x00010001 |
			  ((at >> 16) & 0xfff0) | (at & 0xfff00000));
		emul_poke(port, PCI_PREF_BASE_UPPER32, 4, at >> 32);
		emul_poke(port, PCI_PREF_LIMIT_UPPER32, 4, at >> 32);
	} else if (io) {
		emul_poke(port, PCI_IO_BASE, 1,
			  ((at >> 8) & 0xf0) | PCI_IO_RANGE_TYPE_32);
		emul_poke(port, PCI_IO_LIMIT, 1,
			  ((at >> 8) & 0xf0) | PCI_IO_RANGE_TYPE_32);
	} else {
		emul_poke(port, PCI_MEMORY_BASE, 4,
			  (at >> 16) | (at & 0xfff00000));
	}
	emul_poke(fn, PCI_BASE_ADDRESS_0, 4, at | fn->bar[0].flags);
	if (fn->bar[0].flags & PCI_BASE_ADDRESS_MEM_TYPE_64)
		emul_poke(fn, PCI_BASE_ADDRESS_1, 4, at >> 32);
	emul_poke(port, PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_IO);
	emul_poke(fn, PCI_COMMAND, 2,
		  io ? PCI_COMMAND_IO : PCI_COMMAND_MEMORY);
}

/**
 * emul_plug - power a function on, with everything below it
 * @fn: the function
 */
void emul_plug(struct emul_fn *fn)
{
	struct emul_fn *vf;
	unsigned int i;

	emul_reset(fn);
	fn->plugged = true;

	list_for_each_entry(vf, &fn->host->fns, node)
		if (vf->pf == fn)
			emul_reset(vf);

	for (i = 0; fn->below && i < 256; i++)
		if (fn->below[i] && !fn->below[i]->pf)
			emul_plug(fn->below[i]);
}

/**
 * emul_unplug - pull a function out, with everything below it
 * @fn: the function
 */
void emul_unplug(struct emul_fn *fn)
{
	fn->plugged = false;
}
