# SPDX-License-Identifier: GPL-2.0
"""QEMU harness for the PCI tests: machines, guests, and what is read from them."""
