"""Addresses: which belong to the platform that somebody named, and what stands below them."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import urldefrag, urljoin, urlsplit

from deployment_gate.discovery.errors import DiscoveryError

_USUAL_PORTS = {"http": 80, "https": 443}
_WEB_SCHEME = re.compile(r"https?://", re.IGNORECASE)
_FILE = re.compile(r"\.[A-Za-z0-9]{1,8}$")


def read_address(text: str) -> str:
    """Read an address that somebody gave, without what a page only means by itself (`#...`).

    Raises:
        DiscoveryError: It is none that can be asked.
    """
    try:
        parts = urlsplit(text)
        is_whole = bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_whole = False
    if not is_whole or not _WEB_SCHEME.match(text) or not text.isprintable() or " " in text:
        raise DiscoveryError(
            f"{text!r} is no http or https address. Write it whole, as in https://shop.example"
        )
    if parts.username is not None or parts.password is not None:
        raise DiscoveryError(
            "the address has a name or a password in it, which the file would show. Write it "
            "without: init asks for nothing that needs one"
        )
    return urldefrag(text).url


def origin_of(address: str) -> str:
    """Answer scheme, host and port of an address.

    >>> origin_of("https://shop.example:8443/basket?id=1")
    'https://shop.example:8443'
    """
    parts = urlsplit(address)
    return f"{parts.scheme.lower()}://{parts.netloc}"


def base_of(address: str) -> str:
    """Answer what others stand below: an address without its last slash, or the file in it.

    >>> base_of("https://shop.example/v1/"), base_of("https://shop.example/app/index.html")
    ('https://shop.example/v1', 'https://shop.example/app')
    """
    path = urlsplit(address).path
    if not path.endswith("/") and _FILE.search(path):
        path = path.rpartition("/")[0]
    return origin_of(address) + path.rstrip("/")


def path_below(base: str, address: str) -> str | None:
    """Answer path and query of an address below a base, or None where it is elsewhere.

    >>> path_below("https://shop.example/v1", "https://shop.example/v1/orders?page=2")
    '/orders?page=2'
    """
    parts = urlsplit(address)
    whole = origin_of(address) + (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if whole == base:
        return "/"
    return whole.removeprefix(base) if whole.startswith((f"{base}/", f"{base}?")) else None


def joined(base: str, link: str) -> str | None:
    """Answer the whole address that a link of a page or a redirect means, or None for no such."""
    try:
        address = urldefrag(urljoin(base, link.strip())).url
        parts = urlsplit(address)
        is_usual = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return None
    is_plain = address.isprintable() and " " not in address and parts.username is None
    return address if is_usual and is_plain else None


def is_same_site(given: str, other: str) -> bool:
    """Whether a redirect from one address to another stays with the platform.

    That is the same host, with or without www, or one below it; and the same port, but for the
    usual ones of http and https. There is no list here of which domains are registered: a host
    beside the given one may be somebody else's.

    >>> is_same_site("http://shop.example", "https://www.shop.example/start")
    True
    >>> is_same_site("http://127.0.0.1:8000", "http://127.0.0.1:9000")
    False
    """
    mine, theirs = urlsplit(given), urlsplit(other)
    if not is_same_host(given, other):
        return False
    if mine.port == theirs.port and mine.scheme == theirs.scheme:
        return True
    return _is_usual(given) and _is_usual(other)


def is_same_host(given: str, other: str) -> bool:
    """Whether an address is on the given one's host, with or without www, or on one below it.

    >>> is_same_host("https://shop.example", "https://api.shop.example:8443")
    True
    >>> is_same_host("https://shop.example", "https://shop.example.evil.example")
    False
    """
    mine, theirs = _host(given), _host(other)
    if mine == theirs:
        return True
    return not _is_number(theirs) and "." in mine and theirs.endswith(f".{mine}")


def _host(address: str) -> str:
    return (urlsplit(address).hostname or "").removeprefix("www.")


def _is_number(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _is_usual(address: str) -> bool:
    parts = urlsplit(address)
    return parts.port in {None, _USUAL_PORTS[parts.scheme.lower()]}
