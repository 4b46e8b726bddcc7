"""AMD's boards through the real amdsmi package and a library in C in the place of libamd_smi.so.

The package binds some two hundred functions as it is imported: all are exported, and the few that are called work.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import nvml_library
import pytest
from places import ROOT

from joulemark.suite.energy.window_energy import compute_readings
from joulemark.suite.records import Gpu
from joulemark.suite.sensors import trace_file
from joulemark.suite.sensors.sampler import Sampler

POWER_W = 180.0
SOURCE = r"""
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { OK = 0, NOT_SUPPORTED = 2 };
typedef struct {
    uint64_t socket;
    uint32_t current, average;
    uint64_t volts[3];
    uint32_t limit;
    uint8_t rest[148];
} power;
typedef struct {
    char name[256];
    uint32_t vendor_id;
    char vendor[256];
    uint8_t ids[16];
    char serial[256];
    uint8_t rest[108];
} __attribute__((packed)) asic;
typedef struct { uint64_t id; uint32_t node, partition, rest[12]; } topology;

static int has(const char *trait) { const char *t = getenv("AMD_TRAITS"); return t && strstr(t, trait); }

int amdsmi_init(uint64_t flags) { return has("no_driver") ? NOT_SUPPORTED : OK; }
int amdsmi_shut_down(void) { return OK; }

static const char *uuids[] = {"amd-1", "amd-2", "amd-3"};

int amdsmi_get_socket_handles(uint32_t *n, void **handles) {
    *n = has("three") ? 3 : 1;
    for (uint64_t i = 0; handles && i < *n; i++) handles[i] = (void *)(i + 1);
    return OK;
}

int amdsmi_get_processor_handles(void *socket, uint32_t *n, void **handles) {
    if (handles) handles[0] = socket;
    *n = 1;
    return OK;
}

int amdsmi_get_gpu_device_uuid(void *handle, unsigned *n, char *uuid) {
    if (has("nameless") && (uint64_t)handle == 2) return NOT_SUPPORTED;
    strcpy(uuid, uuids[(uint64_t)handle - 1]);
    return OK;
}

int amdsmi_get_gpu_device_bdf(void *handle, uint64_t *bdf) {
    *bdf = (uint64_t)handle << 8 | 0x4 << 3;  /* bus, device 4, function 0 */
    return OK;
}

int amdsmi_get_gpu_asic_info(void *handle, asic *info) {
    memset(info, 0, sizeof *info);
    strcpy(info->name, "AMD Instinct MI300X");
    if (!has("no_serial")) sprintf(info->serial, "ab%014lx", (uint64_t)handle);
    return OK;
}

int amdsmi_get_gpu_kfd_info(void *handle, topology *info) {
    memset(info, 0, sizeof *info);
    info->node = has("crossed") ? 5 - (uint64_t)handle : 1 + (uint64_t)handle;
    return has("no_topology") ? NOT_SUPPORTED : OK;
}

int amdsmi_get_gpu_driver_info(void *handle, char (*info)[256]) {
    memset(info, 0, 3 * 256);
    strcpy(info[0], "6.14.14");
    return OK;
}

int amdsmi_get_gpu_memory_total(void *handle, int type, uint64_t *total) { *total = 192ull << 30; return OK; }

int amdsmi_get_energy_count(void *handle, uint64_t *count, float *resolution, uint64_t *stamp) {
    struct timespec t;
    if (has("no_energy")) return NOT_SUPPORTED;
    clock_gettime(CLOCK_MONOTONIC, &t);
    *resolution = 15.259f;
    *count = has("zero") ? 0 : (uint64_t)((t.tv_sec + t.tv_nsec * 1e-9) * POWER_W * 1e6 / 15.259f);
    return OK;
}

int amdsmi_get_power_info(void *handle, power *info) {
    static int reads = 0;
    if (has("no_power") || (has("falters") && ++reads == 2)) return NOT_SUPPORTED;
    memset(info, 0, sizeof *info);
    info->current = has("absent_32") ? 0xFFFFFFFF : 0xFFFF;
    info->average = POWER_W;
    return OK;
}
"""


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ROCM_PATH whose lib/libamd_smi.so is ours."""
    spec = importlib.util.find_spec("amdsmi")
    if spec is None or spec.origin is None or shutil.which("gcc") is None:
        pytest.skip("amdsmi or gcc is not installed")
    wrapper = (Path(spec.origin).parent / "amdsmi_wrapper.py").read_text()
    bound = set(re.findall(r"_libraries\['libamd_smi\.so'\]\.(\w+)", wrapper))
    ours = set(re.findall(r"^int (\w+)\(", SOURCE, re.MULTILINE))
    stubs = "".join(f"int {name}(void) {{ return NOT_SUPPORTED; }}\n" for name in sorted(bound - ours))
    root = tmp_path_factory.mktemp("rocm")
    (root / "lib").mkdir()
    (root / "amd.c").write_text(SOURCE + stubs)
    target = root / "lib" / "libamd_smi.so"
    subprocess.run(
        ["gcc", "-shared", "-fPIC", f"-DPOWER_W={POWER_W}", "-o", str(target), str(root / "amd.c")],
        check=True,
        capture_output=True,
    )
    return root


