# SPDX-License-Identifier: GPL-2.0
"""From base and patches to commits, without a working tree."""
import dataclasses
import os
import re

from . import mail, stage
from .base import maintainers
from .repo import FRAGMENT, claims, in_kernel
from .util import IDENT_EMAIL, IDENT_NAME, PqError, encode, scratch

# Day of the 6.12 release: the base commit needs some fixed date.
BASE_DATE = "1731881708 +0000"
_DRIFT = re.compile(r"^Hunk #(\d+) succeeded at .*offset (-?\d+) line")


@dataclasses.dataclass
class Result:
    """A composed series."""
    base: str = ""
    tip: str = ""
    commits: list = dataclasses.field(default_factory=list)
    # What the composed tree has of each NEW path, next to the blob id that
    # the repository's own file has; they differ for staged Makefiles.
    new: dict = dataclasses.field(default_factory=dict)
    drift: list = dataclasses.field(default_factory=list)
    merged: list = dataclasses.field(default_factory=list)
    left: list = dataclasses.field(default_factory=list)


class Conflict(PqError):
    """A patch that does not apply; @index says which."""

    def __init__(self, text, index, result):
        super().__init__(text)
        self.index = index
        self.result = result


def edit_paths(patches):
    """Base files that the series changes, sorted."""
    return sorted({item.path for patch in patches
                   for item in mail.split_diff(patch.name, patch.diff)})


def ownership(repo, base, patches):
    """Violations of the NEW/EDIT rule, as text."""
    files = list(repo.new) + ([FRAGMENT] if repo.fragment is not None else [])
    owner, res = claims(patches, files)
    for patch in patches:
        for item in mail.split_diff(patch.name, patch.diff):
            if item.creates:
                res.append(f"{patch.name}: creates {item.path}: a new file "
                           "belongs into the repository, with a New: line")
            elif item.renames:
                res.append(f"{patch.name}: renames {item.path}: delete and "
                           "add instead")
            elif item.path == FRAGMENT:
                res.append(f"{patch.name}: changes MAINTAINERS: its entries "
                           "belong into the repository's MAINTAINERS")
            elif not base.has(item.path):
                res.append(f"{patch.name}: changes {item.path}, which the "
                           f"base {base.version} does not have")
        for path in patch.new:
            if path != FRAGMENT and not in_kernel(path):
                res.append(f"{patch.name}: New: {path} is not below a "
                           "directory of the kernel")
    for path in repo.new:
        if base.has(path):
            res.append(f"{path}: exists in the base {base.version}: change "
                       "it with a patch, not with a file")
    return owner, res


def compose(git, repo, base, patches=None, limit=None, merge=False, extra=()):
    """Make the commits in @git's object store; no ref or index is touched.

    @limit: stop after that many patches.  @merge: fall back to a three-way
    merge; needs the patches' pre-images in the object store.  @extra: more
    base files to have in the base commit.
    """
    patches = repo.patches if patches is None else patches
    owner, problems = ownership(repo, base, patches)
    if problems:
        more = f" (and {len(problems) - 1} more: pq check)" \
            if len(problems) > 1 else ""
        raise PqError(problems[0] + more)
    with scratch(git.gitdir) as temp:
        return _Run(git, repo, base, patches, owner, temp).go(
            len(patches) if limit is None else limit, merge, extra)


