# SPDX-License-Identifier: GPL-2.0
"""What only powerpc has: dynamic reconfiguration, PEs, EEH.

QEMU 7.2 offers no PCI hotplug on powernv: nothing is device_add()ed there,
and what boots with the machine is removed and found again instead. Its
pseries has no EEH for emulated devices, and no firmware call to inject
errors; powernv has EEH, and its recovery can be asked for through debugfs.
"""

import re

import pytest

from harness import checks, dlpar, move, pci, topo
from harness.machines import MACHINES as TABLE
from harness.vm import Bad

pytestmark = pytest.mark.arch("ppc64le")

CARDS = {
    "nvme": ("nvme,serial=hp,drive=hot", "nvme"),
    "virtio-blk": ("virtio-blk-pci,drive=hot", "virtio-pci"),
    "e1000": ("e1000", "e1000"),
    "xhci": ("qemu-xhci", "xhci_hcd"),
}


@pytest.fixture(scope="module")
def pseries(shared):
    # No device with ports but behind the bridge: firmware would place them where
    # ISA has its own, which are not kept clear then, and port 0 is handed out.
    return shared("pseries", disks=["d0", "hot"], devices=[
        "nvme,id=live,serial=live,bus=pci.0,addr=1,drive=d0",
        "pci-bridge,id=br,bus=pci.0,addr=2,chassis_nr=9", "e1000,id=e0,bus=br,addr=1"])


def plug(vm, card):
    """Plug a card into a slot and take it into service; the device, those before.

    Another slot each time: to switch one off, rpaphp would remove all that is
    on the bus, so it goes on to think that the slot is in use.
    """
    vm.slot = getattr(vm, "slot", 7) + 1
    text, driver = CARDS[card]
    before = vm.pci()
    vm.add(f"{text},id=hp{vm.slot},bus=pci.0,addr={vm.slot:x}")
    dlpar.add(vm, f"C{vm.slot * 8}")
    dev = vm.wait_device(lambda d: d.name not in before, driver=driver, timeout=30)
    return dev, before


def pull(vm, dev):
    """What drmgr does before a card is pulled; then pull it."""
    slot = int(dev.name.split(":")[2].split(".")[0], 16)
    vm.remove(dev.name)
    vm.qmp("device_del", id=f"hp{slot}")
    dlpar.detach(vm, dlpar.connector(vm, dlpar.host_node(vm), f"C{slot * 8}"))
    vm.wait_unplugged(f"hp{slot}")


@pytest.mark.compare
@pytest.mark.parametrize("card", CARDS)
def test_dlpar_add_remove(pseries, card):
    """pseries: a card is added by rpaphp, works, and is removed again"""
    vm = pseries
    dev, before = plug(vm, card)
    vm.settle()
    try:
        if set(vm.pci()) - set(before) != {dev.name}:
            raise Bad("other devices than the one that was plugged in")
        if not vm.agent.exists(f"/sys/bus/pci/devices/{dev.name}/of_node"):
            raise Bad("the device does not come from the device tree")
        checks.resource_map(vm)
        moved = [n for n, d in before.items() if vm.pci()[n].resources != d.resources]
        if moved:
            raise Bad(f"resources of {moved} are not what they were")
        if "drive" in CARDS[card][0]:
            vm.load_start("hot", vm.block_name(dev.name), blocks=128, pause_us=0)
            vm.load_moves("hot", ops=40)
            vm.load_verify("hot")
    finally:
        pull(vm, dev)
    if set(vm.pci()) != set(before):
        raise Bad("other devices than before")
    checks.no_hang(vm)


@pytest.mark.compare
def test_dlpar_announced(pseries):
    """pseries: a card that rpaphp adds is announced with addresses and attributes"""
    vm = pseries
    wrong = []
    for card in CARDS:
        mark = vm.uevent_mark()
        dev, _ = plug(vm, card)
        vm.settle()
        try:
            checks.announced(vm, mark, [dev.name])
        except Bad as err:
            wrong.append(f"{card}: {err}")
        pull(vm, dev)
    checks.none(wrong, "hot-add")


