"""Makes the page of an account, and of what pytest-html collected of its checks."""

from __future__ import annotations

import base64
import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from deployment_gate.evidence import FROM_BEST_TO_WORST, CheckOutcome, Outcome
from deployment_gate.reports.page.draft import SAID, DraftCheck, Extra, read_draft
from deployment_gate.reports.page.verdict import render_verdict_block, title_of

if TYPE_CHECKING:
    import jinja2

    from deployment_gate.reports.account import Account

_HERE = Path(__file__).parent

_LOG_OF_A_PASS = 2_000
"""Characters of a passed check's log that are shown."""

_LOG_OF_A_FAILURE = 60_000
_LOGS_OF_PASSES = 500_000
_LOGS_OF_FAILURES = 1_200_000
_PICTURES = 2_400_000
"""Characters of all logs and pictures together: a page of more doesn't open at once, and nobody
reads it to its end."""

_WORST_FIRST = tuple(reversed(FROM_BEST_TO_WORST))
_TOLD_IN_SHORT = frozenset({Outcome.PASSED, Outcome.FLAKY})
"""Outcomes whose logs nobody need look at first."""

_GROUPED = frozenset({Outcome.NOT_RUN, Outcome.SKIPPED})
"""Outcomes that many checks have for one and the same reason."""

_REQUESTS = "requests"
"""The part of a log that says what a check sent and received."""

_SEEN_AT_ONCE = 4_000
"""Characters of requests and answers that are seen without a click, the last of them."""

