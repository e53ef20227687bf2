# SPDX-License-Identifier: GPL-2.0
"""ACPI tables that a scenario loads into a running guest, assembled here.

Just the part of AML (ACPI 6.5, chapter 20) that describes a PCI host bridge,
accesses memory, or sends a notification; no compiler is needed.
"""

import re
import struct
import uuid

DEVICE_CHECK, EJECT_REQUEST = 1, 3


def _package(body):
    """PkgLength, which counts itself, and the body."""
    size = len(body) + 1
    if size < 0x40:
        return bytes([size]) + body
    for extra in (1, 2, 3):
        size = len(body) + 1 + extra
        if size < 1 << (4 + 8 * extra):
            return (bytes([extra << 6 | size & 0xf])
                    + (size >> 4).to_bytes(extra, "little") + body)
    raise ValueError("too long")


def _name(path):
    root, path = (b"\\", path[1:]) if path.startswith("\\") else (b"", path)
    parts = [p.encode().ljust(4, b"_") for p in path.split(".")]
    prefix = {1: b"", 2: b"\x2e"}.get(len(parts), b"\x2f" + bytes([len(parts)]))
    return root + prefix + b"".join(parts)


def _integer(value):
    return b"\x0c" + struct.pack("<I", value)


def _buffer(data):
    return b"\x11" + _package(_integer(len(data)) + data)


def _sum(table):
    """The table with its checksum."""
    table[9] = 0
    table[9] = -sum(table) & 0xff
    return bytes(table)


def ssdt(*terms):
    """A table of these terms."""
    body = b"".join(terms)
    head = struct.pack("<4sIBB6s8sI4sI", b"SSDT", 36 + len(body), 2, 0, b"PCITST", b"SCENARIO",
                       1, b"TEST", 1)
    return _sum(bytearray(head + body))


def name(path, value):
    return b"\x08" + _name(path) + value


def store(value, path):
    return b"\x70" + _integer(value) + _name(path)


def notify(path, value):
    """A notification, sent as soon as the table is loaded."""
    return b"\x86" + _name(path) + _integer(value)


def _string(text):
    return b"\x0d" + text.encode() + b"\x00"


def _list(*items):
    return b"\x12" + _package(bytes([len(items)]) + b"".join(items))


def memory(address):
    """A word of memory at a fixed address, which nothing has accessed yet."""
    return (b"\x5b\x80" + _name("\\XMEM") + b"\x00" + _integer(address) + _integer(4)
            + b"\x5b\x81" + _package(_name("\\XMEM") + b"\x03" + _name("XWRD") + b"\x20"))


def read():
    """A method that reads that word, and is called as soon as the table is loaded."""
    return (b"\x14" + _package(_name("\\XGET") + b"\x00\xa4" + _name("\\XWRD"))
            + name("\\XVAL", _integer(0)) + b"\x70" + _name("\\XGET") + _name("\\XVAL"))


# A _DSD with this one is about a port (drivers/acpi/property.c has the list).
_EXTERNAL = uuid.UUID("efcc06cc-73ac-4bc3-bff0-76143807c389").bytes_le


def external_port(path, address):
    """A PCI port by its _ADR, behind which is what anybody may have plugged in."""
    dsd = _list(_buffer(_EXTERNAL), _list(_list(_string("ExternalFacingPort"), _integer(1)),
                                          _list(_string("UID"), _integer(0))))
    return b"\x5b\x82" + _package(_name(path) + name("_ADR", _integer(address))
                                  + name("_DSD", dsd))


def ejectable(path):
    """What the emulator's host bridges lack: _EJ0, and a _STA that tells of it, in XSTA."""
    return (name(f"{path}.XSTA", _integer(0xf))
            + b"\x14" + _package(_name(f"{path}._STA") + b"\x00\xa4" + _name(f"{path}.XSTA"))
            + b"\x14" + _package(_name(f"{path}._EJ0") + b"\x01" + store(0, f"{path}.XSTA")))


def _eisa(text):
    number = 0
    for char in text[:3]:
        number = number << 5 | ord(char) - 0x40
    return _integer(struct.unpack("<I", struct.pack(">I", number << 16 | int(text[3:], 16)))[0])


def hide(dsdt, device):
    """The same table with a PCI host bridge that no driver knows; newer, so it is taken."""
    table = bytearray(dsdt)
    at = re.search(rb"\x5b\x82.{1,4}?" + device.encode(), table, re.DOTALL).start()
    lead, more = table[at + 2] & 0xf, table[at + 2] >> 6
    size = table[at + 2] if not more else lead | int.from_bytes(
        table[at + 3:at + 3 + more], "little") << 4
    body = table[at:at + 2 + size]
    for ident in ("PNP0A08", "PNP0A03"):
        body = body.replace(_eisa(ident), _eisa("TST0000")).replace(ident.encode(), b"TST0000")
    table[at:at + 2 + size] = body
    revision, = struct.unpack_from("<I", table, 24)
    struct.pack_into("<I", table, 24, revision + 1)
    return _sum(table)


def _buses(first, last):
    return struct.pack("<BHBBBHHHHH", 0x88, 13, 2, 0x0c, 0, 0, first, last, 0, last - first + 1)


def _memory(first, last, flags):
    return struct.pack("<BHBBBQQQQQ", 0x8a, 43, 0, 0x0c, flags, 0, first, last, 0,
                       last - first + 1)


def host_bridge(path, bus, last_bus, windows, preserve):
    """A PCIe host bridge of segment 0; windows: (first, last, prefetchable) addresses.

    With `preserve` its _DSM says that the OS has to keep what is programmed
    (PCI Firmware Specification r3.3, sec 4.6.5).
    """
    crs = _buses(bus, last_bus) + b"".join(
        _memory(first, last, 0x07 if pref else 0x01) for first, last, pref in windows)
    # If (Arg2 == 5) { Return (!preserve) } Return (Buffer {0x21})
    keep = b"\xa4" + _integer(0 if preserve else 1)
    dsm = (b"\xa0" + _package(b"\x93" + b"\x6a" + _integer(5) + keep)
           + b"\xa4" + _buffer(b"\x21"))
    terms = [
        name("_HID", _eisa("PNP0A08")), name("_CID", _eisa("PNP0A03")),
        name("_SEG", _integer(0)), name("_BBN", _integer(bus)), name("_UID", _integer(bus)),
        name("_CCA", _integer(1)), name("_CRS", _buffer(crs + b"\x79\x00")),
        b"\x14" + _package(_name("_DSM") + b"\x04" + dsm),
    ]
    return b"\x5b\x82" + _package(_name(path) + b"".join(terms))
