"""The strip: what could make a page mislead, said once and as bad as it is."""

from __future__ import annotations

from report_files import cases, full, summarised, ways
from run_files import case, failed_trial, run_file, trace

from joulemark.reports.model import build
from joulemark.suite.notices import Code
from joulemark.suite.records import Notice


def test_every_notice_of_a_code_is_said_once_with_all_it_is_about() -> None:
    notices = [Notice.of(Code.HIGH_VARIANCE, value, 0.1) for value in (0.2, 0.9)]
    run = run_file([case(notices=(notices[0],)), case(framework="tensorflow", mode="graph", notices=(notices[1],))])
    (warned,) = build([run]).warnings.notices
    assert "90.0%" in warned.notice.message
    assert len(warned.about) == 2
    assert "20.0%" in warned.about[0]


def test_the_strip_speaks_of_all_cases_and_not_of_the_worst_as_if_it_were_all() -> None:
    """Two trials of one case and one of another are not `2`, with `2 affected`."""
    unsteady = [Notice.of(Code.NOT_STEADY, count) for count in (2.0, 1.0)]
    few = [Notice.of(Code.TOO_SHORT_FOR_SENSOR, value, 50.0) for value in (30.0, 12.0)]
    noisy = Notice.of(Code.NOISY_FLOOR, 0.12, 0.05)
    runs = [
        run_file([case(notices=(unsteady[0], few[0])), case(framework="tensorflow", notices=(unsteady[1], few[1]))]),
        run_file([case()], id="20261102T120000Z-b2c3", notices=(noisy,)),
    ]
    said = {warned.notice.code: (warned.notice.message, warned.affected) for warned in build(runs).warnings.notices}
    assert said[Code.NOT_STEADY] == (unsteady[0].message, "the worst of 2 cases")
    assert said[Code.NOISY_FLOOR] == (noisy.message, "1 run")
    assert said[Code.TOO_SHORT_FOR_SENSOR] == (few[1].message, "the worst of 2 cases")


def test_a_run_that_measured_nothing_is_not_called_complete_or_calm() -> None:
    empty = build([run_file([])])
    assert empty.warnings.verdict == "Nothing was measured. No case was planned. No energy was read."
    assert not empty.warnings.sound
    assert empty.headline.sentences == ("Nothing was measured: no case was planned.",)
    assert build(ways()["all-failed"]).warnings.verdict.startswith(
        "Nothing was measured. 0 of 2 cases measured, 2 failed."
    )


def test_the_strip_is_only_calm_where_all_is_measured() -> None:
    assert build([summarised(run_file(cases()))]).warnings.sound
    assert not build([summarised(run_file(cases(kind="model")))]).warnings.sound
    assert not build([summarised(run_file(cases(kind="unavailable")))]).warnings.sound
    assert not build([full()]).warnings.sound
    simulated = trace().model_copy(update={"simulated": True})
    report = build([summarised(run_file(cases(), traces=(simulated,)))])
    assert not report.warnings.sound
    assert "simulated" in report.warnings.verdict


def test_a_failed_case_says_what_its_trials_said() -> None:
    (lost,) = build([run_file([case(trials=[failed_trial()])])]).warnings.lost
    assert "out of memory: asked for 9 GiB" in lost.reason
