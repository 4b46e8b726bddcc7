"""The part of the stand-in for NVIDIA's library that sets limits, and records how.

A GPU's limit is from 200 to 500 W, by default 400 W, its clock from 210 to 1980 MHz. With NVML_LIMITS, a folder, the
limit is kept there for all processes, as a driver does, and each call that sets something is a line of `calls`. Only
root may set; trait `deaf` accepts a limit and ignores it, `fixed` has one that cannot be set, `no_limit` has none.
"""

from __future__ import annotations

from pathlib import Path

LIMITS = r"""
static FILE *limit_file(const gpu *b, const char *mode) {
    const char *folder = getenv("NVML_LIMITS");
    char path[512];
    snprintf(path, sizeof path, "%s/%s", folder ? folder : "/nowhere", b ? b->uuid : "calls");
    return fopen(path, mode);
}

static unsigned limit_mw(const gpu *b) {
    unsigned mw = 400000;
    FILE *file = limit_file(b, "r");
    if (file) { if (fscanf(file, "%u", &mw) != 1) mw = 0; fclose(file); }
    return mw;
}

static int set_call(const char *format, unsigned number) {
    if (geteuid() != 0) return NO_PERMISSION;
    FILE *file = limit_file(NULL, "a");
    if (file) { fprintf(file, format, number); fclose(file); }
    return OK;
}

int nvmlDeviceGetHandleByUUID(const char *uuid, gpu **b) {
    for (int i = 0; i < count; i++) if (!strcmp(gpus[i].uuid, uuid)) { *b = &gpus[i]; return OK; }
    return NOT_FOUND;
}

int nvmlDeviceGetPowerManagementLimit(gpu *b, unsigned *mw) {
    if (has(b, "no_limit")) return NOT_SUPPORTED;
    *mw = limit_mw(b);
    return OK;
}

int nvmlDeviceGetEnforcedPowerLimit(gpu *b, unsigned *mw) { *mw = limit_mw(b); return OK; }

int nvmlDeviceGetPowerManagementLimitConstraints(gpu *b, unsigned *low, unsigned *high) {
    if (!getenv("NVML_LIMITS")) return NOT_SUPPORTED;
    *low = 200000;
    *high = 500000;
    return OK;
}

int nvmlDeviceSetPowerManagementLimit(gpu *b, unsigned mw) {
    if (has(b, "fixed") || has(b, "no_limit")) return NOT_SUPPORTED;
    int code = set_call("power %u\n", mw);
    if (code != OK || has(b, "deaf")) return code;
    FILE *file = limit_file(b, "w");
    if (file) { fprintf(file, "%u", mw); fclose(file); }
    return OK;
}

int nvmlDeviceSetGpuLockedClocks(gpu *b, unsigned low, unsigned high) { return set_call("clock %u\n", high); }
int nvmlDeviceResetGpuLockedClocks(gpu *b) { return set_call("clock reset%.0u\n", 0); }

static int two(unsigned *n, unsigned *clocks, unsigned low, unsigned high) {
    if (*n < 2 || !clocks) { *n = 2; return INSUFFICIENT_SIZE; }
    *n = 2;
    clocks[0] = high;
    clocks[1] = low;
    return OK;
}

int nvmlDeviceGetSupportedMemoryClocks(gpu *b, unsigned *n, unsigned *clocks) { return two(n, clocks, 810, 3201); }

int nvmlDeviceGetSupportedGraphicsClocks(gpu *b, unsigned memory, unsigned *n, unsigned *clocks) {
    return two(n, clocks, 210, 1980);
}
"""


def calls(folder: Path) -> list[str]:
    """Return the calls that set something, in order."""
    path = folder / "calls"
    return path.read_text().splitlines() if path.exists() else []


def limit_w(folder: Path, uuid: str) -> float:
    """Return the power limit that is in force, watts; 0 while it is being written."""
    return int((folder / uuid).read_text() or 0) / 1000