def _environment(library: Path, home: Path, traits: str = "") -> dict[str, str]:
    return dict(os.environ) | {"ROCM_PATH": str(library), "AMD_TRAITS": traits, "JOULEMARK_HOME": str(home)}


@pytest.mark.parametrize(
    ("traits", "kinds"),
    [
        ("", ["counter", "integrated"]),
        ("no_energy", ["integrated"]),
        ("zero", ["integrated"]),
        ("no_power", ["counter"]),
        ("no_energy absent_32", ["integrated"]),
    ],
)
def test_energy_and_power_of_a_board(library: Path, tmp_path: Path, traits: str, kinds: list[str]) -> None:
    origin_s = time.monotonic()
    environment = _environment(library, tmp_path, traits)
    with Sampler.start(tmp_path / "t", origin_s, sensors=["amdsmi"], environment=environment) as sampler:
        ready_s = time.monotonic() - origin_s
        time.sleep(0.8)
    assert sampler.sensors == ("amdsmi",), sampler.findings
    (trace,) = trace_file.load(tmp_path / "t")
    assert [channel.kind for channel in trace.channels] == kinds
    board = Gpu(index=0, vendor="AMD", name="MI300X", uuid="amd-1", pci_bus_id="", device="cuda:0")
    found = compute_readings([trace], (ready_s + 0.1, ready_s + 0.6), "cuda:0", [board])
    energy = next(energy for energy in found if energy.component == "gpu")
    assert energy.attributed
    assert energy.kind == kinds[0]
    assert energy.energy_j == pytest.approx(POWER_W * 0.5, rel=0.01)
    if "counter" in kinds:  # constant power has no tick to see
        kept = json.loads((tmp_path / "ticks.json").read_text())
        assert list(kept) == ["probe 2: amd-1 driver 6.14.14 amdsmi_get_energy_count"]


@pytest.mark.parametrize(("traits", "found"), [("no_driver", False), ("no_energy no_power", True)])
def test_what_cannot_be_read_says_why(library: Path, tmp_path: Path, traits: str, found: bool) -> None:
    environment = _environment(library, tmp_path, traits)
    with Sampler.start(tmp_path / "t", time.monotonic(), sensors=["amdsmi"], environment=environment) as sampler:
        (finding,) = sampler.findings
    assert (finding.found, finding.readable) == (found, False)
    assert finding.reason
    assert "\n" not in finding.reason


@pytest.mark.parametrize(("traits", "boards"), [("three falters", (1, 2, 3)), ("three nameless", (1, 3))])
def test_a_call_that_fails_while_probing_loses_no_other_board(
    library: Path, tmp_path: Path, traits: str, boards: tuple[int, ...]
) -> None:
    environment = _environment(library, tmp_path, traits)
    with Sampler.start(tmp_path / "t", time.monotonic(), sensors=["amdsmi"], environment=environment) as sampler:
        readable = [finding.readable for finding in sampler.findings]
    (trace,) = trace_file.load(tmp_path / "t")
    assert [channel.scope for channel in trace.channels] == [f"amd-{n}" for n in boards for _ in range(2)]
    assert readable == [n in boards for n in (1, 2, 3)]
    assert all(finding.reason for finding in sampler.findings)


def test_without_its_library_it_is_absent_and_prints_nothing(tmp_path: Path) -> None:
    environment = _environment(tmp_path / "none", tmp_path)
    with Sampler.start(tmp_path / "t", time.monotonic(), sensors=["amdsmi"], environment=environment) as sampler:
        (finding,) = sampler.findings
    assert (finding.found, finding.readable) == (False, False)
    assert finding.fix


DISCOVER = """
import json, sys
from pathlib import Path
from joulemark.suite.sensors.gpus import discover
selections = json.loads(sys.argv[2])
found = [discover(selection, Path(sys.argv[1])).gpus for selection in selections]
facts = ("uuid", "device", "pci_bus_id", "name", "memory_bytes", "driver")
print(json.dumps([[[getattr(gpu, fact) for fact in facts] for gpu in gpus] for gpus in found]))
"""
ONE, TWO, THREE = (f"GPU-AB{n:014X}" for n in (1, 2, 3))


