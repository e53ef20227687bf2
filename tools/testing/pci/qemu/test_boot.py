# SPDX-License-Identifier: GPL-2.0
"""Boot with devices of many kinds; remove and rescan what boot has found."""

import pytest

from harness import checks, topo
from harness.machines import MACHINES as TABLE
from harness.trace import STAGES
from harness.vm import Bad

MACHINES = ["q35-native", "q35-acpi", "pc", "q35-native-iommu",
            "virt-dt", "virt-acpi", "virt-dt-smmu", "virt-acpi-smmu", "virt-dt-viommu",
            "virt-acpi-viommu"]

MACHINES += ["pseries", "powernv9", "powernv8"]


@pytest.fixture(scope="module")
def vm(shared, machine):
    m = TABLE[machine]
    return shared(machine, devices=topo.boot_devices(m), disks=["d0", "d1"])


@pytest.mark.compare
def test_trace(vm):
    """Boot: every device passes all stages in order, batch-wide"""
    checks.stages(vm.trace(), expected=vm.pci())


@pytest.mark.compare
def test_devices_work(vm):
    """Boot: every BAR placed, every driver bound"""
    vm.settle()
    devs = checks.resource_map(vm)
    checks.bound(devs, topo.boot_drivers(vm.machine))
    checks.attributes(devs)


def test_iommu_groups(vm):
    """Boot: every device is in an IOMMU group when there is an IOMMU"""
    devs = vm.pci()
    if vm.machine.arch == "arm64":
        # What IORT, VIOT or a device tree say of a device is looked up when a
        # driver binds to it; and no IOMMU is behind itself. Behind a bridge
        # to conventional PCI devices share a requester ID: the driver of
        # SMMUv3 takes only the first of them ("stream 1792 already in tree"),
        # and that of virtio-iommu asks for the device's own ID, which the
        # emulator does not know.
        shared = [d.name for d in devs.values() if d.id == topo.IDS["pcie-pci-bridge"]]
        devs = {n: d for n, d in devs.items() if d.driver and d.parent not in shared
                and d.id != topo.IDS["virtio-iommu"]}
    grouped = [d.name for d in devs.values() if d.iommu_group]
    if vm.machine.iommu and len(grouped) != len(devs):
        raise Bad(f"not in a group: {', '.join(sorted(set(devs) - set(grouped)))}")
    if not vm.machine.iommu and grouped:
        raise Bad("groups without an IOMMU")


@pytest.mark.compare
def test_rescan_every_level(vm):
    """Rescan of the root, every bus and every device changes nothing"""
    before = vm.pci()
    buses = [p for host in vm.host_bridges() for p in vm.agent("find", host)
             if p.endswith("/rescan")]
    if len(buses) < len(before):
        raise Bad(f"only {len(buses)} rescan files for {len(before)} devices")
    mark = vm.uevent_mark()
    vm.rescan()
    for path in buses:
        vm.rescan(path)
    after = vm.pci()
    if {n: d.resources for n, d in before.items()} != {n: d.resources for n, d in after.items()}:
        raise Bad("a rescan has changed resources")
    again = [e["devpath"] for e in vm.uevents(mark)
             if e["subsystem"] == "pci" and e["action"] in ("add", "remove")]
    if again:
        raise Bad(f"a rescan has announced {again}")
    checks.resource_map(vm)


def remove_and_rescan(vm):
    """Every endpoint but the live disk goes and comes back; their names, uevent mark."""
    devs = vm.pci()
    disk = [d.name for d in devs.values() if d.id == topo.IDS["nvme"]][0]
    # Not the IOMMU: viommu_remove() takes its sysfs device away first, and
    # iommu_device_unregister() then unlinks the devices behind it from there,
    # which is a NULL pointer dereference in sysfs_remove_link_from_group().
    # The series does not touch that driver. An IOMMU in use is not hot-plugged anyway.
    others = [d for d in devs.values() if d.driver and not d.is_bridge and d.name != disk
              and d.id != topo.IDS["virtio-iommu"]]
    vm.load_start("live", vm.block_name(disk))
    mark = vm.uevent_mark()
    try:
        for d in others:
            vm.remove(d.name)
        if set(vm.pci()) & {d.name for d in others}:
            raise Bad("removed devices are still there")
        vm.rescan()
        vm.wait_bound({d.name: d.driver for d in others})
        vm.settle()
        vm.load_moves("live")
    finally:
        vm.load_verify("live")
    return [d.name for d in others], mark


@pytest.mark.compare
def test_remove_rescan(vm):
    """R7: remove and rescan each endpoint beside a live disk: all works again"""
    remove_and_rescan(vm)
    checks.resource_map(vm)


@pytest.mark.compare
def test_remove_rescan_announced(vm):
    """Remove and rescan: announced with final addresses and all attributes"""
    names, mark = remove_and_rescan(vm)
    checks.announced(vm, mark, names)


@pytest.mark.compare
def test_remove_rescan_stages(vm):
    """Remove and rescan: the same stages as at boot"""
    devs = vm.pci()
    victim = [d for d in devs.values() if d.id == topo.IDS["xhci"]][0]
    vm.clear_trace()
    vm.remove(victim.name)
    vm.rescan()
    vm.wait_device(lambda d: d.name == victim.name, driver="xhci_hcd")
    trace = vm.trace()
    checks.stages(trace, [victim.name])
    if trace.sequence(victim.name) != STAGES:
        raise Bad("other stages than at boot")


@pytest.mark.compare
def test_remove_bridge_subtree(vm):
    """Remove a bridge with all below it, rescan the root: everything comes back"""
    devs = vm.pci()
    ident = topo.IDS[topo.subtree(vm.machine)]
    top = [d for d in devs.values() if d.id == ident][0]

    def below(name):
        out = [d for d in devs.values() if d.parent == name]
        return out + [e for d in out for e in below(d.name)]
    subtree = [top] + below(top.name)
    if len(subtree) < 3:
        raise Bad("the bridge has nothing below it")
    vm.settle()
    mark = vm.uevent_mark()
    vm.remove(top.name)
    if set(vm.pci()) & {d.name for d in subtree}:
        raise Bad("removed devices are still there")
    vm.rescan()
    vm.wait_bound({d.name: d.driver for d in subtree})
    vm.settle()
    checks.resource_map(vm)
    checks.attributes(vm.pci())
    checks.announced(vm, mark, [d.name for d in subtree])
