# SPDX-License-Identifier: GPL-2.0
"""The command line."""
import argparse
import os
import shutil
import sys

from . import base as bases
from . import check as checks
from . import rebase as rebases
from . import save as saves
from . import tree
from .commits import Conflict, compose
from .export import export
from .repo import Repo
from .util import Git, PqError, UsageError, locked, say, scratch, warn

HOME = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))


class Parser(argparse.ArgumentParser):
    """One line per error, as everywhere else."""

    def error(self, message):
        raise UsageError(f"{message} (see {self.prog} --help)")


def show(path):
    """A path as short as it can be written."""
    try:
        rel = os.path.relpath(path)
    except OSError:
        return path
    return path if rel.startswith("..") else rel


def plural(count, what):
    return f"{count} {what}" + ("" if count == 1 else
                                "es" if what.endswith("ch") else "s")


def tree_dir(repo, args):
    return os.path.abspath(args.dir) if args.dir \
        else os.path.join(repo.build, "linux")


def open_tree(path):
    if not os.path.isdir(path):
        raise PqError(f"{show(path)} does not exist: pq compose first")
    git = Git.open(path)
    return git, tree.read_state(git)


def base_of(repo, state):
    """The base a tree was composed on, as it is unpacked now."""
    return bases.unpacked(repo, state["base_version"]) \
        if state.get("base_version") else None


# compose -------------------------------------------------------------------

def compose_on(git, repo, base, limit=None, extra=()):
    """Compose on @base, which may be another version than the pinned one."""
    lock = repo.lock
    drift = base.drift(lock)
    if base.version == lock.version:
        if drift:
            raise PqError(f"base.lock: {drift[0]} of {base.version} is not "
                          "what is pinned: pq check")
        return compose(git, repo, base, limit=limit, extra=extra)
    try:
        merge = False
        pinned = bases.unpacked(repo, lock.version)
        if pinned and drift:
            # Its files are the pre-images that a three-way merge needs.
            compose(git, repo, pinned)
            merge = True
        res = compose(git, repo, base, limit=limit, merge=merge, extra=extra)
    except Conflict as err:
        raise PqError(f"base {base.version} instead of the pinned "
                      f"{lock.version}: {err}; install "
                      f"{lock.values['package']}={lock.version} or run pq "
                      f"rebase {base.version}") from None
    how = "none of the files that the series changes differs"
    if drift:
        how = (f"{len(drift)} of {len(lock.touched)} changed files differ, "
               f"no conflict ({len(res.drift)} hunks moved, "
               f"{plural(len(res.merged), 'patch')} merged)")
    say(f"pq: base {base.version} instead of the pinned {lock.version}: {how}")
    res.drift = []
    return res


def cmd_compose(args):
    repo = Repo(args.repo)
    path = tree_dir(repo, args)
    if args.count is not None and \
            not 0 <= args.count <= len(repo.patches):
        raise UsageError(f"-n {args.count}: the series has "
                         f"{plural(len(repo.patches), 'patch')}")
    with locked(os.path.join(repo.build, ".pq.lock")):
        return _compose(args, repo, path)


