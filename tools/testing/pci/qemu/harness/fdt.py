# SPDX-License-Identifier: GPL-2.0
"""Changed device tree blobs (Devicetree Specification v0.4, chapter 5)."""

import struct
import subprocess

_BEGIN_NODE, _PROP = 1, 3


def of_machine(machine, path):
    """Write the device tree that the emulator makes for a machine; what is in it."""
    args = list(machine.args)
    args[args.index("-M") + 1] += f",dumpdtb={path}"
    subprocess.run([machine.emulator, *args, "-nodefaults", "-display", "none",
                    "-m", machine.memory], stdin=subprocess.DEVNULL, check=True,
                   capture_output=True)
    return path.read_bytes()


def replace_cells(blob, old, new):
    """The blob with other values in cells that occur once.

    Without the room to grow that the emulator leaves: it doubles what it gets.
    """
    old, new = (struct.pack(f">{len(cells)}I", *cells) for cells in (old, new))
    if len(old) != len(new) or blob.count(old) != 1:
        raise ValueError(f"{old.hex()} occurs {blob.count(old)} times")
    head = struct.unpack_from(">10I", blob)
    end = max(head[2] + head[9], head[3] + head[8])
    return blob[:4] + struct.pack(">I", end) + blob[8:end].replace(old, new)


def add_property(blob, node, name, value):
    """The blob with a property of four bytes in a child of the root node."""
    head = list(struct.unpack_from(">10I", blob))
    at_struct, at_strings, size_strings, size_struct = head[2], head[3], head[8], head[9]
    start = struct.pack(">I", _BEGIN_NODE) + node.encode() + b"\0"
    start += b"\0" * (-len(start) % 4)
    at = blob.index(start, at_struct, at_struct + size_struct) + len(start)
    prop = struct.pack(">IIII", _PROP, 4, size_strings, value)
    strings = name.encode() + b"\0"
    body = blob[at_struct:at] + prop + blob[at:at_struct + size_struct]
    # Without the room to grow that the emulator leaves: it doubles what it gets.
    out = bytearray(blob[:head[4]]) + b"\0" * (-head[4] % 8)
    reserved = head[4]
    while True:
        entry = blob[reserved:reserved + 16]
        out += entry
        reserved += 16
        if not any(entry):
            break
    head[4] = len(out) - (reserved - head[4])
    head[2], head[9] = len(out), len(body)
    out += body
    head[3], head[8] = len(out), size_strings + len(strings)
    out += blob[at_strings:at_strings + size_strings] + strings
    head[1] = len(out)
    struct.pack_into(">10I", out, 0, *head)
    return bytes(out)
