# SPDX-License-Identifier: GPL-2.0
"""Many at once, over and over, and gone in the middle."""

import errno
import random
import re
import socket
import time

import pytest

from harness import checks, config, pci, topo
from harness.links import Refused
from harness.vm import Bad


def jobs_end(vm, names, timeout):
    for name in names:
        vm.wait(f"job {name} to end", lambda name=name: vm.agent("job", "status", name)["finished"],
                timeout)
        got = vm.agent("job", "status", name)
        if got["errors"]:
            raise Bad(f"job {name}: {got['errors']} errors ({got['last_error']})")
        if not got["writes"]:
            raise Bad(f"job {name} did nothing")
        vm.agent("job", "forget", name)


@pytest.mark.compare
@pytest.mark.parametrize("machine", ["q35-native", "q35-acpi", "virt-dt", "virt-acpi"])
def test_parallel(boot, machine):
    """Rescan, remove and hot-add from several processes at once"""
    vm = boot(machine, disks=["d0"], devices=[
        "virtio-blk-pci,id=live,bus=pcie.0,drive=d0", "x3130-upstream,id=up,bus=rp3",
        "xio3130-downstream,id=dn0,bus=up,chassis=20,slot=20",
        "xio3130-downstream,id=dn1,bus=up,chassis=21,slot=21",
        "virtio-rng-pci,id=r0,bus=dn0", "e1000e,id=e0,bus=dn1"])
    boot_devs = vm.pci()
    live = [d.name for d in boot_devs.values() if d.driver == "virtio-pci" and d.bus == 0][0]
    up = [d.name for d in boot_devs.values() if d.id == topo.IDS["x3130-upstream"]][0]
    rng = [d.name for d in boot_devs.values() if d.driver == "virtio-pci" and d.bus][0]
    vm.load_start("live", vm.block_name(live), workers=1)
    dev = "/sys/bus/pci/devices"
    vm.agent("job", "start", "scan1", 30, 2000, "/sys/bus/pci/rescan=1")
    vm.agent("job", "start", "scan2", 30, 3000, f"{dev}/{boot_devs[up].parent}/rescan=1")
    vm.agent("job", "start", "rm1", 12, 5000, f"{dev}/{rng}/remove=1", "/sys/bus/pci/rescan=1")
    vm.agent("job", "start", "rm2", 8, 7000, f"{dev}/{up}/remove=1", "/sys/bus/pci/rescan=1")
    for i in range(4):
        vm.plug(f"e1000e,id=hot{i},bus=rp1", slot=1)
        vm.wait_device(lambda d: d.bus == 1, timeout=40, driver="e1000e")
        vm.unplug(f"hot{i}", 1, timeout=60)
        vm.wait("the card to go", lambda: not any(d.bus == 1 for d in vm.pci().values()), 40)
    jobs_end(vm, ["scan1", "scan2", "rm1", "rm2"], 120)
    vm.rescan()
    vm.wait_bound({n: d.driver for n, d in boot_devs.items()}, timeout=40)
    vm.settle()
    vm.load_verify("live")
    checks.resource_map(vm)


class Puller:
    """Takes a card out by switching the port off behind the kernel's back.

    The emulator is stopped, the port's Slot Control register is written
    through the ECAM with the qtest protocol, and the emulator goes on: from
    then on the card's config space reads as ones, wherever the kernel was.
    """

    SLTCTL = 0x18
    POWER = 0x0700      # power controller and power indicator
    ON, OFF = 0x0100, 0x0700

    def __init__(self, vm, sock):
        self.vm = vm
        self.sock = sock
        text = vm.agent.read("/proc/iomem")
        m = re.search(r"([0-9a-f]+)-[0-9a-f]+ : PCI (?:ECAM|MMCONFIG)", text)
        if not m:
            raise Bad("no ECAM in /proc/iomem")
        self.ecam = int(m[1], 16)

    def _do(self, text):
        self.sock.sendall(text.encode() + b"\n")
        reply = b""
        while not reply.endswith(b"\n"):
            reply += self.sock.recv(4096)
        if not reply.startswith(b"OK"):
            raise Bad(f"qtest: {text}: {reply!r}")
        return reply

    def pull(self, port, cap):
        bus, slot, fn = (int(x, 16) for x in re.split("[:.]", port[5:]))
        at = self.ecam + (bus << 20) + (slot << 15) + (fn << 12) + cap + self.SLTCTL
        self.vm.qmp("stop")
        value = int(self._do(f"readw {at:#x}").split()[1], 16)
        # The port lets go of the card when it is switched from on to off;
        # what the kernel had set comes back, it has not switched anything.
        for power in (self.ON, self.OFF, value & self.POWER):
            self._do(f"writew {at:#x} {(value & ~self.POWER) | power:#x}")
        self.vm.qmp("cont")


