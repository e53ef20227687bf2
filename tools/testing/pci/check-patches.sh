#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# check-patches.sh [FIRST [LAST]]: after each patch of the series, does the
# tree build on all three architectures, without a warning, and boot x86 with
# the KUnit suites that exist by then?
#
# x86_64 is built fully, in the configuration of VARIANT=kunit; of the others
# PCI, ACPI and what the architecture has to do with it.  One tree at one path
# for all steps, so each step rebuilds only what its patch changes; a kernel
# boots while the next one is built.  "same": the patch changes nothing that is
# built for this architecture, or the image is that of the patch before.
#
#	ARCHES="x86_64 arm64"	only these
#	QUICK=1			only PCI and the directories that the patch changes,
#				and no boot
#
# Last line: "N passed, N failed".

set -eu
# shellcheck source=tools/testing/pci/lib.sh
. "$(dirname "$0")/lib.sh"

total=$(grep -cvE '^(#|[[:space:]]*$)' "$top/series/series" || true)
first=${1:-1}
last=${2:-$total}
case $first$last in
*[!0-9]*) die "usage: check-patches.sh [FIRST [LAST]]" ;;
esac
[ "$total" -gt 0 ] || die "the series is empty"
if [ "$first" -lt 1 ] || [ "$last" -gt "$total" ] || [ "$first" -gt "$last" ]; then
	die "the series has patches 1 to $total"
fi
archlist=${ARCHES:-x86_64 arm64 ppc64le}
jobs=${JOBS:-$(nproc)}
src=$top/build/bisect
logs=$top/build/results/patches
configs=$here/configs
mkdir -p "$logs"
"$top/series/deps" build x86_64 arm64 ppc64le
ccache_setup
passed=0
failed=0

# fragments_of ARCH: x86 runs KUnit, with the suites of the series once they
# are there.
fragments_of()
{
	local one

	for one in common "$1"; do
		echo "$configs/$one.config"
	done
	if [ "$1" != x86_64 ]; then
		echo "$configs/devices.config"
	else
		echo "$configs/kunit.config"
		if grep -rqs --include=Kconfig '^config PCI_PIPELINE_KUNIT_TEST' \
			"$src/drivers/pci"; then
			echo "$configs/series-kunit.config"
		fi
	fi
}

# build ARCH LOG
build()
{
	local arch=$1 log=$2 out=$top/build/out/patches-$1 goals
	local fragments

	arch_setup "$arch"
	mkdir -p "$out"
	exec 9> "$out/lock"
	flock 9
	farm "$src" "$out/tree"
	mapfile -t fragments < <(fragments_of "$arch")
	merge_config "${fragments[@]}" > "$out/fragment"
	KCONFIG_ALLCONFIG=$out/fragment KCONFIG_CONFIG=$out/config \
		kmake "$out/tree" -s allnoconfig > "$log" 2>&1 || return
	"$here/check-config.sh" "$out/fragment" "$out/config" >> "$log" 2>&1 ||
		return
	cmp -s "$out/config" "$out/tree/obj/.config" ||
		cp "$out/config" "$out/tree/obj/.config"
	case $arch${QUICK:+-quick} in
	*-quick) goals="drivers/pci/ $(directories "$arch" "$patch")" ;;
	x86_64) goals="$target" ;;
	arm64) goals="drivers/pci/ drivers/acpi/ arch/arm64/kernel/" ;;
	ppc64le) goals="drivers/pci/ arch/powerpc/kernel/
		arch/powerpc/platforms/" ;;
	esac
	# shellcheck disable=SC2086
	kmake "$out/tree" -j"$jobs" $goals >> "$log" 2>&1 9>&- || return
	! grep -qE '(^|: )warning: ' "$log"
}

# boot IMAGE LOG: only what has just been built, on q35 and pc.
boot()
{
	TIMEOUT=600 "$here/boot.sh" x86_64:q35 "$1" "$2.q35" kunit.enable=1 &&
	"$here/boot.sh" x86_64:pc "$1" "$2.pc" kunit.enable=0 &&
	! grep -E '(^|[] ])not ok [0-9]+ ' "$2.q35" >&2
}

# boot_begin LOG: in the background, with a copy of the image.
booting=
boot_begin()
{
	local image=$top/build/out/patches-x86_64/tree/obj/arch/x86/boot/bzImage

	boot_end
	if [ "$k" -gt "$first" ] && cmp -s "$image" "$logs/bzImage"; then
		line="$line boot same"
		return
	fi
	cp "$image" "$logs/bzImage"
	boot "$logs/bzImage" "$1" 9>&- &
	booting=$!
	booted=$k
}

boot_end()
{
	[ -n "$booting" ] || return 0
	local line="$booted/$total:"
	verdict boot wait "$booting" || true
	echo "$line"
	booting=
}

# changes PATCH: the files that it changes or adds.
changes()
{
	sed -nE -e 's,^New: ,,p' -e 's,^(\+\+\+ b|--- a)/,,p' \
		"$top/series/$1" | tr ' ' '\n'
}

# directories ARCH PATCH: where these are, as goals of make; not those of other
# architectures, nor what is gone.
directories()
{
	local dir

	changes "$2" | sed -nE 's,/[^/]*\.[cS]$,/,p' | sort -u |
		while read -r dir; do
			case $dir in
			arch/x86/*) [ "$1" = x86_64 ] || continue ;;
			arch/arm64/*) [ "$1" = arm64 ] || continue ;;
			arch/powerpc/*) [ "$1" = ppc64le ] || continue ;;
			arch/* | tools/*) continue ;;
			esac
			[ ! -f "$src/$dir/Makefile" ] || echo "$dir"
		done
}

# touches ARCH PATCH: does the patch change what build() makes for it?
touches()
{
	local regex

	case $1 in
	x86_64) regex='^(arch/x86|block|drivers|fs|include|init|kernel|lib|mm|net)/' ;;
	arm64) regex='^(arch/arm64|drivers/acpi|drivers/pci|include)/' ;;
	ppc64le) regex='^(arch/powerpc|drivers/pci|include)/' ;;
	esac
	changes "$2" | grep -qE "$regex"
}

# verdict NAME COMMAND...: one column of the report.
verdict()
{
	local name=$1
	shift
	if "$@"; then
		passed=$((passed + 1))
		line="$line $name ok"
	else
		failed=$((failed + 1))
		line="$line $name FAILED"
		return 1
	fi
}

for ((k = first; k <= last; k++)); do
	patch=$(grep -vE '^(#|[[:space:]]*$)' "$top/series/series" | sed -n "${k}p")
	start=$SECONDS
	line=
	if ! "$top/series/pq" compose --force -n "$k" "$src" > "$logs/compose.log" 2>&1; then
		tail -n 5 "$logs/compose.log" >&2
		echo "$k/$total $patch: does not compose"
		failed=$((failed + 1))
		continue
	fi
	line="$k/$total $patch:"
	for arch in $archlist; do
		log=$logs/$(printf '%03d' "$k")-$arch.log
		if [ "$k" -gt "$first" ] && ! touches "$arch" "$patch"; then
			line="$line $arch same"
			continue
		fi
		if ! verdict "$arch" build "$arch" "$log"; then
			grep -nE '(error|warning): |Error [0-9]|asked,' "$log" |
				head -n 8 >&2 || tail -n 8 "$log" >&2
			echo "check-patches.sh: see $log" >&2
		elif [ "$arch" = x86_64 ] && [ -z "${QUICK:-}" ]; then
			boot_begin "$log"
		fi
	done
	echo "$line ($((SECONDS - start)) s)"
done
boot_end

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
