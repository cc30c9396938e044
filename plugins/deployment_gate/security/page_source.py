"""What pages load unguarded, and what their source tells of the network behind them.

Subresource integrity and scripts over plain http weigh what they cost at the Mozilla HTTP
Observatory: 5 points are low, 20 medium, 50 high.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from ipaddress import IPv4Address, ip_address
from urllib.parse import SplitResult, urlsplit

from deployment_gate.evidence import FindingSeverity
from deployment_gate.security.answers import Answer, Answers, breach_at, is_trustworthy
from deployment_gate.security.page import Loaded
from deployment_gate.security.rules import Breach, Looked, Rule

INTEGRITY = Rule(
    id="script-without-integrity",
    severity=FindingSeverity.LOW,
    title="A page runs a script of another host, whatever that host makes of it",
    source="Mozilla HTTP Observatory; OWASP ASVS 5.0, 3.6.1",
    remedy='Add `integrity="sha384-..." crossorigin="anonymous"`, or serve the script yourself.',
)
PLAIN_SCRIPT = Rule(
    id="script-over-plain-http",
    severity=FindingSeverity.HIGH,
    title="A page runs a script that anybody on the way can change",
    source="Mozilla HTTP Observatory; Mixed Content (W3C)",
    remedy="Load it over https, with an `integrity` attribute where it is another host's.",
)
MIXED = Rule(
    id="mixed-content",
    severity=FindingSeverity.MEDIUM,
    title="A page over TLS loads something without it",
    source="Mixed Content (W3C); OWASP ASVS 5.0, 12.2.1",
    remedy="Load it over https, or send `Content-Security-Policy: upgrade-insecure-requests`.",
)
PRIVATE = Rule(
    id="private-address-told",
    severity=FindingSeverity.LOW,
    title="Answers tell addresses of the network behind the platform",
    source="OWASP Web Security Testing Guide 4.2, INFO-05; CWE-497",
    remedy="Write public addresses, or paths, into pages, headers and what makes them.",
)

RULES: tuple[Rule, ...] = (INTEGRITY, PLAIN_SCRIPT, MIXED, PRIVATE)

_PRIVATE_NAMES = ("internal", "intranet", "lan", "local", "localdomain", "corp", "home.arpa")
"""The ends of names that only a network's own servers resolve."""

_ADDRESS = re.compile(r"(?<![\w.,+-])((?:[0-9]{1,3}\.){3}[0-9]{1,3})(?![\w-]|\.[0-9])", re.ASCII)
_BEFORE_A_VERSION = re.compile(r"(?:version|release|build|v)[\s:=\"']*$", re.IGNORECASE)
_HOST_IN_URL = re.compile(r"\b(?:https?|wss?|ftp)://(?:[^\s/@\"'<>]*@)?([A-Za-z0-9._-]+)(:[0-9]+)?")
_NETWORK = re.compile(r"(10\.|169\.254\.|172\.(1[6-9]|2[0-9]|3[01])\.|192\.168\.)")

_SHOWN = 5
"""How many addresses are told."""


def look_at_pages(answers: Answers, own_hosts: Iterable[str]) -> Looked:
    """What pages load unguarded, and which private addresses answers tell.

    Args:
        answers: Answers of every kind.
        own_hosts: The hosts that the environment names, whose scripts and addresses are its own.
    """
    own = frozenset(own_hosts)
    breaches = [*_scripts(answers.pages, own), *_mixed(answers.pages), *_private(answers, own)]
    return Looked(tuple(breaches), answers.unseen_pages)


def is_external(one: Loaded, page_url: str, own: frozenset[str]) -> bool:
    """Whether something comes from a host that isn't the platform's.

    Hosts that share the last two parts of their names with the page's are taken for its own: a
    list of where names are sold would tell exactly, and this errs to the quiet side.
    """
    host, here = _host(one.url), _host(page_url)
    if not host or host == here or host in own:
        return False
    return _is_address(host) or _is_address(here) or host.split(".")[-2:] != here.split(".")[-2:]


def unguarded_scripts(page: Answer, own: frozenset[str]) -> list[str]:
    """The scripts of other hosts over TLS that a page loads without a hash."""
    url = str(page.response.url)
    return [
        one.url
        for one in page.page.loaded
        if one.element == "script" and not one.integrity
        if _scheme(one.url) == "https" and is_external(one, url, own)
    ]


