#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# build.sh base|series TREE OUT: the allocator of a kernel tree as one object,
# OUT/base.o or OUT/series.o, which has one symbol to the outside: a_side_base
# or a_side_series.  What is up to date is not built again.

set -eu
# shellcheck source=tools/testing/pci/lib.sh
. "$(dirname "$0")/../lib.sh"

case ${1:-} in
base | series)
	[ $# -eq 3 ] || die "usage: build.sh base|series TREE OUT"
	;;
*)
	die "usage: build.sh base|series TREE OUT"
	;;
esac
side=$1
source=$(cd "$(dirname "$0")" && pwd -P)
[ -f "$2/drivers/pci/setup-bus.c" ] || die "no kernel tree at '$2' for the $side"
tree=$(cd "$2" && pwd -P)
pipeline=$tree/drivers/pci/pipeline
if [ "$side" = series ]; then
	[ -f "$pipeline/plan.c" ] || die "'$2' does not have the series"
else
	[ ! -d "$pipeline" ] || die "'$2' has the series, it is not the base"
fi

mkdir -p "$3"
out=$(cd "$3" && pwd -P)
log=$out/$side.log
farm=$out/$side
obj=$farm/obj
arch_setup x86_64
ccache_setup
farm "$tree" "$farm"

failed()
{
	{
		grep -nE '(error|warning):|Error [0-9]|undefined reference|\*\*\*' \
			"$log" | head -n 20 || true
		die "building the $side failed, see $log"
	} >&2
}

# Messages, locks and checks are not what is compared.
cat > "$out/$side.fragment" <<EOF
CONFIG_64BIT=y
CONFIG_PCI=y
# CONFIG_CPU_MITIGATIONS is not set
EOF
KCONFIG_ALLCONFIG=$out/$side.fragment KCONFIG_CONFIG=$out/$side.config \
	kmake "$farm" -s allnoconfig > "$log" 2>&1 || failed
cmp -s "$out/$side.config" "$obj/.config" ||
	cp "$out/$side.config" "$obj/.config"

objects=(kernel/resource.o lib/list_sort.o lib/sort.o lib/bsearch.o)
objects+=(drivers/pci/{setup-bus,setup-res,bus,host-bridge}.o)
if [ "$side" = series ]; then
	for part in "$pipeline"/plan*.c; do
		part=${part##*/}
		[ "$part" = plan_busn.c ] ||
			objects+=("drivers/pci/pipeline/${part%.c}.o")
	done
	objects+=(drivers/pci/pipeline/{apply,check,collect,layout,lookup,segment}.o)
fi
# With a section for each function the linker drops what is never called.
echo "$side: building ${#objects[@]} objects of $tree"
kmake "$farm" "-j${JOBS:-$(nproc)}" \
	KCFLAGS="-ffunction-sections -fdata-sections" prepare "${objects[@]}" \
	>> "$log" 2>&1 || failed

# As a neighbour was compiled.
cd "$obj"
command=$(sed -n 's/^savedcmd_[^ ]* := //p' drivers/pci/.setup-res.o.cmd)
command=${command%% ; *}
command=$(sed -e 's# -Wp,-MMD,[^ ]*##' -e 's# -o [^ ]*##' \
	-e 's# [^ ]*setup-res\.c##' <<< "$command")
[ "$side" = base ] || command+=" -DASSIGN_SERIES"
eval "$command" -I"$source" -o assign.o "$source/kernel.c" >> "$log" 2>&1 ||
	failed

"${cross}ld" -r --gc-sections -e "a_side_$side" -o "$side.o" assign.o \
	"${objects[@]}" >> "$log" 2>&1 || failed
"${cross}objcopy" --keep-global-symbol="a_side_$side" "$side.o" \
	"$out/$side.o.new" >> "$log" 2>&1 || failed
mv "$out/$side.o.new" "$out/$side.o"
