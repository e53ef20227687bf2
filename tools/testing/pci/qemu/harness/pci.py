# SPDX-License-Identifier: GPL-2.0
"""The guest's PCI devices as its sysfs shows them, and what must hold there."""

import dataclasses
import re
import struct

IO, MEM, PREFETCH, MEM_64 = 0x100, 0x200, 0x2000, 0x100000
DISABLED, UNSET = 0x10000000, 0x20000000
FIXED = 0x10
ROM = 6

# Attributes that belong to the device itself and exist from the first moment.
COMMON_FILES = ("config", "resource", "vendor", "device", "subsystem_vendor",
                "subsystem_device", "revision", "class", "irq", "modalias", "enable",
                "local_cpus", "local_cpulist", "broken_parity_status", "msi_bus", "rescan",
                "remove", "dma_mask_bits", "consistent_dma_mask_bits", "driver_override",
                "ari_enabled")


@dataclasses.dataclass
class Resource:
    index: int
    start: int
    end: int
    flags: int

    @property
    def size(self):
        return self.end - self.start + 1 if self.end or self.start else 0

    @property
    def used(self):
        return bool(self.flags & (IO | MEM)) and self.size > 0

    @property
    def assigned(self):
        return self.used and not self.flags & (UNSET | DISABLED) and self.start != 0

    @property
    def kind(self):
        return "io" if self.flags & IO else "pref" if self.flags & PREFETCH else "mem"

    def inside(self, other):
        return other.start <= self.start and self.end <= other.end

    def overlaps(self, other):
        return (bool(self.flags & IO) == bool(other.flags & IO) and
                self.start <= other.end and other.start <= self.end)


def parse_resource(text):
    out = []
    for i, line in enumerate(text.splitlines()):
        words = line.split()
        if len(words) == 3:
            out.append(Resource(i, *(int(w, 16) for w in words)))
    return out


class Device:
    def __init__(self, name, raw):
        self.name = name
        self.config = bytes.fromhex(raw.get("config") or "")
        self.resources = parse_resource(raw.get("resource") or "")
        self.files = raw.get("files") or {}
        self.driver = raw.get("driver")
        self.modalias = (raw.get("modalias") or "").strip()
        self.iommu_group = raw.get("iommu_group")
        self.path = path = raw.get("path") or raw.get("devpath") or ""
        above = path.rstrip("/").split("/")[-2:-1]
        # ".../pci0000:00/0000:00:01.0": the parent of a root device is no device.
        self.parent = above[0] if above and above[0].count(":") == 2 else None
        # Gives (start, end, address on the bus) of the host bridge's windows
        # that the CPU sees elsewhere than the bus does.
        self.moved = tuple
        # I/O ports: BARs for them have no address if the machine has none.
        self.ioports = True

    @property
    def domain(self):
        return self.name.split(":")[0]

    @property
    def bus(self):
        return int(self.name.split(":")[1], 16)

    def _u(self, fmt, off):
        size = struct.calcsize(fmt)
        part = self.config[off:off + size]
        return struct.unpack("<" + fmt, part)[0] if len(part) == size else 0

    @property
    def id(self):
        return f"{self._u('H', 0):04x}:{self._u('H', 2):04x}"

    @property
    def command(self):
        return self._u("H", 4)

    @property
    def cls(self):
        return self._u("I", 8) >> 8

    @property
    def is_vf(self):
        return "physfn" in self.files

    @property
    def is_bridge(self):
        return self._u("B", 0x0e) & 0x7f == 1

    @property
    def buses(self):
        """(primary, secondary, subordinate) from the bridge's registers."""
        return self._u("B", 0x18), self._u("B", 0x19), self._u("B", 0x1a)

    def bars(self):
        limit = 2 if self.is_bridge else 6
        return [r for r in self.resources[:limit]
                if r.used and (self.ioports or not r.flags & IO)]

    def rom(self):
        r = self.resources[ROM] if len(self.resources) > ROM else None
        return r if r and r.used else None

    def vf_bars(self):
        """What VFs have their BARs in, of a PF."""
        first = ROM + 1
        if self.is_bridge or len(self.resources) < first + 6:
            return []
        return [r for r in self.resources[first:first + 6] if r.used]

    def windows(self):
        """Bridge windows; where they are depends on SR-IOV being built in."""
        if not self.is_bridge:
            return []
        first = 13 if len(self.resources) >= 16 else 7
        return [r for r in self.resources[first:first + 3] if r.used]

    def programmed(self, res):
        """The register holds the resource's address, where there is a register."""
        # Legacy IDE ports and virtual functions have none of their own.
        if self.is_vf or res.flags & FIXED or res.index >= ROM:
            return True
        return self.bar_register(res.index) == self.bus_address(res)

    def bus_address(self, res):
        """What a resource's register holds: sysfs has the CPU's addresses."""
        for io, start, end, at in self.moved():
            if io == bool(res.flags & IO) and start <= res.start <= end:
                return res.start - start + at
        return res.start

    def bar_register(self, index):
        low = self._u("I", 0x10 + 4 * index)
        if low & 1:
            return low & ~3
        value = low & ~0xf
        if low & 6 == 4:
            value |= self._u("I", 0x14 + 4 * index) << 32
        return value


