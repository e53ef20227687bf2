# SPDX-License-Identifier: GPL-2.0
"""Self-tests of series/pq on a toy base: no network, no kernel source.

Run with: pytest series/test_pq.py
"""
import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tarfile

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.dont_write_bytecode = True
sys.path.insert(0, HERE)

from pqlib import base as pqbase  # noqa: E402
from pqlib import mail, stage  # noqa: E402

VERSION = "6.12.1-1"
PROBE = "".join(f"static int probe_{i}(void)\n{{\n\treturn {i};\n}}\n\n"
                for i in range(12))
SETUP = "".join(f"int setup_{i};\n" for i in range(30))
MAINTAINERS = """List of maintainers
===================

Maintainers List
----------------

ACPI
M:\tSomebody <acpi@example.org>
F:\tdrivers/acpi/

PCI SUBSYSTEM
M:\tSomebody <pci@example.org>
F:\tdrivers/pci/

OUT OF PLACE
M:\tSomebody <out@example.org>
F:\tout/

ZSMALLOC
M:\tSomebody <zs@example.org>
F:\tmm/zsmalloc.c

THE REST
M:\tSomebody <rest@example.org>
F:\t*
"""
BASE = {
    "Makefile": "VERSION = 6\n",
    "MAINTAINERS": MAINTAINERS,
    "README": "the kernel\n",
    ".gitignore": "*.o\n/*\n!/debian/\n",     # as Debian's ends
    "drivers/pci/Makefile": "obj-y += probe.o setup.o\n",
    "drivers/pci/Kconfig": "config PCI\n\tbool\n",
    "drivers/pci/probe.c": PROBE,
    "drivers/pci/setup.c": SETUP,
    "include/linux/pci.h": "struct pci_dev;\n",
    "scripts/tool.sh": "#!/bin/sh\n",
}
FRAGMENT = ("PCI ENUMERATION PIPELINE\nM:\tSomebody <pci@example.org>\n"
            "F:\tdrivers/pci/pipeline/\n")
PIPE_MAKEFILE = ("# SPDX-License-Identifier: GPL-2.0\n"
                 "obj-y += pipeline.o\n"
                 "pipeline-y += scan.o\n"
                 "pipeline-$(CONFIG_PCI_MOVE) += move.o\n"
                 "CFLAGS_move.o := -I$(src)\n"
                 "obj-y += tests/\n")
ENV = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
ENV.update(GIT_AUTHOR_NAME="A Developer", GIT_AUTHOR_EMAIL="dev@example.org",
           GIT_COMMITTER_NAME="C Ommitter", GIT_COMMITTER_EMAIL="c@x.org",
           GIT_CONFIG_GLOBAL="/dev/null", GIT_CONFIG_NOSYSTEM="1",
           GIT_AUTHOR_DATE="2026-11-20 10:00:00 +0100")


def put(top, files):
    for path, text in files.items():
        full = os.path.join(top, path)
        if text is None:
            os.unlink(full)
            continue
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "w", encoding="utf-8") as out:
            out.write(text)
        os.chmod(full, 0o755 if path.endswith((".sh", "/pq")) else 0o644)


def get(top, path):
    with open(os.path.join(top, path), encoding="utf-8") as handle:
        return handle.read()


def git(top, *args, **env):
    res = subprocess.run(["git", "-C", str(top), *args], env=dict(ENV, **env),
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                         check=False, stdin=subprocess.DEVNULL, text=True)
    assert res.returncode == 0, res.stdout
    return res.stdout.strip()


def commit(top, subject, files, body="Because.", day=1):
    put(top, files)
    git(top, "add", "-f", "-A", "--", *files)
    git(top, "commit", "-q", "-m", f"{subject}\n\n{body}\n\n"
        "Signed-off-by: A Developer <dev@example.org>",
        GIT_AUTHOR_DATE=f"2026-11-{day:02} 10:00:00 +0100")


def make_tarball(folder, files, name):
    src = os.path.join(folder, name, "linux-source-6.12")
    put(src, files)
    path = os.path.join(folder, f"{name}.tar.xz")
    with tarfile.open(path, "w:xz", preset=0) as tar:
        tar.add(src, "linux-source-6.12")
    shutil.rmtree(os.path.join(folder, name))
    return path


def lock_text(tarball, version=VERSION):
    with open(tarball, "rb") as handle:
        sha = hashlib.sha256(handle.read()).hexdigest()
    return (f"package linux-source-6.12\nversion {version}\n"
            f"tarball {tarball}\nsha256 {sha}\n")


def full_tree(path, files=None):
    """A full git tree of the base, as a developer has it."""
    put(path, files or BASE)
    git(path, "init", "-q", "-b", "pci")
    git(path, "add", "-f", "-A")
    git(path, "commit", "-q", "-m", "base")
    git(path, "tag", "base-tag")


class Toy:
    """A repository with a copy of pq, and its base."""

    def __init__(self, top):
        self.top = str(top)
        self.repo = os.path.join(self.top, "repo")
        self.full = os.path.join(self.top, "full")
        self.tree = os.path.join(self.repo, "build", "linux")

    def pq(self, *args, code=0, env=None, cwd=None):
        res = subprocess.run(
            [sys.executable, os.path.join(self.repo, "series", "pq"), *args],
            env=env or {"PATH": os.environ["PATH"]}, cwd=cwd or self.top,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False,
            stdin=subprocess.DEVNULL, text=True)
        out = res.stdout + res.stderr
        assert res.returncode == code, out
        assert "Traceback" not in out
        return out

    def snapshot(self):
        """Content and mode of everything in the repository but build/."""
        res = {}
        for folder, dirs, names in os.walk(self.repo):
            for skip in ("build", ".git", "pqlib"):
                if skip in dirs:
                    dirs.remove(skip)
            for name in names:
                path = os.path.join(folder, name)
                with open(path, "rb") as handle:
                    res[os.path.relpath(path, self.repo)] = (
                        os.stat(path).st_mode, handle.read())
        return res

    def tip(self, tree=None):
        return git(tree or self.tree, "rev-parse", "pci")

    def edit(self, name, old, new):
        path = os.path.join("series", name)
        text = get(self.repo, path)
        assert old in text
        put(self.repo, {path: text.replace(old, new, 1)})


EDITED = PROBE.replace("return 6;", "return scan(6);")


