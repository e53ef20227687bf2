# SPDX-License-Identifier: GPL-2.0
"""Errors, files and git in a controlled environment."""
import contextlib
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile

ATTRIBUTES = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                          "attributes")
IDENT_NAME = "pq"
IDENT_EMAIL = "pq@localhost"


class PqError(Exception):
    """Findings, conflicts, anything wrong with the data: exit code 1."""
    code = 1


class UsageError(PqError):
    """Wrong command line: exit code 2."""
    code = 2


def say(text):
    print(text, flush=True)


def warn(text):
    print(f"pq: {text}", file=sys.stderr, flush=True)


def clean_env():
    """The environment for every child: no git settings of the caller."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
    for key in ("LANGUAGE", "XDG_CONFIG_HOME", "EDITOR", "VISUAL", "PAGER",
                "EMAIL", "TAR_OPTIONS"):
        env.pop(key, None)
    env.update(LC_ALL="C", LANG="C", TZ="UTC",
               GIT_CONFIG_GLOBAL=os.devnull, GIT_CONFIG_NOSYSTEM="1",
               GIT_ATTR_NOSYSTEM="1", GIT_TERMINAL_PROMPT="0",
               GIT_EDITOR="true", GIT_SEQUENCE_EDITOR="true",
               GIT_PAGER="cat",
               GIT_AUTHOR_NAME=IDENT_NAME, GIT_AUTHOR_EMAIL=IDENT_EMAIL,
               GIT_COMMITTER_NAME=IDENT_NAME,
               GIT_COMMITTER_EMAIL=IDENT_EMAIL)
    env.setdefault("PATH", "/usr/local/bin:/usr/bin:/bin")
    return env


def run(cmd, **kw):
    """Run a command other than git; raise PqError with its last line."""
    kw.setdefault("stdin", subprocess.DEVNULL)
    try:
        res = subprocess.run(cmd, env=clean_env(), stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, check=False, **kw)
    except OSError as err:
        raise PqError(f"cannot run {cmd[0]}: {err.strerror}") from None
    if res.returncode:
        lines = os.fsdecode(res.stderr).strip().split("\n")
        raise PqError(f"{cmd[0]} failed: {lines[-1] or res.returncode}")
    return os.fsdecode(res.stdout)


_CONFIG = (
    "safe.directory=*", f"core.attributesFile={ATTRIBUTES}",
    f"core.excludesFile={os.devnull}", f"core.hooksPath={os.devnull}",
    "core.quotePath=false", "core.autocrlf=false", "core.fileMode=true",
    "core.whitespace=", "core.abbrev=12", "core.fsmonitor=false",
    "core.commentChar=#", "gc.auto=0", "color.ui=false",
    "commit.gpgSign=false", "merge.conflictStyle=merge",
    "rerere.enabled=false", "log.showSignature=false",
    "i18n.commitEncoding=UTF-8", "i18n.logOutputEncoding=UTF-8",
    "init.defaultBranch=pci", "advice.detachedHead=false",
)

# A diff must come out the same whatever the user's git is set to.
DIFF_OPTS = ("--full-index", "--no-renames", "--no-color", "--no-ext-diff",
             "--no-textconv", "--diff-algorithm=myers", "--indent-heuristic",
             "--inter-hunk-context=0", "--src-prefix=a/", "--dst-prefix=b/")


class Git:
    """One repository, reached by its git directory."""

    def __init__(self, gitdir, worktree=None):
        self.gitdir = os.path.abspath(gitdir)
        self.worktree = worktree and os.path.abspath(worktree)

    @classmethod
    def init(cls, gitdir, worktree=None):
        os.makedirs(gitdir, exist_ok=True)
        self = cls(gitdir, worktree)
        args = [] if worktree else ["--bare"]
        self("init", "-q", "--template=", "--object-format=sha1", *args)
        self("symbolic-ref", "HEAD", "refs/heads/pci")
        return self

    @classmethod
    def open(cls, path):
        """Find the repository whose working tree is exactly @path."""
        if not os.path.exists(os.path.join(path, ".git")):
            raise PqError(f"{path} is not a git tree")
        probe = cls(os.path.join(path, ".git"))
        probe.gitdir = None
        out = probe._run(("rev-parse", "--absolute-git-dir"), cwd=path).stdout
        return cls(os.fsdecode(out).strip(), path)

    def _run(self, args, data=None, env=None, cwd=None):
        full = clean_env()
        if self.gitdir:
            full["GIT_DIR"] = self.gitdir
        if self.worktree:
            full["GIT_WORK_TREE"] = self.worktree
        full.update(env or {})
        cmd = ["git"]
        for item in _CONFIG:
            cmd += ["-c", item]
        cmd += args
        kw = {"input": data} if data is not None else \
             {"stdin": subprocess.DEVNULL}
        try:
            return subprocess.run(cmd, env=full, stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, check=False,
                                  cwd=cwd or self.worktree or self.gitdir,
                                  **kw)
        except OSError as err:
            raise PqError(f"cannot run git: {err.strerror}") from None

    def try_(self, *args, data=None, env=None):
        """Run git; return (exit code, stdout, stderr) as text."""
        if isinstance(data, str):
            data = encode(data)
        res = self._run(args, data, env)
        return res.returncode, decode(res.stdout), decode(res.stderr)

    def __call__(self, *args, data=None, env=None):
        code, out, err = self.try_(*args, data=data, env=env)
        if code:
            lines = (err or out).strip().split("\n")
            raise PqError(f"git {args[0]}: {lines[0] or code}")
        return out

    def raw(self, *args):
        res = self._run(args)
        if res.returncode:
            raise PqError(f"git {args[0]}: "
                          + decode(res.stderr).strip().split("\n")[0])
        return res.stdout

    def ref(self, name):
        """Commit id of @name, or None."""
        code, out, _ = self.try_("rev-parse", "--verify", "-q",
                                 name + "^{commit}")
        return None if code else out.strip()

    def tree(self, treeish):
        """{path: (mode, blob id)} of a whole tree."""
        res = {}
        out = decode(self.raw("ls-tree", "-r", "-z", treeish))
        for rec in out.split("\0"):
            if rec:
                meta, path = rec.split("\t", 1)
                mode, _, sha = meta.split(" ")
                res[path] = (mode, sha)
        return res

    def blobs(self, ids):
        """{id: bytes} for many blobs in one process."""
        ids = list(dict.fromkeys(ids))
        if not ids:
            return {}
        out = self._run(("cat-file", "--batch"),
                        "".join(i + "\n" for i in ids).encode()).stdout
        res, pos = {}, 0
        for sha in ids:
            end = out.index(b"\n", pos)
            head = out[pos:end].split(b" ")
            if len(head) != 3:
                raise PqError(f"{self.gitdir}: object {sha} is missing")
            size = int(head[2])
            res[sha] = out[end + 1:end + 1 + size]
            pos = end + 2 + size
        return res

    def hash_data(self, data):
        return self("hash-object", "-w", "--stdin", "--no-filters",
                    data=data).strip()

    def hash_files(self, paths):
        """Store files by absolute path; return their blob ids in order."""
        if not paths:
            return []
        return self("hash-object", "-w", "--no-filters", "--stdin-paths",
                    data="".join(p + "\n" for p in paths)).split()


def decode(data):
    return data.decode("utf-8", "surrogateescape")


def encode(text):
    return text.encode("utf-8", "surrogateescape")


def blob_id(data):
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


def sha256_file(path):
    digest = hashlib.sha256()
    with open(path, "rb") as handle:
        while chunk := handle.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def read_entry(path):
    """(mode, bytes) of a file or symlink as git sees it, or None."""
    try:
        if os.path.islink(path):
            return "120000", os.fsencode(os.readlink(path))
        with open(path, "rb") as handle:
            data = handle.read()
            execute = os.fstat(handle.fileno()).st_mode & 0o100
        return "100755" if execute else "100644", data
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return None


def write_entry(path, mode, data):
    """Replace a file in one step; its parents are made as needed."""
    folder = os.path.dirname(path)
    os.makedirs(folder, exist_ok=True)
    if mode == "120000":
        temp = tempfile.mktemp(prefix=".pq-", dir=folder)
        os.symlink(os.fsdecode(data), temp)
    else:
        handle, temp = tempfile.mkstemp(prefix=".pq-", dir=folder)
        try:
            with os.fdopen(handle, "wb") as out:
                out.write(data)
            os.chmod(temp, 0o755 if mode == "100755" else 0o644)
        except BaseException:
            os.unlink(temp)
            raise
    try:
        os.replace(temp, path)
    except BaseException:
        os.unlink(temp)
        raise


def remove_entry(path, top):
    """Remove a file and the directories below @top that become empty."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)
    folder = os.path.dirname(path)
    while folder.startswith(top + os.sep):
        try:
            os.rmdir(folder)
        except OSError:
            break
        folder = os.path.dirname(folder)


@contextlib.contextmanager
def scratch(parent):
    """A directory under @parent that goes away again."""
    os.makedirs(parent, exist_ok=True)
    path = tempfile.mkdtemp(prefix=".pq-", dir=parent)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


@contextlib.contextmanager
def locked(path):
    """Hold a lock file, so that two runs do not write the same tree."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "a", encoding="ascii") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("pq: waiting for another pq to finish")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
