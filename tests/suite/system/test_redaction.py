"""Secrets in commands, variables and messages are hidden by structure, and what is none stays."""

from __future__ import annotations

import base64
import html
import json
from urllib.parse import quote

import pytest

from joulemark.suite.system.redaction import (
    is_secret_name,
    pattern_of,
    redacted,
    redacted_command,
    redacted_document,
    without_secrets,
)

SECRET = "hunter2/s3cr3t"


@pytest.mark.parametrize(
    "text",
    [
        "--password={}",
        "--db-password {}",
        "--hf-token='{}'",
        "API_TOKEN={} python train.py",
        "export AWS_SECRET_ACCESS_KEY={}; train",
        "accessToken: {}",
        '{{"user": "jane", "password": "{}"}}',
        "curl -H 'Authorization: Bearer {}' https://host/",
        "Cookie: id={}; other={}",
        "https://host/path?token={}&x=1",
        "https://host/path?x=1&X-Amz-Signature={}",
    ],
)
def test_a_value_beside_a_secret_name_is_hidden(text: str) -> None:
    assert SECRET not in redacted(text.format(SECRET, SECRET))
    assert "***" in redacted(text.format(SECRET, SECRET))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("pip install https://jane:pw@host/simple", "pip install https://***@host/simple"),
        ("git+ssh://token@host/a@v1.0", "git+ssh://***@host/a@v1.0"),
        ("postgres://u:p@ss@db:5432/x", "postgres://***@db:5432/x"),
        ("use ghp_abcdefghijklmnop0123456789", "use ***"),
        ("key AKIAABCDEFGHIJKLMNOP.", "key ***."),
        ("sent Bearer abc.def-ghi", "sent Bearer ***"),
    ],
)
def test_secrets_are_known_by_their_form(text: str, shown: str) -> None:
    assert redacted(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "python train.py --lr=0.1 --new-tokens 128 --tokenizer bert --max_tokens=5 --token-dim 8 --key 3",
        "joulemark run --zone CH -k 'resnet50 and not training' --intensity 30..39..45",
        "sensor rapl: /sys/class/powercap/intel-rapl:0, https://docs.kernel.org/x@y, image/s",
        "TOKENIZERS_PARALLELISM=false PWD=/home XDG_SESSION_ID=3 GPG_KEY=A035C8C1",
        "out of memory: asked for 9 GiB (in window)",
    ],
)
def test_other_text_stays(text: str) -> None:
    assert redacted(text) == text
    assert redacted_command(text.split(" ")) == tuple(text.split(" "))


@pytest.mark.parametrize(
    "words",
    [
        ("env", "true", f"--password={SECRET}"),
        ("train", "--token", SECRET),
        ("train", "--api-key", SECRET, "--lr", "1"),
        ("curl", "-u", f"jane:{SECRET}", "host"),
        ("env", f"MY_TOKEN={SECRET}", "train"),
        ("bash", "-c", f"login --password '{SECRET}' && train"),
        ("train", f"https://jane:{SECRET.replace('/', '')}@host/data"),
    ],
)
def test_commands_keep_their_words_but_the_secret(words: tuple[str, ...]) -> None:
    shown = redacted_command(words)
    assert len(shown) == len(words)
    assert shown[0] == words[0]
    assert "hunter2" not in " ".join(shown)
    assert redacted_command(shown) == shown


@pytest.mark.parametrize(
    "form",
    [
        str,
        quote,
        lambda secret: quote(secret, safe=""),
        html.escape,
        json.dumps,
        lambda secret: secret.replace("/", "\\/"),
        lambda secret: "".join(f"\\u{ord(c):04x}" for c in secret),
        lambda secret: "".join(f"\\u{ord(c):04X}" for c in secret),
        lambda secret: "".join(f"%{ord(c):02x}" for c in secret),
        lambda secret: "".join(f"&#{ord(c)};" for c in secret),
        lambda secret: json.dumps(json.dumps(secret.replace("/", "\\/"))),
        lambda secret: base64.b64encode(secret.encode()).decode(),
    ],
)
def test_a_known_secret_is_hidden_in_each_form(form: object) -> None:
    repeated = form(SECRET)  # type: ignore[operator]
    shown = redacted(f"invalid {repeated} given", pattern_of([SECRET]))
    assert "***" in shown
    assert set(shown.replace("invalid", "").replace("given", "")) <= set(' *\\="')


def test_documents_hide_by_key_by_command_and_by_known_value() -> None:
    environment = {"JOB_TOKEN": "abcdef-1", "PASS": "x", "HOME": "/home/jane"}
    document = {
        "command": ["train", "--token", "first", "--lr", "1"],
        "environment": {"TORCH_API_KEY": "second", "NCCL_DEBUG": "INFO"},
        "trials": [{"id": "abcdef-1", "reason": "RuntimeError: abcdef-1 was refused", "block_s": [1.0, 2.0]}],
    }
    assert redacted_document(document, environment) == {
        "command": ["train", "--token", "***", "--lr", "1"],
        "environment": {"TORCH_API_KEY": "***", "NCCL_DEBUG": "INFO"},
        "trials": [{"id": "abcdef-1", "reason": "RuntimeError: *** was refused", "block_s": [1.0, 2.0]}],
    }


def test_children_inherit_no_variable_that_holds_a_secret() -> None:
    kept = {
        "PATH": "/bin",
        "PWD": "/",
        "OMP_NUM_THREADS": "2",
        "TOKENIZERS_PARALLELISM": "false",
        "SSH_AUTH_SOCK": "/x",
    }
    secret = (
        "ELECTRICITYMAPS_API_TOKEN",
        "CO2_SIGNAL_API_TOKEN",
        "HF_TOKEN",
        "AWS_SECRET_ACCESS_KEY",
        "MYSQL_PWD",
        "GH_PAT",
    )
    assert without_secrets({**kept, **dict.fromkeys(secret, "x")}) == kept
    assert all(map(is_secret_name, secret))
