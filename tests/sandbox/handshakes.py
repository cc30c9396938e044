"""What the tests ask of a server by a handshake of their own."""

from __future__ import annotations

import socket
import ssl
import warnings
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.sandbox.conftest import Sandbox


def certificate(sandbox: Sandbox, url: str) -> tuple[str, datetime]:
    """Shake hands as clients do; return the version of TLS, and until when the server is good."""
    context = ssl.create_default_context(cafile=sandbox.running["ca"])
    with connect(url) as plain, context.wrap_socket(plain, server_hostname="127.0.0.1") as secure:
        told = secure.getpeercert()
        version = secure.version()
    assert told
    assert version
    ends = ssl.cert_time_to_seconds(str(told["notAfter"]))
    return version, datetime.fromtimestamp(ends, UTC)


def taken_versions(url: str) -> set[str]:
    """Return the versions of TLS that a server takes, the old ones offered with all they need."""
    taken = set()
    for version in (
        ssl.TLSVersion.TLSv1,
        ssl.TLSVersion.TLSv1_1,
        ssl.TLSVersion.TLSv1_2,
        ssl.TLSVersion.TLSv1_3,
    ):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        context.set_ciphers("ALL:@SECLEVEL=0")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # the old ones, which is the point
            context.minimum_version = context.maximum_version = version
        with (
            suppress(ssl.SSLError, ConnectionResetError),
            connect(url) as plain,
            context.wrap_socket(plain) as secure,
        ):
            taken.add(str(secure.version()))
    return taken


def connect(url: str) -> socket.socket:
    """Connect to where that URL leads."""
    host, port = url.partition("//")[2].split(":")
    return socket.create_connection((host, int(port)), timeout=10)
