"""Fixtures of the report's tests."""

from chromium import browser, folder, tab, window

__all__ = ["browser", "folder", "tab", "window"]
