"""Reading and writing run files: a round trip changes nothing, and anything else is refused in one line."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from edited_run_files import edited, refusal
from hypothesis import given, settings
from hypothesis import strategies as st
from run_files import case, energy, failed_trial, run_file, trial

from joulemark.suite.errors import UsageError
from joulemark.suite.records import SCHEMA_VERSION, Result, RunFile, schema, write, write_text
from joulemark.suite.results.run_files import parse, read
from joulemark.suite.results.summary import recompute

RUN_FILES = {
    "two frameworks": run_file(),
    "one trial": run_file([case(trials=[trial()])]),
    "failed": run_file([case(trials=[failed_trial()])]),
    "lower bound": run_file([case(trials=[trial(readings=[energy(), energy(None, "dram")])])]),
    "unmeasured": run_file([case(trials=[trial(readings=[energy(None)])])], traces=(), idle=()),
    "no cases": run_file([]),
}


@pytest.fixture(params=RUN_FILES, scope="module")
def valid(request: pytest.FixtureRequest) -> RunFile:
    original = RUN_FILES[request.param]
    return recompute(original, original.emissions)


def test_schema_is_itself_valid() -> None:
    jsonschema.Draft202012Validator.check_schema(schema())
    assert schema()["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    json.dumps(schema())


def test_written_file_is_valid_by_the_schema(valid: RunFile, tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    write(valid, path)
    document = json.loads(path.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(schema()).validate(document)
    assert document["schema_version"] == SCHEMA_VERSION


def test_round_trip_changes_nothing(valid: RunFile, tmp_path: Path) -> None:
    path = tmp_path / "folder" / "run.json"
    write(valid, path)
    assert read(path) == valid
    copy = tmp_path / "copy.json"
    write(read(path), copy)
    assert copy.read_bytes() == path.read_bytes()


@given(st.floats(-1e100, 1e100))
def test_every_number_survives(value: float) -> None:
    first = case(trials=[trial().model_copy(update={"result": Result(first={"loss": value}, last={})})])
    result = parse(run_file([first]).model_dump_json(), "x").cases[0].trials[0].result
    assert result is not None
    assert result.first["loss"] == value


def test_empty_file() -> None:
    assert "is empty" in refusal("  \n")


@pytest.mark.parametrize("text", ["{", "[1,", "hello", '{"a": 1}}', "[" * 100_000])
def test_not_json(text: str) -> None:
    assert "is not JSON" in refusal(text)


@pytest.mark.parametrize("text", ["[]", "3", "null", '"run"', "{}", '{"benchmarks": []}'])
def test_foreign_json(text: str) -> None:
    assert "schema_version" in refusal(text)


@pytest.mark.parametrize("version", [0, -1, "1", 1.5, True, [1]])
def test_impossible_version(version: Any) -> None:
    assert "which no joulemark ever wrote" in refusal(edited("schema_version", version))


@pytest.mark.parametrize(
    "text",
    [edited("schema_version", SCHEMA_VERSION + 1), json.dumps({"schema_version": SCHEMA_VERSION + 1, "new": "fields"})],
)
def test_future_version_asks_to_upgrade(text: str) -> None:
    line = refusal(text)
    assert f"schema_version {SCHEMA_VERSION + 1}" in line
    assert f"up to {SCHEMA_VERSION}" in line
    assert "Upgrade" in line


@pytest.mark.parametrize(
    ("path", "value", "where"),
    [
        ("run", ..., "run"),
        ("cases.0.status", "fine", "cases.0.status"),
        ("cases.0.trials.0.items", "many", "cases.0.trials.0.items"),
        ("cases.0.trials.0.energy.0.energy_j", None, "cases.0.trials.0.energy.0"),
        ("cases.0.colour", "red", "cases.0.colour"),
        ("emissions.intensity.g_per_kwh", "high", "emissions.intensity.g_per_kwh"),
        ("traces.0.channels.0.values", [1.0], "traces.0"),
    ],
)
def test_wrong_field_is_named(path: str, value: Any, where: str) -> None:
    assert f"at {where}" in refusal(edited(path, value))


def test_text_of_a_file_is_on_one_line_of_its_refusal() -> None:
    reading = {"component": "a\n\x1bb", "scope": "", "kind": "counter", "attributed": False, "energy_j": None}
    line = refusal(edited("cases.0.trials.0.energy.0", reading))
    assert "energy of a \N{REPLACEMENT CHARACTER}b is null" in line


def test_long_text_is_accepted() -> None:
    assert parse(edited("machine.hostname", "x" * 10_000), "run.json").machine.hostname == "x" * 10_000


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**9))
def test_truncated_anywhere(cut: int) -> None:
    text = RUN_FILES["one trial"].model_dump_json()
    refusal(text[: cut % len(text)])


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**9), st.characters(codec="ascii"))
def test_one_wrong_byte_is_accepted_or_refused_in_one_line(index: int, character: str) -> None:
    text = RUN_FILES["one trial"].model_dump_json()
    index %= len(text)
    message = ""
    try:
        parse(text[:index] + character + text[index + 1 :], "run.json")
    except UsageError as error:
        message = str(error)
    assert "\n" not in message


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"\x1f\x8b\x08", b"\x89PNG"])
def test_binary_file(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "run.json"
    path.write_bytes(content)
    with pytest.raises(UsageError, match="UTF-8"):
        read(path)


def test_a_byte_order_mark_is_no_part_of_a_run_file(valid: RunFile, tmp_path: Path) -> None:
    """As editors on Windows save it."""
    path = tmp_path / "run.json"
    write(valid, path)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    assert read(path) == valid


def test_missing_file_and_directory(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"^cannot read .*: No such file"):
        read(tmp_path / "absent.json")
    with pytest.raises(UsageError, match=r"^cannot read .*: Is a directory"):
        read(tmp_path)


def test_unwritable_path_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match=r"^cannot write "):
        write_text(tmp_path / "file" / "run.json", "x")
    (tmp_path / "taken").mkdir()
    with pytest.raises(UsageError, match=r"^cannot write "):
        write_text(tmp_path / "taken", "x")
    assert sorted(os.listdir(tmp_path)) == ["file", "taken"]


def test_writing_replaces_the_whole_file(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    write_text(path, "long " * 1000)
    write_text(path, "short")
    assert path.read_text() == "short"
    assert os.listdir(tmp_path) == ["run.json"]
    mask = os.umask(0)
    os.umask(mask)
    assert path.stat().st_mode & 0o777 == 0o666 & ~mask
