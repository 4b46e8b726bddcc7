"""Run the mutants, keep the results, and write the page."""

from __future__ import annotations

import json
import platform
import sys
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from studies.mutants.copies import Copies, Outcome, snapshot
from studies.mutants.definitions import Mutant, StudyError, read
from studies.mutants.page import RESULTS, write

ROOT = Path(__file__).parents[2]
AT_A_TIME = 2
PACKAGES = ("torch", "tensorflow", "keras")


def chosen(arguments: Sequence[str], mutants: Mapping[str, Mutant]) -> dict[str, Mutant]:
    """Return the mutants named, or all. StudyError for an unknown id."""
    if unknown := sorted(set(arguments) - set(mutants)):
        raise StudyError(f"no mutant is called {', '.join(unknown)}; there are {', '.join(mutants)}")
    return {name: mutants[name] for name in arguments or mutants}


def controls(mutants: Mapping[str, Mutant]) -> list[list[str]]:
    """Return selections of pytest: the file that each mutant is looked for in first, for all of their workloads."""
    workloads: dict[str, set[str | None]] = {}
    for mutant in mutants.values():
        workloads.setdefault(mutant.tests[0], set()).add(mutant.workload)
    return [
        [file, *([] if None in names else ["-k", " or ".join(sorted(filter(None, names)))])]
        for file, names in workloads.items()
    ]


def check_unmutated(tests: Copies, pool: ThreadPoolExecutor, selections: Sequence[Sequence[str]]) -> frozenset[str]:
    """Return the tests that the code as it is passes. StudyError where it fails one."""
    passed: frozenset[str] = frozenset()
    for future in [pool.submit(tests.run, None, selection) for selection in selections]:
        outcome = future.result()
        if outcome.outcome != "survived":
            raise StudyError(f"the code as it is fails {outcome.test}: {outcome.message}")
        passed |= outcome.passed
    return passed


def run(tests: Copies, pool: ThreadPoolExecutor, mutants: Mapping[str, Mutant]) -> dict[str, Outcome]:
    """Return the outcome of each mutant; the tests that kill them pass without a fault."""
    print(f"{len(mutants)} mutants; first, the code as it is", flush=True)
    passed = check_unmutated(tests, pool, controls(mutants))
    print(f"it passes {len(passed)} tests", flush=True)
    waiting: dict[Future[Outcome], str] = {
        pool.submit(tests.run, mutant, mutant.selection): name for name, mutant in mutants.items()
    }
    outcomes: dict[str, Outcome] = {}
    for future in as_completed(waiting):
        name, outcome = waiting[future], future.result()
        outcomes[name] = outcome
        detail = f"{outcome.test or ''} {outcome.message if outcome.outcome == 'broken' else ''}".strip()
        print(f"[{len(outcomes)}/{len(mutants)}] {name}: {outcome.outcome} ({outcome.s:.0f} s) {detail}", flush=True)
    others = {o.test for o in outcomes.values() if o.outcome == "killed" and o.test and o.test not in passed}
    if others:
        print(f"{len(others)} more tests without a fault", flush=True)
        check_unmutated(tests, pool, [sorted(others)])
    return outcomes


def keep(outcomes: Mapping[str, Outcome], mutants: Mapping[str, Mutant]) -> dict[str, Any]:
    """Write the outcomes, with those of earlier runs for mutants that were not run now, and return all."""
    rows = json.loads(RESULTS.read_text())["mutants"] if RESULTS.exists() else {}
    for name, outcome in outcomes.items():
        rows[name] = {key: value for key, value in asdict(outcome).items() if key in ("outcome", "test", "s")}
    results = {
        "finished": f"{datetime.now(UTC):%Y-%m-%d}",
        "python": platform.python_version(),
        "versions": {name: version(name) for name in PACKAGES},
    }
    rows = {name: rows[name] for name in mutants if name in rows}
    lines = ",\n".join(f"  {json.dumps(name)}: {json.dumps(row)}" for name, row in rows.items())
    RESULTS.write_text(f'{json.dumps(results)[:-1]}, "mutants": {{\n{lines}\n}}}}\n')
    return {**results, "mutants": rows}


def study(arguments: Sequence[str]) -> dict[str, Outcome]:
    """Run the mutants named, or all; keep the results and write the page. StudyError where it cannot go on."""
    mutants = read()
    selected = chosen(arguments, mutants)
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        tests = Copies(snapshot(ROOT, Path(folder) / "original"))
        pool = ThreadPoolExecutor(AT_A_TIME)
        try:
            outcomes = run(tests, pool, selected)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
            tests.end()
            pool.shutdown()
    write(mutants, keep(outcomes, mutants))
    return outcomes


def main(arguments: Sequence[str]) -> int:
    """Return 0 where every fault is detected, 1 where one is not, 2 where the study cannot go on, 130 at Ctrl-C."""
    try:
        outcomes = study(arguments)
    except StudyError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted: no results are kept", file=sys.stderr)
        return 130
    missed = {name: outcome for name, outcome in outcomes.items() if outcome.outcome != "killed"}
    for name, outcome in missed.items():
        print(f"not detected: {name}: {outcome.outcome} {outcome.message}".strip())
    print(f"{len(outcomes) - len(missed)} of {len(outcomes)} detected")
    return int(bool(missed))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
