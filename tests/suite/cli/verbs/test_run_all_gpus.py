"""`joulemark run --device all` with NVIDIA's real bindings on a stand-in for the driver's library.

Each GPU computes on the CPU, and a step takes at least as long as its delay says; energy and throttling are the
library's.
"""

from __future__ import annotations

import json
from pathlib import Path

import cpu_as_gpus
import nvml_library
import pytest
from command import FAST, joulemark
from environments import known, require
from nvml_library import FakeGpu

pytestmark = pytest.mark.slow

STEP_S, SLOW_STEP_S = 0.005, 0.050
WINDOW_S = 1.0
"""Long against a slow step: the windows of all end within one, and have to overlap by nine tenths."""
UUIDS = tuple(f"GPU-{i}0000000-0000-0000-0000-000000000000" for i in range(4))
SELECTION = ["--workload", "mlp", "--phase", "inference", "--size", "tiny", "--precision", "fp32", "--rounds", "1"]


def test_the_slow_one_of_four_gpus_is_named_with_the_reason_of_its_driver(tmp_path):
    require("torch")
    gpus = [
        FakeGpu(uuid, 200.0 + 10 * i, "hot" if i == 2 else "-", bus=f"00000000:0{i + 1}:00.0")
        for i, uuid in enumerate(UUIDS)
    ]
    (tmp_path / "joulemark.toml").write_text(FAST.replace("window_s = 0.3", f"window_s = {WINDOW_S}"))
    delays_s = {f"cuda:{i}": SLOW_STEP_S if i == 2 else STEP_S for i in range(4)}
    python = cpu_as_gpus.interpreter(tmp_path, UUIDS, delays_s)
    seen = nvml_library.environment(nvml_library.build(tmp_path), gpus)
    options = [
        "--profile",
        "fast",
        *SELECTION,
        "--framework",
        "pytorch",
        "--device",
        "all",
        "--python",
        f"pytorch={python}",
        *known("tensorflow", "jax"),
    ]
    done = joulemark(
        tmp_path,
        "run",
        *options,
        "--offline",
        "--json",
        variables={name: seen[name] for name in ("LD_LIBRARY_PATH", "NVML_GPUS")},
        timeout=900,
    )
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    (across,) = [case["across_gpus"] for case in result["cases"] if case["across_gpus"] is not None]
    by_device = {gpu["device"]: gpu for gpu in across["gpus"]}
    hot = by_device.pop("cuda:2")
    assert hot["verdict"] == "slow"
    assert {gpu["verdict"] for gpu in by_device.values()} == {"as the others"}
    assert hot["alone"]["throttled"] == ["thermal"]
    assert all(not gpu["alone"]["throttled"] for gpu in by_device.values())
    for i, gpu in enumerate(gpus):
        alone = next(each for each in across["gpus"] if each["device"] == f"cuda:{i}")["alone"]
        assert alone["power_w"]["value"] == pytest.approx(gpu.power_w, rel=0.01)

    shown = joulemark(tmp_path, "show", "latest").stdout
    assert "cuda:2 is slow: " in shown
    assert "Throttled, as the driver says: cuda:2 (thermal, alone and together)." in shown
    assert "makes the others wait" not in shown  # they do not communicate
    page = Path(result["report"]).read_text()
    assert "cuda:2 is slow: " in page
    assert "All GPUs at once" in page