_BETWEEN_REQUESTS = "\n\n"
_LINK = re.compile(r"https?://[^\s\"'<>\\]+|(?!/)[\w./ %~\[\]()@+,=-]+")
_COMMAND = re.compile(r"^\$ (curl .*)\n?", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a check's log.

    Attributes:
        name: Its heading.
        pieces: Its text in pieces, and whether each is a command to be copied.
        is_open: Whether it is seen at once.
    """

    name: str
    pieces: tuple[tuple[bool, str], ...]
    is_open: bool


@dataclass(frozen=True, slots=True)
class CheckShown:
    """A check as the page shows it."""

    name: str
    id: str
    category: str
    outcome: str
    duration: str
    message: str
    parts: tuple[Part, ...]
    extras: tuple[Extra, ...]
    pictures_left_out: int

    @property
    def has_more(self) -> bool:
        """Whether there is more to show than its name."""
        return bool(self.parts or self.extras or self.pictures_left_out)


@dataclass(frozen=True, slots=True)
class Group:
    """Checks of which there is little to say, and the same of all.

    Attributes:
        title: How many, and of what.
        outcome: How all of them ended.
        message: Why.
        checks: They.
    """

    title: str
    outcome: str
    message: str
    checks: tuple[CheckShown, ...]


def render_page(account: Account, draft: str | None) -> str:
    """The whole page.

    Args:
        account: What to say.
        draft: What pytest-html wrote; None where it wrote nothing.
    """
    from deployment_gate.reports.page.figures import figures_of  # noqa: PLC0415  # plots are heavy

    checks = [*_shown(account, read_draft(draft))]
    counts = Counter(check.outcome for check in checks)
    style, script = _asset("page.css"), _asset("page.js")
    grouped = {one.value for one in _GROUPED} | {Outcome.PASSED.value}
    return _template().render(
        title=title_of(account),
        verdict=render_verdict_block(account),
        figures=[*figures_of(account)],
        checks=[check for check in checks if check.outcome not in grouped],
        groups=[*_groups(check for check in checks if check.outcome in grouped)],
        counts=[(one.value, counts[one.value]) for one in _WORST_FIRST if counts[one.value]],
        left_out=[check for check in account.evidence.plan if check.left_out is not None],
        style=style,
        style_hash=_hash(style),
        script=script,
        script_hash=_hash(script),
    )


def _groups(checks: Iterable[CheckShown]) -> Iterator[Group]:
    """What was left undone, by its reason; then what passed, by its category."""
    found: defaultdict[tuple[str, str], list[CheckShown]] = defaultdict(list)
    for check in checks:
        is_passed = check.outcome == Outcome.PASSED.value
        found[check.outcome, check.category if is_passed else check.message].append(check)
    for (outcome, key), some in sorted(
        found.items(), key=lambda one: (one[0][0] == Outcome.PASSED.value, one[0])
    ):
        words = outcome.replace("_", " ")
        if outcome == Outcome.PASSED.value:
            title = f"{key or 'other checks'}: {len(some)} {words}"
            yield Group(title, outcome, "", tuple(some))
        else:
            yield Group(f"{len(some)} {words}", outcome, key, tuple(some))


def _shown(account: Account, drafts: dict[str, DraftCheck]) -> Iterator[CheckShown]:
    """All checks, the worst first, and in the order of their names."""
    categories = {check.id: check.category for check in account.evidence.plan}
    by_need = sorted(
        account.evidence.outcomes, key=lambda one: (_WORST_FIRST.index(one.outcome), one.id)
    )
    room = {True: _LOGS_OF_PASSES, False: _LOGS_OF_FAILURES}
    most = {True: _LOG_OF_A_PASS, False: _LOG_OF_A_FAILURE}
    pictures = _chosen_pictures([drafts[one.id].extras for one in by_need if one.id in drafts])
    for outcome in by_need:
        draft = drafts.get(outcome.id, DraftCheck())
        is_short = outcome.outcome in _TOLD_IN_SHORT
        sections = [] if outcome.outcome in _GROUPED else draft.sections
        cut = _cut(sections, min(most[is_short], room[is_short]))
        room[is_short] -= sum(_size(text) for _, text in cut)
        extras = tuple(one for one in draft.extras if not one.picture or id(one) in pictures)
        file, _, name = outcome.id.partition("::")
        yield CheckShown(
            name=_name(name or file),
            id=outcome.id,
            category=categories.get(outcome.id, ""),
            outcome=outcome.outcome.value,
            duration=_duration(outcome),
            message=outcome.message,
            parts=tuple(_parts(cut, is_open=not is_short)),
            extras=extras,
            pictures_left_out=len(draft.extras) - len(extras),
        )


def _name(name: str) -> str:
    """A check's name as words; its parameters as they are."""
    path, bracket, parameters = name.partition("[")
    words = ": ".join(
        one.removeprefix("test_").replace("_", " ").strip() for one in path.split("::")
    )
    return f"{words} {bracket}{parameters}" if bracket else words


def _chosen_pictures(extras: Sequence[Sequence[Extra]]) -> set[int]:
    """The pictures that there is room for, each check's first before any second one.

    Args:
        extras: What was attached to each check, in the order of need.
    """
    by_check = [[one for one in some if one.picture] for some in extras]
    chosen: set[int] = set()
    left = _PICTURES
    for turn in range(max(map(len, by_check), default=0)):
        for pictures in by_check:
            if turn < len(pictures) and (len(pictures[turn].picture) <= left or not chosen):
                chosen.add(id(pictures[turn]))
                left -= len(pictures[turn].picture)
    return chosen


def _cut(sections: Sequence[tuple[str, str]], limit: int) -> list[tuple[str, str]]:
    """As much of a log as there is room for: of requests the last, of all else the beginning."""
    kept = []
    for name, text in sections:
        if limit <= 0:
            break
        shown = text
        if _size(text) > limit:
            told = f"... ({len(text)} characters)"
            part = limit * len(text) // _size(text)
            if name == _REQUESTS:
                _, found, end = text[-part:].partition(_BETWEEN_REQUESTS)
                shown = f"{told}{_BETWEEN_REQUESTS}{end}" if found else f"{text[:part]}\n{told}"
            else:
                shown = f"{text[:part]}\n{told}"
        kept.append((name, shown))
        limit -= _size(shown)
    return kept


def _size(text: str) -> int:
    """How many characters a text has on the page."""
    return len(escape(text))


def _parts(sections: Iterable[tuple[str, str]], *, is_open: bool) -> Iterator[Part]:
    """A log as it is shown: what was said first is open, and the last requests."""
    for name, text in sections:
        if name != _REQUESTS:
            is_said = name in SAID.values()
            yield Part(name or "what it said", ((False, text),), is_open and is_said)
            continue
        exchanges = text.split(_BETWEEN_REQUESTS)
        last = len(exchanges) - 1
        while last and sum(map(len, exchanges[last - 1 :])) <= _SEEN_AT_ONCE:
            last -= 1
        shown, before = exchanges[last:], exchanges[:last]
        title = "request and answer" if len(shown) == 1 else f"{len(shown)} requests and answers"
        if before:
            title = f"the last {title}"
        yield Part(title, tuple(_pieces(_BETWEEN_REQUESTS.join(shown))), is_open)
        if before:
            title = f"{len(before)} before"
            yield Part(title, tuple(_pieces(_BETWEEN_REQUESTS.join(before))), is_open=False)


def _pieces(text: str) -> Iterator[tuple[bool, str]]:
    """A text, and the commands in it."""
    for number, piece in enumerate(_COMMAND.split(text)):
        if piece:
            yield number % 2 == 1, piece


def _duration(outcome: CheckOutcome) -> str:
    seconds = outcome.duration_s
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
    """An address that leads to another page or to a file beside this one; "" of all others."""
    return address if _LINK.fullmatch(address) else ""
