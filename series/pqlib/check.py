# SPDX-License-Identifier: GPL-2.0
"""pq check: everything that must hold for the series as it is."""
import os
import re

from . import stage
from .commits import compose, edit_paths, ownership
from .repo import FRAGMENT
from .save import Saver
from .util import Git, PqError, scratch

WIDTH = 75
_AREA = r"[A-Za-z0-9_.,/+*-]+(?: [A-Za-z0-9_.,/+*-]+)?"
_SUBJECT = re.compile(rf"(?:{_AREA}: )+[A-Z][a-z]+\b.*[^.]")
_TRAILER = re.compile(r"[A-Z][A-Za-z-]+(-by|-to)?: \S")
_SIGNED = re.compile(r"Signed-off-by: (.*\S) <([^<>]+)>")
# "[    1.234567] pci 0000:00:01.0: ..." as the console prints it.
_CONSOLE = re.compile(r"\[ *\d+\.\d+\] ")


def message(patch):
    """Findings about a patch's subject and text."""
    res = []
    say = res.append
    if len(patch.subject) > WIDTH:
        say(f"subject has {len(patch.subject)} columns, at most {WIDTH}")
    if not _SUBJECT.fullmatch(patch.subject):
        say(f"subject is not 'area: Verb ...': {patch.subject}")
    lines = patch.body.split("\n")
    signed = [i for i, line in enumerate(lines) if _SIGNED.fullmatch(line)]
    first = len(lines)
    while first and _TRAILER.match(lines[first - 1]):
        first -= 1
    if not "".join(lines[:first]).strip():
        say("the message has no text")
    if not signed:
        say("no Signed-off-by")
    else:
        if signed[-1] != len(lines) - 1:
            say("Signed-off-by is not the last line")
        if not any(_SIGNED.fullmatch(lines[i]).group(2) == patch.author[1]
                   for i in signed):
            say(f"no Signed-off-by of its author <{patch.author[1]}>")
    for number, line in enumerate(lines):
        wide = len(line.expandtabs()) > WIDTH
        if wide and number < first and not line[:1].isspace() and \
                "://" not in line and not _CONSOLE.match(line):
            say(f"line {number + 1} of the message has {len(line)} columns, "
                f"at most {WIDTH}")
        if line != line.rstrip():
            say(f"line {number + 1} of the message ends in a space")
    return [f"{patch.name}: {text}" for text in res]


def check(repo, base):
    """(findings, notices) for the series on @base."""
    out, notices = [], []
    patches = repo.patches
    lock = repo.lock
    pinned = base.version == lock.version
    for patch in patches:
        out += message(patch)
        if not patch.diff and not patch.new:
            out.append(f"{patch.name}: changes nothing")
        if any(line.startswith("GIT binary patch")
               for line in patch.diff.split("\n")):
            out.append(f"{patch.name}: binary diff")
    for name in repo.unlisted():
        out.append(f"{name}: not in series/series")

    owner, problems = ownership(repo, base, patches)
    out += problems
    have = set(repo.new)
    for path in sorted(repo.new):
        if path not in owner:
            out.append(f"{path}: no patch has a New: line for it")
        if stage.is_staged(path):
            out += stage.problems(
                path, repo.new[path][1].decode("utf-8", "surrogateescape"),
                lambda p: p in have or base.has(p))
    if repo.fragment is not None and FRAGMENT not in owner:
        out.append("MAINTAINERS: no patch has a New: line for it")

    edits = edit_paths(patches)
    for path in edits:
        if path not in lock.touched and base.has(path):
            out.append(f"base.lock: no sha256 of {path}")
    for path in sorted(set(lock.touched) - set(edits)):
        out.append(f"base.lock: {path} is not changed by any patch")
    drifted = [p for p in base.drift(lock) if p in edits]
    for path in drifted:
        text = f"{path}: not the content that base.lock pins"
        (out if pinned else notices).append(text)

    if not problems:
        try:
            _compose(repo, base, pinned, out, notices, drifted)
        except PqError as err:
            out.append(str(err))
    return out, notices


def _compose(repo, base, pinned, out, notices, drifted):
    """Findings that need the commits."""
    tips = []
    with scratch(repo.build) as temp:
        for turn in ("one", "two"):
            git = Git.init(os.path.join(temp, turn))
            res = compose(git, repo, base)
            tips.append((res.base, res.tip))
        if tips[0] != tips[1]:
            out.append("composing twice gives different commits: "
                       f"{tips[0][1][:12]} and {tips[1][1][:12]}")
        for line in res.drift:
            (out if pinned else notices).append(line)
        if drifted or res.drift:
            # The diffs come out differently; that is one finding, not many.
            return
        state = {"slim": True, "new": res.new}
        plan = Saver(git, repo, state, base, root=res.base, branch=res.tip,
                     force=True).make()
        for notice in plan.notices:
            out.append(f"round trip: {notice}")
        for rel in sorted(plan.changes):
            what = "removes" if plan.changes[rel] is None else "changes"
            out.append(f"round trip: composing and saving {what} {rel}")
