# SPDX-License-Identifier: GPL-2.0
"""Initramfs for the guest: the agent as /init, a shell, optionally modules.

Writes the "newc" archive itself, so that neither root nor a host tool is
needed for the device nodes.
"""

import hashlib
import os
import stat
import subprocess
import tempfile
from pathlib import Path

from . import config

SHELLS = {"x86_64": ["/bin/busybox", "/usr/bin/busybox"]}


class Cpio:
    def __init__(self, out):
        self.out = out
        self.ino = 1

    def _entry(self, name, mode, data=b"", rdev=(0, 0)):
        name = name.lstrip("/").encode() + b"\0"
        fields = (self.ino, mode, 0, 0, 1, 0, len(data), 0, 0, rdev[0],
                  rdev[1], len(name), 0)
        head = b"070701" + b"".join(b"%08x" % f for f in fields) + name
        self.out.write(head + b"\0" * (-len(head) % 4))
        self.out.write(data + b"\0" * (-len(data) % 4))
        self.ino += 1

    def dir(self, name):
        self._entry(name, stat.S_IFDIR | 0o755)

    def file(self, name, data, mode=0o644):
        self._entry(name, stat.S_IFREG | mode, data)

    def link(self, name, target):
        self._entry(name, stat.S_IFLNK | 0o777, target.encode())

    def char(self, name, major, minor):
        self._entry(name, stat.S_IFCHR | 0o600, b"", (major, minor))

    def end(self):
        self._entry("TRAILER!!!", 0)


def shell_binary():
    """A static shell for the guest, or None."""
    for path in SHELLS.get(config.arch(), []):
        if os.access(path, os.R_OK):
            return Path(path)
    return None


def _applets(busybox):
    try:
        done = subprocess.run([str(busybox), "--list"], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True)
        return [a for a in done.stdout.split() if a != "busybox"] or ["sh"]
    except OSError:         # another architecture's
        return ["sh"]


def _module_files(tree):
    root = tree / "lib" / "modules" if (tree / "lib" / "modules").is_dir() else tree
    for path in sorted(root.rglob("*")):
        rel = path.relative_to(root)
        if {"build", "source"} & set(rel.parts):
            continue
        if path.is_file():
            yield "lib/modules/" + str(rel), path


def with_tables(initrd, tables, target):
    """An initramfs with ACPI tables before it, which the kernel takes instead of its own."""
    with open(target, "wb") as out:
        cpio = Cpio(out)
        for number, table in enumerate(tables):
            cpio.file(f"kernel/firmware/acpi/{number}.aml", table)
        cpio.end()
        # The next archive begins where a new file would.
        out.write(b"\0" * (-out.tell() % 512))
        out.write(Path(initrd).read_bytes())
    return target


def build(modules=None):
    """Return an initramfs, built when there is none of the same content yet."""
    agent = config.agent_binary()
    shell = shell_binary()
    files = [("init", agent, 0o755)]
    if shell:
        files.append(("bin/busybox", shell, 0o755))
    if modules:
        if not Path(modules).is_dir():
            raise FileNotFoundError(f"no module tree at {modules}")
        listed = [(n, p, 0o644) for n, p in _module_files(Path(modules))]
        if not any(n.endswith(".ko") for n, _, _ in listed):
            raise FileNotFoundError(f"no modules below {modules}")
        files += listed

    digest = hashlib.sha256()
    for name, path, mode in files:
        st = path.stat()
        digest.update(f"{name} {path} {st.st_size} {st.st_mtime_ns} {mode}\n".encode())
    target = agent.parent / f"initramfs-{digest.hexdigest()[:16]}.cpio"
    if target.exists():
        return target

    with tempfile.NamedTemporaryFile(dir=agent.parent, delete=False) as out:
        cpio = Cpio(out)
        for name in ("dev", "proc", "sys", "tmp", "bin", "sbin", "lib", "lib/modules"):
            cpio.dir(name)
        cpio.char("dev/console", 5, 1)
        cpio.char("dev/null", 1, 3)
        seen = {"lib/modules", "bin"}
        for name, path, mode in files:
            for up in reversed(Path(name).parents):
                if str(up) != "." and str(up) not in seen:
                    seen.add(str(up))
                    cpio.dir(str(up))
            cpio.file(name, path.read_bytes(), mode)
        if shell:
            for applet in _applets(shell):
                cpio.link("bin/" + applet, "busybox")
        cpio.end()
    os.replace(out.name, target)
    return target

