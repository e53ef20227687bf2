# SPDX-License-Identifier: GPL-2.0
"""Do the scripts that judge say no when they should?

No kernel is built and none booted here: the inputs are a few lines each.
Run with: pytest tools/testing/pci/test_scripts.py
"""
import os
import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
TOP = HERE.parents[2]


def run(*args, cwd=None, **env):
    clean = {k: v for k, v in os.environ.items()
             if k not in ("ARCH", "BASE", "VARIANT", "TREE", "OUT", "MAKEFLAGS", "MAKELEVEL",
                          "MFLAGS")}
    return subprocess.run([str(a) for a in args], cwd=cwd, env={**clean, **env}, text=True,
                          stdin=subprocess.DEVNULL, capture_output=True, timeout=120)


# check-config.sh -----------------------------------------------------------

CONFIG = """CONFIG_PCI=y
CONFIG_NVME=m
CONFIG_NR=4
CONFIG_NAME="a b"
# CONFIG_OFF is not set
"""


def check_config(tmp_path, fragment):
    (tmp_path / "fragment").write_text(fragment)
    (tmp_path / "config").write_text(CONFIG)
    return run(HERE / "check-config.sh", tmp_path / "fragment", tmp_path / "config")


def test_config_kept(tmp_path):
    got = check_config(tmp_path, "# comment\n" + CONFIG + "CONFIG_OFF=n\nCONFIG_NEVER=n\n")
    assert (got.returncode, got.stderr) == (0, "")


@pytest.mark.parametrize("asked, has", [
    ("CONFIG_MISSING=y", "n"), ("CONFIG_OFF=y", "n"), ("CONFIG_NVME=y", "m"),
    ("CONFIG_NR=8", "4"), ("CONFIG_PCI=n", "y"), ('CONFIG_NAME="a"', '"a b"')])
def test_config_dropped(tmp_path, asked, has):
    got = check_config(tmp_path, "CONFIG_PCI=y\n" + asked + "\n" if "PCI=" not in asked
                       else asked + "\n")
    name = asked.split("=")[0]
    assert got.returncode == 1
    assert got.stderr == f"{asked} asked, {name}={has} in the result\n"


def test_config_empty(tmp_path):
    assert check_config(tmp_path, "").returncode == 2
    assert check_config(tmp_path, "# nothing\n").returncode == 1


def test_config_last_word_wins(tmp_path):
    (tmp_path / "one").write_text("CONFIG_A=y\nCONFIG_B=y\n")
    (tmp_path / "two").write_text("CONFIG_A=m\n")
    got = run("bash", "-c", f". {HERE}/lib.sh; merge_config one two", cwd=tmp_path)
    assert got.stdout == "CONFIG_A=m\nCONFIG_B=y\n"


# Arguments -----------------------------------------------------------------

@pytest.mark.parametrize("env, text", [
    ({"ARCH": "sparc"}, "unknown ARCH 'sparc'"),
    ({"VARIANT": "fast"}, "unknown VARIANT 'fast'"),
    ({"ARCH": "arm64", "VARIANT": "modular"}, "VARIANT=modular exists for x86_64 only"),
    ({"ARCH": "s390x", "VARIANT": "kunit"},
     "VARIANT=kunit exists for x86_64, arm64 and ppc64le only"),
    ({"TREE": "/nonexistent"}, "no source tree at '/nonexistent'")])
def test_kernel_refuses(tmp_path, env, text):
    got = run(HERE / "kernel.sh", OUT=str(tmp_path), **env)
    assert got.returncode == 1 and text in got.stderr and got.stderr.count("\n") == 1
    assert got.stdout == ""


@pytest.mark.parametrize("target", ["kernel", "check", "run", "help"])
def test_make_refuses_arch(target):
    got = run("make", "-C", TOP, target, "ARCH=sparc")
    assert got.returncode
    assert "unknown ARCH 'sparc': must be x86_64, arm64, ppc64le, ppc32, riscv64 or s390x" in got.stderr


def test_deps_unknown_group():
    got = run(TOP / "series/deps", "build", "nonsense")
    assert got.returncode == 2
    assert got.stderr == "deps: unknown group 'nonsense'\n"


def test_deps_missing(tmp_path):
    """Missing, and no way to install: one message that names the packages."""
    for name, text in (("dpkg-query", "exit 1"), ("sudo", "exit 1"), ("id", "echo 1000"),
                       ("apt-get", "exit 1")):
        (tmp_path / name).write_text(f"#!/bin/sh\n{text}\n")
        (tmp_path / name).chmod(0o755)
    got = run(TOP / "series/deps", "check", PATH=f"{tmp_path}:/usr/bin:/bin")
    assert got.returncode == 1
    assert "libcmocka-dev make python3-pytest shellcheck" in got.stderr and got.stderr.count("\n") == 1


# kunit.sh ------------------------------------------------------------------