@pytest.fixture
def puller(boot):
    near, far = socket.socketpair()
    near.settimeout(30)

    def make(machine, **kw):
        extra = ["-chardev", f"socket,id=qt,fd={far.fileno()}",
                 "-object", "qtest,id=qtest0,chardev=qt,log=none"]
        vm = boot(machine, extra=extra, pass_fds=(far.fileno(),), **kw)
        return vm, Puller(vm, near)
    yield make
    near.close()
    far.close()


def surprise(puller, machine, rounds, seed):
    # A command to a controller that is gone has to time out first.
    vm, pull = puller(machine, disks=["d0"], append="nvme_core.admin_timeout=3",
                      devices=["virtio-blk-pci,id=live,bus=pcie.0,drive=d0"])
    before = vm.pci()
    port = [d.name for d in before.values() if d.id == topo.IDS["rp"]][0]
    at = pci.capability(before[port], 0x10)
    live = [d.name for d in before.values() if d.driver == "virtio-pci"][0]
    vm.load_start("live", vm.block_name(live), workers=1)
    rng = random.Random(seed)
    cards = ["nvme,id=c{i},bus=rp1,serial=s{i}", "e1000e,id=c{i},bus=rp1",
             "qemu-xhci,id=c{i},bus=rp1"]
    for i in range(rounds):
        vm.add(cards[i % len(cards)].format(i=i))
        # pciehp looks for the card some 100 ms after the event; spread around.
        time.sleep(rng.uniform(0.0, 0.5))
        pull.pull(port, at)
        vm.wait_unplugged(f"c{i}")
        vm.wait("the port to be empty again",
                lambda: not any(d.bus == 1 for d in vm.pci().values()), 60)
        vm.check_console()
    vm.load_verify("live")
    vm.rescan()
    if set(vm.pci()) != set(before):
        raise Bad("other devices than before")
    # The slot still works. A button event left over from a pull may cancel the
    # request, or make the kernel switch the slot off, which ejects the card.
    last = []

    def on():
        if not last or not vm.plugged(last[-1]):
            last.append(f"last{len(last)}")
            vm.plug(f"e1000e,id={last[-1]},bus=rp1", slot=1)
        if vm.agent.read("/sys/bus/pci/slots/1/power").strip() == "0":
            try:
                vm.slot_power(1, True)
            except Refused as err:
                if err.errno != errno.ENODEV:
                    raise
        return any(d.bus == 1 and d.driver == "e1000e" for d in vm.pci().values())
    vm.wait("the last card to work", on, 40, step=1)
    checks.resource_map(vm)


@pytest.mark.compare
@pytest.mark.parametrize("machine", ["q35-native", "virt-dt", "virt-acpi"])
def test_surprise_removal(puller, machine):
    """Surprise removal in the middle of enumeration"""
    surprise(puller, machine, 9, 1)


@pytest.mark.deep
@pytest.mark.parametrize("machine", ["q35-native", "virt-acpi"])
def test_surprise_removal_many(puller, machine):
    """Surprise removal in the middle of enumeration, 120 times"""
    surprise(puller, machine, 120, 2)


# Path names being looked up right now; and what processes are made of, which an
# instrumented kernel gives back late.
PASSING = {"names_cache"}
PROCESSES = {"task_struct", "mm_struct", "signal_cache", "sighand_cache", "files_cache",
             "fs_cache", "pid", "cred_jar", "vm_area_struct", "anon_vma", "anon_vma_chain"}


