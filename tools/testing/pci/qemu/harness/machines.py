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
_PSERIES = ("-M", "pseries,cap-cfpc=broken,cap-sbbc=broken,cap-ibs=broken,cap-ccf-assist=off",
            "-smp", "2")
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


_ALL = [
    _q35("q35-native", "native"),
    _q35("q35-acpi", "acpi"),
    _q35("q35-native-iommu", "native", iommu=True),
    _q35("q35-acpi-iommu", "acpi", iommu=True),
    Machine("pc", "x86_64", "qemu-system-x86_64", ("-M", "pc") + _CPU, _X86,
            ports=("pci.0",), hotplug="acpi"),
    Machine("pseries", "ppc64le", "qemu-system-ppc64", _PSERIES, _PPC,
            console="hvc0", agent_port="/dev/hvc1", ports=("pci.0",), hotplug="dlpar",
            boot_seconds=120),
    _powernv("powernv9", 6),
    _powernv("powernv8", 3),
]

MACHINES = {m.name: m for m in _ALL}


def by_arch(arch):
    return [m for m in _ALL if m.arch == arch]
