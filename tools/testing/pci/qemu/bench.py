#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""`make bench`: what enumeration costs, base and series in one run.

Runs under -icount: the guest's clock counts instructions, so neither other
programs on the host nor its speed change what is measured. For each number
of devices:

  boot          instructions that the kernel executes until init runs, minus
                those on a machine without these devices; waiting (for disks,
                for instance) is not in it
  reads/writes  accesses to config space that the kernel made until init runs,
                counted by the emulator; firmware's own are subtracted (they
                are counted with a kernel that does not look at PCI)

"scan to add" uses endpoints without a driver and no port services, so that
nothing after ADD touches config space; "to bound" has both. "I/O ports short" is
"scan to add" with more endpoints that have I/O ports than there are ports for,
where it is the kernel that assigns all addresses; sizes for which there are
enough are left out. Hot-add is the time from the link being reported up to the
driver being bound, where ports report links.

Moves: a card that has no place below 4 GiB is put beside virtio devices in use
whose windows are there. "stopped" is for how long no CPU ran anything else, as
the kernel says; it must depend on how many devices move, and not on how many
others there are. The base moves nothing.
"""

import argparse
import collections
import dataclasses
import json
import os
import re
import statistics
import struct
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from harness import config, machines, move              # noqa: E402
from harness.vm import VM                               # noqa: E402

SHIFT = 2                       # an instruction takes 4 ns
CPUS = 1                        # several make CPU time depend on how they take turns
SIZES = (16, 64, 250)
ACCESS = re.compile(r"^(?:\S+@\S+:)?pci_cfg_(read|write) (\S+) ", re.M)


def bridges(count, endpoint):
    """Without PCI Express: each bridge has up to 15 endpoints; `count` functions in all."""
    out = []
    for i in range(count):
        bridge, slot = divmod(i, 16)
        out.append(f"{endpoint},bus=b{bridge},addr={slot}" if slot else
                   f"pci-bridge,id=b{bridge},bus=pci.0,chassis_nr={bridge + 1}")
    return out


def topology(count, endpoint):
    """Root ports, switches and endpoints: `count` PCI functions in all."""
    if machine().ports == ("pci.0",):
        return bridges(count, endpoint)
    # A switch: root port, upstream port, four downstream ports, four endpoints.
    switches = {16: 1, 64: 4, 250: 18}.get(count, count // 14)
    plain, left = divmod(count - 10 * switches, 2)
    out = []
    for i in range(switches + plain):
        out.append(f"pcie-root-port,id=p{i},bus=pcie.0,addr={2 + i // 8:#x}.{i % 8:x},"
                   f"multifunction=on,chassis={i + 1},slot={i + 1},io-reserve=0")
    port = switches + plain
    for i in range(switches):
        out.append(f"x3130-upstream,id=u{i},bus=p{i}")
        for j in range(4):
            port += 1
            out.append(f"xio3130-downstream,id=d{i}.{j},bus=u{i},chassis={port},slot={port}")
            out.append(f"{endpoint},bus=d{i}.{j}")
    for i in range(switches, switches + plain):
        out.append(f"{endpoint},bus=p{i}")
    out += [f"{endpoint},bus=pcie.0"] * left
    return out


# The machine, its arguments without devices, what keeps the kernel off PCI.
MACHINES = {
    "x86_64": ("q35-native", ("-M", "q35", "-cpu", "max", *machines.NATIVE), "pci=off"),
    "arm64": ("virt-dt", ("-M", "virt,gic-version=3", "-cpu", "max,pauth-impdef=on"),
              "initcall_blacklist=gen_pci_driver_init"),
    "ppc64le": ("pseries", machines.PSERIES, "initcall_blacklist=pcibios_init"),
}


def machine():
    """The machine of this architecture, the clock counting instructions."""
    name, args, _ = MACHINES[config.arch()]
    return dataclasses.replace(
        machines.MACHINES[name],
        args=(*args, "-smp", str(CPUS), "-icount", f"shift={SHIFT},sleep=off"),
        append="panic=-1 quiet printk.devkmsg=on", boot_seconds=240, memory="2G")


def plugin():
    """The plugin that counts instructions, built when it is older than its source."""
    source = Path(__file__).resolve().parent / "insns.c"
    made = config.results().parent / "tools" / "insns.so"
    if not made.exists() or made.stat().st_mtime < source.stat().st_mtime:
        made.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(["gcc", "-O2", "-Wall", "-Wextra", "-Werror", "-fPIC", "-shared",
                        "-fvisibility=hidden", "-o", made, source], check=True)
    return made


def boot(directory, kernel, devices, append=""):
    vm = VM(machine(), directory, kernel=kernel, modules=False, devices=devices, append=append,
            trace=False, extra=["-trace", "enable=pci_cfg_*,file=cfg.log",
                                "-plugin", f"{plugin()},out=insns"])
    vm.start()
    return vm


def instructions(vm):
    """Instructions that the kernel has executed so far."""
    return struct.unpack("=QQ", (vm.dir / "insns").read_bytes())[0]


def log_size(vm):
    return (vm.dir / "cfg.log").stat().st_size


def accesses(vm, start=0, end=None):
    """(reads, writes) in a part of the emulator's log, and reads + writes by model."""
    with open(vm.dir / "cfg.log", "rb") as f:
        f.seek(start)
        text = f.read(None if end is None else end - start).decode()
    kinds = collections.Counter()
    models = collections.Counter()
    for kind, model in ACCESS.findall(text):
        kinds[kind] += 1
        models[model] += 1
    return kinds["read"], kinds["write"], models


