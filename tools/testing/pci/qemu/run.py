#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""`make run`: boot the kernel under QEMU, hot-add devices, show what happened.

Boots a machine, hot-adds a virtio disk and writes to it, hot-adds a bridge
with a bridge and devices behind it (on pseries: a host bridge with devices),
removes a device through sysfs and finds it again with a rescan. Then it
prints the stages of each batch side by side and the resource map.
"""

import os
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from harness import checks, config, dlpar, machines, pci, topo  # noqa: E402
from harness.links import LinkError, Refused            # noqa: E402
from harness.trace import STAGES, stage_times           # noqa: E402
from harness.vm import VM, Bad                          # noqa: E402

WIDTH = 100
KINDS = {"boot": "boot", "host": "host bridge", "bus": "rescan", "slot": "hot-add",
         "vf": "SR-IOV", "compat": "driver"}


def say(text=""):
    print(text, flush=True)


class Steps:
    """Progress: one line per step, with what it took."""

    def __init__(self):
        self.start = None

    def begin(self, text):
        self.start = time.monotonic()
        print(f"  {text} ".ljust(74, "."), end=" ", flush=True)

    def end(self, text):
        say(f"{text} ({time.monotonic() - self.start:.1f} s)")


def batches_of(trace):
    """Numbers of the batches that brought devices, in order."""
    return [b for b, events in trace.batches().items()
            if any(s.stage == "scan" and not s.result for s in events)]


def timeline(named):
    """Stages down, batches across; times in ms since the batch's first device."""
    columns = []
    for title, trace, batch in named:
        times = stage_times(trace, batch)
        zero = min(t[0] for t in times.values())
        count = len({s.dev for s in trace.batches()[batch] if s.stage == "scan"})
        kind = KINDS.get(trace.kind(batch), trace.kind(batch))
        columns.append((title, f"{kind}, {count} device{'s' if count != 1 else ''}", zero, times))
    width = (WIDTH - 12) // len(columns)
    lines = ["stage".ljust(12) + "".join(c[0][:width - 1].ljust(width) for c in columns),
             "".ljust(12) + "".join(c[1][:width - 1].ljust(width) for c in columns),
             "-" * (12 + width * len(columns))]
    for stage in STAGES:
        row = stage.ljust(12)
        for _, _, zero, times in columns:
            if stage not in times:
                row += "-".ljust(width)
                continue
            first, last, count = times[stage]
            row += f"{(first - zero) * 1e3:8.2f} .. {(last - zero) * 1e3:8.2f}".ljust(width)
        lines.append(row.rstrip())
    lines.append("-" * (12 + width * len(columns)))
    row = "total".ljust(12)
    for _, _, zero, times in columns:
        row += f"{(max(t[1] for t in times.values()) - zero) * 1e3:20.2f} ms".ljust(width)
    lines.append(row.rstrip())
    return "\n".join(lines)


class Native:
    """A machine with native PCIe hotplug."""
    devices = [topo.ROOMY, "nvme,id=n0,bus=rp3,serial=n0,drive=d0", "e1000e,id=e0,bus=rp2",
               "virtio-rng-pci,id=r0,bus=pcie.0"]
    card = "e1000e"
    boot = "native PCIe hotplug, NVMe, e1000e"
    disk = "slot 1 (pciehp)"
    more = "a bridge, with a bridge and 3 devices behind it, in slot 10"
    title = "bridge, slot 10"
    come = {"testdev": None, "e1000": "e1000"}
    machine = staticmethod(machines.native)

    @staticmethod
    def add_disk(vm):
        vm.plug("virtio-blk-pci,id=disk,bus=rp1,drive=hot", slot=1)

    @staticmethod
    def add_more(vm):
        vm.plug("pcie-pci-bridge,id=b1,bus=rpb", "virtio-rng-pci,id=g1,bus=b1,addr=1",
                "pci-bridge,id=b2,bus=b1,addr=2,chassis_nr=22", "e1000,id=g2,bus=b2,addr=1",
                "pci-testdev,id=g3,bus=b2,addr=2,membar=1048576", slot=10)


class Dlpar:
    """A pSeries partition, with dynamic reconfiguration."""
    devices = ["nvme,id=n0,bus=pci.0,addr=1,serial=n0,drive=d0",
               "pci-bridge,id=br,bus=pci.0,addr=2,chassis_nr=9",
               "qemu-xhci,id=x0,bus=br,addr=1", "virtio-rng-pci,id=r0,bus=br,addr=2"]
    card = "xhci"
    boot = "DLPAR, NVMe, xHCI"
    disk = "slot 8 (rpaphp)"
    # Of several devices below it, only one gets into the guest's device tree.
    more = "a host bridge with a network card"
    title = "host bridge"
    come = {"e1000": "e1000"}

    @staticmethod
    def machine(arch):
        return "pseries"

    @staticmethod
    def add_disk(vm):
        vm.add("virtio-blk-pci,id=disk,bus=pci.0,addr=8,drive=hot")
        dlpar.add(vm, "C64")

    @staticmethod
    def add_more(vm):
        vm.add("spapr-pci-host-bridge,id=phb1,index=1", "e1000,id=g1,bus=phb1.0,addr=1")
        dlpar.add_host(vm, "PHB 1")


