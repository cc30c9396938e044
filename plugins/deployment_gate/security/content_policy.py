"""What the content security policies of pages leave open.

The rules are those of Google's CSP Evaluator. What it calls high is medium here, and what it calls
medium is low: a policy is a second line, and nobody gets in by its gaps alone. That also keeps a
gap from weighing more than having no policy, for which the Mozilla HTTP Observatory takes off most.

Several policies are all enforced, so something is open only where each of them leaves it open.
Report-Only counts for nothing. A meta element counts, save for what only headers may say.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from urllib.parse import urlsplit

from deployment_gate.evidence import FindingSeverity
from deployment_gate.security.answers import Answer, Answers, breach_at, is_trustworthy
from deployment_gate.security.csp import KEYWORDS, KNOWN, Policy
from deployment_gate.security.rules import Breach, Looked, Rule

SHORTEST_NONCE = 8
"""Characters of a nonce, at least."""

_EVALUATOR = "Google CSP Evaluator; CSP Level 3 (W3C)"

MISSING = Rule(
    id="csp-missing",
    severity=FindingSeverity.MEDIUM,
    title="A page has no content security policy",
    source="Mozilla HTTP Observatory; OWASP ASVS 5.0, 3.4.3",
    remedy=(
        "Send `Content-Security-Policy: default-src 'none'; script-src 'self'; ...` with every "
        "page, error pages among them; begin with Report-Only to see what a page needs."
    ),
)
INCOMPLETE = Rule(
    id="csp-incomplete",
    severity=FindingSeverity.MEDIUM,
    title="A page's content security policy leaves out what runs scripts",
    source=_EVALUATOR,
    remedy=(
        "Add `default-src 'none'`, or `script-src` and `object-src`; with nonces, add "
        "`base-uri 'none'`, too."
    ),
)
INLINE = Rule(
    id="csp-inline-scripts",
    severity=FindingSeverity.MEDIUM,
    title="A page's content security policy lets scripts in the page run",
    source=_EVALUATOR,
    remedy="Move scripts to files of their own, or give them nonces; then drop 'unsafe-inline'.",
)
OPEN = Rule(
    id="csp-open-sources",
    severity=FindingSeverity.MEDIUM,
    title="A page's content security policy lets scripts of almost anybody run",
    source=_EVALUATOR,
    remedy="Name the hosts that scripts come from, or use nonces with 'strict-dynamic'.",
)
BYPASS = Rule(
    id="csp-bypass-host",
    severity=FindingSeverity.MEDIUM,
    title="A page's content security policy trusts a host that serves anybody's scripts",
    source=_EVALUATOR,
    remedy="Serve what is needed from there yourself, or use nonces with 'strict-dynamic'.",
)
NONCE = Rule(
    id="csp-nonce-guessable",
    severity=FindingSeverity.MEDIUM,
    title="The nonce of a content security policy can be guessed",
    source=f"{_EVALUATOR}, 7.1",
    remedy="Make a nonce of at least 16 random bytes anew for each answer.",
)
PLAIN = Rule(
    id="csp-plain-http",
    severity=FindingSeverity.MEDIUM,
    title="A page over TLS may load or ask something without it",
    source="Mozilla HTTP Observatory",
    remedy="Write https: addresses into the policy, or add `upgrade-insecure-requests`.",
)
EVAL = Rule(
    id="csp-eval",
    severity=FindingSeverity.LOW,
    title="A page's content security policy lets scripts run texts as code",
    source=_EVALUATOR,
    remedy="Do without eval() and its like, then drop 'unsafe-eval'.",
)
MISSPELT = Rule(
    id="csp-misspelt",
    severity=FindingSeverity.LOW,
    title="A content security policy says something that browsers pass over",
    source=_EVALUATOR,
    remedy="Correct it: keywords stand in single quotes, and a semicolon ends each directive.",
)

RULES: tuple[Rule, ...] = (
    MISSING,
    INCOMPLETE,
    INLINE,
    OPEN,
    BYPASS,
    NONCE,
    PLAIN,
    EVAL,
    MISSPELT,
)

BYPASSED = frozenset(
    {
        "accounts.google.com",
        "ajax.googleapis.com",
        "api.facebook.com",
        "api.flickr.com",
        "api.instagram.com",
        "api.twitter.com",
        "api.vk.com",
        "cdn.jsdelivr.net",
        "cdnjs.cloudflare.com",
        "cse.google.com",
        "d3js.org",
        "googleads.g.doubleclick.net",  # codespell:ignore
        "graph.facebook.com",
        "maps.google.com",
        "maps.googleapis.com",
        "mc.yandex.ru",
        "securepubads.g.doubleclick.net",  # codespell:ignore
        "syndication.twitter.com",
        "translate.googleapis.com",
        "unpkg.com",
        "vimeo.com",
        "www.blogger.com",
        "www.facebook.com",
        "www.google.com",
        "www.youtube.com",
        "yandex.ru",
        "yastatic.net",
    }
)
"""Well-known hosts with JSONP, or with any package that there is, so that they undo a policy."""

_PLAIN_SCHEMES = frozenset({"data:", "http:", "https:"})
_WILDCARD = re.compile(r"(?:[a-z][a-z0-9+.-]*://)?\*(?:\.\*)?(?::(?:\*|[0-9]+))?/?")
_SCRIPTS = ("script-src-elem", "script-src-attr")
_PASSIVE = frozenset({"img-src", "media-src"})
_NOT_SOURCES = frozenset(
    {
        "plugin-types",
        "report-to",
        "report-uri",
        "require-sri-for",
        "require-trusted-types-for",
        "sandbox",
        "trusted-types",
    }
)

Opening = Callable[[Policy], str | None]
"""What a policy leaves open: None where nothing, "" where nothing in it is about that."""


def look_at_policies(answers: Answers) -> Looked:
    """What the policies of pages leave open.

    Args:
        answers: Answers of every kind, of which the pages are looked at.
    """
    pages = answers.pages
    bare = [one for one in pages if not one.policies]
    breaches: list[Breach] = []
    if bare:
        reported = any(
            "Content-Security-Policy-Report-Only" in one.response.headers for one in bare
        )
        said = "only one that reports" if reported else "none"
        breaches.append(breach_at(MISSING, f"{said}: {_count(bare)}", bare))
    for rule, tell in _RULES_OF_PAGES:
        told = {one: tell(one) for one in pages if one.policies}
        bad = [one for one, why in told.items() if why]
        if bad:
            whys = dict.fromkeys(told[one] for one in bad)
            breaches.append(breach_at(rule, f"{'; '.join(whys)}: {_count(bad)}", bad))
    breaches += _plain(pages)
    breaches += _nonces(pages)
    return Looked(tuple(breaches), answers.unseen_pages)


def missing_directives(policies: Sequence[Policy]) -> list[str]:
    """What runs scripts and no policy of a page is about.

    base-uri matters where a nonce or a passed-on hash is trusted: a page's own relative addresses
    could then be bent to somebody else's host.
    """
    absent = [
        name
        for name in ("script-src", "object-src")
        if all(one.governing(name) is None for one in policies)
    ]
    needs_base = any(one.nonces() or (one.trusts_by_mark() and one.is_strict()) for one in policies)
    if needs_base and all(one.governing("base-uri") is None for one in policies):
        absent.append("base-uri")
    return absent


def inline_scripts(policy: Policy) -> str | None:
    """By what it lets scripts in the page run."""
    if policy.governing("script-src") is None:
        return ""
    bad = dict.fromkeys(policy.governing(one) for one in _SCRIPTS if policy.allows_inline(one))
    return f"'unsafe-inline' in {', '.join(filter(None, bad))}" if any(bad) else None


def open_scripts(policy: Policy) -> str | None:
    """By what it lets scripts of almost anybody run; beside 'strict-dynamic' hosts don't count."""
    if policy.is_strict():
        return None
    return _broad(policy, "script-src-elem")


