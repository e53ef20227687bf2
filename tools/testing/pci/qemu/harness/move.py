# SPDX-License-Identifier: GPL-2.0
"""Resources of live devices that move: what the kernel says, and what must be left of it.

A move changes where a BAR is and nothing else. What the guest has mapped and
claimed is therefore looked at relative to the BARs: the same before and after.
"""

import collections
import re

from . import checks, pci
from .echo import GUEST, HOST, NETMASK
from .links import Refused
from .vm import Bad

_RANGE = r"\[(?:mem|io ) (0x[0-9a-f]+)-(0x[0-9a-f]+)[^]]*\]"
MOVED = re.compile(rf"(\w{{4}}:\w\w:\w\w\.\w): (BAR \d+|ROM|VF BAR \d+) {_RANGE}: moved from "
                   rf"{_RANGE}, stopped for (\d+) us")
# Found out when it was to move; and known before, told with what has no address then.
CANT = re.compile(r"(\w{4}:\w\w:\w\w\.\w): (?:(.*): )?can't move: (.*?)(?: \(-\d+\))?\s*$", re.M)
STAYS = re.compile(r"has no address: .*; (\w{4}:\w\w:\w\w\.\w) (.*?)(?:, in use by \S+)?, "
                   r"does not move: (.*?)(?:: remove it.*)?$", re.M)
NO_ADDRESS = re.compile(r"(\w{4}:\w\w:\w\w\.\w): (.*) has no address")

# What drivers say when their device does not answer as it should.
LOUD = re.compile(
    r"time-?d? ?out|I/O error|abort|reset (?:controller|adapter|done)|resetting|Reset adapter|"
    r"[Hh]ang\b|link is down|nonexistent|AER: |x86/PAT|controller is down|frozen|Hardware Error|"
    r"not responding|can't be put back|refused to change power", re.I)

Line = collections.namedtuple("Line", "dev bar new old us")


def lines(text):
    """What the kernel says it has moved, in order."""
    out = []
    for m in MOVED.finditer(text):
        kind = m[2].rsplit(" ", 1)
        bar = 6 if m[2] == "ROM" else int(kind[1]) + (7 if kind[0] == "VF BAR" else 0)
        out.append(Line(m[1], bar, (int(m[3], 16), int(m[4], 16)), (int(m[5], 16), int(m[6], 16)),
                        int(m[7])))
    return out


def refusals(text):
    """(device, what, why) of what could not move."""
    return [(m[1], m[2], m[3].strip())
            for m in [*CANT.finditer(text), *STAYS.finditer(text)]]


def quiet(text):
    checks.none([line.strip() for line in text.splitlines() if LOUD.search(line)], "in the log")


_CLAIM = re.compile(r"^( *)([0-9a-f]+)-([0-9a-f]+) : (.*)$")
_VMALLOC = re.compile(r"^\S+\s+(\d+) (\S+?)(?:\+\S*)? .*\bphys=(0x[0-9a-f]+).*\bioremap")
_PAT = re.compile(r"\[mem (0x[0-9a-f]+)-(0x[0-9a-f]+)\] (\S+)")
_NAME = re.compile(r"\w{4}:\w\w:\w\w\.\w")
PAGE = 4096


