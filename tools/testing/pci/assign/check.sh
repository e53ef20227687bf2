#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# check.sh PROGRAM: a short comparison, and whether the comparison is one.  The
# last line is "N passed, N failed".

set -eu
# shellcheck source=tools/testing/pci/lib.sh
. "$(dirname "$0")/../lib.sh"

[ $# -eq 1 ] || die "usage: check.sh PROGRAM"
[ -x "$1" ] || die "no program at '$1'"
program=$1
seeds=2000
passed=0
failed=0
out=$(mktemp)
trap 'rm -f "$out"' EXIT

# check STATUS TEXT NAME ARGUMENT...: the program ends like this, and says so
check()
{
	local status=$1 text=$2 name=$3 got=0

	shift 3
	"$program" "$@" > "$out" 2>&1 || got=$?
	if [ $got -eq "$status" ] && grep -qE "$text" "$out"; then
		echo "passed: $name"
		passed=$((passed + 1))
		return
	fi
	tail -n 20 "$out"
	echo "FAILED: $name: status $got, not $status with '$text'"
	failed=$((failed + 1))
}

check 0 ' lost 0 in 0 events' \
	"the series places what the base places" compare -n $seeds
check 0 ' 0 events end differently' \
	"a state of the base can be had again" compare -r -n $seeds
check 0 ' 0 events end differently, 0 can' \
	"a state of the series can be had again" compare -r -x -n $seeds
check 1 'FAILED.* lost [1-9]' \
	"the base loses what the series places" compare -x -n $seeds
check 1 'FAILED.* moved or dropped by the base: [1-9]' \
	"the base moves what is in use" compare -x -n $seeds
# A mean in each of 18 rows takes more of them.
check 0 'passed: next: .* less room: no;' \
	"the series leaves room for what comes next" \
	compare -c -n $((10 * seeds))
check 0 'passed: next: .* lost 0, gained 0;' \
	"what comes next fits into what the base leaves" compare -r -c -n $seeds
check 1 'FAILED: next: .* lost [1-9].* less room: yes; .* by the base: [1-9]' \
	"the base leaves less room" compare -x -c -n $seeds
check 0 'seed 7, event 0: boot' "a seed in detail" show 7
check 0 '^hot-add hosts' "a large hierarchy" scale series plain 1000
check 2 'must be a number' "a seed that is none" show seven
check 2 'unknown shape' "a shape that is none" scale base round 100
check 2 '^usage' "no such command" guess

echo
echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
