"""Small charts in the terminal: lengths are values, nothing is wider than asked, and plain means ASCII."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from command import in_terminal, joulemark
from hypothesis import given
from hypothesis import strategies as st
from report_files import cases, full, on_gpu, summarised
from run_files import case, energy, failed_trial, run_file, trace, trial

from joulemark.suite.cli.support.execute import failed
from joulemark.suite.energy.idle import idle_power_rows
from joulemark.suite.notices import Code
from joulemark.suite.records import Notice, ResidentIdle, RunFile, worst, write
from joulemark.suite.terminal.chart import Row, spans
from joulemark.suite.terminal.overview import overview


def test_a_bar_is_as_long_as_its_value_and_the_interval_lies_over_it() -> None:
    rows = [
        Row("a", "10", 10.0, 8.0, 12.0),
        Row("b", "5", 5.0),
        Row("c", "none", None),
        Row("d", "6", 6.0, hatched=True),
    ]
    lines = spans(rows, 9 + 25)
    bars = [line[9:] for line in lines]
    # 24 cells after the first are 12: two cells a unit.
    assert bars[0] == "█" * 16 + "├───●───┤"
    assert bars[1] == "█" * 11
    assert bars[2] == ""
    assert bars[3] == "░" * 13
    assert spans(rows, 34, ascii=True)[0][9:] == "=" * 16 + "[---o---]"


positive = st.floats(1e-6, 1e9)


@given(
    st.lists(st.tuples(st.text(max_size=60), positive, st.floats(0.1, 1), st.floats(1, 9)), max_size=6),
    st.integers(20, 120),
    st.booleans(),
)
def test_no_line_is_wider_than_asked(found: list[tuple[str, float, float, float]], width: int, ascii: bool) -> None:
    rows = [Row(label, f"{value:.3g}", value, value * low, value * high) for label, value, low, high in found]
    for line in spans(rows, width, ascii):
        assert len(line) <= width


@pytest.mark.parametrize("width", [30, 60, 100])
def test_an_overview_has_every_case_and_fits(width: int) -> None:
    lines = overview(full(), width, ascii=True)
    assert max(map(len, lines)) <= width
    assert all(line.isascii() for line in lines)
    if width > 30:
        assert sum("PyTorch e" in line for line in lines) == 6  # three works, in throughput and in energy
    assert not any("xla" in line for line in lines)  # it failed


def test_an_estimate_is_hatched_and_what_was_not_measured_has_no_chart() -> None:
    estimated = "\n".join(overview(summarised(run_file(cases(kind="model"))), 80))
    assert "░ is an estimate" in " ".join(estimated.split())
    speed, energies = estimated.split("Energy per item")
    assert "░" not in speed
    assert "░░" in energies
    assert "Energy" not in "\n".join(overview(summarised(run_file(cases(kind="unavailable"))), 80))
    assert overview(run_file([]), 80) == []


def resident() -> RunFile:
    """A run on a board whose first trial looked at the machine with its program resident."""
    file = on_gpu()
    case = next(case for case in file.cases if case.device == "cuda:0")
    rest = ResidentIdle(window_s=(1.0, 3.0), energy=(energy(70.0, "gpu"), energy(None, "module")))
    trials = (case.trials[0].model_copy(update={"resident_idle": rest}), *case.trials[1:])
    changed = case.model_copy(update={"trials": trials})
    return file.model_copy(update={"cases": tuple(changed if one is case else one for one in file.cases)})


def test_rest_with_a_resident_program_is_told_or_has_its_reason() -> None:
    found = [draw for draw in idle_power_rows(resident()) if draw.when == "resident"]
    assert [(draw.component, draw.power_w) for draw in found] == [("gpu", 35.0), ("module", None)]
    assert found[1].reason == "absent"
    assert found[0].case is not None
    assert found[0].case.device == "cuda:0"
    (none,) = [draw for draw in idle_power_rows(full()) if draw.when == "resident"]
    assert (none.power_w, none.reason) == (None, "cases on the CPU leave no context and no model on a device")
    (none,) = [draw for draw in idle_power_rows(on_gpu()) if draw.when == "resident"]
    assert none.reason == "no trial on a GPU recorded it"
    before = [draw for draw in idle_power_rows(full()) if draw.when == "before"]
    window_s = full().idle[0].window_s
    assert before[0].power_w == (full().idle[0].energy[0].energy_j or 0) / (window_s[1] - window_s[0])


def test_a_run_on_the_cpu_says_nothing_of_what_only_a_board_has(tmp_path: Path) -> None:
    file = full()
    modelled = energy(101.234, kind="model")
    idle = tuple(entry.model_copy(update={"energy": (modelled,)}) for entry in file.idle)
    write(file.model_copy(update={"idle": idle}), tmp_path / "run.json")
    shown = joulemark(tmp_path, "show", "run.json").stdout
    assert "At rest: before: package-0 ~20 W; after: package-0 ~20 W." in shown
    assert "resident" not in shown
    write(file.model_copy(update={"idle": ()}), tmp_path / "run.json")
    assert "At rest" not in joulemark(tmp_path, "show", "run.json").stdout


def test_what_brackets_hold_is_said(tmp_path: Path) -> None:
    write(summarised(run_file(cases(kind="model"))), tmp_path / "run.json")
    heads = joulemark(tmp_path, "show", "run.json").stdout.partition(":small/")[0]
    assert heads.count("[95 %]") == 2  # speed and step time
    assert heads.count("~ (may be off by)") == 3  # energy, power, emissions
    write(full(), tmp_path / "run.json")
    assert "may be off" not in joulemark(tmp_path, "show", "run.json").stdout


def test_elsewhere_a_total_keeps_what_it_is_worth(tmp_path: Path) -> None:
    (channel,) = trace().channels
    dram = channel.model_copy(
        update={"component": "dram", "scope": "dram-0", "values": trace(power_w=1e-3).channels[0].values}
    )
    for channels, kind, words in (
        ((channel, dram), "counter", "2025     491 mg"),
        ((channel,), "counter", "2025  at least 491 mg"),
        ((channel.model_copy(update={"kind": "model"}),), "model", "at least about 491 mg"),
    ):
        write(run_file(traces=(trace().model_copy(update={"channels": channels}),)), tmp_path / "run.json")
        shown = joulemark(tmp_path, "show", "run.json", "--what-if", "PL")
        assert words in shown.stdout.partition("The whole run elsewhere")[2]
        done = joulemark(tmp_path, "show", "run.json", "--what-if", "PL", "--json")
        (row,) = json.loads(done.stdout)["what_if"]
        assert (row["kind"], row["lower_bound"]) == (kind, "at least" in words)


def test_show_prints_plain_charts_where_it_is_piped(tmp_path: Path) -> None:
    write(resident(), tmp_path / "run.json")
    done = joulemark(tmp_path, "show", "run.json")
    assert done.returncode == 0, done.stderr
    assert "Throughput, items/s (longer is faster" in done.stdout
    assert "=[" in done.stdout
    assert "█" not in done.stdout
    assert "gpu 0 35.0 W" in done.stdout or "35.0 W" in done.stdout


@pytest.mark.parametrize(("no_color", "blocks"), [("", True), ("1", False)])
def test_in_a_terminal_nothing_is_wider_than_it(tmp_path: Path, no_color: str, blocks: bool) -> None:
    write(full(), tmp_path / "run.json")
    text = in_terminal(tmp_path, 72, "show", "run.json", variables={"NO_COLOR": no_color} if no_color else {})
    charts = text[text.index("Throughput, items/s") :].partition("Whole run")[0].splitlines()
    assert max(map(len, charts)) <= 72
    assert ("█" in text) == blocks
    assert ("==" in text) != blocks


def test_the_terminal_says_the_worst_of_each_notice_as_the_page_does(tmp_path: Path) -> None:
    file = full()
    values = {"a": 0.385, "b": 1.305, "c": 0.2}
    made = [
        case(id, trials=[trial()]).model_copy(
            update={"id": id, "notices": (Notice.of(Code.HIGH_VARIANCE, value, 0.1),)}
        )
        for id, value in values.items()
    ]
    write(file.model_copy(update={"cases": tuple(made), "notices": ()}), tmp_path / "run.json")
    said = " ".join(joulemark(tmp_path, "show", "run.json").stdout.split())
    assert "! Trials vary by 130.5% (coefficient of variation; threshold 10%). [b] And 2 more cases." in said


def test_the_worst_is_farthest_from_what_is_wanted() -> None:
    few = [Notice.of(Code.TOO_SHORT_FOR_SENSOR, value, 100) for value in (50.0, 3.0, 20.0)]
    assert worst(few).value == 3.0
    apart = [Notice.of(Code.SENSORS_DISAGREE, value, 0.05) for value in (0.06, -0.2)]
    assert worst(apart).value == -0.2
    words = [Notice.of(Code.ENERGY_ESTIMATED, name) for name in ("cpu", "ram")]
    assert worst(words).value == "cpu"


def test_a_lost_trial_is_told_with_its_reason(tmp_path: Path) -> None:
    some = case("vit", trials=[trial(1), failed_trial(2, reason="not finished within 60 s"), trial(3, 99.0)])
    none = case("mlp", trials=[failed_trial(1), failed_trial(2)])
    file = summarised(run_file([some, none], id="20261101T120000Z-a1b2"))
    write(file, tmp_path / "runs" / f"{file.run.id}.json")
    shown = joulemark(tmp_path, "show", "latest").stdout
    assert "complete, 1 trial lost" in shown
    assert f"lost  {some.id}, round 2: not finished within 60 s" in shown
    assert joulemark(tmp_path, "list", "--runs").stdout.rstrip().endswith("1 ok, 1 failed, 1 trial lost")
    (one,) = json.loads(joulemark(tmp_path, "list", "--runs", "--json").stdout)["runs"]
    assert (one["cases"], one["trials_lost"]) == ({"ok": 1, "failed": 1, "skipped": 0}, 1)


def test_a_run_that_measured_nothing_failed() -> None:
    skipped = case(trials=[]).model_copy(update={"status": "skipped", "reason": "no tf32 on this device"})
    assert failed(run_file([skipped]))
    assert not failed(run_file([skipped, case("vit")]))
