"""What secrets look like whose issuers have published that.

Not `evidence`'s shapes, by which reports are redacted: those take rather too much, and these rather
too little, since each is a finding that wakes somebody. Nor a library: those that there are look
through repositories, and guess by entropy, which scripts made small are full of.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

SHOWN = 4
"""Characters of a secret that are told, so that its owner finds it."""

_LONG = 16
"""From this length on: of a password four characters are half of it."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What one kind of secret looks like.

    Attributes:
        what: What it is.
        pattern: Its form; group 1 is the secret, where the whole match isn't.
        is_one: Whether a match really is one.
    """

    what: str
    pattern: re.Pattern[str]
    is_one: Callable[[str], bool] = lambda _: True


@dataclass(frozen=True, slots=True, repr=False)
class Token:
    """A secret that stands somewhere.

    Attributes:
        what: What it is.
        value: The secret itself.
    """

    what: str
    value: str

    @property
    def told(self) -> str:
        """What it is and how it begins."""
        return f"{self.what} ({self.value[:SHOWN] if len(self.value) >= _LONG else ''}...)"


def _shape(what: str, pattern: str, is_one: Callable[[str], bool] = lambda _: True) -> Shape:
    return Shape(what, re.compile(pattern), is_one)


def _is_no_example(value: str) -> bool:
    """Documentation of Amazon's ends its keys with that word."""
    return not value.endswith("EXAMPLE")


def _is_of_somebody(value: str) -> bool:
    """Whether a JSON Web Token (RFC 7519) is one, and names somebody or what they may do."""
    parts = value.split(".")
    header, claims = (_decoded(part) for part in parts[:2])
    # Supabase's key for everybody, which its pages bear on purpose, is of the role "anon".
    return "alg" in header and bool(_NAMES & claims.keys()) and claims.get("role") != "anon"


_NAMES = {"sub", "email", "username", "user_id", "uid", "role", "roles", "scope", "scp"}


def _decoded(part: str) -> dict[str, object]:
    try:
        found = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


_PLACEHOLDERS = re.compile(
    r"(?i)(?:pass(?:word|wd)?|pwd|secret|user(?:name)?|x+|\*+|\.+|changeme|example|\$.*|<.*|%.*|\{.*)"
)


def _is_no_placeholder(value: str) -> bool:
    return not _PLACEHOLDERS.fullmatch(value)


SHAPES = (
    # Their ids are written in base32: docs.aws.amazon.com, IAM identifiers.
    _shape("an AWS access key id", r"\b(?:AKIA|ASIA)[A-Z2-7]{16}\b", _is_no_example),
    # github.blog, 2021-04-05: the formats of authentication tokens.
    _shape("a GitHub token", r"\bgh[opusr]_[A-Za-z0-9]{36,251}\b"),
    _shape("a GitHub token", r"\bgithub_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59}\b"),
    # docs.gitlab.com: token prefixes.
    _shape("a GitLab token", r"\bgl(?:pat|dt|rt|cbt|ptt)-[A-Za-z0-9_-]{20,}"),
    # docs.slack.dev: token types, incoming webhooks.
    _shape("a Slack token", r"\bxox[abeoprs]-[0-9]{5,}-[A-Za-z0-9-]{10,}"),
    _shape(
        "a Slack webhook",
        r"https://hooks\.slack\.com/services/T[A-Z0-9]{6,}/B[A-Z0-9]{6,}/[A-Za-z0-9]{20,}",
    ),
    # docs.stripe.com/keys: secret and restricted ones, of live accounts.
    _shape("a Stripe secret key", r"\b[sr]k_live_[A-Za-z0-9]{16,}\b"),
    _shape("an npm token", r"\bnpm_[A-Za-z0-9]{36}\b"),
    _shape("a SendGrid key", r"\bSG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}\b"),
    # www.twilio.com/docs: an API key's identifier begins with SK.
    _shape("a Twilio key", r"\bSK[0-9a-f]{32}\b"),
    _shape("a PyPI token", r"\bpypi-AgEIcHlwaS5vcmc[A-Za-z0-9_-]{50,}"),
    _shape("a Google client secret", r"\bGOCSPX-[A-Za-z0-9_-]{28}\b"),
    # learn.microsoft.com: connection strings of Azure Storage and Service Bus.
    _shape("an Azure storage key", r"\bAccountKey=([A-Za-z0-9+/]{86}==)"),
    _shape("an Azure access key", r"\bSharedAccessKey=([A-Za-z0-9+/]{43}=)"),
    # RFC 7468; a key's text follows its first line, which alone stands in many libraries.
    _shape(
        "a private key",
        r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----(?:\s|\\[nr])*([A-Za-z0-9+/]{40,})",
    ),
    _shape(
        "a JSON Web Token",
        r"\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{16,}",
        _is_of_somebody,
    ),
    # RFC 3986, 3.2.1: what stands before the @ of an address.
    _shape(
        "a password in an address",
        r"\b[a-z][a-z0-9+.-]{1,20}://[^\s/:@\"'`<>\\${}]{1,64}:([^\s/:@\"'`<>\\]{3,128})@[\w-]+[.:/\w]",
        _is_no_placeholder,
    ),
)
"""Those by which somebody gets in, or acts as somebody else."""

SHARED_SHAPES = (
    # cloud.google.com/docs: a key that pages may bear as long as it is bound to them.
    _shape("a Google API key", r"\bAIza[A-Za-z0-9_-]{35}(?![A-Za-z0-9_-])"),
)
"""Those that pages bear on purpose, and that must be bound to them."""


def tokens_in(text: str, shapes: tuple[Shape, ...] = SHAPES) -> Iterator[Token]:
    """Find secrets in a text, each once.

    Args:
        text: A page, a script, or a document.
        shapes: What is looked for.
    """
    seen = set()
    for shape in shapes:
        for match in shape.pattern.finditer(text):
            value = match[1] if match.re.groups else match[0]
            if value not in seen and shape.is_one(value):
                seen.add(value)
                yield Token(shape.what, value)
