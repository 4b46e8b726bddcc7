"""CPU quotas and memory limits of control groups: trees on disk as kernels and containers show them; a real group."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import control_group
import pytest

from joulemark.suite.trial import cgroup

V1 = "4:cpu,cpuacct:{group}\n3:memory:/elsewhere\n0::/\n"
V1_MOUNTS = (
    "30 23 0:26 / /sys/fs/cgroup ro - tmpfs tmpfs ro,mode=755\n"
    "31 30 0:27 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
    "32 30 0:28 {mounted} /sys/fs/cgroup/cpu,cpuacct rw shared:9 - cgroup cgroup rw,cpu,cpuacct\n"
    "33 30 0:29 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n"
)
V2, V2_MOUNTS = (
    "0::{group}\n",
    "31 23 0:27 {mounted} /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n",
)

V1_TOP, V2_TOP = "sys/fs/cgroup/cpu,cpuacct", "sys/fs/cgroup"
V1_HALF = {"cpu.cfs_quota_us": "50000\n", "cpu.cfs_period_us": "100000\n"}
V1_FREE = {"cpu.cfs_quota_us": "-1\n", "cpu.cfs_period_us": "100000\n"}


def tree(
    root: Path, groups: str, mounts: str, files: Mapping[str, Mapping[str, str]], group: str = "/", mounted: str = "/"
) -> Path:
    """Write a machine's /proc/self and its groups' files below `root`; return `root`."""
    everything = {
        "proc/self": {"cgroup": groups.format(group=group), "mountinfo": mounts.format(mounted=mounted)},
        **files,
    }
    for folder, texts in everything.items():
        (root / folder).mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            (root / folder / name).write_text(text)
    return root


@pytest.mark.parametrize(
    ("groups", "mounts", "files", "group", "mounted", "cores"),
    [
        pytest.param(V1, V1_MOUNTS, {f"{V1_TOP}/job": V1_HALF, V1_TOP: V1_FREE}, "/job", "/", 0.5, id="v1"),
        # Docker without a namespace of its own: the container sees its group as if it were the root.
        pytest.param(V1, V1_MOUNTS, {V1_TOP: V1_HALF}, "/docker/af3", "/docker/af3", 0.5, id="v1 container"),
        pytest.param(V1, V1_MOUNTS, {V1_TOP: V1_HALF}, "/../../job", "/", 0.5, id="v1 outside of the namespace"),
        pytest.param(
            *(V1, V1_MOUNTS, {f"{V1_TOP}/slice/job": V1_FREE, f"{V1_TOP}/slice": V1_HALF}, "/slice/job", "/", 0.5),
            id="v1 parent",
        ),
        pytest.param(V1, V1_MOUNTS, {V1_TOP: V1_FREE}, "/", "/", None, id="v1 without quota"),
        pytest.param(V2, V2_MOUNTS, {f"{V2_TOP}/job": {"cpu.max": "150000 100000\n"}}, "/job", "/", 1.5, id="v2"),
        pytest.param(
            V2,
            V2_MOUNTS,
            {f"{V2_TOP}/a/b": {"cpu.max": "300000 100000\n"}, f"{V2_TOP}/a": {"cpu.max": "20000 10000\n"}},
            *("/a/b", "/", 2.0),
            id="v2 parent",
        ),
        pytest.param(V2, V2_MOUNTS, {V2_TOP: {"cpu.max": "max 100000\n"}}, "/", "/", None, id="v2 without quota"),
        pytest.param(
            *(V1, V1_MOUNTS, {"sys/fs/cgroup/unified": {"cpu.max": "10000 10000\n"}}, "/", "/", 1.0),
            id="hybrid, with the controller in v2",
        ),
    ],
)
def test_the_least_quota_of_a_group_and_its_parents_counts(tmp_path, groups, mounts, files, group, mounted, cores):
    assert cgroup.quota_cores(tree(tmp_path, groups, mounts, files, group, mounted)) == cores


def test_the_least_memory_limit_of_a_group_and_its_parents_counts(tmp_path):
    limits = {f"{V2_TOP}/a/b": {"memory.max": "max\n"}, f"{V2_TOP}/a": {"memory.max": "4294967296\n"}}
    assert cgroup.memory_limit_bytes(tree(tmp_path / "v2", V2, V2_MOUNTS, limits, group="/a/b")) == 2**32
    v1 = {
        "sys/fs/cgroup/memory/elsewhere": {"memory.limit_in_bytes": "1073741824\n"},
        "sys/fs/cgroup/memory": {"memory.limit_in_bytes": "9223372036854771712\n"},
        V1_TOP: {"memory.limit_in_bytes": "1\n"},  # of another controller
    }
    assert cgroup.memory_limit_bytes(tree(tmp_path / "v1", V1, V1_MOUNTS, v1)) == 2**30
    assert cgroup.memory_limit_bytes(tmp_path / "none") is None


def test_throttling_is_counted_in_both_versions(tmp_path):
    v1 = {V1_TOP: {"cpu.stat": "nr_periods 20\nnr_throttled 19\nthrottled_time 1500000000\n"}}
    assert cgroup.throttled_s(tree(tmp_path / "v1", V1, V1_MOUNTS, v1)) == 1.5
    v2 = {
        f"{V2_TOP}/pod/container": {"cpu.stat": "usage_usec 9\nnr_throttled 3\nthrottled_usec 250000\n"},
        f"{V2_TOP}/pod": {"cpu.stat": "usage_usec 9\nnr_throttled 1\nthrottled_usec 500000\n"},
        V2_TOP: {"cpu.stat": "usage_usec 9\n"},
    }
    assert cgroup.throttled_s(tree(tmp_path / "v2", V2, V2_MOUNTS, v2, group="/pod/container")) == 0.75


def test_a_machine_without_groups_has_neither(tmp_path):
    assert (cgroup.quota_cores(tmp_path), cgroup.throttled_s(tmp_path)) == (None, None)
    # Version 2 without the CPU controller counts usage alone.
    root = tree(tmp_path / "v2", V2, V2_MOUNTS, {V2_TOP: {"cpu.stat": "usage_usec 9\n"}})
    assert (cgroup.quota_cores(root), cgroup.throttled_s(root)) == (None, None)


UNTIL_THROTTLED = """
import json, sys, time
sys.stdin.readline()  # until it is in the group
from joulemark.suite import machine
from joulemark.suite.trial.counters import snapshot
throttled, end_s = [snapshot()["cgroup_throttled_s"]], time.monotonic() + 60
while throttled[-1] == throttled[0] and time.monotonic() < end_s:
    throttled.append(snapshot()["cgroup_throttled_s"])
print(json.dumps([machine.describe().cpu.usable_cores, machine.default_threads(), throttled[-1] - throttled[0]]))
"""


def test_a_process_in_a_real_group_sees_its_quota_and_its_throttling():
    with control_group.limited_cpu(0.5) as group:
        process = subprocess.Popen(
            [sys.executable, "-c", UNTIL_THROTTLED], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        try:
            control_group.join(group, process.pid)
            output, _ = process.communicate("go\n", timeout=120)
        finally:
            process.kill()
            process.communicate()
    cores, threads, throttled_s = json.loads(output)
    assert (cores, threads) == (0.5, 1)
    assert throttled_s > 0
