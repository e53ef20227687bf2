#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# check-arches.sh [NAME...]: does the PCI code of the architectures that have no
# kernel of their own here still build, as far as Debian has a compiler?  The
# PCI core and what the architecture has to do with it, in one of the kernel's
# own configurations.  A warning counts if the base does not have it.
#
# Findings are in build/arches.  Last line: "N passed, N failed".

set -eu
# shellcheck source=tools/testing/pci/lib.sh
. "$(dirname "$0")/lib.sh"

jobs=${JOBS:-$(nproc)}
results=$top/build/arches
mkdir -p "$results"

# name | ARCH | compiler, a Debian package | configuration | more options | goals
table='
alpha|alpha|alpha-linux-gnu|defconfig||arch/alpha/kernel/
arm|arm|arm-linux-gnueabihf|multi_v7_defconfig||arch/arm/kernel/ arch/arm/mach-dove/
arm-v5|arm|arm-linux-gnueabi|multi_v5_defconfig||arch/arm/mach-orion5x/ arch/arm/mach-mv78xx0/
m68k|m68k|m68k-linux-gnu|m5475evb_defconfig|MMU PCI|arch/m68k/coldfire/ arch/m68k/kernel/
mips|mips|mips-linux-gnu|malta_defconfig||arch/mips/pci/
mips64|mips|mips64-linux-gnuabi64|ip27_defconfig||arch/mips/pci/
parisc|parisc|hppa-linux-gnu|generic-32bit_defconfig||arch/parisc/kernel/ drivers/parisc/
ppc64|powerpc|powerpc64-linux-gnu|ppc64_defconfig||arch/powerpc/kernel/ arch/powerpc/platforms/powernv/ arch/powerpc/platforms/pseries/
sh|sh|sh4-linux-gnu|sh7785lcr_defconfig||arch/sh/drivers/pci/
sparc64|sparc64|sparc64-linux-gnu|sparc64_defconfig||arch/sparc/kernel/
um|um||defconfig|VIRTIO_UML UML_PCI_OVER_VIRTIO|arch/um/drivers/
'

"$top/series/deps" build
ccache_setup
base=$("$top/series/pq" base | tail -n 1)
"$top/series/pq" compose > "$results/compose.log" || die "see $results/compose.log"

passed=0
failed=0
verdict()
{
	if [ "$2" = ok ]; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
	fi
	echo "$1: $2"
}

# arch_build SIDE TREE: in $log
arch_build()
{
	local out=$results/$name-$1 option

	log=$out/log
	mkdir -p "$out"
	farm "$2" "$out/tree"
	kmake "$out/tree" -s "$config" > "$log" 2>&1 || return
	for option in $options; do
		"$2/scripts/config" --file "$out/tree/obj/.config" -e "$option"
	done
	kmake "$out/tree" -s olddefconfig >> "$log" 2>&1 || return
	for option in PCI $options; do
		grep -qx "CONFIG_$option=y" "$out/tree/obj/.config" || {
			echo "error: no CONFIG_$option" >> "$log"
			return 1
		}
	done
	# shellcheck disable=SC2086
	kmake "$out/tree" -k -j"$jobs" prepare drivers/pci/ $goals >> "$log" 2>&1
}

warnings()
{
	grep -E '(warning|error): |Error [0-9]' "$log" || true
}

wanted=" $* "
while IFS='|' read -r name karch triplet config options goals; do
	[ -n "$name" ] || continue
	[ $# -eq 0 ] || [[ $wanted == *" $name "* ]] || continue

	if [ -n "$triplet" ]; then
		"$top/series/deps" "cross-$triplet" || {
			verdict "$name" "no compiler"
			continue
		}
		cross=$triplet-
	else
		cross=
	fi
	compiler_setup

	built=0
	arch_build series "$top/build/linux" || built=$?
	warnings > "$results/$name.series"
	if [ $built -eq 0 ] && [ ! -s "$results/$name.series" ]; then
		verdict "$name" ok
		continue
	fi
	# Some architectures do not build without a warning anyway.
	arch_build base "$base" || true
	warnings > "$results/$name.base"
	if news "$results/$name.base" "$results/$name.series" &&
	   [ $built -eq 0 ]; then
		verdict "$name" ok
	else
		verdict "$name" FAILED
	fi
done <<< "$table"

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
