# SPDX-License-Identifier: GPL-2.0
"""The checks themselves: each has to say no to what it is there to find."""

import struct

import pytest

from harness import checks, console, move, pci
from harness.trace import STAGES, Trace, contract
from harness.vm import Bad
from test_races import grown


def trace(*rows, lost=""):
    text = "# tracer: nop\n" + lost
    for i, (dev, batch, stage, result) in enumerate(rows):
        text += (f"  swapper/0-1  [000] .....  1.{i:06d}: pci_stage: dev=0000:{dev} "
                 f"batch={batch} stage={stage} result={result}\n")
    return Trace(text)


def good(*devs, batch=1):
    return [(d, batch, s, 0) for s in STAGES for d in devs]


def test_contract_accepts():
    """Two batches, one after the other, are fine"""
    assert contract(trace(*good("00:01.0", "01:00.0"), *good("02:00.0", batch=2)),
                    expected=["0000:01:00.0"]) == []


@pytest.mark.parametrize("rows, what", [
    ([], "no pci_stage"),
    (good("00:01.0")[:-1], "went through"),
    (good("00:01.0") + [("00:01.0", 1, "bind", 0)], "went through"),
    ([(d, b, s, -28 if s == "assign" else 0) for d, b, s, _ in good("00:01.0")], "assign=-28"),
    # Device by device instead of stage by stage.
    (good("00:01.0") + good("01:00.0"), "before"),
    # Final before configure.
    ([("00:01.0", 1, s, 0) for s in ("scan", "claim", "assign", "final", "configure", "add",
                                     "bind")], "went through"),
    (good("02:00.0"), "not in the trace"),
])
def test_contract_refuses(rows, what):
    """Missing, doubled, failed, swapped stages, and passes that are not batch-wide"""
    got = contract(trace(*rows), expected=["0000:00:01.0"])
    assert any(what in line for line in got), got


def test_contract_refuses_lost_events():
    """A trace with holes proves nothing"""
    assert contract(trace(*good("00:01.0"), lost="CPU:0 [LOST 5 EVENTS]\n"))


def bridge(name, pri, sec, sub, parent=None):
    config = bytearray(256)
    config[0x0e] = 1
    config[0x18:0x1b] = bytes((pri, sec, sub))
    path = f"../../devices/pci0000:00/{parent + '/' if parent else ''}{name}"
    return pci.Device(name, {"config": config.hex(), "path": path})


def devices(*devs):
    return {d.name: d for d in devs}


A, B = "0000:00:01.0", "0000:00:02.0"


@pytest.mark.parametrize("devs, count", [
    ((bridge(A, 0, 1, 3), bridge(B, 0, 4, 4), bridge("0000:01:00.0", 1, 2, 3, A)), 0),
    ((bridge(A, 0, 1, 1), bridge("0000:01:00.0", 1, 0, 0, A)), 0),
    ((bridge(A, 0, 1, 2), bridge(B, 0, 2, 2)), 1),
    ((bridge(A, 0, 1, 1), bridge("0000:01:00.0", 1, 2, 2, A)), 1),
    ((bridge(A, 0, 3, 2),), 1),
    ((bridge("0000:05:00.0", 4, 6, 6),), 1),
])
def test_bus_numbers(devs, count):
    """Bus numbers given twice, outside the parent, reversed, wrong primary"""
    got = pci.bus_problems(devices(*devs))
    assert bool(got) == bool(count), got


def endpoint(start, register, flags=0x40200, name="0000:00:03.0", size=0x1000):
    config = bytearray(256)
    struct.pack_into("<I", config, 0x10, register)
    return pci.Device(name, {
        "config": config.hex(), "path": f"../../devices/pci0000:00/{name}",
        "resource": f"{start:#x} {start + size - 1:#x} {flags:#x}\n"})


def test_resources():
    """BARs without address, with another in the register, or in each other's way"""
    fine = endpoint(0xfe000000, 0xfe000000)
    assert pci.resource_problems(devices(fine)) == []
    assert pci.resource_problems(devices(endpoint(0, 0, 0x40200 | pci.UNSET)))
    assert pci.resource_problems(devices(endpoint(0xfe000000, 0xfd000000)))
    assert pci.resource_problems(devices(fine, endpoint(0xfe000800, 0xfe000800,
                                                        name="0000:00:04.0")))
    below = endpoint(0xfe000000, 0xfe000000, name="0000:01:00.0")
    below.parent = A
    assert pci.resource_problems(devices(bridge(A, 0, 1, 1), below))


