# SPDX-License-Identifier: GPL-2.0
"""What the unpatched kernel does wrong, and two things it does right.

R1 to R9 are the numbers of the reproducers that the series started from.
"""

import re

import pytest

from harness import checks, pci, topo
from harness.vm import Bad


_HEX = "[0-9a-f]+"
_PLACE = f"(none|{_HEX}-{_HEX})"
# As the kernel's debugfs prints a plan, and as `make replay` reads it.
PLAN_LINE = re.compile(
    r"item \d+ parent \d+ alt (-|\d+) (window|bar)( hotplug)?( optional)?( pref)?( barrier)?"
    r"( fixed)?( vf)?( kept)?( laid-out)?( reserved)?"
    rf" hold [0-4] size {_HEX} align {_HEX} avoid {_HEX} reserve {_HEX} limit {_HEX}"
    rf" prefer {_HEX}( least {_HEX})? old {_PLACE} new {_PLACE}( why \"[^\"]{{1,63}}\")?"
    rf" in \d+ name \S.*|host {_HEX}-{_HEX}( pref)?( wide)?")

BRIDGES = [topo.IDS[name] for name in ("pcie-pci-bridge", "pci-bridge", "x3130-upstream")]


def outcome(vm, log_mark, ids, slot_wait=25):
    """After a hierarchy was added: each device works, and nobody is refused."""
    vm.settle(timeout=slot_wait)
    vm.check_console()
    checks.bus_numbers(vm)
    checks.no_hang(vm)
    vm.settle()
    checks.bus_numbers(vm)
    devs = vm.pci()
    present = {d.id for d in devs.values()}
    checks.none([f"{i} is missing" for i in ids
                 if not present & set(i if isinstance(i, tuple) else (i,))], "devices")
    checks.none([line for line in vm.klog_since(log_mark).splitlines()
                 if checks.REFUSAL.search(line)], "refused")
    checks.none(pci.resource_problems(devs), "resources")
    devs = vm.wait_bound({d.name: DRIVERS[d.id] for d in devs.values() if d.id in DRIVERS},
                         timeout=40)
    checks.none([f"no bus behind {d.name}" for d in devs.values()
                 if d.id in BRIDGES and not d.buses[1]], "bridges")
    return devs


def after(vm):
    """The machine is whole: another card can be added elsewhere and works."""
    before = vm.pci()
    bus = vm.machine.ports[-1]
    vm.plug(f"virtio-rng-pci,id=later,bus={bus}", slot=3)
    vm.wait_device(lambda d: d.name not in before, driver="virtio-pci", timeout=30)
    vm.check_console()


DRIVERS = {topo.IDS["e1000"]: "e1000", **dict.fromkeys(topo.IDS["virtio-rng"], "virtio-pci")}
HIERARCHY = [topo.IDS["pcie-pci-bridge"], topo.IDS["pci-bridge"], topo.IDS["virtio-rng"],
             topo.IDS["e1000"], topo.IDS["testdev"]]


HIERARCHY_ON = ["q35-native", "q35-acpi", "virt-dt", "virt-acpi", "virt-riscv"]


@pytest.mark.compare
@pytest.mark.parametrize("machine", HIERARCHY_ON)
def test_r1_r2_hierarchy(boot, machine):
    """R1 (native), R2 (ACPI): a bridged hierarchy into a port without spare bus numbers"""
    vm = boot(machine)
    mark = len(vm.console_text())
    vm.plug(*topo.hierarchy("rp1"), slot=1)
    vm.wait_id(topo.IDS["pcie-pci-bridge"], timeout=30)
    outcome(vm, mark, HIERARCHY)
    after(vm)


@pytest.mark.compare
@pytest.mark.parametrize("machine", ["q35-native", "q35-acpi", "virt-dt", "virt-acpi"])
def test_r1_live_neighbours(boot, machine):
    """R1, R2 between ports with devices in use: they keep their numbers, I/O goes on"""
    vm = boot(machine, disks=["d0"], devices=[
        "nvme,id=n0,bus=rp2,serial=n0,drive=d0", "virtio-rng-pci,id=r3,bus=rp3"])
    live = vm.wait_id(topo.IDS["nvme"], driver="nvme")[0].name
    vm.wait_device(lambda d: d.id in topo.IDS["virtio-rng"], driver="virtio-pci")
    before = vm.pci()
    vm.load_start("live", vm.block_name(live), pause_us=0)
    mark = len(vm.console_text())
    vm.plug(*topo.hierarchy("rp1"), slot=1)
    vm.wait_id(topo.IDS["testdev"], timeout=40)
    devs = outcome(vm, mark, HIERARCHY)
    checks.none([f"{name} is gone" for name in before if name not in devs], "live devices")
    vm.load_moves("live")
    vm.load_verify("live")