@pytest.mark.compare
def test_dlpar_stages(pseries):
    """pseries: rpaphp, remove and rescan: the same sequence of stages as at boot"""
    vm = pseries
    vm.clear_trace()
    dev, _ = plug(vm, "e1000")
    hot = vm.trace()
    try:
        vm.clear_trace()
        vm.remove(dev.name)
        vm.rescan()
        vm.wait_bound({dev.name: "e1000"})
        again = vm.trace()
    finally:
        pull(vm, dev)
    for trace in (hot, again):
        checks.stages(trace, [dev.name])
        checks.stages_of(trace, dev.name)


def reserved(vm):
    """Ranges that are kept for ISA ports."""
    return [line.strip() for line in vm.agent.read("/proc/ioports").splitlines()
            if "Legacy IO" in line]


@pytest.mark.compare
def test_host_bridge(boot):
    """pseries: a hot-added host bridge works, keeps ISA ports clear, and can go"""
    vm = boot("pseries", disks=["d0"],
              devices=["nvme,id=live,serial=live,bus=pci.0,addr=1,drive=d0"])
    before, ports = vm.pci(), reserved(vm)
    if len(ports) != 1:
        raise Bad(f"{len(ports)} times Legacy IO with one host bridge")
    try:
        vm.clear_trace()
        traced = True
    except Bad:
        traced = False
    vm.add("spapr-pci-host-bridge,id=phb1,index=1")
    dlpar.add_host(vm, "PHB 1")
    vm.wait("the host bridge", lambda: len(vm.host_bridges()) == 2)
    if len(reserved(vm)) != 2:
        raise Bad("the ISA ports of the new host bridge are not kept clear")
    vm.add("e1000,id=e1,bus=phb1.0,addr=1")
    slot = dlpar.connector(vm, dlpar.host_node(vm, "0001"), f"C{(1 << 16) + 8}")
    dlpar.attach(vm, slot)
    vm.rescan()
    dev = vm.wait_device(lambda d: d.domain == "0001", driver="e1000")
    vm.settle()
    checks.resource_map(vm)
    if traced:
        checks.stages(vm.trace(), [dev.name])

    vm.remove(dev.name)
    vm.qmp("device_del", id="e1")
    dlpar.detach(vm, slot)
    vm.wait_unplugged("e1")
    vm.qmp("device_del", id="phb1")
    dlpar.remove_host(vm, "PHB 1")
    vm.wait("the host bridge to go", lambda: len(vm.host_bridges()) == 1)
    if set(vm.pci()) != set(before) or reserved(vm) != ports:
        raise Bad("something of the host bridge is left over")
    checks.no_hang(vm)


# PowerNV

POWERNV = ["powernv9", "powernv8"]


@pytest.fixture(scope="module")
def powernv(shared, machine):
    return shared(machine, devices=topo.boot_devices(TABLE[machine]), disks=["d0", "d1"])


_PE = re.compile(r"pci (\S+): (?:Configured|Added to existing) PE#(\w+)")


def pes(vm, mark=0):
    """Device -> the PE that it was put into, by the kernel's log."""
    return dict(_PE.findall(vm.klog_since(mark)))


def dump(vm):
    """PE -> number of its devices, as debugfs has it; by domain."""
    out = {}
    for name in vm.agent.ls("/sys/kernel/debug/powerpc"):
        if name.startswith("PCI") and name[3:] != vm.machine.own_domain:
            mark = len(vm.console_text())
            vm.agent.write(f"/sys/kernel/debug/powerpc/{name}/dump_ioda_pe_state", "1")
            vm.check_console()
            for m in re.finditer(r"\[PE# (\w+)\] rid: (\w+) dev count: +(\d+)",
                                 vm.klog_since(mark)):
                out[name[3:], int(m[1], 16)] = int(m[3])
    return out


