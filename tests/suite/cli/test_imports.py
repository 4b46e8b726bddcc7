"""What each verb imports, in a process of its own: only what it needs, and nothing large for `--help`."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from command import environment
from environments import none_of, stand_in
from run_files import run_file

from joulemark.suite.cli.app import VERBS
from joulemark.suite.records import write

pytestmark = pytest.mark.slow

FRAMEWORKS = {"torch", "tensorflow", "keras", "jax"}
LARGE = {*FRAMEWORKS, "numpy", "pandas", "scipy", "plotly", "codecarbon", "duckdb"}

IMPORT_REPORT = """
import atexit, json, os, sys
from joulemark.suite.cli.app import main
def report():
    print("MODULES" + json.dumps(sorted({name.split(".")[0] for name in sys.modules})), file=sys.stderr, flush=True)
for arguments in json.loads(sys.argv[1]):
    if (child := os.fork()) == 0:
        atexit.register(report)
        sys.argv = ["joulemark", *arguments]
        main()
    print("CODE", os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), file=sys.stderr, flush=True)
"""
"""Each command in a process of its own, which has imported what all of them do."""

PYTORCH = "--framework pytorch --python pytorch=./python"
DOCTOR = " ".join(("doctor", *none_of()))
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
    f"sweep --over threads=1,2 {PYTORCH} --dry-run": {"numpy", "scipy"},
    "check --baseline 20261101": {"numpy", "scipy"},
    "calibrate latest": {"numpy", "scipy"},
    "baseline list": set(),
    "history": {"numpy", "scipy", "duckdb"},
    "export latest --format csv": {"numpy", "scipy"},
    "export latest --format markdown": {"numpy", "scipy"},
    "measure --sensor simulated:rapl/constant --no-report -- true": {"numpy", "scipy"},
    "watch --sensor simulated:rapl/constant --duration 0.5 --serve 0": set(),
    "job .": {"numpy", "scipy"},
    DOCTOR: {"numpy"},
    "intensity CH": set(),
    "when CH": set(),
    "estimate --hours 1 --memory-gb 4": set(),
    "references": {"numpy", "scipy"},
    "schema": set(),
    "--version": set(),
    "--help": set(),
}
"""The large packages that a command may import."""

EXIT_CODES = {"check --baseline 20261101": {4}, "calibrate latest": {3}, DOCTOR: {0, 4}, "when CH": {2}, "job .": {2}}
"""Exit codes other than 0: no run is of a job, one run has nothing to calibrate with, and no token is set."""


def imports(home: Path, *commands: list[str]) -> list[tuple[int, set[str], str]]:
    """Run the commands; return the exit code of each, the top-level modules imported at its end, and its errors."""
    done = subprocess.run(
        [sys.executable, "-P", "-c", IMPORT_REPORT, json.dumps(commands)],
        env=environment(home),
        cwd=home,
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    answers = re.findall(r"(.*?)MODULES(\[.*?\])\nCODE (\d+)\n", done.stderr, re.DOTALL)
    assert len(answers) == len(commands), done.stderr
    return [(int(code), set(json.loads(modules)), errors) for errors, modules, code in answers]


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[int, set[str], str]]:
    """What each command says and imports, in a home with two runs."""
    home = tmp_path_factory.mktemp("home")
    stand_in(home)
    for day in (1, 2):
        run = run_file(id=f"2026110{day}T120000Z-a1b2")
        write(run, home / "runs" / f"{run.run.id}.json")
    return dict(zip(ALLOWED, imports(home, *(command.split() for command in ALLOWED)), strict=True))


@pytest.mark.parametrize("command", ALLOWED)
def test_verb_imports_only_what_it_needs(answers: dict[str, tuple[int, set[str], str]], command: str) -> None:
    code, modules, errors = answers[command]
    assert code in EXIT_CODES.get(command, {0}), errors
    assert modules & LARGE <= ALLOWED[command]


def test_every_verb_is_run() -> None:
    assert set(VERBS) <= {command.split()[0] for command in ALLOWED}


def test_help_imports_nothing_large(tmp_path: Path) -> None:
    answers = imports(tmp_path, *([verb, "--help"] for verb in VERBS))
    assert [code for code, _, _ in answers] == [0] * len(VERBS)
    assert [verb for verb, (_, modules, _) in zip(VERBS, answers, strict=True) if LARGE & modules] == []
