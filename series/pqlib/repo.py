# SPDX-License-Identifier: GPL-2.0
"""This repository's side: order file, patches, base.lock and NEW files."""
import hashlib
import os

from . import mail
from .util import Git, PqError, decode, read_entry, scratch

# Directories of the kernel.  Anything else at the root is the repository's
# own and never becomes part of the kernel tree, except MAINTAINERS, which
# holds the entries that the series adds to the kernel's file of that name.
KERNEL_DIRS = frozenset((
    "Documentation", "LICENSES", "arch", "block", "certs", "crypto",
    "drivers", "fs", "include", "init", "io_uring", "ipc", "kernel", "lib",
    "mm", "net", "rust", "samples", "scripts", "security", "sound", "tools",
    "usr", "virt"))
FRAGMENT = "MAINTAINERS"
# These files are worked on in the repository itself; a kernel tree that does
# not have them says nothing about them.
REPO_OWNED = "tools/testing/pci/"
_JUNK = (".pyc", ".pyo", ".o", ".rej", ".orig", "~")


def in_kernel(path):
    return "/" in path and path.split("/", 1)[0] in KERNEL_DIRS


class Lock:
    """series/base.lock: what the patches were made against."""

    KEYS = ("package", "version", "tarball", "sha256")
    HEADER = ("# SPDX-License-Identifier: GPL-2.0\n"
              "# The base that the patches were made against, and the sha256 "
              "of every file\n# of it that they change.  Written by "
              "\"pq save\" and \"pq rebase\".\n")

    def __init__(self, values, touched):
        self.values = dict(values)
        self.touched = dict(touched)

    @classmethod
    def parse(cls, text):
        values, touched = {}, {}
        for number, line in enumerate(text.split("\n"), 1):
            words = line.split()
            if not words or words[0].startswith("#"):
                continue
            if words[0] == "touched" and len(words) == 3:
                touched[words[2]] = words[1]
            elif words[0] in cls.KEYS and len(words) == 2:
                values[words[0]] = words[1]
            else:
                raise PqError(f"base.lock:{number}: cannot read '{line}'")
        for key in cls.KEYS:
            if key not in values:
                raise PqError(f"base.lock: no '{key}' line")
        return cls(values, touched)

    def text(self):
        out = [self.HEADER]
        out += [f"{key} {self.values[key]}\n" for key in self.KEYS]
        out += [f"touched {sha} {path}\n"
                for path, sha in sorted(self.touched.items())]
        return "".join(out)

    @property
    def version(self):
        return self.values["version"]


class Repo:
    """Files of the repository, read once."""

    def __init__(self, root):
        self.root = os.path.abspath(root)
        self.series_dir = os.path.join(self.root, "series")
        self.build = os.path.join(self.root, "build")
        if not os.path.isfile(os.path.join(self.series_dir, "series")):
            raise PqError(f"{self.series_dir}/series is missing")
        self._patches = None
        self._new = None

    def read(self, rel):
        with open(os.path.join(self.root, rel), "rb") as handle:
            return handle.read()

    @property
    def lock(self):
        try:
            return Lock.parse(decode(self.read("series/base.lock")))
        except FileNotFoundError:
            raise PqError("series/base.lock is missing") from None

    def order(self):
        """Comments at the top, [(comments above, patch file name)], comments
        at the end."""
        head, res, comments = [], [], []
        for line in decode(self.read("series/series")).split("\n"):
            word = line.strip()
            if not word or word.startswith("#"):
                comments.append(line)
            else:
                if not res:
                    head, comments = comments, []
                res.append((comments, word))
                comments = []
        while comments and not comments[-1]:
            comments.pop()
        return (head, res, comments) if res else (comments, [], [])

    def names(self):
        return [name for _, name in self.order()[1]]

    @property
    def patches(self):
        if self._patches is None:
            res = []
            names = self.names()
            for name in names:
                if names.count(name) > 1:
                    raise PqError(f"series/series names {name} twice")
                try:
                    text = decode(self.read("series/" + name))
                except FileNotFoundError:
                    raise PqError(f"series/series names {name}, "
                                  "which does not exist") from None
                res.append(mail.parse(name, text))
            self._patches = res
        return self._patches

    @property
    def new(self):
        """{kernel path: (mode, bytes)} of every NEW file here."""
        if self._new is None:
            tops = sorted(d for d in os.listdir(self.root)
                          if d in KERNEL_DIRS
                          and os.path.isdir(os.path.join(self.root, d)))
            self._new = {}
            for path in self._list(tops):
                base = os.path.basename(path)
                if base.endswith(_JUNK) or "__pycache__" in path.split("/"):
                    continue
                entry = read_entry(os.path.join(self.root, path))
                if entry:
                    self._new[path] = entry
        return self._new

    def _list(self, tops):
        if not tops:
            return []
        # A throw-away git directory: what .gitignore says counts, who owns
        # the repository or whether it is a repository at all does not.
        with scratch(self.build) as temp:
            git = Git.init(os.path.join(temp, "git"), self.root)
            out = git.raw("ls-files", "-o", "-z", "--exclude-standard",
                          "--", *tops)
        return sorted(p for p in decode(out).split("\0") if p)

    @property
    def fragment(self):
        try:
            return decode(self.read(FRAGMENT))
        except FileNotFoundError:
            return None

    def digest(self):
        """[[name, hash of the file]] in order: the series as it is now."""
        res = []
        for name in self.names():
            try:
                data = self.read("series/" + name)
            except FileNotFoundError:
                data = b""
            res.append([name, hashlib.sha256(data).hexdigest()])
        return res

    def unlisted(self):
        """Patch files that series/series does not name."""
        names = set(self.names())
        return sorted(n for n in os.listdir(self.series_dir)
                      if n.endswith(".patch") and n not in names)


def claims(patches, files):
    """Which patch brings which NEW file.

    A file belongs to the patch that names it; failing that, to the one that
    names the innermost directory around it ("New: tools/testing/pci/").
    Returns ({path: patch index}, [problem]).
    """
    entries, problems = {}, []
    for index, patch in enumerate(patches):
        for path in patch.new:
            if path in entries:
                other = patches[entries[path]].name
                problems.append(f"{patch.name}: New: {path} is also in "
                                f"{other}")
                continue
            entries[path] = index
    owner = {}
    used = set()
    for path in files:
        key = path
        while key not in entries:
            key = key.rstrip("/").rpartition("/")[0] + "/"
            if key == "/":
                break
        if key in entries:
            owner[path] = entries[key]
            used.add(key)
    for path, index in entries.items():
        if path not in used:
            problems.append(f"{patches[index].name}: New: {path} names no "
                            "file of the repository")
    return owner, problems