def demo(vm, steps, what):
    """Do it all; list of (title, trace, batch) for the time line."""
    named = []
    wrong = []

    def collect(title):
        try:
            trace = vm.trace()
            for batch in batches_of(trace):
                named.append((title, trace, batch))
            vm.clear_trace()
        except Bad:
            pass        # a kernel without the tracepoints; said below

    steps.begin(f"booting {vm.machine.name} ({what.boot})")
    vm.start()
    nvme = vm.wait_id(topo.IDS["nvme"], driver="nvme", timeout=40)[0].name
    vm.settle()
    boot = vm.pci()
    steps.end(f"{len(boot)} PCI devices")
    collect("boot")
    vm.load_start("live", vm.block_name(nvme), workers=1)

    steps.begin(f"hot-adding a virtio disk in {what.disk}")
    what.add_disk(vm)
    disk = vm.wait_device(lambda d: d.name not in boot, driver="virtio-pci", timeout=40)
    block = vm.block_name(disk.name)
    vm.settle()
    steps.end(f"{disk.name[5:]} is {block}")
    collect(f"virtio disk, {what.disk.split(' (')[0]}")

    steps.begin(f"writing to {block} and reading it back")
    vm.load_start("hot", block, blocks=256, pause_us=0)
    vm.load_moves("hot", ops=300, timeout=40)
    done = vm.load_verify("hot")
    steps.end(f"{done['reads'] + done['writes']} blocks, 0 bad")

    before = vm.pci()
    steps.begin(f"hot-adding {what.more}")
    what.add_more(vm)
    for ident, driver in what.come.items():
        vm.wait_id(topo.IDS[ident], driver=driver, timeout=40)
    vm.settle()
    steps.end(f"{len(set(vm.pci()) - set(before))} devices")
    collect(what.title)

    card, driver = [(d.name, d.driver) for d in vm.pci().values()
                    if d.id == topo.IDS[what.card]][0]
    steps.begin(f"removing {card[5:]} through sysfs, rescanning")
    vm.remove(card)
    if card in vm.pci():
        wrong.append(f"{card} is still there after its removal")
    vm.rescan()
    vm.wait_bound({card: driver}, timeout=40)
    vm.settle()
    steps.end("found and bound again")
    collect("remove + rescan")

    steps.begin("checking: disk that was in use all along, addresses, console")
    done = vm.load_verify("live")
    devs = checks.resource_map(vm)
    vm.check_console()
    steps.end(f"{done['reads'] + done['writes']} blocks, 0 bad; all placed")
    return named, devs, wrong


def main():
    what = Dlpar if config.arch() == "ppc64le" else Native
    name = os.environ.get("PCI_MACHINE") or what.machine(config.arch())
    if not name:
        sys.exit(f"there is no demonstration for {config.arch()} yet; `make check` tests it")
    directory = config.results() / f"run-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}"
    vm = VM(name, directory, disks={"d0": 16, "hot": 16}, devices=what.devices)
    if not vm.kernel.exists():
        sys.exit(f"no kernel at {vm.kernel}; `make kernel` builds it")
    say(f"kernel: {os.path.relpath(vm.kernel)}")
    steps = Steps()
    try:
        named, devs, wrong = demo(vm, steps, what)
    except (Bad, LinkError, Refused) as err:
        say("failed")
        say(f"\n{err}\n\nThe command line and the logs are in {os.path.relpath(directory)}")
        return 1
    finally:
        vm.stop()

    say("\nStages (ms after the first device of the batch was found: first .. last device)\n")
    if named:
        # More batches than fit: the largest of each step is the one to show.
        best = {}
        for title, trace, batch in named:
            size = len(trace.batches()[batch])
            if title not in best or size > len(best[title][1].batches()[best[title][2]]):
                best[title] = (title, trace, batch)
        say(timeline(list(best.values())))
        for title, trace, batch in named:
            wrong += [f"{title}: {w}" for w in checks.contract(trace, batches=[batch])]
    else:
        say("This kernel has no pci_stage tracepoint: it is not the series.")
    say("\nResource map\n")
    say(pci.tree(devs, WIDTH))
    say()
    for line in wrong:
        say(f"WRONG: {line}")
    say(f"{'failed' if wrong else 'all well'}; logs: {os.path.relpath(directory)}")
    return 1 if wrong else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
