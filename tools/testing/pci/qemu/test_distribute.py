# SPDX-License-Identifier: GPL-2.0
"""What is left of a root bus's windows goes to hotplug ports, not past endpoints.

Giving all of it to bridges broke arm64 guests in 2022: a switch that is one
function of a device left nothing for an endpoint that is another one.
"""

import pytest

from harness import checks, pci, topo
from harness.vm import Bad


def card(bus, slot):
    """A switch and an endpoint in one slot, with hot-plug ports below the switch."""
    # The emulator's second host bridge takes nothing but bridges.
    return [
        f"pcie-root-port,id=top,bus={bus},chassis={slot},slot={slot},mem-reserve=64M",
        "x3130-upstream,id=sw,bus=top,multifunction=on,addr=0.0",
        "e1000,id=fn1,bus=top,addr=0.1",
        f"xio3130-downstream,id=d0,bus=sw,chassis={slot + 1},slot={slot + 1}",
        f"xio3130-downstream,id=d1,bus=sw,chassis={slot + 2},slot={slot + 2}",
        "e1000,id=below,bus=d0",
        *([f"pcie-root-port,id=side,bus=pxb,chassis={slot + 3},slot={slot + 3}",
           "e1000e,id=side0,bus=side"] if bus == "pxb" else
          [f"e1000e,id=side0,bus={bus}", f"virtio-rng-pci,id=side1,bus={bus}"]),
    ]


# Bus numbers of their own, so that there is a root bus with few windows.
PXB = ["pxb-pcie,id=pxb,bus_nr=0x80,bus=pcie.0"]
CASES = [("q35-native", "root"), ("q35-native", "pxb"), ("virt-dt", "root"),
         ("virt-acpi", "root"), ("virt-acpi", "pxb"), ("virt-dt-efi", "root")]


@pytest.mark.compare
@pytest.mark.parametrize("machine, where", CASES)
def test_multifunction(boot, machine, where):
    """A switch beside an endpoint in one slot: both get addresses, and so does the next card"""
    devices = PXB + card("pxb", 60) if where == "pxb" else card("pcie.0", 60)
    vm = boot(machine, devices=devices, disks=["hot"])
    vm.settle()
    boot_devs = checks.resource_map(vm)
    checks.bound(boot_devs, {topo.IDS["e1000"]: "e1000", topo.IDS["e1000e"]: "e1000e"})
    # Each port has something to give to a card that is plugged in later.
    ports = [d for d in boot_devs.values() if d.id == topo.IDS["xio3130-downstream"]]
    if len(ports) != 2:
        raise Bad(f"two ports below the switch expected, there are {len(ports)}")
    empty = [p for p in ports if not pci.children(boot_devs, p.name)]
    if not any(w.kind == "mem" and w.assigned for w in empty[0].windows()):
        raise Bad(f"{empty[0].name} has no memory window for what is plugged in")
    mark = vm.uevent_mark()
    vm.plug("virtio-blk-pci,id=hot,bus=d1,drive=hot", slot=62)
    new = vm.wait_device(lambda d: d.name not in boot_devs, driver="virtio-pci", timeout=40)
    vm.settle()
    devs = checks.resource_map(vm)
    checks.announced(vm, mark, [new.name])
    # And all of it once more, from nothing.
    top = [d for d in devs.values() if d.id == topo.IDS["x3130-upstream"]][0].parent
    mark = vm.uevent_mark()
    # Interrupts are looked up in AML, which takes long on a debug kernel
    vm.remove(top, limit=120)
    vm.rescan(limit=120)
    vm.wait_bound({n: d.driver for n, d in devs.items() if d.driver}, timeout=40)
    vm.settle()
    again = checks.resource_map(vm)
    if set(again) != set(devs):
        raise Bad(f"other devices than before: {sorted(set(again) ^ set(devs))}")
