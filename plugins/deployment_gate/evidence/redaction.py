"""Keeps secrets out of everything that is written."""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Iterable, Iterator
from urllib.parse import quote, quote_plus

REDACTED = "[redacted]"

SHORT_SECRET = 8
"""Below this length a secret is replaced only where it stands as a word of its own, since it
may well be a part of ordinary words."""

# What a secret looks like when nobody named it; group 1, where there is one, is what stays.
_SHAPES = (
    # RFC 6750: the credentials of an Authorization header.
    r"((?i:\bbearer)\s+)(?!\[redacted\])[A-Za-z0-9._~+/=-]{8,}",
    # RFC 7617: user and password in base64.
    r"((?i:\bauthorization[\"']?\s*[:=]\s*[\"']?basic\s+))(?!\[redacted\])[A-Za-z0-9+/=]{4,}",
    # RFC 7519: a JSON Web Token, whose header always begins with {" in base64.
    r"()\beyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]{2,}\.[A-Za-z0-9_-]*",
    # Amazon's access key ids.
    r"()\b(?:AKIA|ASIA)[0-9A-Z]{16}\b",
    # RFC 7468: a private key.
    r"()-----BEGIN [A-Z ]*PRIVATE KEY-----(?:[A-Za-z0-9+/=\s:,-]|\\n)*",
    # RFC 3986: the password in an address.
    r"(\b[a-z][a-z0-9+.-]*://[^/\s:@\"'<>]*:)(?!\[redacted\])[^/\s@\"'<>]+(?=@)",
)


class Redactor:
    """Replaces secrets in texts: the known ones in each form they take, and known shapes."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._secrets: set[str] = set()
        self._pattern = re.compile("|".join(f"(?:{shape})" for shape in _SHAPES))
        self._shapes = [re.compile(shape) for shape in _SHAPES]
        self._known: re.Pattern[str] | None = None
        for secret in secrets:
            self.add(secret)

    def add(self, secret: str) -> None:
        """From now on, `secret` is replaced too; a token that a login gave, for instance."""
        if not secret or secret in self._secrets:
            return
        self._secrets.add(secret)
        alternatives = sorted(
            {form for known in self._secrets for form in _forms(known)}, key=len, reverse=True
        )
        self._known = re.compile("|".join(alternatives))

    def redact(self, text: str) -> str:
        """`text` with every secret replaced; the same text when there is none."""
        if self._known is not None:
            text = self._known.sub(REDACTED, text)
        if self._pattern.search(text) is None:
            return text
        for shape in self._shapes:
            text = shape.sub(rf"\g<1>{REDACTED}", text)
        return text

    def finds(self, text: str) -> bool:
        """Whether `text` holds a secret."""
        return self.redact(text) != text


def _forms(secret: str) -> Iterator[str]:
    """The patterns of what a secret looks like once it was encoded."""
    json_escaped = json.dumps(secret)[1:-1]
    plain = {
        secret,
        quote(secret, safe=""),
        quote_plus(secret),
        json_escaped,
        json.dumps(secret, ensure_ascii=False)[1:-1],
        html.escape(secret),
        html.escape(json_escaped),
        repr(secret)[1:-1],
    }
    word = r"(?<![A-Za-z0-9_-]){}(?![A-Za-z0-9_-])" if len(secret) < SHORT_SECRET else "{}"
    yield from (word.format(re.escape(form)) for form in plain)
    if len(secret) >= SHORT_SECRET:
        yield from (re.escape(form) for form in _base64_forms(secret.encode()))


def _base64_forms(secret: bytes) -> set[str]:
    """The part of a secret's base64 that doesn't depend on what stands around it.

    Three bytes become four characters, so a secret inside a longer text shows in one of three
    ways; the characters that share bits with a neighbour are left out.
    """
    forms = set()
    for offset in range(3):
        encoded = base64.b64encode(b"\0" * offset + secret).decode().rstrip("=")
        start = -(-offset * 8 // 6)
        end = (offset + len(secret)) * 8 // 6
        core = encoded[start:end]
        forms |= {core, core.replace("+", "-").replace("/", "_")}
    return forms
