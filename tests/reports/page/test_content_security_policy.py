"""The content security policy of a page, as Chromium applies it: the page works under it, and injected code does not.

The fixture `tab` fails a test whose page reports a violation.
"""

from __future__ import annotations

from chromium import Open, wait_until
from report_files import full

from joulemark.reports.html import render, write
from joulemark.suite.records import RunFile

ADD_ELEMENT = "document.head.append(Object.assign(document.createElement('%s'), {textContent: '%s'}))"
CLICK_BODY = "document.body.setAttribute('onclick', 'window.ran = 1'); document.body.click()"
FAILED_IMAGE = """document.body.insertAdjacentHTML('beforeend', '<img src=x onerror="window.ran = 1">');
document.querySelector('img[src=x]').addEventListener('error', () => { window.imageFailed = true; });"""
VIOLATIONS = """window.violations = [];
document.addEventListener('securitypolicyviolation', (event) => violations.push(event.effectiveDirective));"""


def test_every_chart_of_a_page_is_drawn_without_a_violation(tab: Open, many_cases: RunFile) -> None:
    """Of several runs; for one see `test_charts.py`."""
    opened = tab(render([many_cases, full()]))
    opened.open()
    opened.draw_all()
    assert opened.errors == []


def test_a_page_finds_plotly_beside_it(tab: Open) -> None:
    opened = tab("")
    write([full()], opened.html, "directory")
    opened.open()
    opened.draw_all()
    library = opened.requests.copy()
    opened.requests.clear()
    assert library == [opened.html.with_name("plotly.min.js").as_uri()]


def test_the_history_page_has_no_violation(tab: Open, history: str) -> None:
    opened = tab(history)
    opened.open()
    opened.draw_all()


def test_hovering_and_printing_have_no_violation(tab: Open, html: str) -> None:
    opened = tab(html)
    page = opened.open()
    opened.draw_all()
    page.locator("#plot-throughput .point").first.hover(force=True)
    page.locator("#plot-throughput .hoverlayer text").first.wait_for()
    page.locator("#theme").click()
    page.pdf()


INJECTED = [
    (ADD_ELEMENT % ("script", "window.ran = 1"), "script-src-elem"),
    (ADD_ELEMENT % ("style", "p { color: red }"), "style-src-elem"),
    ("document.body.setAttribute('style', 'color: red')", "style-src-attr"),
    (CLICK_BODY, "script-src-attr"),
    (FAILED_IMAGE, "script-src-attr"),
    ("new Image().src = 'https://example.org/x.png'", "img-src"),
    ("fetch('https://example.org/').catch(() => {})", "connect-src"),
]


def test_injected_code_does_not_run(tab: Open) -> None:
    opened = tab(render([full()], plotlyjs="directory"))
    page = opened.open()
    opened.errors.clear()  # the library is not there
    opened.requests.clear()
    for code, directive in INJECTED:
        page.evaluate(VIOLATIONS)
        page.evaluate(code)
        wait_until(page, f"violations.includes('{directive}')")
        assert page.evaluate("window.ran") is None
    wait_until(page, "window.imageFailed")
    assert page.evaluate("window.ran") is None
    opened.errors.clear()
    opened.requests.clear()


def test_a_policy_names_no_inline_code(html: str) -> None:
    policy = html.partition('http-equiv="Content-Security-Policy" content="')[2].partition('"')[0]
    assert "unsafe-inline" not in policy
    assert "unsafe-eval" not in policy
