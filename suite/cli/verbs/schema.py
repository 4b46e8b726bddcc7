"""`joulemark schema`."""

from __future__ import annotations

import json


def command() -> None:
    """Print the JSON Schema of a run file."""
    from joulemark.suite.records import schema

    print(json.dumps(schema(), indent=1))
