# SPDX-License-Identifier: GPL-2.0
"""The guest agent on its own, run as a process on the host."""

import os
import socket
import subprocess
import time

import pytest

from harness import config
from harness.echo import Echo
from harness.links import Agent, Refused


@pytest.fixture
def agent():
    if os.uname().machine != {"arm64": "aarch64"}.get(config.arch(), config.arch()):
        pytest.skip("the agent is built for another architecture")
    near, far = socket.socketpair()
    proc = subprocess.Popen([str(config.agent_binary()), "-"], stdin=far)
    far.close()
    yield Agent(near)
    near.close()
    assert proc.wait(10) == 0


def wait(condition):
    end = time.monotonic() + 10 * config.scale()
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


GARBAGE = [
    b"", b"1", b"1 nothing-known", b"1 read", b"1 read a b c", b"1 read %zz", b"1 read %4", b"%",
    b"1 @x ping", b"1 @99999999999 ping", b"1 @5", bytes(range(128, 256)), b"1 " + b"a " * 500,
    b"x" * ((1 << 20) + 5), b"1 \x00 \x01\x02", b"1 disk", b"1 disk start", b"1 disk stop nobody",
    b"1 disk start a /dev/null x", b"1 net", b"1 net start", b"1 net start a 1.2.3 80",
    b"1 net start a 127.0.0.1 0", b"1 net start a 127.0.0.1 80 9", b"1 net stop nobody",
    b"1 net up", b"1 net up nowhere 10.0.0.1 255.0.0.0", b"1 net up lo 1.2 255.0.0.0",
    b"1 map", b"1 map hold", b"1 map hold a /not-there", b"1 map hold a /dev/null 5",
    b"1 map loop a /dev/null x", b"1 map stop nobody", b"1 map hold " + b"x" * 70 + b" /dev/null", b"1 job start a b c d", b"1 job start a 1 1 nothing",
    b"1 config ../../x", b"1 config 0000:00:00.0 5000", b"1 config 0000:00:00.0 0 3 1",
    b"1 find /not-there", b"1 event a/../b 1", b"1 event none 1", b"1 write /not-there x",
    b"1 ls /proc/version", b"1 uevents zz", b"1 modprobe not-there", b"1 poweroff",
    b"1 link /proc/version", b"1 read /proc/%00", b"1 trace wrong", b"1 write / x",
]


def test_garbage(agent):
    """Whatever is sent, there is one reply, and it is an error"""
    import json
    for raw in GARBAGE:
        agent.lines.sock.sendall(raw + b"\n")
        line = agent.lines.receive(time.monotonic() + 10)
        assert line is not None, raw[:60]
        reply = json.loads(line)
        assert reply["ok"] is False and reply["error"], raw[:60]
    assert agent("ping")["version"] == 1
    assert agent.lines.pending == b""


def test_random_bytes(agent):
    """Random lines never silence it"""
    import random
    rng = random.Random(7)
    for _ in range(300):
        raw = bytes(rng.choice(b"0123 %@abpingreadwlos/\xff\x00\x01") for _ in
                    range(rng.randrange(80)))
        agent.lines.sock.sendall(raw + b"\n")
        assert agent.lines.receive(time.monotonic() + 10) is not None, raw
    assert agent("ping")["version"] == 1


def test_time_limit(agent):
    """A command that does not return is given up, and the agent goes on"""
    start = time.monotonic()
    with pytest.raises(Refused) as err:
        agent("sh", "sleep 20", limit=0.3 / config.scale())
    assert err.value.errno == 110
    assert time.monotonic() - start < 10
    assert agent("ping")


def test_files(agent, tmp_path):
    """Bytes come back as they were written"""
    data = bytes(range(256)).decode("latin-1")
    path = tmp_path / "a %file@"
    path.write_bytes(b"")
    assert agent.write(path, data) == 256
    assert agent.read(path) == data
    assert agent.ls(tmp_path) == {"a %file@": "f"}
    assert agent.exists(path) and not agent.exists(tmp_path / "b")


