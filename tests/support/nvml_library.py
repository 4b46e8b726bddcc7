"""A stand-in for NVIDIA's driver library: C source that exports the NVML calls the suite uses, built by gcc.

The loader finds it through LD_LIBRARY_PATH, and the real nvidia-ml-py binds it. NVML_GPUS describes the GPUs, one a
line: `name|uuid|bus id|power in W|traits`. Traits are words of: no_energy, no_instant, no_average (the driver does not
know the field), old_fields (it knows both, and the GPU supports neither), no_legacy, mig, ampere, ga100, hot
(throttled), grace (a module whose CPU draws 120 W), tick (the counter moves each 100 ms); heats (throttled, its clock
halved, once the file NVML_HEAT exists), processes:N (compute on it); reset:SECONDS (the counter starts anew then),
lost:SECONDS (the GPU falls off the bus then); hangs (the counter's call does not return once the file
NVML_HANG exists).
NVML_INIT_CODE is what nvmlInit returns. A GPU draws constant power from the start of CLOCK_MONOTONIC.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from nvml_limits import LIMITS

GRACE_W = 120.0
"""What the CPU of a module draws beside its GPU."""
SOURCE = r"""
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { OK = 0, INVALID = 2, NOT_SUPPORTED = 3, NO_PERMISSION = 4, NOT_FOUND = 6, INSUFFICIENT_SIZE = 7, LOST = 15 };
typedef struct { char name[96], uuid[96], bus[32], traits[128]; double power_w; } gpu;
typedef struct { char busIdLegacy[16]; unsigned domain, bus, device, pciDeviceId, pciSubSystemId; char busId[32]; } pci;
typedef struct { unsigned long long total, free, used; } memory;
typedef struct { unsigned pid; unsigned long long used; unsigned instance, compute; } process;
typedef union { double d; unsigned u; unsigned long ul; unsigned long long ull; long long ll; int i; } value;
typedef struct { unsigned field, scope; int64_t stamp, latency; int type, code; value value; } field;

static gpu gpus[8], instances[8];
static int count;
static double begin_s;

static double now_s(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec * 1e-9;
}

static int has(const gpu *b, const char *trait) { return strstr(b->traits, trait) != NULL; }

static double after(const gpu *b, const char *trait) {
    const char *found = strstr(b->traits, trait);
    return found ? atof(found + strlen(trait)) : 1e30;
}

static int exists(const char *variable) {
    const char *file = getenv(variable);
    return file && access(file, F_OK) == 0;
}

static int heated(const gpu *b) { return has(b, "heats") && exists("NVML_HEAT"); }

static int state(const gpu *b) { return now_s() - begin_s >= after(b, "lost:") ? LOST : OK; }

int nvmlInitWithFlags(unsigned flags) {
    const char *code = getenv("NVML_INIT_CODE"), *text = getenv("NVML_GPUS");
    if (code && atoi(code)) return atoi(code);
    begin_s = now_s();
    count = 0;
    for (const char *line = text; line && *line && count < 8; count++) {
        gpu *b = &gpus[count];
        memset(b, 0, sizeof *b);
        sscanf(line, "%95[^|]|%95[^|]|%31[^|]|%lf|%127[^\n]", b->name, b->uuid, b->bus, &b->power_w, b->traits);
        line = strchr(line, '\n');
        if (line) line++;
    }
    return OK;
}

int nvmlShutdown(void) { return OK; }
int nvmlDeviceGetCount_v2(unsigned *n) { *n = count; return OK; }
int nvmlSystemGetDriverVersion(char *text, unsigned size) { snprintf(text, size, "610.57"); return OK; }
const char *nvmlErrorString(int code) {
    return code == LOST ? "GPU is lost" : code == NO_PERMISSION ? "Insufficient Permissions" : "error";
}

int nvmlDeviceGetHandleByIndex_v2(unsigned index, gpu **b) {
    if (index >= (unsigned)count) return INVALID;
    *b = &gpus[index];
    return OK;
}

int nvmlDeviceGetName(gpu *b, char *text, unsigned size) { snprintf(text, size, "%s", b->name); return OK; }
int nvmlDeviceGetUUID(gpu *b, char *text, unsigned size) { snprintf(text, size, "%s", b->uuid); return OK; }

int nvmlDeviceGetPciInfo_v3(gpu *b, pci *info) {
    memset(info, 0, sizeof *info);
    snprintf(info->busId, 32, "%s", b->bus);
    return OK;
}

int nvmlDeviceGetMemoryInfo(gpu *b, memory *m) { m->total = 80ull << 30; m->free = m->total; m->used = 0; return OK; }

int nvmlDeviceGetMigMode(gpu *b, unsigned *current, unsigned *pending) {
    if (!has(b, "mig")) return NOT_SUPPORTED;
    *current = *pending = 1;
    return OK;
}

int nvmlDeviceGetMaxMigDeviceCount(gpu *b, unsigned *n) { *n = has(b, "mig") ? 7 : 0; return OK; }