def klog_time(text, pattern, which=0):
    hits = re.findall(rf"\[ *(\d+\.\d+)\] [^\n]*{pattern}", text)
    if not hits:
        raise RuntimeError(f"no line with '{pattern}' in the kernel log")
    return float(hits[which])


def measure_boot(directory, kernel, devices, append=""):
    """Boot once: instructions to init, config reads and writes."""
    vm = boot(directory, kernel, devices, append)
    try:
        insns = instructions(vm)
        reads, writes, models = accesses(vm)
        found = len(vm.pci()) if append != MACHINES[config.arch()][2] else 0
        vm.check_console()
        return {"insns": insns, "reads": reads, "writes": writes, "models": models,
                "found": found}
    finally:
        vm.stop()
        (vm.dir / "cfg.log").unlink(missing_ok=True)


def measure_hotadd(directory, kernel, card, driver, rounds):
    """Seconds from link up to bound, and of that from found to enabled, config reads and
    writes; medians."""
    vm = boot(directory, kernel, [
        "pcie-root-port,id=p0,bus=pcie.0,chassis=1,slot=1"],
        'dyndbg="file pciehp_hpc.c +p"')
    times, busy, reads, writes = [], [], [], []
    try:
        for i in range(rounds):
            vm.settle()
            before = vm.pci()
            start = log_size(vm)
            lines = len(vm.agent("klog"))
            vm.plug(f"{card},id=h{i},bus=p0", slot=1)
            vm.wait_device(lambda d: d.name not in before, driver=driver, timeout=60)
            vm.settle()
            vm.wait("the slot to be on", lambda: vm.agent.read(
                "/sys/bus/pci/slots/1/power").strip() == "1")
            text = vm.agent("klog")[lines:]
            times.append(klog_time(text, "agent: bound", -1)
                         - klog_time(text, "lnk_status = ", -1))
            # Nobody waits for anything in there: that is instructions.
            busy.append(klog_time(text, "enabling device")
                        - klog_time(text, r"pci 0000:01:00\.0: \["))
            r, w, _ = accesses(vm, start, log_size(vm))
            reads.append(r)
            writes.append(w)
            vm.unplug(f"h{i}", 1)
            vm.wait("the card to go", lambda: set(vm.pci()) == set(before))
        vm.check_console()
    finally:
        vm.stop()
        (vm.dir / "cfg.log").unlink(missing_ok=True)
    return {"time": statistics.median(times), "busy": statistics.median(busy),
            "reads": statistics.median(reads),
            "writes": statistics.median(writes)}


