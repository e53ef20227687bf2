# SPDX-License-Identifier: GPL-2.0
"""NEW Makefiles in the middle of the series.

A NEW file appears in its final form, but a Makefile that names objects of
later patches would not build.  So each step gets the Makefile with only the
lines whose source exists by then; that asks for one object per line.
"""
import os
import re

_LIST = re.compile(r"^([\w-]+?)-(y|m|objs|\$\([A-Za-z]\w*\))$")
_ASSIGN = re.compile(r"^\s*([^\s:+?=]+)\s*(?:\+=|:=|\?=|=)\s*(.*)$")
_PER_FILE = re.compile(r"^[A-Z][A-Z0-9_]*_([\w.-]+)\.o$")
_OBJECT = re.compile(r"^(?!-)([\w./-]+)\.o$")
_SUBDIR = re.compile(r"^(?!-)([\w./-]+)/$")
_SOURCES = (".c", ".S", ".rs")


def is_staged(path):
    """Makefiles below tools/ are user space's and not in Kbuild's terms."""
    return os.path.basename(path) in ("Makefile", "Kbuild") \
        and not path.startswith("tools/")


def _scan(text):
    """(line number, list name or None, objects, directories) of each
    assignment that names any."""
    res = []
    for number, line in enumerate(text.split("\n")):
        got = _ASSIGN.match(line.split("#")[0].rstrip())
        if not got:
            continue
        name, words = got.group(1), got.group(2).split()
        single = _PER_FILE.match(name)
        if single:
            res.append((number, None, [single.group(1)], []))
            continue
        of = _LIST.match(name)
        if not of:
            continue
        objects = [m.group(1) for m in map(_OBJECT.match, words) if m]
        folders = []
        if of.group(1) in ("obj", "lib", "subdir"):
            folders = [m.group(1) for m in map(_SUBDIR.match, words) if m]
        if objects or folders:
            res.append((number, of.group(1), objects, folders))
    return res


def dead_lines(path, text, exists):
    """Line numbers (from 0) whose source does not exist yet.

    @exists says whether a path is in the tree at this step.
    """
    here = os.path.dirname(path)
    lines = _scan(text)

    def has(rel):
        return exists(os.path.normpath(os.path.join(here, rel)))

    def alive(name, above=()):
        if any(has(name + ext) for ext in _SOURCES):
            return True
        return name not in above and any(
            alive(member, above + (name,))
            for _, of, members, _ in lines if of == name
            for member in members)

    dead = set()
    for number, _, objects, folders in lines:
        if not all(alive(o) for o in objects) or \
                not all(has(d + "/Makefile") or has(d + "/Kbuild")
                        for d in folders):
            dead.add(number)
    return dead


def emit(path, text, exists):
    """@text with only the lines whose source exists."""
    dead = dead_lines(path, text, exists)
    return "\n".join(line for number, line in enumerate(text.split("\n"))
                     if number not in dead)


def problems(path, text, exists):
    """What keeps @text from being staged, at the end of the series."""
    res = []
    lines = text.split("\n")
    for number, of, objects, folders in _scan(text):
        if of and len(objects) + len(folders) > 1:
            res.append(f"{path}:{number + 1}: more than one object on a line")
    for number, line in enumerate(lines):
        got = _ASSIGN.match(line)
        if got and _LIST.match(got.group(1)) and line.endswith("\\"):
            res.append(f"{path}:{number + 1}: list goes on in the next line")
    for number in sorted(dead_lines(path, text, exists)):
        res.append(f"{path}:{number + 1}: no source for "
                   f"'{lines[number].strip()}'")
    return res