@pytest.fixture(scope="session")
def template(tmp_path_factory):
    """A saved series of four patches; made by saving a full tree."""
    toy = Toy(tmp_path_factory.mktemp("template"))
    tarball = make_tarball(toy.top, BASE, "base")
    put(toy.repo, {
        "series/series": "# order\n", "series/base.lock": lock_text(tarball),
        "series/cover.txt": "Subject: PCI: Toy\n\nAll @COUNT@ on @BASE@.\n",
        "README.md": "own\n", "LICENSE": "own\n", "Makefile": "own\n",
        ".gitignore": "build/\n__pycache__/\n*.log\n"})
    shutil.copy(os.path.join(HERE, "pq"), os.path.join(toy.repo, "series"))
    shutil.copytree(os.path.join(HERE, "pqlib"),
                    os.path.join(toy.repo, "series", "pqlib"),
                    ignore=shutil.ignore_patterns("__pycache__"))
    full_tree(toy.full)
    commit(toy.full, "PCI: Add the scan stage", {
        "drivers/pci/pipeline/scan.c": "int scan(int x)\n{ return x; }\n",
        "drivers/pci/pipeline/Makefile":
            PIPE_MAKEFILE.replace("pipeline-$(CONFIG_PCI_MOVE) += move.o\n",
                                  "").replace("obj-y += tests/\n", "")
            .replace("CFLAGS_move.o := -I$(src)\n", ""),
        "drivers/pci/Makefile": BASE["drivers/pci/Makefile"]
            + "obj-y += pipeline/\n"}, day=2)
    commit(toy.full, "PCI: Call the scan stage", {
        "drivers/pci/probe.c": EDITED}, day=3)
    commit(toy.full, "PCI: Add moving and its tests", {
        "drivers/pci/pipeline/move.c": "int move;\n",
        "drivers/pci/pipeline/tests/Makefile": "obj-y += move_test.o\n",
        "drivers/pci/pipeline/tests/move_test.c": "int move_test;\n",
        "drivers/pci/pipeline/Makefile": PIPE_MAKEFILE,
        "drivers/pci/setup.c": SETUP.replace("int setup_9;", "long setup_9;"),
        "MAINTAINERS": MAINTAINERS.replace("PCI SUBSYSTEM",
                                           FRAGMENT + "\nPCI SUBSYSTEM")},
           day=4)
    commit(toy.full, "PCI: Add the tests in QEMU", {
        "tools/testing/pci/run.sh": "#!/bin/sh\nexit 0\n",
        "tools/testing/pci/Makefile": "foo: foo.o\n",
        "tools/testing/pci/qemu/test_boot.py": "pass\n"}, day=5)
    toy.pq("save", toy.full)
    toy.pq("compose")
    return toy


@pytest.fixture
def toy(template, tmp_path):
    """A copy of the template, for one test to change."""
    res = Toy(tmp_path)
    shutil.copytree(template.repo, res.repo, symlinks=True)
    shutil.copytree(template.full, res.full, symlinks=True)
    return res


NAMES = ["pci-add-the-scan-stage.patch", "pci-call-the-scan-stage.patch",
         "pci-add-moving-and-its-tests.patch",
         "pci-add-the-tests-in-qemu.patch"]


# Saving a full tree --------------------------------------------------------

def test_save_from_full_tree(toy):
    assert get(toy.repo, "series/series").split("\n") == \
        ["# order", *NAMES, ""]
    text = get(toy.repo, "series/" + NAMES[0])
    assert text.startswith("From: A Developer <dev@example.org>\n"
                           "Date: Mon, 02 Nov 2026 10:00:00 +0100\n"
                           "Subject: [PATCH] PCI: Add the scan stage\n\n")
    assert "\nNew: drivers/pci/pipeline/scan.c\n" in text
    assert "+obj-y += pipeline/\n" in text
    assert "scan(int x)" not in text, "new files stay out of the patch"
    assert re.search(r"^index [0-9a-f]{40}\.\.[0-9a-f]{40} ", text, re.M)
    assert "New: MAINTAINERS\n" in get(toy.repo, "series/" + NAMES[2])
    assert get(toy.repo, "MAINTAINERS") == FRAGMENT
    assert "New: tools/testing/pci/\n" in get(toy.repo, "series/" + NAMES[3])
    assert get(toy.repo, "drivers/pci/pipeline/Makefile") == PIPE_MAKEFILE
    assert os.access(toy.repo + "/tools/testing/pci/run.sh", os.X_OK)
    lock = get(toy.repo, "series/base.lock")
    sha = hashlib.sha256(PROBE.encode()).hexdigest()
    assert f"touched {sha} drivers/pci/probe.c\n" in lock
    assert "MAINTAINERS" not in lock


def test_save_twice_changes_nothing(toy):
    before = toy.snapshot()
    out = toy.pq("save", toy.full)
    assert "nothing changed" in out
    assert toy.snapshot() == before


def test_full_tree_content_is_composed(toy):
    """The composed tip has what the full tree has."""
    for path in git(toy.full, "ls-files").split("\n"):
        assert get(toy.tree, path) == get(toy.full, path), path
    subjects = git(toy.tree, "log", "--format=%s", "base-tag..pci")
    assert subjects == git(toy.full, "log", "--format=%s", "base-tag..pci")


def test_change_of_new_file_goes_to_its_patch(toy):
    commit(toy.full, "PCI: Polish the scan stage", {
        "drivers/pci/pipeline/scan.c": "int scan(int x)\n{ return -x; }\n"})
    out = toy.pq("save", toy.full)
    assert "'PCI: Polish the scan stage' only changes new files: dropped, " \
        "its content goes into 'PCI: Add the scan stage'" in out
    assert "return -x" in get(toy.repo, "drivers/pci/pipeline/scan.c")
    assert len(git(toy.full, "log", "--oneline", "base-tag..pci")
               .split("\n")) == 5
    assert get(toy.repo, "series/series").split()[2:] == NAMES


def test_change_of_new_file_with_edit_stays(toy):
    commit(toy.full, "PCI: Use the scan stage more", {
        "drivers/pci/pipeline/scan.c": "int scan(int x)\n{ return -x; }\n",
        "drivers/pci/probe.c": EDITED.replace("return 2;", "return scan(2);")})
    out = toy.pq("save", toy.full)
    assert "what it changes in drivers/pci/pipeline/scan.c goes into" in out
    assert "pci-use-the-scan-stage-more.patch" in get(
        toy.repo, "series/series")
    toy.pq("compose")
    assert "return -x" in git(
        toy.tree, "show", "pci~4:drivers/pci/pipeline/scan.c")
    assert "scan(2)" not in git(toy.tree, "show", "pci~1:drivers/pci/probe.c")
    toy.pq("check")


@pytest.mark.parametrize("slim", [False, True])
def test_forgotten_file_is_named(toy, slim):
    """The base's .gitignore may hide new files from git status."""
    where = toy.tree if slim else toy.full
    put(where, {"drivers/pci/other/new.c": "int x;\n",
                "drivers/pci/other/new.o": "x\n"})
    out = toy.pq("save", where)
    assert "not added, so not saved: drivers/pci/other/new.c" in out
    assert "new.o" not in out
    git(where, "add", "-f", "drivers/pci/other/new.c")
    out = toy.pq("save", where)
    assert "not committed, so not saved: drivers/pci/other/new.c" in out


def test_new_file_deleted_in_tree(toy):
    commit(toy.full, "PCI: Drop moving", {
        "drivers/pci/pipeline/move.c": None,
        "drivers/pci/pipeline/Makefile":
            PIPE_MAKEFILE.replace("pipeline-$(CONFIG_PCI_MOVE) += move.o\n",
                                  "")})
    out = toy.pq("save", toy.full)
    assert "removed drivers/pci/pipeline/move.c" in out
    assert not os.path.exists(toy.repo + "/drivers/pci/pipeline/move.c")
    assert "move.c" not in get(toy.repo, "series/" + NAMES[2])


