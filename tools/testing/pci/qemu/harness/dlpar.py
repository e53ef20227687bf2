# SPDX-License-Identifier: GPL-2.0
"""Hotplug on pSeries: what drmgr does there, with the agent in its place.

Each slot and each host bridge has a connector, which user space moves from
one state to the next with calls of the firmware (LoPAR 13.5). The kernel
then takes the description of what is plugged in from the firmware into the
device tree, and rpaphp or rpadlpar is told to add it.
"""

import struct

from .vm import Bad

ISOLATION, ALLOCATION = 9001, 9003
SLOTS = "/sys/bus/pci/slots"
_TREE = "/proc/device-tree"


def _cells(text):
    raw = text.encode("latin-1")
    return struct.unpack(f">{len(raw) // 4}I", raw[:len(raw) // 4 * 4])


def connector(vm, node, name):
    """Index of the connector with this name below a node of the device tree."""
    at = f"{_TREE}{node}"
    indexes = _cells(vm.agent.read(f"{at}/ibm,drc-indexes"))[1:]
    names = vm.agent.read(f"{at}/ibm,drc-names")[4:].split("\0")
    return dict(zip(names, indexes))[name]


def host_node(vm, domain="0000"):
    """Device tree node of a host bridge, as a path."""
    link = vm.agent("link", f"/sys/class/pci_bus/{domain}:00/of_node")
    return link[link.index("/devicetree/base") + len("/devicetree/base"):]


def _indicator(vm, which, index, value):
    status = vm.agent("rtas", "set-indicator", which, index, value)
    if status:
        raise Bad(f"set-indicator {which} of {index:#x} to {value}: status {status}")


def attach(vm, index, logical=False):
    """From the connector into the device tree."""
    if logical:
        _indicator(vm, ALLOCATION, index, 1)
    _indicator(vm, ISOLATION, index, 1)
    vm.agent.write("/sys/kernel/dlpar", f"dt add index {index:#x}")


def detach(vm, index, logical=False):
    """Out of the device tree and back into the connector."""
    vm.agent.write("/sys/kernel/dlpar", f"dt remove index {index:#x}")
    _indicator(vm, ISOLATION, index, 0)
    if logical:
        _indicator(vm, ALLOCATION, index, 0)


def add(vm, name, domain="0000"):
    """Take what was plugged into a slot into service; the slot is its name."""
    attach(vm, connector(vm, host_node(vm, domain), name))
    vm.agent.write(f"{SLOTS}/{name}/power", "1", limit=60)


def add_host(vm, name):
    """Take a host bridge that was plugged in into service."""
    attach(vm, connector(vm, "", name), logical=True)
    vm.agent.write(f"{SLOTS}/control/add_slot", name, limit=60)


def remove_host(vm, name):
    vm.agent.write(f"{SLOTS}/control/remove_slot", name, limit=60)
    detach(vm, connector(vm, "", name), logical=True)
