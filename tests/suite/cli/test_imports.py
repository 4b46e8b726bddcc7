"""What each verb imports, in a process of its own: only what it needs, and nothing large for `--help`."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from command import environment
from environments import stand_in
from run_files import run_file

from joulemark.suite.cli.app import VERBS
from joulemark.suite.records import write

pytestmark = pytest.mark.slow

FRAMEWORKS = {"torch", "tensorflow", "keras", "jax"}
LARGE = {*FRAMEWORKS, "numpy", "pandas", "scipy", "plotly", "codecarbon", "duckdb"}

IMPORT_REPORT = """
import atexit, json, sys
def report():
    print("MODULES" + json.dumps(sorted({name.split(".")[0] for name in sys.modules})), file=sys.stderr)
atexit.register(report)
sys.argv = ["joulemark", *sys.argv[1:]]
from joulemark.suite.cli.app import main
main()
"""

PYTORCH = "--framework pytorch --python pytorch=./python"
DOCTOR = "doctor --python pytorch=/nowhere --python tensorflow=/nowhere"
"""What their children import is not asked here."""
ALLOWED: dict[str, set[str]] = {
    f"run --dry-run {PYTORCH}": {"numpy"},
    "list": {"numpy"},
    f"list --cases {PYTORCH}": {"numpy"},
    "list --runs": {"numpy", "scipy", "duckdb"},
    "show latest": {"numpy", "scipy"},
    "report latest -o page.html": {"numpy", "scipy", "plotly"},
    "compare latest --by framework": {"numpy", "scipy"},
    f"ab --a-threads 1 --b-threads 2 {PYTORCH} --dry-run": {"numpy", "scipy"},
    "check --baseline 20261101": {"numpy", "scipy"},
    "calibrate latest": {"numpy", "scipy"},
    "baseline list": set(),
    "history": {"numpy", "scipy", "duckdb"},
    "export latest --format csv": {"numpy", "scipy"},
    "export latest --format markdown": {"numpy", "scipy"},
    "measure --sensor simulated:rapl/constant --no-report -- true": {"numpy", "scipy"},
    DOCTOR: {"numpy"},
    "intensity CH": set(),
    "when CH": set(),
    "estimate --hours 1 --memory-gb 4": set(),
    "schema": set(),
    "--version": set(),
    "--help": set(),
}
"""The large packages that a command may import."""

EXIT_CODES = {"check --baseline 20261101": {4}, "calibrate latest": {3}, DOCTOR: {0, 4}, "when CH": {2}}
"""Exit codes other than 0: one run has nothing to calibrate with, and no token is set."""


def imported_modules(home: Path, *arguments: str) -> tuple[int, set[str], str]:
    """Run `joulemark ARGUMENTS`; return its exit code, the top-level modules imported at its end, and its errors."""
    done = subprocess.run(
        [sys.executable, "-P", "-c", IMPORT_REPORT, *arguments],
        env=environment(home),
        cwd=home,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    errors, _, modules = done.stderr.rpartition("MODULES")
    return done.returncode, set(json.loads(modules)), errors


@pytest.mark.parametrize("command", ALLOWED)
def test_verb_imports_only_what_it_needs(tmp_path: Path, command: str) -> None:
    stand_in(tmp_path)
    write(run_file(), tmp_path / "runs" / "20261101T120000Z-a1b2.json")
    write(run_file(id="20261102T120000Z-a1b2"), tmp_path / "runs" / "20261102T120000Z-a1b2.json")
    code, modules, errors = imported_modules(tmp_path, *command.split())
    assert code in EXIT_CODES.get(command, {0}), errors
    assert modules & LARGE <= ALLOWED[command]


def test_every_verb_is_run() -> None:
    assert set(VERBS) <= {command.split()[0] for command in ALLOWED}


HELP_REPORT = """
import json, os, sys
from joulemark.suite.cli.app import VERBS, main
for verb in VERBS:
    if os.fork() == 0:
        sys.argv = ["joulemark", verb, "--help"]
        try:
            main()
        except SystemExit as end:
            modules = sorted({name.split(".")[0] for name in sys.modules})
            print(json.dumps([verb, end.code, modules]), file=sys.stderr, flush=True)
        os._exit(0)
    os.wait()
"""
"""Each verb in a process of its own, which has imported what all of them do."""


def test_help_imports_nothing_large(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-P", "-c", HELP_REPORT],
        env=environment(tmp_path),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    reports = [json.loads(line) for line in done.stderr.splitlines()]
    assert [(verb, code) for verb, code, _ in reports] == [(verb, 0) for verb in VERBS]
    assert [verb for verb, _, modules in reports if LARGE.intersection(modules)] == []