def test_tools_stay_when_the_tree_has_none(toy):
    """tools/testing/pci of the repository outlives a tree without it."""
    put(toy.repo, {"tools/testing/pci/more.py": "pass\n"})
    git(toy.repo, "init", "-q")
    git(toy.repo, "add", "-A")
    git(toy.repo, "commit", "-q", "-m", "all")
    other = os.path.join(toy.top, "other")
    git(toy.top, "clone", "-q", toy.full, other)
    git(other, "reset", "-q", "--hard", "pci~1")
    toy.pq("save", other)
    assert get(toy.repo, "series/series").split()[2:] == NAMES
    assert os.path.exists(toy.repo + "/tools/testing/pci/run.sh")
    assert os.path.exists(toy.repo + "/tools/testing/pci/more.py")
    toy.pq("compose")
    assert os.path.exists(toy.tree + "/tools/testing/pci/more.py")


def test_composed_tool_deleted_in_tree(toy):
    """... but what was composed and then deleted in the tree goes."""
    commit(toy.tree, "PCI: Remove the boot test",
           {"tools/testing/pci/qemu/test_boot.py": None})
    toy.pq("save")
    assert not os.path.exists(toy.repo + "/tools/testing/pci/qemu")
    assert os.path.exists(toy.repo + "/tools/testing/pci/run.sh")


def test_save_keeps_the_name_of_a_patch(toy):
    os.rename(toy.repo + "/series/" + NAMES[1],
              toy.repo + "/series/my-name.patch")
    put(toy.repo, {"series/series": get(toy.repo, "series/series").replace(
        NAMES[1], "# why\nmy-name.patch")})
    toy.pq("compose")
    git(toy.tree, "commit", "-q", "--amend", "-m",
        "PCI: Add the tests in QEMU\n\nOther words.\n\n"
        "Signed-off-by: A Developer <dev@example.org>")
    toy.pq("save")
    assert "# why\nmy-name.patch\n" in get(toy.repo, "series/series")
    assert "Other words." in get(toy.repo, "series/" + NAMES[3])


def test_save_reorders(toy):
    """Order is the order file's; patches keep their names."""
    put(toy.repo, {"series/series": get(toy.repo, "series/series").replace(
        NAMES[1], "# why\n" + NAMES[1])})
    git(toy.full, "reset", "-q", "--hard", "base-tag")
    ids = git(toy.full, "reflog", "--format=%H").split()
    by = {git(toy.full, "log", "-1", "--format=%s", i): i for i in ids}
    for subject in ("PCI: Add the tests in QEMU", "PCI: Add the scan stage",
                    "PCI: Call the scan stage",
                    "PCI: Add moving and its tests"):
        git(toy.full, "cherry-pick", by[subject])
    toy.pq("save", toy.full)
    assert get(toy.repo, "series/series").split("\n") == \
        ["# order", NAMES[3], NAMES[0], "# why", NAMES[1], NAMES[2], ""]
    toy.pq("check")


def test_fixup_and_merge_commits_are_refused(toy):
    commit(toy.full, "fixup! PCI: Call the scan stage", {
        "drivers/pci/probe.c": PROBE})
    assert "autosquash" in toy.pq("save", toy.full, code=1)
    git(toy.full, "reset", "-q", "--hard", "HEAD~1")
    git(toy.full, "checkout", "-q", "-b", "side", "HEAD~1")
    commit(toy.full, "PCI: Side", {"drivers/pci/side.c": "int x;\n"})
    git(toy.full, "checkout", "-q", "pci")
    git(toy.full, "merge", "-q", "--no-ff", "-m", "merge", "side")
    assert "merge commit" in toy.pq("save", toy.full, code=1)


def test_series_changed_under_a_tree_is_not_lost(toy):
    toy.edit(NAMES[1], "Because.", "Because of this.")
    commit(toy.full, "PCI: Add more", {"drivers/pci/setup.c": "int setup;\n"})
    out = toy.pq("save", toy.full)
    assert f"{NAMES[1]}: kept, only the repository's copy has changed" in out
    commit(toy.full, "fixup! PCI: Call the scan stage", {
        "drivers/pci/probe.c": EDITED + "/* end */\n"})
    git(toy.full, "rebase", "-q", "-i", "--autosquash", "base-tag",
        GIT_SEQUENCE_EDITOR="true")
    out = toy.pq("save", toy.full, code=1)
    assert f"series/{NAMES[1]} has changed since" in out
    assert "Because of this." in get(toy.repo, "series/" + NAMES[1])
    toy.pq("save", "--force", toy.full)
    assert "Because of this." not in get(toy.repo, "series/" + NAMES[1])


def test_order_changed_under_a_tree_is_not_lost(toy):
    put(toy.repo, {"series/series": "\n".join(
        [NAMES[3], *NAMES[:3], ""])})
    out = toy.pq("save", code=1)
    assert "the order of series/series has changed" in out
    toy.pq("save", "--force")
    assert get(toy.repo, "series/series").split() == NAMES


def test_patch_added_here_outlives_a_full_tree(toy):
    """A patch with nothing but New: lines of repository-owned files."""
    put(toy.repo, {
        "tools/testing/pci/bench/run.py": "pass\n",
        "series/series": get(toy.repo, "series/series") + "bench.patch\n",
        "series/bench.patch":
            "From: A Developer <dev@example.org>\n"
            "Date: Mon, 02 Nov 2026 10:00:00 +0100\n"
            "Subject: [PATCH] PCI: Add a bench\n\nBecause.\n\n"
            "Signed-off-by: A Developer <dev@example.org>\n---\n"
            "New: tools/testing/pci/bench/\n"})
    toy.pq("check")
    commit(toy.full, "PCI: Add more", {"drivers/pci/setup.c": "int setup;\n"})
    toy.pq("save", toy.full)
    assert get(toy.repo, "series/series").split()[2:] == \
        [*NAMES, "bench.patch", "pci-add-more.patch"]
    toy.pq("check")


def test_file_changed_on_both_sides_is_a_conflict(toy):
    path = "drivers/pci/pipeline/scan.c"
    put(toy.repo, {path: "int ours;\n"})
    out = toy.pq("save", toy.full)
    assert f"{path}: kept, only the repository's copy has changed" in out
    assert get(toy.repo, path) == "int ours;\n"
    commit(toy.full, "PCI: Theirs", {path: "int theirs;\n"})
    out = toy.pq("save", toy.full, code=1)
    assert path in out and "nothing saved" in out
    assert get(toy.repo, path) == "int ours;\n"
    toy.pq("save", "--force", toy.full)
    assert get(toy.repo, path) == "int theirs;\n"


# Composing -----------------------------------------------------------------

def test_round_trip(toy):
    """compose, save, no difference; and check finds nothing."""
    before = toy.snapshot()
    out = toy.pq("save")
    assert "nothing changed" in out
    assert toy.snapshot() == before
    assert toy.pq("check").endswith("pq check: 0 findings\n")


