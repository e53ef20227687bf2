# SPDX-License-Identifier: GPL-2.0
"""Host bridges: what firmware programmed below them, and host bridges that come and go."""

import collections
import re

import pytest

from harness import aml, checks, fdt, topo
from harness.machines import MACHINES as TABLE
from harness.trace import STAGES
from harness.vm import Bad

# A second host bridge, with a switch, and room for another card.
PXB = [
    "pxb-pcie,id=pxb,bus_nr=0x80,bus=pcie.0",
    "pcie-root-port,id=xp0,bus=pxb,chassis=40,slot=40",
    "pcie-root-port,id=xp1,bus=pxb,chassis=41,slot=41",
    "pcie-root-port,id=xp2,bus=pxb,chassis=42,slot=42",
    "nvme,id=n0,bus=xp0,serial=n0,drive=d0",
    "x3130-upstream,id=up,bus=xp1",
    "xio3130-downstream,id=dn0,bus=up,chassis=43,slot=43",
    "xio3130-downstream,id=dn1,bus=up,chassis=44,slot=44",
    "e1000e,id=e0,bus=dn0",
    "virtio-rng-pci,id=r0,bus=dn1",
]
# What is below the only host bridge of a device tree.
PLAIN = [text for text in PXB if not text.startswith(("pxb", "pcie-root-port"))]
PLAIN = [re.sub(r"bus=xp(\d)", lambda m: f"bus=rp{int(m[1]) + 1}", text) for text in PLAIN]


def below(vm, host):
    """Devices below a host bridge, by its name in sysfs ("pci0000:80")."""
    return {d.name: d for d in vm.pci().values() if host in d.path}


def load(vm, name, *terms):
    """A table with these terms, loaded now."""
    at = f"/sys/kernel/config/acpi/table/{name}"
    vm.agent("mkdir", at)
    vm.agent.write(f"{at}/aml", aml.ssdt(*terms).decode("latin-1"))


class AcpiHost:
    """The second host bridge: its ACPI device is ejected, and checked again."""

    devices = PXB

    def __init__(self, vm):
        self.vm = vm
        self.name = "pci0000:80"
        self.path = "\\_SB.PC80"

    def remove(self):
        load(self.vm, "ejectable", aml.ejectable(self.path))
        load(self.vm, "eject", aml.notify(self.path, aml.EJECT_REQUEST))

    def add(self):
        load(self.vm, "check", aml.store(0xf, f"{self.path}.XSTA"),
             aml.notify(self.path, aml.DEVICE_CHECK))


class TreeHost:
    """The only host bridge of a device tree: its driver is unbound and bound."""

    devices = PLAIN

    def __init__(self, vm):
        self.vm = vm
        self.name = "pci0000:00"
        self.node = vm.host_bridges()[0].split("/")[-2]

    def remove(self):
        self.vm.agent.write("/sys/bus/platform/drivers/pci-host-generic/unbind", self.node,
                            limit=60)

    def add(self):
        self.vm.agent.write("/sys/bus/platform/drivers/pci-host-generic/bind", self.node,
                            limit=60)


def one_host_batch(vm, names):
    """These devices came as one batch, that of a host bridge."""
    trace = vm.trace()
    checks.stages(trace, names)
    batches = {(s.batch, trace.kind(s.batch)) for s in trace.stages if s.stage in STAGES}
    if [kind for _, kind in batches] != ["host"]:
        raise Bad(f"batches: {sorted(batches)}")


def assignments(text, root):
    """How often what is below a root bus was assigned: its windows are listed at the end."""
    seen = collections.Counter(re.findall(rf"pci_bus {root}: resource (\d+) \[", text))
    return max(seen.values(), default=0)


@pytest.mark.compare
@pytest.mark.parametrize("machine", ["q35-native", "virt-dt"])
def test_remove_add(boot, machine):
    """A host bridge goes and comes back: one pass of all stages, all works as before"""
    kind = AcpiHost if TABLE[machine].acpi else TreeHost
    vm = boot(machine, devices=kind.devices, disks=["d0"])
    host = kind(vm)
    vm.wait_id(topo.IDS["nvme"], driver="nvme", timeout=40)
    vm.wait_id(topo.IDS["e1000e"], driver="e1000e", timeout=40)
    vm.settle()
    checks.resource_map(vm)
    before = below(vm, host.name)
    if len(before) < 8:
        raise Bad(f"only {sorted(before)} below the host bridge")
    try:
        vm.clear_trace()
        traced = True
    except Bad:
        traced = False
    host.remove()
    vm.wait("the host bridge to go", lambda: not below(vm, host.name), 40)
    vm.settle()
    mark, log = vm.uevent_mark(), len(vm.console_text())
    host.add()
    vm.wait_bound({d.name: d.driver for d in before.values()}, timeout=60)
    vm.settle()
    after = below(vm, host.name)
    if set(after) != set(before):
        raise Bad(f"other devices than before: {sorted(set(after) ^ set(before))}")
    checks.resource_map(vm)
    vm.load_start("n0", vm.block_name(vm.wait_id(topo.IDS["nvme"])[0].name), blocks=64, pause_us=0)
    vm.load_moves("n0", ops=20)
    vm.load_verify("n0")
    if assignments(vm.klog_since(log), host.name[3:]) != 1:
        raise Bad("not assigned exactly once")
    checks.announced(vm, mark, sorted(before))
    if traced:
        one_host_batch(vm, sorted(before))


