"""Leave out of run files what is not known to be harmless, for pages that are handed round.

Numbers are harmless, and `reports.harmless` says which words are. Names that tell cases apart get numbers in their
place, the same in all runs of a page.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from joulemark.reports.harmless import HIDDEN, hardware, harmless_text, is_harmless, system, version
from joulemark.suite.records import RunFile

_HOME: Final = re.compile(r"(?:/home/|/Users/|[A-Za-z]:\\+Users\\+)([\w.-]+)")
_UUID: Final = re.compile(r"(?:GPU-|MIG-)?[0-9a-f]{8}-[0-9a-f-]{20,}", re.IGNORECASE)
_HEXADECIMAL: Final = re.compile(r"[0-9a-f]{8,16}")
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)")
_UNITS: Final = frozenset({"J", "W", "s", "1/s", "g", "B", "J/s", "FLOP/s", "B/s"})

_CLOSED: Final = frozenset(
    {
        "status",
        "kind",
        "basis",
        "signal",
        "when",
        "isolation",
        "launcher",
        "steady",
        "compile_cache",
        "code",
        "emission_factors",
    }
)
"""Fields whose values the schema lists."""
_NAMES: Final = frozenset(
    {"workload", "variant", "size", "phase", "framework", "mode", "precision", "item", "device", "devices", "profile"}
    | {"component", "scope", "sensor", "allocator", "arm", "reason_code", "base", "uuid", "unit"}
    | {"workload_version", "spec_version"}
)
"""Fields that tell things apart."""
_PATTERNS: Final[Mapping[str, tuple[re.Pattern[str], str]]] = {
    "id": (re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{4}"), "run"),
    "fingerprint": (_HEXADECIMAL, "machine"),
    "job": (re.compile(r"(?!)"), "job"),  # a digest of addresses that can be guessed
    **dict.fromkeys(("identity", "meter_identity", "machine"), (re.compile(r"(?!)"), "device")),  # serial numbers
    "pci_bus_id": (re.compile(r"[0-9a-fA-F]{4,8}:[0-9a-fA-F]{2}:[0-9a-fA-F]{2}\.\d"), "bus"),
    **dict.fromkeys(
        ("started_at", "finished_at", "interval_start", "retrieved_at", "updated_at", "made_at", "start", "end"),
        (_TIME, "time"),
    ),
}
"""Fields of one form, and what is numbered where a value has another."""
_BY_FIELD: Final[Mapping[str, Callable[[str], str]]] = {
    "os": system,
    "virtual": hardware,
    **dict.fromkeys(("version", "python", "driver", "suite_version"), version),
}


def anonymous(run_files: Sequence[RunFile]) -> list[RunFile]:
    """Return `run_files` with what is not known to be harmless left out, or numbered where it tells things apart."""
    numbers = _Numbers()
    return [_Cleaner(run_file, numbers).run_file() for run_file in run_files]


def anonymous_options(options: Iterable[str]) -> list[str]:
    """Return the words of a command line without what is not known to be harmless."""
    return [harmless_text(option) for option in options]


class _Numbers:
    """Numbers in place of names, the same for a name in all runs of a report."""

    def __init__(self) -> None:
        self._names: dict[str, dict[str, str]] = {}

    def name(self, kind: str, original: str) -> str:
        names = self._names.setdefault(kind, {})
        return names.setdefault(original, f"{kind}-{len(names) + 1}")


class _Cleaner:
    """Cleans one run file."""

    def __init__(self, original: RunFile, numbers: _Numbers) -> None:
        self._document = original.model_dump(mode="json")
        self._numbers = numbers
        hostname = original.machine.hostname
        found = _HOME.findall(original.model_dump_json(exclude={"traces"}))
        # A name that is a word of Joulemark's own, such as a host called `gpu`.
        self._people = frozenset(name.lower() for name in (*found, *re.findall(r"[A-Za-z][A-Za-z0-9]*", hostname)))

    def run_file(self) -> RunFile:
        document = self._mapping(self._document)
        for before, case in zip(self._document["cases"], document["cases"], strict=True):
            case["id"] = self._case_id(before["id"], case)
        self._make_unique(document["cases"])
        number = self._numbers.name("host", self._document["machine"]["hostname"]).partition("-")[2]
        document["machine"]["hostname"] = HIDDEN if number == "1" else f"{HIDDEN} {number}"
        for before, segment in zip(self._document["run"]["segments"], document["run"]["segments"], strict=True):
            segment["boot_id"] = self._numbers.name("boot", before["boot_id"]) if before["boot_id"] else ""
        if (node := self._document["node"]) is not None:
            boards = [self._text("uuid", uuid) for uuid in node["boards"]]
            document["node"].update(host=document["machine"]["hostname"], boards=boards)
        return RunFile.model_validate(document)

    def _clean(self, key: str, value: Any) -> Any:
        if isinstance(value, Mapping):
            return self._mapping(value)
        if isinstance(value, list):
            if value and isinstance(value[0], int | float):  # a trace
                return [item if isinstance(item, int | float) else None for item in value]
            return [self._clean(key, item) for item in value]
        return self._text(key, value) if isinstance(value, str) else value

    def _mapping(self, mapping: Mapping[str, Any]) -> dict[str, Any]:
        is_hardware = "logical_cores" in mapping or "pci_bus_id" in mapping
        names = {key: self._name("name", key) for key in mapping}
        return {
            names[key]: hardware(value) if is_hardware and key in ("model", "name") else self._clean(key, value)
            for key, value in mapping.items()
        }

    def _text(self, key: str, text: str) -> str:
        if key in _CLOSED or text == "":
            return text
        if key in _PATTERNS:
            pattern, kind = _PATTERNS[key]
            return text if pattern.fullmatch(text) else self._numbers.name(kind, text)
        if key in _NAMES:
            return self._name("own", text)
        return _BY_FIELD[key](text) if key in _BY_FIELD else harmless_text(text, self._people)

    def _name(self, kind: str, name: str) -> str:
        """Return a name if it is harmless, else a number for it."""
        if _UUID.fullmatch(name):
            return self._numbers.name("GPU", name.upper())
        if name in _UNITS or _HEXADECIMAL.fullmatch(name) or all(map(is_harmless, re.split(r"[ +]", name))):
            return name
        return self._numbers.name(kind, name)

    def _case_id(self, original: str, case: Mapping[str, Any]) -> str:
        """Return the id that follows from the cleaned fields of a case."""
        workload = case["workload"] + (f".{case['variant']}" if case["variant"] else "")
        axes = [case[name] for name in ("size", "phase", "framework", "mode", "device", "precision")]
        settings = [
            "=".join(self._name("own", part) for part in setting.split("=")) for setting in original.split("+")[1:]
        ]
        return "+".join([f"{workload}:{'/'.join([*axes, 'b' + str(case['batch_size'])])}", *settings])

    def _make_unique(self, cases: Sequence[dict[str, Any]]) -> None:
        ids: set[str] = set()
        for case in cases:
            while case["id"] in ids:
                case["id"] = f"{case['id']}+own={len(ids)}"
            ids.add(case["id"])