def test_round_trip_of_an_edit(toy):
    """A commit amended in the composed tree comes back, and composes to
    the same content."""
    put(toy.tree, {"drivers/pci/probe.c": EDITED.replace(
        "return 3;", "return scan(3);")})
    git(toy.tree, "commit", "-q", "-a", "--fixup=pci~2")
    git(toy.tree, "rebase", "-q", "-i", "--autosquash", "base-tag",
        GIT_SEQUENCE_EDITOR="true")
    want = git(toy.tree, "rev-parse", "pci^{tree}")
    toy.pq("save")
    assert "+\treturn scan(3);" in get(toy.repo, "series/" + NAMES[1])
    toy.pq("compose")
    assert git(toy.tree, "rev-parse", "pci^{tree}") == want
    assert "nothing changed" in toy.pq("save")


def test_identical_ids(toy):
    tips = {toy.tip()}
    toy.pq("compose", toy.top + "/again")
    tips.add(toy.tip(toy.top + "/again"))
    hostile = {
        "PATH": os.environ["PATH"], "TZ": "Pacific/Auckland", "CI": "true",
        "LANG": "C", "HOME": "/nonexistent", "GIT_DIR": "/nonexistent",
        "GIT_WORK_TREE": "/nonexistent", "GIT_INDEX_FILE": "/nonexistent",
        "GIT_AUTHOR_NAME": "Hostile", "GIT_COMMITTER_DATE": "@5 +0000",
        "GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "core.autocrlf",
        "GIT_CONFIG_VALUE_0": "true", "GIT_OBJECT_DIRECTORY": "/nonexistent",
        "GIT_EXTERNAL_DIFF": "false", "GIT_ATTR_SOURCE": "nonsense"}
    toy.pq("compose", "hostile", env=hostile)
    tips.add(toy.tip(toy.top + "/hostile"))
    assert len(tips) == 1
    assert git(toy.tree, "log", "-1", "--format=%an %ad|%cn %ce %cd",
               "--date=iso") == ("A Developer 2026-11-05 10:00:00 +0100|"
                                 "pq pq@localhost 2026-11-05 10:00:00 +0100")
    # The prefix of the series has the prefix of the ids.
    toy.pq("compose", "-n", "2", toy.top + "/again")
    assert toy.tip(toy.top + "/again") == git(toy.tree, "rev-parse", "pci~2")


def test_no_identity_no_home_hostile_config(toy):
    """Neither HOME nor an identity, and a user's config that would hurt."""
    home = os.path.join(toy.top, "home")
    put(home, {".gitconfig": "[core]\n\tautocrlf = true\n\tabbrev = 4\n"
               "[diff]\n\tnoprefix = true\n\tcontext = 9\n\trenames = copies\n"
               "[commit]\n\tgpgSign = true\n[user]\n\tuseConfigOnly = true\n"
               "[apply]\n\twhitespace = fix\n"
               "[format]\n\tsubjectPrefix = RFC\n"})
    for key, value in (("diff.noprefix", "true"), ("diff.context", "9"),
                       ("core.autocrlf", "true"), ("core.abbrev", "5"),
                       ("apply.whitespace", "error-all"),
                       ("diff.algorithm", "patience")):
        git(toy.tree, "config", key, value)
    path = {"PATH": os.environ["PATH"]}
    for env in (path, dict(path, HOME=home), dict(path, HOME="")):
        toy.pq("compose", env=env)
        assert "nothing changed" in toy.pq("save", env=env)
        toy.edit(NAMES[1], "Because.", "Because of this.")
        toy.pq("compose", env=env)
        assert "nothing changed" in toy.pq("save", env=env)
        toy.edit(NAMES[1], "Because of this.", "Because.")
        assert toy.pq("check", env=env).endswith("pq check: 0 findings\n")


def test_umask_and_modes(toy):
    old = os.umask(0o077)
    try:
        toy.pq("compose", toy.top + "/tree")
    finally:
        os.umask(old)
    for path, mode in (("", 0o755), ("drivers/pci/probe.c", 0o644),
                       ("tools/testing/pci/run.sh", 0o755),
                       ("drivers/pci/setup.c", 0o644)):
        assert os.stat(os.path.join(toy.top, "tree", path)).st_mode \
            & 0o777 == mode, path


@pytest.mark.skipif(os.getuid() != 0, reason="needs root to change owners")
def test_files_of_somebody_else(toy):
    subprocess.run(["chown", "-R", "12345:12345", toy.repo], check=True)
    toy.edit(NAMES[1], "Because.", "Because of this.")
    toy.pq("compose")
    toy.pq("check")
    assert "nothing changed" in toy.pq("save")


def test_base_is_never_written(toy):
    """An edit in the tree does not reach the base."""
    before = {}
    base = os.path.join(toy.repo, "build", f"base-{VERSION}")
    shutil.rmtree(toy.tree)
    toy.pq("compose")
    for path in BASE:
        before[path] = get(base, path)
        with open(os.path.join(toy.tree, path), "a",
                  encoding="utf-8") as out:
            out.write("x\n")
    assert {p: get(base, p) for p in BASE} == before == BASE


def test_recompose_keeps_times(toy):
    def times():
        res = {}
        for folder, dirs, names in os.walk(toy.tree):
            if ".git" in dirs:
                dirs.remove(".git")
            for name in names:
                path = os.path.join(folder, name)
                res[os.path.relpath(path, toy.tree)] = \
                    os.stat(path).st_mtime_ns
        return res

    first = times()
    assert "0 files written" in toy.pq("compose")
    assert times() == first
    put(toy.repo, {"drivers/pci/pipeline/scan.c": "int scan2;\n"})
    assert "1 file written" in toy.pq("compose")
    changed = {p for p, t in times().items() if first[p] != t}
    assert changed == {"drivers/pci/pipeline/scan.c"}
    # Back to the base's content is a change too: the object is older.
    now = times()
    toy.pq("compose", "-n", "1")
    assert get(toy.tree, "drivers/pci/setup.c") == SETUP
    assert times()["drivers/pci/setup.c"] > now["drivers/pci/setup.c"]
    assert not os.path.exists(toy.tree + "/drivers/pci/pipeline/move.c")
    assert not os.path.exists(toy.tree + "/tools")


def test_slim_repository(toy):
    """Only touched base files are tracked and git add -A adds nothing."""
    tracked = git(toy.tree, "ls-files").split("\n")
    assert "drivers/pci/probe.c" in tracked
    assert "drivers/pci/Kconfig" not in tracked and "Makefile" not in tracked
    assert git(toy.tree, "status", "--porcelain") == ""
    # Whether or not the base's own .gitignore helps.
    os.unlink(toy.tree + "/.gitignore")
    put(toy.tree, {"drivers/pci/junk.c": "x\n"})
    git(toy.tree, "add", "-A")
    assert git(toy.tree, "status", "--porcelain") == ""
    put(toy.tree, {"drivers/pci/probe.c": PROBE})
    git(toy.tree, "add", "drivers/pci/probe.c")
    assert git(toy.tree, "status", "--porcelain") == "M  drivers/pci/probe.c"


def test_own_root_files_are_not_composed(toy):
    for path in ("README.md", "LICENSE", "series", "build"):
        assert not os.path.exists(os.path.join(toy.tree, path))
    assert get(toy.tree, "Makefile") == BASE["Makefile"]
    assert get(toy.tree, ".gitignore") == BASE[".gitignore"]