def probe_only_tree(machine, directory):
    """The emulator's device tree, with linux,pci-probe-only in /chosen."""
    tree = directory / "virt.dtb"
    blob = fdt.of_machine(machine, tree)
    tree.write_bytes(fdt.add_property(blob, "chosen", "linux,pci-probe-only", 1))
    return tree


def found_at(text):
    """Where each BAR was when it was scanned: (device, BAR) -> (start, end)."""
    return {(m[1], int(m[2])): (int(m[3], 16), int(m[4], 16)) for m in re.finditer(
        r"pci (\S+): BAR (\d) \[(?:mem|io) +0x([0-9a-f]+)-0x([0-9a-f]+)[^]]*\]\r?$", text, re.M)}


@pytest.mark.compare
@pytest.mark.parametrize("machine", ["virt-dt-efi"])
@pytest.mark.parametrize("keep", [True, False], ids=["preserve", "reassign"])
def test_probe_only(boot, machine, keep, tmp_path):
    """linux,pci-probe-only: what firmware has programmed is kept, the rest works as ever"""
    # More than the kernel would give to a port, so that the two disagree.
    devices = PLAIN + ["pcie-root-port,id=wide,chassis=50,slot=50,mem-reserve=64M"]
    extra = ["-dtb", str(probe_only_tree(TABLE[machine], tmp_path))] if keep else []
    vm = boot(machine, devices=devices, disks=["d0", "hot"], extra=extra)
    vm.wait_id(topo.IDS["e1000e"], driver="e1000e", timeout=40)
    vm.settle()
    devs = checks.resource_map(vm)
    wrong = []
    found = found_at(vm.console_text())
    for d in devs.values():
        for r in d.bars():
            if found.get((d.name, r.index)) != (r.start, r.end):
                wrong.append(f"{d.name}: BAR {r.index} was found at "
                             f"{found.get((d.name, r.index))}, is at {r.start:#x}")
    if keep:
        checks.none(wrong, "moved")
    elif not wrong:
        raise Bad("everything is where it was programmed")
    # A device that comes later has no address to keep.
    mark = vm.uevent_mark()
    vm.plug("virtio-blk-pci,id=hot,bus=rp3,drive=hot", slot=3)
    new = vm.wait_device(lambda d: d.name not in devs, driver="virtio-pci", timeout=30)
    checks.resource_map(vm)
    checks.announced(vm, mark, [new.name])


# Nothing with I/O ports, so that a host bridge needs no window for them; and
# something that firmware, not the kernel, sees to, so that they disagree.
MEMORY = [text + (",mem-reserve=64M" if "id=xp2" in text else "")
          for text in PXB if "e1000e" not in text] + ["qemu-xhci,id=x0,bus=dn0"]


def windows_of(vm, root):
    """(start, end, False) of each memory window of a root bus."""
    out = {(int(m[1], 16), int(m[2], 16), False) for m in re.finditer(
        rf"pci_bus {root}: root bus resource \[mem 0x([0-9a-f]+)-0x([0-9a-f]+) window\]",
        vm.console_text())}
    if not out:
        raise Bad(f"no windows of {root} in the log")
    return sorted(out)


@pytest.mark.compare
@pytest.mark.parametrize("machine", ["virt-acpi"])
@pytest.mark.parametrize("keep", [True, False], ids=["preserve", "reassign"])
def test_hot_add_acpi(boot, machine, keep):
    """A hot-added host bridge: _DSM function 5 says whether what is programmed stays

    The emulator cannot hot-add one, and the one of its DSDT cannot be ejected,
    as it holds interrupt links. So the guest boots with a DSDT that hides it,
    and gets a table that describes it later.
    """
    first = boot(machine, devices=MEMORY, disks=["d0"])
    dsdt = first.agent.read("/sys/firmware/acpi/tables/DSDT").encode("latin-1")
    windows, names = windows_of(first, "0000:80"), sorted(below(first, "pci0000:80"))
    drivers = {n: d.driver for n, d in first.pci().items() if n in names}
    first.stop()
    first.expect_exit = True

    vm = boot(machine, devices=MEMORY, disks=["d0"], tables=[aml.hide(dsdt, "PC80")])
    host = "pci0000:80"
    if below(vm, host):
        raise Bad("the host bridge is there already")
    vm.settle()
    traced = True
    try:
        vm.clear_trace()
    except Bad:
        traced = False
    mark, log = vm.uevent_mark(), len(vm.console_text())
    load(vm, "host", aml.host_bridge("\\_SB.PX80", 0x80, 0x86, windows, keep))
    vm.wait_bound({n: d for n, d in drivers.items() if d and d != "pcieport"}, timeout=60)
    vm.settle()
    if sorted(below(vm, host)) != names:
        raise Bad(f"found {sorted(below(vm, host))}, not {names}")
    devs = checks.resource_map(vm)
    text = vm.klog_since(log)
    if assignments(text, "0000:80") != 1:
        raise Bad(f"assigned {assignments(text, '0000:80')} times")
    found = found_at(text)
    moved = [f"{n}: BAR {r.index}" for n in names for r in devs[n].bars()
             if found.get((n, r.index)) != (r.start, r.end)]
    if keep:
        checks.none(moved, "moved")
    elif not moved:
        raise Bad("everything is where it was programmed")
    checks.announced(vm, mark, names)
    if traced:
        one_host_batch(vm, names)
