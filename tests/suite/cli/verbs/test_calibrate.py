"""`joulemark calibrate`, on kept runs and measuring."""

from __future__ import annotations

import json
import math
import signal
import socket
import tomllib
from pathlib import Path

import numpy as np
import pytest
from command import FAST_ROUNDS, joulemark, start
from comparisons import case_with_rates
from environments import known, require
from run_files import case, energy, machine, run_file, trial

from joulemark.suite.cli.support.meter_calibration import calibrate_sensors, calibration_lines, check_meter
from joulemark.suite.cli.support.prepare import describe_machine
from joulemark.suite.errors import NotComparableError, UsageError
from joulemark.suite.records import Channel, Trace
from joulemark.suite.results.run_files import read
from joulemark.suite.sensors.calibrations import load
from joulemark.suite.sensors.gpus.inventory import discover
from joulemark.suite.stats.thresholds import parse_thresholds

pytestmark = pytest.mark.slow


def keep(folder: Path, count: int, **fields: object) -> list[str]:
    """Write `count` runs that drift by 3 % and whose trials vary by 1 %; return their paths."""
    random = np.random.default_rng(5)
    paths = []
    for number in range(count):
        rates = 1e5 * np.exp(random.normal(0, 0.03) + random.normal(0, 0.01, 4))
        run = run_file([case_with_rates(*rates.tolist())], id=f"20260101T00000{number}Z-000{number}", **fields)
        paths.append(folder / f"{run.run.id}.json")
        paths[-1].write_text(run.model_dump_json())
    return [str(path) for path in paths]


