"""Copies of the repository, and tests that run in them."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from studies.mutants.definitions import Mutant, StudyError

COPIED = ("joulemark", "suite", "workloads", "reports", "studies", "tests", "pyproject.toml")
TIMEOUT_S = 900.0
"""Of the tests of one mutant; those of a fault that is not detected take a few minutes."""
ASSERTIONS = ("AssertionError", "assert ", "Failed: ")
"""How the message of a test begins that has compared something; any other exception shows a mutant that cannot run."""


@dataclass(frozen=True)
class Outcome:
    """What the tests made of one copy."""

    outcome: str
    """`killed`: a test failed; `survived`: none did; `broken`: the mutant cannot run."""
    test: str | None
    """Id of the first test that failed; None: none."""
    message: str
    s: float
    """Duration, seconds."""
    passed: frozenset[str] = frozenset()
    """Ids of the tests that passed."""


def snapshot(root: Path, target: Path) -> Path:
    """Copy what the tests need, with its relative links, and return the copy."""
    target.mkdir()
    for name in COPIED:
        source = root / name
        if source.is_dir():
            shutil.copytree(source, target / name, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
        elif source.exists():
            shutil.copy2(source, target / name)
    return target


class Copies:
    """Runs tests in copies of a snapshot; its processes can be ended together."""

    def __init__(self, original: Path) -> None:
        self.original = original
        self.running: set[subprocess.Popen[str]] = set()

    def run(self, mutant: Mutant | None, selection: Sequence[str]) -> Outcome:
        """Return what the selected tests make of a mutant; None: of the code as it is, with all tests, failed or not.

        Raises:
            StudyError: Another package was tested, or no test selected.
        """
        with tempfile.TemporaryDirectory(prefix="mutant-") as folder:
            copy = Path(folder) / "copy"
            shutil.copytree(self.original, copy, symlinks=True)
            for edit in mutant.edits if mutant else ():
                edit.apply(copy)
            shutil.copy2(Path(__file__).with_name("recorder.py"), copy / "mutant_recorder.py")
            record = Path(folder) / "record.jsonl"
            started = time.monotonic()
            code, output = self._pytest(copy, record, [*selection, *(["-x"] if mutant else [])])
            duration_s = round(time.monotonic() - started, 1)
            lines = [json.loads(line) for line in record.read_text().splitlines()] if record.exists() else []
        return judged(mutant.id if mutant else "control", code, output, lines, duration_s)

    def _pytest(self, copy: Path, record: Path, arguments: Sequence[str]) -> tuple[int | None, str]:
        """Return exit code, or None at the time-out, and output of pytest in the copy."""
        paths = [str(copy), *filter(None, [os.environ.get("PYTHONPATH")])]
        # One core each: two copies are tested at a time.
        threads = dict.fromkeys(("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"), "1")
        environment = {
            **os.environ,
            **threads,
            "PYTHONPATH": os.pathsep.join(paths),
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
            "MUTANT_RECORD": str(record),
            "JOULEMARK_HOME": str(copy / "home"),
        }
        options = ["-q", "--tb=short", "-p", "no:cacheprovider", "-p", "mutant_recorder", f"--rootdir={copy}"]
        process = subprocess.Popen(
            [sys.executable, "-m", "pytest", *options, *arguments],
            cwd=copy,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.running.add(process)
        try:
            output, _ = process.communicate(timeout=TIMEOUT_S)
        except subprocess.TimeoutExpired:
            end(process)
            return None, ""
        finally:
            self.running.discard(process)
        return process.returncode, output

    def end(self) -> None:
        """End all that runs."""
        for process in list(self.running):
            end(process)


def end(process: subprocess.Popen[str]) -> None:
    """End a process with all that it has started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def judged(name: str, code: int | None, output: str, lines: Sequence[dict[str, str]], duration_s: float) -> Outcome:
    """Return the outcome that an exit code of pytest and the recorded outcomes of the tests amount to.

    Raises:
        StudyError: Another package was tested, or no test ran.
    """
    wrong = [line for line in lines if line["outcome"] == "wrong package"]
    if wrong:
        raise StudyError(f"{name}: the tests did not see the copy: {wrong[0]['message']}")
    passed = frozenset(line["test"] for line in lines if line["outcome"] == "passed")
    failures = [line for line in lines if line["outcome"] in ("failed", "not collected")]
    if code is None:
        return Outcome("broken", None, f"no end after {TIMEOUT_S:.0f} s", duration_s, passed)
    if failures:
        first = failures[0]
        message = " ".join(first["message"].split())[:300]
        kind = "killed" if first["outcome"] == "failed" and message.startswith(ASSERTIONS) else "broken"
        return Outcome(kind, first["test"], message, duration_s, passed - {first["test"]})
    if code or not passed:
        tail = " ".join(output.split())[-300:]
        raise StudyError(f"{name}: pytest ended with {code} and {len(passed)} tests passed: {tail}")
    return Outcome("survived", None, "", duration_s, passed)