def test_emulator_knows_better():
    """A BAR that the kernel has forgotten is noticed"""
    dev = endpoint(0xfe000000, 0xfe000000)

    def qmp(_):
        return [{"devices": [{"bus": 0, "slot": 3, "function": 0, "regions": [
            {"bar": 0, "size": 0x1000, "type": "memory"},
            {"bar": 2, "size": 0x4000000, "type": "memory"}]}]}]
    got = pci.emulator_problems(qmp, devices(dev))
    assert len(got) == 1 and "BAR 2" in got[0]


@pytest.mark.parametrize("line, bad", [
    ("[    1.0] BUG: kernel NULL pointer dereference, address: 00000000000000da", True),
    ("[    1.0] WARNING: CPU: 0 PID: 1 at drivers/pci/bus.c:1 x+0x1/0x2", True),
    ("[    1.0] WARNING: possible circular locking dependency detected", True),
    ("[  121.0] INFO: task kworker/0:1:9 blocked for more than 120 seconds.", True),
    ("[    1.0] refcount_t: underflow; use-after-free.", True),
    ("[    1.0] BUG: KASAN: slab-use-after-free in pci_get_slot+0x1", True),
    ("[    1.0] kmemleak: 3 new suspected memory leaks (see /sys/kernel/debug/kmemleak)", True),
    ("[    1.0] pci 0000:00:01.0: BAR 0 [mem 0xfe000000-0xfe000fff]: assigned", False),
    ("[    1.0] DEBUG: nothing to see", False),
])
def test_console(line, bad):
    """Bad lines are found, others are not"""
    assert bool(console.problems(line)) == bad


def test_growth():
    """A leak of one device structure per cycle is found, noise is not"""
    assert not grown({"a": 4096}, {"a": 8192}, 10)
    assert grown({"kmalloc-4k": 40960}, {"kmalloc-4k": 40960 + 4096 * 10}, 10)


def test_refusal_lines():
    """What counts as a clear refusal"""
    assert checks.REFUSAL.search("pci 0000:01:00.0: No bus number available for hot-added bridge")
    assert not checks.REFUSAL.search("pci 0000:01:00.0: BAR 0: assigned")
    with pytest.raises(Bad):
        checks.none(["x"], "y")


class Moving:
    """As much of a guest as move.State looks at: one device with a BAR of 16 KiB."""

    class Machine:
        arch = "x86_64"

    machine = Machine()

    def __init__(self, at, mapped=None, claimed=None, typed=None, more="", driver="nvme"):
        self.at, self.driver = at, driver
        self.files = {
            "/proc/iomem": f"c0000000-febfffff : PCI Bus 0000:00\n"
                           f"  {at:08x}-{at + 0x3fff:08x} : 0000:00:03.0\n"
                           f"    {claimed or at:08x}-{(claimed or at) + 0x3fff:08x} : nvme\n",
            "/proc/ioports": "0000-0cf7 : PCI Bus 0000:00\n  0000-001f : dma1\n",
            "/proc/vmallocinfo":
                "0x0000000012345678-0x0000000012345679   12288 nvme_remap_bar+0x65/0xb0 "
                f"phys={mapped or at:#018x} ioremap\n"
                "0x0000000012345678-0x0000000012345679   16384 n_tty_open+0x14/0xa0 pages=3 vmalloc\n"
                + more,
            "/sys/kernel/debug/x86/pat_memtype_list":
                f"PAT memtype list:\nPAT: [mem {typed or at:#018x}-{(typed or at) + 0x2000:#018x}] "
                "uncached-minus\n",
        }
        self.agent = self

    def read(self, path):
        return self.files[path]

    def pci(self):
        dev = endpoint(self.at, self.at, size=0x4000)
        dev.driver = self.driver
        return devices(dev)


OLD, NEW = 0xfe000000, 0xfd000000
MOVED = ("[    9.1] nvme 0000:00:03.0: BAR 0 [mem 0xfd000000-0xfd003fff 64bit]: moved from "
         "[mem 0xfe000000-0xfe003fff 64bit], stopped for 123 us\n")


def state(*args, **kw):
    return move.State(Moving(*args, **kw))


def test_move_accepts():
    """A BAR that has moved with its mapping, its claim, its memory type, and a line in the log"""
    assert move.lines(MOVED) == [("0000:00:03.0", 0, (NEW, NEW + 0x3fff), (OLD, OLD + 0x3fff), 123)]
    assert list(move.check(state(OLD), state(NEW), MOVED)) == [("0000:00:03.0", 0)]
    assert move.check(state(OLD), state(OLD), "", least=0) == {}
    # Who is not in use can be told of, or not.
    move.check(state(OLD, driver=None), state(NEW, driver=None), "", least=0)


