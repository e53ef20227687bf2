# SPDX-License-Identifier: GPL-2.0
"""The composed tree: a copy of the base with a slim repository in it."""
import json
import os
import re
import shutil
import tempfile

from .util import Git, PqError, blob_id, decode, encode, read_entry, \
    remove_entry, run, say, warn, write_entry

_SOURCE = re.compile(r"(\.(c|h|S|rst|ya?ml|sh|py|dts|dtsi|rs|txt|config)"
                     r"|/(Kconfig|Makefile|Kbuild|\.kunitconfig))$")
_MADE = re.compile(r"(\.mod\.c$|/\.pq-)")


def read_state(git):
    """What pq noted in a tree the last time, or {}."""
    try:
        with open(os.path.join(git.gitdir, "pq-state.json"),
                  encoding="utf-8", errors="surrogateescape") as handle:
            return json.load(handle)
    except FileNotFoundError:
        return {}
    except ValueError:
        raise PqError(f"{git.gitdir}/pq-state.json is damaged") from None


def write_state(git, state):
    text = json.dumps(state, indent=1, sort_keys=True) + "\n"
    write_entry(os.path.join(git.gitdir, "pq-state.json"), "100644",
                encode(text))


def in_progress(git):
    """Name of an unfinished git operation, or None."""
    for name, what in (("rebase-merge", "rebase"), ("rebase-apply", "rebase"),
                       ("CHERRY_PICK_HEAD", "cherry-pick"),
                       ("sequencer", "cherry-pick"), ("MERGE_HEAD", "merge"),
                       ("REVERT_HEAD", "revert"), ("BISECT_LOG", "bisect")):
        if os.path.exists(os.path.join(git.gitdir, name)):
            return what
    return None


def dirty(git, also=None):
    """Tracked files whose index or content differs from HEAD.

    Content that @also, another tree, has at that path is not counted: it
    comes from a compose that was interrupted.
    """
    head = git.tree("HEAD")
    index = {}
    for rec in decode(git.raw("ls-files", "-s", "-z")).split("\0"):
        if rec:
            meta, path = rec.split("\t", 1)
            mode, sha, _ = meta.split(" ")
            index[path] = (mode, sha)
    res = []
    for path in sorted(set(head) | set(index)):
        fine = [head.get(path)] + ([also.get(path)] if also else [])
        entry = read_entry(os.path.join(git.worktree, path))
        disk = (entry[0], blob_id(entry[1])) if entry else None
        if disk not in fine or index.get(path) not in fine:
            res.append(path)
    return res


def stray(git, base):
    """Base files of a slim tree that are edited, but not tracked."""
    tracked = set(git.tree("HEAD")) | set(git.tree("base-tag"))
    tracked.update(_indexed(git))
    edited = []

    def walk(rel):
        old = {}
        with os.scandir(os.path.join(base.dir, rel)) as scan:
            for item in scan:
                old[item.name] = item
        try:
            with os.scandir(os.path.join(git.worktree, rel)) as scan:
                now = {item.name: item for item in scan}
        except FileNotFoundError:
            now = {}
        for name, item in old.items():
            path = f"{rel}/{name}" if rel else name
            if item.is_dir(follow_symlinks=False):
                walk(path)
                continue
            if path in tracked:
                continue
            other = now.get(name)
            if other is None:
                edited.append(path)
                continue
            one = item.stat(follow_symlinks=False)
            two = other.stat(follow_symlinks=False)
            if (one.st_size, one.st_mtime_ns) != (two.st_size,
                                                  two.st_mtime_ns) and \
                    read_entry(item.path) != read_entry(other.path):
                edited.append(path)

    walk("")
    return sorted(edited)


def _indexed(git):
    return [p for p in decode(git.raw("ls-files", "-z")).split("\0") if p]


