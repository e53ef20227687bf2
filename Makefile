# SPDX-License-Identifier: GPL-2.0
#
# Thin: every target calls one script.
#
#	ARCH=x86_64|arm64|ppc64le	target machine (default x86_64); kernel and
#					check also ppc32, riscv64 and s390x
#	BASE=1				the unpatched kernel
#	VARIANT=modular|debug|kunit	another configuration of the kernel

ARCH ?= x86_64
BASE ?=
VARIANT ?=
export ARCH BASE VARIANT
export LOG HOTADD SVG DUMP ROOT IOMEM OPTIONS

pci := tools/testing/pci

ifeq ($(filter $(ARCH),x86_64 arm64 ppc64le ppc32 riscv64 s390x),)
$(error unknown ARCH '$(ARCH)': must be x86_64, arm64, ppc64le, ppc32, riscv64 or s390x)
endif

help:
	@echo "make run         build, boot under QEMU, hot-add devices, show what happened"
	@echo "make check       all tests"
	@echo "make check-deep  and the debug kernel, every patch, static checks"
	@echo "make kernel      build a kernel; the last line is the image's path"
	@echo "make shell       boot it and give a shell in the guest"
	@echo "make bench       base and series side by side"
	@echo "make replay LOG=dmesg.txt [HOTADD=...] [SVG=map.svg]"
	@echo "                 plan what a machine's log shows: tools/testing/pci/replay/README"
	@echo "make series      the series as mails for git am, in build/series"
	@echo "make compose     the kernel tree with the series, in build/linux"
	@echo "make save        take the commits made there back into the series"
	@echo
	@echo "ARCH=x86_64|arm64|ppc64le  BASE=1 (unpatched kernel)  VARIANT=modular|debug|kunit"
	@echo "kernel and check also with ARCH=ppc32|riscv64|s390x"

run:
	@$(pci)/run.sh run

shell:
	@$(pci)/run.sh shell

bench:
	@$(pci)/run.sh bench

replay:
	@$(pci)/replay.sh

check:
	@$(pci)/check.sh check

check-deep:
	@$(pci)/check.sh deep

kernel:
	@$(pci)/kernel.sh

series:
	@series/deps build
	@series/pq export

compose:
	@series/deps build
	@series/pq compose

save:
	@series/deps build
	@series/pq save

.PHONY: help run shell bench replay check check-deep kernel series compose save
