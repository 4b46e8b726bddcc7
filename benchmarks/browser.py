"""An installed Chromium, driven by playwright, for benchmarks and studies that render pages."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Browser

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


class BrowserNotFoundError(Exception):
    """Playwright or Chromium is not installed."""


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """Yield headless Chromium. Raises BrowserNotFoundError if it or playwright is not installed."""
    path = next((path for name in NAMES if (path := shutil.which(name))), None)
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        raise BrowserNotFoundError("playwright is not installed") from None
    if path is None:
        raise BrowserNotFoundError("Chromium is not installed")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        try:
            yield browser
        finally:
            browser.close()
