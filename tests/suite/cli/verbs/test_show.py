"""`joulemark show`, and `--what-if` with other grid zones."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from command import joulemark
from run_files import run_file, trace
from swept_runs import swept_threads

from joulemark.suite.carbon.ember import countries
from joulemark.suite.energy.totals import run_totals
from joulemark.suite.records import RunFile, write

pytestmark = pytest.mark.slow


@pytest.fixture
def run(tmp_path: Path) -> RunFile:
    run = run_file(traces=(trace(),))
    write(run, tmp_path / "run.json")
    return run


def test_a_sweep_ranks_estimated_joules_where_asked(tmp_path: Path) -> None:
    write(swept_threads(kind="model"), tmp_path / "run.json")
    shown = joulemark(tmp_path, "show", "run.json").stdout
    assert "Highest speed: 4 threads" in shown
    assert "Energy is estimated, not measured: settings are ranked by speed alone" in " ".join(shown.split())
    row = next(line for line in shown.splitlines() if line.startswith("3 threads"))
    assert re.search(r"  ~\d+ ", row + " "), row
    ranked = joulemark(tmp_path, "show", "run.json", "--allow-estimates").stdout
    assert "Least estimated joules at 5 % slow-down at most: 3 threads" in " ".join(ranked.split())
    assert "ranked by speed alone" not in ranked


def test_emissions_in_other_zones(tmp_path: Path, run: RunFile) -> None:
    done = joulemark(tmp_path, "show", "run.json", "--what-if", "PL", "--what-if", "CH", "--what-if", "SE", "--json")
    rows = json.loads(done.stdout)["what_if"]
    assert [row["zone"] for row in rows] == ["SE", "CH", "PL"]  # by intensity
    total = run_totals(run).run
    assert total.facility_energy_j is not None
    for row in rows:
        assert row["facility_energy_j"] == total.facility_energy_j
        expected = total.facility_energy_j / 3.6e6 * countries()[row["zone"]].g_per_kwh
        assert row["emissions_g"] == pytest.approx(expected)
    assert "PL  Poland" in joulemark(tmp_path, "show", "run.json", "--what-if", "PL").stdout


@pytest.mark.parametrize(
    ("kinds", "kind", "text"),
    [
        (("counter", "dram"), "counter", "2025     491 mg"),
        (("counter",), "counter", "2025  at least 491 mg"),
        (("model",), "model", "at least about 491 mg"),
    ],
)
def test_total_elsewhere_keeps_its_kind_and_lower_bound(
    tmp_path: Path, kinds: tuple[str, ...], kind: str, text: str
) -> None:
    (channel,) = trace().channels
    dram = channel.model_copy(
        update={"component": "dram", "scope": "dram-0", "values": trace(power_w=1e-3).channels[0].values}
    )
    channels = tuple(dram if each == "dram" else channel.model_copy(update={"kind": each}) for each in kinds)
    write(run_file(traces=(trace().model_copy(update={"channels": channels}),)), tmp_path / "run.json")
    shown = joulemark(tmp_path, "show", "run.json", "--what-if", "PL")
    assert text in shown.stdout.partition("The whole run elsewhere")[2]
    done = joulemark(tmp_path, "show", "run.json", "--what-if", "PL", "--json")
    (row,) = json.loads(done.stdout)["what_if"]
    assert (row["kind"], row["lower_bound"]) == (kind, "at least" in text)


@pytest.mark.parametrize(
    ("arguments", "texts"),
    [
        (["show"], ["RUN"]),
        (["show", "latest"], ["no run", "latest"]),
        (["show", "/nowhere.json"], ["/nowhere.json"]),
        (["report", "nothing"], ["nothing"]),
        (["show", "run.json", "--what-if", "UK"], ["UK", "GB"]),
    ],
)
def test_bad_input_is_one_line_and_exit_2(tmp_path: Path, run: RunFile, arguments: list[str], texts: list[str]) -> None:
    done = joulemark(tmp_path, *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.strip().splitlines()) == 1
    assert all(text in done.stderr for text in texts)


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("", "empty"),
        ("{", "broken or truncated"),
        ("[1, 2]", "schema_version"),
        ('{"name": "x"}', "schema_version"),
        ('{"schema_version": 99}', "Upgrade"),
        ('{"schema_version": 1}', "not a valid run file"),
        ("\x00\xff", "not"),
    ],
    ids=["empty", "truncated", "list", "foreign", "future", "incomplete", "binary"],
)
@pytest.mark.parametrize("verb", ["show", "report"])
def test_file_that_is_not_a_run_is_one_line_and_exit_2(tmp_path: Path, verb: str, content: str, text: str) -> None:
    path = tmp_path / "run.json"
    path.write_bytes(content.encode("latin-1"))
    done = joulemark(tmp_path, verb, str(path))
    assert (done.returncode, len(done.stderr.strip().splitlines())) == (2, 1), done.stderr
    assert text in done.stderr
    assert str(path) in done.stderr
