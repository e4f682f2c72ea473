"""`kt demo` compares what it shows with what it expects; a row that is not ok is its failure."""

import os
import subprocess
import sys

import pytest


@pytest.mark.slow
def test_the_demo_shows_what_it_expects() -> None:
    environment = {**os.environ, "NO_COLOR": "1", "COLUMNS": "120"}
    result = subprocess.run(
        [sys.executable, "-m", "kt", "demo"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (result.returncode, result.stderr) == (0, "")
    assert "output_blocked" in result.stdout
