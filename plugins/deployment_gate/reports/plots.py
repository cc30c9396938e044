"""Plots as SVG elements for pages with a strict content policy; matplotlib draws them.

No element has a `style` attribute, which such a policy blocks. Colours are the page's variables
(`--ink`, `--quiet`, `--line`, `--accent`, `--good`, `--warn`, `--bad`), so that a plot is dark
where its page is; without them it is as on white paper.
"""

from __future__ import annotations

import hashlib
import io
import math
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from itertools import pairwise
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_WIDTH_IN, _HEIGHT_IN = 5.0, 2.0
"""A seventy-second part of an inch becomes a unit, and on a phone about a pixel."""

_SVG = "http://www.w3.org/2000/svg"
_HREF = "{http://www.w3.org/1999/xlink}href"

# Matplotlib is given colours that nothing else has, which become the page's variables.
_INK, _QUIET, _LINE, _ACCENT = "#010101", "#020202", "#030303", "#040404"
_GOOD, _WARN, _BAD = "#050505", "#060606", "#070707"
_VARIABLES = {
    _INK: "var(--ink, #1a1a1a)",
    _QUIET: "var(--quiet, #59636e)",
    _LINE: "var(--line, #d1d9e0)",
    _ACCENT: "var(--accent, #0550ae)",
    _GOOD: "var(--good, #116329)",
    _WARN: "var(--warn, #7d4e00)",
    _BAD: "var(--bad, #a40e26)",
}
_SETTINGS: dict[Any, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "deployment-gate",
    "font.size": 10,
    "text.color": _INK,
    "axes.edgecolor": _LINE,
    "axes.labelcolor": _QUIET,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "grid.color": _LINE,
    "grid.linewidth": 0.5,
    "xtick.color": _LINE,
    "ytick.color": _LINE,
    "xtick.labelcolor": _QUIET,
    "ytick.labelcolor": _QUIET,
    "figure.dpi": 72,
    "timezone": "UTC",
}
_LIMIT: dict[str, Any] = {"color": _BAD, "linewidth": 1, "linestyle": (0, (4, 3))}
_LEAST_MS = 0.001
"""What is less stands here: a logarithmic scale has no zero."""
_BINS = 32
_TICKS = 4
_DISTINCT = 1.0001


class Mark(Enum):
    """What a point stands for: each has a form of its own, since not everybody tells colours."""

    PLAIN = ("o", _ACCENT)
    GOOD = ("o", _GOOD)
    WARN = ("s", _WARN)
    BAD = ("v", _BAD)


class Unit(Enum):
    """What the values are."""

    SECONDS = "seconds"
    SHARE = "share"
    """0..1, shown in percent."""
    COUNT = "count"


@dataclass(frozen=True, slots=True)
class Point:
    """One value at one time; None leaves a gap."""

    at: datetime
    value: float | None
    mark: Mark = Mark.PLAIN


@dataclass(frozen=True, slots=True)
class Lane:
    """What happened to one thing, or in one part, beside others.

    Attributes:
        name: What it is, in a few words.
        spans: From when to when something went on.
        points: Moments, of which the marks count and the values don't.
    """

    name: str
    spans: Sequence[tuple[datetime, datetime]] = ()
    points: Sequence[Point] = ()


def series_plot(
    points: Sequence[Point],
    *,
    unit: Unit,
    title: str,
    description: str,
    limit: float | None = None,
) -> str:
    """Draw values over time as a line, with a mark for each, and their limit.

    Args:
        points: The values, by time; at least one that isn't None.
        unit: What they are.
        title: What is shown, in a few words; read out in place of the picture.
        description: What it comes to, in a sentence or two, for who doesn't see it.
        limit: A value in the same unit, drawn as a dashed line.

    Returns:
        An `svg` element.
    """
    with _figure() as (figure, axes):
        times = [_day(one.at) for one in points]
        values = [math.nan if one.value is None else one.value for one in points]
        axes.plot(times, values, color=_ACCENT, linewidth=1.25)
        for mark in Mark:
            chosen = [
                (at, value)
                for at, value, one in zip(times, values, points, strict=True)
                if one.mark is mark and one.value is not None
            ]
            if chosen:
                sign, colour = mark.value
                places = zip(*chosen, strict=True)
                axes.plot(*places, sign, color=colour, markersize=5, clip_on=False, zorder=3)
        seen = [one.value for one in points if one.value is not None]
        _scale(axes, unit, seen, limit)
        _dates(axes)
        if limit is not None:
            axes.axhline(limit, **_LIMIT)
            _tell_limit(axes, limit, unit)
        return _svg(figure, title, description)