@pytest.mark.compare
@pytest.mark.parametrize("machine", ["q35-native"])
def test_bridge_beside_live(boot, machine):
    """A bridge into an SHPC slot beside a live disk: the ports after it make room"""
    vm = boot(machine, disks=["d0"], devices=[
        "pcie-pci-bridge,id=b1,bus=rp1", "virtio-blk-pci,id=v0,bus=b1,addr=1,drive=d0"])
    live = vm.wait_device(lambda d: d.driver == "virtio-pci").name
    before = vm.pci()
    vm.load_start("live", vm.block_name(live), pause_us=0)
    mark = len(vm.console_text())
    vm.plug("pci-bridge,id=b2,bus=b1,addr=2,chassis_nr=22", "virtio-rng-pci,bus=b2,addr=1",
            "e1000,bus=b2,addr=2")
    vm.wait_id("8086:100e", driver="e1000", timeout=60)
    devs = outcome(vm, mark, [topo.IDS["pci-bridge"], topo.IDS["virtio-rng"], topo.IDS["e1000"]])
    checks.none([f"{name} is gone" for name in before if name not in devs], "live devices")
    vm.load_moves("live")
    vm.load_verify("live")


@pytest.mark.compare
@pytest.mark.parametrize("machine", HIERARCHY_ON)
def test_r3_upstream(boot, machine):
    """R3: an empty switch upstream port"""
    vm = boot(machine)
    mark = len(vm.console_text())
    vm.plug("x3130-upstream,id=up,bus=rp1", slot=1)
    vm.settle()
    outcome(vm, mark, [topo.IDS["x3130-upstream"]])
    after(vm)


@pytest.mark.compare
@pytest.mark.parametrize("machine", ["pc"])
def test_r4_hierarchy_pc(boot, machine):
    """R4: the hierarchy on i440fx: bridges probed only when their windows are there"""
    vm = boot(machine)
    mark = len(vm.console_text())
    events = vm.uevent_mark()
    before = vm.pci()
    vm.plug(*topo.hierarchy_pc())
    vm.wait_id(topo.IDS["testdev"], timeout=30)
    devs = outcome(vm, mark, HIERARCHY[1:])
    new = sorted(set(devs) - set(before))
    if len(new) != 5:
        raise Bad(f"added five devices, got {new}")
    checks.announced(vm, events, new)
    after(vm)


@pytest.mark.compare
@pytest.mark.parametrize("machine", ["pc"])
def test_r4_probe_order(boot, machine):
    """R4: no driver binds to a bridge before all behind it has addresses"""
    vm = boot(machine)
    mark = len(vm.console_text())
    vm.plug(*topo.hierarchy_pc())
    vm.wait_id(topo.IDS["testdev"], timeout=30)
    vm.settle()
    lines = vm.klog_since(mark).splitlines()
    probe = [i for i, line in enumerate(lines) if "shpchp 0000:00:05.0" in line]
    assigned = [i for i, line in enumerate(lines)
                if "BAR" in line and line.rstrip().endswith("assigned")]
    if not probe or not assigned:
        raise Bad("no probe of the bridge or no assignment in the log")
    if probe[0] < assigned[-1]:
        raise Bad(f"shpchp probed before the last BAR was assigned: {lines[probe[0]].strip()}")


@pytest.mark.compare
@pytest.mark.parametrize("machine", ["q35-native", "virt-dt", "virt-acpi", "virt-riscv"])
def test_r5_empty_window_moves(boot, machine):
    """R5: an 8 GiB BAR into an empty port (native)"""
    vm = boot(machine)
    vm.plug("pci-testdev,id=big,bus=rp1,membar=8589934592", slot=1)
    vm.wait_id(topo.IDS["testdev"], timeout=30)
    vm.settle()
    checks.resource_map(vm)
    after(vm)


def big_bar(vm, live):
    """The new BAR has an address, and the live disk did not notice."""
    vm.wait_id(topo.IDS["testdev"], timeout=40)
    vm.settle()
    vm.load_moves("live")
    devs = vm.pci()
    checks.none(pci.bus_problems(devs), "bus numbers")
    checks.none(pci.resource_problems({live: devs[live]}), "resources")
    checks.no_hang(vm)
    vm.load_moves("live")
    vm.load_verify("live")
    checks.none(pci.emulator_problems(vm.qmp, vm.pci()), "resources")


def r6(boot, machine):
    vm = boot(machine, devices=["nvme,id=n0,bus=rp2,serial=n0,drive=d0"], disks=["d0"])
    live = vm.wait_id(topo.IDS["nvme"], driver="nvme")[0].name
    vm.load_start("live", vm.block_name(live))
    vm.plug("pci-testdev,id=big,bus=rp1,membar=67108864")
    big_bar(vm, live)
    return vm


