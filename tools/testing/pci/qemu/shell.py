#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""`make shell`: the kernel under QEMU with a shell on this terminal."""

import os
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from harness import config, initramfs, machines, topo   # noqa: E402
from harness.vm import VM                               # noqa: E402


def main():
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        sys.exit("make shell needs a terminal: its input or output is none. "
                 "`make run` works without one.")
    rows = machines.by_arch(config.arch())
    if not rows:
        sys.exit(f"no machine for {config.arch()} yet")
    if not initramfs.shell_binary():
        sys.exit("no static busybox for the guest; on Debian: apt-get install busybox-static")
    name = os.environ.get("PCI_MACHINE", rows[0].name)
    if name not in machines.MACHINES:
        sys.exit(f"no machine {name}; there are {', '.join(machines.MACHINES)}")
    directory = config.results() / f"shell-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}"
    devices = [d for d in topo.boot_devices(machines.MACHINES[name]) if "drive=" not in d]
    vm = VM(name, directory, devices=devices, append="agent.shell=1")
    if not vm.kernel.exists():
        sys.exit(f"no kernel at {vm.kernel}; `make kernel` builds it")
    command = vm.command()
    # The console is this terminal; the agent's and QMP's lines are not used.
    at = command.index("file,id=con,path=console.log")
    command[at] = "stdio,id=con,mux=on,signal=off"
    at = command.index("chardev=qmp,mode=control")
    command[at - 1:at + 1] = ["-mon", "chardev=con,mode=readline"]
    print(f"kernel {os.path.relpath(vm.kernel)} on {name}; PCI_MACHINE= takes another machine\n"
          "Ctrl-A C: QEMU's monitor (device_add ...), Ctrl-A X: end; `exit` ends the guest\n",
          flush=True)
    os.chdir(directory)
    os.execvp(command[0], command)


if __name__ == "__main__":
    main()