_ROOT_WINDOW = re.compile(
    r"pci_bus (\w+):\w+: root bus resource \[(mem|io) +0x(\w+)-0x(\w+)[^]]*\] "
    r"\(bus address \[0x(\w+)-")


def moved_windows(log, io):
    """Domain -> host bridge windows that are elsewhere on the bus, from the kernel's log.

    `io`: what sysfs has of I/O ports is moved as well.
    """
    out = {}
    for m in _ROOT_WINDOW.finditer(log):
        if m[2] == "mem" or io:
            out.setdefault(m[1], []).append(
                (m[2] == "io", *(int(v, 16) for v in m.groups()[2:])))
    return out


def devices(agent):
    return {name: Device(name, raw) for name, raw in sorted(agent("pci").items())}


def capability(dev, ident):
    """Offset of a capability in a device's config space; 0 when it has none."""
    at, seen = dev.config[0x34] & ~3, 0
    while at and seen < 48:
        if dev.config[at] == ident:
            return at
        at, seen = dev.config[at + 1] & ~3, seen + 1
    return 0


def children(devs, parent):
    return [d for d in devs.values() if d.parent == parent]


def required_files(dev):
    """Attribute files a device must have the moment it is announced."""
    want = [f for f in COMMON_FILES if not (dev.is_vf and f in ("rescan", "remove"))]
    for r in dev.bars():
        want.append(f"resource{r.index}")
        if r.flags & PREFETCH and r.flags & MEM:
            want.append(f"resource{r.index}_wc")
    if dev.rom():
        want.append("rom")
    if dev.is_bridge:
        want += ["secondary_bus_number", "subordinate_bus_number"]
    return want


def bus_problems(devs):
    """Bus numbers given twice, or outside the parent bridge's."""
    wrong = []
    spans = []
    for d in devs.values():
        if not d.is_bridge:
            continue
        pri, sec, sub = d.buses
        if not sec and not sub:
            continue                    # not set up: refused, not broken
        spans.append((d, sec, sub))
        if pri != d.bus:
            wrong.append(f"{d.name}: primary bus is {pri:02x}")
        if sub < sec or sec <= d.bus:
            wrong.append(f"{d.name}: buses [{sec:02x}-{sub:02x}] below bus {d.bus:02x}")
        parent = devs.get(d.parent)
        if parent:
            _, psec, psub = parent.buses
            if sec <= psec or sub > psub:
                wrong.append(f"{d.name}: buses [{sec:02x}-{sub:02x}] are outside "
                             f"{parent.name}'s [{psec:02x}-{psub:02x}]")
    for i, (d, sec, sub) in enumerate(spans):
        for e, esec, esub in spans[i + 1:]:
            if d.domain != e.domain or d.parent != e.parent:
                continue
            if sec <= esub and esec <= sub:
                wrong.append(f"{d.name} [{sec:02x}-{sub:02x}] and {e.name} "
                             f"[{esec:02x}-{esub:02x}] share bus numbers")
    return wrong