def pe_rule(vm, found):
    """Each device is in a PE, devices of one bus share it, and the counts agree."""
    wrong, of_bus, count = [], {}, {}
    for d in vm.pci().values():
        if d.name not in found:
            wrong.append(f"{d.name} has no PE")
            continue
        pe = int(found[d.name], 16)
        count[d.domain, pe] = count.get((d.domain, pe), 0) + 1
        first = of_bus.setdefault((d.domain, d.bus), pe)
        if first != pe:
            wrong.append(f"{d.name} is in PE {pe:x}, its neighbours in {first:x}")
    checks.none(wrong, "PEs")
    dumped = {at: n for at, n in dump(vm).items() if n}
    if dumped != count:
        raise Bad(f"debugfs says {dumped}, the log {count}")


def disabled_bridges(vm):
    """Bridges with something behind that do not forward, or do not master the bus."""
    devs = vm.pci()
    used = {d.parent for d in devs.values()}
    return [d.name for d in devs.values()
            if d.is_bridge and d.name in used and d.command & 6 != 6]


@pytest.mark.compare
@pytest.mark.parametrize("machine", POWERNV, scope="module")
def test_pes(powernv):
    """powernv: every device is in its bus's PE, at boot and after remove and rescan"""
    vm = powernv
    found = pes(vm)
    pe_rule(vm, found)
    if disabled_bridges(vm):
        raise Bad(f"at boot: {disabled_bridges(vm)} are not enabled")
    devs = vm.pci()
    tops = [d for d in devs.values() if d.id == topo.IDS[topo.subtree(vm.machine)]
            or d.driver and not d.is_bridge and d.domain == "0000"]
    if len(tops) < 4:
        raise Bad(f"only {len(tops)} devices to remove")
    mark = len(vm.console_text())
    for d in tops:
        vm.remove(d.name)
    vm.rescan()
    vm.wait_bound({d.name: d.driver for d in devs.values()}, timeout=40)
    vm.settle()
    vm.check_console()
    found.update(pes(vm, mark))
    pe_rule(vm, found)
    if disabled_bridges(vm):
        raise Bad(f"after rescan: {disabled_bridges(vm)} are not enabled")
    checks.resource_map(vm)


@pytest.mark.compare
@pytest.mark.parametrize("machine", POWERNV, scope="module")
def test_eeh_recovery(powernv):
    """powernv: recovery from an error plugs devices again whose driver cannot recover"""
    vm = powernv
    devs = vm.pci()
    victim = [d for d in devs.values() if d.id in topo.IDS["virtio-rng"]][0]
    pe = vm.agent.read(f"/sys/bus/pci/devices/{victim.name}/eeh_pe_config_addr").strip()
    mark = len(vm.console_text())
    vm.allow.append("EEH: Call Trace:")
    vm.agent.write("/sys/kernel/debug/powerpc/eeh_force_recover",
                   f"{int(victim.domain, 16):x}:{int(pe, 16):x}", limit=60)
    vm.wait("recovery", lambda: "EEH: Recovery successful" in vm.klog_since(mark), timeout=60)
    vm.wait_bound({d.name: d.driver for d in devs.values()}, timeout=40)
    vm.settle()
    checks.resource_map(vm)
    checks.no_hang(vm)


ALIGNMENT = "/sys/bus/pci/resource_alignment"
# A host bridge has 2 GiB for 32-bit BARs, less what MSIs have at the end: the
# lower half is the one place of that size.
HALF = 30
# Its BAR is a page of 64 KiB, so that nothing else keeps it.
LIVE = "nvme,id=live,serial=live,drive=d0,msix_qsize=2048"
# In it are a disk in use and an idle device, of one isolation domain and of two.
CROWDED = {
    "card": [f"{LIVE},bus=pcie.0,addr=0.0,multifunction=on", "edu,bus=pcie.0,addr=0.1"],
    "switch": ["x3130-upstream,id=up,bus=pcie.0",
               *(f"xio3130-downstream,id=dn{i},bus=up,chassis={20 + i},slot={20 + i}"
                 for i in range(2)), f"{LIVE},bus=dn0", "edu,bus=dn1"],
}


