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
