"""The main job, on the real command with the real frameworks."""

from __future__ import annotations

import itertools
import json
import os
import signal
import time
from pathlib import Path

import jsonschema
import nvml_library
import psutil
import pytest
from command import FAST, joulemark, start, wait_for
from places import SUPPORT

from joulemark.suite.records import RunFile, read, schema

pytest.importorskip("torch")
pytest.importorskip("tensorflow")

TINY = ("run", "--profile", "fast", "--zone", "CH", "--pue", "1.2", "--psf", "10")
FAULTY = SUPPORT / "faulty"


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """One run of all cases of `quick` at size tiny, two rounds: home, process and JSON document."""
    home = tmp_path_factory.mktemp("home")
    (home / "joulemark.toml").write_text(FAST)
    hostile = home / "hostile"
    hostile.mkdir()
    (hostile / "keras.json").write_text('{"backend": "torch", "image_data_format": "channels_first"}')
    done = joulemark(
        home,
        *TINY,
        "--rounds",
        "2",
        "--json",
        # A user's environment that would slow one framework and turn the other into it.
        variables={"OMP_NUM_THREADS": "1", "KERAS_BACKEND": "torch", "KERAS_HOME": str(hostile), "LD_BIND_NOW": "1"},
    )
    assert done.returncode == 0, done.stderr
    return home, done, json.loads(done.stdout)


@pytest.fixture(autouse=True)
def fast_profile(tmp_path):
    """Each test's own home knows the profile too."""
    (tmp_path / "joulemark.toml").write_text(FAST)


@pytest.fixture(scope="module")
def run_file(finished) -> RunFile:
    return read(Path(finished[2]["path"]))


def test_every_case_is_ok_with_throughput_energy_and_emissions(run_file):
    assert run_file.run.complete
    assert {(case.workload, case.phase, case.framework) for case in run_file.cases} == {
        (workload, phase, framework)
        for workload, phase in (("matmul", "inference"), ("cnn", "inference"), ("cnn", "training"))
        for framework in ("pytorch", "tensorflow")
    }
    for case in run_file.cases:
        assert (case.status, len(case.trials)) == ("ok", 2), case.reason
        for name in ("throughput", "step_time_s", "energy_per_item_j", "power_w", "emissions_g_per_1000_items"):
            quantity = getattr(case.summary, name)
            assert quantity.value is not None, (case.id, name, quantity.reason)
            assert 0 < quantity.low <= quantity.value <= quantity.high


def test_numbers_of_a_case_follow_from_its_trials(run_file):
    for case in run_file.cases:
        rates = [trial.items / (trial.window_s[1] - trial.window_s[0]) for trial in case.trials]
        assert case.summary.throughput.value == pytest.approx((rates[0] * rates[1]) ** 0.5, rel=1e-9)
        joules = [sum(e.energy_j for e in trial.energy if e.attributed) / trial.items for trial in case.trials]
        assert case.summary.energy_per_item_j.value == pytest.approx((joules[0] * joules[1]) ** 0.5, rel=1e-9)
        grams = case.summary.energy_per_item_j.value * 1.2 / 3.6e6 * 39.22 * 1000
        assert case.summary.emissions_g_per_1000_items.value == pytest.approx(grams, rel=1e-9)


def test_trials_are_forks_in_shuffled_rounds(run_file):
    orders = []
    for number in (1, 2):
        trials = [(t.started_s, case.id, t) for case in run_file.cases for t in case.trials if t.round == number]
        orders.append([case_id for _, case_id, _ in sorted(trials, key=lambda entry: entry[0])])
        assert all(trial.isolation == "fork" for _, _, trial in trials)
    assert sorted(orders[0]) == sorted(orders[1])
    windows = sorted(trial.window_s for case in run_file.cases for trial in case.trials)
    assert all(a[1] < b[0] for a, b in itertools.pairwise(windows)), "two trials ran at once"


def test_the_hostile_environment_had_no_effect(run_file):
    threads = str(len(os.sched_getaffinity(0)))
    for case in run_file.cases:
        for trial in case.trials:
            assert trial.environment["intra_op_threads"] == threads
            if case.framework == "tensorflow":
                assert trial.environment["keras_backend"] == "tensorflow"


