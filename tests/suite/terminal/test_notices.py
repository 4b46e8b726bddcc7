"""The notices of a run."""

from __future__ import annotations

from run_files import case, run_file, trial

from joulemark.suite.notices import Code
from joulemark.suite.records import Case, Notice, RunFile
from joulemark.suite.terminal.notices import notice_lines


def with_notices(id: str, *notices: Notice) -> Case:
    return case(id, trials=[trial()]).model_copy(update={"id": id, "notices": notices})


def lines(run: RunFile) -> list[str]:
    return [line.plain for line in notice_lines(run)]


def test_one_line_per_code_with_its_worst_notice() -> None:
    variations = {"a": 0.385, "b": 1.305, "c": 0.2}
    noisy = [with_notices(id, Notice.of(Code.HIGH_VARIANCE, value, 0.1)) for id, value in variations.items()]
    run = run_file(noisy).model_copy(update={"notices": (Notice.of(Code.SIMULATED, "rapl"),)})
    blank, simulated, _, variance, _ = lines(run)
    assert blank == ""
    assert simulated.startswith("! ")
    assert "rapl" in simulated
    assert "130.5%" in variance
    assert variance.endswith("[worst of 3 cases: b]")
    assert lines(run_file([])) == []


def test_cases_with_the_same_notice_are_counted() -> None:
    estimated = Notice.of(Code.ENERGY_ESTIMATED, "cpu, ram by codecarbon")
    lost = Notice.of(Code.TRIALS_LOST, 1)
    run = run_file([with_notices("a", estimated, lost), with_notices("b", estimated), with_notices("c", lost)])
    text = lines(run)
    assert any(line.endswith("codecarbon. [2 cases]") for line in text)
    assert any(line.endswith("failed: 1. [2 cases]") for line in text)
    everywhere = lines(run_file([with_notices("a", estimated), with_notices("b", estimated)]))
    assert everywhere[1].endswith("codecarbon. [all cases]")
    (alone,) = [line for line in lines(run_file([with_notices("a", lost), case()])) if line.startswith("!")]
    assert alone.endswith("[a]")


def test_a_remedy_of_several_notices_stands_once() -> None:
    notices = [
        Notice.of(Code.ENERGY_ESTIMATED, "cpu by codecarbon"),
        Notice.of(Code.HIGH_VARIANCE, 0.3, 0.1),
        Notice.of(Code.CPU_NOT_KNOWN, "a TDP of 8 W"),
        Notice.of(Code.MACHINE_BUSY, 0.3, 0.05),
    ]
    run = run_file([with_notices("a", *notices)])
    text = lines(run.model_copy(update={"notices": (Notice.of(Code.NOISY_FLOOR, 0.2, 0.05),)}))
    assert [line[:2] for line in text] == ["", "! ", "! ", "! ", "  ", "! ", "! ", "  "]
    assert [line.strip() for line in text if line.startswith("  ")] == [
        Code.NOISY_FLOOR.remedy,
        Code.ENERGY_ESTIMATED.remedy,
    ]