def plain_scripts(page: Answer, own: frozenset[str]) -> list[str]:
    """The scripts that a page loads over plain http: all of a page over TLS, others' of any."""
    url = str(page.response.url)
    return [
        one.url
        for one in page.page.loaded
        if one.element == "script" and _is_plain(one.url) and not _upgrades(page)
        if page.is_https or is_external(one, url, own)
    ]


def mixed_content(page: Answer) -> list[Loaded]:
    """What beside scripts a page over TLS loads over plain http, and nothing upgrades."""
    if not page.is_https or _upgrades(page):
        return []
    return [one for one in page.page.loaded if one.element != "script" and _is_plain(one.url)]


def private_addresses(texts: Iterable[str], own: frozenset[str]) -> set[str]:
    """Addresses and names in texts that only a network's own servers reach.

    Numbers that are called a version, stand among others, or are a part of a longer word are none.

    Args:
        texts: Texts.
        own: Hosts that are no secret here, since whoever asks reaches them.
    """
    found: set[str] = set()
    for text in texts:
        for match in _ADDRESS.finditer(text):
            if _BEFORE_A_VERSION.search(text[max(0, match.start() - 20) : match.start()]):
                continue
            if _is_private_address(match[1]):
                found.add(match[1])
        hosts = _HOST_IN_URL.findall(text)
        found.update(host.lower() for host, port in hosts if _is_private_name(host, port))
    return {one for one in found if one not in own}


def _scripts(pages: Iterable[Answer], own: frozenset[str]) -> Iterator[Breach]:
    for rule, find in ((INTEGRITY, unguarded_scripts), (PLAIN_SCRIPT, plain_scripts)):
        told = {page: find(page, own) for page in pages}
        bad = [page for page, found in told.items() if found]
        if bad:
            urls = dict.fromkeys(_short(url) for page in bad for url in told[page])
            yield breach_at(rule, _some(urls), bad)


def _mixed(pages: Iterable[Answer]) -> Iterator[Breach]:
    """Mixed content; what only is shown is upgraded by browsers, and so matters less."""
    told = {page: mixed_content(page) for page in pages}
    bad = [page for page, found in told.items() if found]
    if bad:
        loaded = [one for page in bad for one in told[page]]
        lesser = None if any(one.is_active for one in loaded) else FindingSeverity.LOW
        urls = dict.fromkeys(f"{one.element} {_short(one.url)}" for one in loaded)
        yield breach_at(MIXED, _some(urls), bad, severity=lesser)


def _private(answers: Answers, own: frozenset[str]) -> Iterator[Breach]:
    told = {one: private_addresses(_texts_of(one), own) for one in answers.seen}
    bad = [one for one, found in told.items() if found]
    if bad:
        yield breach_at(PRIVATE, _some(sorted({a for one in bad for a in told[one]})), bad)


def _texts_of(answer: Answer) -> list[str]:
    """Its headers, and its texts where it is a page; data may well be about addresses."""
    headers = [value for _, value in answer.response.headers.multi_items()]
    return [*headers, *answer.page.texts]


def _is_private_address(text: str) -> bool:
    """Whether it is one of RFC 1918, or of one machine or cable; not 10.0.0.0/8 and its like."""
    try:
        IPv4Address(text)
    except ValueError:
        return False
    return _NETWORK.match(text) is not None and not text.endswith(".0")


def _is_private_name(host: str, port: str) -> bool:
    """Whether a host of an address has a name that only its own network knows.

    One of a single word is only where a port follows: others stand for a name in instructions.
    """
    name = host.lower().rstrip(".")
    if "." not in name:
        return bool(port) and name != "localhost" and not name.isdigit()
    return any(name.endswith(f".{end}") for end in _PRIVATE_NAMES)


def _is_plain(url: str) -> bool:
    return _scheme(url) == "http" and not is_trustworthy(url)


def _upgrades(page: Answer) -> bool:
    return any("upgrade-insecure-requests" in one.directives for one in page.policies)


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _split(url: str) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError:
        return SplitResult("", "", "", "", "")


def _host(url: str) -> str:
    return _split(url).hostname or ""


def _scheme(url: str) -> str:
    return _split(url).scheme


def _short(url: str) -> str:
    """An address without its query, in which anything may stand."""
    return url.partition("?")[0].partition("#")[0]


def _some(told: Iterable[str]) -> str:
    """The first of what is told, and how many more there are."""
    every = list(told)
    more = f" and {len(every) - _SHOWN} more" if len(every) > _SHOWN else ""
    return ", ".join(every[:_SHOWN]) + more
