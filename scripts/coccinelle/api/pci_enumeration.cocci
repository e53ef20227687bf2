// SPDX-License-Identifier: GPL-2.0-only
///
/// Enumeration of PCI devices outside the pipeline: functions that scan
/// without assigning, assign without claiming, or add before assigning.
///
//# A function that scans within a batch, between pci_batch_start() and
//# pci_batch_run(), is fine, and so is one that leaves all of it to
//# pci_host_probe() or pci_enumerate_slot().  A function that is called
//# within a batch of its caller is reported; Documentation/PCI/pipeline-porting.rst
//# lists those in the tree.
//
// Confidence: Moderate
// Options: --no-includes --include-headers

virtual report

@initialize:python depends on report@
@@

found = {}

def note(kind, function, places):
    kinds = found.setdefault((places[0].file, function), {})
    lines = kinds.setdefault(kind, [])
    lines += [int(p.line) for p in places]

@batch depends on report@
identifier f;
position p;
@@

f(...) {
<+...
(
 pci_batch_start@p(...)
|
 pci_batch_host@p(...)
|
 pci_enumerate_slot@p(...)
|
 pci_host_probe@p(...)
)
...+>
}

@script:python depends on report@
f << batch.f;
p << batch.p;
@@

note("batch", f, p)

@scan depends on report@
identifier f;
position p;
@@

f(...) {
<+...
(
 pci_scan_slot@p(...)
|
 pci_scan_single_device@p(...)
|
 pci_scan_bridge@p(...)
|
 pci_scan_child_bus@p(...)
|
 pci_scan_bus@p(...)
|
 pci_scan_root_bus@p(...)
|
 pci_scan_root_bus_bridge@p(...)
|
 pci_hp_add_bridge@p(...)
|
 pci_device_add@p(...)
)
...+>
}

@script:python depends on report@
f << scan.f;
p << scan.p;
@@

note("scan", f, p)

@claim depends on report@
identifier f;
position p;
@@

f(...) {
<+...
(
 pci_bus_claim_resources@p(...)
|
 pci_claim_resource@p(...)
|
 pci_claim_bridge_resource@p(...)
)
...+>
}

@script:python depends on report@
f << claim.f;
p << claim.p;
@@

note("claim", f, p)

@assign depends on report@
identifier f;
position p;
@@

f(...) {
<+...
(
 pci_assign_unassigned_resources@p(...)
|
 pci_assign_unassigned_root_bus_resources@p(...)
|
 pci_assign_unassigned_bridge_resources@p(...)
|
 pci_assign_unassigned_bus_resources@p(...)
|
 pci_bus_assign_resources@p(...)
|
 pci_bus_size_bridges@p(...)
)
...+>
}

@script:python depends on report@
f << assign.f;
p << assign.p;
@@

note("assign", f, p)

@add depends on report@
identifier f;
position p;
@@

f(...) {
<+...
(
 pci_bus_add_devices@p(...)
|
 pci_bus_add_device@p(...)
)
...+>
}

@script:python depends on report@
f << add.f;
p << add.p;
@@

note("add", f, p)

// After all of the above for a file; there is no end of a run with --jobs.
@whole depends on report && (scan || assign || add)@
identifier f;
position p;
@@

f@p(...) { ... }

@script:python depends on report@
f << whole.f;
p << whole.p;
@@

name = p[0].file
kinds = found.pop((name, f), {})
first = {kind: min(lines) for kind, lines in kinds.items()}

if "batch" not in kinds:
    if "scan" in kinds and "assign" not in kinds:
        print("%s:%d: %s() scans without assigning" % (name, first["scan"], f))
    if "assign" in kinds and "claim" not in kinds:
        print("%s:%d: %s() assigns without claiming" %
              (name, first["assign"], f))
    if "add" in kinds and max(kinds.get("assign", [0])) > first["add"]:
        print("%s:%d: %s() adds before assigning" % (name, first["add"], f))
