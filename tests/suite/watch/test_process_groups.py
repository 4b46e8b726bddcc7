"""The processor's energy by groups: exact numbers from a tree on disk in the shape of /proc."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

import pytest

from joulemark.suite.errors import UsageError
from joulemark.suite.watch import process_groups
from joulemark.suite.watch.process_groups import IDLE, OTHERS, ProcessGroups
from joulemark.suite.watch.process_times import TICKS_PER_S
from joulemark.suite.watch.snapshot import GroupState


def show(root: Path, pid: int, parent: int, cpu_s: float, group: int | None = None, name: str = "program") -> None:
    """Let `root` show a process that has used `cpu_s`."""
    ticks = round(cpu_s * TICKS_PER_S)
    fields = ["R", str(parent), str(pid if group is None else group), *["0"] * 8, str(ticks), "0", "0", "0", *["0"] * 4]
    (root / str(pid)).mkdir(exist_ok=True)
    (root / str(pid) / "stat").write_text(f"{pid} ({name}) {' '.join(fields)} {1000 + pid}\n")


def end(root: Path, pid: int) -> None:
    (root / str(pid) / "stat").unlink()
    (root / str(pid)).rmdir()


class Clock:
    """A clock that a test sets."""

    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


def by_name(groups: ProcessGroups) -> dict[str, GroupState]:
    return {state.name: state for state in groups.states()}


def test_a_named_group_is_a_process_and_all_that_it_starts(tmp_path, clock):
    show(tmp_path, 10, 1, 5.0)
    show(tmp_path, 11, 10, 1.0)
    show(tmp_path, 20, 1, 9.0)
    groups = ProcessGroups({"train": 10}, str(tmp_path), processors=4, clock=clock)
    show(tmp_path, 10, 1, 6.0)  # 1 s
    show(tmp_path, 11, 10, 3.0)  # 2 s
    show(tmp_path, 12, 11, 1.0)  # started since: 1 s
    show(tmp_path, 20, 1, 14.0)  # 5 s of another program
    clock.now_s = 5.0
    groups.update(1000.0, 10.0)
    states = by_name(groups)
    # Of 4 processors x 5 s: 4 s, 5 s, and 11 s in which they were idle.
    assert [states[name].energy_j for name in ("train", OTHERS, IDLE)] == pytest.approx([200, 250, 550])
    assert [states[name].power_w for name in ("train", OTHERS, IDLE)] == pytest.approx([40, 50, 110])
    assert [states[name].emissions_g for name in ("train", OTHERS, IDLE)] == pytest.approx([2, 2.5, 5.5])
    assert [states[name].cpu_s for name in ("train", OTHERS, IDLE)] == pytest.approx([4, 5, 11])
    assert (states["train"].processes, states[OTHERS].processes) == (3, 1)


def test_members_stay_in_their_group_when_their_parent_ends(tmp_path, clock):
    show(tmp_path, 10, 1, 0.0)
    show(tmp_path, 11, 10, 0.0)
    groups = ProcessGroups({"train": 10}, str(tmp_path), processors=1, clock=clock)
    end(tmp_path, 10)
    show(tmp_path, 11, 1, 2.0)  # init is its parent now
    clock.now_s = 4.0
    groups.update(100.0, 0.0)
    show(tmp_path, 11, 1, 4.0)
    clock.now_s = 8.0
    groups.update(200.0, 0.0)
    assert by_name(groups)["train"].energy_j == pytest.approx(100.0)
    end(tmp_path, 11)
    clock.now_s = 12.0
    groups.update(300.0, 0.0)
    ended = by_name(groups)["train"]
    assert (ended.energy_j, ended.power_w, ended.processes) == (pytest.approx(100.0), 0.0, 0)


def test_the_nearest_named_ancestor_counts(tmp_path, clock):
    show(tmp_path, 10, 1, 0.0)
    show(tmp_path, 11, 10, 0.0)
    show(tmp_path, 12, 11, 0.0)
    groups = ProcessGroups({"all": 10, "part": 11}, str(tmp_path), processors=1, clock=clock)
    show(tmp_path, 10, 1, 1.0)
    show(tmp_path, 12, 11, 2.0)
    clock.now_s = 4.0
    groups.update(4.0, 0.0)
    states = by_name(groups)
    assert (states["all"].energy_j, states["part"].energy_j) == pytest.approx((1.0, 2.0))


def test_without_names_each_process_group_is_one_and_they_add_up(tmp_path, clock, monkeypatch):
    monkeypatch.setattr(process_groups, "MAX_GROUPS", 3)
    for pid in range(10, 20):
        show(tmp_path, pid, 1, 0.0, name=f"job{pid}")
    show(tmp_path, 2, 0, 0.0, group=0, name="kworker")
    show(tmp_path, 30, 10, 0.0, group=10, name="child")
    groups = ProcessGroups(None, str(tmp_path), processors=2, clock=clock)
    for pid in range(10, 20):
        show(tmp_path, pid, 1, 0.1 * (pid - 9), name=f"job{pid}")
    show(tmp_path, 30, 10, 2.0, group=10, name="child")
    clock.now_s = 10.0
    groups.update(500.0, 1.0)
    states = groups.states()
    assert states[0].name == "job10 (10)"
    assert states[0].energy_j == pytest.approx(500 * 2.1 / 20)
    assert len(states) == 3 + 2
    assert sum(state.energy_j for state in states) == pytest.approx(500.0)
    assert sum(state.emissions_g for state in states) == pytest.approx(1.0)


def test_more_time_than_processors_have_is_no_more_energy(tmp_path, clock):
    """Clock ticks are coarse: two of 10 ms may fall into one of 15 ms."""
    show(tmp_path, 10, 1, 0.0)
    groups = ProcessGroups({"train": 10}, str(tmp_path), processors=1, clock=clock)
    show(tmp_path, 10, 1, 1.1)
    clock.now_s = 1.0
    groups.update(50.0, 0.0)
    assert by_name(groups)["train"].energy_j == pytest.approx(50.0)


def test_a_process_that_does_not_exist_is_an_error(tmp_path):
    with pytest.raises(UsageError, match="--pid got 4711, and there is no such process"):
        ProcessGroups({"train": 4711}, str(tmp_path))


def test_real_processes_are_told_apart():
    scripts = "echo on; while :; do :; done", "echo on; read line"
    busy, idle = (
        subprocess.Popen(["sh", "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE) for script in scripts
    )
    try:
        for child in (busy, idle):
            child.stdout.readline()
        groups = ProcessGroups({"busy": busy.pid, "waiting": idle.pid})
        while by_name(groups)["busy"].cpu_s < 0.3:
            time.sleep(0.05)
            groups.update(1.0, 0.0)
        states = by_name(groups)
        assert states["busy"].energy_j > 10 * states["waiting"].energy_j
        assert states["busy"].processes == states["waiting"].processes == 1
    finally:
        for child in (busy, idle):
            child.kill()
            child.communicate()
