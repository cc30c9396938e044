"""`index.html`: the history as a page, one file that needs neither a script nor a network."""

from __future__ import annotations

import base64
import hashlib
import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from deployment_gate.judgement import Decision
from deployment_gate.reports.account import format_time
from deployment_gate.reports.criteria import (
    Criterion,
    FlakyCheck,
    flaky_checks,
    format_seconds,
    format_share,
    success_criteria,
)
from deployment_gate.reports.files import explained, write_atomically
from deployment_gate.reports.history import (
    HISTORY,
    Entry,
    History,
    alone_with,
    read_history,
)

if TYPE_CHECKING:
    import jinja2

PAGE = "index.html"
"""The name of the file."""

_HERE = Path(__file__).parent
_MOST_PLOTTED = 100
_MOST_VERDICTS = 60
_MOST_ROWS = 20
_MOST_FLAKY = 20
_LARGEST_VERDICT = 2**22
_A_LINE = 2
"""So many points make a line."""


@dataclass(frozen=True, slots=True)
class _Curve:
    """What is drawn over the runs."""

    title: str
    value: Callable[[Entry], float | None]
    limit: Callable[[Entry], float | None]
    is_time: bool
    is_good_below: bool

    def shown(self, value: float) -> str:
        """A value as people read it."""
        return format_seconds(value) if self.is_time else format_share(value)


_CURVES = (
    _Curve(
        "Answers, 95th percentile",
        lambda one: one.answers.p95_s,
        lambda one: one.limits.answers_p95_s,
        is_time=True,
        is_good_below=True,
    ),
    _Curve(
        "Page loads, 95th percentile",
        lambda one: one.pages.p95_s,
        lambda one: one.limits.pages_p95_s,
        is_time=True,
        is_good_below=True,
    ),
    _Curve(
        "Error rate",
        lambda one: one.errors.fraction,
        lambda one: one.limits.error_rate,
        is_time=False,
        is_good_below=True,
    ),
    _Curve(
        "Availability of health endpoints",
        lambda one: one.availability.fraction,
        lambda one: one.limits.availability,
        is_time=False,
        is_good_below=False,
    ),
)


@dataclass(frozen=True, slots=True)
class _Figure:
    """A curve as the page shows it: a plot, where there is a line to draw, and what it says."""

    title: str
    svg: str
    told: str


@dataclass(frozen=True, slots=True)
class _Row:
    """A run as the page lists it."""

    verdict: str
    ended: str
    release: str
    subject: str
    scope: str
    sentence: str
    checks: str
    answers: str
    errors: str
    health: str
    took: str
    link: str


@dataclass(frozen=True, slots=True)
class _Section:
    """What the page says of one environment."""

    name: str
    anchor: str
    last: _Row
    verdicts: tuple[_Row, ...]
    rows: tuple[_Row, ...]
    runs: int
    figures: tuple[_Figure, ...]
    criteria: tuple[Criterion, ...]
    flaky: tuple[FlakyCheck, ...]
    more_flaky: int


def write_history_page(folder: Path) -> Path:
    """Write the page of a folder's history beside it, at once.

    Raises:
        ReportError: The history can't be read, or the page not be written.
    """
    path, page = folder / HISTORY, folder / PAGE
    # Alone, so that no run that ends meanwhile is missing on the page that is written last.
    with explained(path), path.open("rb") as file, alone_with(file, path):
        history = read_history([path])
        write_atomically(page, render_history(history, reports_beside(folder, history)))
    return page


def reports_beside(folder: Path, history: History) -> dict[str, str]:
    """Where the reports of runs are that are still there: a run's id -> a link from the page."""
    places = [folder, *(folder / name for name in history.by_environment if _is_name(name))]
    links = {}
    for place in places:
        try:
            with (place / "verdict.json").open("rb") as file:
                told = json.loads(file.read(_LARGEST_VERDICT))
            run = told["run"]
        except (OSError, ValueError, TypeError, KeyError):
            continue
        if isinstance(run, str) and (place / "report.html").is_file():
            links[run] = quote((place / "report.html").relative_to(folder).as_posix())
    return links


def _is_name(name: str) -> bool:
    """Whether a text names a folder here, and none elsewhere: a line may come from anywhere."""
    return name not in {"", ".", ".."} and os.sep not in name and "\0" not in name


