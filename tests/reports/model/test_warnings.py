"""The warnings at the top of the page: each once, with all it applies to, and as severe as it is."""

from __future__ import annotations

from places import DOCS
from report_files import cases, full, report_inputs, summarised
from run_files import case, failed_trial, run_file, trace

from joulemark.reports.model import build
from joulemark.suite.notices import Code
from joulemark.suite.records import Notice


def test_notices_of_one_code_stand_once_with_all_their_cases() -> None:
    notices = [Notice.of(Code.HIGH_VARIANCE, value, 0.1) for value in (0.2, 0.9)]
    run = run_file([case(notices=(notices[0],)), case(framework="tensorflow", mode="graph", notices=(notices[1],))])
    (group,) = build([run]).warnings.notices
    assert "90.0%" in group.notice.message
    assert len(group.subjects) == 2
    assert "20.0%" in group.subjects[0]


def test_worst_of_several_cases_is_not_presented_as_all_of_them() -> None:
    """Two trials of one case and one of another are not `2`, with `2 affected`."""
    unsteady = [Notice.of(Code.NOT_STEADY, count) for count in (2.0, 1.0)]
    short = [Notice.of(Code.TOO_SHORT_FOR_SENSOR, value, 50.0) for value in (30.0, 12.0)]
    noisy = Notice.of(Code.NOISY_FLOOR, 0.12, 0.05)
    tensorflow = case(framework="tensorflow", notices=(unsteady[1], short[1]))
    runs = [
        run_file([case(notices=(unsteady[0], short[0])), tensorflow]),
        run_file([case()], id="20261102T120000Z-b2c3", notices=(noisy,)),
    ]
    groups = {group.notice.code: (group.notice, group.affected) for group in build(runs).warnings.notices}
    assert groups[Code.NOT_STEADY] == (unsteady[0], "the worst of 2 cases")
    assert groups[Code.NOISY_FLOOR] == (noisy, "1 run")
    assert groups[Code.TOO_SHORT_FOR_SENSOR] == (short[1], "the worst of 2 cases")


def test_run_that_measured_nothing_is_neither_complete_nor_all_clear() -> None:
    empty = build([run_file([])])
    assert empty.warnings.verdict == "Nothing was measured. No case was planned. No energy was read."
    assert not empty.warnings.all_clear
    assert empty.headline.sentences == ("Nothing was measured: no case was planned.",)
    verdict = build(report_inputs()["all-failed"]).warnings.verdict
    assert verdict.startswith("Nothing was measured. 0 of 2 cases measured, 2 failed.")


def test_all_clear_only_if_everything_is_measured() -> None:
    assert build([summarised(run_file(cases()))]).warnings.all_clear
    assert not build([summarised(run_file(cases(kind="model")))]).warnings.all_clear
    assert not build([summarised(run_file(cases(kind="unavailable")))]).warnings.all_clear
    assert not build([full()]).warnings.all_clear
    simulated = trace().model_copy(update={"simulated": True})
    report = build([summarised(run_file(cases(), traces=(simulated,)))])
    assert not report.warnings.all_clear
    assert "simulated" in report.warnings.verdict
    assert "Energy: measured (rapl)." in build([full()]).warnings.verdict


def test_failed_case_has_the_reason_of_its_trials() -> None:
    (failed,) = build([run_file([case(trials=[failed_trial(reason="asked for 9 GiB")])])]).warnings.failed
    assert "asked for 9 GiB" in failed.reason


def test_warnings_are_counted_in_one_line() -> None:
    assert build([summarised(run_file(cases()))]).warnings.count == "No warnings"
    notices = (Notice.of(Code.NOISY_FLOOR, 0.12, 0.05), Notice.of(Code.ENERGY_ESTIMATED, "by load"))
    failed = case("vit", trials=[failed_trial()])
    report = build([summarised(run_file([*cases(), failed], notices=notices))])
    assert report.warnings.count == "2 warnings, 1 severe; 1 case without a result"


def test_every_notice_names_a_page_of_the_docs() -> None:
    assert [code for code in Code if not (DOCS / code.docs).is_file()] == []
