"""The export formats, checked against their published schemas and against the table."""

from __future__ import annotations

import csv
import io
import json
from xml.etree import ElementTree

import jsonschema
import pytest
import schemas
import xmlschema
from run_files import case, energy, failed_trial, run_file, trial

from joulemark.suite.errors import UsageError
from joulemark.suite.records import Case, RunFile
from joulemark.suite.results.export import FORMATS, renderer
from joulemark.suite.results.export.measures import KEYS
from joulemark.suite.results.summary import recompute
from joulemark.suite.results.table import table
from joulemark.suite.system.text import one_line

ENERGY = ("energy_per_item_j", "emissions_g_per_1000_items")


def summarised(*cases: Case) -> RunFile:
    file = run_file(list(cases))
    return recompute(file, file.emissions)


def mixed() -> RunFile:
    """A complete case, one without measured energy, a failed and a skipped one."""
    return summarised(
        case(),
        case(framework="tensorflow", mode="graph", trials=[trial(i, readings=[energy(None)]) for i in (1, 2, 3)]),
        case("vit", trials=[failed_trial(reason="out of memory:\x1b[31m asked for 9 GiB <&>\x00")], reason="died \x1b"),
        case("gan", trials=[], status="skipped", reason_code="not_installed", reason='no "TensorFlow" <here>'),
    )


def no_numbers() -> RunFile:
    return summarised(case(trials=[failed_trial()]))


def kinds() -> RunFile:
    """The same case measured, estimated, and with a component missing."""
    readings = ([energy(100.0)], [energy(100.0, kind="model")], [energy(100.0), energy(None, "dram")])
    return summarised(*(case(name, trials=[trial(readings=r)]) for name, r in zip("abc", readings, strict=True)))


@pytest.mark.parametrize("file", [mixed(), kinds()], ids=["mixed", "kinds"])
def test_bencher_is_valid_and_has_the_numbers_of_the_table(file: RunFile) -> None:
    document = json.loads(renderer("bencher")(file))
    jsonschema.validate(document, schemas.BENCHER)
    rows = {row.case.id: row for row in table(file).rows if row.status == "ok"}
    assert document.keys() == rows.keys()
    for name, metrics in document.items():
        step = rows[name].cells["step_time_s"]
        assert metrics["latency"]["value"] == pytest.approx(1e9 * step.value, rel=1e-12)
        assert metrics["throughput"].get("lower_value") == rows[name].cells["throughput"].low
        assert metrics["throughput"].get("upper_value") == rows[name].cells["throughput"].high


@pytest.mark.parametrize("file", [mixed(), kinds()], ids=["mixed", "kinds"])
def test_github_action_gets_each_number_in_the_file_of_its_direction(file: RunFile) -> None:
    smaller = json.loads(renderer("github-action-benchmark")(file))
    bigger = json.loads(renderer("github-action-benchmark-bigger")(file))
    for entries in (smaller, bigger):
        jsonschema.validate(entries, schemas.GITHUB_ACTION)
    run_table = table(file)
    units = {column.title: column.raw_unit for column in run_table.columns}
    expected = {
        (row.case.id, column.title): row.cells[column.key].value
        for row in run_table.rows
        for column in run_table.columns
        if row.status == "ok" and column.key in KEYS and row.cells[column.key].value is not None
    }
    names = [tuple(entry["name"].split(" (")[0].split(" - ")) for entry in smaller + bigger]
    assert dict(zip(names, (entry["value"] for entry in smaller + bigger), strict=True)) == expected
    assert {title for _, title in names[len(smaller) :]} == {"Throughput"}
    assert all(entry["unit"] == units[title] for entry, (_, title) in zip(smaller + bigger, names, strict=True))


def test_estimates_and_lower_bounds_are_series_of_their_own() -> None:
    document = json.loads(renderer("bencher")(kinds()))
    for slug in ("energy-per-item-j", "emissions-g-per-1000-items"):
        series = [sorted(name for name in metrics if name.startswith(slug)) for metrics in document.values()]
        assert series == [[slug], [f"{slug}-estimated"], [f"{slug}-at-least"]]
    names = {entry["name"].split(" - ")[1] for entry in json.loads(renderer("github-action-benchmark")(kinds()))}
    assert {"Energy per item", "Energy per item (estimated)", "Energy per item (at least)"} < names