@pytest.mark.parametrize("after, text", [
    (state(NEW, mapped=OLD), MOVED),
    (state(NEW, claimed=OLD), MOVED),
    (state(NEW, typed=OLD), MOVED),
    (state(NEW, mapped=NEW + 0x1000), MOVED),
    (state(NEW, more="0x1-0x2 8192 left+0x1/0x2 phys=0x00000000fe000000 ioremap\n"), MOVED),
    (state(NEW, more="0x1-0x2 8192 new+0x1/0x2 phys=0x00000000fd001000 ioremap\n"), MOVED),
    (state(NEW), ""),
    (state(NEW), MOVED + MOVED),
    (state(NEW), MOVED.replace("0xfe000000-0xfe003fff", "0xfb000000-0xfb003fff")),
    (state(OLD), MOVED),
    (state(OLD), ""),
], ids=("mapping", "claim", "type", "offset", "left", "more", "silent", "twice", "other", "not",
        "nothing"))
def test_move_refuses(after, text):
    """What has stayed behind, what is left over, moves that the log has not or has too often"""
    with pytest.raises(Bad):
        move.check(state(OLD), after, text)


PORTS = ("[    9.2] e1000 0000:00:03.0: BAR 0 [io  0x4400-0x443f]: moved from [io  0xdc00-0xdc3f], "
         "stopped for 123 us\n")


def ports(at, claimed=None):
    """A device with I/O ports in the middle of a page, as /proc/ioports and sysfs have them."""
    guest = Moving(0xfe000000)
    guest.files = dict.fromkeys(guest.files, "")
    claimed = claimed or at
    guest.files["/proc/ioports"] = ("0d00-ffff : PCI Bus 0000:00\n"
                                    f"  {at:04x}-{at + 0x3f:04x} : 0000:00:03.0\n"
                                    f"    {claimed:04x}-{claimed + 0x3f:04x} : e1000\n")
    dev = endpoint(at, at | 1, flags=0x40101, size=0x40)
    dev.driver = "e1000"
    guest.pci = lambda: devices(dev)
    return move.State(guest)


def test_move_ports():
    """I/O ports that have moved with their claim, or without"""
    assert move.lines(PORTS) == [("0000:00:03.0", 0, (0x4400, 0x443f), (0xdc00, 0xdc3f), 123)]
    assert list(move.check(ports(0xdc00), ports(0x4400), PORTS)) == [("0000:00:03.0", 0)]
    for after, text in ((ports(0x4400, claimed=0xdc00), PORTS), (ports(0x4400), PORTS + PORTS),
                        (ports(0xdc00), PORTS)):
        with pytest.raises(Bad):
            move.check(ports(0xdc00), after, text, least=0)


def test_move_log():
    """Refusals with their reasons; complaints of drivers"""
    text = (
        "[   1.0] nvme 0000:01:00.0: BAR 0 [mem 0xa0000000-0xa000ffff]: can't move: mapped by user "
        "space\n"
        "[   1.1] pci 0000:02:02.0: BAR 2 has no address: need 0x80000000 64-bit pref, have 0x100000 "
        "on bus 0000:02; 0000:02:01.0 BAR 4 [mem 0xfea00000-0xfea03fff 64bit pref], in use by "
        "pci-stub, does not move: its driver takes no part: remove it and rescan\n")
    assert [(dev, why) for dev, _, why in move.refusals(text)] == [
        ("0000:01:00.0", "mapped by user space"), ("0000:02:01.0", "its driver takes no part")]
    assert [m[1] for m in move.NO_ADDRESS.finditer(text)] == ["0000:02:02.0"]
    move.quiet(text + MOVED + "[ 2.0] pcieport 0000:00:01.0: pciehp: Slot(1): Link Up\n")
    for bad in ("nvme nvme0: I/O tag 1 (0001) opcode 0x2 (Read) QID 1 timeout, aborting",
                "nvme nvme0: controller is down; will reset: CSTS=0x3",
                "e1000e 0000:01:00.0 eth0: Reset adapter unexpectedly",
                "e1000e 0000:01:00.0 eth0: Detected Hardware Unit Hang:",
                "I/O error, dev vda, sector 8 op 0x1:(WRITE) flags 0x800",
                "ata7.00: exception Emask 0x0 SAct 0x1 SErr 0x0 action 0x6 frozen",
                "x86/PAT: init:1 freeing invalid memtype [mem 0xfe000000-0xfe003fff]",
                "resource: Trying to free nonexistent resource <00000000fe000000-00000000fe003fff>"):
        with pytest.raises(Bad):
            move.quiet(bad)


def test_move_differences():
    """A bit in a register, an address in a list, a device that has come"""
    old = {"0000:00:03.0": "00112233", "iomem": ["a", "b"]}
    assert move.differences(old, dict(old)) == []
    for change in ({"0000:00:03.0": "00112232"}, {"iomem": ["a"]}, {"0000:00:04.0": "00"}):
        assert len(move.differences(old, {**old, **change})) == 1
    assert move.differences(old, {"iomem": ["a", "b"]})
