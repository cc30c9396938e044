"""What a check of security found: a rule that the platform breaks, where, and how to mend it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

LONGEST_SENTENCE = 800
"""Characters of a finding's sentence, which stands where a check's reason does."""


class FindingSeverity(StrEnum):
    """How bad a finding is, the worst first.

    Critical is what lets somebody else in, or shows what is theirs: identities that leak, access
    without leave, secrets in the open.
    """

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    INFO = "info"

    def is_at_least(self, other: FindingSeverity) -> bool:
        """Whether it is as bad as another one, or worse."""
        order = list(FindingSeverity)
        return order.index(self) <= order.index(other)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A rule that the platform breaks, wherever it does.

    Attributes:
        rule: The rule's id, the same from version to version.
        severity: How bad it is.
        title: The rule as a sentence on what is wrong.
        detail: What was seen.
        places: Where: requests without what differs from run to run, or hosts.
        source: Who made the rule.
        remedy: How to mend it.
        at: When it was found, aware and in UTC.
        check: The node id of the check that found it.
        attempt: Which attempt at that check, from 1 on.
        exchange: What was sent and received.
        curl: A command that shows it.
    """

    rule: str
    severity: FindingSeverity
    title: str
    detail: str
    places: tuple[str, ...]
    source: str
    remedy: str
    at: datetime
    check: str
    attempt: int = 1
    exchange: str = ""
    curl: str = ""

    @property
    def fingerprint(self) -> str:
        """What is the same for the same finding in every run, as 16 hexadecimal digits."""
        told = "\n".join([self.rule, *sorted(self.places)])
        return hashlib.sha256(told.encode()).hexdigest()[:16]

    @property
    def sentence(self) -> str:
        """The finding in one line."""
        text = " ".join(f"{self.severity}: {self.title}: {self.detail}".split())
        # What is cut off is marked, so that half a secret is known for one.
        shown = f"{text[:LONGEST_SENTENCE]}..." if len(text) > LONGEST_SENTENCE else text
        return f"{shown} [{self.rule}]"


def last_findings(found: Iterable[Finding]) -> tuple[Finding, ...]:
    """Those of each check's last attempt that found something, by time."""
    last: dict[str, int] = {}
    by_time = sorted(found, key=lambda one: one.at)
    for one in by_time:
        last[one.check] = max(one.attempt, last.get(one.check, 0))
    return tuple(one for one in by_time if one.attempt == last[one.check])
