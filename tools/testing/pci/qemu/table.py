#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Run the scenarios on the unpatched kernel and on the series; print a table.

Prints Markdown, one row per scenario and machine, for the README. Without
arguments the scenarios marked "compare" are run.

    table.py [--deep] [--base-kernel IMAGE] [--kernel IMAGE] [scenario...]
    table.py --from RUN_BASE RUN_SERIES     from two result directories
"""

import argparse
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from harness import config, machines                    # noqa: E402

WORDS = {"pass": "works", "fail": "**fails**", "xfail": "known", "xpass": "works",
         "skip": "skipped", None: "not run"}

# The longest name first: one may be the beginning of another.
MACHINE = re.compile("-(" + "|".join(sorted(machines.MACHINES, key=len, reverse=True))
                     + ")(?=-|$)")


def run(side, kernel, args):
    run_id = time.strftime("table-%Y%m%d-%H%M%S-") + f"{os.getpid()}-{side}"
    env = dict(os.environ, PCI_RUN_ID=run_id, PCI_KERNEL=str(kernel),
               BASE="1" if side == "base" else "0")
    cmd = [sys.executable, "-m", "pytest", "-q", "--tb=no", "-p", "no:warnings"]
    if args.deep:
        cmd.append("--deep")
    if args.scenario:
        cmd += ["-k", " or ".join(args.scenario)]
    else:
        cmd += ["-m", "compare"]
    print(f"running on {side}: {kernel}", file=sys.stderr, flush=True)
    subprocess.run(cmd, cwd=Path(__file__).resolve().parent, env=env, stdin=subprocess.DEVNULL,
                   stdout=sys.stderr)
    return config.results() / run_id


def load(directory):
    out = {}
    for path in Path(directory).glob("*/result.json"):
        result = json.loads(path.read_text())
        out[result["name"]] = result
    return out


def short(reason):
    """The heart of a failure's reason, fit for a table cell."""
    text = re.sub(r"^call: (?:harness\.\w+\.)?\w+: ", "", reason)
    text = re.sub(r"^while waiting for .*?, on the console", "on the console", text)
    text = re.sub(r"^on the console: \[ *[\d.]+\] ", "", text).splitlines()
    text = (text or [""])[0].split("; ")[0]
    text = text.replace("|", "\\|")
    return text if len(text) <= 90 else text[:87] + "..."


def verdict(results):
    """One cell for a scenario's results on several machines."""
    words = [WORDS[r and r["verdict"]] for r in results]
    if len(set(words)) == 1:
        return words[0]
    return ", ".join(f"{w} {words.count(w)} of {len(words)}" for w in dict.fromkeys(words))


def table(base, series):
    # Of a scenario that names no machine
    plain = machines.native(config.arch()) or machines.by_arch(config.arch())[0].name
    groups = {}
    for name in set(base) | set(series):
        result = series.get(name) or base[name]
        if result["compare"]:
            m = MACHINE.search(name)
            groups.setdefault(result["title"], []).append((m[1] if m else plain, name))
    rows = ["| scenario | machines | base | series | on the base |", "|---|---|---|---|---|"]
    for title in sorted(groups):
        members = sorted(groups[title])
        names = [name for _, name in members]
        failed = [base[n] for n in names if n in base and base[n]["verdict"] == "fail"]
        rows.append(
            f"| {title} | {', '.join(dict.fromkeys(m for m, _ in members))} "
            f"| {verdict([base.get(n) for n in names])} | {verdict([series.get(n) for n in names])} "
            f"| {short(failed[0]['reason']) if failed else ''} |")
    return "\n".join(rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("scenario", nargs="*", help="names or parts of names")
    parser.add_argument("--deep", action="store_true")
    parser.add_argument("--base-kernel", type=Path)
    parser.add_argument("--kernel", type=Path)
    parser.add_argument("--from", dest="dirs", nargs=2, metavar=("BASE", "SERIES"))
    args = parser.parse_args()
    if args.dirs:
        base, series = (load(d) for d in args.dirs)
    else:
        images = [("base", args.base_kernel or config.kernel(base=True, var="")),
                  ("series", args.kernel or config.kernel(base=False, var=""))]
        for _, image in images:
            if not image.exists():
                sys.exit(f"no kernel at {image}; `make kernel` and `make kernel BASE=1` build them")
        base, series = (load(run(side, image, args)) for side, image in images)
    if not base and not series:
        sys.exit("no scenario was run")
    print(table(base, series))


if __name__ == "__main__":
    main()
