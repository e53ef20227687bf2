# SPDX-License-Identifier: GPL-2.0
"""Scenarios that must be reported as failing; test_busted.py runs them.

Each would pass if the harness believed what the scenario itself says.
"""

import os

from harness import config, machines

MACHINE = machines.native(config.arch()) or machines.by_arch(config.arch())[0].name


def test_oops_on_console(boot):
    """The kernel log says Oops while the scenario is content"""
    vm = boot(MACHINE)
    vm.agent.write("/dev/kmsg", "<1>Oops: 0002 [#1] SMP (this is a test of the harness)\n")


def test_real_crash(boot):
    """The kernel dies behind the scenario's back"""
    vm = boot(MACHINE)
    vm.allow.append(".")
    vm.agent.write("/proc/sys/kernel/sysrq", "1")
    try:
        vm.agent.write("/proc/sysrq-trigger", "c", limit=3)
    except Exception:
        pass


def test_warning_in_shared_output(boot):
    """A warning that is not the last thing on the console"""
    vm = boot(MACHINE)
    vm.agent.write("/dev/kmsg", "<4>WARNING: CPU: 0 PID: 1 at drivers/pci/nowhere.c:1 nothing()\n")
    vm.agent.write("/dev/kmsg", "<6>all is well again\n")
    vm.rescan()


def test_harness_dies(boot):
    """The harness itself ends in the middle"""
    boot(MACHINE)
    os._exit(3)
