"""`summary.md`: the verdict for a merge request or a chat."""

from __future__ import annotations

from collections.abc import Iterable

from deployment_gate.reports.account import Account, format_time

_SHOWN = 20


def render_summary(account: Account) -> str:
    """The text of `summary.md`."""
    lines = [
        f"# {account.headline}: {_cell(account.subject)}",
        "",
        f"**{_cell(account.sentence)}** {account.next_step}",
        "",
        *_section("Why", (f"{reason.decision}: {reason.text}" for reason in account.reasons)),
        *_section("To know", account.verdict.notes),
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


def _section(title: str, items: Iterable[str]) -> list[str]:
    texts = list(items)
    if not texts:
        return []
    more = [f"- and {len(texts) - _SHOWN} more"] if len(texts) > _SHOWN else []
    return [f"## {title}", "", *(f"- {_cell(text)}" for text in texts[:_SHOWN]), *more, ""]


def _cell(text: str) -> str:
    """`text` on one line, with nothing that Markdown would take for markup."""
    escaped = " ".join(text.split()).replace("\\", "\\\\")
    for sign in "|<*[`":
        escaped = escaped.replace(sign, f"\\{sign}")
    return escaped
