# SPDX-License-Identifier: GPL-2.0
"""Machines the scenarios run on.

A machine is a row of this table; a new one needs no code elsewhere. Devices
that a scenario wants are added to it by the scenario.
"""

import dataclasses
from typing import Optional


@dataclasses.dataclass(frozen=True)
class Machine:
    name: str
    arch: str
    emulator: str
    # What every guest on this machine gets.
    args: tuple
    append: str
    # Consoles in this order; the agent has a line that needs no PCI device.
    console: str = "ttyS0"
    agent_port: str = "/dev/ttyS1"
    agent_args: tuple = ("-serial", "chardev:agent")
    console_args: tuple = ("-serial", "chardev:con")
    # Hot-plug ports a scenario may use, and which kind of hotplug they do.
    ports: tuple = ()
    hotplug: Optional[str] = None       # "native", "acpi", "dlpar", None
    iommu: bool = False
    acpi: bool = True                   # described by ACPI; if not, by a device tree
    memory: str = "1G"
    boot_seconds: int = 60
    nodefaults: bool = True
    own_domain: Optional[str] = None    # where the agent's device is, if it has one
    ioports: bool = True                # host bridges have windows of I/O ports


def _ports(count, first_slot=1, **props):
    extra = "".join(f",{k.replace('_', '-')}={v}" for k, v in props.items())
    out = []
    for i in range(count):
        out += ["-device",
                f"pcie-root-port,id=rp{i + 1},chassis={first_slot + i},slot={first_slot + i}{extra}"]
    return tuple(out)


_X86 = "panic=-1 loglevel=7 printk.devkmsg=on no_timer_check"
NATIVE = ("-global", "ICH9-LPC.acpi-pci-hotplug-with-bridge-support=off")
_CPU = ("-cpu", "max", "-smp", "2")
_RP3 = ("rp1", "rp2", "rp3")


def _q35(name, hotplug, iommu=False):
    args = ("-M", "q35") + _CPU
    append = _X86
    if hotplug == "native":
        args += NATIVE
    if iommu:
        args += ("-device", "intel-iommu")
        append += " intel_iommu=on"
    return Machine(name, "x86_64", "qemu-system-x86_64", args + _ports(3), append,
                   ports=_RP3, hotplug=hotplug, iommu=iommu)


# Without these the emulator asks for what TCG does not do.
PSERIES = ("-M", "pseries,cap-cfpc=broken,cap-sbbc=broken,cap-ibs=broken,cap-ccf-assist=off")
_PPC = "panic=-1 loglevel=7 printk.devkmsg=on"


def _powernv(name, hosts):
    """Every chip has PCIe host bridges, each a PCI domain with one port.

    -nodefaults would take them away. The machine has one console, of the
    firmware, and the kernel cannot use another UART on the emulator's LPC bus.
    So the agent has a device on the last host bridge; that domain is left to
    it, and the scenarios do not see it.
    """
    return Machine(name, "ppc64le", "qemu-system-ppc64",
                   ("-M", name, "-smp", "2", "-net", "none", "-vga", "none",
                    "-monitor", "none", "-parallel", "none"),
                   _PPC, console="hvc0", agent_port="/dev/vport*p1", nodefaults=False,
                   agent_args=("-device", f"virtio-serial-pci,id=agents,bus=pcie.{hosts - 1}",
                               "-device", "virtserialport,bus=agents.0,chardev=agent,name=agent"),
                   own_domain=f"{hosts - 1:04x}", ioports=False, memory="2G",
                   boot_seconds=120)


# EDK2, which brings the ACPI tables of the emulator to the kernel.  The
# kernel and its initramfs are handed through all the same.
_EDK2 = ("-bios", "/usr/share/qemu-efi-aarch64/QEMU_EFI.fd")


def _virt(name, acpi=False, iommu=None, efi=False):
    """arm64. There is one PL011, so the agent has a port of a virtio-mmio
    device. QEMU 7.2 has no ACPI hotplug of PCI devices on this machine: the
    ports do native hotplug with ACPI as well.

    Without firmware the kernel gets a device tree, and finds BARs that nobody
    has programmed. With firmware and without ACPI (`efi`) it finds what
    firmware has programmed.
    """
    machine = "virt,gic-version=3" + (",acpi=off" if efi else "")
    args = ()
    if iommu == "smmuv3":
        machine += ",iommu=smmuv3"
    elif iommu == "virtio":
        # At a fixed place, and before all that is behind it.
        args += ("-device", "virtio-iommu-pci,addr=1e")
    if acpi or efi:
        args += _EDK2
    return Machine(
        name, "arm64", "qemu-system-aarch64",
        ("-M", machine, "-cpu", "max,pauth-impdef=on", "-smp", "2") + args + _ports(3),
        "panic=-1 loglevel=7 printk.devkmsg=on",
        console="ttyAMA0", agent_port="/dev/vport0p1",
        agent_args=("-device", "virtio-serial-device,id=agents",
                    "-device", "virtserialport,bus=agents.0,chardev=agent,name=agent"),
        ports=_RP3, hotplug="native", iommu=bool(iommu), acpi=acpi, boot_seconds=120)


# As virt-dt: the agent's port is a virtio-mmio device's.  Without MSIs, as QEMU
# 7.2 repeats wired interrupts for ever if it has an IMSIC; and without NVMe, as
# it loses the wired interrupts of that.
_RISCV = Machine(
    "virt-riscv", "riscv64", "qemu-system-riscv64",
    ("-M", "virt", "-smp", "2") + _ports(3), "panic=-1 loglevel=7 printk.devkmsg=on",
    agent_port="/dev/vport0p1",
    agent_args=("-device", "virtio-serial-device,id=agents",
                "-device", "virtserialport,bus=agents.0,chardev=agent,name=agent"),
    ports=_RP3, hotplug="native", acpi=False, boot_seconds=120)


_ALL = [
    _q35("q35-native", "native"),
    _q35("q35-acpi", "acpi"),
    _q35("q35-native-iommu", "native", iommu=True),
    _q35("q35-acpi-iommu", "acpi", iommu=True),
    Machine("pc", "x86_64", "qemu-system-x86_64", ("-M", "pc") + _CPU, _X86,
            ports=("pci.0",), hotplug="acpi"),
    Machine("pseries", "ppc64le", "qemu-system-ppc64", PSERIES + ("-smp", "2"), _PPC,
            console="hvc0", agent_port="/dev/hvc1", ports=("pci.0",), hotplug="dlpar",
            boot_seconds=120),
    _powernv("powernv9", 6),
    _powernv("powernv8", 3),
    _virt("virt-dt"),
    _virt("virt-acpi", acpi=True),
    _virt("virt-dt-smmu", iommu="smmuv3"),
    _virt("virt-acpi-smmu", acpi=True, iommu="smmuv3"),
    _virt("virt-dt-viommu", iommu="virtio"),
    _virt("virt-acpi-viommu", acpi=True, iommu="virtio"),
    _virt("virt-dt-efi", efi=True),
    _RISCV,
]

MACHINES = {m.name: m for m in _ALL}


def by_arch(arch):
    return [m for m in _ALL if m.arch == arch]


def native(arch):
    """The plainest machine whose ports do native PCIe hotplug, by name; or None."""
    return next((m.name for m in by_arch(arch) if m.hotplug == "native"), None)