def test_ignored_files_are_not_composed(toy):
    put(toy.repo, {
        "tools/testing/pci/run.log": "x\n",
        "tools/testing/pci/__pycache__/x.cpython-311.pyc": "x\n",
        "tools/testing/pci/new.py": "pass\n"})
    toy.pq("compose")
    assert os.path.exists(toy.tree + "/tools/testing/pci/new.py")
    assert not os.path.exists(toy.tree + "/tools/testing/pci/run.log")
    assert not os.path.exists(toy.tree + "/tools/testing/pci/__pycache__")
    assert "nothing changed" in toy.pq("save")
    assert os.path.exists(toy.repo + "/tools/testing/pci/run.log")


def test_staged_makefile(toy):
    def at(rev):
        return git(toy.tree, "show",
                   f"{rev}:drivers/pci/pipeline/Makefile") + "\n"

    head = "# SPDX-License-Identifier: GPL-2.0\n" \
        "obj-y += pipeline.o\npipeline-y += scan.o\n"
    assert at("pci~3") == head
    assert at("pci~2") == head
    assert at("pci~1") == at("pci") == PIPE_MAKEFILE


def test_staging_rules():
    text = ("obj-y += both.o\nboth-y += a.o\nboth-objs += b.o\n"
            "obj-$(CONFIG_C) += c.o # d.o\nobj-m += sub/\n"
            "KASAN_SANITIZE_b.o := n\nccflags-y += -I$(src)/b/\n"
            "VAR := b.o\nobj-y += asm.o\n")

    def emit(*have):
        return stage.emit("x/Makefile", text, lambda p: p in have)

    assert emit() == "ccflags-y += -I$(src)/b/\nVAR := b.o\n"
    assert emit("x/a.c") == ("obj-y += both.o\nboth-y += a.o\n"
                             "ccflags-y += -I$(src)/b/\nVAR := b.o\n")
    assert emit("x/b.c", "x/asm.S").startswith(
        "obj-y += both.o\nboth-objs += b.o\nKASAN_SANITIZE_b.o := n\n")
    assert "obj-y += asm.o\n" in emit("x/asm.S")
    assert "c.o" in emit("x/c.c") and "sub/" in emit("x/sub/Kbuild")
    assert emit("x/a.c", "x/b.c", "x/c.c", "x/asm.S", "x/sub/Makefile") == text
    assert not stage.is_staged("tools/testing/pci/Makefile")
    found = stage.problems("x/Makefile", "obj-y += a.o b.o\nobj-y += \\\n"
                           "obj-y += c.o\n",
                           lambda p: not p.startswith("x/c."))
    assert [f.split(":")[1] for f in found] == ["1", "2", "3"]


def test_maintainers_entry_finds_its_place(toy):
    text = get(toy.tree, "MAINTAINERS")
    assert text == MAINTAINERS.replace("PCI SUBSYSTEM",
                                       FRAGMENT + "\nPCI SUBSYSTEM")
    for title, after in (("AAA", "\n\nACPI"), ("PCI T", "\n\nZSMALLOC"),
                         ("ZZZ", "\n\nTHE REST"), ("TTT", "\n\nZSMALLOC")):
        entry = f"{title}\nM:\tX <x@example.org>\n"
        out = pqbase.add_entries(MAINTAINERS, entry)
        assert entry.rstrip("\n") + after in out
        assert out.replace(entry + "\n", "", 1) == MAINTAINERS
        assert pqbase.added_entries(MAINTAINERS, out) == entry
    both = FRAGMENT + "\nZED\nM:\tX <x@example.org>\n"
    out = pqbase.add_entries(MAINTAINERS, both)
    assert pqbase.added_entries(MAINTAINERS, out) == both
    with pytest.raises(pqbase.PqError):
        pqbase.added_entries(MAINTAINERS, out.replace("ACPI", "AXPI"))


def test_unsaved_work_is_refused(toy):
    # An edit.
    put(toy.tree, {"drivers/pci/probe.c": "edited\n"})
    out = toy.pq("compose", code=1)
    assert "unsaved edit of drivers/pci/probe.c" in out
    assert out.count("\n") == 1
    assert get(toy.tree, "drivers/pci/probe.c") == "edited\n"
    assert "kept as it is" in toy.pq("compose", "--keep")
    assert get(toy.tree, "drivers/pci/probe.c") == "edited\n"
    # A commit.
    git(toy.tree, "commit", "-q", "-a", "-m", "PCI: Edit")
    lost = toy.tip()
    assert "unsaved commit" in toy.pq("compose", code=1)
    toy.pq("compose", "--keep")
    assert toy.tip() == lost
    assert "unsaved commit" in toy.pq("status")
    # A base file that git does not know.
    toy.pq("compose", "--force")
    assert get(toy.tree, "drivers/pci/probe.c") == EDITED
    assert git(toy.tree, "rev-parse", "refs/pq/lost/1") == lost
    put(toy.tree, {"include/linux/pci.h": "edited;\n"})
    assert "pq track include/linux/pci.h" in toy.pq("compose", code=1)
    assert "pq track include/linux/pci.h" in toy.pq("save", code=1)
    toy.pq("compose", "--force")
    assert get(toy.tree, "include/linux/pci.h") == "struct pci_dev;\n"
    assert "no unsaved work" in toy.pq("status")


def test_saved_work_is_not_unsaved(toy):
    commit(toy.tree, "PCI: Edit setup", {"drivers/pci/setup.c": "int x;\n"})
    toy.pq("save")
    toy.pq("compose")
    assert get(toy.tree, "drivers/pci/setup.c") == "int x;\n"


def test_interrupted_compose_recovers(toy):
    """Files written, refs not moved yet: not somebody's edit."""
    tip = toy.tip()
    toy.pq("compose", "-n", "1")
    path = os.path.join(toy.tree, ".git", "pq-state.json")
    put(toy.tree, {".git/pq-state.json": get(toy.tree, ".git/pq-state.json")
                   .replace('"slim"', f'"composing": "{tip}",\n "slim"')})
    put(toy.tree, {"drivers/pci/probe.c": EDITED})
    toy.pq("compose")
    assert toy.tip() == tip
    assert "composing" not in open(path, encoding="utf-8").read()
    put(toy.tree, {"drivers/pci/probe.c": "mine\n"})
    toy.pq("compose", code=1)


def test_foreign_directory_is_refused(toy):
    put(toy.top, {"precious/file": "x\n"})
    assert "not a tree of pq" in toy.pq("compose", "--force",
                                        toy.top + "/precious", code=1)
    assert "not a tree of pq" in toy.pq("compose", "--force", toy.full, code=1)
    assert get(toy.top, "precious/file") == "x\n"


def test_partial_tree_cannot_be_saved(toy):
    toy.pq("compose", "-n", "2")
    assert git(toy.tree, "rev-list", "--count", "base-tag..pci") == "2"
    assert "-n 2" in toy.pq("save", code=1)
    toy.pq("compose", "-n", "0")
    assert get(toy.tree, "drivers/pci/Makefile") == \
        BASE["drivers/pci/Makefile"]