GOOD = """[    0.1] Linux version 6.12
[    0.6] KTAP version 1
[    0.6] 1..1
[    0.6]     KTAP version 1
[    0.6]     # Subtest: pci-toy
[    0.6]     1..2
[    0.6]     ok 1 first
[    0.6]     ok 2 second
[    0.6] # Totals: pass:2 fail:0 skip:0 total:2
[    0.6] ok 1 pci-toy
init: reached, 7 PCI devices
"""


def kunit(tmp_path, log):
    (tmp_path / "log").write_text(log)
    got = run(HERE / "kunit.sh", "--log", "log", cwd=tmp_path)
    return got.returncode, got.stdout.splitlines()[-1] if got.stdout else got.stderr


needs_tree = pytest.mark.skipif(
    not list(TOP.glob("build/*/tools/testing/kunit/kunit.py")),
    reason="no kernel tree composed yet")


@needs_tree
def test_kunit_good(tmp_path):
    assert kunit(tmp_path, GOOD) == (0, "2 passed, 0 failed")


@needs_tree
@pytest.mark.parametrize("old, new, last", [
    ("    ok 2", "    not ok 2", "1 passed, 1 failed"),         # a test
    ("ok 1 pci-toy", "not ok 1 pci-toy", "2 passed, 1 failed"),   # only the suite
    ("KTAP version 1", "", "0 passed, 1 failed"),                 # none ran
    ("init: reached", "init: reache", "2 passed, 1 failed"),      # died later
    ("# Totals", "BUG: sleeping\n# Totals", "2 passed, 1 failed"),
    ("# Totals", "WARNING: CPU: 0\n# Totals", "2 passed, 1 failed"),
    ("init: reached", "init: leak: unreferenced\ninit: reached", "2 passed, 1 failed")])
def test_kunit_bad(tmp_path, old, new, last):
    assert old in GOOD
    assert kunit(tmp_path, GOOD.replace(old, new)) == (1, last)


# check.sh ------------------------------------------------------------------

def toy_check(tmp_path, arch="x86_64", **scripts):
    """check.sh on a repository whose parts are these one-line scripts."""
    pci = tmp_path / "tools/testing/pci"
    (pci / "qemu/harness").mkdir(parents=True)
    (tmp_path / "series").mkdir()
    (tmp_path / ".ci").mkdir()
    for name in ("check.sh", "lib.sh"):
        shutil.copy(HERE / name, pci)
    parts = {"series/deps": "true", "series/pq": "true", "tools/testing/pci/kernel.sh": "true",
             "tools/testing/pci/boot.sh": "true",
             "tools/testing/pci/kunit.sh": "echo 3 passed, 0 failed"}
    parts.update({{"kunit": "tools/testing/pci/kunit.sh", "kernel": "tools/testing/pci/kernel.sh",
                   "pq": "series/pq"}[k]: v for k, v in scripts.items() if k != "test"})
    for name, text in parts.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{text}\n")
        (tmp_path / name).chmod(0o755)
    for part in ("plan", "replay"):
        (pci / part).mkdir()
        (pci / part / "Makefile").write_text("check:\n\t@echo 2 passed, 0 failed\n")
    test = scripts.get("test", "def test_a():\n    pass\n")
    for name in ("series/test_pq.py", "tools/testing/pci/test_scripts.py",
                 "tools/testing/pci/qemu/test_x.py"):
        (tmp_path / name).write_text(test)
    got = run(pci / "check.sh", "check", ARCH=arch)
    return got.returncode, got.stdout.splitlines()[-1], got.stdout


def test_check_sums_up(tmp_path):
    code, last, out = toy_check(tmp_path)
    # 3 x series, compose, scripts; 2 planner; 2 replay; 3 kernels; 3 KUnit; 4 pytest runs
    assert (code, last) == (0, "17 passed, 0 failed"), out


def test_check_goes_on_after_failure(tmp_path):
    code, last, out = toy_check(tmp_path, pq="exit 3")
    assert (code, last) == (1, "15 passed, 2 failed"), out


def test_check_counts_failed_tests(tmp_path):
    code, last, out = toy_check(
        tmp_path, test="def test_a():\n    pass\ndef test_b():\n    assert 0\n")
    assert (code, last) == (1, "17 passed, 4 failed"), out


def test_check_no_test_is_a_failure(tmp_path):
    code, last, out = toy_check(tmp_path, test="")
    assert (code, last) == (1, "13 passed, 4 failed"), out


def test_check_believes_the_exit_code(tmp_path):
    code, last, out = toy_check(tmp_path, kunit="echo 3 passed, 0 failed; exit 1")
    assert (code, last) == (1, "17 passed, 1 failed"), out


def test_check_without_kernel(tmp_path):
    code, last, out = toy_check(tmp_path, kernel="exit 1")
    # Three kernels, and the three steps that wanted them.
    assert (code, last) == (1, "9 passed, 6 failed"), out


@pytest.mark.parametrize("arch", ["x86_64", "arm64", "ppc64le"])
def test_check_runs_all_of_kunit(tmp_path, arch):
    _, _, out = toy_check(tmp_path, arch, kunit='echo "$ARCH, $# arguments"; echo 3 passed')
    assert f"=== kunit\n{arch}, 0 arguments\n" in out