def open_objects(policy: Policy) -> str | None:
    """By what it lets plugins of almost anybody run."""
    return _broad(policy, "object-src")


def open_base(policy: Policy) -> str | None:
    """By what it lets almost anybody's address be the base of a page's relative ones."""
    return _broad(policy, "base-uri")


def eval_allowed(policy: Policy) -> str | None:
    """By what it lets scripts run texts as code."""
    sources = policy.sources("script-src")
    if sources is None:
        return ""
    return f"'unsafe-eval' in {policy.governing('script-src')}" if _EVAL in sources else None


def bypassed_hosts(policy: Policy) -> frozenset[str] | None:
    """The hosts it trusts from which anybody's scripts come; None where it is about no scripts."""
    sources = policy.sources("script-src-elem")
    if sources is None:
        return None
    if policy.is_strict():
        return frozenset()
    return frozenset(host for one in sources for host in _bypassed(one))


def misspellings(policy: Policy) -> list[str]:
    """What browsers pass over in it, or take for something else."""
    found = [f"there is no directive {name!r}" for name in policy.directives if name not in KNOWN]
    for name, sources in policy.directives.items():
        if name in _NOT_SOURCES:
            continue
        for source in sources:
            bare = source.lower()
            if bare in KEYWORDS:
                found.append(f"{source} in {name} is a host, and '{source}' a keyword")
            elif bare in KNOWN:
                found.append(f"a semicolon is missing before {source}")
        if len(sources) > 1 and "'none'" in map(str.lower, sources):
            found.append(f"'none' in {name} counts for nothing beside others")
    if policy.is_strict() and not policy.trusts_by_mark():
        found.append("'strict-dynamic' without a nonce or a hash lets nothing run")
    return found


