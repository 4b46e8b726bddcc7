"""What the displays share: a frame that suits light and dark themes, escaped text, bars and dots.

The colour of text is the notebook's own (`currentColor`), so that both themes and printed pages work. There is no
script, and nothing is loaded.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence

from joulemark.suite.system.text import one_line

COLOURS = ("#4c8dd6", "#d9822b", "#3fa36b", "#b06fc9", "#c8504e", "#8a8f98")
"""Of components; each has a contrast of 3 to 1 and more with white and with a dark page."""

_STYLE = """
.joulemark{font-family:var(--jp-ui-font-family,system-ui,sans-serif);font-size:13px;line-height:1.45}
.joulemark p{margin:.2em 0}
.joulemark .total{font-size:1.25em;font-weight:600}
.joulemark .minor{opacity:.75}
.joulemark table{border-collapse:collapse;margin:.5em 0;border:0}
.joulemark th,.joulemark td{padding:.15em .8em;text-align:right!important;white-space:nowrap;border:0;background:none;
 vertical-align:baseline;color:inherit}
.joulemark tr{background:none!important}
.joulemark thead th{border-bottom:1px solid;font-weight:600}
.joulemark th:first-child,.joulemark td:first-child,.joulemark .text{text-align:left!important}
.joulemark .wide{white-space:normal;min-width:14em}
.joulemark .scroll{overflow-x:auto}
.joulemark svg{display:block;max-width:100%;color:inherit}
.joulemark svg text{fill:currentColor;font-size:11px}
.joulemark details{margin:.3em 0}
.joulemark summary{cursor:pointer}
"""


def text(value: object) -> str:
    """Return `value` as text of a page, on one line and without control characters."""
    return html.escape(one_line(str(value)))


def frame(*parts: str) -> str:
    """Return the parts of a display with their style."""
    return f'<div class="joulemark"><style>{_STYLE}</style>{"".join(parts)}</div>'


def table(head: Sequence[str], rows: Iterable[Sequence[str]], text_columns: Sequence[int] = ()) -> str:
    """Return a table. Cells are markup; columns `text_columns` are aligned to the left."""

    def cell(tag: str, number: int, content: str) -> str:
        kind = ' class="text"' if number in text_columns else ""
        return f"<{tag}{kind}>{content}</{tag}>"

    header = "".join(cell("th", number, name) for number, name in enumerate(head))
    body = "".join(
        f"<tr>{''.join(cell('td', number, content) for number, content in enumerate(row))}</tr>" for row in rows
    )
    return f'<div class="scroll"><table><thead><tr>{header}</tr></thead><tbody>{body}</tbody></table></div>'


def notices(texts: Sequence[str]) -> str:
    """Return what may mislead, to be unfolded."""
    if not texts:
        return ""
    count = "1 notice" if len(texts) == 1 else f"{len(texts)} notices"
    return f"<details><summary>{count}</summary>{''.join(f'<p>{text(each)}</p>' for each in texts)}</details>"


def svg(width: int, height: int, label: str, parts: Iterable[str]) -> str:
    """Return a drawing; `label` says in words what it shows."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
        f'role="img" aria-label="{text(label)}">{"".join(parts)}</svg>'
    )
