"""`summary.md`: the verdict for a merge request or a chat."""

from __future__ import annotations

import re
from collections.abc import Iterable

from deployment_gate.judgement import JudgedFinding
from deployment_gate.reports.account import Account, format_time, places_of, standing_of

_SHOWN = 20
_SHOWN_PLACES = 10

# CommonMark 0.31 and GitHub's tables: an underscore only marks up beside a word, an ampersand
# before a reference, and the signs of headings, quotes, lists and rules at the beginning.
_MARKUP = re.compile(r"[\\|<*\[`~]|(?<![^\W_])_|_(?![^\W_])|&(?=[#\w])|^[#>+=-]")
_NUMBERING = re.compile(r"^(\d{1,9})(?=[.)])")


def render_summary(account: Account) -> str:
    """The text of `summary.md`."""
    lines = [
        f"# {account.headline}: {_cell(account.subject)}",
        "",
        f"**{_cell(account.sentence)}** {account.next_step}",
        "",
        *_section("Why", (f"{reason.decision}: {reason.text}" for reason in account.reasons)),
        *_section("To know", account.verdict.notes),
        *_section("Findings", map(_finding, account.findings)),
        "| trigger | state | bad | of | condition |",
        "|---|---|---|---|---|",
        *(
            f"| {trigger.name} | {trigger.state} | {trigger.bad} | {trigger.total} "
            f"| {_cell(trigger.phrase)} |"
            for trigger in account.verdict.triggers
        ),
        "",
        f"Checks: {account.counts}. {account.looked}, from {format_time(account.run.started)}.",
        "",
        *_section("Not covered", account.not_covered),
        *_section(
            "Left out",
            (
                f"{check.id}: {check.left_out}"
                for check in account.evidence.plan
                if check.left_out is not None
            ),
        ),
        f"Run {account.run.id}, {account.run.tool}.",
    ]
    return "\n".join(lines) + "\n"


def _finding(one: JudgedFinding) -> str:
    finding = one.finding
    return (
        f"{standing_of(one)}: {finding.title}: {finding.detail}{one.beside()} "
        f"At {places_of(one, shown=_SHOWN_PLACES)}. {finding.remedy} "
        f"({finding.rule}, {finding.fingerprint})"
    )


def _section(title: str, items: Iterable[str]) -> list[str]:
    texts = list(items)
    if not texts:
        return []
    more = [f"- and {len(texts) - _SHOWN} more"] if len(texts) > _SHOWN else []
    return [f"## {title}", "", *(f"- {_cell(text)}" for text in texts[:_SHOWN]), *more, ""]


def _cell(text: str) -> str:
    """`text` on one line, with nothing that Markdown would take for markup."""
    return _NUMBERING.sub(r"\1\\", _MARKUP.sub(r"\\\g<0>", " ".join(text.split())))
