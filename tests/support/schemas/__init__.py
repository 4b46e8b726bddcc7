"""Schemas of other tools' formats, written from their documentation, and closed where theirs are open."""

from __future__ import annotations

from pathlib import Path

JUNIT = Path(__file__).with_name("junit.xsd")

BENCHER = {
    # https://bencher.dev/docs/reference/bencher-metric-format/ : benchmark -> measure -> metric. Names have up to 1,024
    # characters; slugs of measures up to 64, of letters, digits and hyphens.
    "type": "object",
    "minProperties": 1,
    "propertyNames": {"minLength": 1, "maxLength": 1024},
    "additionalProperties": {
        "type": "object",
        "minProperties": 1,
        "propertyNames": {"pattern": "^[a-z0-9]+(-[a-z0-9]+)*$", "maxLength": 64},
        "additionalProperties": {
            "type": "object",
            "properties": {name: {"type": "number"} for name in ("value", "lower_value", "upper_value")},
            "required": ["value"],
            "additionalProperties": False,
        },
    },
}

GITHUB_ACTION = {
    # https://github.com/benchmark-action/github-action-benchmark : "Custom benchmarks". The action reads name, value,
    # unit, range and extra of each entry, rejects an empty list, and reads a half-width from `± number`.
    "type": "array",
    "minItems": 1,
    "items": {
        "type": "object",
        "properties": {
            "name": {"type": "string", "minLength": 1},
            "unit": {"type": "string", "minLength": 1},
            "value": {"type": "number"},
            "range": {"type": "string", "pattern": r"^± [0-9]+(\.[0-9]+)?(e[+-]?[0-9]+)?$"},
            "extra": {"type": "string"},
        },
        "required": ["name", "unit", "value"],
        "additionalProperties": False,
    },
}
