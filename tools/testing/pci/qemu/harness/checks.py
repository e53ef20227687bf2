# SPDX-License-Identifier: GPL-2.0
"""Checks that several scenarios share. Each raises with a list of what is wrong."""

import re

from . import pci
from .trace import STAGES, contract
from .vm import Bad

# What a kernel may say about a device that it does not take into service.
REFUSAL = re.compile(
    r"pci.*(?:No bus number available|can't be (?:used|added)|refus|cannot be (?:used|added)|"
    r"no bus numbers?|not enough bus|devices behind bridge are unusable|"
    r"(?:scan|claim|assign|configure|final|add) failed)", re.I)


def none(wrong, what):
    if wrong:
        raise Bad(f"{what}: " + "; ".join(wrong[:12])
                  + (f"; and {len(wrong) - 12} more" if len(wrong) > 12 else ""))


def stages(trace, expected=(), batches=None):
    none(contract(trace, expected, batches), "stages")


def stages_of(trace, dev):
    """This device went through every stage once, in order."""
    got = trace.sequence(dev)
    if got != STAGES:
        raise Bad(f"{dev} went through ({', '.join(got)})")
    return got


def resource_map(vm, skip=(), rom=True):
    """Every BAR has an address of its own, in its bridge's window, and is programmed."""
    devs = vm.pci()
    live = {n: d for n, d in devs.items() if n not in skip}
    none(pci.bus_problems(devs), "bus numbers")
    none(pci.resource_problems(live, rom), "resources")
    none(pci.emulator_problems(vm.qmp, live, skip), "resources")
    return devs


def bus_numbers(vm):
    none(pci.bus_problems(vm.pci()), "bus numbers")


def bound(devs, want):
    """`want`: vendor:device -> driver; every such device must be bound to it."""
    wrong = []
    for d in devs.values():
        if d.id in want and d.driver != want[d.id]:
            wrong.append(f"{d.name} ({d.id}) has driver {d.driver}, not {want[d.id]}")
    present = {d.id for d in devs.values()}
    wrong += [f"no device {i}" for i in want if i not in present]
    none(wrong, "drivers")


def attributes(devs):
    wrong = []
    for d in devs.values():
        missing = [f for f in pci.required_files(d) if f not in d.files]
        if missing:
            wrong.append(f"{d.name} lacks {', '.join(missing)}")
    none(wrong, "sysfs attributes")


def announced(vm, mark, names):
    """What a uevent listener saw when these devices were announced.

    Addresses final and programmed, attribute files there, no driver yet.
    """
    events = {}
    for e in vm.uevents(mark):
        if e["subsystem"] == "pci" and e["action"] == "add":
            events[e["devpath"].rsplit("/", 1)[1]] = e
    now = vm.pci()
    wrong = []
    for name in names:
        if name not in events:
            wrong.append(f"no add event for {name}")
            continue
        then = pci.Device(name, events[name])
        settled = now[name]
        then.moved, then.ioports = settled.moved, settled.ioports
        if not then.config:
            wrong.append(f"{name}: config could not be read")
            continue
        bars = settled.bars() + ([settled.rom()] if settled.rom() else [])
        for r in bars:
            seen = then.resources[r.index] if r.index < len(then.resources) else None
            if not seen or not seen.assigned:
                wrong.append(f"{name}: BAR {r.index} had no address when announced")
            elif (seen.start, seen.end) != (r.start, r.end):
                wrong.append(f"{name}: BAR {r.index} was {seen.start:#x} when announced, "
                             f"is {r.start:#x}")
            elif not (settled.is_vf or then.programmed(r)):
                wrong.append(f"{name}: BAR {r.index} was not programmed when announced")
        missing = [f for f in pci.required_files(settled) if f not in then.files]
        if missing:
            wrong.append(f"{name}: {', '.join(missing)} missing when announced")
    none(wrong, "uevents")
    if not names:
        raise Bad("uevents: nothing to look at")


def refused_clearly(vm, mark, what):
    """Exactly the kind of line a person can act on is in the log, and not a page of it."""
    lines = [line for line in vm.klog_since(mark).splitlines() if REFUSAL.search(line)]
    if not lines:
        raise Bad(f"{what} does not work, and no line in the log says so")
    return lines


def no_hang(vm, limit=20):
    """A rescan returns: nobody died with the lock held."""
    vm.rescan(limit=limit)