def test_energy_lies_within_its_sensors_interval_and_has_its_kind(run_file):
    for case in run_file.cases:
        for trial in case.trials:
            assert trial.energy
            for reading in trial.energy:
                assert (reading.energy_j is None) == (reading.kind == "unavailable")
                if reading.energy_j is not None:
                    assert reading.low_j <= reading.energy_j <= reading.high_j
                else:
                    assert reading.reason


def test_the_same_first_outputs_in_every_trial(run_file):
    for case in run_file.cases:
        first, second = (trial.result.first for trial in case.trials)
        assert first == pytest.approx(second, rel=1e-4)


def test_the_floor_and_the_idle_windows_are_there(run_file):
    assert len(run_file.floor) == 3
    assert [idle.when for idle in run_file.idle] == ["before", "after"]
    assert all(entry.arithmetic_s > 0 and entry.copy_s > 0 for entry in run_file.floor)


def test_the_document_is_the_run_file_without_its_traces(finished, run_file):
    _, _, document = finished
    assert "traces" not in document
    assert Path(document["report"]).is_file()
    assert document["run"]["id"] == run_file.run.id
    jsonschema.Draft202012Validator(schema()).validate(json.loads(Path(document["path"]).read_text()))


def test_nothing_but_the_run_file_its_page_and_its_rows_is_left(finished):
    home = finished[0]
    assert sorted(path.suffix for path in (home / "runs").iterdir()) == [".html", ".json", ".parquet"]
    assert list((home / "tmp").glob("joulemark-*")) == []


def test_the_page_is_under_6_mb_and_loads_nothing(finished):
    page = Path(finished[2]["report"]).read_text()
    assert len(page.encode()) < 6e6
    for tag in ("<link", "<img", "<iframe", "src="):
        for found in page.split(tag)[1:]:
            assert not found[:200].lstrip(' "=').startswith("http"), found[:100]


def test_show_and_list_know_the_run(finished):
    home, _, document = finished
    shown = joulemark(home, "show", "latest")
    assert shown.returncode == 0
    assert all(case["id"] in shown.stdout for case in document["cases"])
    listed = json.loads(joulemark(home, "list", "--runs", "--json").stdout)
    assert [run["id"] for run in listed["runs"]] == [document["run"]["id"]]


def test_progress_of_a_pipe_is_plain_lines(finished):
    error = finished[1].stderr
    assert "[12/12]" in error
    assert "\x1b" not in error


def test_a_killed_run_shows_every_finished_trial(tmp_path):
    running = start(tmp_path, *TINY, "--workload", "matmul", "--rounds", "3", "--no-report")
    wait_for(running, "[2/6]")
    family = psutil.Process(running.pid).children(recursive=True)
    running.kill()
    running.communicate()
    _, alive = psutil.wait_procs(family, timeout=10)
    assert alive == [], "processes of a killed run go on"
    shown = joulemark(tmp_path, "show", "latest", "--json")
    assert shown.returncode == 0, shown.stderr
    document = json.loads(shown.stdout)
    assert document["run"]["complete"] is False
    trials = [trial for case in document["cases"] for trial in case["trials"]]
    assert [trial["status"] for trial in trials] == ["ok", "ok"]
    assert all(reading["energy_j"] for trial in trials for reading in trial["energy"] if reading["attributed"])
    # The machine is free again: a dead owner holds no lock.
    assert joulemark(tmp_path, "report", "latest", "-o", "page.html").returncode == 0
    assert "run_incomplete" in {notice["code"] for notice in document["notices"]}


def test_ctrl_c_keeps_what_is_finished_and_exits_130(tmp_path):
    running = start(tmp_path, *TINY, "--workload", "matmul", "--rounds", "3", "--no-report")
    wait_for(running, "[1/6]")
    refused = joulemark(tmp_path, *TINY, "--workload", "matmul", "--no-report")
    assert refused.returncode == 2
    assert "is measuring on this machine" in refused.stderr
    time.sleep(1)
    running.send_signal(signal.SIGINT)
    _, error = running.communicate(timeout=60)
    assert running.returncode == 130, error
    assert "Traceback" not in error
    document = json.loads(joulemark(tmp_path, "show", "latest", "--json").stdout)
    assert document["run"]["complete"] is False
    assert sum(len(case["trials"]) for case in document["cases"]) >= 1
    assert sorted(path.suffix for path in (tmp_path / "runs").iterdir()) == [".json", ".parquet"]


