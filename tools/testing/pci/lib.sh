# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Sourced by the scripts beside it: where things are, which toolchain builds
# what, and how to run the kernel's make so that ccache and incremental builds
# work whatever the checkout and the source tree are called.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
top=$(cd "$here/../../.." && pwd -P)
export LC_ALL=C
# series/deps installs Debian's tools, so these are the ones to use; depmod is
# not in a user's PATH.
export PATH=/usr/bin:/bin:/usr/sbin:/sbin:$PATH

die()
{
	echo "${0##*/}: $*" >&2
	exit 1
}

# arch_setup ARCH: the kernel's name for it, the cross prefix, make's target,
# the image inside the object directory, about how many objects there are, and
# the machines that boot.sh has for it.
# shellcheck disable=SC2034
arch_setup()
{
	case $1 in
	x86_64)
		karch=x86_64 cross='' target=bzImage machines="q35 pc"
		image=arch/x86/boot/bzImage
		objects=2100
		;;
	arm64)
		karch=arm64 cross=aarch64-linux-gnu- target=Image machines=virt
		image=arch/arm64/boot/Image
		objects=1900
		;;
	ppc64le)
		karch=powerpc cross=powerpc64le-linux-gnu- target=vmlinux
		machines="pseries powernv powernv8"
		image=vmlinux
		objects=1650
		;;
	ppc32)
		karch=powerpc cross=powerpc-linux-gnu- target=vmlinux
		machines=ppce500
		image=vmlinux
		objects=1500
		;;
	riscv64)
		karch=riscv cross=riscv64-linux-gnu- target=Image machines=virt
		image=arch/riscv/boot/Image
		objects=1700
		;;
	s390x)
		karch=s390 cross=s390x-linux-gnu- target=bzImage machines=ccw
		image=arch/s390/boot/bzImage
		objects=1300
		;;
	*)
		die "unknown ARCH '$1': must be x86_64, arm64, ppc64le, ppc32, riscv64 or s390x"
		;;
	esac
	[ "$(uname -m)" != "$karch" ] || cross=''
	compiler_setup
}

# compiler_setup: cc and hostcc for kmake, by the prefix in cross.
compiler_setup()
{
	cc=${cross}gcc
	hostcc=gcc
	if command -v ccache >/dev/null; then
		cc="ccache $cc"
		hostcc="ccache $hostcc"
	fi
}

# ccache: one cache for all checkouts of this user if there is a home to keep
# it in; objects do not depend on the working directory (see farm()).
ccache_setup()
{
	if [ -z "${CCACHE_DIR:-}" ] && ! [ -w "${HOME:-/nonexistent}" ]; then
		export CCACHE_DIR="$top/build/ccache"
	fi
	export CCACHE_NOHASHDIR=1
	if [ -n "${CCACHE_DIR:-}" ]; then
		mkdir -p "$CCACHE_DIR"
	fi
}

# farm TREE DIR: make DIR look like the source tree, by a symbolic link for
# each entry of its top directory.  Objects go to DIR/obj: to the kernel's
# Makefile this is a build in a subdirectory of the source tree, so it uses
# srctree=.. and no absolute path reaches a compiler command line.  A ccache
# hit then needs neither the same checkout nor the same source tree.
farm()
{
	local src=$1 dir=$2 entry link

	[ -f "$src/Kbuild" ] || die "$src is not a kernel source tree"
	src=$(cd "$src" && pwd -P)
	mkdir -p "$dir"
	# Objects of another tree can be younger than this tree's sources.
	if [ "$(cat "$dir/.origin" 2>/dev/null)" != "$src" ]; then
		rm -rf "$dir"
		mkdir -p "$dir"
		echo "$src" > "$dir/.origin"
	fi
	mkdir -p "$dir/obj"
	for link in "$dir"/*; do
		if [ -L "$link" ] && ! [ -e "$link" ]; then
			rm -f "$link"
		fi
	done
	for entry in "$src"/*; do
		link=$dir/${entry##*/}
		[ -L "$link" ] || ln -s "$entry" "$link"
	done
}

# kmake DIR ARGUMENT...: the kernel's make in a farm, after arch_setup.  The
# caller's make variables, locale and time stay outside, so the same sources
# give the same image.
kmake()
{
	local dir=$1
	shift
	env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL -u ARCH -u BASE -u VARIANT \
	    -u TREE -u OUT -u CFLAGS -u KCFLAGS -u KBUILD_OUTPUT -u V -u W -u C \
	    -u INSTALL_MOD_PATH \
	    KBUILD_BUILD_TIMESTAMP=1970-01-01 KBUILD_BUILD_USER=pci \
	    KBUILD_BUILD_HOST=pci KBUILD_BUILD_VERSION=1 \
	    make -C "$dir" O=obj ARCH="$karch" CROSS_COMPILE="$cross" \
	    CC="$cc" HOSTCC="$hostcc" LOCALVERSION= "$@" </dev/null
}

# merge_config FRAGMENT...: one fragment on stdout, the last word of each
# option wins.
merge_config()
{
	awk '/^CONFIG_[A-Za-z0-9_]+=/ {
		name = substr($0, 1, index($0, "=") - 1)
		if (!(name in value))
			order[++n] = name
		value[name] = $0
	}
	END { for (i = 1; i <= n; i++) print value[order[i]] }' "$@"
}

# plain: findings without what moves when code moves: line numbers, addresses
# and the way to the tree.
plain()
{
	sed -E -e 's,^(\./|\.\./)+,,' -e 's/:[0-9]+(:[0-9]+)?:/:/g' \
		-e 's/0x[0-9a-f]+/0x/g' -e 's/\bline [0-9]+/line/g' | sort
}

# news BASE SERIES: what only the second file of findings has.
news()
{
	local fresh

	fresh=$(comm -13 <(plain < "$1") <(plain < "$2"))
	[ -z "$fresh" ] || printf '%s\n' "$fresh"
	[ -z "$fresh" ]
}

# init_archive: path of an initramfs with nothing but init.c, after arch_setup.
init_archive()
{
	local dir=$top/build/init/${cross:-$karch}

	mkdir -p "$dir"
	(
		flock 8
		if [ "$here/init.c" -nt "$dir/init.cpio" ]; then
			mkdir -p "$dir/root/dev" "$dir/root/proc" "$dir/root/sys"
			"${cross}gcc" -O2 -Wall -Wextra -Werror -static \
				-o "$dir/root/init" "$here/init.c"
			cd "$dir/root" || exit
			find . | sort | cpio --quiet -o -H newc -R 0:0 > ../init.cpio.new
			mv ../init.cpio.new ../init.cpio
		fi
	) 8> "$dir/lock"
	echo "$dir/init.cpio"
}

# console_problems LOG: print what must not appear on a console; fail if any.
console_problems()
{
	PYTHONPATH=$here/qemu /usr/bin/python3 -B - "$1" <<-'EOF'
	import sys
	from harness import console
	with open(sys.argv[1], errors="replace") as log:
	    text = log.read()
	# The KUnit suites make allocations fail, and the driver core says so;
	# and they forget a hold of their own.
	bad = [line for line in console.problems(text)
	       if not ("kobject_add_internal failed" in line and "error: -12 " in line)
	       and 'hold "test-' not in line]
	bad += [line for line in text.splitlines() if "init: leak:" in line]
	for line in bad[:20]:
	    print("on the console:", line, file=sys.stderr)
	sys.exit(bool(bad))
	EOF
}
