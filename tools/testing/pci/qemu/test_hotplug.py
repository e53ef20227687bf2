# SPDX-License-Identifier: GPL-2.0
"""Hot-add and hot-remove of devices that fit where they are put."""

import pytest

from harness import checks, topo
from harness.machines import MACHINES as TABLE
from harness.trace import STAGES
from harness.vm import Bad

MACHINES = ["q35-native", "q35-acpi", "pc", "q35-native-iommu",
            "virt-dt", "virt-acpi", "virt-dt-smmu", "virt-acpi-smmu", "virt-dt-viommu",
            "virt-acpi-viommu"]

# What is added, the driver it must get.
CARDS = {
    "nvme": ("nvme,id=hp,serial=hp,drive=hot", "1b36:0010", "nvme"),
    "virtio-blk": ("virtio-blk-pci,id=hp,drive=hot", None, "virtio-pci"),
    "e1000e": ("e1000e,id=hp", "8086:10d3", "e1000e"),
    "xhci": ("qemu-xhci,id=hp", "1b36:000d", "xhci_hcd"),
}


def start(guests, machine):
    m = TABLE[machine]
    devices = ["virtio-blk-pci,id=live,drive=d0,bus=" + ("pci.0" if m.name == "pc" else "pcie.0")]
    if m.name != "pc":
        # Room that firmware has set aside: what is hot-added below must fit.
        devices.append(topo.ROOMY)
    return guests(machine, devices=devices, disks=["d0", "hot"])


@pytest.fixture(scope="module")
def vm(shared, machine):
    return start(shared, machine)


@pytest.fixture
def bridge_vm(request, machine):
    """A guest from which a bridge will be unplugged.

    Behind intel-iommu it is a guest of its own: QEMU 7.2 keeps the address
    spaces of an unplugged bridge's bus (VTDAddressSpace.bus is never cleared),
    and dies of SIGSEGV in vtd_context_device_invalidate() when any device is
    added or removed after that, whatever kernel runs.
    """
    if TABLE[machine].iommu:
        return start(request.getfixturevalue("boot"), machine)
    return request.getfixturevalue("vm")


def port(vm):
    return (vm.machine.ports[0], 1 if vm.machine.hotplug == "native" else None)


def new_devices(vm, before):
    return sorted(set(vm.pci()) - set(before))


def add(vm, card, ident="hp"):
    """Hot-add a card and wait for its driver; the device, the devices before."""
    text, want, driver = CARDS[card]
    bus, slot = port(vm)
    before = vm.pci()
    vm.plug(f"{text},bus={bus}".replace("id=hp", f"id={ident}"), slot=slot)
    dev = vm.wait_device(lambda d: d.name not in before and (want is None or d.id == want),
                         driver=driver, timeout=30)
    return dev, before


@pytest.mark.compare
@pytest.mark.parametrize("card", CARDS)
def test_add_remove(vm, card):
    """Hot-add, bound, works, removed again"""
    dev, before = add(vm, card)
    vm.settle()
    new = new_devices(vm, before)
    if new != [dev.name]:
        raise Bad(f"added one device, got {new}")
    try:
        checks.resource_map(vm)
        if "blk" in card or card == "nvme":
            vm.load_start("hot", vm.block_name(dev.name), blocks=128, pause_us=0)
            vm.load_moves("hot", ops=40)
            vm.load_verify("hot")
    finally:
        vm.unplug("hp", port(vm)[1])
    vm.wait("the device to go", lambda: dev.name not in vm.pci())
    if set(vm.pci()) != set(before):
        raise Bad("other devices than before the hot-add")


@pytest.mark.compare
def test_announced(vm):
    """Hot-add: announced with final addresses and all attributes"""
    wrong = []
    for i, card in enumerate([*CARDS, *CARDS]):
        mark = vm.uevent_mark()
        dev, _ = add(vm, card, f"an{i}")
        vm.settle()
        try:
            checks.announced(vm, mark, [dev.name])
        except Bad as err:
            wrong.append(f"{card}: {err}")
        vm.unplug(f"an{i}", port(vm)[1])
        vm.wait("the device to go", lambda name=dev.name: name not in vm.pci())
    checks.none(wrong, "hot-add")