def plain_sources(policy: Policy) -> list[str]:
    """Its sources that are reached without TLS, as directive and source; loopback is none.

    A policy that upgrades requests has none in effect.
    """
    if "upgrade-insecure-requests" in policy.directives:
        return []
    return [
        f"{name} {source}"
        for name, sources in policy.directives.items()
        if name not in _NOT_SOURCES
        for source in sources
        if source.lower().startswith(("http:", "ftp:"))
        and not (urlsplit(_parseable(source)).hostname and is_trustworthy(_parseable(source)))
    ]


_EVAL = "'unsafe-eval'"


def _broad(policy: Policy, directive: str) -> str | None:
    sources = policy.sources(directive)
    if sources is None:
        return ""
    bad = [one for one in sources if one in _PLAIN_SCHEMES or _WILDCARD.fullmatch(one)]
    return f"{' '.join(bad)} in {policy.governing(directive)}" if bad else None


def _bypassed(source: str) -> Iterator[str]:
    """The hosts of that kind that a source is about; one with a path is about that path alone."""
    if source.startswith("'") or "." not in source:
        return
    parts = urlsplit(_parseable(source))
    if parts.path.strip("/"):
        return
    host = parts.netloc.partition(":")[0]
    for one in BYPASSED:
        if one == host or (host.startswith("*.") and one.endswith(host[1:])):
            yield one


def _parseable(source: str) -> str:
    """A source with two slashes before its host, and nothing that no address may have."""
    text = re.sub(r"[^A-Za-z0-9.:/*_-]", "", source)
    text = re.sub(r":\*", "", text)
    return text if "//" in text or re.fullmatch(r"[a-z]+:", text, re.IGNORECASE) else f"//{text}"


def _open_in_all(policies: Sequence[Policy], opening: Opening) -> str:
    """What each of the policies leaves open, by the first that says how; "" where it is closed."""
    said = [opening(one) for one in policies]
    return "" if None in said else next(filter(None, said), "")


def _tell_incomplete(page: Answer) -> str:
    absent = missing_directives(page.policies)
    return f"no {', no '.join(absent)}" if absent else ""


def _tell_inline(page: Answer) -> str:
    return _open_in_all(page.policies, inline_scripts)


def _tell_open(page: Answer) -> str:
    said = (_open_in_all(page.policies, one) for one in (open_scripts, open_objects, open_base))
    return ", ".join(dict.fromkeys(filter(None, said)))


def _tell_eval(page: Answer) -> str:
    return _open_in_all(page.policies, eval_allowed)


def _tell_bypass(page: Answer) -> str:
    hosts = [found for one in page.policies if (found := bypassed_hosts(one)) is not None]
    common = frozenset.intersection(*hosts) if hosts else frozenset()
    return ", ".join(sorted(common))


def _tell_misspelt(page: Answer) -> str:
    return ", ".join(dict.fromkeys(why for one in page.policies for why in misspellings(one)))


_RULES_OF_PAGES: tuple[tuple[Rule, Callable[[Answer], str]], ...] = (
    (INCOMPLETE, _tell_incomplete),
    (INLINE, _tell_inline),
    (OPEN, _tell_open),
    (BYPASS, _tell_bypass),
    (EVAL, _tell_eval),
    (MISSPELT, _tell_misspelt),
)


def _plain(pages: Iterable[Answer]) -> Iterator[Breach]:
    """Policies of pages over TLS that let something come without; pictures and sounds matter less.

    All policies are enforced, so one without such a source is enough.
    """
    bad: dict[Answer, list[str]] = {}
    for page in pages:
        lists = [plain_sources(one) for one in page.policies]
        if page.is_https and lists and all(lists):
            bad[page] = lists[0]
    if not bad:
        return
    said = list(dict.fromkeys(one for found in bad.values() for one in found))
    lesser = all(one.partition(" ")[0] in _PASSIVE for one in said)
    severity = FindingSeverity.LOW if lesser else None
    yield breach_at(PLAIN, f"{', '.join(said)}: {_count([*bad])}", [*bad], severity=severity)


def _nonces(pages: Iterable[Answer]) -> Iterator[Breach]:
    """Nonces that are short, or the same in several answers."""
    of_pages = {
        page: {nonce for policy in page.policies for nonce in policy.nonces()} for page in pages
    }
    counts = Counter(nonce for nonces in of_pages.values() for nonce in nonces)
    short = [p for p, found in of_pages.items() if any(len(n) < SHORTEST_NONCE for n in found)]
    again = [p for p, found in of_pages.items() if any(counts[n] > 1 for n in found)]
    bad = [page for page in of_pages if page in short or page in again]
    if bad:
        whys = [f"shorter than {SHORTEST_NONCE} characters"] if short else []
        whys += ["the same in several answers"] if again else []
        yield breach_at(NONCE, f"{', '.join(whys)}: {_count(bad)}", bad)


def _count(pages: Sequence[Answer]) -> str:
    return f"{len(pages)} {'page' if len(pages) == 1 else 'pages'}"