def distribution_plot(
    values_ms: Sequence[float],
    *,
    title: str,
    description: str,
    limit_ms: float | None = None,
) -> str:
    """Draw how values are distributed, on a logarithmic scale, with their median and p95.

    Args:
        values_ms: Milliseconds, at least one.
        title: What is shown, in a few words; read out in place of the picture.
        description: What it comes to, in a sentence or two, for who doesn't see it.
        limit_ms: Milliseconds, drawn as a dashed line; what is beyond has another colour.

    Returns:
        An `svg` element.
    """
    ordered = sorted(max(one, _LEAST_MS) for one in values_ms)
    reach = [*ordered, *([] if limit_ms is None else [max(limit_ms, _LEAST_MS)])]
    low, high = min(reach) / 1.2, max(max(reach) * 1.2, min(reach) * _DISTINCT)
    step = (high / low) ** (1 / _BINS)
    edges = [low * step**number for number in range(_BINS + 1)]
    counts = [0] * _BINS
    for one in ordered:
        counts[min(_BINS - 1, int(math.log(one / low) / math.log(step)))] += 1
    with _figure() as (figure, axes):
        beyond = math.inf if limit_ms is None else limit_ms
        axes.bar(
            edges[:-1],
            counts,
            width=[after - before for before, after in pairwise(edges)],
            align="edge",
            color=[_BAD if edge >= beyond else _ACCENT for edge in edges[:-1]],
        )
        axes.set_xscale("log")
        axes.set_xlim(low, high)
        _log_ticks(axes)
        axes.set_ylim(0, max(counts) * 1.25)
        _ticks(axes, Unit.COUNT)
        told = []
        # On either side, since both may be the same.
        for name, share, side in (("p50", 0.5, "right"), ("p95", 0.95, "left")):
            value = ordered[max(0, math.ceil(share * len(ordered)) - 1)]
            told.append(f"{name} {_amount(value / 1000, Unit.SECONDS)}")
            axes.axvline(value, color=_INK, linewidth=0.75)
            axes.annotate(
                f" {name} ",
                (value, 1),
                xycoords=axes.get_xaxis_transform(),
                ha=side,
                va="top",
                fontsize=9,
            )
        axes.set_title(", ".join(told), loc="left", fontsize=9)
        if limit_ms is not None:
            axes.axvline(max(limit_ms, _LEAST_MS), **_LIMIT)
            _tell_limit(axes, limit_ms / 1000, Unit.SECONDS)
        return _svg(figure, title, description)


def lanes_plot(lanes: Sequence[Lane], *, title: str, description: str) -> str:
    """Draw what happened over time, a lane below another.

    Args:
        lanes: At least one, in the order from the top; each with a span or a point.
        title: What is shown, in a few words; read out in place of the picture.
        description: What it comes to, in a sentence or two, for who doesn't see it.

    Returns:
        An `svg` element.
    """
    with _figure(height_in=0.6 + 0.3 * len(lanes)) as (figure, axes):
        for row, lane in enumerate(lanes):
            spans = [(_day(start), max(_day(end) - _day(start), 0)) for start, end in lane.spans]
            # With an edge, since what took no time at all is to be seen, too.
            axes.broken_barh(spans, (row - 0.3, 0.6), color=_ACCENT, alpha=0.45, linewidth=0.5)
            for mark in Mark:
                times = [_day(one.at) for one in lane.points if one.mark is mark]
                sign, colour = mark.value
                axes.plot(times, [row] * len(times), sign, color=colour, markersize=5, zorder=3)
        axes.set_yticks(range(len(lanes)), [lane.name.replace("$", r"\$") for lane in lanes])
        axes.set_ylim(len(lanes) - 0.4, -0.6)
        axes.grid(visible=False)
        _dates(axes)
        return _svg(figure, title, description)


@contextmanager
def _figure(height_in: float = _HEIGHT_IN) -> Iterator[tuple[Figure, Axes]]:
    """An empty plot."""
    with warnings.catch_warnings():
        # Whoever makes errors of warnings means the checks, not what draws for the reports.
        warnings.simplefilter("ignore")
        import matplotlib as mpl  # noqa: PLC0415  # half a second, which only a plot is worth
        from matplotlib.figure import Figure  # noqa: PLC0415

        with mpl.rc_context(_SETTINGS):
            figure = Figure(figsize=(_WIDTH_IN, height_in), layout="constrained")
            axes = figure.add_subplot()
            axes.grid(axis="y")
            axes.set_axisbelow(True)
            axes.tick_params(length=3)
            yield figure, axes


