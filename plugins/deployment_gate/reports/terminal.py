"""The verdict on the terminal: short, last, and clear at 3 a.m."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator

from deployment_gate.judgement import Decision, JudgedFinding
from deployment_gate.reports.account import Account, places_of, standing_of

COLOURS = {Decision.PROMOTE: "green", Decision.HOLD: "yellow", Decision.ROLLBACK: "red"}
_SHOWN_REASONS = 5
_SHOWN_NOTES = 3
_SHOWN_FINDINGS = 5
_SHOWN_PLACES = 3
_LABEL = 8
_LONGEST = 400


def verdict_lines(account: Account, *, report: str, width: int) -> Iterator[str]:
    """The lines under the headline: why, what to do next, where the report is."""
    yield from reason_lines(account, shown=_SHOWN_REASONS, width=width)
    yield f"{'report':<{_LABEL}}{report}"


def reason_lines(account: Account, *, shown: int, width: int) -> Iterator[str]:
    """Why, in so many reasons, what should be known, and what to do next."""
    texts = [reason.text for reason in account.reasons] or [account.sentence]
    yield from labelled("why", texts[:shown], width=width)
    if len(texts) > shown:
        more = f"and {len(texts) - shown} more in the report"
        yield from labelled("", [more], width=width)
    yield from labelled("found", _findings(account), width=width)
    notes = [*account.verdict.notes]
    if account.not_covered:
        names = (gap.partition(":")[0] for gap in account.not_covered)
        notes.append(f"not covered: {', '.join(names)}")
    yield from labelled("note", notes[:_SHOWN_NOTES], width=width)
    yield from labelled("next", [account.next_step], width=width)


def _findings(account: Account) -> Iterator[str]:
    """What checks of security found: the worst of it, each with where and how to mend it."""
    yield from map(_finding, account.findings[:_SHOWN_FINDINGS])
    if len(account.findings) > _SHOWN_FINDINGS:
        yield f"and {len(account.findings) - _SHOWN_FINDINGS} more findings in the report"


def _finding(one: JudgedFinding) -> str:
    finding = one.finding
    where = places_of(one, shown=_SHOWN_PLACES)
    return (
        f"{standing_of(one)}: {finding.title}, at {where}. {finding.remedy} "
        f"[{finding.rule} {finding.fingerprint}]"
    )


def labelled(label: str, texts: Iterable[str], *, width: int) -> Iterator[str]:
    """Texts as paragraphs of at most `width` characters, the first of them with a label."""
    for text in map(_printable, texts):
        first, *others = textwrap.wrap(
            text, max(width - _LABEL, 40), break_long_words=False, break_on_hyphens=False
        ) or [""]
        yield f"{label:<{_LABEL}}{first}"
        yield from (f"{'':<{_LABEL}}{line}" for line in others)
        label = ""


def _printable(text: str) -> str:
    """`text` on one line, without what would control the terminal: a target may have sent it."""
    shown = textwrap.shorten(text, _LONGEST, placeholder=" ...")
    return "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in shown)
