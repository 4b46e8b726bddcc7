"""Journals and traces with flipped bits, and lines cut, doubled, merged or lost: what is whole survives."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from fuzzing import accepted
from hypothesis import given
from hypothesis import strategies as st
from in_process import run_verb
from places import ROOT

from joulemark.suite.notices import Code
from joulemark.suite.records import RunFile
from joulemark.suite.records.journal_lines import encode
from joulemark.suite.results.run_files import parse
from joulemark.suite.results.store import load_path

pytestmark = pytest.mark.slow

KEPT = ROOT / "tests" / "data" / "journals"
NAMES = ("estimate", "ab")
KINDS = ("bit", "zeros", "cut", "merge", "double", "lose")


Damage = tuple[str, int, int]
DAMAGES = st.lists(
    st.tuples(st.sampled_from(KINDS), st.integers(0, 2**30), st.integers(0, 2**30)), min_size=1, max_size=10
)


def damaged(lines: list[bytes], damages: list[Damage]) -> bytes:
    """Return a file of `lines` after `damages`: a kind, which line, and where in it."""
    lines = list(lines)
    for kind, which, where in damages:
        at = which % max(1, len(lines))
        place = where % max(1, len(b"".join(lines[at : at + 1])))
        for line in lines[at : at + 1]:
            changed = bytearray(line)
            if kind == "bit" and line:
                changed[place] ^= 1 << where % 8
            elif kind == "zeros":
                changed[place : place + 20] = bytes(len(changed[place : place + 20]))
            lines[at : at + 1] = {
                "cut": [line[:place] + b"\n"],
                "merge": [line[:place]],
                "double": [line, line],
                "lose": [],
            }.get(kind, [bytes(changed)])
    return b"".join(lines)


def journal_lines(name: str) -> list[bytes]:
    """Return the lines of a kept journal as this version writes them."""
    documents = [json.loads(line) for line in (KEPT / name / "run.journal").read_bytes().splitlines()]
    return [encode(document) for document in (documents[0], *documents)]


JOURNALS = {name: journal_lines(name) for name in NAMES}
TRACES = {name: (KEPT / name / "run.trace").read_bytes().splitlines(keepends=True) for name in NAMES}


def trials(file: RunFile) -> dict[tuple[str, int], Any]:
    """Return what the journal says of each trial, by case and round."""
    computed = {"energy", "resident_idle", "notices"}
    pairs = [(case, trial) for case in file.cases for trial in case.trials]
    found = {(case.id, trial.round): trial.model_dump(mode="json", exclude=computed) for case, trial in pairs}
    assert len(found) == len(pairs)
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("runs")


def written(folder: Path, journal: bytes, trace: bytes) -> Path:
    path = folder / "20261101T120000Z-fuzz.journal"
    path.write_bytes(journal)
    path.with_suffix(".trace").write_bytes(trace)
    return path


@given(st.sampled_from(NAMES), DAMAGES)
def test_the_trials_of_whole_lines_survive(folder: Path, name: str, damages: list[Damage]) -> None:
    journal = damaged(JOURNALS[name], damages)
    path = written(folder, journal, b"".join(TRACES[name]))
    file = accepted(lambda: load_path(path))
    *ended, _ = journal.split(b"\n")
    found = {line.strip() for line in ended} - {b""}
    original = {line.strip() for line in JOURNALS[name]}
    whole = [json.loads(line) for line in found & original]
    assert (file is not None) == any("planned" in event for event in whole)
    if file is None:
        return
    expected = {(event["case"], event["trial"]["round"]) for event in whole if "trial" in event}
    undamaged = trials(load_path(written(folder, b"".join(JOURNALS[name]), b"".join(TRACES[name]))))
    assert trials(file) == {key: trial for key, trial in undamaged.items() if key in expected}
    assert (Code.JOURNAL_DAMAGED in {notice.code for notice in file.notices}) == bool(found - original)
    assert parse(file.model_dump_json(), "run.json") == file


@given(st.sampled_from(NAMES), DAMAGES)
def test_a_damaged_trace_costs_no_trial(folder: Path, name: str, damages: list[Damage]) -> None:
    whole = load_path(written(folder, b"".join(JOURNALS[name]), b"".join(TRACES[name])))
    path = written(folder, b"".join(JOURNALS[name]), damaged(TRACES[name], damages))
    file = load_path(path)
    assert trials(file) == trials(whole)
    for case, other in zip(file.cases, whole.cases, strict=True):
        assert case.summary is not None
        assert other.summary is not None
        assert case.summary.throughput == other.summary.throughput
    assert parse(file.model_dump_json(), "run.json") == file
    code, _, message = run_verb("show", str(path))
    assert (code, message) == (0, "")


@given(st.sampled_from(NAMES), st.binary(max_size=300), st.binary(max_size=300))
def test_files_of_any_content_are_read_or_refused(folder: Path, name: str, journal: bytes, trace: bytes) -> None:
    assert accepted(lambda: load_path(written(folder, journal, trace))) is None
    file = load_path(written(folder, b"".join(JOURNALS[name]) + journal, trace))
    assert len(trials(file)) == len([line for line in JOURNALS[name][2:] if b'"trial"' in line])
