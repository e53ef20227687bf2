# SPDX-License-Identifier: GPL-2.0
"""From commits back to patch files and NEW files."""
import dataclasses
import hashlib
import os
import re

from . import mail, stage
from .base import added_entries
from .repo import FRAGMENT, REPO_OWNED, Lock, claims, in_kernel
from .util import Git, PqError, blob_id, DIFF_OPTS, decode, \
    encode, read_entry, remove_entry, write_entry

# Files so repetitive that three lines of context do not say where a hunk
# belongs.
_WIDE = ("drivers/pci/pci.c", "drivers/pci/quirks.c")


@dataclasses.dataclass
class Plan:
    """What saving would do: path in the repository -> (mode, bytes), or
    None to remove it; and what to note about the tree: NEW files and
    patches as its commits have them."""
    changes: dict = dataclasses.field(default_factory=dict)
    notices: list = dataclasses.field(default_factory=list)
    conflicts: list = dataclasses.field(default_factory=list)
    new: dict = dataclasses.field(default_factory=dict)
    series: list = dataclasses.field(default_factory=list)


@dataclasses.dataclass
class _Commit:
    """One commit, sorted into what is NEW and what is EDIT."""
    sha: str
    author: tuple
    when: tuple
    subject: str
    body: str
    edits: list
    added: list
    changed: list
    removed: list


def _read_commit(git, sha, parent, has):
    fields = git("log", "-1", "--date=raw",
                 "--format=%an%x00%ae%x00%ad%x00%B", sha).split("\0", 3)
    message = "\n".join(line.rstrip() for line in fields[3].split("\n"))
    subject, _, body = message.strip("\n").partition("\n\n")
    subject = subject.replace("\n", " ")
    stamp, zone = fields[2].split()
    res = _Commit(sha, (fields[0], fields[1]), (int(stamp), zone), subject,
                  body.strip("\n"), [], [], [], [])
    where = f"commit '{subject}'"
    if not subject:
        raise PqError(f"commit {sha[:12]} has no message")
    if re.match(r"(fixup|squash|amend)! ", subject):
        raise PqError(f"{where}: first git rebase -i --autosquash base-tag")
    if re.search(r"^(---|diff --git |diff -|Index: )", res.body, re.M):
        raise PqError(f"{where}: a line of its message would end the message "
                      "of a mail ('---' or 'diff ')")
    raw = decode(git.raw("diff-tree", "-r", "-z", "--raw", "--no-renames",
                         "--no-commit-id", parent, sha)).split("\0")
    for meta, path in zip(raw[0::2], raw[1::2]):
        status = meta.split(" ")[4]
        if path == FRAGMENT:
            res.added.append(path)
        elif has(path):
            res.edits.append(path)
        elif not in_kernel(path):
            raise PqError(f"{where}: {path} is not below a directory of the "
                          "kernel")
        elif status == "A":
            res.added.append(path)
        elif status == "D":
            res.removed.append(path)
        else:
            res.changed.append(path)
    return res


def _diff(git, commit, parent):
    """The commit's diff of existing files."""
    parts = {}
    for context, chosen in ((3, [p for p in commit.edits if p not in _WIDE]),
                            (5, [p for p in commit.edits if p in _WIDE])):
        if not chosen:
            continue
        text = decode(git.raw("diff-tree", "-p", "-r", "--no-commit-id",
                              f"-U{context}", *DIFF_OPTS, parent, commit.sha,
                              "--", *(":(literal)" + p for p in chosen)))
        for item in mail.split_diff(commit.subject, text):
            parts[item.path] = item.text
    return "".join(parts[p] for p in sorted(parts))


def _clean_in_git(repo, rel):
    """Whether the repository's git has exactly what the file holds now, so
    that overwriting it loses nothing."""
    if not os.path.exists(os.path.join(repo.root, ".git")):
        return False
    entry = read_entry(os.path.join(repo.root, rel))
    if entry is None:
        return True
    try:
        git = Git.open(repo.root)
        code, out, _ = git.try_("rev-parse", "--verify", "-q", "HEAD:" + rel)
    except PqError:
        return False
    return not code and out.strip() == blob_id(entry[1])


