"""Fixtures of the report's tests."""

from chromium import browser, tab

__all__ = ["browser", "tab"]
