"""Read and write run files. Whatever is wrong with one becomes a single line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from joulemark.suite.errors import UsageError
from joulemark.suite.records.checks import contradictions
from joulemark.suite.records.run import SCHEMA_VERSION, RunFile
from joulemark.suite.system.output import output_file
from joulemark.suite.system.text import read_text


def read(path: Path) -> RunFile:
    """Return the run file at `path`. Raises UsageError if it is missing, broken, truncated, foreign or too new."""
    try:
        text = read_text(path)
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise UsageError(f"{path} is not a run file: it is not UTF-8 text.") from None
    return parse(text, str(path))


def parse(text: str, name: str) -> RunFile:
    """Return the run file in `text`, called `name` in errors. Raises UsageError."""
    if not text.strip():
        raise UsageError(f"{name} is empty: the run that was to write it may have been cut off.")
    try:
        document = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        where = f"line {error.lineno} column {error.colno}" if isinstance(error, json.JSONDecodeError) else "its depth"
        raise UsageError(f"{name} is not JSON (at {where}): it is broken or truncated.") from None
    version = document.get("schema_version") if isinstance(document, dict) else None
    if version is None:
        raise UsageError(f"{name} is JSON, but not a joulemark run file: it has no schema_version.")
    if isinstance(version, bool) or not isinstance(version, int) or version < 1:
        raise UsageError(f"{name} has schema_version {version!r}, which no joulemark ever wrote.")
    if version > SCHEMA_VERSION:
        raise UsageError(
            f"{name} has schema_version {version}; this joulemark reads up to {SCHEMA_VERSION}. Upgrade joulemark."
        )
    try:
        run_file = RunFile.model_validate_json(text)
    except ValidationError as error:
        raise UsageError(f"{name} is not a valid run file: {_first_error(error)}") from None
    if problems := list(contradictions(run_file)):
        where, problem = problems[0]
        raise UsageError(f"{name} is not a valid run file: at {where}: {problem}{_and_more(len(problems))}.")
    return run_file


def _first_error(error: ValidationError) -> str:
    """Return the first error of a validation, as one line."""
    first = error.errors(include_url=False)[0]
    where = ".".join(str(part) for part in first["loc"]) or "the document"
    value = json.dumps(first.get("input"), default=str)
    shown = value if len(value) <= 60 else value[:57] + "..."
    return f"at {where}: {first['msg']}, found {shown}{_and_more(error.error_count())}."


def _and_more(count: int) -> str:
    return f" (and {count - 1} more)" if count > 1 else ""


def write(run_file: RunFile, path: Path) -> None:
    """Write `run_file` to `path` in one step. Raises UsageError if `path` cannot be written."""
    write_text(path, run_file.model_dump_json(indent=1) + "\n")


def write_text(path: Path, text: str) -> None:
    """Write `text` to `path` as `suite.system.output` does, with its folders. UsageError if that is impossible."""
    with output_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of a run file."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **RunFile.model_json_schema()}
