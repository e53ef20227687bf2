# SPDX-License-Identifier: GPL-2.0
"""SR-IOV virtual functions go through the same stages."""

import pytest

from harness import checks, topo
from harness.trace import STAGES
from harness.vm import Bad


MACHINES = ["q35-native", "virt-dt", "virt-acpi", "virt-acpi-smmu"]


@pytest.fixture(scope="module")
def vm(shared, machine):
    return shared(machine, devices=["nvme-subsys,id=ss", topo.NVME_SRIOV.format(bus="rp1")])


def enable(vm, count):
    pf = [d for d in vm.pci().values() if d.id == topo.IDS["nvme"]][0]
    base = f"/sys/bus/pci/devices/{pf.name}"
    # The emulated controller keeps its VFs offline; nvme would wait for them.
    vm.agent.write(f"{base}/sriov_drivers_autoprobe", "0")
    vm.agent.write(f"{base}/sriov_numvfs", str(count), limit=60)
    return pf, base


@pytest.mark.compare
def test_vfs(vm):
    """SR-IOV: VFs are announced with addresses and can be given back"""
    before = set(vm.pci())
    mark = vm.uevent_mark()
    pf, base = enable(vm, 4)
    new = sorted(set(vm.pci()) - before)
    if len(new) != 4:
        raise Bad(f"asked for 4 VFs, got {new}")
    checks.announced(vm, mark, new)
    for name in new:
        if vm.agent("link", f"/sys/bus/pci/devices/{name}/physfn").split("/")[-1] != pf.name:
            raise Bad(f"{name}: physfn is wrong")
    vm.agent.write(f"{base}/sriov_numvfs", "0", limit=60)
    if set(vm.pci()) != before:
        raise Bad("VFs are still there")


@pytest.mark.compare
def test_vf_stages(vm):
    """SR-IOV: VFs go through the same stages as any device"""
    vm.clear_trace()
    before = set(vm.pci())
    _, base = enable(vm, 4)
    new = sorted(set(vm.pci()) - before)
    trace = vm.trace()
    vm.agent.write(f"{base}/sriov_numvfs", "0", limit=60)
    checks.stages(trace, new)
    for name in new:
        if trace.sequence(name) != STAGES:
            raise Bad(f"{name}: {', '.join(trace.sequence(name))}")


def test_vfs_and_rescan(vm):
    """SR-IOV: enabling VFs and rescanning at the same time"""
    pf = [d for d in vm.pci().values() if d.id == topo.IDS["nvme"]][0]
    base = f"/sys/bus/pci/devices/{pf.name}"
    vm.agent.write(f"{base}/sriov_drivers_autoprobe", "0")
    vm.agent("job", "start", "vfs", 15, 0, f"{base}/sriov_numvfs=4", f"{base}/sriov_numvfs=0")
    vm.agent("job", "start", "scan", 30, 0, "/sys/bus/pci/rescan=1")
    for job in ("vfs", "scan"):
        vm.wait(f"job {job} to end", lambda job=job: vm.agent("job", "status", job)["finished"],
                timeout=90)
        got = vm.agent("job", "status", job)
        if got["errors"]:
            raise Bad(f"job {job}: {got['errors']} errors ({got['last_error']})")
        vm.agent("job", "forget", job)
    checks.resource_map(vm)