def _scale(axes: Axes, unit: Unit, seen: Sequence[float], limit: float | None) -> None:
    """Show values and limit; from zero on, unless all is near the whole."""
    reach = [*seen, *([] if limit is None else [limit])]
    low, high = min(reach), max(reach)
    if unit is Unit.SHARE and low > 0.5:  # noqa: PLR2004  # more than half
        margin = max(1 - low, 0.0005) * 0.2
        axes.set_ylim(low - margin, 1 + margin)
    else:
        axes.set_ylim(0, high * 1.25 or {Unit.SHARE: 0.01}.get(unit, 1))
    _ticks(axes, unit)


def _ticks(axes: Axes, unit: Unit) -> None:
    from matplotlib.ticker import MaxNLocator  # noqa: PLC0415

    axes.yaxis.set_major_locator(MaxNLocator(_TICKS, integer=unit is Unit.COUNT))
    axes.yaxis.set_major_formatter(lambda value, _: _amount(value, unit))


def _day(moment: datetime) -> float:
    """A moment as matplotlib counts time."""
    from matplotlib.dates import date2num  # noqa: PLC0415

    return float(date2num(moment.astimezone(UTC)))  # type: ignore[no-untyped-call]  # matplotlib's


def _dates(axes: Axes) -> None:
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter  # noqa: PLC0415

    axes.xaxis_date()
    locator = AutoDateLocator(minticks=2, maxticks=6)  # type: ignore[no-untyped-call]  # matplotlib's
    axes.xaxis.set_major_locator(locator)
    formatter = ConciseDateFormatter(locator)  # type: ignore[no-untyped-call]  # matplotlib's
    axes.xaxis.set_major_formatter(formatter)
    axes.margins(x=0.03)


def _log_ticks(axes: Axes) -> None:
    from matplotlib.ticker import LogLocator, NullFormatter  # noqa: PLC0415

    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter(lambda value, _: _amount(value / 1000, Unit.SECONDS))
    axes.xaxis.set_minor_formatter(NullFormatter())


def _tell_limit(axes: Axes, limit: float, unit: Unit) -> None:
    """Say what the limit is, above the plot, where nothing is in its way."""
    axes.set_title(f"- - limit {_amount(limit, unit)}", loc="right", fontsize=9, color=_BAD)


def _amount(value: float, unit: Unit) -> str:
    """A value as the axes and limits show it."""
    if unit is Unit.SHARE:
        return f"{value * 100:.4g} %" if value <= 1 else ""
    if unit is Unit.COUNT:
        return f"{value:.4g}"
    if value == 0:
        return "0"
    return f"{value * 1000:.3g} ms" if value < 0.9995 else f"{value:.3g} s"  # noqa: PLR2004


def _svg(figure: Figure, title: str, description: str) -> str:
    """The figure as an element that a page can hold, whatever its content policy."""
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None}, transparent=True)
    root = ET.fromstring(buffer.getvalue())  # noqa: S314  # matplotlib's own
    told = f"{title}\n{description}\n{buffer.getvalue()}"
    key = f"plot-{hashlib.sha256(told.encode()).hexdigest()[:12]}"
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag in {f"{{{_SVG}}}metadata", f"{{{_SVG}}}style"}:
                parent.remove(child)
    for element in root.iter():
        _make_plain(element, key)
    for name in ("width", "height", "version"):
        root.attrib.pop(name, None)
    root.attrib |= {
        "role": "img",
        "aria-labelledby": f"{key}-title",
        "aria-describedby": f"{key}-description",
        "stroke-linejoin": "round",
    }
    for position, (tag, text) in enumerate({"title": title, "desc": description}.items()):
        suffix = {"title": "title", "desc": "description"}[tag]
        element = ET.Element(f"{{{_SVG}}}{tag}", {"id": f"{key}-{suffix}"})
        element.text = text
        root.insert(position, element)
    ET.register_namespace("", _SVG)
    return ET.tostring(root, encoding="unicode")


def _make_plain(element: ET.Element, key: str) -> None:
    """Turn styles into presentation attributes, colours into variables, ids into the page's own."""
    for declaration in element.attrib.pop("style", "").split(";"):
        name, colon, value = (part.strip() for part in declaration.partition(":"))
        if name == "font":
            name, value = "font-size", value.split()[0]
        if colon and name != "font-family":
            element.attrib[name] = value
    for name, value in element.attrib.items():
        element.attrib[name] = _VARIABLES.get(value, value)
    if "id" in element.attrib:
        element.attrib["id"] = f"{key}-{element.attrib['id']}"
    target = element.attrib.pop(_HREF, None)
    if target is not None:
        element.attrib["href"] = f"#{key}-{target.removeprefix('#')}"
    clip = element.attrib.get("clip-path")
    if clip is not None:
        element.attrib["clip-path"] = clip.replace("url(#", f"url(#{key}-")
    if element.text and not element.text.strip():
        element.text = None
    if element.tail and not element.tail.strip():
        element.tail = None
