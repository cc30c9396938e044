"""Rules of security, and what looks at the platform answer by them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from deployment_gate.errors import GateError
from deployment_gate.evidence import FindingSeverity
from deployment_gate.probes.exchange import curl_of

if TYPE_CHECKING:
    import httpx

__all__ = ["SHOWN", "Breach", "Looked", "Rule", "Unseen", "curl_of", "told_exchange"]

SHOWN = 1200
"""Characters of a body that a finding shows."""

_NOT_TELLING = frozenset({"accept", "accept-encoding", "connection", "content-length", "host"})


class Unseen(GateError):  # noqa: N818  # no error of the platform's, nor of this program
    """What could not be looked at, so that nothing is known of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What the platform must keep to.

    Attributes:
        id: Its name, the same from version to version: words in lower case, joined by hyphens.
        severity: How bad it is to break it.
        title: What is wrong where it is broken, as a sentence without a full stop.
        source: Who made it.
        remedy: What to do about it.
    """

    id: str
    severity: FindingSeverity
    title: str
    source: str
    remedy: str

    def found(
        self,
        detail: str,
        places: Iterable[str],
        *,
        exchange: str = "",
        curl: str = "",
        severity: FindingSeverity | None = None,
    ) -> Breach:
        """What breaks it.

        Args:
            detail: What was seen, with its numbers.
            places: Where; nothing that differs from run to run, since these tell it apart.
            exchange: What was sent and received.
            curl: A command that shows it.
            severity: How bad it is, where that isn't what it usually is.
        """
        return Breach(
            rule=self,
            severity=severity or self.severity,
            detail=detail,
            places=tuple(dict.fromkeys(places)),
            exchange=exchange,
            curl=curl,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Breach:
    """A rule that is broken, and by what; a finding once a check tells of it."""

    rule: Rule
    severity: FindingSeverity
    detail: str
    places: tuple[str, ...]
    exchange: str = ""
    curl: str = ""


@dataclass(frozen=True, slots=True)
class Looked:
    """What a look showed.

    Attributes:
        breaches: The rules that are broken.
        unseen: What could not be looked at, and why, a sentence each.
    """

    breaches: tuple[Breach, ...] = ()
    unseen: tuple[str, ...] = ()

    def __add__(self, other: Looked) -> Looked:
        return Looked(self.breaches + other.breaches, self.unseen + other.unseen)


def told_exchange(response: httpx.Response) -> str:
    """An answer and the request that it is to, as text; whoever writes it takes secrets out."""
    request = response.request
    lines = [f"> {request.method} {request.url}"]
    lines += [
        f"> {name}: {value}"
        for name, value in request.headers.multi_items()
        if name.lower() not in _NOT_TELLING
    ]
    lines += [f"> {line}" for line in request.content.decode(errors="replace").splitlines()]
    lines.append(f"< {response.status_code}")
    lines += [f"< {name}: {value}" for name, value in response.headers.multi_items()]
    text = response.text
    # Right behind what is cut: by that the redactor knows half a secret.
    more = f"... ({len(text)} characters)" if len(text) > SHOWN else ""
    lines += [f"< {line}" for line in f"{text[:SHOWN]}{more}".splitlines()]
    return "\n".join(lines)