def forgotten(git, base=None):
    """New source files beside or below those that the branch changes which
    are not added.  Debian's .gitignore hides them from git status."""
    changed = decode(git.raw("diff-tree", "-r", "-z", "--name-only",
                             "--no-renames", "base-tag", "HEAD")).split("\0")
    tracked = set(_indexed(git)) | set(git.tree("base-tag"))
    res = set()
    for folder in {os.path.dirname(p) for p in changed} - {""}:
        for here, _, names in os.walk(os.path.join(git.worktree, folder)):
            for name in names:
                path = os.path.relpath(os.path.join(here, name), git.worktree)
                if path not in tracked and _SOURCE.search(path) and \
                        not _MADE.search(path) and \
                        not (base and base.has(path)):
                    res.add(path)
    return sorted(res)


def unsaved(git, state, base, everything=False):
    """Reasons, one line each, why the tree must not be overwritten.

    @everything: the other branches would go as well.
    """
    res = []
    what = in_progress(git)
    if what:
        res.append(f"a {what} is in progress")
    target = state.get("composing")
    known = {state.get("tip"), target}
    heads = {git.ref("HEAD"), git.ref("refs/heads/pci")} - {None}
    if everything:
        heads |= set(git("for-each-ref", "--format=%(objectname)",
                         "refs/heads").split())
    for sha in sorted(heads - known):
        title = git("log", "-1", "--format=%h %s", sha).strip()
        res.append(f"unsaved commit {title}")
    if git.ref("HEAD"):
        also = git.tree(target) if target and git.ref(target) else None
        res += [f"unsaved edit of {p}" for p in dirty(git, also)]
        if base is not None and os.path.isdir(base.dir):
            res += [f"edited, but not tracked: {p} (pq track {p})"
                    for p in stray(git, base)]
    return res


def keep_aside(git):
    """Make what --force throws away reachable: refs/pq/lost/*."""
    head = git.ref("refs/heads/pci") or git.ref("HEAD")
    if not head:
        return
    number = 1
    while git.ref(f"refs/pq/lost/{number}"):
        number += 1
    code, out, _ = git.try_("stash", "create")
    sha = out.strip() if not code and out.strip() else head
    git("update-ref", f"refs/pq/lost/{number}", sha)
    warn(f"what was there is kept as refs/pq/lost/{number}")


def fresh(path, base):
    """Make a tree at @path: the whole base and an empty repository.

    A full copy: no edit and no build can ever reach the base through it.
    """
    parent = os.path.dirname(os.path.abspath(path))
    os.makedirs(parent, exist_ok=True)
    say(f"pq: copying the base {base.version} to {path}")
    temp = tempfile.mkdtemp(prefix=".pq-", dir=parent)
    try:
        os.chmod(temp, 0o755)
        run(["cp", "-R", "-P", "--reflink=auto",
             "--preserve=mode,timestamps,links", base.dir + "/.", temp])
        init_slim(temp)
    except BaseException:
        shutil.rmtree(temp, ignore_errors=True)
        raise
    return temp


def init_slim(path):
    """A repository at @path that only ever sees what is added by name."""
    git = Git.init(os.path.join(path, ".git"), path)
    git("config", "status.showUntrackedFiles", "no")
    git("config", "gc.auto", "0")
    write_entry(os.path.join(git.gitdir, "info", "exclude"), "100644",
                b"# Every file, but no directory: git add of a tracked file\n"
                b"# works, git add -A does not add the whole kernel.  For\n"
                b"# others: git add -f PATH (new), pq track PATH (base's).\n"
                b"*\n!*/\n")
    return git