def test_track(toy):
    put(toy.tree, {"include/linux/pci.h": "struct pci_dev;\nint n;\n"})
    toy.pq("track", "include/linux/pci.h")
    assert git(toy.tree, "status", "--porcelain") == "M include/linux/pci.h"
    git(toy.tree, "commit", "-q", "-a", "-m", "PCI: Add n\n\nBecause.\n\n"
        "Signed-off-by: A Developer <dev@example.org>")
    toy.pq("save")
    assert "+int n;" in get(toy.repo, "series/pci-add-n.patch")
    assert "include/linux/pci.h" in get(toy.repo, "series/base.lock")
    toy.pq("check")
    toy.pq("compose")
    assert "not a file of the base" in toy.pq("track", "no/such.c", code=1)


def test_base_file_added_without_tracking(toy):
    commit(toy.tree, "PCI: Add n", {"include/linux/pci.h": "int n;\n"})
    assert "pq track include/linux/pci.h" in toy.pq("save", code=1)


def test_deleting_a_base_file(toy):
    toy.pq("track", "include/linux/pci.h")
    commit(toy.tree, "PCI: Drop pci.h", {"include/linux/pci.h": None})
    toy.pq("save")
    assert "deleted file mode" in get(toy.repo, "series/pci-drop-pci-h.patch")
    toy.pq("compose")
    assert not os.path.exists(toy.tree + "/include/linux/pci.h")
    toy.pq("check")
    assert "no unsaved work" in toy.pq("status")
    toy.pq("compose", "-n", "1")
    assert os.path.exists(toy.tree + "/include/linux/pci.h")


# Checking ------------------------------------------------------------------

def findings(toy, *args):
    out = toy.pq("check", *args, code=1).split("\n")[:-1]
    assert out[-1] == f"pq check: {len(out) - 1} findings"
    return "\n".join(out[:-1])


def test_offset_is_found(toy):
    text = get(toy.repo, "series/" + NAMES[1])
    got = re.search(r"@@ -(\d+),7 \+(\d+),7 @@", text)
    line = int(got.group(1))
    toy.edit(NAMES[1], got.group(0), f"@@ -{line - 3},7 +{line - 3},7 @@")
    assert f"{NAMES[1]}: drivers/pci/probe.c hunk 1 is off by 3 lines" \
        in findings(toy)
    assert "off by 3 lines" in toy.pq("compose")


def test_fuzz_is_refused(toy):
    toy.edit(NAMES[1], "\n static int probe_7", "\n static int probe_8")
    assert f"{NAMES[1]} does not apply to {VERSION}: conflict in " \
        "drivers/pci/probe.c" in findings(toy)
    out = toy.pq("compose", code=1)
    assert "does not apply" in out and out.count("\n") == 1


@pytest.mark.parametrize("change, text", [
    ({"drivers/pci/probe.c": "int x;\n"},
     "drivers/pci/probe.c: exists in the base"),
    ({"drivers/pci/pipeline/more.c": "int x;\n"},
     "drivers/pci/pipeline/more.c: no patch has a New: line for it"),
    ({"drivers/pci/pipeline/scan.c": None},
     "New: drivers/pci/pipeline/scan.c names no file"),
    ({"series/stray.patch": "x\n"}, "stray.patch: not in series/series"),
    ({"drivers/pci/pipeline/Makefile": PIPE_MAKEFILE + "obj-y += no.o\n"},
     "pipeline/Makefile:7: no source for 'obj-y += no.o'"),
    ({"MAINTAINERS": "no entry\n"}, "'no entry' is not an entry"),
])
def test_ownership_violations(toy, change, text):
    put(toy.repo, change)
    assert text in findings(toy)


@pytest.mark.parametrize("name, old, new, text", [
    (NAMES[1], "---\n", "---\nNew: drivers/pci/pipeline/scan.c\n",
     "is also in " + NAMES[0]),
    (NAMES[1], "---\n", "---\nNew: lib/none.c\n", "names no file"),
    (NAMES[1], "---\n", "---\nNew: README.md\n", "not below a directory"),
    (NAMES[3], "New: tools/testing/pci/\n", "",
     "tools/testing/pci/run.sh: no patch has a New: line"),
    (NAMES[2], "New: MAINTAINERS\n", "", "MAINTAINERS: no patch has"),
    (NAMES[1], "diff --git a/drivers/pci/probe.c b/drivers/pci/probe.c\n",
     "diff --git a/lib/x.c b/lib/x.c\nnew file mode 100644\n--- /dev/null\n"
     "+++ b/lib/x.c\n@@ -0,0 +1 @@\n+int x;\n"
     "diff --git a/drivers/pci/probe.c b/drivers/pci/probe.c\n",
     "creates lib/x.c"),
    (NAMES[1], "drivers/pci/probe.c b/drivers/pci/probe.c",
     "drivers/pci/gone.c b/drivers/pci/gone.c", "which the base"),
])
def test_new_line_violations(toy, name, old, new, text):
    toy.edit(name, old, new)
    assert text in findings(toy)
    toy.pq("compose", code=0 if "no patch has" in text else 1)


@pytest.mark.parametrize("old, new, text", [
    ("PCI: Call the", "Call the", "subject is not 'area: Verb"),
    ("PCI: Call the", "PCI: call the", "subject is not 'area: Verb"),
    ("scan stage\n", "scan stage.\n", "subject is not 'area: Verb"),
    ("scan stage\n", "scan stage " + "x" * 60 + "\n", "subject has 8"),
    ("Because.", "word " * 16 + "end", "of the message has 83 columns"),
    ("Because.\n\n", "", "the message has no text"),
    ("Signed-off-by: A", "Acked-by: A", "no Signed-off-by"),
    ("dev@example.org>\n---", "dev@example.org>\nCc: B <b@x.org>\n---",
     "Signed-off-by is not the last line"),
    ("Signed-off-by: A Developer <dev", "Signed-off-by: B <b",
     "no Signed-off-by of its author"),
    ("Because.", "Because.  ", "ends in a space"),
])
def test_message_form(toy, old, new, text):
    toy.edit(NAMES[1], old, new)
    assert text in findings(toy)


@pytest.mark.parametrize("body", [
    "    " + "x" * 90, "https://example.org/" + "x" * 90,
    "[    1.234567] pci 0000:00:01.0: " + "x" * 90])
def test_long_lines_that_may_be(toy, body):
    toy.edit(NAMES[1], "Because.", "Because:\n\n" + body)
    toy.pq("check")


def test_lock_hashes(toy):
    lock = get(toy.repo, "series/base.lock")
    sha = hashlib.sha256(PROBE.encode()).hexdigest()
    put(toy.repo, {"series/base.lock": lock.replace(sha, "0" * 64)})
    assert "drivers/pci/probe.c: not the content that base.lock pins" in \
        findings(toy)
    assert "drivers/pci/probe.c" in toy.pq("compose", code=1)
    put(toy.repo, {"series/base.lock": lock.replace(
        f"touched {sha} drivers/pci/probe.c\n", "")})
    assert "base.lock: no sha256 of drivers/pci/probe.c" in findings(toy)
    put(toy.repo, {"series/base.lock": lock + f"touched {sha} lib/x.c\n"})
    assert "base.lock: lib/x.c is not changed by any patch" in findings(toy)


