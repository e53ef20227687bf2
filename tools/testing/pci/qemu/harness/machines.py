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
    hotplug: Optional[str] = None       # "native", "acpi", None
    iommu: bool = False
    memory: str = "1G"
    boot_seconds: int = 60
    nodefaults: bool = True


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


_ALL = [
    _q35("q35-native", "native"),
    _q35("q35-acpi", "acpi"),
    _q35("q35-native-iommu", "native", iommu=True),
    _q35("q35-acpi-iommu", "acpi", iommu=True),
    Machine("pc", "x86_64", "qemu-system-x86_64", ("-M", "pc") + _CPU, _X86,
            ports=("pci.0",), hotplug="acpi"),
]

MACHINES = {m.name: m for m in _ALL}


def by_arch(arch):
    return [m for m in _ALL if m.arch == arch]
