"""Hide secrets in commands, variables and messages before anything is written: passwords, tokens, keys, credentials.

They are found by structure, by the name beside a value (`--password=x`, `API_TOKEN=x`, `Authorization: x`), by the form
of an address (`https://user:x@host`) or of a token (`ghp_...`), and by their values where a variable holds one.
"""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, Final

HIDDEN: Final = "***"

_SECRET_WORDS: Final = frozenset(
    {"password", "passwd", "passphrase", "passcode", "secret", "secrets", "credential", "credentials"}
    | {"apikey", "apitoken", "authtoken", "accesstoken", "bearer", "jwt", "cookie", "authorization", "signature"}
)
"""A name with one of these words holds a secret."""
_SECRET_ENDS: Final = frozenset({"token", "pass", "pw", "pat", "auth", "sig"})
"""So does a name that ends in one of these: `--hf-token`, not `--new-tokens` or `--token-dim`."""
_KEY_OWNERS: Final = frozenset(
    {
        "api",
        "access",
        "secret",
        "private",
        "account",
        "encryption",
        "signing",
        "license",
        "service",
        "storage",
        "master",
    }
)
"""And one that ends in such a word and `key`: `AWS_ACCESS_KEY`."""

_NAME_PARTS: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Za-z][a-z]*|\d+")

_ASSIGNMENT: Final = re.compile(
    r"(?P<option>--[A-Za-z][\w.-]*)(?:\s*=\s*|\s+(?!-))|(?P<name>[A-Za-z_][\w.-]*)[\"']?\s*[=:]\s*(?!//)"
)
_VALUE: Final = re.compile(r"\"[^\"]*\"|'[^']*'|[^\s\"'&;,)\]}]+")
_REST_OF_LINE: Final = re.compile(r"[^\"'\n]+")
_HEADERS: Final = ("authorization", "cookie")
"""Names of HTTP headers whose values have several words."""

_USER_INFO: Final = re.compile(r"(?<=://)[^\s/?#'\"@]+(?:@[^\s/?#'\"@]+)*(?=@)")
_TOKENS: Final = re.compile(
    r"(?<![A-Za-z0-9])(?:(?:gh[opsur]|github_pat|glpat|hf|sk|pk|rk|xox[abeprs]|npm|pypi|dop_v1)[_-][A-Za-z0-9_-]{16,}"
    r"|A(?:KIA|SIA)[A-Z0-9]{16}|AIza[\w-]{30,}|eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*)"
    r"|(?<=Bearer )[\w.~+/=-]{6,}|(?<=Basic )[\w+/=-]{6,}"
)
"""Tokens of GitHub, GitLab, Hugging Face, OpenAI, Stripe, Slack, npm, PyPI, DigitalOcean, AWS and Google, and JWTs."""

_USER_OPTIONS: Final = ("-u", "-U", "--user", "--proxy-user")
"""Options of curl and its like, whose argument is `user:password`."""

MIN_KNOWN_LENGTH: Final = 6
"""A shorter value of a variable would be found in many words."""

FIXED_FIELDS: Final = frozenset(
    {
        "id",
        "case",
        "workload",
        "variant",
        "workload_version",
        "spec_version",
        "size",
        "phase",
        "framework",
        "mode",
        "device",
        "precision",
    }
    | {"allocator", "item", "unit", "component", "scope", "fingerprint", "started_at", "finished_at", "code"}
)
"""Fields of a document that name things: changing them would break what refers to them."""


def is_secret_name(name: str) -> bool:
    """Return whether an option, a variable or a key of this name holds a secret."""
    words = [word.lower() for word in _NAME_PARTS.findall(name)]
    if not words:
        return False
    if not _SECRET_WORDS.isdisjoint(words) or words[-1] in _SECRET_ENDS:
        return True
    owners = {previous for previous, word in pairwise(words) if word == "key"}
    return bool(owners & _KEY_OWNERS) or (words[-1] == "pwd" and len(words) > 1)


