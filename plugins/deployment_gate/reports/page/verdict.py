"""The part of the page that says the verdict and why: the same for the same account."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING

from deployment_gate.evidence import ObservationKind
from deployment_gate.judgement import TriggerState
from deployment_gate.reports.account import Account, format_time, places_of, standing_of

if TYPE_CHECKING:
    from deployment_gate.judgement import JudgedFinding, TriggerResult

_SHOWN_PLACES = 20
_SHOWN = 8
"""Entries of a list that are shown at once; the others are a click away."""

_BY_NEED = (
    TriggerState.FIRED,
    TriggerState.SUSPECTED,
    TriggerState.UNOBSERVED,
    TriggerState.CLEAR,
)


def render_verdict_block(account: Account) -> str:
    """The verdict, its reasons and the run, as plain HTML."""
    reasons = [reason.text for reason in account.reasons]
    if len(reasons) == 1:
        # The sentence says it.
        reasons = []
    return f"""<section class="verdict verdict-{account.verdict.decision}">
<h1>{account.headline}</h1>
<p class="subject">{escape(account.subject)}</p>
<p class="next">{escape(account.next_step)}</p>
<p><strong>{escape(account.sentence)}</strong></p>
{_list("Why", reasons)}
{_list("To know", account.verdict.notes)}
{_findings(account)}
{_triggers(account)}
{_list("Not covered", account.not_covered)}
<h2>Run</h2>
{_table(_run(account))}
<details><summary>Addresses and versions</summary>
{_table(_addresses(account))}
</details>
</section>"""


def title_of(account: Account) -> str:
    """The title of the page: the verdict and the environment."""
    return re.sub(r"[^\w .:-]", "", f"{account.headline}: {account.run.environment}")


def _list(title: str, items: Sequence[str]) -> str:
    if not items:
        return ""
    more = ""
    # One more is as short as to say that there is one more.
    if len(items) > _SHOWN + 1:
        hidden = _entries(items[_SHOWN:])
        more = f"<details><summary>{len(items) - _SHOWN} more</summary>{hidden}</details>"
        items = items[:_SHOWN]
    return f"<h2>{title}</h2>{_entries(items)}{more}"


def _entries(items: Iterable[str]) -> str:
    return f"<ul>{''.join(f'<li>{escape(item)}</li>' for item in items)}</ul>"


def _findings(account: Account) -> str:
    """What was found, the worst first; nothing where nothing was."""
    told = "".join(map(_finding, account.findings))
    return f"<h2>Findings</h2>{told}" if told else ""


def _finding(one: JudgedFinding) -> str:
    finding = one.finding
    seen = "\n\n".join(
        text for text in (finding.curl and f"$ {finding.curl}", finding.exchange) if text
    )
    shown = (
        f"<details><summary>Request and answer</summary><pre>{escape(seen)}</pre></details>"
        if seen
        else ""
    )
    return (
        f'<article class="finding"><h3><span class="outcome {finding.severity}">'
        f"{escape(standing_of(one))}</span> {escape(finding.title)}</h3>"
        f"<p>{escape(finding.detail)}{escape(one.beside())}</p>"
        f"<p>Where: {escape(places_of(one, shown=_SHOWN_PLACES))}</p>"
        f"<p>Mend: {escape(finding.remedy)}</p>{shown}"
        f'<p class="where">{escape(finding.rule)}, {escape(finding.source)}, fingerprint '
        f"{escape(finding.fingerprint)}</p></article>"
    )


def _triggers(account: Account) -> str:
    """How each trigger stands, what fired first."""
    ordered = sorted(account.verdict.triggers, key=lambda one: _BY_NEED.index(one.state))
    told = "".join(map(_trigger, ordered))
    return f'<h2>Triggers</h2><ul class="triggers">{told}</ul>' if told else ""


def _trigger(one: TriggerResult) -> str:
    count = f"{one.bad} of {one.total}"
    told = [] if count in one.why or not one.total else [f"{count} bad"]
    return (
        f'<li><span class="outcome {one.state}">{one.state}</span> '
        f"<strong>{escape(one.name)}</strong> <span>{escape(one.phrase)}</span>"
        f"<p>{escape('; '.join([one.why, *told] if one.why else told))}</p></li>"
    )


def _run(account: Account) -> dict[str, str]:
    return {
        "Checks": account.counts,
        "Started": format_time(account.run.started),
        "Saw": account.looked,
        **({"By": account.run.by} if account.run.by else {}),
        **{f"Grade of {place}": told for place, told in _grades(account)},
    }


def _grades(account: Account) -> Iterator[tuple[str, str]]:
    """How the headers of pages would be graded, where they were."""
    for one in account.evidence.observations:
        if one.kind is ObservationKind.GRADE:
            facts = one.facts
            yield one.subject, f"{facts.get('grade')}, {facts.get('points')} points (Observatory)"


def _addresses(account: Account) -> dict[str, str]:
    return {
        **{f"Health of {name}": url for name, url in account.health_endpoints.items()},
        "Run": account.run.id,
        "Tool": account.run.tool,
    }


def _table(rows: Mapping[str, str]) -> str:
    told = "".join(
        f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in rows.items()
    )
    return f'<table class="run"><tbody>{told}</tbody></table>'
