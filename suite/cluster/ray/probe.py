"""What a node says of itself before anything is started there.

Ray carries this function as it is (`register_pickle_by_value`), since joulemark may be missing on the node, or be of
another version: it imports joulemark only where that can fail.
"""

from __future__ import annotations

from typing import Any


def describe() -> dict[str, Any]:
    """Return the node's host name, Python, and identity; `reason` where it cannot measure."""
    import platform
    import socket
    import sys

    found: dict[str, Any] = {
        "host": socket.gethostname(),
        "python": platform.python_version(),
        "interpreter": sys.executable,
    }
    try:
        import joulemark
        from joulemark.suite.cluster.identity import identify
        from joulemark.suite.cluster.ray.worker import restore_niceness
        from joulemark.suite.errors import UsageError
        from joulemark.suite.sensors.gpus.inventory import discover
        from joulemark.suite.trial.request import protocol

        try:
            restore_niceness()
        except UsageError as error:
            return {**found, "reason": str(error)}
        identity = identify([gpu.uuid for gpu in discover().gpus])
        return {
            **found,
            "version": joulemark.__version__,
            "protocol": protocol(),
            "identity": identity.model_dump(mode="json"),
        }
    except ImportError as error:
        return {**found, "reason": f"{sys.executable} there cannot import joulemark as it is here ({error})"}
    except Exception as error:  # noqa: BLE001  a node that cannot say what it is cannot be used
        return {**found, "reason": f"it cannot be described: {type(error).__name__}: {error}"}
