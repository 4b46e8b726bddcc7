"""The run file: valid by its own schema, unchanged by a round trip, and one clear line for whatever is not one."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from run_files import case, energy, failed_trial, run_file, trace, trial

from joulemark.suite.errors import UsageError
from joulemark.suite.notices import TEXTS, Code
from joulemark.suite.records import (
    SCHEMA_VERSION,
    EnergyReading,
    Notice,
    RunFile,
    Trace,
    parse,
    read,
    schema,
    write,
    write_text,
)
from joulemark.suite.results.summary import recompute

FILES = {
    "two frameworks": run_file(),
    "one trial": run_file([case(trials=[trial()])]),
    "failed": run_file([case(trials=[failed_trial()])]),
    "lower bound": run_file([case(trials=[trial(readings=[energy(), energy(None, "dram")])])]),
    "unmeasured": run_file([case(trials=[trial(readings=[energy(None)])])], traces=(), idle=()),
    "nothing": run_file([]),
}


@pytest.fixture(params=FILES, scope="module")
def file(request: pytest.FixtureRequest) -> RunFile:
    found = FILES[request.param]
    return recompute(found, found.emissions)


def test_schema_is_itself_valid() -> None:
    jsonschema.Draft202012Validator.check_schema(schema())
    assert schema()["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    json.dumps(schema())


def test_what_is_written_is_valid_by_the_schema(file: RunFile, tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    write(file, path)
    document = json.loads(path.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(schema()).validate(document)
    assert document["schema_version"] == SCHEMA_VERSION


def test_round_trip_changes_nothing(file: RunFile, tmp_path: Path) -> None:
    path = tmp_path / "sub" / "run.json"
    write(file, path)
    assert read(path) == file
    again = tmp_path / "again.json"
    write(read(path), again)
    assert again.read_bytes() == path.read_bytes()


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_finite_number_survives(value: float) -> None:
    one = run_file(traces=(trace(0.1).model_copy(update={"read_cost_s": value}),))
    assert parse(one.model_dump_json(), "x").traces[0].read_cost_s == value


CONTRACT = {
    "run": "id started_at finished_at segments command profile suite_version complete order_seed",
    "machine": "fingerprint hostname os cpu memory_bytes gpus frameworks packages",
    "emissions": "intensity pue psf",
    "emissions.intensity": "g_per_kwh source zone interval_start retrieved_at is_estimated basis signal vintage "
    "fallback reason low high",
    "cases.0": "id workload variant workload_version size phase framework mode device precision batch_size threads "
    "allocator item flops_per_item bytes_per_item parameters status reason_code reason notices trials summary",
    "cases.0.trials.0": "round status reason started_s isolation load_s first_call_s compile_cache warmup_steps steady "
    "steps_per_block block_s window_s steps items result peak_memory_bytes counters energy notices",
    "cases.0.trials.0.energy.0": "component scope kind attributed energy_j low_j high_j tick_s samples reason",
    "cases.0.summary": "throughput step_time_s energy_per_item_j net_energy_per_item_j facility_energy_per_item_j "
    "power_w emissions_g_per_1000_items",
    "cases.0.summary.power_w": "value low high unit n kind lower_bound reason ranges",
    "traces.0": "sensor simulated t_s channels",
    "traces.0.channels.0": "component scope unit kind values",
    "idle.0": "when window_s energy",
    "floor.0": "at_s arithmetic_s copy_s",
}


@pytest.mark.parametrize("place", CONTRACT)
def test_names_that_other_programs_rely_on(place: str) -> None:
    file = FILES["two frameworks"]
    found = json.loads(recompute(file, file.emissions).model_dump_json())
    for part in place.split("."):
        found = found[int(part) if part.isdigit() else part]
    assert set(CONTRACT[place].split()) <= set(found)


def refused(text: str) -> str:
    with pytest.raises(UsageError) as caught:
        parse(text, "run.json")
    line = str(caught.value)
    assert "\n" not in line
    assert line.startswith("run.json")
    assert len(line) < 400
    return line


def changed(path: str, value: Any, whole: RunFile = FILES["two frameworks"]) -> str:
    """A run file with one value put in the place of another; `...` removes it."""
    document = json.loads(whole.model_dump_json())
    place: Any = document
    *parents, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    for part in parents:
        place = place[part]
    if value is ...:
        del place[last]
    else:
        place[last] = value
    return json.dumps(document)


def test_empty() -> None:
    assert "is empty" in refused("  \n")


@pytest.mark.parametrize("text", ["{", "[1,", "hello", '{"a": 1}}', "[" * 100_000])
def test_not_json(text: str) -> None:
    assert "is not JSON" in refused(text)


@pytest.mark.parametrize("text", ["[]", "3", "null", '"run"', "{}", '{"benchmarks": []}'])
def test_foreign_json(text: str) -> None:
    assert "no schema_version" in refused(text)


@pytest.mark.parametrize("version", [0, -1, "1", 1.5, True, [1]])
def test_version_that_nobody_wrote(version: Any) -> None:
    assert "no joulemark ever wrote" in refused(changed("schema_version", version))


def test_future_version() -> None:
    line = refused(changed("schema_version", SCHEMA_VERSION + 1))
    assert f"schema_version {SCHEMA_VERSION + 1}" in line
    assert "Upgrade joulemark" in line


def test_future_version_is_said_before_anything_else() -> None:
    assert "Upgrade" in refused(json.dumps({"schema_version": 99, "entirely": "different"}))


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
        ("machine.hostname", "x" * 10_000, None),
    ],
)
def test_wrong_field_is_named(path: str, value: Any, where: str | None) -> None:
    text = changed(path, value)
    if where is None:
        parse(text, "run.json")
    else:
        assert f"at {where}" in refused(text)


HANDMADE: list[tuple[str, Any, str]] = [
    ("run.started_at", "yesterday", "run.started_at: 'yesterday' is no ISO 8601 time"),
    (
        "run.started_at",
        "2026-11-25T06:00:00",
        "run.started_at: '2026-11-25T06:00:00' is no ISO 8601 time with an offset",
    ),
    ("run.finished_at", "2026-13-01", "run.finished_at: '2026-13-01' is no ISO 8601 time"),
    ("idle.0.window_s", [3.0, 1.0], "idle.0.window_s: the window ends before it begins"),
    ("cases.1.id", run_file().cases[0].id, "another case has the same id"),
    (
        "cases.0.trials.1.window_s",
        [20.0, 20.0],
        "trials.1.window_s: the window [20.0, 20.0] does not end after",
    ),
    ("cases.0.summary.throughput.value", -5.0, "summary.throughput: -5 is not positive"),
    ("cases.0.summary.power_w.value", 0.0, "summary.power_w: 0 is not positive"),
    ("cases.0.summary.throughput.value", 106.0, "throughput.value: 106 lies outside of its trials' 95 to 105"),
    ("cases.0.summary.throughput.low", 101.0, "summary.throughput: 99.9166 lies outside of its interval [101, 113"),
    ("cases.0.summary.throughput.high", None, "summary.throughput: the interval has one end"),
    ("cases.0.summary.throughput.n", 4, "summary.throughput.n: it rests on 4 trials, and 3 are ok"),
]


@pytest.mark.parametrize(("path", "value", "said"), HANDMADE)
def test_a_file_that_contradicts_itself_is_one_line(path: str, value: Any, said: str) -> None:
    whole = recompute(run_file(), run_file().emissions)
    assert parse(whole.model_dump_json(), "x.json") == whole
    assert said in refused(changed(path, value, whole))


@pytest.mark.parametrize("path", ["cases.0.batch_size", "cases.0.threads", "run.rounds", "settings.threads"])
def test_a_count_fits_the_columns_that_hold_it(path: str) -> None:
    assert f"at {path}: Input should be less than or equal to 2147483647" in refused(changed(path, 99999999999999))


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_what_is_not_a_number_is_refused(number: str) -> None:
    text = changed("emissions.pue.value", 123456789).replace("123456789", number)
    line = refused(text)
    assert "emissions.pue.value" in line or "valid" in line or "JSON" in line


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**9))
def test_cut_off_anywhere(cut: int) -> None:
    text = FILES["one trial"].model_dump_json()
    refused(text[: cut % len(text)])


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**9), st.characters(codec="ascii"))
def test_one_wrong_byte_is_a_run_file_or_one_line(place: int, character: str) -> None:
    text = FILES["one trial"].model_dump_json()
    place %= len(text)
    complaint = ""
    try:
        parse(text[:place] + character + text[place + 1 :], "run.json")
    except UsageError as error:
        complaint = str(error)
    assert "\n" not in complaint


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"\x1f\x8b\x08", b"\x89PNG"])
def test_binary_file(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "run.json"
    path.write_bytes(content)
    with pytest.raises(UsageError, match="not UTF-8"):
        read(path)


def test_missing_file_and_directory(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"^cannot read .*: No such file"):
        read(tmp_path / "absent.json")
    with pytest.raises(UsageError, match=r"^cannot read .*: Is a directory"):
        read(tmp_path)


def test_unwritable_place_is_one_line_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match=r"^cannot write "):
        write_text(tmp_path / "file" / "run.json", "x")
    (tmp_path / "taken").mkdir()
    with pytest.raises(UsageError, match=r"^cannot write "):
        write_text(tmp_path / "taken", "x")
    assert sorted(os.listdir(tmp_path)) == ["file", "taken"]


def test_writing_replaces_the_whole(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    write_text(path, "long " * 1000)
    write_text(path, "short")
    assert path.read_text() == "short"
    assert os.listdir(tmp_path) == ["run.json"]
    assert path.stat().st_mode & 0o777 == 0o666 & ~current_umask()


def current_umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"energy_j": None}, "null without a reason"),
        ({"energy_j": None, "reason": "gone"}, "but its kind is counter"),
        ({"kind": "unavailable"}, "but its kind is unavailable"),
        ({"energy_j": math.nan}, "finite"),
    ],
)
def test_energy_is_never_unknown_without_saying_so(change: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        EnergyReading.model_validate({**energy().model_dump(), **change})


def test_trace_has_one_value_a_time() -> None:
    document = trace(1.0).model_dump()
    document["t_s"] = document["t_s"][:-1]
    with pytest.raises(ValidationError, match="11 values for 10 times"):
        Trace.model_validate(document)


def test_records_do_not_change() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        run_file().run.id = "other"


@pytest.mark.parametrize("code", list(Code))
def test_each_notice_has_its_three_sentences(code: Code) -> None:
    text = TEXTS[code]
    value = 0.5 if "{value:" in text.message else "something"
    notice = Notice.of(code, value, 0.1)
    for sentence in (notice.message, notice.consequence, notice.remedy):
        assert sentence.strip()
        assert "{" not in sentence
        assert "None" not in sentence