def without_secrets(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that hold no secret, by name or form: what a child process inherits."""
    return {name: value for name, value in environment.items() if not is_secret_name(name) and redacted(value) == value}


def redacted(text: str, secrets: re.Pattern[str] | None = None) -> str:
    """Return `text` with its secrets hidden, and what `secrets`, made by `pattern_of`, matches."""
    if secrets is not None:
        text = secrets.sub(HIDDEN, text)
    text = _TOKENS.sub(HIDDEN, _USER_INFO.sub(HIDDEN, text))
    parts, end = [], 0
    for start, stop in _assigned_secrets(text):
        parts += [text[end:start], HIDDEN]
        end = stop
    return "".join([*parts, text[end:]])


def _assigned_secrets(text: str) -> Iterator[tuple[int, int]]:
    """Yield where the values of secret names are, without their quotes."""
    position = 0
    while match := _ASSIGNMENT.search(text, position):
        position = match.end()
        name = match["option"] or match["name"]
        if is_secret_name(name):
            form = _REST_OF_LINE if name.lower().endswith(_HEADERS) else _VALUE
            if value := form.match(text, position):
                quoted = value[0][0] in "\"'" and len(value[0]) > 1
                yield value.start() + quoted, value.end() - quoted
                position = value.end()


def redacted_command(words: Sequence[str], secrets: re.Pattern[str] | None = None) -> tuple[str, ...]:
    """Return the words of a command line with their secrets hidden."""
    shown: list[str] = []
    for previous, word in zip(("", *words), words, strict=False):
        if previous.startswith("-") and "=" not in previous and is_secret_name(previous) and not word.startswith("--"):
            shown.append(HIDDEN)
        elif previous in _USER_OPTIONS and ":" in word:
            shown.append(f"{word.partition(':')[0]}:{HIDDEN}")
        else:
            shown.append(redacted(word, secrets))
    return tuple(shown)


def redacted_document(document: Any, environment: Mapping[str, str] = os.environ) -> Any:
    """Return a JSON document with the secrets in its texts hidden, among them the values that `environment` holds."""
    known = [value for name, value in environment.items() if is_secret_name(name) and len(value) >= MIN_KNOWN_LENGTH]
    return _redacted_value("", document, pattern_of(known))


def _redacted_value(key: str, value: Any, secrets: re.Pattern[str] | None) -> Any:
    if isinstance(value, str):
        return HIDDEN if value and is_secret_name(key) else value if key in FIXED_FIELDS else redacted(value, secrets)
    if isinstance(value, Mapping):
        return {name: _redacted_value(name, item, secrets) for name, item in value.items()}
    if isinstance(value, list | tuple) and not (value and isinstance(value[0], int | float)):  # else a trace
        if key == "command" and all(isinstance(word, str) for word in value):
            return list(redacted_command(value, secrets))
        return [_redacted_value(key, item, secrets) for item in value]
    return value


def pattern_of(secrets: Iterable[str]) -> re.Pattern[str] | None:
    r"""Return what matches each of `secrets` in the forms that it is repeated in; None where there are none.

    Each of its characters may be as it is, or escaped as in JSON (`\/`, `\u002f`), an address (`%2F`) or HTML
    (`&#47;`); or the whole may be in base 64.
    """
    forms = []
    for secret in filter(None, secrets):
        forms.append("".join(map(_escaped_forms, secret)))
        encoded = secret.encode(errors="surrogateescape")
        forms += [
            re.escape(code(encoded).decode().rstrip("=")) for code in (base64.b64encode, base64.urlsafe_b64encode)
        ]
    return re.compile("|".join(dict.fromkeys(forms))) if forms else None


def _escaped_forms(character: str) -> str:
    code = ord(character)
    hexadecimal = "".join(f"[{digit.upper()}{digit}]" for digit in f"{code:02x}")
    html = rf"&#(?:0*{code}|[xX]0*{hexadecimal});"
    return rf"(?:\\*{re.escape(character)}|\\+(?:u00|x){hexadecimal}|%(?:25)*{hexadecimal}|{html})"
