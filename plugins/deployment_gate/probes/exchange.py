"""What a check sent and what came back, kept for its report."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import httpx

KEPT = 50
"""Exchanges of one check that are kept, the last ones: a check that walks through many pages
must not fill the report."""

_SHOWN = 2000
"""Characters of a body that are shown."""

_NOT_TELLING = frozenset(
    {"accept", "accept-encoding", "connection", "content-length", "host", "user-agent"}
)
"""Headers that curl sends by itself, or that make no difference."""

_ESCAPES = {"\\": "\\\\", "'": "\\'", "\n": "\\n", "\r": "\\r", "\t": "\\t"}

# What every request of this client bears, and what is the same on every answer of a platform.
_USUAL = {
    "accept",
    "accept-encoding",
    "connection",
    "content-length",
    "content-security-policy",
    "cross-origin-opener-policy",
    "cross-origin-resource-policy",
    "date",
    "host",
    "permissions-policy",
    "referrer-policy",
    "server",
    "strict-transport-security",
    "transfer-encoding",
    "user-agent",
    "x-content-type-options",
    "x-frame-options",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One request and its answer.

    Attributes:
        request: What was sent.
        response: What came back, read to its end; None where there was no whole answer.
        why_not: Why there was none.
        duration_s: Seconds until the answer was whole, or until it was clear that none comes.
        step: What the check called it.
    """

    request: httpx.Request
    response: httpx.Response | None
    why_not: str | None
    duration_s: float
    step: str | None = None

    def told(self, redact: Callable[[str], str]) -> str:
        """The exchange as a text of several lines.

        Args:
            redact: Takes the secrets out of a text; before it is cut, or half of one would stay.
        """
        identity = self.request.extensions.get("identity")
        asked = f"{self.request.method} {self.request.url}"
        lines = [f"# {self.step}"] if self.step else []
        lines.append(f"$ {curl_of(self.request, redact)}")
        lines.append(f"> {asked}  (as {identity})" if identity else f"> {asked}")
        lines += _message("> ", self.request, redact)
        if self.response is None:
            lines.append(f"< no whole answer after {self.duration_s:.3f} s: {self.why_not}")
        else:
            lines.append(f"< {self.response.status_code} after {self.duration_s * 1000:.0f} ms")
            lines += _message("< ", self.response, redact)
        return redact("\n".join(lines))


def tell_exchanges(exchanges: Iterable[Exchange], redact: Callable[[str], str]) -> str:
    """All exchanges of a check, one after another."""
    return "\n\n".join(exchange.told(redact) for exchange in exchanges)


def curl_of(request: httpx.Request, redact: Callable[[str], str] = str) -> str:
    """A command that sends a request again, in one line.

    A body that is long or no text is not in it: the command then reads a file named `body`.

    Args:
        request: What was sent, read to its end.
        redact: Takes the secrets out of a text. Without it whoever writes the command does so,
            which finds them in here all the same.
    """
    url = redact(str(request.url))
    # curl waits for the body of an answer to HEAD, unless it is told so.
    words = ["curl", "--include"]
    words += ["--head"] if request.method == "HEAD" else ["--request", request.method]
    if any(sign in url for sign in "[]{}"):
        words.append("--globoff")
    for name, value in request.headers.multi_items():
        if name.lower() not in _NOT_TELLING:
            words += ["--header", f"{name}: {redact(value)}"]
    if request.content:
        words += ["--data-binary", _body(request.content, redact)]
    return " ".join(map(_quoted, [*words, url]))


def _body(content: bytes, redact: Callable[[str], str]) -> str:
    """A body as curl is given it."""
    try:
        text = redact(content.decode())
    except UnicodeDecodeError:
        return "@body"
    # curl takes what begins with @ for a file's name, and no argument can hold a zero.
    return "@body" if len(text) > _SHOWN or text[0] == "@" or "\0" in text else text


def _quoted(word: str) -> str:
    """A word as a shell reads it.

    Where it has a quote or a line break, as bash and zsh write it with backslashes: redaction
    knows secrets in that form, and not with their quotes closed and opened again.
    """
    if not _ESCAPES.keys() & set(word):
        return shlex.quote(word)
    return f"$'{''.join(_ESCAPES.get(sign, sign) for sign in word)}'"


def _message(
    mark: str, message: httpx.Request | httpx.Response, redact: Callable[[str], str]
) -> Iterator[str]:
    for name, value in message.headers.multi_items():
        if name.lower() not in _USUAL:
            yield f"{mark}{name}: {value}"
    text = redact(message.content.decode(errors="replace"))
    more = f" ... ({len(text)} characters)" if len(text) > _SHOWN else ""
    for line in f"{text[:_SHOWN]}{more}".splitlines():
        yield f"{mark}{line}"