def restart(vm):
    """How many virtio drivers there are, and milliseconds to stop all and start them again.

    That is what a rescan with movable BARs was once to do with every driver below the root
    bus; unbind and bind stand for the callbacks that it had.  Bridges are left alone.
    No time for more than RESTARTED.
    """
    driver = "/sys/bus/pci/drivers/virtio-pci"
    bound = [name for name in vm.agent.ls(driver) if name.startswith("0000:")]
    if len(bound) > RESTARTED:
        return len(bound), None
    lines = len(vm.agent("klog"))
    vm.agent("job", "start", "restart", 1, 0, "/dev/kmsg=bench: stop\n",
             *(f"{driver}/unbind={name}" for name in bound),
             *(f"{driver}/bind={name}" for name in bound), "/dev/kmsg=bench: go\n")
    vm.wait("drivers to be back",
            lambda: vm.agent("job", "status", "restart")["finished"], 60)
    if vm.agent("job", "status", "restart")["errors"]:
        raise RuntimeError("not all drivers could be stopped")
    text = vm.agent("klog")[lines:]
    return len(bound), (klog_time(text, "bench: go") - klog_time(text, "bench: stop")) * 1e3


def measure_move(directory, kernel, live, others):
    """Microseconds stopped, BARs in use that moved, config reads and writes of the hot-add."""
    ports = "".join(f" xio3130-downstream,id=m{i},bus=mu,chassis={200 + i},slot={200 + i}"
                    f"{' virtio-rng-pci,bus=m%d' % i if i < live else ''}"
                    for i in range(live + 1)).split()
    vm = boot(directory, kernel, [
        "pcie-root-port,id=mv,bus=pcie.0,addr=1,chassis=199,slot=199",
        "x3130-upstream,id=mu,bus=mv", *ports,
        *(topology(others, "virtio-rng-pci,vectors=0") if others else [])])
    try:
        vm.settle()
        before = vm.pci()
        start = log_size(vm)
        lines = len(vm.agent("klog"))
        vm.plug(f"pci-testdev,id=big,bus=m{live},membar={1 << 31}", slot=200 + live)
        vm.wait_device(lambda d: d.name not in before, timeout=60)
        vm.settle()
        moved = move.lines(vm.agent("klog")[lines:])
        if len({x.dev for x in moved}) != live:
            raise RuntimeError(f"{live} devices were to move, the kernel says: {moved}")
        reads, writes, _ = accesses(vm, start, log_size(vm))
        drivers, restarted = restart(vm)
        vm.check_console()
        return {"stopped": moved[0].us, "bars": len(moved), "reads": reads, "writes": writes,
                "drivers": drivers, "restarted": restarted}
    finally:
        vm.stop()
        (vm.dir / "cfg.log").unlink(missing_ok=True)


# live, others
MOVES = ((1, 0), (1, 16), (1, 64), (1, 240), (2, 0), (4, 0), (8, 0), (8, 16), (8, 64))
RESTARTED = 28      # as many drivers as one job of the agent can stop and start

CASES = {
    # endpoint, kernel parameters: nothing after ADD, or everything
    "scan to add": ("edu", "pcie_ports=compat"),
    # One CPU has too few vectors for MSI-X in 250 devices.
    "to bound": ("virtio-rng-pci,vectors=0", ""),
    # Each port that an endpoint with I/O ports is behind takes 4 KiB of 64 KiB.
    "I/O ports short": ("pci-testdev", "pcie_ports=compat"),
}
IO_WINDOWS = 15     # the first 4 KiB are not given to anybody


def cases():
    """Ports can be short only where it is the kernel that assigns all: firmware has left what
    does not fit on a pSeries, and that of x86 does not go on."""
    return {name: case for name, case in CASES.items()
            if name != "I/O ports short" or config.arch() == "arm64"}


