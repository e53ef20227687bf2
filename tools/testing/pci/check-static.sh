#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# check-static.sh [STEP...]: what a maintainer's tools say about the series.
# Only what the base does not say already counts.  Steps, default all:
#
#	files		checkpatch --strict on each new file
#	patches		checkpatch --strict on each mail of the series
#	doc		kernel-doc on new and changed files
#	compiler	W=1 and sparse, x86_64 allmodconfig
#	arm64, ppc64le	W=1, the configuration the tests use
#	cocci		coccicheck on drivers/pci
#	spdx		a licence line in every file
#	maintainers	get_maintainer.pl knows every new file
#
# Findings are in build/static.  Last line: "N passed, N failed".

set -eu
# shellcheck source=tools/testing/pci/lib.sh
. "$(dirname "$0")/lib.sh"

jobs=${JOBS:-$(nproc)}
static=$top/build/static
mkdir -p "$static"
ccache_setup

"$top/series/deps" build deep x86_64 arm64 ppc64le
base=$("$top/series/pq" base | tail -n 1)
"$top/series/pq" compose > "$static/compose.log" || die "see $static/compose.log"
src=$top/build/linux
git=(git -c safe.directory='*' -C "$src")
mapfile -t new < <("${git[@]}" diff --no-renames --name-only --diff-filter=A base-tag pci)
mapfile -t changed < <("${git[@]}" diff --no-renames --name-only --diff-filter=M base-tag pci)
[ ${#new[@]} -gt 0 ] || die "the series has no new file"

# only REGEX FILE...: those that match.
only()
{
	local regex=$1
	shift
	printf '%s\n' "$@" | grep -E "$regex" || true
}

# Findings of these kinds are not about code: MAINTAINERS comes in one piece,
# and a patch that only adds files has no diff of its own here.
ignored=FILE_PATH_CHANGES,MAINTAINERS_STYLE,NOT_UNIFIED_DIFF
# TRACE_EVENT() is not C as checkpatch knows it.
ignored_trace=OPEN_ENDED_LINE,PARENTHESIS_ALIGNMENT,SPACING,TRAILING_SEMICOLON
# The kernel's own headers are not for user space.
ignored_user=ARRAY_SIZE,BIT_MACRO,CAMELCASE,ENOSYS,PREFER_DEFINED_ATTRIBUTE_MACRO,STRCPY

# Without a git directory checkpatch does not run spdxcheck.py, which wants all
# of the kernel in git; do_spdx is there instead.
checkpatch()
{
	(cd "$src" && GIT_DIR=none perl scripts/checkpatch.pl --strict \
		--codespell --quiet --terse --no-summary --show-types --root=. \
		"$@")
}

# Findings that stay, "file:line: LEVEL:TYPE: text", with the reason.
accepted=(
	# Linker symbols, declared beside the others of their kind.
	-e ': WARNING:AVOID_EXTERNS: .* name:__(start|end)_pci_fixups_'
	# DECLARE_PCI_FIXUP_*() all paste the hook into a name and a pointer.
	-e ": CHECK:MACRO_ARG_REUSE: Macro argument reuse 'hook'"
	# What defines or walks something names it more than once.
	-e ": CHECK:MACRO_ARG_REUSE: Macro argument reuse 'var'"
	-e "pci-pipeline.h:[0-9]*: CHECK:MACRO_ARG_REUSE: Macro argument reuse 'd'"
	# The name of a device file, not of the function.
	-e "agent/main.c:[0-9]*: WARNING:EMBEDDED_FUNCTION_NAME: .* 'kmsg'"
	# An interface whose header is not to be had.
	-e "qemu/insns.c:[0-9]*: WARNING:AVOID_EXTERNS"
	# High definition audio.
	-e ": WARNING:TYPO_SPELLING: 'HDA' may"
	# Variables that the base has.
	-e "powerpc-eeh-.*: WARNING:TYPO_SPELLING: '(alo|piar)' may"
)

# refused FILE: print the findings in FILE that are not accepted; succeed if
# there are some.
refused()
{
	grep -vE "${accepted[@]}" "$1"
}

do_files()
{
	local file status=0 more

	while read -r file; do
		[ -n "$file" ] || continue
		more=$ignored
		case $file in
		*/trace.h) more=$more,$ignored_trace ;;
		tools/*) more=$more,$ignored_user ;;
		esac
		checkpatch --ignore "$more" --file "$file" > "$static/finding" ||
			true
		! refused "$static/finding" || status=1
	done < <(only '\.(c|h|rst)$|/(Kconfig|Makefile)$' "${new[@]}")
	return $status
}

# The edits and the messages; new files have had their turn.
do_patches()
{
	local mail status=0

	for mail in "$top"/series/*.patch; do
		checkpatch --ignore "$ignored" --patch "$mail" > "$static/finding" ||
			true
		! refused "$static/finding" || status=1
	done
	return $status
}

# kernel_doc TREE OUT
kernel_doc()
{
	local file

	: > "$2"
	for file in "${new[@]}" "${changed[@]}"; do
		case $file in
		*.c | *.h)
			[ ! -f "$1/$file" ] ||
			(cd "$1" && perl scripts/kernel-doc -none -Wall "$file") >> "$2" 2>&1 ||
				true
			;;
		esac
	done
}

do_doc()
{
	kernel_doc "$base" "$static/doc.base"
	kernel_doc "$src" "$static/doc.series"
	news "$static/doc.base" "$static/doc.series" && do_rst
}

# Tables and markup; what is Sphinx's own docutils does not know.
do_rst()
{
	local file

	for file in "${new[@]}"; do
		[[ $file != *.rst ]] ||
			/usr/bin/python3 -m docutils --report=2 "$src/$file" \
				/dev/null 2>&1 | sed "s|^$src/||"
	done | grep -E '\((WARNING|ERROR|SEVERE)/' |
		grep -v 'Unknown directive type "kernel-doc"' || return 0
	return 1
}

# compile ARCH TREE NAME ARGUMENT...: build PCI and all that the series touches
# in an object directory of its own, and leave the findings in NAME.
compile()
{
	local arch=$1 from=$2 name=$3 out=$static/$3 fragments goals file

	shift 3
	arch_setup "$arch"
	mkdir -p "$out"
	farm "$from" "$out/tree"
	if [ "$arch" = x86_64 ]; then
		KCONFIG_ALLCONFIG=$here/configs/static.config \
			kmake "$out/tree" -s allmodconfig > "$out/log" 2>&1 || return
	else
		fragments=()
		for file in common "$arch" devices userland; do
			fragments+=("$here/configs/$file.config")
		done
		merge_config "${fragments[@]}" > "$out/fragment"
		KCONFIG_ALLCONFIG=$out/fragment \
			kmake "$out/tree" -s allnoconfig > "$out/log" 2>&1 || return
	fi
	goals="drivers/pci/"
	[ "$arch" != x86_64 ] || goals="$goals arch/x86/pci/"
	# Of other directories only what the series touches: one of them holds
	# a driver of a thousand files.
	for file in $(only '\.c$' "${changed[@]}"); do
		[ -f "$from/$file" ] || continue
		case $arch:$file in
		*:drivers/pci/* | x86_64:arch/x86/pci/*) ;;
		# 32-bit only
		ppc64le:arch/powerpc/kernel/pci_32.c | ppc64le:arch/powerpc/platforms/[!p]*) ;;
		x86_64:arch/x86/* | arm64:arch/arm64/* | ppc64le:arch/powerpc/*)
			goals="$goals ${file%.c}.o" ;;
		# No x86_64 has these
		*:arch/* | *:drivers/eisa/* | *:drivers/misc/cxl/* | *:drivers/parisc/*) ;;
		x86_64:*)
			goals="$goals ${file%.c}.o" ;;
		esac
	done
	# Every file is to be compiled, for its warnings.
	find "$out/tree/obj/drivers" "$out/tree/obj/arch" -name '*.o' -delete 2>/dev/null || true
	# shellcheck disable=SC2086
	if ! kmake "$out/tree" -k -j"$jobs" "$@" $goals >> "$out/log" 2>&1; then
		echo "$name does not build, see $out/log"
		grep -E 'error: |\*\*\* |No rule' "$out/log" | head -n 10
		return 1
	fi
	grep -E '(warning|error): ' "$out/log" > "$out/findings" || true
}

# The base's findings are made once for each list of touched files.
compile_base()
{
	local key

	key=$(printf '%s ' "$base" "$@" "${changed[@]}" |
		cat - "$here"/configs/*.config | sha256sum)
	if [ "$(cat "$static/$2/key" 2>/dev/null)" != "$key" ]; then
		compile "$1" "$base" "$2" "${@:3}" || return
		echo "$key" > "$static/$2/key"
	fi
}

# not_built: changed files of ours that no build above has an object of.
not_built()
{
	local file status=0 name found

	while read -r file; do
		[ -n "$file" ] || continue
		found=0
		for name in compiler arm64 ppc64le; do
			[ ! -f "$static/$name/tree/obj/${file%.c}.o" ] || found=1
		done
		[ $found -eq 0 ] || continue
		case $file in
		arch/x86/* | arch/arm64/* | arch/powerpc/platforms/p[os]*)
			echo "$file: not built" && status=1 ;;
		arch/*)
			echo "note: $file: no compiler here for it" ;;
		*)
			echo "note: $file: not in these configurations" ;;
		esac
	done < <(only '\.c$' "${new[@]}" "${changed[@]}" | grep -v '^tools/')
	return $status
}

do_compiler()
{
	local sparse=(W=1 C=2 "CF=-D__CHECK_ENDIAN__")

	compile_base x86_64 compiler-base "${sparse[@]}" || return
	compile x86_64 "$src" compiler "${sparse[@]}" || return
	news "$static/compiler-base/findings" "$static/compiler/findings"
}

do_arm64()
{
	compile_base arm64 arm64-base W=1 || return
	compile arm64 "$src" arm64 W=1 || return
	news "$static/arm64-base/findings" "$static/arm64/findings"
}

do_ppc64le()
{
	compile_base ppc64le ppc64le-base W=1 || return
	compile ppc64le "$src" ppc64le W=1 || return
	news "$static/ppc64le-base/findings" "$static/ppc64le/findings" || return
	not_built
}

# cocci TREE OUT
cocci()
{
	arch_setup x86_64
	(
		cd "$1"
		env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL make -s coccicheck \
			MODE=report M=drivers/pci J="$jobs" </dev/null
	) > "$2.log" 2>&1 || true
	# The base does not have the series' own script, which finds the PCI core.
	grep -E '^(\./)?[^ ]+:[0-9]+(:[0-9-]+)?: ' "$2.log" |
		grep -vE ' without (assigning|claiming)$' > "$2" || true
	# No finding and no run look alike.
	grep -qi 'coccinelle\|coccicheck\|spatch\|Please check' "$2.log" &&
		! grep -q 'coccicheck failed' "$2.log"
}

do_cocci()
{
	[ -s "$static/cocci.base.log" ] || cocci "$base" "$static/cocci.base" || return
	cocci "$src" "$static/cocci.series" || return
	news "$static/cocci.base" "$static/cocci.series"
}

do_spdx()
{
	local file status=0

	while read -r file; do
		# Text that has no comments, or is quoted whole.
		case $file in
		./LICENSE | ./README.md | ./MAINTAINERS | *.patch | */series/series | \
		./.gitignore | *.gitattributes | ./series/cover.txt | \
		./series/base.lock | *.expected | *.json | */pqlib/attributes | */.kunitconfig)
			continue ;;
		esac
		head -n 2 "$top/$file" | grep -q 'SPDX-License-Identifier: GPL-2.0' ||
			{ echo "$file: no SPDX line"; status=1; }
	done < <(cd "$top" && find . \( -name build -o -name .git -o -name __pycache__ \
		-o -name .pytest_cache \) -prune -o -type f -print)
	return $status
}

do_maintainers()
{
	local file status=0

	for file in "${new[@]}"; do
		(cd "$src" && perl scripts/get_maintainer.pl --no-git \
			--no-git-fallback --sections --nol --nom -f "$file") 2>&1 |
			grep -q '^PCI ENUMERATION PIPELINE' ||
			{ echo "$file: not in our section of MAINTAINERS"; status=1; }
	done
	return $status
}

all="files patches doc compiler arm64 ppc64le cocci spdx maintainers"
passed=0
failed=0
for step in "${@:-$all}"; do
	for one in $step; do
		case " $all " in
		*" $one "*) ;;
		*) die "unknown step '$one': $all" ;;
		esac
		start=$SECONDS
		status=0
		"do_$one" > "$static/$one.out" 2>&1 || status=$?
		head -n 40 "$static/$one.out"
		if [ $status -eq 0 ]; then
			passed=$((passed + 1))
			echo "$one: nothing new ($((SECONDS - start)) s)"
		else
			failed=$((failed + 1))
			echo "$one: FAILED, see $static/$one.out ($((SECONDS - start)) s)"
		fi
	done
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
