"""Content security policies, as browsers read them.

By CSP Level 3 (W3C), sections 2.2 and 6.7. What is needed of it are two short algorithms, so they
are written down here rather than taken from one more library.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

_WHITESPACE = "\t\n\f\r "
"""ASCII whitespace; Python's own splitting knows more kinds."""

# 6.8.4: what governs where the more special directive isn't there.
_INSTEAD: Mapping[str, tuple[str, ...]] = {
    "script-src-elem": ("script-src", "default-src"),
    "script-src-attr": ("script-src", "default-src"),
    "style-src-elem": ("style-src", "default-src"),
    "style-src-attr": ("style-src", "default-src"),
    "worker-src": ("child-src", "script-src", "default-src"),
    "frame-src": ("child-src", "default-src"),
    "child-src": ("default-src",),
    "connect-src": ("default-src",),
    "font-src": ("default-src",),
    "img-src": ("default-src",),
    "manifest-src": ("default-src",),
    "media-src": ("default-src",),
    "object-src": ("default-src",),
    "script-src": ("default-src",),
    "style-src": ("default-src",),
}

KNOWN = frozenset(_INSTEAD) | {
    "base-uri",
    "block-all-mixed-content",
    "default-src",
    "fenced-frame-src",
    "form-action",
    "frame-ancestors",
    "navigate-to",
    "plugin-types",
    "prefetch-src",
    "report-to",
    "report-uri",
    "require-sri-for",
    "require-trusted-types-for",
    "sandbox",
    "trusted-types",
    "upgrade-insecure-requests",
    "webrtc",
}
"""Directives that browsers know, or have known."""

KEYWORDS = frozenset(
    {
        "none",
        "self",
        "strict-dynamic",
        "unsafe-eval",
        "unsafe-hashes",
        "unsafe-inline",
        "wasm-unsafe-eval",
        "report-sample",
    }
)
"""Sources that stand in quotes."""

BROAD = frozenset(
    {"*", "http:", "https:", "ftp:", "http://*", "https://*", "http://*.*", "https://*.*"}
)
"""Sources that are almost anybody's: those that the Mozilla HTTP Observatory counts so."""

_NOT_IN_META = ("frame-ancestors", "report-uri", "sandbox")

_NONCE = re.compile(r"'nonce-([A-Za-z0-9+/_-]+={0,2})'", re.IGNORECASE)
_HASH = re.compile(r"'sha(?:256|384|512)-[A-Za-z0-9+/_-]+={0,2}'", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Policy:
    """One policy.

    Attributes:
        directives: The sources of each directive by its name in lower case, as they are written.
    """

    directives: Mapping[str, tuple[str, ...]]

    def governing(self, directive: str) -> str | None:
        """The name of what governs a directive's matter here: itself, or what stands in for it."""
        names = (directive, *_INSTEAD.get(directive, ()))
        return next((name for name in names if name in self.directives), None)

    def sources(self, directive: str) -> tuple[str, ...] | None:
        """The sources that are allowed by what governs a matter; None where nothing does.

        Keywords, schemes and hosts are in lower case, nonces and hashes as they are written:
        their values, and paths, are told apart by case. 'none' beside others means nothing.
        """
        name = self.governing(directive)
        if name is None:
            return None
        sources = tuple(_folded(one) for one in self.directives[name])
        return sources if sources == ("'none'",) else tuple(s for s in sources if s != "'none'")

    def nonces(self, directive: str = "script-src-elem") -> tuple[str, ...]:
        """The nonces that let a script run."""
        found = (_NONCE.fullmatch(one) for one in self.sources(directive) or ())
        return tuple(one[1] for one in found if one)

    def trusts_by_mark(self, directive: str = "script-src-elem") -> bool:
        """Whether a nonce or a hash lets something run."""
        sources = self.sources(directive) or ()
        return any(_NONCE.fullmatch(one) or _HASH.fullmatch(one) for one in sources)

    def is_strict(self, directive: str = "script-src-elem") -> bool:
        """Whether trust is passed on from scripts to those they load, and hosts count for nothing.

        8.2: without a nonce or a hash there is no script to pass it on, and hosts don't count
        either.
        """
        return "'strict-dynamic'" in (self.sources(directive) or ())

    def allows_inline(self, directive: str) -> bool:
        """Whether anything inline is run, by 6.7.3.2: not beside a nonce, a hash, strict-dynamic.

        Where nothing governs it, it is.
        """
        sources = self.sources(directive)
        if sources is None:
            return True
        if self.trusts_by_mark(directive) or self.is_strict(directive):
            return False
        return "'unsafe-inline'" in sources


def parse_policy(text: str) -> Policy:
    """Read one policy, by 2.2.1: of several directives of one name the first counts.

    Args:
        text: What stands between the commas of a header.
    """
    directives: dict[str, tuple[str, ...]] = {}
    for part in text.split(";"):
        words = [word for word in re.split(f"[{_WHITESPACE}]+", part) if word]
        if words and part.isascii():
            directives.setdefault(words[0].lower(), tuple(words[1:]))
    return Policy(directives)


def parse_policies(headers: Iterable[str]) -> tuple[Policy, ...]:
    """Read a list of policies, each of which is enforced.

    Args:
        headers: The values of the headers; in each, commas part policies (2.2.2).
    """
    policies = (parse_policy(text) for header in headers for text in header.split(","))
    return tuple(policy for policy in policies if policy.directives)


def parse_meta(contents: Iterable[str]) -> tuple[Policy, ...]:
    """Read the policies that a page itself states, without what counts in headers only (3.3).

    Args:
        contents: What its meta elements say.
    """
    stated = (
        Policy({n: s for n, s in one.directives.items() if n not in _NOT_IN_META})
        for one in parse_policies(contents)
    )
    return tuple(policy for policy in stated if policy.directives)


def _folded(source: str) -> str:
    """A source without regard to case, where case tells nothing."""
    if _HASH.fullmatch(source) or _NONCE.fullmatch(source):
        return source
    scheme_and_host = re.match(r"(?:[^/]*:)?(?://)?[^/]*", source)
    end = scheme_and_host.end() if scheme_and_host else 0
    return source[:end].lower() + source[end:]
