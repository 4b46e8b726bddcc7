"""`joulemark run` with the real frameworks: the content of a finished run."""

from __future__ import annotations

import itertools
import json
import os
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from command import FAST_ROUNDS, joulemark
from environments import require

from joulemark.suite.records import RunFile, schema
from joulemark.suite.results.run_files import read
from joulemark.suite.trial.frameworks import FRAMEWORKS

pytestmark = pytest.mark.slow
require("torch", "tensorflow", "jax")


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """Run four cases at size tiny in two rounds; return home, process and JSON document."""
    home = tmp_path_factory.mktemp("home")
    (home / "joulemark.toml").write_text(FAST_ROUNDS)
    keras_home = home / "keras"
    keras_home.mkdir()
    (keras_home / "keras.json").write_text('{"backend": "torch", "image_data_format": "channels_first"}')
    done = joulemark(
        home,
        *("run", "--profile", "fast", "--zone", "CH", "--pue", "1.2", "--psf", "10", "--rounds", "2", "--json"),
        *("-k", "matmul or training"),
        # A user's environment that would slow one framework down and turn the other into it.
        variables={"OMP_NUM_THREADS": "1", "KERAS_BACKEND": "torch", "KERAS_HOME": str(keras_home), "LD_BIND_NOW": "1"},
    )
    assert done.returncode == 0, done.stderr
    return home, done, json.loads(done.stdout)


@pytest.fixture(scope="module")
def run_file(finished) -> RunFile:
    return read(Path(finished[2]["path"]))


def test_every_case_is_ok_with_throughput_energy_and_emissions(run_file):
    assert run_file.run.complete
    assert {(case.workload, case.phase, case.framework) for case in run_file.cases} == {
        (workload, phase, framework)
        for workload, phase in (("matmul", "inference"), ("cnn", "training"))
        for framework in FRAMEWORKS
    }
    for case in run_file.cases:
        assert (case.status, len(case.trials)) == ("ok", 2), case.reason
        for name in ("throughput", "step_time_s", "energy_per_item_j", "power_w", "emissions_g_per_1000_items"):
            quantity = getattr(case.summary, name)
            assert quantity.value is not None, (case.id, name, quantity.reason)
            assert 0 < quantity.low <= quantity.value <= quantity.high


def test_frameworks_are_compared(finished: tuple[Path, Any, Any]) -> None:
    home, _, document = finished
    done = joulemark(home, "compare", "latest", "latest", "--by", "framework", "--json")
    assert done.returncode == 0, done.stderr
    ratios = [c["ratio"] for c in json.loads(done.stdout)["comparisons"] if c["metric"] == "throughput"]
    assert len(ratios) == 6, "two tasks, three pairs of frameworks"
    assert all(ratios)
    assert "there is nothing to compare" not in Path(document["report"]).read_text(encoding="utf-8")


def test_summary_follows_from_the_trials(run_file):
    for case in run_file.cases:
        rates = [trial.items / (trial.window_s[1] - trial.window_s[0]) for trial in case.trials]
        assert case.summary.throughput.value == pytest.approx((rates[0] * rates[1]) ** 0.5, rel=1e-9)
        joules = [sum(e.energy_j for e in trial.energy if e.attributed) / trial.items for trial in case.trials]
        assert case.summary.energy_per_item_j.value == pytest.approx((joules[0] * joules[1]) ** 0.5, rel=1e-9)
        grams = case.summary.energy_per_item_j.value * 1.2 / 3.6e6 * 39.22 * 1000
        assert case.summary.emissions_g_per_1000_items.value == pytest.approx(grams, rel=1e-9)


def test_trials_are_forked_one_at_a_time_in_shuffled_rounds(run_file):
    orders = []
    for number in (1, 2):
        trials = [(t.started_s, case.id, t) for case in run_file.cases for t in case.trials if t.round == number]
        orders.append([case_id for _, case_id, _ in sorted(trials, key=lambda entry: entry[0])])
        assert all(trial.isolation == "fork" for _, _, trial in trials)
    assert sorted(orders[0]) == sorted(orders[1])
    windows = sorted(trial.window_s for case in run_file.cases for trial in case.trials)
    assert all(a[1] < b[0] for a, b in itertools.pairwise(windows)), "two trials ran at once"


def test_environment_variables_of_the_user_have_no_effect(run_file):
    threads = str(len(os.sched_getaffinity(0)))
    for case in run_file.cases:
        for trial in case.trials:
            assert trial.environment["intra_op_threads"] == threads
            if case.framework == "tensorflow":
                assert trial.environment["keras_backend"] == "tensorflow"


def test_energy_readings_have_a_kind_and_an_interval_or_a_reason(run_file):
    for case in run_file.cases:
        for trial in case.trials:
            assert trial.energy
            for reading in trial.energy:
                assert (reading.energy_j is None) == (reading.kind == "unavailable")
                if reading.energy_j is not None:
                    assert reading.low_j <= reading.energy_j <= reading.high_j
                else:
                    assert reading.reason


def test_trials_of_a_case_have_equal_first_outputs(run_file):
    for case in run_file.cases:
        first, second = (trial.result.first for trial in case.trials)
        assert first == pytest.approx(second, rel=1e-4)


def test_noise_floor_and_idle_windows_are_recorded(run_file):
    assert len(run_file.floor) == 3
    assert [idle.when for idle in run_file.idle] == ["before", "after"]
    assert all(floor.arithmetic_s > 0 and floor.copy_s > 0 for floor in run_file.floor)


def test_json_document_is_the_run_file_without_traces(finished, run_file):
    document = finished[2]
    assert "traces" not in document
    assert Path(document["report"]).is_file()
    assert document["run"]["id"] == run_file.run.id
    jsonschema.Draft202012Validator(schema()).validate(json.loads(Path(document["path"]).read_text()))


def test_only_run_file_page_and_rows_are_left(finished):
    home = finished[0]
    assert sorted(path.suffix for path in (home / "runs").iterdir()) == [".html", ".json", ".parquet"]
    assert list((home / "tmp").glob("joulemark-*")) == []


def test_page_is_under_6_mb_and_loads_nothing(finished):
    page = Path(finished[2]["report"]).read_text()
    assert len(page.encode()) < 6e6
    for attribute in ("<link", "<img", "<iframe", "src="):
        for text in page.split(attribute)[1:]:
            assert not text[:200].lstrip(' "=').startswith("http"), text[:100]


def test_show_and_list_find_the_run(finished):
    home, _, document = finished
    shown = joulemark(home, "show", "latest")
    assert shown.returncode == 0
    assert all(case["id"] in shown.stdout for case in document["cases"])
    listed = json.loads(joulemark(home, "list", "--runs", "--json").stdout)
    assert [run["id"] for run in listed["runs"]] == [document["run"]["id"]]


def test_piped_progress_is_plain_lines(finished):
    stderr = finished[1].stderr
    assert "[12/12]" in stderr
    assert "\x1b" not in stderr
