"""`report.html`: pytest-html's report with the verdict above its table of checks."""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import escape

from deployment_gate.reports.account import Account, format_time, places_of, standing_of

TITLE = "title-of-the-deployment-gate"
"""Stands for the report's title, until the verdict is known."""

VERDICT = "<!-- the deployment gate's verdict -->"
"""Stands for the verdict, until it is known."""

_PAGE = (
    f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>{TITLE}</title></head>'
    f'<body style="font-family:sans-serif">{VERDICT}</body></html>\n'
)

_SHOWN_PLACES = 20

_STYLE = """
<style>
.verdict{color:#1a1a1a;border-left:.5rem solid var(--verdict);padding:.25rem 1rem;margin:1rem 0;
 max-width:60rem}
.verdict h3{color:inherit}.verdict h2{color:var(--verdict);font-size:1.6rem;margin:.25rem 0}
.verdict table{border-collapse:collapse}.verdict td,.verdict th{text-align:left;padding:.2rem .8rem
 .2rem 0;vertical-align:top;color:inherit}
.verdict-promote{--verdict:#116329}.verdict-hold{--verdict:#7d4e00}
.verdict-rollback{--verdict:#a40e26}
</style>
"""


def render_verdict_block(account: Account) -> str:
    """The part of the report that says the verdict and why; plain HTML, no script."""
    return f"""{_STYLE}<section class="verdict verdict-{account.verdict.decision}">
<h2>{account.headline}</h2>
<p>{escape(account.subject)}</p>
<p><strong>{escape(account.sentence)}</strong> {escape(account.next_step)}</p>
{_list("Why", (reason.text for reason in account.reasons))}
{_list("To know", account.verdict.notes)}
{_findings(account)}
<h3>Triggers</h3>
<table><thead><tr><th>trigger</th><th>state</th><th>bad</th><th>of</th><th>condition</th>
<th>why</th></tr></thead><tbody>{_triggers(account)}</tbody></table>
{_list("Not covered", account.not_covered)}
<h3>Run</h3>
<table><tbody>{_rows(account)}</tbody></table>
</section>"""


def finish_html(draft: str | None, account: Account) -> str:
    """pytest-html's report with title and verdict in the places that were left for them.

    Args:
        draft: What pytest-html wrote; None where it wrote nothing.
        account: What to say.
    """
    page = (draft or _PAGE).replace(TITLE, title_of(account))
    return page.replace(VERDICT, render_verdict_block(account))


def title_of(account: Account) -> str:
    """The title of the page: the verdict and the environment."""
    return re.sub(r"[^\w .:-]", "", f"{account.headline}: {account.run.environment}")


def _list(title: str, items: Iterable[str]) -> str:
    entries = "".join(f"<li>{escape(item)}</li>" for item in items)
    return f"<h3>{title}</h3><ul>{entries}</ul>" if entries else ""


def _findings(account: Account) -> str:
    """What was found, the worst first; nothing where nothing was."""
    rows = "".join(
        f"<tr><td>{escape(standing_of(one))}</td>"
        f"<td><strong>{escape(one.finding.title)}</strong>: {escape(one.finding.detail)}"
        f"{escape(one.beside())}</td>"
        f"<td>{escape(places_of(one, shown=_SHOWN_PLACES))}</td>"
        f"<td>{escape(one.finding.remedy)}</td>"
        f"<td>{escape(one.finding.rule)}</td><td>{escape(one.finding.fingerprint)}</td></tr>"
        for one in account.findings
    )
    if not rows:
        return ""
    return (
        "<h3>Findings</h3><table><thead><tr><th>severity</th><th>what</th><th>where</th>"
        f"<th>remedy</th><th>rule</th><th>fingerprint</th></tr></thead><tbody>{rows}</tbody></table>"
    )


def _triggers(account: Account) -> str:
    return "".join(
        f"<tr><td>{escape(trigger.name)}</td><td>{trigger.state}</td><td>{trigger.bad}</td>"
        f"<td>{trigger.total}</td><td>{escape(trigger.phrase)}</td>"
        f"<td>{escape(trigger.why)}</td></tr>"
        for trigger in account.verdict.triggers
    )


def _rows(account: Account) -> str:
    rows = {
        "Checks": account.counts,
        "Started": format_time(account.run.started),
        "Saw": account.looked,
        **{f"Health of {name}": url for name, url in account.health_endpoints.items()},
        "Run": account.run.id,
        "Tool": account.run.tool,
    }
    return "".join(
        f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in rows.items()
    )