def render_history(history: History, links: Mapping[str, str]) -> str:
    """The text of `index.html`.

    Args:
        history: What to show.
        links: Where the reports of runs are, by the run's id.
    """
    sections = [
        _section(name, f"environment-{number}", entries, links)
        for number, (name, entries) in enumerate(history.by_environment.items(), start=1)
    ]
    style = _style()
    return _template().render(
        sections=sections,
        remarks=(*history.faults, *history.notes),
        as_of=format_time(history.entries[-1].ended) if history.entries else "",
        runs=len(history.entries),
        style=style,
        style_hash=base64.b64encode(hashlib.sha256(style.encode()).digest()).decode(),
    )


def _section(
    name: str, anchor: str, entries: Sequence[Entry], links: Mapping[str, str]
) -> _Section:
    rows = tuple(_row(one, links) for one in entries[-_MOST_VERDICTS:])
    drawn = entries[-_MOST_PLOTTED:]
    flaky = flaky_checks(entries)
    figures = (_figure(name, curve, drawn) for curve in _CURVES)
    return _Section(
        name=name,
        anchor=anchor,
        last=rows[-1],
        verdicts=rows,
        rows=rows[: -_MOST_ROWS - 1 : -1],
        runs=len(entries),
        figures=tuple(one for one in figures if one),
        criteria=success_criteria(entries),
        flaky=flaky[:_MOST_FLAKY],
        more_flaky=len(flaky[_MOST_FLAKY:]),
    )


def _row(run: Entry, links: Mapping[str, str]) -> _Row:
    passed = sum(count for name, count in run.outcomes.items() if name in {"passed", "flaky"})
    release = f"release {run.release}" if run.release else "no release named"
    p95 = run.answers.p95_s
    return _Row(
        verdict=run.verdict.value,
        ended=format_time(run.ended),
        release=run.release or "-",
        subject=f"{release}, {run.scope}",
        scope=run.scope,
        sentence=run.sentence,
        checks=f"{passed} of {run.planned}",
        answers="" if p95 is None else format_seconds(p95),
        errors=f"{run.errors.count} of {run.errors.of}" if run.errors.of else "",
        health=f"{run.availability.count} of {run.availability.of}" if run.availability.of else "",
        took=format_seconds(run.duration_s),
        link=links.get(run.run, ""),
    )


def _figure(environment: str, curve: _Curve, entries: Sequence[Entry]) -> _Figure | None:
    """A curve of the runs; None where no run saw what it is of."""
    values = [value for one in entries if (value := curve.value(one)) is not None]
    if not values:
        return None
    limits = [limit for one in entries if (limit := curve.limit(one)) is not None]
    limit = limits[-1] if limits else None
    worst = max(values) if curve.is_good_below else min(values)
    told = f"Last {curve.shown(values[-1])}"
    if len(values) >= _A_LINE:
        told += f", at worst {curve.shown(worst)} in {len(values)} runs"
    if limit is not None:
        beyond = sum(value > limit if curve.is_good_below else value < limit for value in values)
        bound = "at most" if curve.is_good_below else "at least"
        told += f"; wanted is {bound} {curve.shown(limit)}, which {beyond or 'none'} missed"
    svg = _drawn(environment, curve, entries, told, limit) if len(values) >= _A_LINE else ""
    return _Figure(curve.title, svg, f"{told}.")


def _drawn(
    environment: str, curve: _Curve, entries: Sequence[Entry], told: str, limit: float | None
) -> str:
    from deployment_gate.reports.plots import (  # noqa: PLC0415  # a single run needs no plot
        Mark,
        Point,
        Unit,
        series_plot,
    )

    marks = {
        Decision.PROMOTE: Mark.GOOD,
        Decision.HOLD: Mark.WARN,
        Decision.ROLLBACK: Mark.BAD,
    }
    return series_plot(
        [Point(one.ended, curve.value(one), marks[one.verdict]) for one in entries],
        unit=Unit.SECONDS if curve.is_time else Unit.SHARE,
        title=f"{curve.title} of {environment} over time",
        description=told,
        limit=limit,
    )


@cache
def _style() -> str:
    return (_HERE / "history_page.css").read_text(encoding="utf-8")


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
    return environment.get_template("history_page.html.j2")
