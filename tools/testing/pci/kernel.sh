#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Configure and build one kernel; the last line on stdout is the image's path.
#
#	ARCH=x86_64|arm64|ppc64le|ppc32|riscv64|s390x	default x86_64
#	VARIANT=modular|debug|kunit	default: everything built in
#	BASE=1				the unpatched kernel
#	TREE=dir			this source tree, not the composed one
#	OUT=dir				not build/out/<arch>[-variant][-base]
#	JOBS=n				default: the number of processors
#
# kernel.sh config stops after the configuration and prints its path.

set -eu
# shellcheck source=tools/testing/pci/lib.sh
. "$(dirname "$0")/lib.sh"

arch=${ARCH:-x86_64}
variant=${VARIANT:-}
base=${BASE:-}
jobs=${JOBS:-$(nproc)}

[ $# -eq 0 ] || [ "$*" = config ] || die "usage: kernel.sh [config]"
arch_setup "$arch"
[ "$base" != 0 ] || base=

configs=$here/configs
fragments=("$configs/common.config" "$configs/$arch.config")
full=("$configs/devices.config" "$configs/userland.config")
[ "$arch" != s390x ] || full=()
# That one only boots; it need not carry a distribution.
[ "$arch" != ppc32 ] || full=("$configs/devices.config")
[ ! -f "$configs/$arch-devices.config" ] || full+=("$configs/$arch-devices.config")
tests=$configs/series-kunit.config
[ ! -f "$configs/$arch-kunit.config" ] || tests=$configs/$arch-kunit.config

case $variant in
'')
	fragments+=("${full[@]}")
	;;
modular)
	[ "$arch" = x86_64 ] || die "VARIANT=modular exists for x86_64 only"
	fragments+=("${full[@]}" "$configs/modular.config")
	objects=2220
	;;
debug)
	fragments+=("${full[@]}" "$configs/debug.config")
	[ ! -f "$configs/$arch-debug.config" ] ||
		fragments+=("$configs/$arch-debug.config")
	[ -n "$base" ] || fragments+=("$tests")
	;;
kunit)
	[ "$arch" = x86_64 ] || [ "$arch" = arm64 ] || [ "$arch" = ppc64le ] ||
		die "VARIANT=kunit exists for x86_64, arm64 and ppc64le only"
	fragments+=("$configs/kunit.config")
	objects=1600
	[ -n "$base" ] || fragments+=("$tests")
	;;
*)
	die "unknown VARIANT '$variant': must be modular, debug or kunit"
	;;
esac

name=$arch${variant:+-$variant}${base:+-base}
out=${OUT:-$top/build/out/$name}

"$top/series/deps" build "$arch"

if [ -n "${TREE:-}" ]; then
	src=$TREE
elif [ -n "$base" ]; then
	src=$("$top/series/pq" base | tee /dev/stderr | tail -n 1)
else
	# Unsaved work in the composed tree is what somebody wants to try.
	"$top/series/pq" compose --keep >&2
	src=$top/build/linux
fi
[ -d "$src" ] || die "no source tree at '$src'"

mkdir -p "$out"
out=$(cd "$out" && pwd -P)
log=$out/build.log
tree=$out/tree
obj=$tree/obj

exec 9> "$out/lock"
if ! flock -n 9; then
	echo "kernel.sh: waiting for another build in $out" >&2
	flock 9
fi

ccache_setup
farm "$src" "$tree"

# Show what went wrong, and where the rest is.
failed()
{
	{
		echo
		grep -nE '(error|warning):|Error [0-9]|undefined reference|\*\*\*' \
			"$log" | head -n 20 || true
		echo "--- last lines of the log:"
		tail -n 15 "$log"
		echo "kernel.sh: $1 failed, see $log"
	} >&2
	exit 1
}

# The configuration is made aside and put in place only if it differs: make
# looks at its time stamp.
merge_config "${fragments[@]}" > "$out/fragment"
KCONFIG_ALLCONFIG=$out/fragment KCONFIG_CONFIG=$out/config \
	kmake "$tree" -s allnoconfig > "$log" 2>&1 || failed "configuring $name"
"$here/check-config.sh" "$out/fragment" "$out/config" ||
	die "Kconfig dropped options of $name, see $out/config"
cmp -s "$out/config" "$obj/.config" || cp "$out/config" "$obj/.config"

if [ $# -eq 1 ]; then
	echo "$out/config"
	exit
fi

# progress: how far the build is, to somebody who waits.
progress()
{
	local last=-1 count now start=$SECONDS pause=15

	[ ! -t 2 ] || pause=5
	while sleep $pause; do
		count=$(grep -cE '^  (CC|AS|AR|LD|HOSTCC|GEN) ' "$log") || true
		now=$((SECONDS - start))
		if [ "$count" -ne "$last" ]; then
			printf '[%5d of about %d objects, %3d s]\n' \
				"$count" "$objects" "$now" >&2
		fi
		last=$count
	done
}

if [ "$variant" = modular ]; then
	goals=("$target" modules)
else
	goals=("$target")
fi

start=$SECONDS
echo "kernel.sh: building $name in $out" >&2
progress 9>&- &
watcher=$!
trap 'kill "$watcher" 2>/dev/null || true' EXIT
kmake "$tree" -j"$jobs" "${goals[@]}" >> "$log" 2>&1 9>&- || failed "building $name"
kill "$watcher" 2>/dev/null || true

if [ "$variant" = modular ]; then
	# Installed anew each time: no module of an earlier build stays behind.
	rm -rf "$out/modules"
	kmake "$tree" -s modules_install INSTALL_MOD_PATH="$out/modules" \
		>> "$log" 2>&1 9>&- || failed "installing the modules of $name"
	rm -f "$out"/modules/lib/modules/*/build
fi

# Out of make's way, and whole: whoever boots the image now keeps the old one.
put()
{
	if ! cmp -s "$1" "$2"; then
		cp "$1" "$2.new"
		mv "$2.new" "$2"
	fi
}
put "$obj/$image" "$out/${image##*/}"
put "$obj/System.map" "$out/System.map"
if grep -E '^[^ ]+: warning: ' "$log" >&2; then
	echo "kernel.sh: the build of $name warns, see $log" >&2
fi
echo "kernel.sh: $name done in $((SECONDS - start)) s" >&2
echo "$out/${image##*/}"