@pytest.mark.compare
def test_stages(vm):
    """Boot, hot-add, remove and rescan: one and the same sequence of stages"""
    bus, slot = port(vm)
    before = vm.pci()
    boot_dev = [d.name for d in before.values() if d.driver == "virtio-pci"][0]
    at_boot = vm.trace().sequence(boot_dev)
    vm.clear_trace()
    vm.plug(f"virtio-rng-pci,id=hs,bus={bus}", slot=slot)
    dev = vm.wait_device(lambda d: d.name not in before, driver="virtio-pci", timeout=30)
    try:
        hot_trace = vm.trace()
        vm.clear_trace()
        vm.remove(dev.name)
        vm.rescan()
        vm.wait_bound({dev.name: "virtio-pci"})
        rescan_trace = vm.trace()
    finally:
        vm.unplug("hs", slot)
    checks.stages(hot_trace, [dev.name])
    checks.stages(rescan_trace, [dev.name])
    for what, got in (("boot", at_boot), ("hot-add", hot_trace.sequence(dev.name)),
                      ("remove and rescan", rescan_trace.sequence(dev.name))):
        if got != STAGES:
            raise Bad(f"{what}: {', '.join(got) or 'no stages'}")


@pytest.mark.compare
def test_bridge_with_devices(bridge_vm):
    """Hot-add of a bridge with devices behind it, where bus numbers are reserved"""
    vm = bridge_vm
    before = vm.pci()
    try:
        vm.clear_trace()
        traced = True
    except Bad:
        traced = False
    mark = vm.uevent_mark()
    if vm.machine.name == "pc":
        cards = ["pci-bridge,id=hb,bus=pci.0,addr=10,chassis_nr=30"]
    else:
        cards = ["pcie-pci-bridge,id=hb,bus=rpb"]
    cards += ["virtio-rng-pci,id=hb1,bus=hb,addr=1", "e1000,id=hb2,bus=hb,addr=2",
              "pci-testdev,id=hb3,bus=hb,addr=3,membar=1048576"]
    vm.plug(*cards, slot=10)
    vm.wait_id(topo.IDS["e1000"], driver="e1000", timeout=30)
    vm.wait_id(topo.IDS["testdev"])
    vm.settle()
    new = new_devices(vm, before)
    if len(new) != 4:
        raise Bad(f"added four devices, got {new}")
    checks.resource_map(vm)
    checks.announced(vm, mark, new)
    if traced:
        checks.stages(vm.trace_bound(new), new)
    vm.unplug("hb", 10 if vm.machine.hotplug == "native" else None)
    vm.wait("the devices to go", lambda: set(vm.pci()) == set(before))
    checks.no_hang(vm)


def test_unplug_during_load(vm):
    """A disk is taken away under load: errors for its user, nothing else"""
    bus, slot = port(vm)
    before = vm.pci()
    live = [d.name for d in before.values() if d.driver == "virtio-pci"][0]
    vm.plug(f"nvme,id=gone,serial=gone,drive=hot,bus={bus}", slot=slot)
    dev = vm.wait_device(lambda d: d.name not in before, driver="nvme", timeout=30)
    vm.load_start("live", vm.block_name(live))
    vm.load_start("gone", vm.block_name(dev.name), pause_us=0)
    vm.load_moves("gone")
    vm.unplug("gone", slot, timeout=60)
    vm.wait("the device to go", lambda: dev.name not in vm.pci())
    vm.load_moves("live")
    vm.load_verify("live")
    gone = vm.load_stop("gone")
    if gone["bad"]:
        raise Bad(f"{gone['bad']} bad blocks before the disk went away")
    checks.no_hang(vm)
