# SPDX-License-Identifier: GPL-2.0
"""Where things are, and how long they may take.

Environment (the pytest options of the same meaning set these):

PCI_ARCH           x86_64 (default), arm64, ppc64le, riscv64
PCI_KERNEL         kernel image; default: the one `make kernel` built
BASE=1             take the unpatched kernel instead
VARIANT            modular, debug: take that configuration's kernel
PCI_MODULES        module tree (holds lib/modules/<release>) for the initramfs
PCI_RESULTS        where results go; default build/results
PCI_TIMEOUT_SCALE  multiplies every time limit (instrumented kernels are slow)
PCI_QEMU           emulator to use instead of qemu-system-<arch>
PCI_TCG            single (default) or multi: host threads for a guest's CPUs
"""

import fcntl
import os
import subprocess
from pathlib import Path

QEMU_DIR = Path(__file__).resolve().parents[1]
AGENT_DIR = QEMU_DIR.parent / "agent"
REPO = QEMU_DIR.parents[3]
BUILD = Path(os.environ.get("PCI_BUILD", REPO / "build"))

IMAGES = {
    "x86_64": "bzImage",
    "arm64": "Image",
    "ppc64le": "vmlinux",
    "riscv64": "Image",
}


def arch():
    return os.environ.get("PCI_ARCH") or os.environ.get("ARCH") or "x86_64"


def is_base():
    return os.environ.get("BASE", "0") not in ("", "0")


def variant():
    return os.environ.get("VARIANT", "")


def out_dir(base=None, var=None):
    """Object directory that `make kernel` uses for this configuration."""
    name = arch()
    var = variant() if var is None else var
    if var:
        name += "-" + var
    if is_base() if base is None else base:
        name += "-base"
    return BUILD / "out" / name


def kernel(base=None, var=None):
    if os.environ.get("PCI_KERNEL") and base is None and var is None:
        return Path(os.environ["PCI_KERNEL"])
    return out_dir(base, var) / IMAGES[arch()]


def modules(base=None, var=None):
    """Module tree to put into the initramfs, or None for a built-in kernel."""
    if os.environ.get("PCI_MODULES"):
        return Path(os.environ["PCI_MODULES"])
    if (variant() if var is None else var) != "modular":
        return None
    return out_dir(base, var) / "modules"


def results():
    return Path(os.environ.get("PCI_RESULTS", BUILD / "results")).resolve()


def scale():
    """How much longer than on an idle machine things may take."""
    factor = float(os.environ.get("PCI_TIMEOUT_SCALE", "1"))
    if variant() == "debug":
        factor *= 4
    busy = os.getloadavg()[0] / (os.cpu_count() or 1)
    return factor * min(max(1.0, busy), 8.0)


def tcg():
    """With a host thread per CPU, emulators before 8.1 lose device accesses.

    When one CPU changes the memory map (a BAR, a bridge window), another one
    uses what it had looked up in the old map on the new one until it is told,
    so that an access to one device ends at another: a lost doorbell, or an
    assertion in the emulator. Scenarios change the map all the time.
    """
    return os.environ.get("PCI_TCG") or "single"


def agent_binary():
    """Build the agent when it is not up to date; safe for several processes."""
    out = BUILD / "agent" / arch()
    out.mkdir(parents=True, exist_ok=True)
    with open(out / ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = subprocess.run(
            ["make", "-s", "-C", str(AGENT_DIR), f"ARCH={arch()}", f"O={out}"],
            stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError("the guest agent does not build:\n" + done.stderr)
    return out / "agent"