def test_variances_of_kept_runs(tmp_path: Path) -> None:
    paths = keep(tmp_path, 6)
    done = joulemark(tmp_path, "calibrate", *paths, "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["schema_version"] == 1
    assert document["runs"] == [Path(path).stem for path in paths]
    facts = document["metrics"]["throughput"]
    logs = np.array([[math.log(t.items / 2.0) for t in read(Path(path)).cases[0].trials] for path in paths])
    within = logs.var(axis=1, ddof=1).mean()
    assert facts["trial_variation"] == pytest.approx(math.sqrt(within), rel=1e-6)
    between = logs.mean(axis=1).var(ddof=1) - within / 4
    assert facts["run_variation"] == pytest.approx(math.sqrt(between), rel=1e-6)
    assert facts["share_of_runs"] == pytest.approx(between / (between + within), rel=1e-6)
    assert [effect["rounds"] for effect in facts["stored"]] == [3, 5, 10, 15, 20, 30]
    assert set(facts["stored"][0]) == {"rounds", "told_apart", "threshold", "fires_at"}
    proposed = document["proposed"]
    assert "12 trials" in document["effort"]["reason"] or "no case" in document["effort"]["reason"]
    assert 0.01 <= proposed["turn_by_turn"]["throughput"] < proposed["stored"]["throughput"] < 0.5


def test_proposed_thresholds_can_be_pasted_into_the_settings_file(tmp_path: Path) -> None:
    paths = keep(tmp_path, 6)
    document = json.loads(joulemark(tmp_path, "calibrate", *paths, "--json").stdout)
    shown = joulemark(tmp_path, "calibrate", *paths)
    assert shown.returncode == 0, shown.stderr
    *_, last = shown.stdout.splitlines()
    table = tomllib.loads(last)["thresholds"]
    assert last.endswith("# against a kept run")
    thresholds = {key: parse_thresholds([], {key: value}).limit(key, "any") for key, value in table.items()}
    assert thresholds == document["proposed"]["stored"]
    assert f"{document['metrics']['throughput']['trial_variation']:.1%}" in shown.stdout


def test_estimated_energy_needs_an_option(tmp_path: Path) -> None:
    paths = []
    for number in range(5):
        trials = [trial(i, 1e5, readings=[energy(100.0 + i + number, kind="model")]) for i in (1, 2, 3)]
        path = tmp_path / f"{number}.json"
        path.write_text(run_file([case(trials=trials)], id=f"run-{number}").model_dump_json())
        paths.append(str(path))
    facts = json.loads(joulemark(tmp_path, "calibrate", *paths, "--json").stdout)["metrics"]["energy"]
    assert "--allow-estimates" in facts["reason"]
    allowed = joulemark(tmp_path, "calibrate", *paths, "--json", "--allow-estimates")
    assert json.loads(allowed.stdout)["metrics"]["energy"]["run_variation"] > 0


def test_runs_with_too_little_in_common_exit_3(tmp_path: Path) -> None:
    here = keep(tmp_path, 5)
    (tmp_path / "elsewhere").mkdir()
    elsewhere = keep(tmp_path / "elsewhere", 1, machine=machine(fingerprint="another"))
    for paths in (here[:4], [*here[:4], here[0]], [*here[:4], *elsewhere]):
        done = joulemark(tmp_path, "calibrate", *paths)
        assert done.returncode == 3, done.stderr
        assert done.stderr.count("\n") == 1
        assert "joulemark calibrate" in done.stderr


CASE = "matmul:small/inference/pytorch/eager/cpu/fp32/b1"


def test_the_best_window_and_rounds_are_kept_and_used_by_profile_ci(tmp_path: Path) -> None:
    require("torch")
    here = machine(hostname=socket.gethostname(), fingerprint=describe_machine(discover(), {}).fingerprint)
    random = np.random.default_rng(6)
    paths = []
    for number in range(5):
        trials = []
        for i in range(5):
            blocks = 0.02 * math.exp(random.normal(0, 0.02)) * (1 + random.normal(0, 0.01, 100))
            times = {"started_s": 10.0 * i, "ended_s": 10.0 * i + 1.0 + blocks.sum(), "steps_per_block": 10}
            window_s = (10.0 * i + 0.5, 10.0 * i + 0.5 + blocks.sum())
            steps = {"block_s": tuple(blocks.tolist()), "window_s": window_s, "steps": 1000, "items": 1000}
            trials.append(trial(i + 1).model_copy(update={**times, **steps}))
        measured = case("matmul", phase="inference", id=CASE, threads=1, batch_size=1, trials=trials)
        run = run_file([measured], id=f"20260101T00000{number}Z-000{number}", machine=here)
        paths.append(str(tmp_path / f"{run.run.id}.json"))
        Path(paths[-1]).write_text(run.model_dump_json())
    done = joulemark(tmp_path, "calibrate", *paths, "--json", "--within", "5")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)["effort"]
    chosen = document["chosen"]
    # Blocks of 1 % say nothing beside processes of 2 %: the best window is as short as leaves time for a round more.
    assert chosen["window_s"] <= 0.5
    assert (chosen["warmup_s"], chosen["max_rounds"]) == (0.3, 2 * chosen["rounds"])
    assert document["path"] == str(tmp_path / "efforts.json")
    selection = ("run", "--dry-run", "--json", "--profile", "ci", "--framework", "pytorch", *known("pytorch"))
    used = joulemark(tmp_path, *selection, "--workload", "matmul")
    assert "Rounds, window, warm-up by `joulemark calibrate`" in used.stderr, used.stderr
    assert json.loads(used.stdout)["rounds"] == chosen["rounds"]
    others = joulemark(tmp_path, *selection)
    assert "The kept calibration is for other cases or threads" in others.stderr
    assert json.loads(others.stdout)["rounds"] == 10


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ("--runs 4", "--runs is 4"),
        ("--every -1", "--every is -1"),
        ("--every nan", "--every is nan"),
        ("--rounds 1 --framework pytorch", "--rounds is 1"),
        ("--within 0", "--within is 0"),
        ("latest", "no run 'latest'"),
        ("latest --runs 5", "--runs is for measuring"),
        ("latest --batch-size 4", "--batch-size is for measuring"),
        ("latest --meter plug --every 5", "--every is not for --meter"),
        ("--workload nonsense", "unknown workload 'nonsense'"),
    ],
)
def test_bad_input_is_one_line_and_exit_2(tmp_path: Path, arguments: str, text: str) -> None:
    done = joulemark(tmp_path, "calibrate", *arguments.split())
    assert (done.returncode, done.stdout) == (2, "")
    assert text in done.stderr
    assert done.stderr.count("\n") == 1


