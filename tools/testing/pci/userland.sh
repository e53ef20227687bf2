#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# userland.sh AGENT [MODULES CONFIG]: a Debian 12 with systemd and udev to boot
# a kernel with, for this machine's architecture; the last line on stdout is
# its directory:
#
#	root.ext4	root file system, label pci-userland, with the guest
#			agent as a service on the second serial port
#	initrd.img	what initramfs-tools makes of the module tree MODULES (holds
#			lib/modules/<release>) of the kernel with this CONFIG; only
#			if they are given
#
# Made once under build/userland for each set of inputs, with the packages of
# the mirrors that apt on this machine is set up for.

set -eu
# shellcheck source=tools/testing/pci/lib.sh
. "$(dirname "$0")/lib.sh"

[ $# -eq 1 ] || [ $# -eq 3 ] || die "usage: userland.sh AGENT [MODULES CONFIG]"
agent=$1
modules=${2:-}
config=${3:-}
suite=bookworm
packages=(dbus initramfs-tools kmod systemd-sysv udev zstd)

root=()
[ "$(id -u)" -eq 0 ] || root=(sudo)
dir=$top/build/userland
mkdir -p "$dir"
log=$dir/log

failed()
{
	tail -n 15 "$log" >&2
	die "$1 failed, see $log"
}

exec 9> "$dir/lock"
flock 9

# key: a name for what this script makes of standard input.
key()
{
	cat "$0" - | sha256sum | cut -c 1-16
}

# The machine's mirrors of the suite, in apt's one-line format.
sources()
{
	# shellcheck disable=SC2016
	apt-get indextargets --format 'deb $(REPO_URI) $(RELEASE) $(COMPONENT)' \
		'Created-By: Packages' 'Origin: Debian' |
		grep -E " $suite([-/][a-z]+)? " | sort -u
}

# What does not depend on the kernel: the packages.
base=$dir/$suite-$(key < /dev/null).tar
if ! [ -f "$base" ]; then
	"$top/series/deps" deep
	[ -n "$(sources)" ] || "${root[@]}" apt-get -q update > "$log" 2>&1 || true
	[ -n "$(sources)" ] || die "apt on this machine has no lists of $suite"
	# Proxies, and what it takes to use an archive that is frozen in time.
	apt-config dump | grep -E '^Acquire::(https?|Check-)' > "$dir/apt.conf" || true
	rm -f "$dir"/*.tar
	"${root[@]}" mmdebstrap --quiet --variant=minbase --aptopt="$dir/apt.conf" \
		--include="$(IFS=,; echo "${packages[*]}")" \
		--format=tar "$suite" "$base.new" - < <(sources) > "$log" 2>&1 9>&- ||
		failed "mmdebstrap"
	mv "$base.new" "$base"
fi

inputs()
{
	cat "$agent"
	if [ -n "$modules" ]; then
		cat "$config"
		find "$modules" -type f -print0 | sort -z | xargs -0 cat
	fi
}

out=$dir/debian-$(inputs | key)
if ! [ -d "$out" ]; then
	new=$out.new
	"${root[@]}" rm -rf "$new"
	# Those of earlier kernels, unless somebody may be booting them.
	"${root[@]}" find "$dir" -maxdepth 1 -name 'debian-*' -mmin +1440 -exec rm -rf {} +
	mkdir -p "$new"
	"${root[@]}" bash -eu -s "$new" "$base" "$agent" "$modules" "$config" \
		> "$log" 2>&1 9>&- <<-'END' || failed "making the image"
	out=$1 tree=$1/root
	mkdir "$tree"
	tar -C "$tree" -xf "$2"
	cp "$3" "$tree/usr/local/sbin/agent"
	echo "LABEL=pci-userland / ext4 errors=remount-ro 0 1" > "$tree/etc/fstab"
	echo guest > "$tree/etc/hostname"
	# Not the first boot, which would ask questions.
	echo 0123456789abcdef0123456789abcdef > "$tree/etc/machine-id"
	cat > "$tree/etc/systemd/system/agent.service" <<-UNIT
	[Unit]
	Description=Guest agent
	[Service]
	ExecStart=/usr/local/sbin/agent /dev/ttyS1
	[Install]
	WantedBy=multi-user.target
	UNIT
	chroot "$tree" systemctl enable agent.service
	if [ -n "$4" ]; then
		release=$(ls "$4/lib/modules")
		cp -R --no-preserve=ownership "$4/lib/modules" "$tree/usr/lib/"
		cp "$5" "$tree/boot/config-$release"
		chroot "$tree" update-initramfs -c -k "$release"
		cp "$tree/boot/initrd.img-$release" "$out/initrd.img"
	fi
	mke2fs -q -t ext4 -L pci-userland -d "$tree" "$out/root.ext4" 1G
	chmod 644 "$out"/*.*
	rm -rf "$tree"
	END
	mv "$new" "$out"
fi
touch "$out"
echo "$out"