def test_unsaved_form_is_found(toy):
    """A patch that pq save would write differently."""
    text = get(toy.repo, "series/" + NAMES[1])
    put(toy.repo, {"series/" + NAMES[1]: re.sub(
        r"^index .*\n", "", text, flags=re.M)})
    assert f"saving changes series/{NAMES[1]}" in findings(toy)


def test_notes_and_grouped_new_lines_survive(toy):
    """New: may name several files; text below the cut stays."""
    name = NAMES[2]
    text = get(toy.repo, "series/" + name)
    new = re.findall(r"^New: (.*)$", text, re.M)
    text = re.sub(r"(^New: .*\n)+", "Changes in v2: none\n\nNew: "
                  + " ".join(reversed(new)) + "\n", text, flags=re.M)
    put(toy.repo, {"series/" + name: text})
    toy.pq("check")
    toy.pq("compose")
    assert "nothing changed" in toy.pq("save")
    assert "Changes in v2" not in git(toy.tree, "log", "--format=%B")


def test_mail_parsing():
    text = ("From: \"N. Ame\" <n@example.org>\n"
            "Date: Tue, 3 Nov 2026 01:02:03 -0730\n"
            "Subject: [PATCH v2 3/4] PCI: Long\n subject\n\nBody\n---\n"
            "New: a b\n\ndiff --git a/x b/x\n--- a/x\n+++ b/x\n"
            "@@ -1 +1 @@\n-a\n+b\n-- \n2.39.5\n\n")
    patch = mail.parse("p", text)
    assert patch.author == ("N. Ame", "n@example.org")
    assert patch.subject == "PCI: Long subject"
    assert mail.mail_date(patch.when) == "Tue, 03 Nov 2026 01:02:03 -0730"
    assert patch.new == ["a", "b"] and patch.diff.endswith("+b\n")
    assert mail.parse("p", patch.text()) == patch
    for broken in ("no header", "From: a <b>\n\nx\n---\n",
                   text.replace("---\nNew", "New")):
        with pytest.raises(mail.PqError):
            mail.parse("p", broken)


# Exporting -----------------------------------------------------------------

def test_export_applies_with_git_am(toy):
    toy.pq("export")
    out = os.path.join(toy.repo, "build", "series")
    names = sorted(os.listdir(out))
    assert names[0] == "0000-cover-letter.patch" and len(names) == 5
    cover = get(out, names[0])
    assert "Subject: [PATCH 0/4] PCI: Toy\n" in cover
    assert f"All 4 on linux-source-6.12 {VERSION}.\n" in cover
    assert "A Developer (4):\n  PCI: Add the scan stage\n" in cover
    assert "12 files changed" in cover
    first = get(out, names[1])
    assert first.startswith("From " + "0" * 40) and "New:" not in first
    # A clean full tree of the base.
    clean = os.path.join(toy.top, "clean")
    full_tree(clean)
    git(clean, "am", "-q", *(os.path.join(out, n) for n in names[1:]))
    assert git(clean, "rev-parse", "HEAD^{tree}") == \
        git(toy.full, "rev-parse", "pci^{tree}")
    assert git(clean, "log", "--format=%an %ad %B", "base-tag..") == \
        git(toy.full, "log", "--format=%an %ad %B", "base-tag..")
    # Again, into the same place, byte for byte.
    before = {n: get(out, n) for n in names}
    toy.pq("export", out)
    assert {n: get(out, n) for n in os.listdir(out)} == before


def test_export_does_not_replace_other_things(toy):
    put(toy.top, {"out/notes.txt": "x\n"})
    assert "other files" in toy.pq("export", toy.top + "/out", code=1)


# Other versions of the base ------------------------------------------------

def other_base(toy, changes, name="other"):
    return make_tarball(toy.top, dict(BASE, **changes), name)


def install(toy, tarball, forget=True):
    """apt has only this one now."""
    lock = get(toy.repo, "series/base.lock")
    put(toy.repo, {"series/base.lock": re.sub(
        r"^tarball .*$", "tarball " + tarball, lock, flags=re.M)})
    if forget:
        shutil.rmtree(toy.repo + "/build")


MOVED = "/* one */\n/* more */\n/* line */\n" + PROBE
CLASH = PROBE.replace("return 6;", "return 66;")


@pytest.mark.parametrize("changes, how", [
    ({"README": "other\n"}, "none of the files that the series changes"),
    ({"drivers/pci/probe.c": MOVED}, "no conflict"),
    ({"MAINTAINERS": MAINTAINERS.replace("ACPI\nM", "AXPI\nM")}, "none of"),
])
def test_other_point_release_is_used(toy, changes, how):
    install(toy, other_base(toy, changes))
    out = toy.pq("compose")
    assert f"instead of the pinned {VERSION}" in out and how in out
    assert sum("instead of" in line for line in out.split("\n")) == 1
    assert "is off by" not in out
    probe = get(toy.tree, "drivers/pci/probe.c")
    assert probe == changes.get("drivers/pci/probe.c", PROBE).replace(
        "return 6;", "return scan(6);")
    if "README" in changes:
        assert get(toy.tree, "README") == "other\n"
    assert FRAGMENT in get(toy.tree, "MAINTAINERS")
    toy.pq("check")


@pytest.mark.parametrize("changes", [
    {"drivers/pci/probe.c": CLASH},
    {"drivers/pci/pipeline/scan.c": "int theirs;\n"},
])
def test_other_point_release_is_refused(toy, changes):
    install(toy, other_base(toy, changes))
    out = toy.pq("compose", code=1)
    assert [n for n in ("does not apply", "exists in the base") if n in out]
    assert len([n for n in out.split("\n") if n.startswith("pq: ")
                and "unpacking" not in n]) == 1
    assert not os.path.exists(toy.tree)


def test_other_point_release_three_way(toy):
    """With the pinned base at hand, context may have changed too; without
    it the same version is refused."""
    near = PROBE.replace("static int probe_6", "static long probe_6")
    tarball = other_base(toy, {"drivers/pci/probe.c": near})
    args = ("compose", "--base-version", "6.12.2-1", "--tarball", tarball)
    assert "1 patch merged" in toy.pq(*args)
    assert get(toy.tree, "drivers/pci/probe.c") == near.replace(
        "return 6;", "return scan(6);")
    install(toy, tarball)
    out = toy.pq(*args, code=1)
    assert f"{NAMES[1]} does not apply" in out and "pq rebase" in out


def test_tree_follows_its_base(toy):
    """Another base makes a new tree, unless there is unsaved work."""
    tarball = other_base(toy, {"README": "other\n"})
    put(toy.tree, {"drivers/pci/probe.c": "edited\n"})
    args = ("compose", "--base-version", "6.12.2-1", "--tarball", tarball)
    assert "unsaved edit" in toy.pq(*args, code=1)
    toy.pq(*args, "--force")
    assert get(toy.tree, "README") == "other\n"
    assert get(toy.tree, "drivers/pci/probe.c") == EDITED
    assert "pq rebase" in toy.pq("save", code=1)
    toy.pq("compose")
    assert get(toy.tree, "README") == BASE["README"]