class Saver:
    """Work out what a branch means for the repository."""

    def __init__(self, git, repo, state, base=None, force=False,
                 root="base-tag", branch="refs/heads/pci", carry=True):
        self.git, self.repo, self.state = git, repo, state
        self.base, self.force = base, force
        self.root, self.tip = git.ref(root), git.ref(branch)
        self.carry = carry and not state.get("slim")
        self.plan = Plan()
        if not self.root:
            raise PqError(f"{git.worktree or git.gitdir} has no tag base-tag")
        if not self.tip:
            raise PqError(f"{git.worktree or git.gitdir} has no branch pci")
        self.root_tree = git.tree(self.root)
        self.tip_tree = git.tree(self.tip)

    def has(self, path):
        """Whether the base has @path."""
        if path in self.root_tree:
            return True
        if not self.state.get("slim"):
            return False
        if self.base.has(path):
            raise PqError(f"{path} is a file of the base that was added, not "
                          f"tracked: pq track {path} first")
        return False

    def commits(self):
        span = f"{self.root}..{self.tip}"
        if self.git("merge-base", self.root, self.tip).strip() != self.root:
            raise PqError("branch pci does not start at base-tag")
        if self.git("rev-list", "--min-parents=2", span).strip():
            raise PqError("there is a merge commit on branch pci")
        parent, res = self.root, []
        for sha in self.git("rev-list", "--reverse", span).split():
            res.append((parent, _read_commit(self.git, sha, parent, self.has)))
            parent = sha
        return res

    def make(self):
        """Fill in and return the plan."""
        commits = self.commits()
        # A file belongs to the commit that added it for the last time.
        home = {}
        for number, (_, commit) in enumerate(commits):
            for path in commit.added:
                if path == FRAGMENT:
                    home.setdefault(path, number)
                elif path in self.tip_tree:
                    home[path] = number
        new = {path: self.tip_tree[path] for path in home if path != FRAGMENT}
        fragment = self.fragment() if FRAGMENT in home else ""
        if not fragment:
            home.pop(FRAGMENT, None)

        kept = []
        for number, (parent, commit) in enumerate(commits):
            mine = sorted(p for p, n in home.items() if n == number)
            changed = [p for p in commit.changed + commit.added
                       if p in home and home[p] != number]
            if not mine and not commit.edits:
                if changed:
                    first = commits[home[changed[0]]][1].subject
                    self.plan.notices.append(
                        f"'{commit.subject}' only changes new files: dropped, "
                        f"its content goes into '{first}'")
                else:
                    self.plan.notices.append(
                        f"'{commit.subject}' leaves nothing: dropped")
                continue
            for path in changed:
                if not stage.is_staged(path) and path != FRAGMENT:
                    self.plan.notices.append(
                        f"'{commit.subject}': what it changes in {path} goes "
                        f"into '{commits[home[path]][1].subject}'")
            kept.append((parent, commit, mine))
        self.patches(kept, new)
        self.files(new, fragment)
        self.lock(kept)
        return self.plan

    def fragment(self):
        old, now = self.root_tree[FRAGMENT][1], self.tip_tree.get(FRAGMENT)
        if now is None:
            raise PqError("branch pci removes MAINTAINERS")
        data = self.git.blobs([old, now[1]])
        return added_entries(decode(data[old]), decode(data[now[1]]))

    # Patches -----------------------------------------------------------

    def patches(self, kept, new):
        old = list(self.repo.patches)
        spare = list(old)
        res, before = [], {}
        for parent, commit, mine in kept:
            match = next((p for p in spare if p.subject == commit.subject),
                         None)
            if match:
                spare.remove(match)
            patch = mail.Patch(
                name=match.name if match else "", author=commit.author,
                when=commit.when, subject=commit.subject, body=commit.body,
                diff=_diff(self.git, commit, parent))
            res.append((patch, match, mine))
        if self.carry:
            res = self.carry_over(old, spare, res)
        taken = {p.name for p in old} | set(self.repo.unlisted())
        folders = {}
        for number, (patch, match, _) in enumerate(res):
            for entry in match.new if match else ():
                if entry.endswith("/"):
                    folders[entry] = number
        for number, (_, match, mine) in enumerate(res):
            # Too many to list, and they come and go.
            if not match and REPO_OWNED not in folders and \
                    sum(p.startswith(REPO_OWNED) for p in mine) > 1:
                folders[REPO_OWNED] = number
        for number, (patch, match, mine) in enumerate(res):
            if not patch.name:
                patch.name = mail.file_name(patch.subject, taken)
                taken.add(patch.name)
            if mine is None:
                patch.new, patch.below = match.new, match.below
            else:
                patch.new = _entries(number, mine, folders)
            if match:
                patch.reuse(match)
            before[patch.name] = patch
            text = encode(patch.text())
            last = dict(self.state.get("series", ())).get(patch.name)
            sha = hashlib.sha256(text).hexdigest()
            self.plan.series.append([patch.name, sha])
            if match and last == sha and \
                    self.put("series/" + patch.name, text):
                # Only the file has changed since, the commit has not.
                del self.plan.changes["series/" + patch.name]
                self.plan.notices.append(
                    f"series/{patch.name}: kept, only the repository's copy "
                    "has changed")
            else:
                self.put("series/" + patch.name, text)
        for patch in old:
            if patch.name not in before:
                self.put("series/" + patch.name, None)
        self.order([p.name for p, _, _ in res])

    def carry_over(self, old, spare, res):
        """A full tree need not have the files that are worked on in the
        repository itself: keep the patches which do nothing but bring
        those."""
        known = self.state.get("new", {})
        for patch in spare:
            if patch.diff or not patch.new or not all(
                    p.startswith(REPO_OWNED) for p in patch.new):
                continue
            if any(k == p or k.startswith(p) for p in patch.new
                   for k in known):
                continue
            above = [p.name for p in old[:old.index(patch)]]
            at = max((n + 1 for n, (p, _, _) in enumerate(res)
                      if p.name in above), default=0)
            copy = dataclasses.replace(patch)
            res.insert(at, (copy, patch, None))
        return res

    def order(self, names):
        """Rewrite the order file, keeping its comments."""
        head, old, tail = self.repo.order()
        if [name for _, name in old] == names:
            return
        above = {name: comments for comments, name in old}
        out = list(head)
        for name in names:
            out += above.get(name, []) + [name]
        text = "\n".join(out + tail).rstrip("\n") + "\n"
        self.put("series/series", encode(text))

    # Files -------------------------------------------------------------

    def files(self, new, fragment):
        data = self.git.blobs([sha for _, sha in new.values()])
        state = self.state.get("new")
        for path, (mode, sha) in sorted(new.items()):
            self.one(path, mode, data[sha], sha, state)
        if fragment:
            sha = self.tip_tree[FRAGMENT][1]
            own = self.repo.fragment
            same = own is not None and \
                _blocks(own) == _blocks(fragment)
            if same:
                self.plan.new[FRAGMENT] = [blob_id(encode(own)), sha]
            else:
                self.one(FRAGMENT, "100644", encode(fragment), sha, state)
        gone = set()
        if state is not None:
            gone = set(state) - set(new) - ({FRAGMENT} if fragment else set())
        else:
            files = list(self.repo.new)
            if self.repo.fragment is not None:
                files.append(FRAGMENT)
            owner, _ = claims(self.repo.patches, files)
            gone = {p for p in owner if p not in new
                    and not (p == FRAGMENT and fragment)
                    and not p.startswith(REPO_OWNED)}
        for path in sorted(gone):
            full = os.path.join(self.repo.root, path)
            entry = read_entry(full)
            if entry is None:
                continue
            if path not in self.repo.new and path != FRAGMENT:
                continue        # ignored by git: not ours
            last = (state or {}).get(path)
            safe = blob_id(entry[1]) == last[0] if last else \
                _clean_in_git(self.repo, path)
            if safe or self.force:
                self.put(path, None)
            else:
                self.plan.conflicts.append(
                    f"{path}: the branch removes it, the repository's copy "
                    "has changed")

    def one(self, path, mode, data, sha, state):
        """A NEW file: who changed it since the last time decides."""
        full = os.path.join(self.repo.root, path)
        entry = read_entry(full)
        last = (state or {}).get(path)
        self.plan.new[path] = [blob_id(data), sha]
        if entry == (mode, data) or entry is None:
            if entry is None:
                self.put(path, data, mode)
            return
        own = blob_id(entry[1])
        if last and sha == last[1] and entry[1] != data:
            # Not changed in the tree.
            self.plan.new[path] = last
            if own != last[0]:
                self.plan.notices.append(
                    f"{path}: kept, only the repository's copy has changed")
            if mode != entry[0]:
                self.put(path, entry[1], mode)
            return
        safe = own == last[0] if last else _clean_in_git(self.repo, path)
        if safe or self.force or entry[1] == data:
            self.put(path, data, mode)
        else:
            self.plan.conflicts.append(
                f"{path}: differs in the branch and in the repository, whose "
                "copy is not saved elsewhere")

    def put(self, rel, data, mode="100644"):
        """Note a change of the repository; return whether it is one."""
        now = read_entry(os.path.join(self.repo.root, rel))
        if data is None:
            if now is None:
                return False
            self.plan.changes[rel] = None
        elif now is None or now[1] != data or (
                mode != now[0] and not rel.startswith("series/")):
            self.plan.changes[rel] = (mode, data)
        else:
            return False
        return True

    # base.lock ---------------------------------------------------------

    def lock(self, kept):
        lock = self.repo.lock
        paths = sorted({p for _, c, _ in kept for p in c.edits})
        data = self.git.blobs([self.root_tree[p][1] for p in paths])
        touched = {p: hashlib.sha256(data[self.root_tree[p][1]]).hexdigest()
                   for p in paths}
        pin = self.state.get("pin")
        if pin is None:
            for path, sha in touched.items():
                if lock.touched.get(path, sha) != sha:
                    raise PqError(f"base-tag's {path} is not what base.lock "
                                  f"pins for {lock.version}")
        values = dict(lock.values, **(pin or {}))
        if values != lock.values or touched != lock.touched:
            self.put("series/base.lock", encode(Lock(values, touched).text()))


