"""The part of the page that says the verdict and why: the same for the same account."""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import escape
from typing import TYPE_CHECKING

from deployment_gate.reports.account import Account, format_time, places_of, standing_of

if TYPE_CHECKING:
    from deployment_gate.judgement import JudgedFinding

_SHOWN_PLACES = 20


def render_verdict_block(account: Account) -> str:
    """The verdict, its reasons and the run, as plain HTML."""
    return f"""<section class="verdict verdict-{account.verdict.decision}">
<h1>{account.headline}</h1>
<p>{escape(account.subject)}</p>
<p><strong>{escape(account.sentence)}</strong> {escape(account.next_step)}</p>
{_list("Why", (reason.text for reason in account.reasons))}
{_list("To know", account.verdict.notes)}
{_findings(account)}
{_triggers(account)}
{_list("Not covered", account.not_covered)}
<h2>Run</h2>
<table><tbody>{_rows(account)}</tbody></table>
</section>"""


def title_of(account: Account) -> str:
    """The title of the page: the verdict and the environment."""
    return re.sub(r"[^\w .:-]", "", f"{account.headline}: {account.run.environment}")


def _list(title: str, items: Iterable[str]) -> str:
    entries = "".join(f"<li>{escape(item)}</li>" for item in items)
    return f"<h2>{title}</h2><ul>{entries}</ul>" if entries else ""


def _findings(account: Account) -> str:
    """What was found, the worst first; nothing where nothing was."""
    told = "".join(map(_finding, account.findings))
    return f"<h2>Findings</h2>{told}" if told else ""


def _finding(one: JudgedFinding) -> str:
    finding = one.finding
    return (
        f'<article class="finding"><h3><span class="outcome {finding.severity}">'
        f"{escape(standing_of(one))}</span> {escape(finding.title)}</h3>"
        f"<p>{escape(finding.detail)}{escape(one.beside())}</p>"
        f"<p>Where: {escape(places_of(one, shown=_SHOWN_PLACES))}</p>"
        f"<p>Mend: {escape(finding.remedy)}</p>"
        f'<p class="where">{escape(finding.rule)}, {escape(finding.source)}, fingerprint '
        f"{escape(finding.fingerprint)}</p></article>"
    )


def _triggers(account: Account) -> str:
    rows = "".join(
        f"<tr><th>{escape(trigger.name)}</th><td>{trigger.state}</td>"
        f"<td>{trigger.bad} of {trigger.total}</td><td>{escape(trigger.phrase)}</td>"
        f"<td>{escape(trigger.why)}</td></tr>"
        for trigger in account.verdict.triggers
    )
    if not rows:
        return ""
    return (
        '<h2>Triggers</h2><div class="scroll" tabindex="0"><table><thead><tr><th>trigger</th>'
        "<th>state</th><th>bad</th><th>condition</th><th>why</th></tr></thead>"
        f"<tbody>{rows}</tbody></table></div>"
    )


def _rows(account: Account) -> str:
    rows = {
        "Checks": account.counts,
        "Started": format_time(account.run.started),
        "Saw": account.looked,
        **({"By": account.run.by} if account.run.by else {}),
        **{f"Health of {name}": url for name, url in account.health_endpoints.items()},
        "Run": account.run.id,
        "Tool": account.run.tool,
    }
    return "".join(
        f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in rows.items()
    )
