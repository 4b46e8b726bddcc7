"""Where the documentation's site (`mkdocs.yml`) is on the web, as the installed package says."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, metadata


def documentation_address() -> str:
    """Return the `Documentation` address of the installed package, without a slash at its end; empty if it has none."""
    try:
        entries = metadata("joulemark").get_all("Project-URL") or []
    except PackageNotFoundError:
        return ""
    addresses = {name.strip(): address.strip() for name, _, address in (str(entry).partition(",") for entry in entries)}
    address = addresses.get("Documentation", "")
    return address.rstrip("/") if address.startswith("https://") else ""
