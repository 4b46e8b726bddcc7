"""When a run has failed."""

from __future__ import annotations

from run_files import case, run_file

from joulemark.suite.cli.support.execute import has_failed


def test_run_without_a_successful_case_has_failed() -> None:
    skipped = case(trials=[]).model_copy(update={"status": "skipped", "reason": "no tf32 on this device"})
    assert has_failed(run_file([skipped]))
    assert not has_failed(run_file([skipped, case("vit")]))
