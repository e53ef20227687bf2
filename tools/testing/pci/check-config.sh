#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# check-config.sh FRAGMENT CONFIG: is every option FRAGMENT asks for in CONFIG?
#
# Kconfig drops an option without a word when a dependency is missing, and the
# kernel then passes a test by not having what should be tested.

set -eu

if [ $# -ne 2 ]; then
	echo "usage: ${0##*/} FRAGMENT CONFIG" >&2
	exit 2
fi

for file in "$1" "$2"; do
	if ! [ -s "$file" ]; then
		echo "${0##*/}: $file is missing or empty" >&2
		exit 2
	fi
done

awk -v fragment="$1" '
	FILENAME == fragment {
		if ($0 !~ /^CONFIG_[A-Za-z0-9_]+=/)
			next
		at = index($0, "=")
		want[substr($0, 1, at - 1)] = substr($0, at + 1)
		next
	}
	/^CONFIG_[A-Za-z0-9_]+=/ {
		at = index($0, "=")
		have[substr($0, 1, at - 1)] = substr($0, at + 1)
	}
	END {
		for (name in want) {
			asked++
			got = (name in have) ? have[name] : "n"
			if (got == want[name])
				continue
			printf "%s=%s asked, %s=%s in the result\n",
			       name, want[name], name, got | "sort"
			bad++
		}
		close("sort")
		if (!asked) {
			print fragment " asks for nothing"
			exit 1
		}
		exit bad != 0
	}' "$1" "$2" >&2
