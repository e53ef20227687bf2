# SPDX-License-Identifier: GPL-2.0
"""pq export: the series as mails, with a cover letter."""
import os
import shutil
import tempfile

from .commits import compose
from .mail import mail_date
from .util import DIFF_OPTS, Git, PqError, decode, encode, scratch, \
    write_entry


def _cover(repo, base, git, res):
    """The cover letter: cover.txt, then who, what and how much."""
    try:
        text = decode(repo.read("series/cover.txt"))
    except FileNotFoundError:
        raise PqError("series/cover.txt is missing") from None
    head, _, body = text.partition("\n\n")
    subject = ""
    for line in head.split("\n"):
        if line.startswith("Subject:"):
            subject = line[len("Subject:"):].strip()
    if not subject:
        raise PqError("series/cover.txt does not begin with a Subject: line")
    count = len(res.commits)
    body = body.replace("@BASE@", f"{repo.lock.values['package']} "
                                  f"{base.version}")
    body = body.replace("@COUNT@", str(count)).strip("\n")
    span = f"{res.base}..{res.tip}"
    log = git("shortlog", "-w72,2,4", span).rstrip("\n")
    stat = git("diff", "--no-renames", "--stat=72", "--summary", res.base,
               res.tip).rstrip("\n")
    last = max((p for p, _ in res.commits), key=lambda p: p.when)
    digits = len(str(count))
    return (f"From {'0' * 40} Mon Sep 17 00:00:00 2001\n"
            f"From: {last.author[0]} <{last.author[1]}>\n"
            f"Date: {mail_date(last.when)}\n"
            f"Subject: [PATCH {'0' * digits}/{count}] {subject}\n"
            "MIME-Version: 1.0\n"
            "Content-Type: text/plain; charset=UTF-8\n"
            "Content-Transfer-Encoding: 8bit\n"
            f"\n{body}\n\n{log}\n\n{stat}\n")


def export(repo, base, out):
    """Write the mails into @out; return how many."""
    if not repo.patches:
        raise PqError("the series is empty")
    if os.path.isdir(out) and any(
            not n.endswith(".patch") for n in os.listdir(out)):
        raise PqError(f"{out} holds other files than patches")
    parent = os.path.dirname(os.path.abspath(out))
    os.makedirs(parent, exist_ok=True)
    temp = tempfile.mkdtemp(prefix=".pq-", dir=parent)
    try:
        os.chmod(temp, 0o755)
        with scratch(repo.build) as work:
            git = Git.init(os.path.join(work, "git"))
            res = compose(git, repo, base)
            git("format-patch", "-q", "--zero-commit", "--no-signature",
                "--numbered", "--no-thread", "--no-attach",
                "--start-number=1", "-o", temp, *DIFF_OPTS,
                f"{res.base}..{res.tip}")
            write_entry(os.path.join(temp, "0000-cover-letter.patch"),
                        "100644", encode(_cover(repo, base, git, res)))
        shutil.rmtree(out, ignore_errors=True)
        os.rename(temp, out)
    finally:
        shutil.rmtree(temp, ignore_errors=True)
    return res
