"""The OpenAPI document of a platform: where it is usually served, or where pages link to it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from deployment_gate.discovery.addresses import (
    is_same_host,
    is_same_site,
    joined,
    origin_of,
    path_below,
)
from deployment_gate.discovery.asking import Asker, Reply
from deployment_gate.openapi import Document, DocumentError
from deployment_gate.openapi.tree import entries, listed

PATHS = (
    "/openapi.json",
    "/api/openapi.json",
    "/swagger.json",
    "/v3/api-docs",  # springdoc
    "/swagger/v1/swagger.json",  # ASP.NET
    "/api-docs",
    "/api/v1/openapi.json",
    "/spec",
    "/api/schema/?format=json",  # drf-spectacular
    "/api/swagger.json",
    "/docs/openapi.json",
    "/__api__",  # Kinto
)
"""Where the document is usually served, the likeliest first."""

_IS_LINK = re.compile(r"openapi|swagger|redoc|api[-_/]?docs|/docs/?$|/spec$", re.IGNORECASE)
_IN_PAGE = re.compile(
    r"""(?:\burl\s*[:=]|spec-url=|data-url=|SwaggerUIBundle\(\{\s*url:)\s*["']([^"'\s]+)["']"""
)
_ADDRESS = re.compile(r"https?://[^\s\"'<>()]+")
_MOST_LINKS = 5


@dataclass(frozen=True, slots=True)
class Description:
    """A document that was found.

    Attributes:
        document: What it says.
        url: Where it is.
        base_url: What the API's paths are below.
        path: Where it is below that; None where it isn't.
        prefix: What its paths begin with below that, since it counts them from further down.
    """

    document: Document
    url: str
    base_url: str
    path: str | None
    prefix: str


def find_description(
    asker: Asker, replies: Iterable[Reply | None], landing: Reply | None
) -> tuple[Description | None, list[str]]:
    """Answer the first document that can be read, and what is wrong with others.

    Args:
        asker: Follows links to documents.
        replies: What candidates answered.
        landing: What the given address answered, which may link to it.
    """
    remarks: list[str] = []
    for reply in replies:
        if found := _read(reply, remarks):
            return found, remarks
    for link in _links(landing):
        reply = asker.get(link)
        if found := _read(reply, remarks):
            return found, remarks
        for further in _links_in_documentation(reply):
            if found := _read(asker.get(further), remarks):
                return found, remarks
    return None, remarks


def _read(reply: Reply | None, remarks: list[str]) -> Description | None:
    if reply is None or not reply.is_success:
        return None
    raw = reply.json
    if not isinstance(raw, dict) or not raw.keys() & {"openapi", "swagger"}:
        if re.match(r"\s*(openapi|swagger)\s*:", reply.text[:2000]):
            remarks.append(
                f"{reply.url} describes the API in YAML; only JSON is read there. Have it served "
                "as JSON, too, then name it under `api.openapi.path`"
            )
        return None
    try:
        document = Document.parse(raw, origin=reply.url)
        return _placed(document, reply)
    except (DocumentError, ValueError) as error:
        remarks.append(f"a description of the API is there, and can't be used: {error}")
        return None


def _placed(document: Document, reply: Reply) -> Description:
    """Where its paths are."""
    origin = _origin_of_server(document, reply.url)
    base = document.base_path
    whole = origin + base
    path = path_below(whole, reply.url)
    if base and path is None and origin == origin_of(reply.url):
        # It is served above what it describes: both must be below one address.
        return Description(document, reply.url, origin, path_below(origin, reply.url), base)
    return Description(document, reply.url, whole, path, "")


def _origin_of_server(document: Document, url: str) -> str:
    """The origin of its first server, where that is the platform's, too; or else its own.

    A server's own idea of scheme and port may be that of a process behind a proxy.
    """
    servers = listed(document.root.get("servers"))
    written = str(entries(servers[0]).get("url", "")) if servers else ""
    address = joined(url, written) if "{" not in written else None
    if address and urlsplit(address).hostname != urlsplit(url).hostname:
        return origin_of(address) if is_same_host(url, address) else origin_of(url)
    return origin_of(url)


def _links(landing: Reply | None) -> list[str]:
    """Where a page, or a greeting in JSON, says that its API is described."""
    if landing is None:
        return []
    if landing.is_page:
        written = re.findall(r"""href=["']([^"'\s]+)["']""", landing.text)
        found = [joined(landing.url, link) for link in written if _IS_LINK.search(link)]
    else:
        told = _ADDRESS.findall(landing.text[:20_000])
        found = [joined(landing.url, link.rstrip(".,;")) for link in told]
    described = re.findall(r'<([^>]+)>\s*;[^,]*rel="?service-desc', landing.headers.get("Link", ""))
    found = [*(joined(landing.url, link) for link in described), *found]
    ours = [one for one in found if one and is_same_site(landing.url, one)]
    return list(dict.fromkeys(ours))[:_MOST_LINKS]


def _links_in_documentation(reply: Reply | None) -> Iterator[str]:
    """Where Swagger UI or ReDoc takes the document from."""
    if reply is None or not reply.is_page:
        return
    for link in _IN_PAGE.findall(reply.text)[:_MOST_LINKS]:
        address = joined(reply.url, link)
        if address and is_same_site(reply.url, address):
            yield address