def _compose(args, repo, path):
    git, state = None, {}
    if os.path.isdir(path) and os.listdir(path):
        if not os.path.exists(os.path.join(path, ".git")):
            raise PqError(f"{show(path)} exists and is not a tree of pq")
        git, state = open_tree(path)
        if not state.get("slim") or state.get("pin"):
            raise PqError(f"{show(path)} exists and is not a tree of pq "
                          "compose")
    base = bases.get(repo, args.base_version, args.tarball,
                     download=args.base_version is not None)
    again = git is None or (state.get("base_version"),
                            state.get("base_sha256")) != (base.version,
                                                          base.sha256)
    if git:
        reasons = tree.unsaved(git, state, base_of(repo, state), again)
        if reasons and args.keep:
            say(f"pq: {show(path)} is kept as it is: {reasons[0]}")
            return 0
        if reasons and not args.force:
            more = f" (and {len(reasons) - 1} more)" if reasons[1:] else ""
            raise PqError(f"{show(path)}: {reasons[0]}{more}: pq save, or "
                          "compose --keep or --force")
        if reasons and not again:
            tree.keep_aside(git)
            for name in ("rebase-merge", "rebase-apply", "sequencer"):
                shutil.rmtree(os.path.join(git.gitdir, name),
                              ignore_errors=True)
            for name in ("CHERRY_PICK_HEAD", "MERGE_HEAD", "REVERT_HEAD",
                         "BISECT_LOG"):
                if os.path.exists(os.path.join(git.gitdir, name)):
                    os.unlink(os.path.join(git.gitdir, name))
            for name in tree.stray(git, base):
                mode, data = base.entry(name)
                tree.write_entry(os.path.join(path, name), mode, data)

    old = None
    if again:
        with scratch(repo.build) as work:
            # Whether it applies at all, before gigabytes are copied.
            compose_on(Git.init(os.path.join(work, "git")), repo, base,
                       args.count)
        temp = tree.fresh(path, base)
        git = Git.open(temp)
        res = compose_quietly(git, repo, base, args.count)
    else:
        temp = None
        res = compose_on(git, repo, base, args.count)
    try:
        if not again:
            tree.write_state(git, dict(state, composing=res.tip))
        count = tree.checkout(git, res, base)
        tree.write_state(git, {
            "slim": True, "base_version": base.version,
            "base_sha256": base.sha256, "tip": res.tip,
            "count": len(res.commits), "total": len(repo.patches),
            "series": repo.digest(), "new": res.new})
        if temp:
            if os.path.isdir(path):
                old = temp + ".old"
                os.rename(path, old)
            os.rename(temp, path)
            git = Git.open(path)
            git.try_("update-index", "-q", "--refresh")
    finally:
        if temp:
            shutil.rmtree(temp, ignore_errors=True)
        if old:
            shutil.rmtree(old, ignore_errors=True)
    if base.version == repo.lock.version:
        for line in res.drift:
            warn(line)
    for name in res.left:
        warn(f"{name}: no patch has a New: line for it, left out")
    of = f" of {len(repo.patches)}" if len(res.commits) < len(repo.patches) \
        else ""
    say(f"pq: {show(path)}: {len(res.commits)}{of} patches on {base.version},"
        f" tip {res.tip[:12]}, {plural(count, 'file')} written")
    return 0


def compose_quietly(git, repo, base, limit):
    """The second composition of a run: all has been said."""
    merge = False
    if base.version != repo.lock.version:
        pinned = bases.unpacked(repo, repo.lock.version)
        if pinned and base.drift(repo.lock):
            compose(git, repo, pinned)
            merge = True
    return compose(git, repo, base, limit=limit, merge=merge)


# save ----------------------------------------------------------------------

def cmd_save(args):
    repo = Repo(args.repo)
    path = tree_dir(repo, args)
    with locked(os.path.join(repo.build, ".pq.lock")):
        git, state = open_tree(path)
        return save_tree(repo, git, state, args.force)