def r8(boot, machine):
    vm = boot(machine, disks=["d0"], devices=[
        "x3130-upstream,id=up,bus=rp1",
        *(f"xio3130-downstream,id=dn{i},bus=up,chassis={30 + i},slot={30 + i}" for i in range(3)),
        "nvme,id=n0,bus=dn0,serial=n0,drive=d0"])
    live = vm.wait_id(topo.IDS["nvme"], driver="nvme")[0].name
    vm.load_start("live", vm.block_name(live))
    vm.plug("pci-testdev,id=big,bus=dn1,membar=67108864", slot=31)
    big_bar(vm, live)
    return vm


def r9(boot, machine):
    vm = boot(machine, disks=["d0"], devices=[
        "pcie-pci-bridge,id=b1,bus=rp1", "virtio-blk-pci,id=v0,bus=b1,addr=1,drive=d0"])
    live = vm.wait_device(lambda d: d.driver == "virtio-pci").name
    vm.load_start("live", vm.block_name(live))
    vm.add("pci-testdev,id=big,bus=b1,addr=2,membar=67108864")
    big_bar(vm, live)
    return vm


BIG = {"r6": r6, "r8": r8, "r9": r9}
# The emulator of arm64 has no ACPI hotplug, which R6 is about.
BIG_ON = [("r6", "q35-acpi"),
          *((case, m) for m in ("q35-native", "virt-dt", "virt-acpi") for case in ("r8", "r9"))]


@pytest.mark.compare
@pytest.mark.parametrize("case, machine", BIG_ON)
def test_big_bar(boot, case, machine):
    """R6, R8, R9: a 64 MiB BAR beside a live disk gets an address, and the disk goes on"""
    BIG[case](boot, machine)


def bridge(level):
    """A bridge in a slot of the one before, with a network card that has an I/O BAR."""
    kind = "pci-bridge,addr=2" if level else "pcie-pci-bridge"
    chassis = f",chassis_nr={40 + level}" if level else ""
    return [f"{kind},id=b{level},bus={f'b{level - 1}' if level else 'rp1'}{chassis}",
            f"e1000,id=e{level},bus=b{level},addr=1"]


# The emulator cannot hot-add switches with ports; bridges with SHPC slots it can.
@pytest.mark.compare
@pytest.mark.parametrize("machine", ["q35-native", "virt-dt", "virt-acpi"])
def test_chain(boot, machine):
    """Bridges one behind the other, each hot-added with a card, four deep"""
    vm = boot(machine)
    for level in range(4):
        before = vm.pci()
        mark = len(vm.console_text())
        vm.plug(*bridge(level), slot=None if level else 1)
        vm.wait_device(lambda d, old=before: d.name not in old and d.id == topo.IDS["e1000"],
                       driver="e1000", timeout=60)
        devs = outcome(vm, mark, [topo.IDS["e1000"]])
        checks.none([f"{name} is gone" for name in before if name not in devs], "devices")
        checks.none(pci.emulator_problems(vm.qmp, devs), "resources")
    after(vm)


@pytest.mark.parametrize("machine", ["q35-native", "virt-dt"])
def test_says_why(boot, machine):
    """What gets no address is said once, and the last plan can be looked at"""
    vm = boot(machine)
    mark = len(vm.console_text())
    vm.plug(f"pci-testdev,id=huge,bus=rp1,membar={1 << 46}", slot=1)
    dev = vm.wait_id(topo.IDS["testdev"], timeout=30)[0].name
    vm.settle()
    said = [line for line in vm.klog_since(mark).splitlines()
            if re.search(r"has no address|no space|failed to assign", line)]
    want = f"pci {dev}: BAR 2 has no address: need 0x400000000000 64-bit pref, have "
    if len(said) != 1 or want not in said[0] or \
            not said[0].rstrip().endswith("; the host bridge has no such addresses"):
        raise Bad(f"said about the BAR: {said}")
    lines = vm.agent.read("/sys/kernel/debug/pci/plan").splitlines()
    plans = [i for i, line in enumerate(lines) if line.startswith("plan 0000:00 ")]
    checks.none([line for line in lines if line not in [lines[i] for i in plans]
                 and not PLAN_LINE.fullmatch(line)], "lines of the plan")
    head = lines[plans[-1]].split()
    if head[2:3] + head[5:7] != ["mem", "missing", "1"]:
        raise Bad(f"plans: {[lines[i] for i in plans]}")
    checks.none([line for line in lines if line.endswith(f"name {dev} BAR 2")
                 and "old none new none" not in line], "plan")
    after(vm)