class State:
    """Where BARs are; and what is mapped and claimed in them, relative to where they are."""

    def __init__(self, vm):
        self.devs = vm.pci()
        # powerpc has its own numbers of I/O ports in sysfs.
        ports = vm.machine.arch != "ppc64le"
        self.bars = {}
        for d in self.devs.values():
            for r in d.bars() + ([d.rom()] if d.rom() else []) + d.vf_bars():
                if r.assigned and (ports or not r.flags & pci.IO):
                    self.bars[d.name, r.index] = r
        self.places = [(bool(r.flags & pci.IO), r.start & -self._page(r), r.end | self._page(r) - 1,
                        key) for key, r in self.bars.items()]
        self.windows = []
        # (device, BAR) -> what is in there: claims, mappings, memory types
        self.inside = collections.defaultdict(list)
        self.strays = []
        self._claims(vm.agent.read("/proc/iomem"), False)
        if ports:
            self._claims(vm.agent.read("/proc/ioports"), True)
        self._mappings(vm.agent.read("/proc/vmallocinfo"))
        try:
            self._memtypes(vm.agent.read("/sys/kernel/debug/x86/pat_memtype_list"))
        except Refused as err:
            if err.errno != 2 or vm.machine.arch == "x86_64":
                raise
        for what in self.inside.values():
            what.sort()

    @staticmethod
    def _page(r):
        """The least that is mapped of a BAR; nothing of I/O ports is."""
        return 1 if r.flags & pci.IO else PAGE

    def _find(self, start, io):
        for is_io, first, last, key in self.places:
            if is_io == io and first <= start <= last:
                return key
        return None

    def _encloses(self, start, end, io):
        """A host bridge's window has a name of its own if no firmware describes it."""
        return any(bool(r.flags & pci.IO) == io and start <= r.start and r.end <= end
                   and r.size < end - start + 1 for r in self.bars.values())

    def _in_window(self, start, io):
        return any(is_io == io and first <= start <= last for is_io, first, last in self.windows)

    def _put(self, what, start, size, name, io=False):
        key = self._find(start, io)
        if key:
            r = self.bars[key]
            self.inside[key].append((what, start - (r.start & -self._page(r)), size, name))
        elif self._in_window(start, io):
            self.strays.append(f"{what} {start:#x} {size:#x} {name}")

    def _claims(self, text, io):
        for line in text.splitlines():
            m = _CLAIM.match(line)
            if not m:
                continue
            start, end, name = int(m[2], 16), int(m[3], 16), m[4]
            if name.startswith("PCI Bus ") or self._encloses(start, end, io):
                self.windows.append((io, start, end))
            elif _NAME.fullmatch(name):
                key = self._find(start, io)
                r = self.bars.get(key)
                if not r or key[0] != name or (r.start, r.end) != (start, end):
                    self.strays.append(f"{'ioports' if io else 'iomem'} {start:#x}-{end:#x} {name}")
            else:
                self._put("claim", start, end - start + 1, name, io)

    def _mappings(self, text):
        for line in text.splitlines():
            m = _VMALLOC.match(line)
            if m:
                self._put("mapping", int(m[3], 16), int(m[1]), m[2])

    def _memtypes(self, text):
        for m in _PAT.finditer(text):
            start, end = int(m[1], 16), int(m[2], 16)
            self._put("memory type", start, end - start, m[3])


def moved_bars(before, after):
    """(device, BAR) -> (old, new) of what is elsewhere now."""
    out = {}
    for key, old in before.bars.items():
        new = after.bars.get(key)
        if new and (new.start, new.end) != (old.start, old.end):
            out[key] = ((old.start, old.end), (new.start, new.end))
    return out


def check(before, after, text, least=1):
    """The log tells of each move once; mappings and claims have come along, none is left."""
    moved = moved_bars(before, after)
    said = collections.Counter((x.dev, x.bar, x.old, x.new) for x in lines(text))
    bound = {key: places for key, places in moved.items() if before.devs[key[0]].driver}
    wrong = [f"{dev} BAR {bar} was moved to {new[0]:#x} and the log says so "
             f"{said[dev, bar, old, new]} times"
             for (dev, bar), (old, new) in bound.items()
             # The address of a ROM that is off is not in use.
             if bar != 6 and said[dev, bar, old, new] != 1]
    wrong += [f"{dev} BAR {bar} is said to have moved from {old[0]:#x} to {new[0]:#x}"
              for dev, bar, old, new in said
              if moved.get((dev, bar)) != (old, new)]
    for key in before.bars:
        if key not in after.bars:
            wrong.append(f"{key[0]} BAR {key[1]} has lost its address")
        elif before.inside.get(key, []) != after.inside.get(key, []):
            wrong.append(f"in {key[0]} BAR {key[1]}: {before.inside.get(key, [])} before, "
                         f"{after.inside.get(key, [])} after")
    wrong += [f"left over: {x}" for x in after.strays if x not in before.strays]
    checks.none(wrong, "move")
    if len(bound) < least:
        raise Bad(f"{len(bound)} BARs in use were moved, at least {least} had to")
    return bound


def config_space(vm, name):
    """In hex, without the bit of the status register that tells of an interrupt under way."""
    text = vm.agent("config", name, 0, 4096)
    return f"{text[:12]}{int(text[12:14], 16) & ~0x08:02x}{text[14:]}"


def registers(vm):
    """All config space, and who has which addresses: the state that a refusal must not change."""
    out = {name: config_space(vm, name) for name in vm.agent.ls("/sys/bus/pci/devices")}
    for name in ("iomem", "ioports"):
        out[name] = vm.agent.read(f"/proc/{name}").splitlines()
    return out


