"""Makes the page of an account, and of what pytest-html collected of its checks."""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from deployment_gate.evidence import FROM_BEST_TO_WORST, CheckOutcome, Outcome
from deployment_gate.reports.page.draft import DraftCheck, Extra, read_draft
from deployment_gate.reports.page.figures import figures_of
from deployment_gate.reports.page.verdict import render_verdict_block, title_of

if TYPE_CHECKING:
    import jinja2

    from deployment_gate.reports.account import Account

_HERE = Path(__file__).parent

_LOG_OF_A_PASS = 2_000
"""Characters of a passed check's log that are shown."""

_LOGS_OF_PASSES = 1_000_000
"""Characters of the logs of all passed checks together that are shown: nobody reads more, and the
page must open at once."""

_LOG_OF_A_FAILURE = 60_000
_TOLD_IN_SHORT = frozenset({Outcome.PASSED, Outcome.FLAKY})
"""Outcomes that nobody need look at first."""


@dataclass(frozen=True, slots=True)
class CheckShown:
    """A check as the page shows it."""

    name: str
    file: str
    category: str
    outcome: str
    duration: str
    message: str
    sections: tuple[tuple[str, str], ...]
    extras: tuple[Extra, ...]

    @property
    def is_open(self) -> bool:
        """Whether it is shown in full: all but what passed at once."""
        return self.outcome != Outcome.PASSED.value

    @property
    def has_more(self) -> bool:
        """Whether there is more to show than its name."""
        return bool(self.sections or self.extras)


def render_page(account: Account, draft: str | None) -> str:
    """The whole page.

    Args:
        account: What to say.
        draft: What pytest-html wrote; None where it wrote nothing.
    """
    checks = _shown(account, read_draft(draft))
    passed: dict[str, list[CheckShown]] = {}
    for check in checks:
        if not check.is_open:
            passed.setdefault(check.category, []).append(check)
    counts = Counter(check.outcome for check in checks)
    style, script = _asset("page.css"), _asset("page.js")
    return _template().render(
        title=title_of(account),
        verdict=render_verdict_block(account),
        figures=[*figures_of(account)],
        checks=checks,
        passed_by_category=sorted(passed.items()),
        counts=[(one.value, counts[one.value]) for one in _WORST_FIRST if counts[one.value]],
        left_out=[check for check in account.evidence.plan if check.left_out is not None],
        style=style,
        style_hash=_hash(style),
        script=script,
        script_hash=_hash(script),
    )


_WORST_FIRST = tuple(reversed(FROM_BEST_TO_WORST))


def _shown(account: Account, drafts: dict[str, DraftCheck]) -> list[CheckShown]:
    """All checks, the worst first, and in the order of their names."""
    categories = {check.id: check.category for check in account.evidence.plan}
    by_need = sorted(
        account.evidence.outcomes, key=lambda one: (_WORST_FIRST.index(one.outcome), one.id)
    )
    left = _LOGS_OF_PASSES
    shown = []
    for outcome in by_need:
        draft = drafts.get(outcome.id, DraftCheck())
        limit = _LOG_OF_A_FAILURE
        if outcome.outcome in _TOLD_IN_SHORT:
            limit = min(_LOG_OF_A_PASS, left)
        sections = tuple(_cut(draft.sections, limit))
        if outcome.outcome in _TOLD_IN_SHORT:
            left -= sum(len(text) for _, text in sections)
        shown.append(_check(outcome, categories.get(outcome.id, ""), sections, draft.extras))
    return shown


def _check(
    outcome: CheckOutcome,
    category: str,
    sections: tuple[tuple[str, str], ...],
    extras: Sequence[Extra],
) -> CheckShown:
    file, _, name = outcome.id.partition("::")
    return CheckShown(
        name=name.removeprefix("test_").replace("_", " "),
        file=outcome.id if name else file,
        category=category,
        outcome=outcome.outcome.value,
        duration=_duration(outcome.duration_s),
        message=outcome.message,
        sections=sections,
        extras=tuple(extras),
    )


def _cut(sections: Sequence[tuple[str, str]], limit: int) -> list[tuple[str, str]]:
    """As much of a log as there is room for."""
    kept = []
    for name, text in sections:
        if limit <= 0:
            break
        more = f"\n... ({len(text)} characters)" if len(text) > limit else ""
        kept.append((name, f"{text[:limit]}{more}"))
        limit -= len(text)
    return kept


def _duration(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds >= 1 else f"{seconds * 1000:.0f} ms"


@cache
def _asset(name: str) -> str:
    return (_HERE / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    """A part of the page as a content policy names it (CSP Level 3, 2.3.1)."""
    digest = hashlib.sha256(text.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"


@cache
def _template() -> jinja2.Template:
    import jinja2  # noqa: PLC0415  # only who writes a page pays for it

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_HERE),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters["words"] = lambda outcome: outcome.replace("_", " ")
    environment.filters["safe_link"] = _safe_link
    return environment.get_template("page.html.j2")


def _safe_link(address: str) -> str:
    """An address that leads to a page or a file; a script is none."""
    scheme = urlsplit(address).scheme
    return address if scheme in {"", "http", "https"} else "#"