def slab(vm):
    """Bytes in use per slab cache."""
    passing = PASSING | (PROCESSES if config.variant() == "debug" else set())
    # Objects on a CPU's own slabs count as used; shrinking takes these in.
    caches = [f"/sys/kernel/slab/{name}/shrink=1" for name in vm.agent.ls("/sys/kernel/slab")]
    for at in range(0, len(caches), 48):
        vm.agent("job", "start", "shrink", 1, 0, *caches[at:at + 48])
        jobs_end(vm, ["shrink"], 60)
    out = {}
    for line in vm.agent.read("/proc/slabinfo", limit=60).splitlines()[2:]:
        words = line.split()
        if words[0] in passing:
            continue
        out[words[0]] = int(words[1]) * int(words[3])
    return out


def grown(before, after, count):
    """Caches that have grown by more than noise; a pci_dev is some 4 KiB."""
    return {k: v - before.get(k, 0) for k, v in after.items()
            if v - before.get(k, 0) > 16384 + 512 * count}


def snapshot(vm):
    vm.agent.write("/proc/sys/vm/drop_caches", "3", limit=60)
    find = [p for host in vm.host_bridges() for p in vm.agent("find", host, limit=60)
            # Numbered anew by their own subsystems.
            if not re.search(r"/(virtio\d+|usb\d+|nvme/|net/|wakeup\d*|hwmon|input)", p)]
    return {
        "iomem": vm.agent.read("/proc/iomem").splitlines(),
        "ioports": vm.agent.read("/proc/ioports").splitlines(),
        "sysfs": sorted(find),
        "slots": sorted(vm.agent.ls("/sys/bus/pci/slots")),
        "proc": sorted(vm.agent("find", "/proc/bus/pci")),
        "buses": sorted(vm.agent.ls("/sys/class/pci_bus")),
    }


def cycles(boot, machine, count):
    if config.variant() == "debug":
        # An instrumented kernel is slow. On pc, whose _PRT is a loop of AML, it
        # takes half a minute each time an interrupt is routed.
        count = min(count, 4 if machine == "pc" else 20)
    vm = boot(machine, disks=["d0", "hot"],
              devices=["virtio-blk-pci,id=live,drive=d0,bus="
                       + ("pci.0" if machine == "pc" else "pcie.0")])
    bus, slot = vm.machine.ports[0], 1
    before = vm.pci()
    live = [d.name for d in before.values() if d.driver == "virtio-pci"][0]
    # An instrumented kernel under that load frees processes too late for slab().
    vm.load_start("live", vm.block_name(live), workers=1,
                  pause_us=100_000 if config.variant() == "debug" else 5000)

    def cycle(i):
        cards = (f"virtio-blk-pci,id=h{i},bus={bus},drive=hot", f"e1000e,id=h{i},bus={bus}")
        vm.plug(cards[i % 2], slot=slot)
        dev = vm.wait_device(lambda d: d.name not in before, timeout=40,
                             driver=("virtio-pci", "e1000e")[i % 2])
        vm.unplug(f"h{i}", slot, timeout=60)
        vm.wait("the card to go", lambda: dev.name not in vm.pci(), 40)

    # Two cycles first: caches that are made once are no leak.
    for i in range(2):
        cycle(i)
    vm.settle()
    first, slab_first = snapshot(vm), slab(vm)
    for i in range(2, 2 + count):
        cycle(i)
    vm.settle()
    vm.load_moves("live")
    vm.load_verify("live")
    time.sleep(1)
    last, slab_last = snapshot(vm), slab(vm)
    for what in first:
        if first[what] != last[what]:
            gone = [x for x in first[what] if x not in last[what]]
            new = [x for x in last[what] if x not in first[what]]
            raise Bad(f"{what} differs after {count} cycles: gone {gone[:8]}, new {new[:8]}")
    leak = grown(slab_first, slab_last, count)
    if leak:
        raise Bad(f"slab caches have grown over {count} cycles, bytes: {leak}")
    checks.resource_map(vm)


@pytest.mark.compare
@pytest.mark.parametrize("machine", ["q35-native", "pc", "virt-dt", "virt-acpi"])
def test_cycles(boot, machine):
    """10 hot-add and hot-remove cycles under disk load leave everything as it was"""
    cycles(boot, machine, 10)


@pytest.mark.deep
@pytest.mark.compare
@pytest.mark.parametrize("machine", ["q35-native", "q35-acpi", "pc", "virt-dt", "virt-acpi"])
def test_many_cycles(boot, machine):
    """200 hot-add and hot-remove cycles under disk load leave everything as it was"""
    cycles(boot, machine, 200)