def _discover(
    library: Path, home: Path, traits: str, *selections: dict[str, str], kfd: Path = Path("/"), **variables: str
) -> list[list[list[str | None]]]:
    """The boards by amdsmi's order, under each of `selections`, in one process; `kfd` is there, on this machine too."""
    done = subprocess.run(
        [sys.executable, "-c", DISCOVER, str(kfd), json.dumps(selections)],
        env=_environment(library, home, traits) | {"PYTHONPATH": str(ROOT)} | variables,
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


def _devices(boards: list[list[str | None]]) -> list[str | None]:
    return [board[1] for board in boards]


def test_boards_are_listed_with_their_bus_and_memory(library: Path, tmp_path: Path) -> None:
    ((board,),) = _discover(library, tmp_path, "", {})
    assert board == ["amd-1", "cuda:0", "0000:01:04.0", "AMD Instinct MI300X", 192 * 2**30, "6.14.14"]
    assert _discover(library, tmp_path, "", {}, kfd=tmp_path / "absent") == [[]]


SELECTIONS: list[tuple[dict[str, str], list[int | None]]] = [
    ({}, [0, 1, 2]),
    ({"HIP_VISIBLE_DEVICES": "2,0"}, [1, None, 0]),
    ({"CUDA_VISIBLE_DEVICES": "2,0"}, [1, None, 0]),
    ({"HIP_VISIBLE_DEVICES": "1", "CUDA_VISIBLE_DEVICES": "0"}, [None, 0, None]),
    ({"HIP_VISIBLE_DEVICES": "", "CUDA_VISIBLE_DEVICES": "0"}, [0, None, None]),
    ({"HIP_VISIBLE_DEVICES": ""}, [0, 1, 2]),
    ({"HIP_VISIBLE_DEVICES": "-1"}, [None, None, None]),
    ({"HIP_VISIBLE_DEVICES": THREE}, [None, None, 0]),
    ({"ROCR_VISIBLE_DEVICES": "1,2"}, [None, 0, 1]),
    ({"ROCR_VISIBLE_DEVICES": ""}, [None, None, None]),
    ({"ROCR_VISIBLE_DEVICES": f"{THREE.lower()},0"}, [1, None, 0]),
    ({"ROCR_VISIBLE_DEVICES": "2,7,0"}, [None, None, 0]),
    ({"ROCR_VISIBLE_DEVICES": "GPU-AB"}, [None, None, None]),
    # HIP counts what ROCR leaves, anew.
    ({"ROCR_VISIBLE_DEVICES": "2,1", "HIP_VISIBLE_DEVICES": "1"}, [None, 0, None]),
    ({"ROCR_VISIBLE_DEVICES": "1", "HIP_VISIBLE_DEVICES": "1"}, [None, None, None]),
]


def test_boards_are_matched_under_any_visible_devices(library: Path, tmp_path: Path) -> None:
    found = _discover(library, tmp_path, "three", *(selection for selection, _ in SELECTIONS))
    assert all([board[0] for board in boards] == ["amd-1", "amd-2", "amd-3"] for boards in found)
    for (selection, devices), boards in zip(SELECTIONS, found, strict=True):
        assert _devices(boards) == [None if n is None else f"cuda:{n}" for n in devices], selection


def test_devices_are_counted_in_the_order_of_the_drivers_topology(library: Path, tmp_path: Path) -> None:
    (found,) = _discover(library, tmp_path, "three crossed", {})
    assert _devices(found) == ["cuda:2", "cuda:1", "cuda:0"]
    (found,) = _discover(library, tmp_path, "three crossed no_topology", {})
    assert _devices(found) == ["cuda:0", "cuda:1", "cuda:2"]


def test_a_board_without_a_unique_number_is_not_named_by_it(library: Path, tmp_path: Path) -> None:
    (found,) = _discover(library, tmp_path, "three no_serial", {"ROCR_VISIBLE_DEVICES": ONE})
    assert _devices(found) == [None, None, None]


def test_beside_a_board_of_nvidia_it_is_listed_without_a_device(library: Path, tmp_path: Path) -> None:
    nvidia = nvml_library.build(tmp_path)
    board = nvml_library.Board("GPU-aaaa1111-0000-0000-0000-000000000000")
    names = ("LD_LIBRARY_PATH", "NVML_BOARDS")
    more = {name: nvml_library.environment(nvidia, [board])[name] for name in names}
    (found,) = _discover(library, tmp_path, "", {}, **more)
    assert [(one[0], one[1]) for one in found] == [(board.uuid, "cuda:0"), ("amd-1", None)]