def test_wrong_or_missing_tarball(toy):
    shutil.rmtree(toy.repo + "/build")
    wrong = other_base(toy, {"README": "other\n"})
    out = toy.pq("compose", "--tarball", wrong, code=1)
    assert "sha256 differs" in out
    install(toy, "/nonexistent.tar.xz", forget=False)
    out = toy.pq("compose", code=1)
    assert "apt-get install linux-source-6.12" in out
    assert not os.path.exists(toy.tree)


def test_rebase_merges(toy):
    tarball = other_base(toy, {
        "drivers/pci/probe.c": "/* one */\n" + PROBE.replace(
            "static int probe_7(void)", "static long probe_7(void)"),
        "MAINTAINERS": MAINTAINERS.replace("ZSMALLOC", "ZSMALLOX")})
    before = toy.snapshot()
    out = toy.pq("rebase", "6.12.2-1", "--tarball", tarball)
    assert "PCI: Call the scan stage" in out and "!" in out
    assert "3 of 4 patches unchanged" in out
    assert toy.snapshot() == before, "nothing is saved without --save"
    toy.pq("rebase", "6.12.2-1", "--tarball", tarball, "--save")
    lock = get(toy.repo, "series/base.lock")
    assert "version 6.12.2-1\n" in lock
    assert hashlib.sha256(PROBE.encode()).hexdigest() not in lock
    assert "static long probe_7" in get(toy.repo, "series/" + NAMES[1])
    assert get(toy.repo, "MAINTAINERS") == FRAGMENT
    assert toy.pq("check").endswith("pq check: 0 findings\n")
    toy.pq("compose")
    assert "static long probe_7" in get(toy.tree, "drivers/pci/probe.c")


def test_rebase_without_a_difference(toy):
    """Only the pin moves."""
    tarball = other_base(toy, {"README": "other\n"})
    before = toy.snapshot()
    out = toy.pq("rebase", "6.12.2-1", "--tarball", tarball, "--save")
    assert "4 of 4 patches unchanged" in out
    after = toy.snapshot()
    assert {p for p in after if after[p] != before[p]} == \
        {"series/base.lock"}
    assert "version 6.12.2-1\n" in get(toy.repo, "series/base.lock")
    toy.pq("compose")
    assert get(toy.tree, "README") == "other\n"


def test_rebase_with_conflict(toy):
    tarball = other_base(toy, {"drivers/pci/probe.c": CLASH})
    args = ("rebase", "6.12.2-1", "--tarball", tarball)
    before = toy.snapshot()
    out = toy.pq(*args, code=1)
    where = os.path.join(toy.repo, "build", "rebase-6.12.2-1")
    assert f"{NAMES[1]} does not apply" in out
    assert "resolve drivers/pci/probe.c" in out
    assert "<<<<<<<" in get(where, "drivers/pci/probe.c")
    assert "unsaved work" in toy.pq(*args, code=1)
    assert "unsaved work" in toy.pq(*args, "--save", code=1)
    assert toy.snapshot() == before
    put(where, {"drivers/pci/probe.c": CLASH.replace("return 66;",
                                                     "return scan(66);")})
    git(where, "add", "drivers/pci/probe.c")
    git(where, "-c", "core.editor=true", "cherry-pick", "--continue")
    assert git(where, "rev-list", "--count", "base-tag..pci") == "4"
    toy.pq(*args, "--save")
    assert "+\treturn scan(66);" in get(toy.repo, "series/" + NAMES[1])
    assert get(toy.repo, "series/series").split()[2:] == NAMES
    assert toy.pq("check").endswith("pq check: 0 findings\n")
    toy.pq("compose")
    assert "scan(66)" in get(toy.tree, "drivers/pci/probe.c")


def test_rebase_without_the_pinned_base(toy):
    """The pinned version is gone from apt: what applies has to do."""
    tarball = other_base(toy, {"drivers/pci/probe.c": MOVED})
    install(toy, "/nonexistent.tar.xz")
    out = toy.pq("rebase", "6.12.2-1", "--tarball", tarball, "--save",
                 env={"PATH": os.environ["PATH"],
                      "APT_CONFIG": "/nonexistent"})
    assert "no three-way merge" in out
    assert "version 6.12.2-1\n" in get(toy.repo, "series/base.lock")
    assert toy.pq("check").endswith("pq check: 0 findings\n")


# The command line ----------------------------------------------------------

@pytest.mark.parametrize("args", [
    (), ("nonsense",), ("compose", "-n", "x"), ("compose", "-n", "99"),
    ("compose", "--keep", "--force"), ("rebase",), ("rebase", VERSION)])
def test_usage_errors(toy, args):
    out = toy.pq(*args, code=2)
    assert out.startswith("pq: ") and out.count("\n") == 1


def test_closed_stdin(toy):
    for command in ("compose", "save", "check", "export", "status"):
        subprocess.run(
            ["sh", "-c", 'exec "$0" "$@" <&- >"$OUT"', sys.executable,
             toy.repo + "/series/pq", command], check=True,
            env={"PATH": os.environ["PATH"], "OUT": toy.top + "/out"})


def test_two_at_a_time(toy):
    """A second run waits for the first."""
    with open(toy.repo + "/build/.pq.lock", "a", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with subprocess.Popen(
                [sys.executable, toy.repo + "/series/pq", "compose"],
                stdout=subprocess.PIPE, text=True) as run:
            assert "waiting for another pq" in run.stdout.readline()
            with pytest.raises(subprocess.TimeoutExpired):
                run.wait(timeout=2)
            fcntl.flock(lock, fcntl.LOCK_UN)
            assert "4 patches" in run.stdout.read()
    assert run.returncode == 0


def test_status(toy):
    out = toy.pq("status")
    assert "4 patches, 8 new files, 3 edits of 3 base files" in out
    assert "no unsaved work" in out
    put(toy.tree, {"drivers/pci/pipeline/extra.c": "int x;\n"})
    assert "new, but not added: drivers/pci/pipeline/extra.c" in \
        toy.pq("status")
    shutil.rmtree(toy.repo + "/build")
    out = toy.pq("status")
    assert "not unpacked" in out and "not composed" in out


def test_repository_inside_other_git_repository(toy):
    """Neither a repository around it nor one of its own matters."""
    tip = toy.tip()
    git(toy.top, "init", "-q")
    put(toy.top, {".gitignore": "*\n"})
    toy.pq("compose")
    assert toy.tip() == tip
    toy.pq("check")


def test_empty_series(toy):
    put(toy.repo, {"series/series": "# nothing yet\n"})
    shutil.rmtree(toy.repo + "/drivers")
    shutil.rmtree(toy.repo + "/tools")
    for name in ("MAINTAINERS", *("series/" + n for n in NAMES)):
        os.unlink(os.path.join(toy.repo, name))
    lock = get(toy.repo, "series/base.lock")
    put(toy.repo, {"series/base.lock": re.sub(r"^touched .*\n", "", lock,
                                              flags=re.M)})
    assert toy.pq("check").endswith("pq check: 0 findings\n")
    toy.pq("compose")
    assert git(toy.tree, "rev-parse", "pci") == \
        git(toy.tree, "rev-parse", "base-tag")
    assert "nothing changed" in toy.pq("save")
    assert "empty" in toy.pq("export", code=1)
