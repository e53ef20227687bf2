# SPDX-License-Identifier: GPL-2.0
"""Debian 12 as userland: systemd comes up from a disk, and udev serves PCI.

A kernel with its drivers built in mounts the disk itself. One with modules
has Debian's initramfs, in which udev has to find the disk by its MODALIAS.
"""

import dataclasses
import subprocess
from pathlib import Path

import pytest

from harness import checks, config, machines, topo
from harness.links import Refused
from harness.vm import Bad

MODULAR = config.modules() is not None
pytestmark = [pytest.mark.deep, pytest.mark.arch("x86_64")] + ([pytest.mark.modular] if MODULAR else [])

# On an idle machine it is ten seconds until the agent's service runs.
Q35 = dataclasses.replace(machines.MACHINES["q35-native"], boot_seconds=120)
DISKS = {"virtio": ("virtio-blk-pci,id=root,bus=rp3,drive=root", "vda", "virtio_blk"),
         "nvme": ("nvme,id=root,bus=rp3,serial=root,drive=root", "nvme0n1", "nvme")}


@pytest.fixture(scope="session")
def debian():
    """Directory with the root file system and, for modules, the initramfs."""
    command = [str(config.AGENT_DIR.parent / "userland.sh"), str(config.agent_binary())]
    if MODULAR:
        command += [str(config.modules()), str(config.modules().parent / "config")]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError("no Debian to boot:\n" + done.stderr)
    return Path(done.stdout.splitlines()[-1])


@pytest.fixture(scope="module", params=DISKS)
def vm(shared, debian, request):
    device, disk, _ = DISKS[request.param]
    root = "LABEL=pci-userland" if MODULAR else f"/dev/{disk}"
    return shared(
        Q35, devices=["virtio-rng-pci,id=r0,bus=pcie.0", "qemu-xhci,id=x0,bus=pcie.0"],
        disks=["hot"], append=f"root={root} ro",
        initrd=debian / "initrd.img" if MODULAR else "",
        # What the guest writes is gone with it.
        extra=["-drive", f"if=none,id=root,format=raw,snapshot=on,file={debian / 'root.ext4'}",
               "-device", device])


def sh(vm, command, limit=60):
    """Output of a command that has to succeed."""
    done = vm.agent("sh", command, limit=limit)
    if done["status"]:
        raise Bad(f"{command}: status {done['status']}: {done['output'][-1000:]}")
    return done["output"].strip()


def loaded(vm, module):
    return vm.agent.exists(f"/sys/module/{module}/initstate")


def udev_has(vm, names):
    """udev is through with its events, and has a record of each PCI device."""
    sh(vm, "udevadm settle --timeout=50")
    wrong = []
    for name in names:
        try:
            record = vm.agent.read(f"/run/udev/data/+pci:{name}").splitlines()
        except Refused as err:
            wrong.append(f"{name}: {err}")
            continue
        for key in ("I:", "E:ID_PCI_CLASS_FROM_DATABASE=", "E:ID_PATH="):
            if not any(line.startswith(key) for line in record):
                wrong.append(f"{name}: no {key} in its record")
    checks.none(wrong, "udev's database")
    if not names:
        raise Bad("udev's database: nothing to look for")


def link(vm, path):
    """Device that a name which udev gives leads to."""
    return vm.agent("sh", f"readlink -f '{path}'")["output"].strip().removeprefix("/dev/")


def test_comes_up(vm, request):
    """Debian: systemd reaches 'running' from this disk, udev knows every PCI device"""
    _, disk, module = DISKS[request.node.callspec.params["vm"]]
    state = vm.agent("sh", "systemctl is-system-running --wait", limit=90)["output"].strip()
    if state != "running":
        raise Bad(f"systemd says '{state}'; failed units: "
                  + sh(vm, "systemctl --failed --plain --no-legend"))
    root = sh(vm, "findmnt -no SOURCE /")
    if root != f"/dev/{disk}" or link(vm, "/dev/disk/by-label/pci-userland") != disk:
        raise Bad(f"the root file system is on {root}, or udev's link to it is wrong")
    said = sh(vm, "journalctl -b -t systemd-fsck -p warning -o cat --no-pager -q")
    if said:
        raise Bad(f"fsck of the root file system: {said}")
    if loaded(vm, module) != MODULAR:
        raise Bad(f"{module} is {'not ' if MODULAR else ''}a module")
    devs = checks.resource_map(vm)
    checks.bound(devs, {topo.IDS["rp"]: "pcieport", topo.IDS["xhci"]: "xhci_hcd",
                        "8086:2922": "ahci"})
    udev_has(vm, devs)


def hot_add(vm, card, slot, driver, module, fresh=True):
    """Plug a card; its name when all that udev has to do with it is done."""
    if fresh and loaded(vm, module):
        raise Bad(f"{module} was loaded before there was a device for it")
    before, mark = vm.pci(), vm.uevent_mark()
    vm.plug(f"{card},bus=rp{slot}", slot=slot)
    name = vm.wait_device(lambda d: d.name not in before, driver=driver, timeout=40).name
    vm.settle()
    checks.announced(vm, mark, [name])
    udev_has(vm, [name])
    if loaded(vm, module) != MODULAR:
        raise Bad(f"{module} is {'not ' if MODULAR else ''}a loaded module")
    return name


def unplug(vm, ident, name, slot):
    vm.unplug(ident, slot=slot)
    sh(vm, "udevadm settle --timeout=50")
    if vm.agent.exists(f"/run/udev/data/+pci:{name}"):
        raise Bad(f"udev still has a record of {name}")


def test_hot_add(vm, request):
    """Debian: hot-added cards get their modules, records and names from udev"""
    # One after the other: TCG (QEMU before 8.2) can lose the write to a
    # doorbell when a device in another slot gets its addresses just then.
    name = hot_add(vm, "nvme,id=hot,serial=hot,drive=hot", 1, "nvme", "nvme",
                   fresh=request.node.callspec.params["vm"] != "nvme")
    block = vm.block_name(name)
    sh(vm, "udevadm settle --timeout=50")
    if link(vm, f"/dev/disk/by-path/pci-{name}-nvme-1") != block:
        raise Bad(f"udev made no link to {block} by its path")
    unplug(vm, "hot", name, 1)

    name = hot_add(vm, "virtio-net-pci,id=net", 2, "virtio-pci", "virtio_net")
    # By the slot that udev finds the device in.
    vm.wait("the interface to be ens2", lambda: vm.agent.exists("/sys/class/net/ens2"))
    if f"/{name}/" not in vm.agent("link", "/sys/class/net/ens2"):
        raise Bad(f"ens2 is not {name}")
    unplug(vm, "net", name, 2)
    checks.resource_map(vm)


def test_powers_off(vm):
    """Debian: systemctl poweroff ends the machine, all drivers shut down"""
    vm.expect_exit = True
    # Later, or the agent is gone before it has answered.
    sh(vm, "(sleep 2; systemctl poweroff) >/dev/null 2>&1 &")
    vm.wait("the machine to be off", lambda: not vm.running, timeout=90)
    if "reboot: Power down" not in vm.console_text():
        raise Bad("the emulator ended, and not because the guest powered off:\n"
                  + vm.console_tail())
