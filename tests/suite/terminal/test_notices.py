"""The notices of a run."""

from __future__ import annotations

from run_files import case, run_file, trial

from joulemark.suite.notices import Code
from joulemark.suite.records import Notice
from joulemark.suite.terminal.notices import notice_lines


def test_one_line_per_code_with_its_worst_notice() -> None:
    variations = {"a": 0.385, "b": 1.305, "c": 0.2}
    noisy = [
        case(id, trials=[trial()]).model_copy(
            update={"id": id, "notices": (Notice.of(Code.HIGH_VARIANCE, value, 0.1),)}
        )
        for id, value in variations.items()
    ]
    run = run_file(noisy).model_copy(update={"notices": (Notice.of(Code.SIMULATED, "rapl"),)})
    blank, simulated, variance = (line.plain for line in notice_lines(run))
    assert blank == ""
    assert simulated.startswith("! ")
    assert "rapl" in simulated
    assert "130.5%" in variance
    assert "[b] And 2 more cases." in variance
    assert notice_lines(run_file([])) == []
