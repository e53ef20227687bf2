# SPDX-License-Identifier: GPL-2.0
"""Kernel parameters and switches that must reach devices found later, too."""

import re

import pytest

from harness import checks, topo
from harness.vm import Bad


@pytest.mark.compare
@pytest.mark.parametrize("machine", ["q35-native", "q35-acpi"])     # a parameter of x86
def test_norom(boot, machine):
    """pci=norom: a hot-added device gets no ROM either"""
    vm = boot(machine, append="pci=norom", devices=["e1000e,id=e0,bus=rp2"])
    before = vm.pci()
    vm.plug("e1000e,id=e1,bus=rp1", slot=1)
    new = vm.wait_device(lambda d: d.name not in before, driver="e1000e", timeout=30)
    # What firmware assigned at boot stays, as the parameter's text promises.
    d = vm.pci()[new.name]
    if d.rom():
        raise Bad(f"the hot-added device has a ROM at {d.rom().start:#x}")
    if "rom" in d.files:
        raise Bad("the hot-added device has a rom file")


@pytest.mark.compare
@pytest.mark.parametrize("machine", ["q35-native", "virt-dt", "virt-acpi"])
def test_mps_after_rescan(boot, machine):
    """pci=pcie_bus_perf: payload and read request sizes are set again after a rescan"""
    vm = boot(machine, append="pci=pcie_bus_perf", devices=["e1000e,id=e0,bus=rp1"])
    dev = vm.wait_id(topo.IDS["e1000e"], driver="e1000e")[0].name
    # The emulated registers are read-only, so the log has to say it.
    line = re.compile(rf"{dev}: Max Payload Size set to .*Max Read Rq")
    if not line.search(vm.console_text()):
        raise Bad("not set at boot")
    mark = len(vm.console_text())
    vm.remove(dev)
    vm.rescan()
    vm.wait_bound({dev: "e1000e"})
    if not line.search(vm.klog_since(mark)):
        raise Bad("not set after remove and rescan")


# Machines on which the kernel numbers the buses, and what makes it do so.
NUMBERED = [("q35-native", "pci=assign-busses"), ("virt-dt", "")]


@pytest.mark.compare
@pytest.mark.parametrize("machine, append", NUMBERED, ids=[m for m, _ in NUMBERED])
def test_rescan_keeps_bus_numbers(boot, machine, append):
    """A rescan leaves the bus numbers of a live disk alone, whatever was removed"""
    vm = boot(machine, append=f"nvme_core.io_timeout=3 {append}", disks=["d0"], devices=[
        "nvme,id=n0,bus=rp2,serial=n0,drive=d0", "e1000e,id=e0,bus=rp1", "e1000e,id=e1,bus=rp3"])
    disk = vm.wait_id(topo.IDS["nvme"], driver="nvme")[0].name
    vm.wait_id(topo.IDS["e1000e"], driver="e1000e", count=2)
    vm.settle()

    def buses():
        return {n: d.buses for n, d in vm.pci().items() if d.is_bridge}
    before, drivers = buses(), {n: d.driver for n, d in vm.pci().items() if d.driver}
    first = min(n for n, d in vm.pci().items() if d.id == topo.IDS["rp"])
    vm.load_start("live", vm.block_name(disk), pause_us=0)
    for i in range(12):
        if i % 3 == 0:
            vm.remove(first)
        vm.rescan()
        vm.wait_bound(drivers, timeout=40)
        vm.load_moves("live", ops=20)
        if buses() != before:
            raise Bad(f"bus numbers were {before}, are {buses()}")
    vm.load_verify("live")
    checks.resource_map(vm)


@pytest.mark.parametrize("machine", ["q35-native", "virt-dt"])
def test_late_devices_reach_the_emulated_truth(boot, machine):
    """A device whose BARs were lost on the way is noticed by this harness"""
    vm = boot(machine, devices=["edu,id=ed,bus=rp1"])
    dev = vm.wait_id(topo.IDS["edu"])[0]
    checks.resource_map(vm)
    vm.agent("config", dev.name, 0x10, 4, 0xf0000000)
    try:
        checks.resource_map(vm)
    except Bad:
        return
    raise Bad("a BAR with a wrong address was not noticed")
