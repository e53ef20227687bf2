# SPDX-License-Identifier: GPL-2.0
"""Device lists that several scenarios use, in QEMU's own words."""

IDS = {
    "virtio-rng": ("1af4:1005", "1af4:1044"),
    "nvme": "1b36:0010",
    "testdev": "1b36:0005",
    "e1000": "8086:100e",
    "e1000e": "8086:10d3",
    "xhci": "1b36:000d",
    "rp": "1b36:000c",
    "pcie-pci-bridge": "1b36:000e",
    "pci-bridge": "1b36:0001",
    "x3130-upstream": "104c:8232",
    "xio3130-downstream": "104c:8233",
    "edu": "1234:11e8",
    "virtio-iommu": "1af4:1057",
}

# What sits where at boot in the scenarios that look at boot.
BOOT_Q35 = [
    "nvme,id=n0,bus=rp1,serial=n0,drive=d0",
    "e1000e,id=e0,bus=rp2",
    "x3130-upstream,id=up,bus=rp3",
    "xio3130-downstream,id=dn0,bus=up,chassis=20,slot=20",
    "xio3130-downstream,id=dn1,bus=up,chassis=21,slot=21",
    "virtio-blk-pci,id=v0,bus=dn0,drive=d1",
    "qemu-xhci,id=x0,bus=dn1",
    "virtio-rng-pci,id=r0,bus=pcie.0",
    "e1000,id=e1,bus=pcie.0",
    "pcie-pci-bridge,id=ppb,bus=pcie.0",
    "virtio-rng-pci,id=r1,bus=ppb,addr=1",
    "e1000,id=e2,bus=ppb,addr=2",
    "bochs-display,id=b0,bus=pcie.0",
]

BOOT_PC = [
    "nvme,id=n0,bus=pci.0,serial=n0,drive=d0",
    "virtio-blk-pci,id=v0,bus=pci.0,drive=d1",
    "qemu-xhci,id=x0,bus=pci.0",
    "e1000,id=e0,bus=pci.0",
    "pci-bridge,id=ppb,bus=pci.0,chassis_nr=9",
    "virtio-rng-pci,id=r0,bus=ppb,addr=1",
    "e1000,id=e1,bus=ppb,addr=2",
    "virtio-rng-pci,id=r1,bus=pci.0",
    "bochs-display,id=b0,bus=pci.0",
]

BOUND_Q35 = {"1b36:0010": "nvme", "8086:10d3": "e1000e", "8086:100e": "e1000",
             "1b36:000d": "xhci_hcd", "8086:2922": "ahci", "1b36:000c": "pcieport",
             "104c:8232": "pcieport", "104c:8233": "pcieport"}
BOUND_VIRT = {k: v for k, v in BOUND_Q35.items() if k != "8086:2922"}
BOUND_PC = {"1b36:0010": "nvme", "8086:100e": "e1000", "1b36:000d": "xhci_hcd"}


# Conventional PCI; domain 0 is the one host bridge of the emulator's default.
BOOT_PSERIES = [
    "nvme,id=n0,bus=pci.0,addr=1,serial=n0,drive=d0",
    "virtio-blk-pci,id=v0,bus=pci.0,addr=2,drive=d1",
    "qemu-xhci,id=x0,bus=pci.0,addr=3",
    "e1000,id=e0,bus=pci.0,addr=4",
    "pci-bridge,id=ppb,bus=pci.0,addr=5,chassis_nr=9",
    "virtio-rng-pci,id=r0,bus=ppb,addr=1",
    "e1000,id=e1,bus=ppb,addr=2",
    "pci-bridge,id=ppb2,bus=ppb,addr=3,chassis_nr=10",
    "virtio-rng-pci,id=r2,bus=ppb2,addr=1",
    "virtio-rng-pci,id=r1,bus=pci.0,addr=6",
    "spapr-pci-host-bridge,index=1,id=phb1",
    "e1000,id=e2,bus=phb1.0,addr=1",
]

# Each host bridge has a root port, which takes one device.
BOOT_POWERNV = [
    "x3130-upstream,id=up,bus=pcie.0",
    "xio3130-downstream,id=dn0,bus=up,chassis=20,slot=20",
    "xio3130-downstream,id=dn1,bus=up,chassis=21,slot=21",
    "xio3130-downstream,id=dn2,bus=up,chassis=22,slot=22",
    "virtio-blk-pci,id=v0,bus=dn0,drive=d1",
    "qemu-xhci,id=x0,bus=dn1",
    "nvme,id=n0,bus=dn2,serial=n0,drive=d0",
    "pcie-pci-bridge,id=ppb,bus=pcie.1",
    "virtio-rng-pci,id=r0,bus=ppb,addr=1",
    "e1000e,id=e1,bus=ppb,addr=2",
    "pci-bridge,id=ppb2,bus=ppb,addr=3,chassis_nr=10",
    "virtio-rng-pci,id=r2,bus=ppb2,addr=1",
]
BOUND_POWERNV = {"1b36:0010": "nvme", "8086:10d3": "e1000e", "1b36:000d": "xhci_hcd"}


def boot_devices(machine):
    if machine.arch == "ppc64le":
        return BOOT_PSERIES if machine.name == "pseries" else BOOT_POWERNV
    return BOOT_PC if machine.name.startswith("pc") else BOOT_Q35


def boot_drivers(machine):
    if machine.arch == "ppc64le":
        return BOUND_PC if machine.name == "pseries" else BOUND_POWERNV
    if machine.arch in ("arm64", "riscv64"):
        return BOUND_VIRT
    return BOUND_PC if machine.name.startswith("pc") else BOUND_Q35


def subtree(machine):
    """The bridge that goes with all below it; the first of its kind."""
    if machine.name.startswith("powernv"):
        # The base as well as the series warns in msi_device_data_release()
        # when a port of the switch goes.
        return "pcie-pci-bridge"
    return "pci-bridge" if machine.name in ("pc", "pseries") else "x3130-upstream"


def hierarchy(bus):
    """R1 of the reproducers: a complete hierarchy below a PCIe port."""
    return [
        f"pcie-pci-bridge,id=b1,bus={bus}",
        "virtio-rng-pci,id=g1,bus=b1,addr=1",
        "pci-bridge,id=b2,bus=b1,addr=2,chassis_nr=22",
        "virtio-rng-pci,id=g2,bus=b2,addr=1",
        "e1000,id=g3,bus=b2,addr=2",
        "pci-bridge,id=b3,bus=b2,addr=3,chassis_nr=23",
        "pci-testdev,id=g4,bus=b3,addr=1,membar=16777216",
    ]


def hierarchy_pc():
    """R4: the same idea on the conventional PCI of i440fx."""
    return [
        "pci-bridge,id=b2,bus=pci.0,addr=5,chassis_nr=22",
        "virtio-rng-pci,id=g2,bus=b2,addr=1",
        "e1000,id=g3,bus=b2,addr=2",
        "pci-bridge,id=b3,bus=b2,addr=3,chassis_nr=23",
        "pci-testdev,id=g4,bus=b3,addr=1,membar=16777216",
    ]


ROOMY = "pcie-root-port,id=rpb,chassis=10,slot=10,bus-reserve=8,mem-reserve=64M,pref64-reserve=256M"

NVME_SRIOV = ("nvme,id=sv,bus={bus},serial=sv,subsys=ss,sriov_max_vfs=4,max_ioqpairs=10,"
              "msix_qsize=10,sriov_vq_flexible=8,sriov_vi_flexible=4")