def save_tree(repo, git, state, force):
    path = git.worktree
    what = tree.in_progress(git)
    if what:
        raise PqError(f"{show(path)}: a {what} is in progress")
    base = base_of(repo, state)
    if state.get("slim"):
        if state["count"] != state["total"]:
            raise PqError(f"{show(path)} was composed with -n "
                          f"{state['count']}: compose the whole series to "
                          "change it")
        if not state.get("pin") and \
                state["base_version"] != repo.lock.version:
            raise PqError(f"{show(path)} is on {state['base_version']}, "
                          f"base.lock pins {repo.lock.version}: pq rebase")
        if base is None:
            raise PqError(f"the base {state['base_version']} is not unpacked "
                          "any more: pq compose elsewhere first")
    head = git.try_("symbolic-ref", "-q", "HEAD")[1].strip()
    if head != "refs/heads/pci":
        warn(f"{show(path)} is not on its branch pci, which is what is saved")
    else:
        for name in tree.dirty(git) if state.get("slim") else \
                git("diff", "--name-only", "HEAD").split("\n"):
            if name:
                warn(f"not committed, so not saved: {name}")
    if state.get("slim") and not state.get("pin"):
        edited = tree.stray(git, base)
        if edited and not force:
            raise PqError(f"{edited[0]} is edited, but not tracked: pq track "
                          f"{edited[0]} and commit it, or save --force")
    if not state.get("pin"):
        for name in tree.forgotten(git, base):
            warn(f"not added, so not saved: {name} (git add -f {name})")
    plan = saves.Saver(git, repo, state, base, force).make()
    if plan.conflicts:
        for line in plan.conflicts[1:]:
            warn(line)
        raise PqError(f"{plan.conflicts[0]}: nothing saved; save --force "
                      "takes the branch's")
    if not force:
        saves.check_series(repo, state, plan)
    saves.write(repo, plan)
    for line in plan.notices:
        say(f"pq: {line}")
    for rel in sorted(plan.changes):
        say(f"  {'removed' if plan.changes[rel] is None else 'wrote'} {rel}")
    count = len(plan.series)
    tree.write_state(git, dict(
        state, tip=git.ref("refs/heads/pci"), series=plan.series,
        new=plan.new, count=count, total=count))
    say(f"pq: saved {plural(count, 'patch')}, "
        + (f"{plural(len(plan.changes), 'file')} changed" if plan.changes
           else "nothing changed"))
    return 0


# the rest ------------------------------------------------------------------

def cmd_base(args):
    repo = Repo(args.repo)
    with locked(os.path.join(repo.build, ".pq.lock")):
        say(bases.get(repo).dir)
    return 0


def cmd_check(args):
    repo = Repo(args.repo)
    with locked(os.path.join(repo.build, ".pq.lock")):
        base = bases.get(repo, args.base_version)
        if base.version != repo.lock.version:
            say(f"pq: checking on {base.version} instead of the pinned "
                f"{repo.lock.version}")
        findings, notices = checks.check(repo, base)
    for line in notices:
        say(f"note: {line}")
    for line in findings:
        say(line)
    say(f"pq check: {len(findings)} findings")
    return 1 if findings else 0


def cmd_export(args):
    repo = Repo(args.repo)
    out = os.path.abspath(args.out) if args.out \
        else os.path.join(repo.build, "series")
    with locked(os.path.join(repo.build, ".pq.lock")):
        base = bases.get(repo)
        if base.version != repo.lock.version and base.drift(repo.lock):
            raise PqError(f"the pinned base {repo.lock.version} is needed to "
                          f"export, {base.version} is here: pq rebase")
        res = export(repo, base, out)
    for line in res.drift:
        warn(line)
    say(f"pq: {plural(len(res.commits), 'patch')} and a cover letter in "
        f"{show(out)}")
    return 0


def cmd_rebase(args):
    repo = Repo(args.repo)
    with locked(os.path.join(repo.build, ".pq.lock")):
        git, state = rebases.rebase(repo, args.version, args.tarball,
                                    args.save, args.force)
        rebases.summary(git)
        if args.save:
            return save_tree(repo, git, state, args.force)
    say(f"pq: result in {show(git.worktree)}; pq rebase {args.version} "
        "--save takes it")
    return 0


def cmd_track(args):
    repo = Repo(args.repo)
    with locked(os.path.join(repo.build, ".pq.lock")):
        git, state = open_tree(tree_dir(repo, args))
        base = base_of(repo, state)
        if base is None:
            raise PqError(f"{show(git.worktree)} is not a tree of pq compose,"
                          " or its base is gone")
        paths = []
        for path in args.path:
            full = os.path.abspath(path)
            inside = os.path.realpath(git.worktree) + os.sep
            if not base.has(path) and \
                    os.path.realpath(full).startswith(inside):
                path = os.path.realpath(full)[len(inside):]
            paths.append(os.path.normpath(path))
        tree.track(git, state, base, paths)
    return 0