def checkout(git, result, base):
    """Bring the tree at @git to @result, writing only what differs.

    Unchanged files keep their times, so that a build in or beside the tree
    stays incremental.  Returns the number of files written or removed.
    """
    target = git.tree(result.tip)
    # The base commit of an earlier composition may know more base files.
    old = git.tree("HEAD") if git.ref("HEAD") else {}
    for path in _indexed(git):
        old.setdefault(path, None)
    todo = {}
    for path in sorted(set(old) | set(target)):
        entry = read_entry(os.path.join(git.worktree, path))
        disk = (entry[0], blob_id(entry[1])) if entry else None
        want = target.get(path)
        if want is None:
            want = base.entry(path)
            if want is not None:
                want = (want[0], blob_id(want[1]))
        if disk != want:
            todo[path] = want
    data = git.blobs([w[1] for p, w in todo.items() if w and p in target])
    for path, want in todo.items():
        full = os.path.join(git.worktree, path)
        if want is None:
            remove_entry(full, git.worktree)
        else:
            body = data[want[1]] if path in target else base.entry(path)[1]
            write_entry(full, want[0], body)
    git("symbolic-ref", "HEAD", "refs/heads/pci")
    git("update-ref", "refs/heads/pci", result.tip)
    git("update-ref", "refs/tags/base-tag", result.base)
    git("read-tree", result.tip)
    git.try_("update-index", "-q", "--refresh")
    return len(todo)


def track(git, state, base, paths):
    """Add base files to the base commit, so that they can be edited."""
    if not state.get("slim"):
        raise PqError(f"{git.worktree} is a full tree: it tracks everything")
    what = in_progress(git)
    if what:
        raise PqError(f"a {what} is in progress in {git.worktree}")
    if git("symbolic-ref", "-q", "HEAD").strip() != "refs/heads/pci":
        raise PqError(f"{git.worktree} is not on its branch pci")
    root = git.ref("base-tag")
    have = git.tree(root)
    add = {}
    for path in paths:
        entry = base.entry(path)
        if entry is None:
            raise PqError(f"{path} is not a file of the base: git add -f it "
                          "in the tree")
        if path in have:
            say(f"pq: {path} is tracked already")
        else:
            add[path] = (entry[0], git.hash_data(entry[1]))
    if not add:
        return
    tip = git.ref("refs/heads/pci")
    if git("rev-list", "--min-parents=2", f"{root}..{tip}").strip():
        raise PqError("there is a merge commit on the branch")
    mapped = {root: rewrite(git, root, None, add)}
    parent = mapped[root]
    for sha in git("rev-list", "--reverse", f"{root}..{tip}").split():
        parent = mapped[sha] = rewrite(git, sha, parent, add)
    for path, (mode, sha) in add.items():
        if not git("ls-files", "--", path):
            git("update-index", "--add", "--cacheinfo",
                f"{mode},{sha},{path}")
    git("update-ref", "-m", "pq track", "refs/heads/pci", parent, tip)
    git("update-ref", "refs/tags/base-tag", mapped[root])
    git.try_("update-index", "-q", "--refresh")
    if state.get("tip") in mapped:
        state["tip"] = mapped[state["tip"]]
    write_state(git, state)
    for path in add:
        say(f"pq: tracking {path}")


def rewrite(git, sha, parent, add):
    """A copy of a commit on @parent whose tree also has @add."""
    have = git.tree(sha)
    have.update({p: e for p, e in add.items() if p not in have})
    index = os.path.join(git.gitdir, "pq-index")
    env = {"GIT_INDEX_FILE": index}
    try:
        git("read-tree", "--empty", env=env)
        git("update-index", "-z", "--index-info", env=env,
            data="".join(f"{m} {s}\t{p}\0" for p, (m, s) in have.items()))
        tree = git("write-tree", env=env).strip()
    finally:
        if os.path.exists(index):
            os.unlink(index)
    fields = git("log", "-1", "--date=raw",
                 "--format=%an%x00%ae%x00%ad%x00%cn%x00%ce%x00%cd%x00%B",
                 sha).split("\0", 6)
    keys = ("GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_AUTHOR_DATE",
            "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL",
            "GIT_COMMITTER_DATE")
    args = ["-p", parent] if parent else []
    return git("commit-tree", tree, *args, "-F", "-",
               data=fields[6].rstrip("\n") + "\n",
               env=dict(zip(keys, fields))).strip()
