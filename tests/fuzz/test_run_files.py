"""Run files made from their own schema, through every verb that reads them: an answer, or one line that refuses it."""

from __future__ import annotations

import contextlib
import copy
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from fuzzing import accepted
from hypothesis import given, settings
from hypothesis import strategies as st
from in_process import run_verb
from report_files import full, on_gpu, report_inputs, run_on_day
from responses import simulated_run
from run_files import case, run_file, trial
from schema_values import Values

from joulemark import JoulemarkError
from joulemark.suite.records import RunFile, schema, write
from joulemark.suite.results.export import FORMATS
from joulemark.suite.results.run_files import parse
from joulemark.suite.results.summary import recompute

pytestmark = pytest.mark.slow

SCHEMA = schema()
VALUES = Values(SCHEMA)
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
CODES = {0, 1, 2, 3, 4}
"""What the documentation knows; 130 is an interruption."""


def in_turns() -> RunFile:
    """Return a run of two arms whose trials took turns."""
    trials = [trial(i, start_s=10.0 * i).model_copy(update={"turns_s": (0.01, 0.02)}) for i in (1, 2, 3)]
    start = "cnn:small/training/pytorch/eager/cpu/fp32/b32+arm="
    return run_file([case(id=start + arm, arm=arm, trials=trials) for arm in ("a", "b")])


RUNS = (run_file(), on_gpu(), full(), in_turns(), *report_inputs()["estimates"], simulated_run())
BASES = [json.loads(run.model_dump_json()) for run in RUNS]
Path_ = tuple[str | int, ...]


def paths(value: Any, start: Path_ = ()) -> list[Path_]:
    """Return the paths of everything in a document but long lists of numbers, of which the first stands for all."""
    found = [start] if start else []
    if isinstance(value, dict):
        for name, part in value.items():
            found += paths(part, (*start, name))
    elif isinstance(value, list):
        for i, part in enumerate(value[: 2 if value and not isinstance(value[0], dict) else None]):
            found += paths(part, (*start, i))
    return found


def at(document: Any, path: Path_) -> Any:
    """Return what is at `path`."""
    for name in path:
        document = document[name]
    return document


PATHS = [paths(base) for base in BASES]
NUMBERS = [[path for path in PATHS[i] if isinstance(at(base, path), float)] for i, base in enumerate(BASES)]


@st.composite
def changed_files(draw: st.DrawFn) -> dict[str, Any]:
    """Return a run file of which some parts have been replaced by others that the schema allows, made consistent."""
    number = draw(st.integers(0, len(BASES) - 1))
    document = copy.deepcopy(BASES[number])
    for _ in range(draw(st.integers(1, 6))):
        path = draw(st.sampled_from(PATHS[number]) | st.sampled_from(NUMBERS[number]))
        with contextlib.suppress(KeyError, IndexError, TypeError):  # in a part that has been replaced
            part = at(document, path[:-1])
            _ = part[path[-1]]
            part[path[-1]] = draw(VALUES.of(VALUES.at(SCHEMA, document, path)))
    return consistent(document)


def consistent(document: dict[str, Any]) -> dict[str, Any]:
    """Return a document with ids, rounds and summaries that agree with the rest, as far as that can be done."""
    try:
        file = RunFile.model_validate(document)
    except ValueError:
        return document
    cases = []
    for each in file.cases:
        axes = (each.size, each.phase, each.framework, each.mode, each.device, each.precision, f"b{each.batch_size}")
        trials = tuple(one.model_copy(update={"round": i}) for i, one in enumerate(each.trials, 1))
        usable = any(one.is_usable for one in trials)
        status = "ok" if usable else "failed" if each.status == "ok" else each.status
        arm = f"+arm={each.arm}" if each.arm else ""
        update = {"id": f"{each.workload_id}:{'/'.join(axes)}{arm}", "trials": trials, "status": status}
        cases.append(each.model_copy(update=update))
    run = file.run.model_copy(update={"rounds": max(file.run.rounds, *(len(case.trials) for case in cases), 1)})
    file = file.model_copy(update={"cases": tuple(cases), "run": run})
    with contextlib.suppress(JoulemarkError, ArithmeticError, ValueError):  # reading the file has to find these
        file = recompute(file, file.emissions).model_copy(update={"notices": file.notices})
    return dict(json.loads(file.model_dump_json()))


FILES = settings(max_examples=min(settings.default.max_examples, 4_000))
"""Of 0.05 s each; text takes 0.005 s."""
SLOW = settings(max_examples=FILES.max_examples // 5)
"""Whole files are slow to draw, and verbs over a directory write the rows of a run."""


@SLOW
@given(VALUES.of(SCHEMA))
def test_a_file_by_the_schema_alone_is_read_or_refused(document: dict[str, Any]) -> None:
    VALIDATOR.validate(document)
    accepted(lambda: parse(json.dumps(document), "run.json"))


@FILES
@given(changed_files())
def test_a_file_that_is_read_is_one_that_can_be_written(document: dict[str, Any]) -> None:
    VALIDATOR.validate(document)
    file = accepted(lambda: parse(json.dumps(document), "run.json"))
    if file is not None:
        assert parse(file.model_dump_json(), "again.json") == file


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A home with runs of earlier days, and nothing to ask for the grid."""
    home = tmp_path_factory.mktemp("home")
    for day in (1, 2, 3):
        run = run_on_day(day, 1.0)
        write(run, home / "runs" / f"{run.run.id}.json")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JOULEMARK_HOME", str(home))
        patch.setenv("JOULEMARK_OFFLINE", "1")
        patch.chdir(home)
        yield home


VERBS = {
    "show": ("show", "{file}"),
    "show --json": ("show", "{file}", "--json"),
    "list": ("list", "--runs", "--json"),
    "history": ("history", "--metric", "first-call", "--metric", "energy", "--metric", "memory"),
    "compare": ("compare", "{earlier}", "{file}", "--allow-estimates"),
    "compare --by": ("compare", "{file}", "--by", "framework", "--allow-estimates"),
    "compare --by arm": ("compare", "{file}", "--by", "arm", "--allow-estimates"),
    "check": ("check", "{file}", "--baseline", "{earlier}"),
    "check history": ("check", "{file}", "--baseline", "history"),
    "report": ("report", "{file}", "-o", "{page}", "--plotlyjs", "cdn"),
    "report --zone": ("report", "{file}", "{earlier}", "-o", "{page}", "--plotlyjs", "cdn", "--zone", "FR"),
    **{f"export {name}": ("export", "{file}", "--format", name) for name in FORMATS},
}


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_answers_or_refuses(verb: str, home: Path) -> None:
    earlier = home / "runs" / f"{run_on_day(1, 1.0).run.id}.json"
    file = home / "runs" / "20261201T000000Z-fuzz.json"
    names = {"file": str(file), "earlier": str(earlier), "page": str(home / "page.html")}
    arguments = [argument.format(**names) for argument in VERBS[verb]]

    @(FILES if "{file}" in VERBS[verb] else SLOW)
    @given(changed_files())
    def answers(document: dict[str, Any]) -> None:
        file.write_text(json.dumps(document), encoding="utf-8")
        code, output, message = run_verb(*arguments)
        assert code in CODES, message
        assert "a bug" not in message
        if verb == "list":
            assert len(json.loads(output)["runs"]) == 4

    try:
        answers()
    finally:
        file.unlink(missing_ok=True)
