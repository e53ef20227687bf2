#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# replay.sh: plan what a machine's log, or each log of a directory, shows.
# LOG names it; HOTADD, SVG, DUMP, ROOT, IOMEM, MOVE and OPTIONS as in
# replay/README.

set -eu
# shellcheck source=tools/testing/pci/lib.sh
. "$(dirname "$0")/lib.sh"

[ -n "${LOG:-}" ] || die "LOG= has to name a log, or a directory of logs"
[ -e "$LOG" ] || die "$LOG: there is no such file"

"$top/series/deps" build
"$top/series/pq" compose >&2
exec make -s --no-print-directory -C "$here/replay" replay \
	O="$top/build/replay" KERNEL="$top/build/linux" LOG="$(realpath "$LOG")" \
	${HOTADD:+HOTADD="$HOTADD"} ${SVG:+SVG="$(realpath -m "$SVG")"} \
	${DUMP:+DUMP="$(realpath -m "$DUMP")"} ${ROOT:+ROOT="$ROOT"} \
	${IOMEM:+IOMEM="$(realpath -m "$IOMEM")"} ${MOVE:+MOVE="$MOVE"} \
	${OPTIONS:+OPTIONS="$OPTIONS"}
