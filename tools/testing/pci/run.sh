#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# run.sh run|shell|bench: build what it takes, then hand over to the script of
# that name beside the QEMU harness.  ARCH, BASE and VARIANT as for kernel.sh.

set -eu
# shellcheck source=tools/testing/pci/lib.sh
. "$(dirname "$0")/lib.sh"

case ${1:-} in
run | shell | bench)
	verb=$1
	shift
	;;
*)
	die "usage: run.sh run|shell|bench"
	;;
esac
arch=${ARCH:-x86_64}
arch_setup "$arch"
script=$here/qemu/$verb.py
[ -f "$script" ] || die "$script is missing"

"$top/series/deps" build test "$arch"
if [ "$verb" = bench ]; then
	# Both in one run, whatever BASE says.
	BASE=1 "$here/kernel.sh" >/dev/null
	BASE='' "$here/kernel.sh" >/dev/null
else
	"$here/kernel.sh" >/dev/null
fi
PCI_ARCH=$arch exec /usr/bin/python3 -B "$script" "$@"
