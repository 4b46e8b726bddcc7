"""Read and write run files. Whatever is wrong with one becomes a single line."""

from __future__ import annotations

import ast
import inspect
import json
from codecs import BOM_UTF8
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, ValidationError
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import ErrorDetails
from pydantic_core.core_schema import StringSchema

from joulemark.suite.errors import UsageError
from joulemark.suite.records.base import MAX_TEXT, Record
from joulemark.suite.records.checks.run_file import contradictions
from joulemark.suite.records.run import SCHEMA_VERSION, RunFile
from joulemark.suite.system.output import output_file
from joulemark.suite.system.text import one_line

MAX_BYTES: Final = 2**30
"""Size of the largest file that is read."""

MAX_TEXT_BYTES: Final = 2**25
"""Size of all of a file but its samples. Ten thousand trials have half of it."""

_SAMPLES: Final[Any] = {"traces": {"__all__": {"t_s": True, "states": True, "channels": {"__all__": {"values"}}}}}


_LIMITS: Final = {"ge": "it should be at least", "gt": "it should be more than", "le": "it should be at most"}


class _Header(BaseModel):
    """What a file says it is."""

    schema_version: Any = None


def read(path: Path) -> RunFile:
    """Return the run file at `path`, with the summaries in it: `results.run_files` holds them against the trials.

    Raises UsageError if it is missing, broken, truncated, foreign, too new, or cannot be true.
    """
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise UsageError(f"{path} is too large for a run file: {size / 1e9:.1f} GB.")
        data = path.read_bytes()
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}.") from None
    return parse(data, str(path))


def parse(text: str | bytes, name: str) -> RunFile:
    """Return the run file in `text`, called `name` in errors. Raises UsageError as `read` does."""
    data = (text.encode(errors="surrogatepass") if isinstance(text, str) else text).removeprefix(BOM_UTF8)
    try:
        run_file = RunFile.model_validate_json(data)
    except ValidationError as error:
        raise UsageError(f"{name} {_problem(error, data)}") from None
    if "schema_version" not in run_file.model_fields_set:
        raise UsageError(f"{name} {_foreign(None)}")
    problems = list(contradictions(run_file))
    if len(data) > MAX_TEXT_BYTES:
        problems += _too_much_text(run_file)
    refuse(name, problems)
    return run_file


def refuse(name: str, problems: Sequence[tuple[str, str]]) -> None:
    """Raise UsageError for the file `name` with the first of `problems`, each a field's path and what is wrong."""
    if problems:
        where, problem = problems[0]
        raise UsageError(f"{name} is not a valid run file: at {where}: {one_line(problem)}{_and_more(len(problems))}.")


def _too_much_text(run_file: RunFile) -> Iterator[tuple[str, str]]:
    size = len(run_file.model_dump_json(exclude=_SAMPLES))
    if size > MAX_TEXT_BYTES:
        yield "the document", f"it has {size / 1e6:.0f} MB of other things than samples"


def _problem(error: ValidationError, data: bytes) -> str:
    """Return what is wrong with a file that does not fit the schema."""
    first = error.errors(include_url=False)[0]
    if first["type"] == "json_invalid":
        return _not_json(data, str(first["ctx"]["error"]))
    try:
        version = _Header.model_validate_json(data).schema_version
    except ValidationError:
        version = None  # no object
    if first["loc"] == ("schema_version",) or version is None:
        return _foreign(version)
    where = _limited(".".join(str(part) for part in first["loc"]) or "the document", 200)
    found, more = _shortened(first.get("input")), _and_more(error.error_count())
    return f"is not a valid run file: at {where}: {_sentence(first)}, found {found}{more}."


def _sentence(error: ErrorDetails) -> str:
    """Return what a field should be."""
    limits = {name: limit for name, limit in error.get("ctx", {}).items() if name in _LIMITS}
    for name, limit in limits.items():
        return f"{_LIMITS[name]} {limit if isinstance(limit, int) else format(limit, 'g')}"
    return _limited(error["msg"].removeprefix("Value error, "), 200)


def _not_json(data: bytes, problem: str) -> str:
    if not data.strip():
        return "is empty: the run that was to write it may have been cut off."
    try:
        data.decode()
    except UnicodeDecodeError:
        return "is not a run file: it is not UTF-8 text."
    return f"is not JSON ({problem}): it is broken or truncated."


def _foreign(version: object) -> str:
    """Return why a document with this schema_version is not read."""
    if version is None:
        return "is JSON, but not a joulemark run file: it has no schema_version."
    if type(version) is int and version > SCHEMA_VERSION:
        return f"has schema_version {version}; this joulemark reads up to {SCHEMA_VERSION}. Upgrade joulemark."
    return f"has schema_version {_shortened(version)}, which no joulemark ever wrote."


def _shortened(value: object) -> str:
    """Return what was found at a place, short enough for a line."""
    if isinstance(value, dict | list | tuple):
        return f"{'an object' if isinstance(value, dict) else 'a list'} of {len(value)}"
    if isinstance(value, str):
        return json.dumps(_limited(value, 60))
    return _limited(json.dumps(value, default=str), 60)


def _limited(text: str, length: int) -> str:
    """Return `text`, which may be the file's own, as one line of at most `length` characters."""
    text = one_line(text)
    return text if len(text) <= length else text[: length - 1] + "…"


def _and_more(count: int) -> str:
    return f" (and {count - 1} more)" if count > 1 else ""


def write(run_file: RunFile, path: Path) -> None:
    """Write `run_file` to `path` in one step, for this user alone. Raises UsageError if `path` cannot be written."""
    write_text(path, run_file.model_dump_json(indent=1) + "\n", private=True)


def write_text(path: Path, text: str, private: bool = False) -> None:
    """Write `text` to `path` as `suite.system.output` does, with its folders. UsageError if that is impossible."""
    with output_file(path, private) as temporary:
        temporary.write_text(text, encoding="utf-8")


class _BoundedText(GenerateJsonSchema):
    """Adds the limit of all texts, which pydantic has in the models' configuration only."""

    def str_schema(self, schema: StringSchema) -> JsonSchemaValue:
        return {"maxLength": MAX_TEXT, **super().str_schema(schema)}


def schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of a run file."""
    document = RunFile.model_json_schema(schema_generator=_BoundedText)
    parts = {**document["$defs"], RunFile.__name__: document}
    # Other packages have records of their own, some of the same name.
    own = [each for each in Record.__subclasses__() if each.__module__.startswith(f"{__package__}.")]
    for record in own:
        for name, text in _field_texts(record):
            if record.__name__ in parts:
                parts[record.__name__]["properties"][name]["description"] = text
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **document}


def _field_texts(record: type[Record]) -> Iterator[tuple[str, str]]:
    """Yield the fields of a record and their docstrings. pydantic would look for them whenever the module is imported,
    which takes as long as all the rest of that."""
    (definition,) = ast.parse(inspect.getsource(record)).body
    assert isinstance(definition, ast.ClassDef)
    for field, text in pairwise(definition.body):
        match field, text:
            case ast.AnnAssign(target=ast.Name(name)), ast.Expr(ast.Constant(str(value))):
                yield name, inspect.cleandoc(value)
