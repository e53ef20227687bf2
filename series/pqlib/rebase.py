# SPDX-License-Identifier: GPL-2.0
"""pq rebase: move the series to another version of the base."""
import os
import shutil
import tempfile

from . import base as bases
from . import tree
from .commits import Conflict, compose
from .util import Git, PqError, UsageError, say


def rebase(repo, version, tarball, save, force):
    """Three-way merge onto @version, in build/rebase-<version>."""
    path = os.path.join(repo.build, f"rebase-{version}")
    if os.path.isdir(path):
        git = Git.open(path)
        state = tree.read_state(git)
        what = tree.in_progress(git)
        moved = git.ref("refs/heads/pci") != state.get("tip")
        if save and moved:
            # Conflicts were resolved by hand since.
            return git, state
        if (what or moved or tree.dirty(git)) and not force:
            raise PqError(f"{os.path.relpath(path)} has unsaved work: finish "
                          "it and pq rebase --save, or --force to start over")
    lock = repo.lock
    if version == lock.version:
        raise UsageError(f"{version} is the pinned version")
    try:
        old = bases.get(repo, lock.version, download=True)
    except PqError as err:
        # Then there are no pre-images, and what applies has to do.
        say(f"pq: no three-way merge: {err}")
        old = None
    new = bases.get(repo, version, tarball, download=True)
    temp = tempfile.mkdtemp(prefix=".pq-", dir=repo.build)
    conflict = None
    try:
        os.chmod(temp, 0o755)
        git = tree.init_slim(temp)
        if old:
            before = compose(git, repo, old)
            git("update-ref", "refs/heads/pci-old", before.tip)
            git("update-ref", "refs/tags/base-old", before.base)
        try:
            res = compose(git, repo, new, merge=old is not None)
        except Conflict as err:
            if not old:
                raise
            conflict, res = err, err.result
        tree.checkout(git, res, new)
        state = {"slim": True, "base_version": version,
                 "base_sha256": new.sha256, "tip": res.tip,
                 "count": len(repo.patches), "total": len(repo.patches),
                 "series": repo.digest(),
                 "new": before.new if conflict else res.new,
                 "pin": {"version": version, "sha256": new.sha256}}
        tree.write_state(git, state)
        shutil.rmtree(path, ignore_errors=True)
        os.rename(temp, path)
    finally:
        shutil.rmtree(temp, ignore_errors=True)
    git = Git.open(path)
    if conflict:
        todo = [sha for _, sha in before.commits[conflict.index:]]
        code, _, _ = git.try_("cherry-pick", "--allow-empty",
                              "--keep-redundant-commits", *todo)
        if code:
            files = git("diff", "--name-only", "--diff-filter=U").split()
            raise PqError(
                f"{conflict}: resolve {' '.join(files) or 'it'} in {path}, "
                "git add, git cherry-pick --continue, then "
                f"pq rebase {version} --save")
    changed = new.drift(lock)
    say(f"pq: {len(changed)} of {len(lock.touched)} touched files differ "
        f"between {lock.version} and {version}")
    for name in res.drift:
        say(f"pq: {name}")
    return git, state


def summary(git):
    """One line per patch: what the rebase did to it."""
    if not git.ref("pci-old"):
        return
    out = git("range-diff", "--no-color", "-s", "base-old..pci-old",
              "base-tag..pci")
    lines = [line for line in out.split("\n") if line]
    same = sum(" = " in line for line in lines)
    for line in lines:
        say("  " + line)
    say(f"pq: {same} of {len(lines)} patches unchanged")
