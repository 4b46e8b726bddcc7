"""A clock that is set back while a command is measured."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pytest

STEPPED_CLOCK = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>
static long offset_s(void) {
    long seconds = 0;
    FILE *file = fopen(getenv("CLOCK_OFFSET_FILE"), "r");
    if (file) { if (fscanf(file, "%ld", &seconds) != 1) seconds = 0; fclose(file); }
    return seconds;
}
int clock_gettime(clockid_t clock, struct timespec *time) {
    static int (*real)(clockid_t, struct timespec *);
    if (!real) real = dlsym(RTLD_NEXT, "clock_gettime");
    int result = real(clock, time);
    if (result == 0 && clock == CLOCK_REALTIME) time->tv_sec += offset_s();
    return result;
}
"""


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("gcc") is None, reason="needs gcc to build the stepped clock")
def test_run_ends_after_it_starts_when_the_clock_is_set_back(tmp_path: Path) -> None:
    source, library, offset = tmp_path / "clock.c", tmp_path / "clock.so", tmp_path / "offset"
    source.write_text(STEPPED_CLOCK)
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
    command = [sys.executable, "-c", f"open({str(offset)!r}, 'w').write('-3600')"]
    own = {"JOULEMARK_HOME": str(tmp_path / "home"), "JOULEMARK_LOCK": str(tmp_path / "lock")}
    environment = {**os.environ, **own, "LD_PRELOAD": str(library), "CLOCK_OFFSET_FILE": str(offset)}
    options = ("--sensor", "simulated:rapl/constant", "--zone", "CH", "--offline", "--no-report", "--json")
    measure = [sys.executable, "-m", "joulemark", "measure", *options, "--out", str(tmp_path), "--", *command]
    done = subprocess.run(measure, env=environment, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    run = json.loads(done.stdout)["run"]
    assert offset.read_text() == "-3600"
    assert datetime.fromisoformat(run["finished_at"]) >= datetime.fromisoformat(run["started_at"])
