# SPDX-License-Identifier: GPL-2.0
"""The harness reports failure when there is one, and nothing else as a pass."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from harness import config

HERE = Path(__file__).resolve().parent
CASES = {
    "oops-on-console": "Oops",
    "real-crash": "ended by itself",
    "warning-in-shared-output": "WARNING",
    "harness-dies": "did not come to its end",
}


@pytest.mark.parametrize("case", CASES)
def test_reported_as_failing(case, tmp_path, request):
    """BUSTED: a scenario that goes wrong unnoticed by itself is reported as failing"""
    env = dict(os.environ, PCI_RUN_ID="busted", PCI_RESULTS=str(config.results() / os.environ[
        "PCI_RUN_ID"] / f"busted-{case}"))
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:xdist", str(HERE / "busted_scenarios.py"),
         "-k", case.replace("-", "_")], cwd=HERE, env=env, stdin=subprocess.DEVNULL,
        capture_output=True, text=True, timeout=200 * config.scale())
    where = Path(env["PCI_RESULTS"]) / "busted"
    results = [json.loads(p.read_text()) for p in where.glob("*/result.json")]
    assert len(results) == 1, done.stdout
    assert results[0]["verdict"] == "fail", results
    assert CASES[case] in results[0]["reason"], results
    assert done.returncode != 0, done.stdout
    guest = where / results[0]["name"] / "guest0"
    for left in ("command.sh", "console.log", "agent.log"):
        assert (guest / left).stat().st_size, f"{left} was not left behind"
    if case == "oops-on-console":
        assert (guest / "trace.txt").exists()
