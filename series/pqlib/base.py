# SPDX-License-Identifier: GPL-2.0
"""The base: the unpacked Debian kernel source, and its MAINTAINERS file."""
import hashlib
import json
import os
import re
import shutil
import subprocess
import tempfile

from .util import PqError, clean_env, decode, read_entry, run, say, \
    sha256_file, write_entry


class Base:
    """An unpacked base; never written to once it is there."""

    def __init__(self, version, path, sha256):
        self.version = version
        self.dir = path
        self.sha256 = sha256

    def has(self, path):
        return os.path.lexists(os.path.join(self.dir, path))

    def entry(self, path):
        """(mode, bytes) of a file, or None."""
        return read_entry(os.path.join(self.dir, path))

    def sha256_of(self, path):
        entry = self.entry(path)
        return hashlib.sha256(entry[1]).hexdigest() if entry else None

    def drift(self, lock):
        """Touched files that are not what @lock says."""
        return [path for path, sha in sorted(lock.touched.items())
                if self.sha256_of(path) != sha]


def _stamp(build, version):
    return os.path.join(build, f".base-{version}.json")


def unpacked(repo, version):
    """The base of @version if it is already unpacked."""
    path = os.path.join(repo.build, f"base-{version}")
    try:
        with open(_stamp(repo.build, version), encoding="ascii") as handle:
            stamp = json.load(handle)
        if os.path.isdir(path):
            return Base(version, path, stamp["sha256"])
    except (OSError, ValueError, KeyError):
        pass
    return None


def _installed_version(package):
    try:
        return run(["dpkg-query", "-W", "-f", "${Version}",
                    package]).strip() or None
    except PqError:
        return None


def _unpack(repo, version, tarball, sha256):
    """Unpack @tarball into build/base-<version>/ in one step."""
    path = os.path.join(repo.build, f"base-{version}")
    os.makedirs(repo.build, exist_ok=True)
    temp = tempfile.mkdtemp(prefix=".base-", dir=repo.build)
    say(f"pq: unpacking {version} into {os.path.relpath(path, repo.root)} "
        "(half a minute)")
    try:
        os.chmod(temp, 0o755)
        # The top directory of the archive goes; times stay.
        run(["tar", "-C", temp, "--strip-components=1", "--no-same-owner",
             "--no-same-permissions", "-xf", os.path.abspath(tarball)])
        if not os.path.exists(os.path.join(temp, "Makefile")):
            raise PqError(f"{tarball} does not hold a kernel source tree")
        shutil.rmtree(path, ignore_errors=True)
        os.rename(temp, path)
    finally:
        shutil.rmtree(temp, ignore_errors=True)
    stamp = json.dumps({"version": version, "sha256": sha256})
    write_entry(_stamp(repo.build, version), "100644", stamp.encode())
    return Base(version, path, sha256)


def _download(repo, package, version):
    """Fetch one version of the package with apt; return its tarball."""
    folder = os.path.join(repo.build, "download")
    os.makedirs(folder, exist_ok=True)
    target = os.path.join(folder, f"{package}-{version}.tar.xz")
    if os.path.exists(target):
        return target
    say(f"pq: downloading {package}={version} with apt-get")
    temp = tempfile.mkdtemp(prefix=".deb-", dir=folder)
    try:
        os.chmod(temp, 0o755)
        try:
            run(["apt-get", "download", f"{package}={version}"], cwd=temp)
        except PqError as err:
            raise PqError(f"cannot get {package}={version} from apt "
                          f"({err})") from None
        debs = [f for f in os.listdir(temp) if f.endswith(".deb")]
        if len(debs) != 1:
            raise PqError(f"apt-get download brought no package for {version}")
        deb = os.path.join(temp, debs[0])
        member = f"./usr/src/{package}.tar.xz"
        with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", deb],
                              stdout=subprocess.PIPE, env=clean_env()) as dpkg:
            run(["tar", "-C", temp, "-x", member], stdin=dpkg.stdout)
            dpkg.stdout.close()
        os.rename(os.path.join(temp, member), target)
    finally:
        shutil.rmtree(temp, ignore_errors=True)
    return target


