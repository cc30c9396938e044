"""Keeps secrets out of everything that is written."""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from urllib.parse import quote

REDACTED = "[redacted]"
_MARK = re.escape(REDACTED)

SHORT_SECRET = 8
"""Below this length a secret is replaced only where it stands as a word of its own, since it
may well be a part of ordinary words."""

_CUT = "..."
"""What stands for the rest of a value that was cut, pytest's own representations included."""

_LONG_SECRET = 12
_TELLING = 8
"""Characters at the beginning or end of a cut secret by which it is known."""

# The beginning of a word, also right after an escape of JSON such as \n.
_START = r"(?:\b|(?<=\\[nrtbf]))"
# What may follow "bearer" in a sentence, or in a challenge.
_WORD = r"[A-Za-z][a-z]{0,18}\.?(?![\w.~+/=-])"
_PARAMETER = r"[a-z_]+=\\?[\"']"
_KEY = "[A-Z ]*PRIVATE KEY"
_KEY_TEXT = r"(?:[A-Za-z0-9+/=\s:,-]|\\+[nr])*"


@dataclass(frozen=True, slots=True)
class _Shape:
    """What a secret looks like when nobody named it.

    Attributes:
        signs: One of these, in lower case, is in every text that holds the shape. Looking for
            them is a hundred times quicker than looking for the shape.
        pattern: Its group 1 is what stays.
    """

    signs: tuple[str, ...]
    pattern: str


_SHAPES = (
    # RFC 6750: the credentials of an Authorization header, but neither an ordinary word nor the
    # parameter of a challenge.
    _Shape(
        ("bearer",),
        rf"((?i:{_START}bearer)\s+)(?!{_WORD}|{_PARAMETER})[A-Za-z0-9._~+/=-]{{8,}}",
    ),
    # RFC 7617: user and password in base64, in a header, a mapping or a list of pairs.
    _Shape(
        ("author",),
        r"((?i:authorization(?:\W|&[a-z0-9#]+;){1,12}(?:b['\"])?basic\s+))[A-Za-z0-9+/=]{4,}",
    ),
    # RFC 7519: a JSON Web Token, whose header always begins with {" in base64.
    _Shape(
        ("eyj",),
        rf"(){_START}eyJ[A-Za-z0-9_-]{{5,}}\.[A-Za-z0-9_-]{{2,}}\.[A-Za-z0-9_-]*",
    ),
    # Amazon's access key ids.
    _Shape(
        ("akia", "asia"),
        rf"(){_START}(?:AKIA|ASIA)[0-9A-Z]{{16}}\b",
    ),
    # RFC 7468: a private key, to its end or as far as it goes.
    _Shape(
        ("-----begin",),
        rf"()-----BEGIN {_KEY}-----(?:{_KEY_TEXT}?-----END {_KEY}-----|{_KEY_TEXT})",
    ),
    # RFC 3986: the password in an address, which a port before a query is not. Without the scheme
    # before it, which stays anyway: a pattern that begins with plain text is found far sooner.
    _Shape(
        ("://",),
        rf"(://[^/\s:@\"'<>]*:)(?!{_MARK}|[0-9]+[?#])[^/\s@\"'<>]+(?=@)",
    ),
)


