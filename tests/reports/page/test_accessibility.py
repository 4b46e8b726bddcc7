"""The page without JavaScript, on narrow screens, and for assistive technology."""

from __future__ import annotations

import pytest
from chromium import Open
from report_files import full


def test_all_numbers_are_there_without_javascript(tab: Open, html: str) -> None:
    page = tab(html, java_script_enabled=False).open()
    cases = full().cases
    assert page.locator("#results tbody tr").count() == len(cases)
    assert page.locator("#results td:nth-child(n + 3)").count() == 11 * len(cases)
    assert page.locator(".no-chart").first.is_visible()
    assert not page.locator("#whatif").is_visible()
    for details in page.locator("figcaption details").all():
        assert details.locator("summary").is_visible()
    assert page.locator("main button:visible, main [data-save]").count() == 0  # none that would do nothing


@pytest.mark.parametrize("width", [320, 390, 768])
def test_narrow_page_does_not_scroll_sideways(tab: Open, html: str, width: int) -> None:
    opened = tab(html, viewport={"width": width, "height": 800})
    page = opened.open()
    opened.draw_all()
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_serious_violation(tab: Open, html: str, scheme: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")
    opened = tab(html, color_scheme=scheme)
    page = opened.open("items=1000")
    opened.draw_all()
    page.evaluate("document.querySelectorAll('details').forEach((details) => { details.open = true; })")
    violations = axe.Axe().run(page).response["violations"]
    serious = [entry for entry in violations if entry["impact"] in {"serious", "critical"}]
    assert [(entry["id"], entry["nodes"][0]["html"][:200]) for entry in serious] == []
