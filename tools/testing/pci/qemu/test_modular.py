# SPDX-License-Identifier: GPL-2.0
"""Drivers as modules: binding happens when the module comes for the MODALIAS.

Needs a kernel built with VARIANT=modular. The agent plays udev: it loads
modules for what is there when it starts, then for every uevent.
"""

import pytest

from harness import checks, topo
from harness.vm import Bad

pytestmark = [pytest.mark.modular, pytest.mark.arch("x86_64")]

MACHINES = ["q35-native"]


@pytest.fixture(scope="module")
def vm(shared):
    return shared("q35-native", devices=[
        "nvme,id=n0,bus=rp2,serial=n0,drive=d0", "virtio-rng-pci,id=r0,bus=pcie.0"],
        disks=["d0", "hot"])


def loaded(vm):
    return {line.split()[0] for line in vm.agent.read("/proc/modules").splitlines()}


def test_boot_binds(vm):
    """Modular: boot devices are bound by modules loaded for their MODALIAS"""
    if not vm.hello["modules"]:
        raise Bad("no module tree in the guest")
    vm.wait_id(topo.IDS["nvme"], driver="nvme", timeout=40)
    vm.wait_device(lambda d: d.id in topo.IDS["virtio-rng"], driver="virtio-pci", timeout=40)
    if "nvme" not in loaded(vm):
        raise Bad("nvme is not a module in this kernel")
    checks.resource_map(vm)


def test_hot_add_loads(vm):
    """Modular: a hot-added device gets its driver when udev loads it, addresses long set"""
    if "e1000e" in loaded(vm):
        raise Bad("e1000e is loaded before its device exists")
    before = vm.pci()
    mark = vm.uevent_mark()
    vm.plug("e1000e,id=e0,bus=rp1", slot=1)
    dev = vm.wait_device(lambda d: d.name not in before, driver="e1000e", timeout=40)
    vm.settle()
    events = [e for e in vm.uevents(mark) if e["devpath"].endswith(dev.name)]
    order = [e["action"] for e in events if e["subsystem"] == "pci"]
    if order[:2] != ["add", "bind"]:
        raise Bad(f"events: {order}")
    if events[0]["driver"]:
        raise Bad("bound before it was announced")
    checks.announced(vm, mark, [dev.name])
    checks.resource_map(vm)


def test_remove_rescan(vm):
    """Modular: after remove and rescan the loaded driver binds again"""
    dev = vm.wait_id(topo.IDS["nvme"], driver="nvme")[0].name
    vm.remove(dev)
    vm.rescan()
    vm.wait_bound({dev: "nvme"}, timeout=30)
    vm.load_start("l", vm.block_name(dev), blocks=64, pause_us=0)
    vm.load_moves("l", 30)
    vm.load_verify("l")
