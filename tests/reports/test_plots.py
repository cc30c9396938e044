"""Plots: elements that a page with a strict content policy can hold, read by another parser."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree as ET

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from deployment_gate.reports.plots import (
    Lane,
    Mark,
    Point,
    Unit,
    distribution_plot,
    lanes_plot,
    series_plot,
)

START = datetime(2026, 11, 1, 3, tzinfo=UTC)
SVG = "{http://www.w3.org/2000/svg}"


def points(*values: float | None, mark: Mark = Mark.PLAIN) -> list[Point]:
    """Values an hour apart."""
    return [Point(START + timedelta(hours=hour), value, mark) for hour, value in enumerate(values)]


def series(*values: float | None, unit: Unit = Unit.SECONDS, limit: float | None = None) -> str:
    """A plot of values."""
    return series_plot(
        points(*values), unit=unit, title="a title", description="what it says", limit=limit
    )


def texts(svg: str) -> list[str]:
    """What is written in a plot."""
    return [one.text or "" for one in ET.fromstring(svg).iter(f"{SVG}text")]  # noqa: S314


PLOTS = {
    "series": series(0.1, None, 0.3, limit=0.2),
    "one value": series(0.1),
    "all zero": series(0, 0, unit=Unit.SHARE, limit=0),
    "all": series(1, 1, 0.999, unit=Unit.SHARE, limit=0.999),
    "counts": series(3, 4, unit=Unit.COUNT),
    "distribution": distribution_plot([1, 2, 5], title="a", description="b", limit_ms=4),
    "distribution of one": distribution_plot([3, 3], title="a", description="b"),
    "lanes": lanes_plot(
        [
            Lane("looks", points=points(None, None, mark=Mark.BAD)),
            Lane("$x$ <&>", spans=[(START, START), (START, START + timedelta(hours=1))]),
        ],
        title="a",
        description="b",
    ),
    "distribution of nothing": distribution_plot([0.0], title="a", description="b"),
}


@pytest.mark.parametrize("name", PLOTS)
def test_a_plot_needs_nothing_that_a_content_policy_blocks(name: str) -> None:
    root = ET.fromstring(PLOTS[name])  # noqa: S314  # our own
    assert root.tag == f"{SVG}svg"
    ids = [one.attrib["id"] for one in root.iter() if "id" in one.attrib]
    assert len(ids) == len(set(ids))
    for one in root.iter():
        assert one.tag.removeprefix(SVG) not in {"style", "script", "image", "metadata", "a"}
        assert "style" not in one.attrib
        for attribute, value in one.attrib.items():
            assert not attribute.startswith("on")
            for target in re.findall(r"#([\w.-]+)\)?$", value if "#plot" in value else ""):
                assert target in ids


@pytest.mark.parametrize("name", PLOTS)
def test_colours_are_the_pages_own(name: str) -> None:
    for one in ET.fromstring(PLOTS[name]).iter():  # noqa: S314  # our own
        for attribute in ("fill", "stroke"):
            colour = one.attrib.get(attribute, "none")
            assert colour == "none" or colour.startswith("var(--"), (one.tag, colour)


def test_who_does_not_see_it_is_told_what_it_shows() -> None:
    root = ET.fromstring(PLOTS["series"])  # noqa: S314  # our own
    assert root.attrib["role"] == "img"
    by_id = {one.attrib["id"]: one for one in root if "id" in one.attrib}
    assert by_id[root.attrib["aria-labelledby"]].text == "a title"
    assert by_id[root.attrib["aria-describedby"]].text == "what it says"


def test_two_plots_of_one_page_share_no_id() -> None:
    one, other = series(0.1, 0.2), series(0.1, 0.3)
    ids = [set(re.findall(r'id="([^"]+)"', svg)) for svg in (one, other)]
    assert not ids[0] & ids[1]


def test_the_same_values_are_the_same_plot() -> None:
    assert series(0.1, 0.2, limit=0.3) == series(0.1, 0.2, limit=0.3)


def test_the_limit_is_written_in_the_words_of_the_values() -> None:
    assert "- - limit 200 ms" in texts(series(0.1, 0.2, limit=0.2))
    assert "- - limit 99.9 %" in texts(series(1, 1, unit=Unit.SHARE, limit=0.999))


def test_a_gap_is_no_line() -> None:
    def lines(svg: str) -> int:
        """How often the longest line begins."""
        paths = [one.attrib.get("d", "") for one in ET.fromstring(svg).iter(f"{SVG}path")]  # noqa: S314
        return max(path.count("M") for path in paths)

    assert lines(series(0.1, 0.2, None, 0.3, 0.2)) == lines(series(0.1, 0.2, 0.3)) + 1


def test_each_mark_has_a_form_of_its_own() -> None:
    forms = {mark.value[0] for mark in (Mark.GOOD, Mark.WARN, Mark.BAD)}
    assert len(forms) == 3


def test_lanes_are_called_as_they_are() -> None:
    assert {"looks", "$x$ <&>"} <= set(texts(PLOTS["lanes"]))


def test_a_distribution_says_its_percentiles() -> None:
    svg = distribution_plot(
        [float(value) for value in range(1, 101)], title="a", description="b", limit_ms=90
    )
    assert "p50 50 ms, p95 95 ms" in texts(svg)
    assert "- - limit 90 ms" in texts(svg)


NUMBERS = st.floats(0, 1e6, allow_nan=False)


@given(values=st.lists(NUMBERS, min_size=1, max_size=20), limit=st.none() | NUMBERS)
@settings(max_examples=15, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate])
def test_any_values_can_be_drawn(values: list[float], limit: float | None) -> None:
    ET.fromstring(series(*values, limit=limit))  # noqa: S314  # our own
    ET.fromstring(  # noqa: S314  # our own
        distribution_plot(values, title="<&>", description='"', limit_ms=limit)
    )


@pytest.mark.parametrize("title", ["<script>alert(1)</script>", "a & b", '"quoted"'])
def test_whatever_the_title_says_is_text(title: str) -> None:
    svg = series_plot(points(1.0, 2.0), unit=Unit.COUNT, title=title, description=title)
    assert ET.fromstring(svg)[0].text == title  # noqa: S314  # our own