def test_ctrl_c_before_the_first_trial_leaves_no_run(tmp_path):
    (tmp_path / "joulemark.toml").write_text(FAST)
    running = start(tmp_path, *TINY, "--workload", "matmul", "--no-report")
    wait_for(running, "cases x")
    time.sleep(0.3)  # at rest before the first round
    running.send_signal(signal.SIGINT)
    _, error = running.communicate(timeout=60)
    assert (running.returncode, error) == (
        130,
        "joulemark: interrupted before the first trial had ended: nothing is kept.\n",
    )
    assert list((tmp_path / "runs").iterdir()) == []


def test_a_failing_case_leaves_the_others_intact(tmp_path):
    """Somebody else's workload that crashes, and one of ours: exit code 4, each with its own result."""
    done = joulemark(
        tmp_path,
        *("run", "--workload", "faulty", "--workload", "matmul", "--size", "segfault", "--size", "tiny"),
        *("--profile", "fast", "--framework", "pytorch", "--rounds", "1", "--json"),
        variables={"PYTHONPATH": str(FAULTY)},
    )
    assert done.returncode == 4, done.stderr
    cases = {case["workload"]: case for case in json.loads(done.stdout)["cases"]}
    assert (cases["faulty"]["status"], cases["faulty"]["reason_code"]) == ("failed", "crashed")
    assert "SIGSEGV" in cases["faulty"]["reason"]
    assert cases["matmul"]["status"] == "ok"
    assert Path(json.loads(done.stdout)["report"]).is_file()


def test_a_case_that_ran_out_of_time_is_not_tried_in_every_round(tmp_path):
    (tmp_path / "joulemark.toml").write_text(FAST + "timeout_s = 4\n")
    done = joulemark(
        tmp_path,
        *("run", "--workload", "faulty", "--size", "hang", "--profile", "fast", "--framework", "pytorch"),
        *("--rounds", "3", "--json", "--no-report"),
        variables={"PYTHONPATH": str(FAULTY)},
    )
    assert done.returncode == 4, done.stderr
    (case,) = json.loads(done.stdout)["cases"]
    assert [(trial["round"], trial["reason_code"]) for trial in case["trials"]] == [(1, "timeout")]
    assert case["status"] == "failed"
    assert "[1/1]" in done.stderr


def test_a_framework_that_cannot_be_imported_fails_its_own_cases_only(tmp_path):
    (tmp_path / "path" / "tensorflow").mkdir(parents=True)
    (tmp_path / "path" / "tensorflow" / "__init__.py").write_text("raise ImportError('planted: a broken build')")
    done = joulemark(
        tmp_path,
        *(*TINY, "--workload", "matmul", "--rounds", "1", "--json", "--no-report"),
        variables={"PYTHONPATH": str(tmp_path / "path")},
    )
    assert done.returncode == 4, done.stderr
    cases = {case["framework"]: case for case in json.loads(done.stdout)["cases"]}
    assert cases["pytorch"]["status"] == "ok"
    assert cases["tensorflow"]["reason_code"] == "import_failed"
    assert "planted" in cases["tensorflow"]["reason"]


def test_an_interrupted_run_goes_on_where_it_was(tmp_path):
    running = start(tmp_path, *TINY, "--workload", "matmul", "--rounds", "2", "--no-report", "--latency")
    wait_for(running, "[1/4]")
    running.kill()
    running.communicate()
    before = json.loads(joulemark(tmp_path, "show", "latest", "--json").stdout)
    assert joulemark(tmp_path, "run", "--resume", "latest", "--rounds", "5").returncode == 2
    done = joulemark(tmp_path, "run", "--resume", "latest", "--json", "--no-report")
    assert done.returncode == 0, done.stderr
    after = json.loads(done.stdout)
    assert after["run"]["id"] == before["run"]["id"]
    assert after["run"]["complete"] is True
    assert len(after["run"]["segments"]) == 2
    kept = [trial for case in before["cases"] for trial in case["trials"]]
    trials = [trial for case in after["cases"] for trial in case["trials"]]
    assert len(kept) >= 1
    assert all(trial in trials for trial in kept), "a finished trial changed"
    for case in after["cases"]:
        assert sorted(trial["round"] for trial in case["trials"]) == [1, 2]
        assert case["summary"]["energy_per_item_j"]["n"] == 2
    for trial in trials:
        assert trial["latency"]["p50_s"] <= trial["latency"]["p95_s"] <= trial["latency"]["p99_s"]
    assert sorted(path.suffix for path in (tmp_path / "runs").iterdir()) == [".json", ".parquet"]
    again = joulemark(tmp_path, "run", "--resume", "latest")
    assert (again.returncode, "nothing left" in again.stderr) == (2, True)