def test_ctrl_c_keeps_the_finished_runs(tmp_path: Path) -> None:
    """The first run is measured; Ctrl-C comes during the wait for the second."""
    require("torch")
    (tmp_path / "joulemark.toml").write_text(FAST_ROUNDS)
    selection = ("--framework", "pytorch", "--workload", "matmul", "--profile", "fast", "--rounds", "2")
    options = (
        "--threads",
        "1",
        "--sensor",
        "simulated:rapl/constant",
        "--offline",
        "--every",
        "600",
        "--json",
        *known("pytorch"),
    )
    process = start(tmp_path, "calibrate", *selection, *options)
    assert process.stderr is not None
    lines = []
    for line in process.stderr:
        # Once only: the console may repeat a line that Ctrl-C interrupted.
        if "Run 2 starts in" in line and line not in lines:
            process.send_signal(signal.SIGINT)
        lines.append(line)
    stdout, _ = process.communicate(timeout=300)
    assert (process.returncode, stdout) == (130, ""), "".join(lines)
    assert lines[0].startswith("5 runs: about 40 h")
    assert "1 of 5" in lines[-1], "".join(lines)
    (path,) = (tmp_path / "runs").glob("*.json")
    run = read(path).run
    assert (run.complete, run.rounds, run.profile) == (True, 2, "fast")


def beside_a_plug(folder: Path, **fields: object) -> str:
    """Write a run of this machine with a plug of 60 W more than its package reports; return its path."""
    here = machine(hostname=socket.gethostname(), fingerprint=describe_machine(discover(), {}).fingerprint)
    trials = []
    for i, power_w in enumerate((20.0, 50.0, 80.0, 110.0, 140.0)):
        whole = energy(2 * (power_w + 60), "machine", "integrated").model_copy(
            update={"sensor": "plug", "scope": "plug", "attributed": False}
        )
        trials.append(trial(i + 1, readings=[energy(2 * power_w, gain=0.05), whole]))
    channels = {
        "plug": Channel(
            component="machine", scope="plug", unit="W", kind="integrated", gain=(0.98, 1.02), values=(1.0,)
        ),
        "rapl": Channel(
            component="package",
            scope="package-0",
            unit="J",
            kind="counter",
            gain=(0.9, 1.1),
            source="powercap",
            values=(0,),
        ),
    }
    traces = tuple(Trace(sensor=name, t_s=(0.0,), channels=(channel,)) for name, channel in channels.items())
    run = run_file([case(trials=trials)], traces=traces, **{"machine": here, **fields})
    path = folder / f"{run.run.id}.json"
    path.write_text(run.model_dump_json())
    return str(path)


def test_a_meter_beside_a_sensor_makes_a_record(tmp_path: Path) -> None:
    path = beside_a_plug(tmp_path)
    done = joulemark(tmp_path, "calibrate", "--meter", "plug", path, "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    (record,) = load(tmp_path / "calibrations.json")
    assert [record.model_dump(mode="json")] == document["calibrations"]
    assert (record.sensor, record.component, record.load_w) == ("rapl", "package", (20.0, 140.0))
    assert record.gain == (0.9, pytest.approx(1.02))
    assert record.machine_w_per_w == pytest.approx((0.98, 1.02))
    lines = calibration_lines(document)
    assert lines[1].startswith("rapl package package-0: true / reported at most 1.02 (20.0 to 140 W, 5 windows); one")


def test_a_meter_or_a_run_that_cannot_be_used_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JOULEMARK_HOME", str(tmp_path))
    with pytest.raises(UsageError, match="which is no sensor of the whole machine"):
        check_meter("rapl")
    elsewhere = read(Path(beside_a_plug(tmp_path, machine=machine(hostname="elsewhere"))))
    with pytest.raises(UsageError, match=r"is of another machine \(elsewhere\)"):
        calibrate_sensors([elsewhere], "plug")
    here = read(Path(beside_a_plug(tmp_path)))
    with pytest.raises(NotComparableError, match="no run has a trace of redfish"):
        calibrate_sensors([here], "redfish")
    assert not (tmp_path / "calibrations.json").exists()
