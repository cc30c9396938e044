"""Where something may lie in the open, and what is answered where nothing can be."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from functools import cached_property
from posixpath import splitext
from urllib.parse import quote, unquote
from uuid import uuid4

import httpx

from deployment_gate.security.rules import told_exchange

ALIKE = 0.9
"""From which share of common words on two bodies say the same (ours)."""

RANDOM = "RANDOM"
"""What stands in a place for a name that is another one in each run."""

_MOST_WORDS = 20_000
_CHANGING = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|\b[\w+/=-]{20,}|\d+")
"""What differs from answer to answer: ids, tokens, times."""

_WITHOUT_ANSWER = (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError)


@dataclass(slots=True)
class Base:
    """An address of the platform below which a stranger asks.

    Attributes:
        name: Which one: "api" or "web".
        client: Asks it, nobody signed in.
        throttled: Places that were answered 429, so that nothing is known of them.
    """

    name: str
    client: httpx.Client
    throttled: list[str] = field(default_factory=list)
    _controls: dict[tuple[str, str], httpx.Response | None] = field(
        default_factory=dict, init=False
    )

    def place(self, path: str, *, method: str = "GET") -> str:
        """A request as findings name it."""
        return f"{self.name} {method} {path}"

    def ask(
        self,
        path: str | httpx.URL,
        *,
        method: str = "GET",
        headers: dict[str, str] | None = None,
    ) -> httpx.Response | None:
        """Ask for a path, or a whole address below it; None where nothing is told of it.

        That is so where the connection is closed without an answer, as firewalls do it to requests
        that they refuse, while a request that is beyond reproach is answered.

        Raises:
            httpx.TransportError: That one isn't answered either.
        """
        try:
            answer = self.client.request(method, path, headers=headers)
        except _WITHOUT_ANSWER:
            self.client.get(f"/{uuid4().hex}")
            return None
        if answer.status_code == httpx.codes.TOO_MANY_REQUESTS:
            self.throttled.append(self.place(answer.request.url.path, method=method))
        return answer

    def below(self, address: str, *, at: httpx.URL) -> httpx.URL | None:
        """A whole address on the same origin, by one that an answer holds; None where it isn't.

        Args:
            address: A whole one or a relative one, as somebody wrote it.
            at: Where it was found.
        """
        try:
            url = httpx.URL(str(at)).join(address.strip())
        except (httpx.InvalidURL, ValueError):
            return None
        mine = self.client.base_url
        return url if (url.scheme, url.netloc) == (mine.scheme, mine.netloc) else None

    def control(self, path: str, *, method: str = "GET") -> httpx.Response | None:
        """What is answered to a path that can't exist, in the folder of another and named alike.

        It is asked for once. Some applications answer with their page wherever no file is, others
        only where a path has no suffix, or in some folders.
        """
        folder, name = _split(path)
        begin = "." if name.startswith(".") else ""
        _, suffix = splitext(name.strip("."))
        end = "/" if path.endswith("/") else ""
        key = (method, f"{folder}/{begin}*{suffix}{end}")
        if key not in self._controls:
            random = f"{folder}/{begin}{uuid4().hex}{suffix}{end}"
            self._controls[key] = self.ask(random, method=method)
        return self._controls[key]


def _split(path: str) -> tuple[str, str]:
    folder, _, name = path.partition("?")[0].rstrip("/").rpartition("/")
    return folder, name


def is_there(answer: httpx.Response | None, base: Base, path: str) -> bool:
    """Whether an answer shows something that isn't answered to any path.

    Args:
        answer: The one to the path, or to what it led to.
        base: Where it was asked for.
        path: What was asked for.
    """
    if answer is None or not answer.is_success:
        return False
    control = base.control(path, method=answer.request.method)
    return control is None or not resembles(answer, control)


def resembles(answer: httpx.Response, other: httpx.Response) -> bool:
    """Whether two answers say the same, but for their paths and for what differs each time."""
    if answer.status_code != other.status_code:
        return False
    if answer.request.method == "HEAD":
        return _kind(answer) == _kind(other)  # nothing else is known of them
    mine, theirs = _words(answer), _words(other)
    # By which words there are, not by their order: exact differences of long texts take minutes.
    return SequenceMatcher(None, mine, theirs, autojunk=False).quick_ratio() >= ALIKE


def _kind(answer: httpx.Response) -> str:
    return str(answer.headers.get("Content-Type", "")).partition(";")[0].strip().lower()


def _words(answer: httpx.Response) -> list[str]:
    text = answer.text
    path = answer.request.url.path
    forms = {path, quote(path), unquote(path), path.strip("/")}
    forms |= {html.escape(form) for form in forms} | {json.dumps(form)[1:-1] for form in forms}
    for form in sorted(forms - {"", "/"}, key=len, reverse=True):
        text = text.replace(form, " ")
    return re.findall(r"\w+", _CHANGING.sub(" ", text))[:_MOST_WORDS]


def told_head(answer: httpx.Response) -> str:
    """An answer and its request as text, without the body: that may hold what is secret."""
    bare = httpx.Response(answer.status_code, headers=answer.headers, request=answer.request)
    return f"{told_exchange(bare)}\n< (its text isn't shown)"


def unseen_of(bases: Iterable[Base]) -> Iterator[str]:
    """What could not be seen for a limit on requests, a sentence for each base."""
    for base in bases:
        if base.throttled:
            yield (
                f"{len(base.throttled)} requests were answered 429, {base.throttled[0]} among "
                "them. Lower `security: {rate: ...}`"
            )


@dataclass(frozen=True)
class Part:
    """The beginning of a file that may be large.

    Attributes:
        head: The answer to HEAD.
        answer: The one to GET for its first bytes; None where that might have sent the whole of
            a large file.
    """

    head: httpx.Response
    answer: httpx.Response | None = None

    @cached_property
    def content(self) -> bytes:
        """The first bytes, as far as they are known."""
        return self.answer.content if self.answer is not None else b""


FIRST_BYTES = 4096
_SMALL = 1 << 16


def read_beginning(base: Base, path: str) -> Part | None:
    """The beginning of a file that isn't answered to any path; None where there is none.

    A file is asked for by HEAD first. Its beginning is read where the server says that it sends
    parts of files (RFC 9110, 14.3), or where the whole of it is small.
    """
    head = base.ask(path, method="HEAD")
    if head is None or not is_there(head, base, path):
        return None
    length = head.headers.get("Content-Length", "")
    is_small = length.isdigit() and int(length) <= _SMALL
    if not (is_small or "bytes" in head.headers.get("Accept-Ranges", "")):
        return Part(head)
    answer = base.ask(path, headers={"Range": f"bytes=0-{FIRST_BYTES - 1}"})
    return Part(head, answer) if is_there(answer, base, path) else None