int nvmlDeviceGetMigDeviceHandleByIndex(gpu *b, unsigned index, gpu **instance) {
    if (index != 1) return NOT_FOUND;
    *instance = &instances[b - gpus];
    snprintf((*instance)->uuid, 96, "MIG-%s", b->uuid + 4);
    return OK;
}

int nvmlDeviceGetArchitecture(gpu *b, unsigned *a) { *a = has(b, "ampere") || has(b, "ga100") ? 7 : 5; return OK; }

int nvmlDeviceGetCudaComputeCapability(gpu *b, int *major, int *minor) {
    *major = has(b, "ampere") || has(b, "ga100") ? 8 : 7;
    *minor = has(b, "ampere") ? 6 : 0;
    return OK;
}

int nvmlDeviceGetTemperature(gpu *b, int sensor, unsigned *c) { *c = 61; return state(b); }

int nvmlDeviceGetClockInfo(gpu *b, int type, unsigned *mhz) {
    *mhz = type != 1 ? 1215 : heated(b) ? 705 : 1410;
    return state(b);
}

int nvmlDeviceGetCurrentClocksThrottleReasons(gpu *b, unsigned long long *bits) {
    *bits = has(b, "hot") || heated(b) ? 0x20 | 0x4 : 0x1;
    return OK;
}

int nvmlDeviceGetCurrentClocksEventReasons(gpu *b, unsigned long long *bits) {
    return nvmlDeviceGetCurrentClocksThrottleReasons(b, bits);
}

int nvmlDeviceGetComputeRunningProcesses_v3(gpu *b, unsigned *n, process *processes) {
    unsigned there = has(b, "processes:") ? (unsigned)after(b, "processes:") : 0, room = *n;
    *n = there;
    if (room < there) return INSUFFICIENT_SIZE;
    for (unsigned i = 0; i < there; i++) processes[i] = (process){.pid = 100 + i};
    return OK;
}

int nvmlDeviceGetComputeRunningProcesses_v2(gpu *b, unsigned *n, process *processes) {
    return nvmlDeviceGetComputeRunningProcesses_v3(b, n, processes);
}

int nvmlDeviceGetTotalEnergyConsumption(gpu *b, unsigned long long *mj) {
    double from_s = begin_s + after(b, "reset:");
    if (has(b, "no_energy")) return NOT_SUPPORTED;
    while (has(b, "hangs") && exists("NVML_HANG")) sleep(1);
    if (state(b)) return state(b);
    double at_s = has(b, "tick") ? floor(now_s() / 0.1) * 0.1 : now_s();
    *mj = (unsigned long long)((at_s - (now_s() >= from_s ? from_s : 0.0)) * b->power_w * 1000);
    return OK;
}

int nvmlDeviceGetPowerUsage(gpu *b, unsigned *mw) {
    if (has(b, "no_legacy")) return NOT_SUPPORTED;
    *mw = (unsigned)(b->power_w * 1000);
    return state(b);
}

int nvmlDeviceGetFieldValues(gpu *b, int n, field *fields) {
    for (int i = 0; i < n; i++) {
        int average = fields[i].field == 185, instant = fields[i].field == 186;
        int missing = (average && has(b, "no_average")) || (instant && has(b, "no_instant")) || !(average || instant);
        int module = fields[i].scope == 1;
        missing |= module && !has(b, "grace");
        fields[i].code = missing ? INVALID : has(b, "old_fields") ? NOT_SUPPORTED : state(b);
        fields[i].type = 1;
        fields[i].value.u = (unsigned)((b->power_w + (module ? GRACE_W : 0)) * 1000);
    }
    return OK;
}
"""


@dataclass(frozen=True)
class FakeGpu:
    """A GPU that the library shows."""

    uuid: str
    power_w: float = 250.0
    traits: str = "-"
    name: str = "Test GPU"
    bus: str = "00000000:01:00.0"


def build(directory: Path, without: Sequence[str] = ()) -> Path:
    """Compile the library into `directory`, `without` some calls like an older driver's. Skip the test without gcc."""
    if shutil.which("gcc") is None:
        pytest.skip("gcc is not installed")
    source = directory / "nvml.c"
    source.write_text(SOURCE + LIMITS)
    target = directory / "libnvidia-ml.so.1"
    subprocess.run(
        ["gcc", "-shared", "-fPIC", "-O1", f"-DGRACE_W={GRACE_W}", "-o", str(target), str(source), "-lm"]
        + [f"-D{name}=absent_{name}" for name in without],
        check=True,
        capture_output=True,
    )
    return directory


def environment(directory: Path, gpus: Sequence[FakeGpu], **more: str) -> dict[str, str]:
    """Return the variables under which a process sees `gpus`."""
    lines = [f"{gpu.name}|{gpu.uuid}|{gpu.bus}|{gpu.power_w}|{gpu.traits}" for gpu in gpus]
    # Update periods are not kept from one test to the next: this home cannot be written.
    variables = {"LD_LIBRARY_PATH": str(directory), "NVML_GPUS": "\n".join(lines), "JOULEMARK_HOME": "/proc/none"}
    return {**os.environ, **variables, **more}