def differences(before, after):
    wrong = []
    for name in sorted({*before, *after}):
        old, new = before.get(name), after.get(name)
        if old == new:
            continue
        if old is None or new is None:
            wrong.append(f"{name} has {'come' if old is None else 'gone'}")
        elif isinstance(old, list):
            wrong.append(f"/proc/{name}: gone {[x for x in old if x not in new][:6]}, "
                         f"new {[x for x in new if x not in old][:6]}")
        else:
            at = [i // 2 for i in range(0, len(old), 2) if old[i:i + 2] != new[i:i + 2]]
            wrong.append(f"{name}: config space differs at {', '.join(f'{i:#x}' for i in at[:8])}")
    return wrong


class Disk:
    """Verified load on the disk of a device."""

    def __init__(self, vm, dev, blocks=512):
        self.vm, self.dev, self.name, self.blocks = vm, dev, dev, blocks

    def start(self):
        self.vm.load_start(self.name, self.vm.block_name(self.dev), self.blocks, pause_us=500)
        self.goes_on()

    def goes_on(self, ops=30):
        self.vm.load_moves(self.name, ops, timeout=30)

    def verify(self):
        return self.vm.load_verify(self.name)


class Net:
    """Verified transfers with the echo server through a network card."""

    def __init__(self, vm, dev, echo):
        self.vm, self.dev, self.echo, self.name = vm, dev, echo, dev

    def start(self):
        iface = self.vm.wait(f"the interface of {self.dev}", self.interface)
        self.vm.agent("net", "up", iface, GUEST, NETMASK)
        self.vm.wait("the link", lambda: self.vm.agent.read(
            f"/sys/class/net/{iface}/operstate").strip() == "up", 30)
        self.vm.agent("net", "start", self.name, HOST, self.echo.port, 2)
        self.goes_on()

    def interface(self):
        try:
            return sorted(self.vm.agent.ls(f"/sys/bus/pci/devices/{self.dev}/net"))[0]
        except Refused:
            return None             # not bound yet

    def status(self):
        return self.vm.agent("net", "status", self.name)

    def goes_on(self, blocks=64):
        before = self.status()["blocks"]
        self.vm.wait(f"transfers through {self.dev} to go on",
                     lambda: self.status()["blocks"] >= before + blocks, 30)

    def verify(self):
        self.vm.agent("net", "stop", self.name)
        self.vm.wait("transfers to end", lambda: self.status()["finished"] ==
                     self.status()["workers"], 60)
        s = self.status()
        self.vm.agent("net", "forget", self.name)
        if s["bad"] or s["errors"]:
            raise Bad(f"network load {self.name}: {s['bad']} bad blocks, {s['errors']} errors "
                      f"({s['last_error']})")
        if s["blocks"] < 64:
            raise Bad(f"network load {self.name}: only {s['blocks']} blocks")
        return s


class Usb:
    """Control transfers to a USB device: it is given the same configuration again and again."""

    def __init__(self, vm, dev):
        self.vm, self.dev, self.name = vm, dev, dev

    def device(self):
        at = f"/sys/bus/pci/devices/{self.dev}"
        for bus in self.vm.agent.ls(at):
            if re.fullmatch(r"usb\d+", bus):
                for name in self.vm.agent.ls(f"{at}/{bus}"):
                    if re.fullmatch(r"\d+-\d+", name):
                        return name
        return None

    def start(self):
        name = self.vm.wait("a USB device", self.device)
        self.vm.agent("job", "start", self.name, 0, 1000,
                      f"/sys/bus/usb/devices/{name}/bConfigurationValue=1")
        self.goes_on()

    def status(self):
        return self.vm.agent("job", "status", self.name)

    def goes_on(self, transfers=20):
        before = self.status()["writes"]
        self.vm.wait(f"transfers through {self.dev} to go on",
                     lambda: self.status()["writes"] >= before + transfers, 30)

    def verify(self):
        self.vm.agent("job", "stop", self.name)
        self.vm.wait("transfers to end", lambda: self.status()["finished"])
        s = self.status()
        self.vm.agent("job", "forget", self.name)
        if s["errors"] or s["missing"]:
            raise Bad(f"USB load: {s['errors']} errors ({s['last_error']}), {s['missing']} missing")
        return s