class Table:
    def __init__(self):
        self.rows = []

    def add(self, what, unit, base, series, digits=1):
        ratio = series / base if base else float("nan")
        self.rows.append((what, f"{base:.{digits}f}", f"{series:.{digits}f}", unit, f"{ratio:.2f}"))

    def add_series(self, what, unit, series):
        """What the base does not do."""
        self.rows.append((what, "-", f"{series:.0f}", unit, "-"))

    def text(self):
        head = ("", "base", "series", "", "ratio")
        rows = [head, *self.rows]
        width = [max(len(r[i]) for r in rows) for i in range(5)]
        return "\n".join(
            f"{r[0].ljust(width[0])}  {r[1].rjust(width[1])}  {r[2].rjust(width[2])} "
            f"{r[3].ljust(width[3])}  {r[4].rjust(width[4])}".rstrip() for r in rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--base-kernel", type=Path, default=config.kernel(base=True, var=""))
    parser.add_argument("--kernel", type=Path, default=config.kernel(base=False, var=""))
    parser.add_argument("--sizes", default=",".join(map(str, SIZES)))
    parser.add_argument("--rounds", type=int, default=5, help="hot-adds per card")
    parser.add_argument("--moves", action="store_true", help="only what moving costs")
    parser.add_argument("--json", type=Path, help="also write the raw numbers")
    args = parser.parse_args()
    if config.arch() not in MACHINES:
        sys.exit(f"no benchmark on {config.arch()}: there is one on {', '.join(MACHINES)}")
    off = MACHINES[config.arch()][2]
    kernels = {"base": args.base_kernel, "series": args.kernel}
    for side, image in kernels.items():
        if not image.exists():
            sys.exit(f"no kernel of the {side} at {image}; `make kernel` and `make kernel BASE=1` "
                     "build them")
    top = config.results() / f"bench-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}"
    raw = {}
    table = Table()

    def run(name, func, *arguments):
        print(f"  {name} ...", file=sys.stderr, flush=True)
        raw[name] = func(top / re.sub(r"\W+", "-", name), *arguments)
        return raw[name]

    for case, (endpoint, append) in cases().items() if not args.moves else ():
        empty = {side: run(f"{side}, {case}, no devices", measure_boot, image, [], append)
                 for side, image in kernels.items()}
        none = run(f"firmware, {case}, no devices", measure_boot, kernels["base"], [], off)
        for count in map(int, args.sizes.split(",")):
            devices = topology(count, endpoint)
            if case == "I/O ports short" and \
               sum(d.startswith(endpoint) for d in devices) <= IO_WINDOWS:
                continue
            firmware = run(f"firmware, {case}, {count}", measure_boot, kernels["base"], devices,
                           off)
            got = {side: run(f"{side}, {case}, {count}", measure_boot, image, devices, append)
                   for side, image in kernels.items()}
            for side in kernels:
                found = got[side]["found"] - empty[side]["found"]
                if found != count:
                    sys.exit(f"{side}: {found} devices found, {count} are there")
            what = f"boot, {case}, {count} devices"
            table.add(f"{what}: instructions", "M", *(
                (got[s]["insns"] - empty[s]["insns"]) / 1e6 for s in kernels), digits=2)
            for kind in ("reads", "writes"):
                table.add(f"{what}: {kind} per device", "", *(
                    (got[s][kind] - firmware[kind] - (empty[s][kind] - none[kind])) / count
                    for s in kernels))
    cards = [("virtio-rng-pci", "virtio-pci"), ("e1000e", "e1000e")]
    for card, driver in cards if machine().hotplug == "native" and not args.moves else []:
        got = {side: run(f"{side}, hot-add {card}", measure_hotadd, image, card, driver,
                         args.rounds) for side, image in kernels.items()}
        table.add(f"hot-add {card}: link up to bound", "ms",
                  *(got[s]["time"] * 1e3 for s in kernels), digits=2)
        table.add(f"hot-add {card}: found to enabled", "us",
                  *(got[s]["busy"] * 1e6 for s in kernels), digits=0)
        table.add(f"hot-add {card}: reads", "", *(got[s]["reads"] for s in kernels), digits=0)
        table.add(f"hot-add {card}: writes", "", *(got[s]["writes"] for s in kernels), digits=0)
    for live, others in MOVES if config.arch() == "x86_64" else ():
        what = f"move, {live} in use, {others} other devices"
        got = run(what, measure_move, kernels["series"], live, others)
        table.add_series(f"{what}: stopped", "us", got["stopped"])
        table.add_series(f"{what}: writes", "", got["writes"])
        if got["restarted"] is not None:
            table.add_series(f"{what}: {got['drivers']} drivers stopped instead", "us",
                             got["restarted"] * 1e3)
    print(table.text())
    if args.json:
        args.json.write_text(json.dumps(raw, indent=1, default=dict) + "\n")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