def test_what_is_not_measured_is_never_zero() -> None:
    file = mixed()
    unmeasured = file.cases[1].id
    bencher = json.loads(renderer("bencher")(file))[unmeasured]
    assert not [name for name in bencher if name.startswith(("energy", "emissions"))]
    entries = json.loads(renderer("github-action-benchmark")(file))
    names = [entry["name"] for entry in entries if entry["name"].startswith(unmeasured)]
    assert names
    assert not [name for name in names if "Energy" in name or "CO₂" in name]
    (bench,) = (b for b in json.loads(renderer("pytest-benchmark")(file))["benchmarks"] if b["name"] == unmeasured)
    rows = {row["id"]: row for row in csv.DictReader(io.StringIO(renderer("csv")(file)))}
    for key in ENERGY:
        assert bench["extra_info"][key]["value"] is None
        assert bench["extra_info"][key]["reason"] == "package: absent"
        assert (rows[unmeasured][key], rows[unmeasured][f"{key}_reason"]) == ("", "package: absent")
    test = ElementTree.fromstring(renderer("junit")(file)).find(f".//testcase[@name='{unmeasured}']/system-out")
    assert "Energy per item: not measured (package: absent)" in test.text.splitlines()


def test_csv_is_the_table() -> None:
    file = mixed()
    lines = list(csv.DictReader(io.StringIO(renderer("csv")(file))))
    run_table = table(file)
    assert [line["id"] for line in lines] == [row.case.id for row in run_table.rows]
    for line, row in zip(lines, run_table.rows, strict=True):
        assert (line["status"], line["reason"]) == (row.status, one_line(row.reason or ""))
        assert line["run"] == file.run.id
        for column in run_table.columns:
            cell = row.cells[column.key]
            for suffix, value in (("", cell.value), ("_low", cell.low), ("_high", cell.high)):
                field = line[column.key + suffix]
                assert (float(field) if field else None) == (value if row.status == "ok" else None)


@pytest.mark.parametrize("file", [mixed(), kinds(), no_numbers()], ids=["mixed", "kinds", "no numbers"])
def test_junit_is_valid_and_its_counts_are_right(file: RunFile) -> None:
    text = renderer("junit")(file)
    xmlschema.XMLSchema(schemas.JUNIT).validate(text)
    (suite,) = ElementTree.fromstring(text)
    tests = suite.findall("testcase")
    statuses = [case.status for case in file.cases]
    assert len(tests) == int(suite.get("tests")) == len(statuses)
    assert len(suite.findall("testcase/failure")) == int(suite.get("failures")) == statuses.count("failed")
    assert len(suite.findall("testcase/skipped")) == int(suite.get("skipped")) == statuses.count("skipped")


def test_junit_has_the_reasons_with_any_characters() -> None:
    root = ElementTree.fromstring(renderer("junit")(mixed()))
    (skipped,) = root.iter("skipped")
    assert (skipped.get("type"), skipped.text) == ("not_installed", 'no "TensorFlow" <here>')
    (failure,) = root.iter("failure")
    assert failure.get("message") == "died \ufffd"


@pytest.mark.parametrize(
    ("old", "new"),
    [(' name="vit', ' nom="vit'), ("<skipped", "<left-out"), ('time="0.000"', 'time="never"'), ("</testsuites>", "")],
)
def test_the_junit_schema_rejects_errors(old: str, new: str) -> None:
    text = renderer("junit")(mixed())
    assert old in text
    with pytest.raises((xmlschema.XMLSchemaException, ElementTree.ParseError)):
        xmlschema.XMLSchema(schemas.JUNIT).validate(text.replace(old, new))


def test_markdown_fits_in_a_comment_and_says_what_it_leaves_out() -> None:
    many = [case(f"net{i}") for i in range(600)]
    short, long = renderer("markdown")(summarised(*many[:3])), renderer("markdown")(summarised(*many))
    assert len(long.encode()) <= 65_536
    shown = long.count("| net")
    assert 100 < shown < 600
    assert f"{600 - shown} more cases" in long
    assert "more cases" not in short
    assert long.splitlines()[-1] == short.splitlines()[-1]


@pytest.mark.parametrize("name", [n for n in FORMATS if n.startswith(("bencher", "github", "pytest"))])
def test_a_format_of_numbers_rejects_a_run_without_any(name: str) -> None:
    with pytest.raises(UsageError, match="no case with a number") as caught:
        renderer(name)(no_numbers())
    assert "\n" not in str(caught.value)
