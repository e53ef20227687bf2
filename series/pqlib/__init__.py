# SPDX-License-Identifier: GPL-2.0
"""pq: a kernel patch series kept as ordinary files.

A path is NEW if the base (Debian's linux-source package) does not have it.
NEW files live in this repository at their kernel path; files of the base are
only ever changed by series/*.patch.  Each patch is a mail: header, message,
"---", "New: path" lines naming the NEW files that the patch brings, and a
diff of existing files.  series/series gives the order and series/base.lock
says which base the diffs were made against.

Commits are made with git plumbing in a slim repository which tracks only the
files the series touches, with fixed committer and dates, so that the same
series always gives the same commit ids.
"""