def test_a_run_that_is_going_on_cannot_be_resumed_and_loses_nothing(tmp_path):
    running = start(tmp_path, *TINY, "--workload", "matmul", "--rounds", "2", "--no-report", "--json")
    wait_for(running, "[1/4]")
    for more in ((), ("--dry-run",)):
        done = joulemark(tmp_path, "run", "--resume", "latest", *more)
        assert done.returncode == 2
        assert "is measuring on this machine" in done.stderr
    output, _ = running.communicate(timeout=120)
    assert running.returncode == 0
    assert [len(case["trials"]) for case in json.loads(output)["cases"]] == [2, 2]


def test_what_the_environment_says_is_not_taken_for_an_option(tmp_path):
    variables = {"JOULEMARK_PROFILE": "ci", "JOULEMARK_ZONE": "CH", "JOULEMARK_THREADS": "1"}
    assert joulemark(tmp_path, "list", variables=variables).returncode == 0
    assert "no run 'latest'" in joulemark(tmp_path, "run", "--resume", "latest", variables=variables).stderr
    assert "leave out --zone" in joulemark(tmp_path, "run", "--resume", "latest", "--zone", "DE").stderr
    assert "leave out -k" in joulemark(tmp_path, "run", "--resume", "latest", "-k", "cnn").stderr


def test_a_run_whose_floor_cannot_be_measured_goes_on_without_one(tmp_path):
    start_up = tmp_path / "site" / "sitecustomize.py"
    start_up.parent.mkdir()
    start_up.write_text("import os, sys\nif 'joulemark.suite.trial.noise_floor' in sys.orig_argv: os._exit(3)\n")
    options = (*TINY, "--workload", "matmul", "--framework", "pytorch", "--rounds", "2", "--json")
    done = joulemark(tmp_path, *options, variables={"PYTHONPATH": str(start_up.parent)})
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["floor"] == []
    (said,) = (notice for notice in document["notices"] if notice["code"] == "floor_not_measured")
    assert "a fixed loop failed: exit status 3" in said["message"]
    assert [len(case["trials"]) for case in document["cases"]] == [2]
    assert Path(document["report"]).is_file()


def test_a_run_that_could_not_begin_leaves_nothing(tmp_path):
    start_up = tmp_path / "site" / "sitecustomize.py"
    start_up.parent.mkdir()
    start_up.write_text("import os, sys\nif 'joulemark.suite.sensors.sampler_process' in sys.orig_argv: os._exit(3)\n")
    options = (*TINY, "--workload", "matmul", "--framework", "pytorch")
    done = joulemark(tmp_path, *options, variables={"PYTHONPATH": str(start_up.parent)})
    assert done.returncode == 4
    assert "the power sampler did not start" in done.stderr
    assert list((tmp_path / "runs").iterdir()) == []


def test_a_broken_framework_on_a_machine_with_a_board_is_left_to_its_trials(tmp_path):
    broken = tmp_path / "site" / "torch" / "__init__.py"
    broken.parent.mkdir(parents=True)
    broken.write_text("raise ImportError('libcudart.so.13: cannot open shared object file')\n")
    board = nvml_library.Board("GPU-aaaa1111-0000-0000-0000-000000000000")
    machine = nvml_library.environment(nvml_library.build(tmp_path), [board])
    variables = {name: machine[name] for name in ("LD_LIBRARY_PATH", "NVML_BOARDS")}
    options = (*TINY, "--workload", "matmul", "--rounds", "1", "--no-report", "--json")
    done = joulemark(tmp_path, *options, variables={**variables, "PYTHONPATH": str(broken.parents[1])})
    document = json.loads(done.stdout)
    assert done.returncode == 4, done.stderr
    assert [gpu["name"] for gpu in document["machine"]["gpus"]] == [board.name]
    status = {case["framework"]: (case["status"], case["reason"] or "") for case in document["cases"]}
    assert status["tensorflow"][0] == "ok"
    assert status["pytorch"][0] == "failed"
    assert "libcudart.so.13" in status["pytorch"][1]
