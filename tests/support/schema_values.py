"""Values of any part of a JSON Schema, as Hypothesis draws them: at the schema's limits more often than not."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st

Schema = Mapping[str, Any]

ODD_TEXT = st.sampled_from(
    [
        *("", "cpu", "cuda:0", "1", "-", "+1", "a/b", "<b>&\"'", "\x1b[31m\0", "[" * 50, "{0}%s\n"),
        *("2026-11-01T12:00:00Z", "0001-01-01T00:00:00+23:00"),
    ]
)


class Values:
    """The values of a document's definitions."""

    def __init__(self, document: Schema) -> None:
        self.definitions: Mapping[str, Schema] = document.get("$defs", {})

    def resolved(self, schema: Schema) -> Schema:
        """Return what a reference refers to."""
        while "$ref" in schema:
            schema = self.definitions[schema["$ref"].rpartition("/")[2]]
        return schema

    def of(self, schema: Schema, depth: int = 0) -> st.SearchStrategy[Any]:
        """Return values that are valid by `schema`, all of them small."""
        schema = self.resolved(schema)
        if "const" in schema:
            return st.just(schema["const"])
        if "enum" in schema:
            return st.sampled_from(schema["enum"])
        for union in ("anyOf", "oneOf"):
            if union in schema:
                return st.one_of([self.of(choice, depth) for choice in schema[union]])
        match schema.get("type", "string"):
            case "null":
                return st.none()
            case "boolean":
                return st.booleans()
            case "string":
                return ODD_TEXT | st.text(max_size=min(8, schema.get("maxLength", 8)))
            case "integer":
                return integers(schema)
            case "number":
                return numbers(schema)
            case "array":
                return self._array(schema, depth)
            case "object":
                return self._object(schema, depth)
        raise AssertionError(f"no values for {schema}")

    def _array(self, schema: Schema, depth: int) -> st.SearchStrategy[Any]:
        if "prefixItems" in schema:
            return st.tuples(*(self.of(item, depth + 1) for item in schema["prefixItems"])).map(list)
        return st.lists(self.of(schema["items"], depth + 1), max_size=3 if depth < 3 else 1)

    def _object(self, schema: Schema, depth: int) -> st.SearchStrategy[Any]:
        if "properties" not in schema:
            key = self.of(schema.get("propertyNames", {"type": "string"}), depth + 1)
            return st.dictionaries(key, self.of(schema["additionalProperties"], depth + 1), max_size=2)
        required = set(schema.get("required", ()))
        parts = {name: self.of(part, depth + 1) for name, part in schema["properties"].items()}
        return st.fixed_dictionaries(
            {name: part for name, part in parts.items() if name in required},
            optional={name: part for name, part in parts.items() if name not in required},
        )

    def at(self, schema: Schema, document: Any, path: tuple[str | int, ...]) -> Schema:
        """Return the schema of what is at `path` of a valid `document`."""
        schema = self.resolved(schema)
        for choice in schema.get("anyOf", schema.get("oneOf", ())):
            if _may_be(self.resolved(choice), document):
                return self.at(choice, document, path)
        if not path:
            return schema
        name, *rest = path
        if isinstance(name, int):
            inner = schema["prefixItems"][name] if "prefixItems" in schema else schema["items"]
        else:
            inner = schema.get("properties", {}).get(name) or schema["additionalProperties"]
        return self.at(inner, document[name], tuple(rest)) if rest else inner


def _may_be(schema: Schema, value: object) -> bool:
    kinds = {"object": dict, "array": list, "null": type(None), "string": str, "boolean": bool}
    kind = schema.get("type", "string")
    return isinstance(value, kinds.get(kind, int | float))


def integers(schema: Schema) -> st.SearchStrategy[int]:
    """Return integers within the limits of `schema`, small ones and the limits themselves most often."""
    low, high = schema.get("minimum", -(2**63)), schema.get("maximum", 2**63)
    edges = [edge for edge in (low, high, 0, 1, 2) if low <= edge <= high]
    return st.sampled_from(edges) | st.integers(max(low, -10), min(high, 10)) | st.integers(low, high)


def numbers(schema: Schema) -> st.SearchStrategy[float]:
    """Return numbers within the limits of `schema`, of every magnitude."""
    low = max(schema.get("minimum", -1e306), math.nextafter(schema.get("exclusiveMinimum", -1e307), math.inf))
    high = min(schema.get("maximum", 1e306), math.nextafter(schema.get("exclusiveMaximum", 1e307), -math.inf))
    edges = [edge for edge in (low, high, 0.0, 1.0, 5e-324, 1e-9) if low <= edge <= high]
    magnitudes = st.integers(-320, 306).map(lambda exponent: min(max(10.0**exponent, low), high))
    return st.sampled_from(edges) | magnitudes | st.floats(float(low), float(high), allow_nan=False)
