"""Says what a framework is and which devices it sees, in a process that is thrown away.

Run as `python -P -m suite.measure.discover FRAMEWORK`; prints one line of JSON, `null` where it is not installed.
"""

from __future__ import annotations

import importlib
import json
import platform
import sys
from typing import Any

from suite.frameworks import FRAMEWORKS


def main(framework: str) -> None:
    """Print what is known of `framework`."""
    found: dict[str, Any] | None
    try:
        found = importlib.import_module(FRAMEWORKS[framework].adapter).discover()
    except ModuleNotFoundError as error:
        if error.name != FRAMEWORKS[framework].module:
            raise
        found = None
    print(json.dumps(found and found | {"python": platform.python_version()}))


if __name__ == "__main__":
    main(sys.argv[1])