def _blocks(text):
    return [b for b in re.split(r"\n\s*\n", text.strip("\n")) if b]


def _entries(number, mine, folders):
    """New: entries for the files @mine of patch @number: a directory it
    named before stands for what is below it."""
    res = set()
    for path in mine:
        key = path
        while "/" in key.rstrip("/"):
            key = key.rstrip("/").rpartition("/")[0] + "/"
            if key in folders:
                break
        res.add(key if folders.get(key) == number else path)
    return sorted(res)


def check_series(repo, state, plan):
    """Refuse to lose changes of the patch files made in the repository."""
    touched = [p for p in plan.changes
               if p.startswith("series/") and p != "series/base.lock"]
    if not touched:
        return
    lost = []
    if "series" in state:
        before, now = dict(state["series"]), dict(repo.digest())
        order = [n for n, _ in state["series"] if n in now]
        if order != [n for n in now if n in before]:
            lost.append("the order of series/series")
        for name in sorted(set(before) | set(now)):
            if before.get(name) != now.get(name) and (
                    f"series/{name}" in touched):
                lost.append(f"series/{name}")
    else:
        lost = [p for p in touched
                if os.path.exists(os.path.join(repo.root, p))
                and p != "series/series" and not _clean_in_git(repo, p)]
    if lost:
        raise PqError(
            f"{lost[0]} has changed since this tree was composed or saved: "
            "commit it and compose again, or save --force to take the "
            "tree's commits")


def write(repo, plan):
    """Carry out a plan: files first, the order file last."""
    def rank(rel):
        return (rel == "series/series", plan.changes[rel] is None,
                rel.startswith("series/"), rel)

    order = sorted(plan.changes, key=rank)
    for rel in order:
        change = plan.changes[rel]
        full = os.path.join(repo.root, rel)
        if change is None:
            remove_entry(full, repo.root)
        else:
            write_entry(full, *change)
