"""What proves that something lies in the open: its content, never its status alone."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import httpx

from deployment_gate.security.controls import Part

Proof = Callable[[httpx.Response], bool]
"""Whether an answer's content is what its path promises; the status is looked at elsewhere."""

PartProof = Callable[[Part], bool]
"""The same by the beginning of a file."""


def text(pattern: str) -> Proof:
    """A text, no page, in which something stands."""
    compiled = re.compile(pattern, re.MULTILINE)
    return lambda answer: not is_page(answer) and bool(compiled.search(answer.text))


def page(pattern: str) -> Proof:
    """A page on which something stands, in whatever case."""
    compiled = re.compile(pattern, re.IGNORECASE)
    return lambda answer: bool(compiled.search(answer.text))


def document(*keys: str) -> Proof:
    """A JSON object that has all of the keys; of alternatives, which a | parts, one."""

    def proof(answer: httpx.Response) -> bool:
        content = _json(answer)
        return isinstance(content, dict) and all(
            any(one in content for one in key.split("|")) for key in keys
        )

    return proof


def begins(*magics: bytes) -> PartProof:
    """A file that begins with one of these bytes."""
    return lambda part: part.content.startswith(magics)


_ARCHIVES = (b"PK\x03\x04", b"\x1f\x8b", b"BZh", b"\xfd7zXZ\x00", b"7z\xbc\xaf\x27\x1c")
DATABASES = (b"SQLite format 3\x00", b"PGDMP")
_SQL = re.compile(
    rb"^(?:-- (?:MySQL|MariaDB|PostgreSQL|phpMyAdmin)[^\n]*\bdump|CREATE TABLE|INSERT INTO|"
    rb"DROP TABLE IF EXISTS|PRAGMA foreign_keys|BEGIN TRANSACTION)",
    re.MULTILINE | re.IGNORECASE,
)
_FILE_TYPES = ("zip", "gzip", "x-tar", "sql", "octet-stream", "x-7z", "x-bzip")


def is_backup(part: Part) -> bool:
    """An archive or a dump: by its first bytes, or by its type where they could not be read."""
    if part.answer is None:
        kind = part.head.headers.get("Content-Type", "")
        return any(one in kind for one in _FILE_TYPES)
    content = part.content
    return content.startswith(_ARCHIVES + DATABASES) or bool(_SQL.search(content))


def is_source_of_a_page(part: Part) -> bool:
    """A script for the server, as it was written."""
    return b"<?php" in part.content or b"<%@" in part.content


_SETTING = re.compile(r"(?:export\s+)?[A-Z][A-Z0-9_]*\s*=")


def is_environment_file(answer: httpx.Response) -> bool:
    """A text whose every line sets a variable, as in APP_KEY=...; comments apart."""
    lines = [line.strip() for line in answer.text.splitlines()]
    lines = [line for line in lines if line and not line.startswith("#")]
    settings = [line for line in lines if _SETTING.match(line)]
    # A value may go on over several lines, a key's for instance.
    return not is_page(answer) and bool(settings) and _SETTING.match(lines[0]) is not None


_DESCRIBES_AN_API = re.compile(r"^(?:openapi|swagger)\s*:\s*['\"]?[23]\.", re.MULTILINE)
_DOCUMENTS_AN_API = re.compile(
    r"swagger[- ]ui|<redoc\b|redoc\.standalone|Redoc\.init|<rapi-doc\b|api-reference[^>]*scalar|"
    r"graphiql|graphql[- ]playground|embeddable-sandbox|stoplight[- ]elements|elements-api",
    re.IGNORECASE,
)


def describes_an_api(answer: httpx.Response) -> bool:
    """OpenAPI in JSON or YAML, or a page that shows it."""
    content = _json(answer)
    if isinstance(content, dict):
        return ("openapi" in content or "swagger" in content) and "paths" in content
    found = _DOCUMENTS_AN_API if is_page(answer) else _DESCRIBES_AN_API
    return bool(found.search(answer.text))


PROMETHEUS = text(r"^# (?:HELP|TYPE) [a-zA-Z_:][a-zA-Z0-9_:]* ")
NGINX_STATUS = text(r"^Active connections: \d+")
PPROF = page(r"Types of profiles available")
EXPVAR = document("cmdline", "memstats")
WERKZEUG = page(r"<title>[^<]*Werkzeug Debugger|Interactive Console</h1>")
_DJANGO = page(r"You.{1,8}re seeing this error because you have <code>DEBUG = True")

_LISTING = re.compile(
    r"<title>\s*(?:Index of /|Directory listing for /|Directory Listing For|Directory: /)|"
    r"<h1>\s*(?:Index of /|Directory listing for /)|\[To Parent Directory\]",
    re.IGNORECASE,
)


def debugs(answer: httpx.Response) -> bool:
    """Any of the pages that frameworks have for developers."""
    proofs = (PPROF, EXPVAR, WERKZEUG, _DJANGO, page(r"Whoops, looks like|Xdebug"))
    return any(proof(answer) for proof in proofs)


def is_listing(answer: httpx.Response) -> bool:
    """A page that a server makes of a folder's files."""
    return is_page(answer) and bool(_LISTING.search(answer.text))


PRIVATE_KEY = text(r"^-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----")
ACTUATOR_VALUES = document("activeProfiles", "propertySources")


def is_actuator(answer: httpx.Response) -> bool:
    """Spring's index of endpoints, with one that shows the inside.

    By the index alone: to ask for the heap dump itself, even by HEAD, makes the application dump
    its heap (spring-projects/spring-boot, pull request 6363).
    """
    content = _json(answer)
    links = content.get("_links") if isinstance(content, dict) else None
    shown = {"env", "beans", "heapdump", "threaddump", "configprops", "loggers", "httpexchanges"}
    return isinstance(links, dict) and bool(shown & links.keys())


def is_page(answer: httpx.Response) -> bool:
    """Whether it is a page by its text, whatever its content type says."""
    return bool(re.match(r"\s*(?:<!doctype html|<html|<head|<body)", answer.text, re.IGNORECASE))


def _json(answer: httpx.Response) -> object:
    """The body as JSON; None where it is none."""
    if answer.content.lstrip()[:1] not in {b"{", b"["}:
        return None
    try:
        return json.loads(answer.content)
    except (ValueError, RecursionError):
        return None