def test_disk_load(agent, tmp_path):
    """A good disk passes; a stale, a misplaced and a changed block are each noticed"""
    image = tmp_path / "disk.img"
    image.write_bytes(bytes(64 * 4096))

    def load(spoil):
        agent("disk", "start", "l", image, 64, 1, 100)
        wait(lambda: agent("disk", "status", "l")["writes"] > 600)
        # Spoil it while nothing runs, so that only the last reading can tell.
        pid = int(subprocess.check_output(["pgrep", "-n", "-f", f"{config.agent_binary()} -"]))
        os.kill(pid, 19)
        try:
            spoil()
        finally:
            agent("disk", "stop", "l")
            os.kill(pid, 18)
        wait(lambda: agent("disk", "status", "l")["finished"] == 1)
        status = agent("disk", "status", "l")
        agent("disk", "forget", "l")
        return status

    def patch(offset, data):
        with open(image, "r+b") as f:
            f.seek(offset)
            f.write(data)

    def block(nr):
        return image.read_bytes()[nr * 4096:(nr + 1) * 4096]

    assert load(lambda: None)["bad"] == 0
    # Each spoils all blocks but one: the load may just be writing a block.
    assert load(lambda: [patch(i * 4096 + 2000, b"!") for i in range(64)])["bad"] >= 60
    first = []
    load(lambda: first.append(image.read_bytes()))
    assert load(lambda: patch(0, first[0]))["bad"] >= 60, "stale blocks"
    assert load(lambda: patch(0, block(63) + image.read_bytes()[:63 * 4096]))["bad"] >= 60


def test_disk_errors(agent, tmp_path):
    """A disk that cannot be used is an error, not a success"""
    agent("disk", "start", "f", tmp_path, 16, 1, 0)
    wait(lambda: agent("disk", "status", "f")["finished"] == 1)
    status = agent("disk", "status", "f")
    assert (status["errors"], status["writes"]) == (1, 0)
    with pytest.raises(Refused):
        agent("disk", "start", "g", tmp_path / "not-there", 16, 1, 0)


def test_jobs(agent):
    """A job counts what it wrote, what was missing and what failed"""
    agent("job", "start", "j", 5, 0, "/dev/null=1", "/not-there=1", "/dev/full=1")
    wait(lambda: agent("job", "status", "j")["finished"])
    got = agent("job", "status", "j")
    assert (got["rounds"], got["writes"], got["missing"], got["errors"]) == (5, 5, 5, 5)


def finished(agent, kind, name):
    """Stop a load or a mapping; what it says in the end."""
    agent(kind, "stop", name)
    wait(lambda: agent(kind, "status", name)["finished"])
    status = agent(kind, "status", name)
    agent(kind, "forget", name)
    return status


def test_net_load(agent):
    """Good transfers pass; changed, repeated and broken ones are each noticed"""
    def load(spoil, until):
        echo = Echo(spoil)
        agent("net", "start", "l", "127.0.0.1", echo.port, 1)
        wait(lambda: until(agent("net", "status", "l")))
        echo.close()
        return finished(agent, "net", "l")

    def change(data):
        return data[:-1] + bytes([data[-1] ^ 1])

    first = []

    def repeat(data):
        # The same block again and again, whole and with the right sum.
        first.append(data)
        whole = b"".join(first)[:4096]
        return whole * (len(data) // 4096) if len(whole) == 4096 else data

    good = load(None, lambda s: s["blocks"] >= 200)
    assert good["bad"] == 0 and good["worst_ms"] < 10000, good
    assert load(change, lambda s: s["blocks"] >= 64)["bad"], "changed"
    assert load(repeat, lambda s: s["bad"] or s["errors"])["bad"], "repeated"
    agent("net", "start", "l", "127.0.0.1", 9, 1)
    wait(lambda: agent("net", "status", "l")["errors"] > 1)
    status = finished(agent, "net", "l")
    assert status["blocks"] == 0 and status["last_error"], status


def test_map(agent, tmp_path):
    """A mapping is held until told; a changed word and a file that has gone are noticed"""
    path = tmp_path / "word"
    path.write_bytes(b"\x2a\0\0\0" + bytes(4092))
    agent("map", "hold", "m", path)
    wait(lambda: agent("map", "status", "m")["mapped"])
    with pytest.raises(Refused):
        agent("map", "forget", "m")
    got = finished(agent, "map", "m")
    assert (got["word"], got["rounds"], got["changed"], got["errors"]) == (42, 1, 0, 0), got
    agent("map", "loop", "m", path, 100)
    wait(lambda: agent("map", "status", "m")["rounds"] > 50)
    with open(path, "r+b") as f:
        f.write(b"\x2b")
    wait(lambda: agent("map", "status", "m")["changed"])
    path.unlink()
    wait(lambda: agent("map", "status", "m")["errors"])
    got = finished(agent, "map", "m")
    assert got["word"] == 43 and got["changed"] == 1, got
