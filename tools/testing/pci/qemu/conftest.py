# SPDX-License-Identifier: GPL-2.0
"""Fixtures and verdicts.

A scenario's verdict is "fail" in its result file from the moment it starts;
only a scenario that came to its end, with a clean console on every guest it
used, gets another one, and that is written last.
"""

import json
import os
import re
import shutil
import sys
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))

from harness import config, machines                   # noqa: E402
from harness.vm import VM                               # noqa: E402

KEEP_RUNS = 10


def pytest_addoption(parser):
    group = parser.getgroup("pci")
    group.addoption("--kernel", help="kernel image to test")
    group.addoption("--base", action="store_true", help="test the unpatched kernel")
    group.addoption("--modules", help="module tree for the initramfs")
    group.addoption("--results", help="directory for results")
    group.addoption("--deep", action="store_true", help="run the long scenarios, too")


def pytest_configure(config):
    config.addinivalue_line("markers", "deep: takes long; only with --deep")
    config.addinivalue_line("markers", "arch(name...): says something on these only")
    config.addinivalue_line("markers", "compare: a row of the table base against series")
    config.addinivalue_line("markers", "modular: needs a kernel with the drivers as modules")
    for option, env in (("kernel", "PCI_KERNEL"), ("modules", "PCI_MODULES"),
                        ("results", "PCI_RESULTS")):
        value = config.getoption(option)
        if value:
            os.environ[env] = str(Path(value).resolve())
    if config.getoption("base"):
        os.environ["BASE"] = "1"
    # Workers of a parallel run inherit this, so that one run is one directory.
    os.environ.setdefault("PCI_RUN_ID", time.strftime("%Y%m%d-%H%M%S-") + str(os.getpid()))


def other_arch(item):
    """Is a scenario for machines of another architecture than the one tested?"""
    name = getattr(item, "callspec", None) and item.callspec.params.get("machine")
    only = item.get_closest_marker("arch")
    return (name in machines.MACHINES and machines.MACHINES[name].arch != config.arch()
            or only is not None and config.arch() not in only.args)


def pytest_collection_modifyitems(config, items):
    deep = config.getoption("--deep")
    # The scenarios of a modular kernel are few, and say nothing elsewhere.
    modular = bool(os.environ.get("VARIANT") == "modular" or os.environ.get("PCI_MODULES"))
    chosen, dropped = [], []
    for item in items:
        drop = (item.get_closest_marker("deep") and not deep
                or bool(item.get_closest_marker("modular")) != modular
                or other_arch(item))
        (dropped if drop else chosen).append(item)
    if dropped:
        config.hook.pytest_deselected(items=dropped)
        items[:] = chosen


def run_dir():
    return config.results() / os.environ["PCI_RUN_ID"]


def pytest_sessionstart(session):
    if hasattr(session.config, "workerinput"):
        return
    run_dir().mkdir(parents=True, exist_ok=True)
    # Only runs that have ended are tidied away; others may still be going on.
    ended = sorted(p.parent for p in config.results().glob("*/ended"))
    for old in ended[:-KEEP_RUNS]:
        shutil.rmtree(old, ignore_errors=True)


def pytest_sessionfinish(session):
    if not hasattr(session.config, "workerinput"):
        (run_dir() / "ended").write_text("")


def pytest_report_header(config):
    from harness import config as conf
    return [f"kernel: {conf.kernel()}", f"results: {run_dir()}"]


def scenario_name(item):
    stem = Path(str(item.fspath)).stem.removeprefix("test_")
    name = item.name.removeprefix("test_")
    return re.sub(r"[^A-Za-z0-9.]+", "-", f"{stem}-{name}").strip("-")


def write_result(item, verdict, reason=""):
    directory = run_dir() / scenario_name(item)
    directory.mkdir(parents=True, exist_ok=True)
    doc = (item.function.__doc__ or "").strip().splitlines()
    result = {
        "name": scenario_name(item),
        "title": doc[0] if doc else scenario_name(item),
        "verdict": verdict,
        "reason": reason,
        "kernel": str(config.kernel()),
        "seconds": round(time.time() - getattr(item, "pci_start", time.time()), 1),
        "compare": bool(item.get_closest_marker("compare")),
        "guests": getattr(item, "pci_guests", []),
    }
    temp = directory / f".result.{os.getpid()}"
    temp.write_text(json.dumps(result, indent=1) + "\n")
    os.replace(temp, directory / "result.json")