def find(vm, *names):
    """A rescan finds what was removed; what the log says of it."""
    mark = len(vm.console_text())
    vm.rescan()
    vm.wait(f"{', '.join(names)} to be found", lambda: set(names) <= set(vm.pci()))
    vm.settle()
    vm.check_console()
    return vm.klog_since(mark)


def apart_from(card, devs):
    """Registers and addresses of all but a device, and a port that leads to it alone.

    The window of that port may change: nothing is in it.
    """
    port = devs[card].parent
    names = {card}
    if len(pci.children(devs, port)) == 1:
        names |= {port, f"PCI Bus {devs[card].domain}:{devs[card].bus:02x}"}

    def rest(registers):
        return {name: value if isinstance(value, str) else
                [line for line in value if line.split(" : ")[1] not in names]
                for name, value in registers.items() if name not in names}
    return rest


@pytest.mark.parametrize("place", CROWDED)
@pytest.mark.parametrize("machine", POWERNV)
def test_stays(boot, machine, place):
    """powernv: what is in use stays where it is, in the way of a card, and the log says so"""
    vm = boot(machine, disks=["d0"], devices=CROWDED[place])
    vm.settle()
    live = vm.wait_id(topo.IDS["nvme"], driver="nvme")[0].name
    card = vm.wait_id(topo.IDS["edu"])[0].name
    load = move.Disk(vm, live)
    load.start()
    found = pes(vm)
    rest = apart_from(card, vm.pci())
    first = rest(move.registers(vm))

    # Nothing can be hot-plugged here, but what is found again can ask for more.
    vm.remove(card)
    checks.none(move.differences(first, rest(move.registers(vm))), "after the card has gone")
    vm.agent.write(ALIGNMENT, f"{HALF}@{card}")
    before = move.State(vm)
    text = find(vm, card)
    if move.NO_ADDRESS.findall(text) != [(card, "BAR 0")]:
        raise Bad(f"without an address: {move.NO_ADDRESS.findall(text)}")
    said = [(dev, why) for dev, _, why in move.refusals(text)]
    if said != [(live, "its isolation domain stays where it is")]:
        raise Bad(f"what is in the way, and why it stays: {said}")
    if "need 0x40000000, have 0x20000000 " not in text:
        raise Bad("the log does not say that half of it would fit")
    move.quiet(text)
    after = move.registers(vm)
    checks.none(move.differences(first, rest(after)), "after a refusal")
    move.check(before, move.State(vm), text, least=0)
    vm.rescan()
    checks.none(move.differences(after, move.registers(vm)), "after a rescan")
    load.goes_on()

    # For what it really needs there is room.
    vm.remove(card)
    vm.agent.write(ALIGNMENT, "\n")
    found.update(_PE.findall(find(vm, card)))
    checks.none(move.differences(first, rest(move.registers(vm))), "after the card is back")
    checks.resource_map(vm)
    pe_rule(vm, found)
    load.verify()

    # What the log has said would help does: nothing but the disk was in the way.
    vm.remove(card)
    vm.remove(live)
    vm.agent.write(ALIGNMENT, f"{HALF}@{card}")
    text = find(vm, card, live)
    devs = vm.wait_bound({live: "nvme"})
    if devs[card].bars()[0].size != 1 << HALF:
        raise Bad(f"{card} has asked for {devs[card].bars()[0].size:#x}")
    checks.none([m[0] for m in move.NO_ADDRESS.finditer(text)], "no address")
    checks.none(pci.resource_problems(devs), "resources")
    load.start()
    load.verify()
