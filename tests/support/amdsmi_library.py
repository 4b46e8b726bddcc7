"""A stand-in for AMD's libamd_smi.so: C source that exports the calls the suite uses, built by gcc.

The real amdsmi package finds it through ROCM_PATH. It binds some two hundred functions when it is imported: all are
exported, and the few that are called work. AMD_TRAITS has words of: three (GPUs, else one), no_driver, no_energy, zero
(the counter), no_power, absent_32 (a missing power value in 32 bits), falters (the second read of power fails),
nameless (the second GPU has no UUID), no_serial, no_topology, crossed (the topology's order is the reverse).
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

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

int amdsmi_get_power_cap_info(void *handle, uint32_t sensor, uint64_t *caps) {
    if (has("no_cap")) return NOT_SUPPORTED;
    for (int i = 0; i < 5; i++) caps[i] = has("cap_in_watts") ? 750 : 750000000;
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


def build(directory: Path) -> Path:
    """Compile the library into `directory`, a ROCM_PATH. Skip the test without amdsmi or gcc."""
    spec = importlib.util.find_spec("amdsmi")
    if spec is None or spec.origin is None or shutil.which("gcc") is None:
        pytest.skip("amdsmi or gcc is not installed")
    wrapper = (Path(spec.origin).parent / "amdsmi_wrapper.py").read_text()
    bound = set(re.findall(r"_libraries\['libamd_smi\.so'\]\.(\w+)", wrapper))
    written = set(re.findall(r"^int (\w+)\(", SOURCE, re.MULTILINE))
    stubs = "".join(f"int {name}(void) {{ return NOT_SUPPORTED; }}\n" for name in sorted(bound - written))
    (directory / "lib").mkdir()
    (directory / "amd.c").write_text(SOURCE + stubs)
    target = directory / "lib" / "libamd_smi.so"
    subprocess.run(
        ["gcc", "-shared", "-fPIC", f"-DPOWER_W={POWER_W}", "-o", str(target), str(directory / "amd.c")],
        check=True,
        capture_output=True,
    )
    return directory


def environment(directory: Path, home: Path, traits: str = "") -> dict[str, str]:
    """Return the variables under which a process uses the library; update periods are kept in `home`."""
    return {**os.environ, "ROCM_PATH": str(directory), "AMD_TRAITS": traits, "JOULEMARK_HOME": str(home)}
