#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# boot.sh ARCH[:MACHINE] IMAGE LOG [kernel parameter...]: does this kernel
# reach init, with nothing bad on the console and all its PCI devices?
#
# Machines: x86_64: q35, pc; arm64: virt; ppc64le: pseries, powernv, powernv8;
# ppc32: ppce500; riscv64: virt; s390x: ccw.
# TIMEOUT=seconds (default 120), CPUS=n (default 2).

set -eu
# shellcheck source=tools/testing/pci/lib.sh
. "$(dirname "$0")/lib.sh"

[ $# -ge 3 ] || die "usage: boot.sh ARCH[:MACHINE] IMAGE LOG [parameter...]"
arch=${1%%:*}
kernel=$2
log=$3
machine=${1#"$arch"}
machine=${machine#:}
shift 3
arch_setup "$arch"
[ -s "$kernel" ] || die "no kernel image at $kernel"

initrd=$(init_archive)
args=(-display none -no-reboot -accel "tcg,thread=single" -m 1G -smp "${CPUS:-2}"
	-kernel "$kernel" -initrd "$initrd" -serial "file:$log")
console=ttyS0
few=4
port=(-device "pcie-root-port,id=rp1,chassis=1,slot=1")
null=(-blockdev "null-co,node-name=n0,size=16777216,read-zeroes=on")
nodes=("${null[@]}" -device "nvme,drive=n0,serial=n0")
case $arch:$machine in
x86_64: | x86_64:q35)
	emulator=qemu-system-x86_64
	args+=(-nodefaults -M q35 -cpu max "${port[@]}"
		-device "virtio-rng-pci,bus=rp1" "${nodes[@]}")
	few=6
	;;
x86_64:pc)
	emulator=qemu-system-x86_64
	args+=(-nodefaults -M pc -cpu max -device virtio-rng-pci "${nodes[@]}")
	;;
arm64: | arm64:virt)
	emulator=qemu-system-aarch64
	console=ttyAMA0
	args+=(-nodefaults -M "virt,gic-version=3" -cpu "max,pauth-impdef=on"
		"${port[@]}" -device "virtio-rng-pci,bus=rp1" "${nodes[@]}")
	;;
ppc64le: | ppc64le:pseries)
	emulator=qemu-system-ppc64
	console=hvc0
	few=2
	args+=(-nodefaults
		-M "pseries,cap-cfpc=broken,cap-sbbc=broken,cap-ibs=broken,cap-ccf-assist=off"
		-device virtio-rng-pci "${nodes[@]}")
	;;
ppc64le:powernv | ppc64le:powernv8)
	# -nodefaults would remove the host bridges.
	emulator=qemu-system-ppc64
	console=hvc0
	args+=(-M "${machine/%powernv/powernv9}" -monitor none -net none
		-device "virtio-rng-pci,bus=pcie.0"
		"${null[@]}" -device "nvme,drive=n0,serial=n0,bus=pcie.1")
	;;
ppc32: | ppc32:ppce500)
	emulator=qemu-system-ppc
	args+=(-nodefaults -M ppce500 -cpu e500mc -device virtio-rng-pci
		"${nodes[@]}" -device "pci-bridge,id=b1,chassis_nr=1"
		-device "e1000,bus=b1,addr=1")
	few=5
	;;
riscv64: | riscv64:virt)
	emulator=qemu-system-riscv64
	args+=(-nodefaults -M virt "${port[@]}"
		-device "virtio-rng-pci,bus=rp1" "${nodes[@]}")
	;;
s390x: | s390x:ccw)
	emulator=qemu-system-s390x
	console=ttysclp0
	few=2
	args+=(-M s390-ccw-virtio -cpu max -net none -monitor none
		-device virtio-rng-pci "${null[@]}"
		-device "virtio-blk-pci,drive=n0")
	;;
*)
	die "unknown machine '$machine' of $arch"
	;;
esac

append="console=$console panic=-1 no_timer_check $*"
: > "$log"
printf '%q ' "$emulator" "${args[@]}" -append "$append" > "$log.cmd"
status=0
timeout --foreground "${TIMEOUT:-120}" "$emulator" "${args[@]}" \
	-append "$append" </dev/null > "$log.qemu" 2>&1 || status=$?

# The verdict is negative unless everything speaks for the kernel.
verdict=0
if [ "$status" -eq 124 ]; then
	echo "boot.sh: no end within ${TIMEOUT:-120} s" >&2
	verdict=1
elif [ "$status" -ne 0 ]; then
	tail -n 5 "$log.qemu" >&2
	echo "boot.sh: $emulator ended with status $status" >&2
	verdict=1
fi
found=$(sed -n 's/.*init: reached, \([0-9]*\) PCI devices.*/\1/p' "$log")
if [ -z "$found" ]; then
	echo "boot.sh: init was not reached" >&2
	verdict=1
elif [ "$found" -lt "$few" ]; then
	echo "boot.sh: only $found PCI devices, not $few" >&2
	verdict=1
fi
console_problems "$log" || verdict=1
if [ $verdict -ne 0 ]; then
	echo "boot.sh: console in $log, command in $log.cmd" >&2
fi
exit $verdict
