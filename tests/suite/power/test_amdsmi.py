"""AMD's boards through the real amdsmi package and a library in C in the place of libamd_smi.so.

The package binds some two hundred functions as it is imported: all are exported, and the few that are called work.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from suite.power import traces
from suite.power.readings import readings
from suite.power.sampler import Sampler
from suite.results.records import Gpu

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

static int has(const char *trait) { const char *t = getenv("AMD_TRAITS"); return t && strstr(t, trait); }

int amdsmi_init(uint64_t flags) { return has("no_driver") ? NOT_SUPPORTED : OK; }
int amdsmi_shut_down(void) { return OK; }

int amdsmi_get_socket_handles(uint32_t *n, void **handles) {
    if (handles) handles[0] = (void *)1;
    *n = 1;
    return OK;
}

int amdsmi_get_processor_handles(void *socket, uint32_t *n, void **handles) {
    if (handles) handles[0] = (void *)2;
    *n = 1;
    return OK;
}

int amdsmi_get_gpu_device_uuid(void *handle, unsigned *n, char *uuid) { strcpy(uuid, "amd-1"); return OK; }

int amdsmi_get_energy_count(void *handle, uint64_t *count, float *resolution, uint64_t *stamp) {
    struct timespec t;
    if (has("no_energy")) return NOT_SUPPORTED;
    clock_gettime(CLOCK_MONOTONIC, &t);
    *resolution = 15.259f;
    *count = has("zero") ? 0 : (uint64_t)((t.tv_sec + t.tv_nsec * 1e-9) * POWER_W * 1e6 / 15.259f);
    return OK;
}

int amdsmi_get_power_info(void *handle, power *info) {
    if (has("no_power")) return NOT_SUPPORTED;
    memset(info, 0, sizeof *info);
    info->current = 0xFFFF;
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
    ],
)
def test_energy_and_power_of_a_board(library: Path, tmp_path: Path, traits: str, kinds: list[str]) -> None:
    origin_s = time.monotonic()
    environment = _environment(library, tmp_path, traits)
    with Sampler.start(tmp_path / "t", origin_s, sensors=["amdsmi"], environment=environment) as sampler:
        ready_s = time.monotonic() - origin_s
        time.sleep(0.8)
    assert sampler.sensors == ("amdsmi",), sampler.findings
    (trace,) = traces.load(tmp_path / "t")
    assert [channel.kind for channel in trace.channels] == kinds
    board = Gpu(index=0, vendor="AMD", name="MI300X", uuid="amd-1", pci_bus_id="", device="cuda:0")
    found = readings([trace], (ready_s + 0.1, ready_s + 0.6), "cuda:0", [board])
    energy = next(energy for energy in found if energy.component == "gpu")
    assert energy.attributed
    assert energy.kind == kinds[0]
    assert energy.energy_j == pytest.approx(POWER_W * 0.5, rel=0.01)


@pytest.mark.parametrize(("traits", "found"), [("no_driver", False), ("no_energy no_power", True)])
def test_what_cannot_be_read_says_why(library: Path, tmp_path: Path, traits: str, found: bool) -> None:
    environment = _environment(library, tmp_path, traits)
    with Sampler.start(tmp_path / "t", time.monotonic(), sensors=["amdsmi"], environment=environment) as sampler:
        (finding,) = sampler.findings
    assert (finding.found, finding.readable) == (found, False)
    assert finding.reason
    assert "\n" not in finding.reason


def test_without_its_library_it_is_absent_and_prints_nothing(tmp_path: Path) -> None:
    environment = _environment(tmp_path / "none", tmp_path)
    with Sampler.start(tmp_path / "t", time.monotonic(), sensors=["amdsmi"], environment=environment) as sampler:
        (finding,) = sampler.findings
    assert (finding.found, finding.readable) == (False, False)
    assert finding.fix
