"""Whether anything listens at an address at all."""

from __future__ import annotations

import socket
from urllib.parse import urlsplit

_PORTS = {"http": 80, "https": 443}
_PATIENCE_S = 1.0


def accepts_connections(url: str) -> bool:
    """Whether something takes a connection at the host and port of `url`, within a second."""
    parts = urlsplit(url)
    port = parts.port or _PORTS.get(parts.scheme, 0)
    try:
        with socket.create_connection((parts.hostname or "", port), timeout=_PATIENCE_S):
            return True
    except OSError:
        return False