def guests_of(item):
    out = []
    for value in (getattr(item, "funcargs", None) or {}).values():
        if isinstance(value, VM):
            out.append(value)
        elif isinstance(value, Guests):
            out += value.started
    return out


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_protocol(item):
    item.pci_start = time.time()
    item.pci_failed = item.pci_other = None
    write_result(item, "fail", "did not come to its end")
    yield
    if item.pci_failed:
        write_result(item, "fail", item.pci_failed)
    elif item.pci_other:
        write_result(item, *item.pci_other)
    elif getattr(item, "pci_called", False):
        write_result(item, "pass")


@pytest.hookimpl(hookwrapper=True)
def pytest_pyfunc_call(pyfuncitem):
    for vm in guests_of(pyfuncitem):
        vm.mark = len(vm.console_text()) if getattr(vm, "judged", False) else 0
        vm.judged = True
    outcome = yield
    pyfuncitem.pci_guests = sorted(str(vm.dir.relative_to(run_dir()))
                                   for vm in guests_of(pyfuncitem))
    if outcome.excinfo:
        return
    try:
        for vm in guests_of(pyfuncitem):
            vm.check_console()
    except AssertionError as err:
        outcome._excinfo = (type(err), err, err.__traceback__)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    report = outcome.get_result()
    if report.failed:
        crash = getattr(report.longrepr, "reprcrash", None)
        text = crash.message if crash else str(report.longrepr)
        item.pci_failed = item.pci_failed or f"{report.when}: {text[:2000]}"
        where = [str(vm.dir) for vm in guests_of(item)]
        if where:
            report.sections.append(("command line, console log, trace", "\n".join(where)))
    elif report.skipped:
        if hasattr(report, "wasxfail"):
            item.pci_other = ("xfail", report.wasxfail)
        else:
            item.pci_other = ("skip", str(report.longrepr))
    elif report.when == "call":
        item.pci_called = True
        if hasattr(report, "wasxfail"):
            item.pci_other = ("xpass", report.wasxfail)


class Guests:
    """Starts guests and puts them away."""

    def __init__(self, directory):
        self.directory = directory
        self.started = []

    def __call__(self, machine, **kw):
        wait = kw.pop("wait", True)
        row = machines.MACHINES[machine] if isinstance(machine, str) else machine
        if row.arch != config.arch():
            pytest.skip(f"{row.name} is no machine of {config.arch()}")
        vm = VM(machine, self.directory / f"guest{len(self.started)}", **kw)
        self.started.append(vm)
        vm.start(wait)
        return vm

    def stop(self):
        for vm in self.started:
            vm.stop()


@pytest.fixture
def boot(request):
    """Factory of guests that live as long as the scenario."""
    guests = Guests(run_dir() / scenario_name(request.node))
    yield guests
    guests.stop()


@pytest.fixture(scope="module")
def shared(request):
    """Factory of guests that the scenarios of a module share."""
    stem = Path(str(request.node.fspath)).stem.removeprefix("test_")
    made = []

    def make(machine, **kw):
        name = machine if isinstance(machine, str) else machine.name
        guests = Guests(run_dir() / f"{stem}-shared-{name}-{len(made)}")
        made.append(guests)
        return guests(machine, **kw)
    yield make
    for guests in made:
        guests.stop()


def pytest_generate_tests(metafunc):
    """`machine` stands for every machine that the scenario's marker names."""
    named = [m for m in metafunc.definition.iter_markers("parametrize")
             if "machine" in re.split(r"[, ]+", m.args[0])]
    if "machine" in metafunc.fixturenames and not named:
        names = getattr(metafunc.module, "MACHINES", None) or [
            m.name for m in machines.by_arch(config.arch())]
        metafunc.parametrize("machine", names, scope="module")
