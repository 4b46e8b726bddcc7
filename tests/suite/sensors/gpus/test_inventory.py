"""NVIDIA's GPUs as they are listed through the real nvidia-ml-py, and their names under any CUDA_VISIBLE_DEVICES."""

from __future__ import annotations

from pathlib import Path

import amdsmi_library
import nvml_library
from gpu_inventory import Inventory, discover
from nvml_library import FakeGpu

A, B, C = (f"GPU-{name}-0000-0000-0000-000000000000" for name in ("aaaa1111", "bbbb2222", "cccc3333"))
SECOND_BUS, THIRD_BUS = "00000000:02:00.0", "00000000:03:00.0"

Selections = list[tuple[dict[str, str], list[str | None]]]


def _discover(nvml_path: Path, gpus: list[FakeGpu], selections: Selections) -> list[Inventory]:
    return discover(nvml_library.environment(nvml_path, gpus), [selection for selection, _ in selections])


def test_gpus_are_listed_with_their_limit_and_driver(nvml_path: Path) -> None:
    (inventory,) = discover(nvml_library.environment(nvml_path, [FakeGpu(A), FakeGpu(B, bus=SECOND_BUS)]))
    facts = [(gpu["uuid"], gpu["mig"], gpu["power_limit_w"], gpu["driver"]) for gpu in inventory.gpus]
    assert facts == [(A, False, 400.0, "610.57"), (B, False, 400.0, "610.57")]
    assert inventory.reason is None


def test_gpus_are_matched_under_any_visible_devices(nvml_path: Path) -> None:
    selections: Selections = [
        ({}, ["cuda:0", "cuda:1"]),
        ({"CUDA_VISIBLE_DEVICES": "1"}, [None, "cuda:0"]),
        ({"CUDA_VISIBLE_DEVICES": "1,0"}, ["cuda:1", "cuda:0"]),
        ({"CUDA_VISIBLE_DEVICES": B}, [None, "cuda:0"]),
        ({"CUDA_VISIBLE_DEVICES": "GPU-bbbb, GPU-aaaa"}, ["cuda:1", "cuda:0"]),
        ({"CUDA_VISIBLE_DEVICES": "0,7,1"}, ["cuda:0", None]),
        ({"CUDA_VISIBLE_DEVICES": f"GPU-cccc,{B}"}, [None, None]),
        ({"CUDA_VISIBLE_DEVICES": ""}, [None, None]),
        ({"CUDA_VISIBLE_DEVICES": "-1"}, [None, None]),
    ]
    inventories = _discover(nvml_path, [FakeGpu(A), FakeGpu(B, bus=SECOND_BUS)], selections)
    for (selection, devices), inventory in zip(selections, inventories, strict=True):
        assert inventory.devices == devices, selection


def test_numbers_are_ambiguous_beside_a_split_gpu(nvml_path: Path) -> None:
    selections: Selections = [
        # CUDA shows one instance, and no whole GPU beside it (MIG User Guide).
        ({}, [None, "cuda:0"]),
        ({"CUDA_VISIBLE_DEVICES": f"MIG-{B}/3/0"}, [None, "cuda:0"]),
        ({"CUDA_VISIBLE_DEVICES": B.replace("GPU", "MIG")}, [None, "cuda:0"]),
        ({"CUDA_VISIBLE_DEVICES": A}, ["cuda:0", None]),
        # What numbers then mean is not documented: no energy is better than another GPU's.
        ({"CUDA_VISIBLE_DEVICES": "0"}, [None, None]),
        ({"CUDA_VISIBLE_DEVICES": "1,0"}, [None, None]),
    ]
    inventories = _discover(nvml_path, [FakeGpu(A), FakeGpu(B, bus=SECOND_BUS, traits="mig")], selections)
    for (selection, devices), inventory in zip(selections, inventories, strict=True):
        assert inventory.devices == devices, selection
        assert [gpu["mig"] for gpu in inventory.gpus] == [False, True]
        assert ("nvidia-smi -L" in (inventory.reason or "")) == (devices == [None, None]), selection


def test_framework_numbering_takes_precedence(nvml_path: Path) -> None:
    gpus = [FakeGpu(A, name="Old GPU"), FakeGpu(B, bus=SECOND_BUS), FakeGpu(C, bus=THIRD_BUS, traits="mig")]
    by_environment = [None, None, "cuda:0"]
    seen = {
        (): by_environment,
        (B[4:], A[4:]): ["cuda:1", "cuda:0", None],
        (C[4:],): by_environment,  # an instance has its own UUID
        ("dddd",): by_environment,
    }
    (inventory,) = discover(nvml_library.environment(nvml_path, gpus), seen=list(seen))
    assert inventory.numbered == list(seen.values())


def test_gpus_of_several_models_are_numbered_only_in_bus_order(nvml_path: Path) -> None:
    gpus = [FakeGpu(A, name="Old GPU"), FakeGpu(B, name="New GPU", bus=SECOND_BUS)]
    selections: Selections = [({}, [None, None]), ({"CUDA_DEVICE_ORDER": "PCI_BUS_ID"}, ["cuda:0", "cuda:1"])]
    unordered, ordered = _discover(nvml_path, gpus, selections)
    assert [unordered.devices, ordered.devices] == [devices for _, devices in selections]
    assert "CUDA_DEVICE_ORDER=PCI_BUS_ID" in (unordered.reason or "")
    assert ordered.reason is None


def test_amd_gpu_beside_an_nvidia_gpu_has_no_device(nvml_path: Path, rocm_path: Path, tmp_path: Path) -> None:
    nvidia = nvml_library.environment(nvml_path, [FakeGpu(A)])
    names = ("LD_LIBRARY_PATH", "NVML_GPUS")
    environment = amdsmi_library.environment(rocm_path, tmp_path) | {name: nvidia[name] for name in names}
    (inventory,) = discover(environment)
    assert [(gpu["uuid"], gpu["device"]) for gpu in inventory.gpus] == [(A, "cuda:0"), ("amd-1", None)]
