"""The tools that Joulemark's overhead is compared with, set up as their users have them."""

from __future__ import annotations

import logging
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from codecarbon import OfflineEmissionsTracker
    from zeus.monitor import ZeusMonitor


def codecarbon_tracker() -> OfflineEmissionsTracker:
    """Return codecarbon's tracker: offline and quiet, otherwise with its defaults."""
    from codecarbon import OfflineEmissionsTracker

    logging.getLogger("codecarbon").setLevel(logging.CRITICAL)
    return OfflineEmissionsTracker(
        country_iso_code="CHE", save_to_file=False, log_level="critical", allow_multiple_runs=True
    )


def zeus_monitor() -> tuple[ZeusMonitor, bool]:
    """Return zeus' monitor, and whether it has a GPU or RAPL to read. Raises ImportError without zeus."""
    from zeus.monitor import ZeusMonitor

    monitor = ZeusMonitor()
    return monitor, bool(monitor.gpu_indices or monitor.cpu_indices)


def installed_version(name: str) -> str | None:
    """Return the version of a package; None if it is not installed."""
    try:
        return version(name)
    except PackageNotFoundError:
        return None
