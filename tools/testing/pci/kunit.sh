#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# kunit.sh [IMAGE [kernel parameter...]]: boot a kernel that runs its KUnit
# suites, and judge it.  Default image: that of VARIANT=kunit.
# kunit.sh --log FILE: judge a console log.
#
# ARCH=x86_64|arm64|ppc64le (default x86_64), CPUS=n as for boot.sh.
#
# Passes only if suites ran, none failed, nothing on the console looks like a
# bug and, when the kernel has kmemleak, nothing leaked.  TIMEOUT=seconds.
# The last line is "N passed, N failed".

set -eu
# shellcheck source=tools/testing/pci/lib.sh
. "$(dirname "$0")/lib.sh"

booted=0
if [ "${1:-}" = --log ]; then
	[ $# -eq 2 ] || die "usage: kunit.sh --log FILE"
	log=$2
	[ -r "$log" ] || die "cannot read $log"
	log=$(realpath "$log")
	if ! grep -q 'init: reached' "$log"; then
		echo "kunit.sh: the kernel did not reach init" >&2
		booted=1
	fi
	console_problems "$log" || booted=1
else
	arch=${ARCH:-x86_64}
	arch_setup "$arch"
	# The path of the image in the object directory is no concern of this.
	image=${1:-$top/build/out/$arch-kunit/${image##*/}}
	[ $# -eq 0 ] || shift
	name=$(basename "$(dirname "$image")")
	mkdir -p "$top/build/results/kunit"
	log=$top/build/results/kunit/$name.log
	TIMEOUT=${TIMEOUT:-1800} "$here/boot.sh" "$arch" "$image" "$log" \
		kunit.enable=1 "$@" || booted=$?
fi

# The parser is the base's, which is always there; it reads any kernel's log.
parser=
for tree in "$top"/build/out/*/tree "$top"/build/linux "$top"/build/base-*; do
	if [ -f "$tree/tools/testing/kunit/kunit.py" ]; then
		parser=$tree/tools/testing/kunit/kunit.py
		break
	fi
done
[ -n "$parser" ] || die "no kernel tree with tools/testing/kunit: build one first"

# The console has carriage returns, the parser counts them as text.
tr -d '\r' < "$log" > "$log.txt"
status=0
/usr/bin/python3 -B "$parser" parse "$log.txt" > "$log.report" 2>&1 || status=$?
sed 's/^\[[0-9:]*\] //' "$log.report"

# The line "Testing complete. Ran 5 tests: passed: 4, failed: 1".
number()
{
	sed -n "s/.*Testing complete.*[ ,]$1: \([0-9]*\).*/\1/p" "$log.report" |
		tail -n 1
}
passed=$(number passed)
skipped=$(number skipped)
passed=${passed:-0}
failed=0
for kind in failed crashed errors; do
	count=$(number "$kind")
	failed=$((failed + ${count:-0}))
done

if [ "$passed" -eq 0 ]; then
	echo "kunit.sh: no test passed" >&2
	[ "$failed" -ne 0 ] || failed=1
fi
if [ -n "$skipped" ] && [ "$skipped" -ne 0 ]; then
	echo "kunit.sh: $skipped tests were skipped" >&2
fi
if [ "$status" -ne 0 ] && [ "$failed" -eq 0 ]; then
	echo "kunit.sh: the parser is not content, see $log.report" >&2
	failed=1
fi
# A suite whose init or exit fails has no failed test, and the parser does not
# mind.
if [ "$failed" -eq 0 ] && grep -E '(^|[] ])not ok [0-9]+ ' "$log.txt" >&2; then
	failed=1
fi
# What the console says counts as one test more.
[ "$booted" -eq 0 ] || failed=$((failed + 1))

echo "kunit.sh: console in $log" >&2
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
