#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# scale.sh PROGRAM [SHAPE...]: what it costs both allocators to assign large
# hierarchies at boot, and then one device behind a port.
#
#	SIZES="100 1000 ..."	numbers of devices
#	LIMIT=seconds		for one run under valgrind
#	PROFILE=n		the n functions of the series that cost most
#
# Instructions are those of the assignment alone, counted by valgrind; seconds
# are of the CPU, without valgrind; bytes are what was allocated at most; messages
# are lines of the log, which cost nothing here.

set -eu
# shellcheck source=tools/testing/pci/lib.sh
. "$(dirname "$0")/../lib.sh"

[ $# -ge 1 ] || die "usage: scale.sh PROGRAM [SHAPE...]"
[ -x "$1" ] || die "no program at '$1'"
program=$(cd "$(dirname "$1")" && pwd -P)/${1##*/}
shift
[ $# -gt 0 ] || set -- plain hotplug short tight
command -v valgrind >/dev/null ||
	die "valgrind counts the instructions: apt install valgrind"
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

# value WHAT WORD: the value after a word in one line of the program's output
value()
{
	sed -n "s/^$1 .*\\b$2 \\([0-9.]*\\).*/\\1/p" "$dir/out"
}

# measure SIDE SHAPE DEVICES: into $dir.  Each assignment is profiled in a run
# of its own.
measure()
{
	local event

	timeout "${LIMIT:-120}" "$program" scale "$@" > "$dir/out" || return
	for event in boot hot-add; do
		timeout "${LIMIT:-120}" valgrind -q --tool=callgrind \
			--toggle-collect="a_${event//-/_}" \
			--callgrind-out-file="$dir/$event" \
			"$program" scale "$@" > /dev/null || return
	done
}

# instructions EVENT
instructions()
{
	sed -n 's/^summary: //p' "$dir/$1"
}

# profile EVENT: who has spent them
profile()
{
	callgrind_annotate --auto=no "$dir/$1" 2> /dev/null |
		sed -n 's/^ *\([0-9,]* *([ 0-9.]*%)\) *[^:]*:\([^ ]*\).*/\t\1 \2/p' |
		head -n "$PROFILE"
}

# ratio SERIES BASE
ratio()
{
	awk -v series="$1" -v base="$2" 'BEGIN { printf "%.2f", series / base }'
}

header='%-8s %-7s %7s %5s %7s %7s %7s %13s %13s %7s %9s %9s %11s %11s %9s %7s\n'
# shellcheck disable=SC2059
printf "$header" shape event devices hosts BARs base series instructions \
	series times seconds series bytes series messages series

for shape in "$@"; do
	for devices in ${SIZES:-100 1000 10000 60000}; do
		declare -A got=()
		for side in base series; do
			status=0
			measure $side "$shape" "$devices" || status=$?
			if [ $status -eq 124 ]; then
				echo "$shape $devices: the $side takes more than ${LIMIT:-120} s"
				continue 2
			fi
			[ $status -eq 0 ] || exit $status
			for event in boot hot-add; do
				got[$event.hosts]=$(value $event hosts)
				got[$event.bars]=$(value $event bars)
				for what in placed seconds bytes messages; do
					got[$event.$side.$what]=$(value $event $what)
				done
				got[$event.$side.count]=$(instructions $event)
				if [ $side = series ] && [ -n "${PROFILE:-}" ]; then
					got[$event.profile]=$(profile $event)
				fi
			done
		done
		for event in boot hot-add; do
			# shellcheck disable=SC2059
			printf "$header" "$shape" $event "$devices" \
				"${got[$event.hosts]}" "${got[$event.bars]}" \
				"${got[$event.base.placed]}" \
				"${got[$event.series.placed]}" \
				"${got[$event.base.count]}" \
				"${got[$event.series.count]}" \
				"$(ratio "${got[$event.series.count]}" \
					 "${got[$event.base.count]}")" \
				"${got[$event.base.seconds]}" \
				"${got[$event.series.seconds]}" \
				"${got[$event.base.bytes]}" \
				"${got[$event.series.bytes]}" \
				"${got[$event.base.messages]}" \
				"${got[$event.series.messages]}"
			[ -z "${got[$event.profile]:-}" ] ||
				printf '%s\n' "${got[$event.profile]}"
		done
	done
done
