# SPDX-License-Identifier: GPL-2.0
"""One guest: started, talked to, checked, and put away."""

import ctypes
import errno
import functools
import os
import shlex
import signal
import socket
import subprocess
import time
from pathlib import Path

from . import config, console, initramfs, pci
from .links import Agent, LinkError, Qmp, Refused
from .machines import MACHINES
from .trace import Trace

TRACE_APPEND = "trace_event=pci:* trace_buf_size=4M"


class Bad(AssertionError):
    """The guest has misbehaved."""


def spec(text):
    """'driver,key=value,...' as arguments of QMP's device_add."""
    driver, *rest = text.split(",")
    out = {"driver": driver}
    out.update(item.split("=", 1) for item in rest)
    return out


def _die_with_parent():
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


class VM:
    def __init__(self, machine, directory, *, devices=(), disks=(), append="", kernel=None,
                 modules=None, initrd=None, tables=(), smp=None, extra=(), pass_fds=(), trace=True):
        self.machine = MACHINES[machine] if isinstance(machine, str) else machine
        self.dir = Path(directory)
        self.dir.mkdir(parents=True, exist_ok=True)
        self.devices = list(devices)
        self.disks = dict(disks) if isinstance(disks, dict) else {d: 16 for d in disks}
        self.kernel = Path(kernel or config.kernel())
        self.modules = modules if modules is not None else config.modules()
        # None: the agent's; an empty path: none at all.
        self.initrd = initrd
        self.tables = tuple(tables)     # ACPI tables that replace those of firmware
        self.extra = list(extra)
        self.smp = smp
        self.pass_fds = tuple(pass_fds)
        self.append = " ".join(filter(None, [
            f"console={self.machine.console}", self.machine.append,
            f"agent.port={self.machine.agent_port}", TRACE_APPEND if trace else "", append]))
        self.proc = None
        self.qmp = self.agent = None
        self.mark = 0           # console text before this has been judged
        self.allow = []         # patterns this scenario brings about on purpose
        self.expect_exit = False
        self.flushes = 0
        self.hello = None

    # Starting and stopping

    def command(self, qmp_fd=None, agent_fd=None):
        m = self.machine
        qmp = f"socket,id=qmp,fd={qmp_fd}" if qmp_fd else "socket,id=qmp,path=qmp.sock,server=on,wait=off"
        agent = (f"socket,id=agent,fd={agent_fd}" if agent_fd else
                 "socket,id=agent,path=agent.sock,server=on,wait=off")
        cmd = [os.environ.get("PCI_QEMU", m.emulator)]
        if m.nodefaults:
            cmd.append("-nodefaults")
        cmd += ["-display", "none", "-no-reboot", "-accel", f"tcg,thread={config.tcg()}",
                "-m", m.memory]
        args = list(m.args)
        if self.smp:
            args[args.index("-smp") + 1] = str(self.smp)
        # The IOMMU has to exist before the devices behind it.
        cmd += args
        cmd += ["-chardev", "file,id=con,path=console.log", *m.console_args,
                "-chardev", agent, *m.agent_args,
                "-chardev", qmp, "-mon", "chardev=qmp,mode=control"]
        for name in self.disks:
            cmd += ["-blockdev", f"driver=raw,node-name={name},file.driver=file,"
                                 f"file.filename={name}.img,cache.no-flush=on"]
        for dev in self.devices:
            cmd += ["-device", dev]
        cmd += self.extra
        initrd = initramfs.build(self.modules) if self.initrd is None else self.initrd
        cmd += ["-kernel", str(self.kernel.resolve()), "-append", self.append]
        if initrd and self.tables:
            initrd = initramfs.with_tables(initrd, self.tables, self.dir / "initrd.cpio")
        if initrd:
            cmd += ["-initrd", str(Path(initrd).resolve())]
        return cmd

    def start(self, wait=True):
        """Boot; once more when the emulator, not the kernel, has tripped.

        With one host thread per CPU, TCG now and then executes a breakpoint
        that the kernel has already patched away again (text_poke() of a
        static branch). That is seen at boot, in code that both CPUs run all
        the time, and has nothing to do with what is tested here.
        """
        for attempt in (1, 2, 3):
            self._launch()
            if not wait:
                return self
            try:
                self.wait_agent()
                return self
            except Bad:
                if attempt == 3 or "Oops: int3: 0000 [#1]" not in self.console_text():
                    raise
                self.stop()
                os.replace(self.dir / "console.log", self.dir / f"console.log.int3-{attempt}")

    def _launch(self):
        if not self.kernel.exists():
            raise FileNotFoundError(f"no kernel image at {self.kernel}; `make kernel` builds it")
        for name, mib in self.disks.items():
            with open(self.dir / f"{name}.img", "wb") as f:
                f.truncate(mib << 20)
        qmp, qmp_far = socket.socketpair()
        agent, agent_far = socket.socketpair()
        (self.dir / "command.sh").write_text(
            "#!/bin/sh\n# Run in this directory; the agent listens on agent.sock.\n"
            'cd "$(dirname "$0")" || exit\n'
            + "".join(f"truncate -s {mib}M {name}.img\n" for name, mib in self.disks.items())
            + shlex.join(self.command()) + "\n")
        cmd = self.command(qmp_far.fileno(), agent_far.fileno())
        with open(self.dir / "qemu.log", "wb") as log:
            self.proc = subprocess.Popen(
                cmd, cwd=self.dir, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                pass_fds=(qmp_far.fileno(), agent_far.fileno(), *self.pass_fds),
                preexec_fn=_die_with_parent)
        qmp_far.close()
        agent_far.close()
        self._logs = [open(self.dir / "qmp.log", "w"), open(self.dir / "agent.log", "w")]
        self.qmp = Qmp(qmp, self._logs[0])
        self.agent = Agent(agent, self._logs[1])
        try:
            self.qmp.handshake()
        except LinkError as err:
            raise Bad(f"the emulator did not start: {err}\n{self.emulator_log()}") from None

    def _alive(self):
        if self.proc.poll() is not None:
            raise Bad(f"the emulator ended during boot ({self.proc.returncode}); console ends:\n"
                      + self.console_tail())
        if "Kernel panic" in self.console_text():
            raise Bad("kernel panic; console ends:\n" + self.console_tail())

    def wait_agent(self, timeout=None):
        limit = (timeout or self.machine.boot_seconds) * config.scale()
        try:
            self.hello = self.agent.wait_ready(self._alive, limit)
        except LinkError as err:
            raise Bad(f"the guest did not come up: {err}; console ends:\n"
                      + self.console_tail()) from None

    @property
    def running(self):
        return self.proc is not None and self.proc.poll() is None

    def stop(self):
        """End the guest; the trace is kept if it can still be read."""
        if self.proc is None:
            return
        if self.running:
            try:
                (self.dir / "trace.txt").write_text(self.agent("trace", limit=10))
            except (LinkError, Refused):
                pass
            try:
                self.qmp("quit")
            except (LinkError, Refused):
                pass
            try:
                self.proc.wait(10)
            except subprocess.TimeoutExpired:
                self.proc.kill()
        self.proc.wait()
        for link in (self.qmp, self.agent):
            link.lines.sock.close()
        for log in self._logs:
            log.close()
        for name in self.disks:
            (self.dir / f"{name}.img").unlink(missing_ok=True)

    # Console

    def console_text(self):
        try:
            return (self.dir / "console.log").read_bytes().decode("latin-1")
        except FileNotFoundError:
            return ""

    def console_tail(self, lines=25):
        return "\n".join(self.console_text().splitlines()[-lines:])

    def emulator_log(self):
        return (self.dir / "qemu.log").read_text(errors="replace")

    def _flush_console(self):
        """Wait until all that the guest has printed so far is in the file."""
        self.flushes += 1
        mark = f"harness: mark {self.flushes} of {os.getpid()}"
        try:
            self.agent.write("/dev/kmsg", f"<4>{mark}\n", limit=10)
        except Refused:
            return
        except LinkError as err:
            self._wait_end()
            if self.running:
                return str(err)
            return
        deadline = time.monotonic() + 10 * config.scale()
        while mark not in self.console_text() and time.monotonic() < deadline and self.running:
            time.sleep(0.02)

    def _wait_end(self):
        try:
            self.proc.wait(5)
        except subprocess.TimeoutExpired:
            pass

    def check_console(self):
        """Raise if the kernel complained since the last check."""
        silent = self._flush_console() if self.running else None
        text = self.console_text()
        bad = console.problems(text[self.mark:], self.allow)
        self.mark = len(text)
        if bad:
            raise Bad("on the console: " + "\n".join(bad[:12]))
        if silent:
            raise Bad(f"the guest does not answer any more: {silent}")
        if not self.running and not self.expect_exit:
            raise Bad(f"the guest ended by itself; console ends:\n{self.console_tail()}")

    def klog_since(self, mark):
        return self.console_text()[mark:]

    # Time

    def wait(self, what, condition, timeout=20, step=0.1):
        """Poll until `condition()` is true; its value."""
        start = looked = time.monotonic()
        deadline = start + timeout * config.scale()
        while True:
            value = condition()
            if value:
                return value
            now = time.monotonic()
            if now - looked > 2:
                # Why wait for what a dead kernel will not do?
                looked = now
                bad = console.problems(self.console_text()[self.mark:], self.allow)
                if bad:
                    raise Bad(f"while waiting for {what}, on the console: "
                              + "\n".join(bad[:12]))
            if now > deadline:
                raise Bad(f"not within {timeout} s: {what}")
            time.sleep(step)

    # PCI

    def pci(self):
        devs = {name: dev for name, dev in pci.devices(self.agent).items()
                if dev.domain != self.machine.own_domain}

        @functools.cache
        def moved():
            # powerpc has bus addresses in sysfs, as far as I/O ports go.
            return pci.moved_windows(self.console_text(), self.machine.arch != "ppc64le")
        for dev in devs.values():
            # Not many of those who wait for a device look at its registers.
            dev.moved = lambda domain=dev.domain: moved().get(domain, ())
            dev.ioports = self.machine.ioports
        return devs

    def host_bridges(self):
        """Their directories below /sys/devices."""
        at = "/sys/class/pci_bus"
        # A root bus: .../pci0000:00/pci_bus/0000:00
        links = {name: self.agent("link", f"{at}/{name}") for name in self.agent.ls(at)}
        return sorted("/sys" + link[link.index("/devices/"):].rsplit("/pci_bus/", 1)[0]
                      for name, link in links.items()
                      if link.split("/")[-3] == f"pci{name}")

    def trace(self):
        try:
            return Trace(self.agent("trace", limit=60))
        except Refused as err:
            raise Bad(f"no trace: {err}") from None

    def trace_bound(self, names, timeout=20):
        """The trace, as soon as these devices have passed the last stage.

        The driver that one of them waits for may be slow. A kernel without
        stages has nothing to wait for.
        """
        def passed():
            trace = self.trace()
            ends = [trace.sequence(name)[-1:] for name in names]
            return trace if not any(ends) or all(end == ("bind",) for end in ends) else None
        return self.wait("devices to pass all stages", passed, timeout, step=0.3)

    def clear_trace(self):
        try:
            self.agent("trace", "clear")
        except Refused as err:
            raise Bad(f"no trace: {err}") from None

    def uevents(self, start=0):
        got = self.agent("uevents", start)
        if got["lost"]:
            raise Bad(f"{got['lost']} uevents lost")
        return got["events"]

    def uevent_mark(self):
        return self.agent("uevents", 10 ** 9)["next"]

    def _device_add(self, text):
        # The emulator lets go of an unplugged device's disk a little later.
        deadline = time.monotonic() + 10 * config.scale()
        while True:
            try:
                return self.qmp("device_add", **spec(text))
            except Refused as err:
                if "Permission conflict on node" not in str(err) or time.monotonic() > deadline:
                    raise
            time.sleep(0.1)

    def add(self, *texts, paused=None):
        """device_add; several devices arrive together, as one card would."""
        paused = len(texts) > 1 if paused is None else paused
        if paused:
            self.qmp("stop")
        try:
            for text in texts:
                self._device_add(text)
        finally:
            if paused:
                self.qmp("cont")

    def slot_power(self, slot, on):
        self.agent.write(f"/sys/bus/pci/slots/{slot}/power", "1" if on else "0", limit=30)

    def plug(self, *texts, slot=None):
        """Hot-add below a port, and skip pciehp's five seconds of blinking.

        `slot`: number of the slot on a native machine; None leaves the
        guest to its own devices (ACPI, SHPC).
        """
        self.add(*texts)
        if slot is None or self.machine.hotplug != "native":
            return
        try:
            self.slot_power(slot, True)
        except Refused as err:
            # ENODEV: pciehp has seen the card and is switching it on already.
            if err.errno != errno.ENODEV:
                self.check_console()
                raise Bad(f"slot {slot} could not be switched on: {err}") from None

    def unplug(self, ident, slot=None, timeout=30):
        """Orderly removal; returns when the emulator has let go of the device."""
        if slot is not None and self.machine.hotplug == "native":
            # Switching the slot off detaches what is in it, without the wait.
            # ENODEV: pciehp is not through with switching it on yet.
            def off():
                try:
                    self.slot_power(slot, False)
                except Refused as err:
                    if err.errno != errno.ENODEV:
                        self.check_console()
                        raise Bad(f"slot {slot} could not be switched off: {err}") from None
                    return False
                return True
            self.wait(f"slot {slot} to switch off", off, timeout)
        else:
            self.qmp("device_del", id=ident)
        self.wait_unplugged(ident, timeout)

    def plugged(self, ident):
        """Is a device on its bus, as the emulator sees it?"""
        def ids(items):
            for item in items:
                yield item.get("qdev_id")
                yield from ids(item.get("pci_bridge", {}).get("devices", []))
        return any(ident in ids(bus["devices"]) for bus in self.qmp("query-pci"))

    def wait_unplugged(self, ident, timeout=30):
        """Wait until the emulator has taken a device off its bus.

        Not its DEVICE_DELETED event: some models (qemu-xhci) never send it.
        """
        self.wait(f"device {ident} to be unplugged", lambda: not self.plugged(ident), timeout)

    def rescan(self, path="/sys/bus/pci/rescan", limit=30):
        self.agent.write(path, "1", limit=limit)

    def remove(self, dev, limit=30):
        self.agent.write(f"/sys/bus/pci/devices/{dev}/remove", "1", limit=limit)

    def wait_device(self, match, timeout=20, driver=None):
        """Wait for a device for which `match(dev)` holds, bound if `driver`."""
        def look():
            for d in self.pci().values():
                if match(d) and (driver is None or d.driver == driver):
                    return d
            return None
        return self.wait("device to appear" + (f" and {driver} to bind" if driver else ""),
                         look, timeout)

    def wait_bound(self, want, timeout=20):
        """Wait until each device of {name: driver} is there and bound so."""
        def look():
            devs = self.pci()
            return devs if all(n in devs and devs[n].driver == d
                               for n, d in want.items()) else None
        return self.wait("devices to bind: " + ", ".join(f"{n} to {d}" for n, d in want.items()),
                         look, timeout)

    def wait_id(self, ident, timeout=20, driver=None, count=1):
        def look():
            got = [d for d in self.pci().values()
                   if d.id == ident and (driver is None or d.driver == driver)]
            return got if len(got) >= count else None
        return self.wait(f"{count} x {ident}" + (f" bound to {driver}" if driver else ""),
                         look, timeout)

    def settle(self, timeout=20):
        """Wait until no uevent has arrived for half a second."""
        last = [None, time.monotonic()]

        def quiet():
            now = self.uevent_mark()
            if now != last[0]:
                last[:] = [now, time.monotonic()]
            return time.monotonic() - last[1] > 0.5
        self.wait("uevents to stop", quiet, timeout, step=0.15)

    # Disks

    def block_name(self, dev):
        """Block device of a PCI device's driver, e.g. 'vda' or 'nvme0n1'."""
        def look():
            for name in sorted(self.agent.ls("/sys/class/block")):
                try:
                    target = self.agent("link", f"/sys/class/block/{name}")
                except Refused:
                    continue
                if f"/{dev}/" in target:
                    return name
            return None
        return self.wait(f"block device of {dev}", look)

    def load_start(self, name, block, blocks=512, workers=2, pause_us=2000):
        self.agent("disk", "start", name, f"/dev/{block}", blocks, workers, pause_us)

    def load_status(self, name):
        return self.agent("disk", "status", name)

    def load_stop(self, name, timeout=60):
        self.agent("disk", "stop", name)

        def ended():
            s = self.load_status(name)
            return s if s["finished"] == s["workers"] else None
        status = self.wait(f"load {name} to end", ended, timeout)
        self.agent("disk", "forget", name)
        return status

    def load_verify(self, name, least=20):
        """Stop a load; every block must be right and some work done."""
        s = self.load_stop(name)
        if s["bad"] or s["errors"]:
            raise Bad(f"disk load {name}: {s['bad']} bad blocks, {s['errors']} I/O errors "
                      f"({s['last_error']})")
        if s["reads"] + s["writes"] < least:
            raise Bad(f"disk load {name}: only {s['reads'] + s['writes']} operations")
        return s

    def load_moves(self, name, ops=4, timeout=20):
        """The load makes progress now."""
        before = self.load_status(name)

        def more():
            s = self.load_status(name)
            return s["reads"] + s["writes"] >= before["reads"] + before["writes"] + ops
        self.wait(f"load {name} to make progress", more, timeout)
