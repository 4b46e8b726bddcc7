"""Options of the magics, against the words of a shell."""

from __future__ import annotations

import pytest

import joulemark
from joulemark.notebook.options import parse


@pytest.mark.parametrize(
    ("line", "options", "statement"),
    [
        ("", {}, ""),
        ("f(x)", {}, "f(x)"),
        ("--zone CH --name 'my cell'", {"zone": "CH", "name": "my cell"}, ""),
        ('--name="my cell" -q f("a  \'b\'")', {"name": "my cell", "quiet": True}, "f(\"a  'b'\")"),
        ("--sensor rapl --sensor nvml  --sync x -= 1  # c", {"sensor": ["rapl", "nvml"], "sync": True}, "x -= 1  # c"),
        ("--items 32 -o m f()", {"items": 32, "output": "m"}, "f()"),
        ("-- -x", {}, "-x"),
        ("--quiet\tx = 'it''s'", {"quiet": True}, "x = 'it''s'"),
    ],
)
def test_options_and_the_statement(line, options, statement):
    assert parse(line) == (options, statement)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("--zoen CH", "unknown option '--zoen'. Did you mean '--zone'"),
        ("-x", "unknown option '-x'"),
        ("-zone CH", "unknown option '-zone'"),
        ("--zone", "--zone takes a value"),
        ("--zone CH --zone DE", "--zone is given twice"),
        ("--sync=yes", "--sync takes no value"),
        ("--items 0", "--items is a number"),
        ("--items many", "--items is a number"),
        ("-o a.b", "--output is the name of a variable"),
        ("--name 'open", "a quote is not closed"),
    ],
)
def test_what_is_wrong_is_one_line(line, message):
    with pytest.raises(joulemark.JoulemarkError, match=message) as caught:
        parse(line)
    assert "\n" not in str(caught.value)