def get(repo, version=None, tarball=None, download=False):
    """Find or unpack a base.

    Without @version: the pinned one if it is here, otherwise whatever the
    installed package holds.  A named version may come from @tarball, the
    installed package or, with @download, from apt.
    """
    lock = repo.lock
    pinned = lock.version
    package = lock.values["package"]
    want = version or pinned
    if want == pinned and tarball is None:
        found = unpacked(repo, pinned)
        if found and found.sha256 == lock.values["sha256"]:
            return found
    elif tarball is None:
        found = unpacked(repo, want)
        if found:
            return found

    if tarball is not None:
        if not os.path.isfile(tarball):
            raise PqError(f"{tarball} is missing")
        sha = sha256_file(tarball)
        if want == pinned and sha != lock.values["sha256"]:
            raise PqError(f"{tarball} is not the pinned {pinned}: its sha256 "
                          "differs from base.lock")
        found = unpacked(repo, want)
        if found and found.sha256 == sha:
            return found
        return _unpack(repo, want, tarball, sha)

    installed = lock.values["tarball"]
    if os.path.isfile(installed):
        sha = sha256_file(installed)
        if sha == lock.values["sha256"]:
            if want == pinned:
                return _unpack(repo, pinned, installed, sha)
            have = pinned
        else:
            have = _installed_version(package) or f"sha256-{sha[:12]}"
            if have == pinned:
                # The package claims to be the pinned one, its content is not.
                if not download:
                    raise PqError(f"{installed} is not what base.lock pins "
                                  f"for {pinned}: its sha256 differs")
            elif want == have or (version is None and not download):
                found = unpacked(repo, have)
                if found and found.sha256 == sha:
                    return found
                return _unpack(repo, have, installed, sha)
    elif not download:
        raise PqError(f"{installed} is missing: "
                      f"apt-get install {package}={pinned} (or any newer)")
    if not download:
        raise PqError(f"base {want} is not here: {installed} holds {have}")
    path = _download(repo, package, want)
    sha = sha256_file(path)
    if want == pinned and sha != lock.values["sha256"]:
        raise PqError(f"the downloaded {want} is not what base.lock pins: "
                      "its sha256 differs")
    return _unpack(repo, want, path, sha)


# MAINTAINERS ---------------------------------------------------------------

_LIST_HEAD = "Maintainers List\n"
_LAST = "THE REST"


def paragraphs(text):
    """Blocks of text between blank lines."""
    return [p.strip("\n") for p in re.split(r"\n[ \t]*\n", text)
            if p.strip("\n")]


def _is_entry(block):
    lines = block.split("\n")
    return len(lines) > 1 and re.match(r"[A-Z]:\t", lines[1]) is not None


def add_entries(text, fragment):
    """Put the entries of @fragment into MAINTAINERS at their places.

    The list is meant to be sorted and is not quite, so an entry goes where
    the fewest existing titles are on the wrong side of it.
    """
    for block in paragraphs(fragment):
        text = _add_entry(text, block)
    return text


def _add_entry(text, block):
    if not _is_entry(block):
        raise PqError("MAINTAINERS: '%s' is not an entry"
                      % block.split("\n")[0])
    title = block.split("\n")[0]
    head = text.find(_LIST_HEAD)
    start = head + len(_LIST_HEAD) if head >= 0 else 0
    spots, titles = [], []
    for got in re.finditer(r"(?:\A|\n\n)(\S[^\n]*)\n(?=[A-Z]:\t)",
                           text[start:]):
        spots.append(start + got.start(1))
        titles.append(got.group(1))
        if got.group(1) == _LAST:
            break
    if not titles:
        raise PqError("the base's MAINTAINERS has no entries")
    if titles[-1] != _LAST:
        spots.append(len(text))
        titles.append(_LAST)
        if not text.endswith("\n\n"):
            text = text.rstrip("\n") + "\n\n"
            spots[-1] = len(text)
    body = titles[:-1]
    wrong = sum(t < title for t in body)
    best, place = wrong, 0
    for index, other in enumerate(body, 1):
        wrong += 1 if other > title else -1 if other < title else 0
        if wrong < best:
            best, place = wrong, index
    at = spots[place]
    out = text[:at] + block + "\n\n" + text[at:]
    return out.rstrip("\n") + "\n" if at == len(text) else out


def added_entries(old, new):
    """The inverse: what @new adds to @old, as a fragment.

    Fails if anything else of the file changed.
    """
    rest = paragraphs(new)
    count = {}
    for block in paragraphs(old):
        count[block] = count.get(block, 0) + 1
    added = []
    for block in rest:
        if count.get(block):
            count[block] -= 1
        else:
            added.append(block)
    if any(count.values()) or not all(_is_entry(b) for b in added):
        raise PqError("MAINTAINERS: only added entries can be saved, the "
                      "existing ones must stay as they are")
    return "\n\n".join(added) + "\n" if added else ""


def maintainers(base, fragment):
    entry = base.entry("MAINTAINERS")
    if entry is None:
        raise PqError("the base has no MAINTAINERS")
    return add_entries(decode(entry[1]), fragment)
