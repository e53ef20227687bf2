# SPDX-License-Identifier: GPL-2.0
"""What must not appear on a guest's console."""

import re

BAD = [
    r"\bOops\b",
    r"\bBUG:",
    r"kernel BUG at",
    r"\bWARNING: ",
    r"Call Trace:",
    r"unable to handle",
    r"Kernel panic",
    r"general protection fault",
    r"invalid opcode:",
    r"blocked for more than \d+ seconds",
    r"soft lockup",
    r"hard LOCKUP",
    r"rcu.*detected stall",
    r"possible circular locking",
    r"possible recursive locking",
    r"inconsistent lock state",
    r"suspicious RCU usage",
    r"scheduling while atomic",
    r"sleeping function called from invalid context",
    r"KASAN:",
    r"UBSAN:",
    r"KFENCE:",
    r"refcount_t:",
    r"ODEBUG:",
    r"list_(?:add|del) corruption",
    r"slab-\S+ in ",
    r"kmemleak: \d+ new suspected",
    r"sysfs: cannot create duplicate",
    r"kobject_add_internal failed",
    r"Unable to mount root",
    r"hold .* never released",
    r"DMAR: DRHD: handling fault",
    r"IRQ \d+: nobody cared",
    r"timeout, completion polled",      # an interrupt was lost
]

# Lines that match one of these are never bad.
ALLOWED = [
    r"TSC deadline|clocksource: ",      # an overloaded host, not the guest
    r"Spectre|MDS:|MMIO Stale|RETBleed",
]

_BAD = re.compile("|".join(f"(?:{p})" for p in BAD))


def problems(text, allow=()):
    """Lines of `text` that say that the kernel has gone wrong."""
    allowed = re.compile("|".join(f"(?:{p})" for p in [*ALLOWED, *allow]))
    return [line.strip() for line in text.splitlines()
            if _BAD.search(line) and not allowed.search(line)]
