#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# check.sh check|deep: run the steps, all of them, and sum up.  The last line
# is "N passed, N failed": tests where a step counts tests, else the step.
# Each step's output stays in build/check/.

set -eu
# shellcheck source=tools/testing/pci/lib.sh
. "$(dirname "$0")/lib.sh"

case ${1:-} in
check | deep)
	mode=$1
	;;
*)
	die "usage: check.sh check|deep"
	;;
esac
arch=${ARCH:-x86_64}
arch_setup "$arch"
# Everything here is about the series; steps that want the base say so.
unset BASE VARIANT TREE OUT

cd "$top"
logs=$top/build/check
rm -rf "$logs"
mkdir -p "$logs"
results=$logs/results
: > "$results"
sum_passed=0
sum_failed=0
steps=0

# counts LOG: passed and failed tests by the last summary in a step's output,
# of pytest ("= 1 failed, 5 passed in 3.1s =") or ours ("5 passed, 1 failed").
counts()
{
	awk '
	/(^|[ =])[0-9]+ (passed|failed|errors?)[ ,]/ || /[0-9]+ (passed|failed)$/ {
		p = f = 0
		n = split($0, word, /[ ,=]+/)
		for (i = 2; i <= n; i++) {
			if (word[i - 1] !~ /^[0-9]+$/)
				continue
			if (word[i] == "passed")
				p += word[i - 1]
			else if (word[i] ~ /^(failed|errors?)$/)
				f += word[i - 1]
			else
				continue
			seen = 1
		}
	}
	END { if (seen) print p + 0, f + 0 }' "$1"
}

# record NAME PASSED FAILED SECONDS
record()
{
	printf '%s\t%d\t%d\t%d\n' "$@" >> "$results"
	sum_passed=$((sum_passed + $2))
	sum_failed=$((sum_failed + $3))
}

# step [-t] NAME COMMAND...: -t counts tests.  A step that fails without a
# failed test, or counts tests and ran none, is one failure.
step()
{
	local tests=0 name log status start=$SECONDS passed failed

	if [ "$1" = -t ]; then
		tests=1
		shift
	fi
	name=$1
	shift
	steps=$((steps + 1))
	log=$logs/$(printf '%02d' $steps)-${name//[^A-Za-z0-9]/-}.log
	echo
	echo "=== $name"
	"$@" < /dev/null 2>&1 | tee "$log"
	status=${PIPESTATUS[0]}
	passed=0
	failed=0
	if [ $tests -eq 1 ]; then
		read -r passed failed < <(counts "$log") || true
	elif [ "$status" -eq 0 ]; then
		passed=1
	fi
	if [ "$status" -ne 0 ] && [ "${failed:-0}" -eq 0 ]; then
		failed=1
	elif [ "$status" -eq 0 ] && [ "${passed:-0}" -eq 0 ]; then
		echo "check.sh: $name ran no test"
		failed=1
	fi
	record "$name" "${passed:-0}" "${failed:-0}" $((SECONDS - start))
	[ "$status" -eq 0 ]
}

# unable NAME WHY: a step that could not even start is a failed one.
unable()
{
	steps=$((steps + 1))
	echo
	echo "=== $1"
	echo "not run: $2"
	record "$1" 0 1 0
}

shell_scripts()
{
	local scripts

	scripts=$(
		find series tools .ci -name '*.sh' -type f -o -type f -perm -u+x \
			-exec sh -c 'head -n 1 "$1" | grep -q "^#!.*sh$"' _ {} \; -print
	)
	[ -n "$scripts" ] || return 1
	# shellcheck disable=SC2086
	shellcheck -x -P "$top" $scripts
}

# pytest: its options are for runs that leave nothing behind and report all.
tests()
{
	/usr/bin/python3 -B -m pytest -p no:cacheprovider -q -rfE "$@"
}

# kernel_for NAME VARIANT: build what the next steps boot.
kernel_for()
{
	step "$1" env ARCH="$arch" VARIANT="$2" "$here/kernel.sh"
}

# scenarios NAME VARIANT [option...]
scenarios()
{
	local name=$1 variant=$2

	shift 2
	PCI_ARCH=$arch VARIANT=$variant \
		step -t "$name" tests "$@" "$here/qemu" || true
}

# Does the harness know a machine of this architecture?
machines()
{
	PYTHONPATH=$here/qemu /usr/bin/python3 -B -c '
import sys
from harness import machines
sys.exit(not machines.by_arch(sys.argv[1]))' "$1"
}

groups=(build test check "$arch")
[ "$mode" = check ] || groups+=(deep x86_64 arm64 ppc64le)
series/deps "${groups[@]}" || unable packages "they could not be installed"

extra=()
[ "$mode" = check ] || extra=(--deep)

step "series" series/pq check || true
step "compose" series/pq compose || true
step "shell scripts" shell_scripts || true
step -t "pq on a toy" tests series/test_pq.py || true
step -t "the checks" tests tools/testing/pci/test_scripts.py || true
plans=1
[ "$mode" = check ] || plans=40
step -t "planner" env PLANS=$plans make -C "$here/plan" check || true
step -t "replay" make -C "$here/replay" check || true

case $arch in
x86_64 | arm64 | ppc64le)
	if kernel_for "kernel kunit" kunit; then
		step -t "kunit" env ARCH="$arch" "$here/kunit.sh" || true
	else
		unable "kunit" "no kernel"
	fi
	;;
esac

case $arch in
x86_64)
	if kernel_for "kernel x86_64" ''; then
		scenarios "scenarios" '' "${extra[@]}"
	else
		unable "scenarios" "no kernel"
	fi
	if kernel_for "kernel modular" modular; then
		scenarios "scenarios modular" modular "${extra[@]}"
	else
		unable "scenarios modular" "no kernel"
	fi
	;;
*)
	if kernel_for "kernel $arch" ''; then
		for machine in $machines; do
			step "boot $machine" "$here/boot.sh" "$arch:$machine" \
				"build/out/$arch/${image##*/}" \
				"$logs/$machine.console" || true
		done
		if machines "$arch"; then
			scenarios "scenarios" '' "${extra[@]}"
		fi
	else
		unable "scenarios" "no kernel"
	fi
	;;
esac

if [ "$mode" = deep ]; then
	if kernel_for "kernel debug" debug; then
		if [ "$arch" = x86_64 ]; then
			step -t "kunit debug" env TIMEOUT=3600 "$here/kunit.sh" \
				build/out/x86_64-debug/bzImage || true
		fi
		if machines "$arch"; then
			scenarios "scenarios debug" debug --deep
		fi
	else
		unable "debug kernel's steps" "no kernel"
	fi
	if [ "$arch" = x86_64 ]; then
		step "fuzz" make -C "$here/plan" fuzz || true
		step -t "never worse" make -C "$here/assign" check || true
		step -t "every patch" "$here/check-patches.sh" || true
		step -t "other architectures" "$here/check-arches.sh" || true
		step -t "static checks" "$here/check-static.sh" || true
	fi
fi

echo
printf '%-24s %8s %8s %9s\n' step passed failed time
while IFS=$'\t' read -r name passed failed seconds; do
	printf '%-24s %8d %8d %4d:%02d %s\n' "$name" "$passed" "$failed" \
		$((seconds / 60)) $((seconds % 60)) \
		"$([ "$failed" -eq 0 ] || echo FAILED)"
done < "$results"
echo
echo "$sum_passed passed, $sum_failed failed"
[ "$sum_failed" -eq 0 ]