def cmd_status(args):
    repo = Repo(args.repo)
    lock = repo.lock
    have = bases.unpacked(repo, lock.version)
    say(f"base    {lock.values['package']} {lock.version}, "
        + ("unpacked" if have else "not unpacked"))
    edits = sum(p.diff.count("\ndiff --git ") + p.diff.startswith("diff")
                for p in repo.patches)
    say(f"series  {plural(len(repo.patches), 'patch')}, "
        f"{plural(len(repo.new), 'new file')}, {plural(edits, 'edit')} of "
        f"{plural(len(lock.touched), 'base file')}")
    path = tree_dir(repo, args)
    if not os.path.isdir(path):
        say(f"tree    {show(path)}: not composed")
        return 0
    git, state = open_tree(path)
    if not state.get("slim"):
        same = state.get("tip") == git.ref("refs/heads/pci")
        say(f"tree    {show(path)}: a full tree, branch pci is "
            + ("saved" if same else "not saved"))
        return 0
    base = base_of(repo, state)
    say(f"tree    {show(path)}: {state['count']} of {state['total']} patches "
        f"on {state['base_version']}")
    reasons = tree.unsaved(git, state, base)
    for line in reasons:
        say(f"        {line}")
    if base:
        for name in tree.forgotten(git, base):
            say(f"        new, but not added: {name} (git add -f {name})")
    if state.get("series") != repo.digest():
        say("        series/ has changed since")
    elif not reasons:
        say("        no unsaved work")
    return 0


def parser():
    top = Parser(prog="pq", description="A kernel patch series as files: "
                 "make a tree of it, save what was changed there.")
    top.add_argument("--repo", default=HOME, help=argparse.SUPPRESS)
    subs = top.add_subparsers(dest="command", metavar="COMMAND")

    def command(name, func, text):
        sub = subs.add_parser(name, help=text, description=text)
        sub.set_defaults(func=func)
        return sub

    sub = command("compose", cmd_compose,
                  "make a buildable tree of base and series")
    how = sub.add_mutually_exclusive_group()
    how.add_argument("--keep", action="store_true",
                     help="leave a tree with unsaved work as it is")
    how.add_argument("--force", action="store_true",
                     help="overwrite unsaved work")
    sub.add_argument("-n", dest="count", type=int, metavar="K",
                     help="only the first K patches")
    sub.add_argument("--base-version", metavar="V",
                     help="another version of the base; apt may fetch it")
    sub.add_argument("--tarball", help="the base's source archive")
    sub.add_argument("dir", nargs="?", metavar="DIR",
                     help="default: build/linux")

    command("base", cmd_base,
            "unpack the base if it is not; its directory is the last line")

    sub = command("save", cmd_save, "take a tree's commits into the series")
    sub.add_argument("--force", action="store_true",
                     help="the commits win over changes made here")
    sub.add_argument("dir", nargs="?", metavar="DIR",
                     help="a composed or a full tree; default: build/linux")

    sub = command("check", cmd_check, "check the series")
    sub.add_argument("--base-version", metavar="V",
                     help="against another version that is unpacked")

    sub = command("export", cmd_export, "write the series as mails")
    sub.add_argument("out", nargs="?", metavar="OUT",
                     help="default: build/series")

    sub = command("rebase", cmd_rebase,
                  "merge the series onto another version of the base")
    sub.add_argument("version", metavar="VERSION")
    sub.add_argument("--tarball", help="its source archive")
    sub.add_argument("--save", action="store_true",
                     help="save the result and pin the new base")
    sub.add_argument("--force", action="store_true",
                     help="start over in spite of unsaved work")

    sub = command("track", cmd_track,
                  "let base files be edited in a composed tree")
    sub.add_argument("--dir", help="default: build/linux")
    sub.add_argument("path", nargs="+", metavar="PATH")

    sub = command("status", cmd_status, "what is composed and what unsaved")
    sub.add_argument("dir", nargs="?", metavar="DIR")
    return top


def main(argv):
    os.umask(0o022)
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.reconfigure(errors="backslashreplace")
    try:
        top = parser()
        args = top.parse_args(argv)
        if not args.command:
            raise UsageError("no command given (see pq --help)")
        args.repo = os.path.abspath(args.repo)
        return args.func(args)
    except PqError as err:
        warn(str(err))
        return err.code
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 1
    except OSError as err:
        warn(f"{err.filename or ''}: {err.strerror or err}".lstrip(": "))
        return 1
    except KeyboardInterrupt:
        warn("interrupted")
        return 130