class _Run:
    """State of one composition."""

    def __init__(self, git, repo, base, patches, owner, temp):
        self.git, self.repo, self.base = git, repo, base
        self.patches, self.owner = patches, owner
        # An index of its own: the repository's index stays as it is.
        self.env = {"GIT_INDEX_FILE": os.path.join(temp, "index")}
        self.res = Result()
        self.have = set()
        self.staged = {}
        self.by_patch = {}
        for path, index in owner.items():
            self.by_patch.setdefault(index, []).append(path)

    def index(self, records):
        """Put (mode, blob, path) records into the index."""
        if records:
            data = "".join(f"{m} {s}\t{p}\0" for m, s, p in records)
            self.git("update-index", "-z", "--index-info", data=data,
                     env=self.env)

    def commit(self, parent, message, author, date, committed=None):
        tree = self.git("write-tree", env=self.env).strip()
        env = {"GIT_AUTHOR_NAME": author[0], "GIT_AUTHOR_EMAIL": author[1],
               "GIT_AUTHOR_DATE": date, "GIT_COMMITTER_NAME": IDENT_NAME,
               "GIT_COMMITTER_EMAIL": IDENT_EMAIL,
               "GIT_COMMITTER_DATE": committed or date}
        args = ["commit-tree", tree] + (["-p", parent] if parent else [])
        return self.git(*args, "-F", "-", data=message, env=env).strip()

    def base_commit(self, extra):
        paths = set(edit_paths(self.patches)) | set(extra)
        if FRAGMENT in self.owner:
            paths.add(FRAGMENT)
        records = []
        for path in sorted(paths):
            entry = self.base.entry(path)
            if entry is None:
                raise PqError(f"the base {self.base.version} has no {path}")
            records.append((entry[0], self.git.hash_data(entry[1]), path))
        self.index(records)
        return self.commit(
            None, f"{self.repo.lock.values['package']} {self.base.version}\n\n"
            "Only the files that the series changes.\n",
            (IDENT_NAME, IDENT_EMAIL), BASE_DATE)

    def go(self, limit, merge, extra):
        blobs = {}
        mine = [p for p in self.repo.new if p in self.owner]
        plain = [p for p in mine if self.repo.new[p][0] != "120000"]
        shas = self.git.hash_files(
            [os.path.join(self.repo.root, p) for p in plain])
        blobs.update(zip(plain, shas))
        for path in set(mine) - set(plain):
            blobs[path] = self.git.hash_data(self.repo.new[path][1])
        self.res.left = sorted(set(self.repo.new) - set(self.owner))
        if self.repo.fragment is not None and FRAGMENT not in self.owner:
            self.res.left.append(FRAGMENT)

        parent = self.res.base = self.res.tip = self.base_commit(extra)
        for index, patch in enumerate(self.patches[:limit]):
            if patch.diff:
                self.apply(index, patch, merge)
            records = []
            paths = self.by_patch.get(index, [])
            self.have.update(paths)
            for path in paths:
                if path == FRAGMENT:
                    text = maintainers(self.base, self.repo.fragment)
                    sha = self.git.hash_data(encode(text))
                    mode = self.base.entry(FRAGMENT)[0]
                    own = self.git.hash_data(encode(self.repo.fragment))
                    records.append((mode, sha, path))
                    self.res.new[path] = [own, sha]
                elif stage.is_staged(path):
                    self.staged[path] = None
                else:
                    records.append((self.repo.new[path][0], blobs[path], path))
                    self.res.new[path] = [blobs[path], blobs[path]]
            records += self.makefiles(blobs)
            self.index(records)
            stamp, zone = patch.when
            parent = self.commit(parent, patch.message, patch.author,
                                 f"{stamp} {zone}")
            self.res.commits.append((patch, parent))
            self.res.tip = parent
        return self.res

    def makefiles(self, blobs):
        """Index records of the staged Makefiles that change at this step."""
        records = []
        for path, last in self.staged.items():
            mode, data = self.repo.new[path]
            text = data.decode("utf-8", "surrogateescape")
            text = stage.emit(path, text, self.exists)
            if text != last:
                self.staged[path] = text
                sha = self.git.hash_data(encode(text))
                records.append((mode, sha, path))
                self.res.new[path] = [blobs[path], sha]
        return records

    def exists(self, path):
        return path in self.have or self.base.has(path)

    def apply(self, index, patch, merge):
        args = ("apply", "--cached", "--verbose", "--whitespace=nowarn", "-")
        before = self.git("write-tree", env=self.env).strip()
        code, _, err = self.git.try_(*args, data=patch.diff, env=self.env)
        drift = []
        path = "?"
        for line in err.split("\n"):
            if line.startswith("Checking patch "):
                path = line[len("Checking patch "):].rstrip(".")
            got = _DRIFT.match(line)
            if got:
                drift.append(f"{patch.name}: {path} hunk {got.group(1)} is "
                             f"off by {got.group(2)} lines")
        if not code and not drift:
            return
        if merge:
            self.git("read-tree", before, env=self.env)
            code, _, err3 = self.git.try_("apply", "--3way", *args[1:],
                                          data=patch.diff, env=self.env)
            if not code:
                # Without the pre-images git only tries the plain way again.
                if "Falling back to direct application" in err3:
                    self.res.drift += drift
                else:
                    self.res.merged.append(patch.name)
                return
            err = err3
        if code:
            where = re.search(r"(?:patch failed: |U )(\S+)", err) or \
                re.search(r"error: (\S+): ", err)
            raise Conflict(
                f"{patch.name} does not apply to {self.base.version}"
                + (f": conflict in {where.group(1)}" if where else ""),
                index, self.res)
        self.res.drift += drift
