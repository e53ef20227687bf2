# SPDX-License-Identifier: GPL-2.0
"""The patch files: one mail each, with New: lines below the cut."""
import dataclasses
import datetime
import email.utils
import re

from .util import PqError

_DIFF_START = re.compile(r"^diff --git ", re.M)
_NEW = re.compile(r"^New:[ \t]+(.*)$")


@dataclasses.dataclass
class Patch:
    """One patch of the series, as read from its file."""
    name: str
    author: tuple = ("", "")
    when: tuple = (0, "+0000")
    subject: str = ""
    body: str = ""
    new: list = dataclasses.field(default_factory=list)
    notes: str = ""
    diff: str = ""
    # The text of the header and of what stands between cut and diff.
    head: str = ""
    below: str = ""

    @property
    def message(self):
        return f"{self.subject}\n\n{self.body}\n" if self.body \
            else f"{self.subject}\n"

    def text(self):
        """The file's content."""
        head = self.head or (
            f"From: {self.author[0]} <{self.author[1]}>\n"
            f"Date: {mail_date(self.when)}\n"
            f"Subject: [PATCH] {self.subject}\n")
        below = self.below
        if not below:
            below = "".join(f"New: {p}\n" for p in self.new)
            if self.notes:
                below = self.notes + "\n\n" + below
            if self.diff:
                below = below.rstrip("\n") + "\n\n" if below else "\n"
        return f"{head}\n{self.body}\n---\n{below}{self.diff}"

    def reuse(self, old):
        """Keep the wording of @old's header and New: lines if they say the
        same, so that saving does not reformat what nobody changed."""
        self.notes = old.notes
        if (self.author, self.when, self.subject) == \
                (old.author, old.when, old.subject):
            self.head = old.head
        if sorted(self.new) == sorted(old.new) and \
                bool(self.diff) == bool(old.diff):
            self.new, self.below = old.new, old.below


def mail_date(when):
    """RFC 2822 date of (epoch, "+hhmm")."""
    stamp, zone = when
    sign = -1 if zone[0] == "-" else 1
    delta = sign * datetime.timedelta(hours=int(zone[1:3]),
                                      minutes=int(zone[3:5]))
    local = datetime.datetime.fromtimestamp(stamp, datetime.timezone(delta))
    return email.utils.format_datetime(local)


def parse_date(text):
    try:
        when = email.utils.parsedate_to_datetime(text)
    except (TypeError, ValueError):
        raise PqError(f"cannot read the date '{text}'") from None
    if when.tzinfo is None:
        when = when.replace(tzinfo=datetime.timezone.utc)
    return int(when.timestamp()), when.strftime("%z")[:5]


def parse(name, text):
    """Read a patch file's text."""
    head, sep, rest = text.partition("\n\n")
    if not sep:
        raise PqError(f"{name}: no message after the mail header")
    head += "\n"

    def header(key):
        got = re.search(rf"^{key}:[ \t]*(.*(?:\n[ \t].*)*)$", head, re.M)
        if not got:
            raise PqError(f"{name}: no {key}: line in the mail header")
        return re.sub(r"\n[ \t]+", " ", got.group(1)).strip()

    who = re.fullmatch(r"\"?(.*?)\"?\s*<([^<>]+)>", header("From"))
    if not who:
        raise PqError(f"{name}: From: is not 'Name <address>'")
    try:
        when = parse_date(header("Date"))
    except PqError as err:
        raise PqError(f"{name}: {err}") from None
    subject = re.sub(r"^(\[[^]]*\]\s*)+", "", header("Subject"))

    cut = re.search(r"^---$", rest, re.M)
    if not cut:
        raise PqError(f"{name}: no '---' line between message and patch")
    body, tail = rest[:cut.start()], rest[cut.end() + 1:]
    at = _DIFF_START.search(tail)
    diff = tail[at.start():] if at else ""
    below = tail[:at.start()] if at else tail
    diff = re.sub(r"\n-- \n[^\n]*\n*\Z", "\n", diff)
    if diff and not diff.endswith("\n"):
        diff += "\n"

    new, notes = [], []
    for line in below.split("\n"):
        got = _NEW.match(line)
        if got:
            new += got.group(1).split()
        else:
            notes.append(line)
    return Patch(name=name, author=who.groups(), when=when, subject=subject,
                 body=body.strip("\n"), new=new,
                 notes="\n".join(notes).strip("\n"), diff=diff, head=head,
                 below=below)


@dataclasses.dataclass
class FileDiff:
    """The part of a diff that changes one file."""
    path: str
    text: str
    creates: bool = False
    deletes: bool = False
    renames: bool = False


def split_diff(name, diff):
    """Split a diff into its files."""
    res = []
    starts = [m.start() for m in _DIFF_START.finditer(diff)] + [len(diff)]
    for begin, end in zip(starts, starts[1:]):
        text = diff[begin:end]
        meta = text.split("\n@@", 1)[0].split("\n")
        got = re.fullmatch(r"diff --git a/(.+) b/(.+)", meta[0])
        if not got:
            raise PqError(f"{name}: cannot read '{meta[0]}'")
        item = FileDiff(path=got.group(2), text=text)
        for line in meta[1:]:
            item.creates |= line.startswith("new file mode") or \
                line == "--- /dev/null"
            item.deletes |= line.startswith("deleted file mode")
            item.renames |= line.startswith(("rename ", "copy "))
        if got.group(1) != got.group(2):
            item.renames = True
        res.append(item)
    return res


def file_name(subject, taken):
    """A patch file name for @subject that is not in @taken."""
    slug = re.sub(r"[^a-z0-9]+", "-", subject.lower()).strip("-")
    if len(slug) > 60:
        slug = slug[:61].rsplit("-", 1)[0]
    slug = slug or "patch"
    name, count = slug + ".patch", 1
    while name in taken:
        count += 1
        name = f"{slug}-{count}.patch"
    return name