def resource_problems(devs, rom=True):
    """Addresses missing, outside the bridge's windows, doubled, or not programmed."""
    wrong = []
    placed = []
    for d in devs.values():
        bars = d.bars()
        if not d.is_bridge and rom and d.rom():
            bars = bars + [d.rom()]
        for r in bars:
            where = "ROM" if r.index == ROM else f"BAR {r.index}"
            if not r.assigned:
                wrong.append(f"{d.name}: {where} has no address")
                continue
            if not d.programmed(r):
                wrong.append(f"{d.name}: {where} register holds "
                             f"{d.bar_register(r.index):#x}, resource {r.start:#x}")
            placed.append((d, r))
        parent = devs.get(d.parent)
        if parent:
            windows = [w for w in parent.windows() if w.assigned]
            for r in [b for b in bars if b.assigned] + [w for w in d.windows() if w.assigned]:
                if not any(r.inside(w) and bool(r.flags & IO) == bool(w.flags & IO)
                           for w in windows):
                    wrong.append(f"{d.name}: [{r.start:#x}-{r.end:#x}] is in no window of "
                                 f"{parent.name}")

    def space(dev, res):
        # Host bridges may have ports of their own; sysfs has the bus's numbers.
        return dev.domain if res.flags & IO else ""
    placed.sort(key=lambda p: (space(*p), p[1].start))
    for (d, r), (e, s) in zip(placed, placed[1:]):
        if r.overlaps(s) and space(d, r) == space(e, s):
            wrong.append(f"{d.name} and {e.name} overlap at {s.start:#x}")
    return wrong


def emulator_problems(qmp, devs, skip=()):
    """BARs the emulated hardware has and the kernel has not placed.

    A kernel that gives up on a BAR forgets it in sysfs; only the emulator
    still knows that it exists.
    """
    wrong = []

    def walk(items, domain):
        for item in items:
            name = f"{domain}:{item['bus']:02x}:{item['slot']:02x}.{item['function']}"
            dev = devs.get(name)
            for region in item.get("regions", []):
                bar, size = region["bar"], region["size"]
                if bar == ROM or dev is None or name in skip:
                    continue
                if region.get("type") == "io" and not dev.ioports:
                    continue
                r = dev.resources[bar] if bar < len(dev.resources) else None
                if not r or r.size != size or not r.assigned:
                    wrong.append(f"{name}: BAR {bar} of {size:#x} has no address")
            walk(item.get("pci_bridge", {}).get("devices", []), domain)

    hosts = qmp("query-pci")
    several = {d.domain for d in devs.values()} != {"0000"}
    # The emulator has the host bridge that was made last first.
    for i, bus in enumerate(reversed(hosts)):
        walk(bus["devices"], f"{i if several else 0:04x}")
    return wrong


def tree(devs, width=100):
    """The resource map as indented text: bridges, windows, BARs."""
    out = []

    def size(n):
        for unit in ("", "K", "M", "G", "T"):
            if n < 1024 or n % 1024:
                return f"{n}{unit}"
            n //= 1024
        return f"{n}P"

    def show(dev, prefix, last):
        arm = "`-" if last else "|-"
        buses = ""
        if dev.is_bridge:
            _, sec, sub = dev.buses
            buses = f" -> bus {sec:02x}" + (f"-{sub:02x}" if sub != sec else "")
        out.append(f"{prefix}{arm} {dev.name[5:]} {dev.id} {dev.driver or '-'}{buses}"[:width])
        below = prefix + ("   " if last else "|  ")
        kids = children(devs, dev.name)
        for r in dev.windows():
            mark = "|" if kids else " "
            out.append(f"{below}{mark}    window {r.kind:4} {r.start:#012x}-{r.end:#012x} "
                       f"{size(r.size):>6}"[:width])
        for r in dev.bars():
            mark = "|" if kids else " "
            where = f"{r.start:#012x}-{r.end:#012x}" if r.assigned else "not assigned"
            out.append(f"{below}{mark}    BAR {r.index}  {r.kind:4} {where} "
                       f"{size(r.size):>6}"[:width])
        for i, kid in enumerate(kids):
            show(kid, below, i == len(kids) - 1)

    roots = [d for d in devs.values() if d.parent not in devs]
    for i, dev in enumerate(roots):
        show(dev, "", i == len(roots) - 1)
    return "\n".join(out)