class Redactor:
    """Replaces secrets in texts: the known ones in each form they take, and known shapes."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._secrets: set[str] = set()
        self._known: re.Pattern[str] | None = None
        for secret in secrets:
            self.add(secret)

    def add(self, secret: str) -> None:
        """From now on, `secret` is replaced too; a token that a login gave, for instance."""
        if not secret or secret in self._secrets:
            return
        self._secrets.add(secret)
        self._known = None

    def redact(self, text: str) -> str:
        """`text` with every secret replaced; the same text when there is none."""
        if self._secrets:
            text = self._pattern().sub(_replacement, text)
            text = self._without_halves(text)
        lower = text.lower()
        for shape in _SHAPES:
            if any(sign in lower for sign in shape.signs):
                text = re.sub(shape.pattern, rf"\g<1>{REDACTED}", text)
        return text

    def _pattern(self) -> re.Pattern[str]:
        """All that is looked for; made when it is next needed, since secrets come in crowds."""
        if self._known is None:
            # The longest first: a secret may be a part of another.
            longest_first = sorted(self._secrets, key=lambda known: (-len(known), known))
            forms = "|".join(form for known in longest_first for form in _forms(known))
            self._known = re.compile(rf"(\\{{0,16}})(u[0-9a-f]{{0,3}})?(?:{_MARK}|{forms})")
        return self._known

    def _without_halves(self, text: str) -> str:
        """`text` without the beginnings and ends of secrets that something cut: `abc...`."""
        if _CUT not in text:
            return text
        parts = text.split(_CUT)
        for secret in self._secrets:
            if len(secret) < _LONG_SECRET:
                continue
            for number in range(len(parts) - 1):
                before, after = parts[number], parts[number + 1]
                start = before.rfind(secret[:_TELLING])
                if start >= 0 and secret.startswith(before[start:]):
                    parts[number] = before[:start] + REDACTED
                end = after.find(secret[-_TELLING:]) + _TELLING
                if end >= _TELLING and secret.endswith(after[:end]):
                    parts[number + 1] = REDACTED + after[end:]
        return _CUT.join(parts)

    def finds(self, text: str) -> bool:
        """Whether `text` holds a secret."""
        return self.redact(text) != text


def _replacement(match: re.Match[str]) -> str:
    r"""The mark, after what stands before the secret for itself.

    A backslash that has no partner is an escape whose last letter was taken for the secret's
    first: `\n` and "ightfall" are no "nightfall", but the mark must not follow half of it.
    """
    backslashes, digits = match.group(1, 2)
    if match[0].endswith(REDACTED):
        return match[0]
    if len(backslashes) % 2:
        return backslashes[1:] + REDACTED
    return backslashes + (digits or "") + REDACTED


def _forms(secret: str) -> Iterator[str]:
    """The patterns of what a secret looks like, plain or encoded."""
    plain = "".join(map(_character, secret))
    if secret.endswith("\\"):
        # In JSON, an odd backslash at the end belongs to the character after it.
        plain = plain.removesuffix(_character("\\")) + r"(?:(?:\\\\){1,4}|\\.?|(?i:%5C)|&\#92;)"
    if len(secret) < SHORT_SECRET:
        yield rf"(?:(?<![A-Za-z0-9_-])|(?<=\\[nrtbf])){plain}(?![A-Za-z0-9_-])"
        return
    yield plain
    yield from (re.escape(form) for form in _base64_forms(secret.encode(errors="replace")))


def _character(character: str) -> str:
    """The pattern of one character as it is and as URL, JSON, HTML, XML and Python write it."""
    if character.isascii() and character.isalnum():
        return character
    # Escaped again and again, the number of backslashes doubles.
    itself = r"\\{1,8}" if character == "\\" else rf"\\{{0,8}}{re.escape(character)}"
    escapes = {json.dumps(character)[1:-1], repr(character)[1:-1]} - {character, r"\\"}
    spellings = [itself, *(f"(?i:{_escape(escape)})" for escape in sorted(escapes))]
    encoded = quote(character, safe="", errors="replace")
    spellings += [
        rf"\\{{0,8}}(?:{re.escape(html.escape(character))}|&\#0*{ord(character)};)",
        rf"(?i:&\#x0*{ord(character):x};|{re.escape(encoded)})",
    ]
    if character == " ":
        spellings.append(r"\+")
    return f"(?:{'|'.join(spellings)})"


def _escape(text: str) -> str:
    """The pattern of an escape, a pair of them for what JSON needs two for."""
    return r"\\{1,8}".join(re.escape(part) for part in text.split("\\"))


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
