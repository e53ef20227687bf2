# SPDX-License-Identifier: GPL-2.0
"""The two lines into a guest: QMP to the emulator, and the agent's protocol.

Both run over socket pairs handed to the emulator, so there are no paths, no
races at start, and every wait has an end.
"""

import collections
import json
import select
import time

from . import config


class LinkError(Exception):
    """The other side went away or does not answer in time."""


class Refused(Exception):
    """A command was understood and failed."""

    def __init__(self, text, errno=None):
        super().__init__(text)
        self.errno = errno


class _Lines:
    def __init__(self, sock, what, log=None):
        self.sock = sock
        self.what = what
        self.log = log
        self.pending = b""

    def send(self, text):
        if self.log:
            self.log.write(f"{time.time():.3f} > {text}\n")
            self.log.flush()
        try:
            self.sock.sendall(text.encode("latin-1") + b"\n")
        except OSError as err:
            raise LinkError(f"{self.what}: {err}") from None

    def receive(self, deadline):
        """The next line; None when the deadline passes first."""
        while b"\n" not in self.pending:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.sock], [], [], left)[0]:
                return None
            try:
                got = self.sock.recv(1 << 20)
            except OSError as err:
                raise LinkError(f"{self.what}: {err}") from None
            if not got:
                raise LinkError(f"{self.what}: connection closed (the emulator has ended)")
            self.pending += got
        line, self.pending = self.pending.split(b"\n", 1)
        text = line.decode("latin-1").rstrip("\r")
        if self.log:
            self.log.write(f"{time.time():.3f} < {text[:2000]}\n")
            self.log.flush()
        return text


class Qmp:
    """Client for the QEMU Machine Protocol."""

    def __init__(self, sock, log=None):
        self.lines = _Lines(sock, "QMP", log)
        self.events = collections.deque(maxlen=1000)

    def handshake(self):
        self._next(time.monotonic() + 30 * config.scale())
        self("qmp_capabilities")

    def _next(self, deadline):
        line = self.lines.receive(deadline)
        if line is None:
            raise LinkError("QMP: no answer in time")
        return json.loads(line)

    def __call__(self, command, **arguments):
        request = {"execute": command}
        if arguments:
            request["arguments"] = {k.replace("_", "-") if command != "device_add" else k: v
                                    for k, v in arguments.items()}
        self.lines.send(json.dumps(request))
        deadline = time.monotonic() + 60 * config.scale()
        while True:
            reply = self._next(deadline)
            if "event" in reply:
                self.events.append(reply)
            elif "error" in reply:
                raise Refused(f"{command}: {reply['error'].get('desc')}")
            elif "return" in reply:
                return reply["return"]

    def poll(self):
        """Take in events that have arrived."""
        while True:
            line = self.lines.receive(time.monotonic() + 0.001)
            if line is None:
                return
            reply = json.loads(line)
            if "event" in reply:
                self.events.append(reply)

    def wait_event(self, name, match=None, timeout=30):
        """Wait for an event whose data holds everything in `match`."""
        deadline = time.monotonic() + timeout * config.scale()
        while True:
            for event in list(self.events):
                data = event.get("data", {})
                if event["event"] == name and all(
                        data.get(k) == v for k, v in (match or {}).items()):
                    self.events.remove(event)
                    return data
            line = self.lines.receive(deadline)
            if line is None:
                raise LinkError(f"QMP: no event {name} {match or ''} in time")
            reply = json.loads(line)
            if "event" in reply:
                self.events.append(reply)


def _word(value):
    out = []
    for byte in str(value).encode("latin-1"):
        if 0x21 <= byte <= 0x7e and byte not in b"%":
            out.append(chr(byte))
        else:
            out.append(f"%{byte:02X}")
    text = "".join(out)
    # A first '@' would read as a time limit; an empty word would vanish.
    return "%40" + text[1:] if text.startswith("@") else text


class Agent:
    """Client for the guest agent's protocol (agent/main.c says what it is)."""

    def __init__(self, sock, log=None):
        self.lines = _Lines(sock, "agent", log)
        self.serial = 0

    def post(self, *words, limit=30):
        """Send a command whose answer may be lost: one that stops the guest."""
        self.serial += 1
        ident = str(self.serial)
        self.lines.send(" ".join([ident, f"@{int(limit * config.scale() * 1000)}"]
                                 + [_word(w) for w in words]))
        return ident

    def __call__(self, *words, limit=30):
        """Run a command; `limit` is what the command itself may take."""
        ident = self.post(*words, limit=limit)
        limit *= config.scale()
        deadline = time.monotonic() + limit + 20 * config.scale()
        while True:
            line = self.lines.receive(deadline)
            if line is None:
                raise LinkError(f"agent: no answer to '{' '.join(map(str, words))[:200]}'")
            try:
                reply = json.loads(line)
            except ValueError:
                continue        # left over from before the guest was ready
            if reply.get("id") != ident:
                continue
            if reply["ok"]:
                return reply["result"]
            raise Refused(f"{words[0]}: {reply['error']}", reply["errno"])

    def wait_ready(self, alive, timeout):
        """Ping until the agent answers; `alive()` raises when it never will."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            alive()
            self.serial += 1
            ident = str(self.serial)
            self.lines.send(f"{ident} ping")
            until = time.monotonic() + 0.5
            while True:
                line = self.lines.receive(until)
                if line is None:
                    break
                try:
                    reply = json.loads(line)
                except ValueError:
                    continue
                if isinstance(reply, dict) and reply.get("id") == ident and reply.get("ok"):
                    return reply["result"]
        raise LinkError(f"agent: not ready after {timeout:.0f} s")

    # Shorthands used all over the scenarios.

    def read(self, path, **kw):
        return self("read", path, **kw)

    def write(self, path, data, **kw):
        return self("write", path, data, **kw)

    def exists(self, path):
        try:
            self("link", path)
            return True
        except Refused as err:
            return err.errno != 2

    def ls(self, path):
        return self("ls", path)
