"""What checks are given of a page says what is wrong with it in few words."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from deployment_gate.environment import WebTarget
from deployment_gate.web.layout import Layout
from deployment_gate.web.pictures import ApprovedPictures, Box
from deployment_gate.web.seen import SeenPage, compare_page, told
from deployment_gate.web.visit import Resource, Said, Visit

VISIT = Visit("start", "/", "desktop", datetime.now(UTC), address="http://h/", status=200)
TARGET = WebTarget.model_validate({"base_url": "http://h"})


def seen(**more: Any) -> SeenPage:
    return SeenPage(replace(VISIT, **more), TARGET)


def picture(*, dot: bool = False, height: int = 100) -> bytes:
    image = Image.new("RGB", (100, height), "white")
    if dot:
        image.paste((0, 0, 0), (10, 10, 40, 40))
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def test_the_first_fault_stands_on_the_line_that_reports_quote() -> None:
    page = seen()
    assert repr(page) == page.called == "start (/) on desktop"
    assert page.account(["one", "two"]) == "start (/) on desktop: one\ntwo"
    assert page.account([]) == "start (/) on desktop: "
    many = page.account([str(number) for number in range(30)]).splitlines()
    assert len(many) == 22
    assert many[-1] == "and 9 more"


def test_all_that_is_wrong_is_told_together() -> None:
    page = seen(
        status=500,
        resources=(Resource("http://h/a.js", "script", status=404),),
        console=(Said("old", ""),),
        exceptions=("thrown",),
    )
    assert page.faults == [
        "it was answered 500",
        "script http://h/a.js was answered 404",
        "old",
        "uncaught: thrown",
    ]


def test_only_links_below_its_own_address_are_its_sites() -> None:
    links = ("http://h/a", "http://h", "https://h/b", "http://h.evil/", "http://hh/", "mailto:a@h")
    layout = Layout(0, (), (), (), "", "", (), links, 0, None, is_whole=True)
    assert seen(layout=layout).links == ["http://h/a", "http://h"]
    assert seen().links == []


def test_what_went_wrong_in_a_visit_is_told_line_by_line() -> None:
    visit = replace(
        VISIT,
        console=(Said("old", "http://h/a.js"), Said("here", "")),
        exceptions=("thrown",),
        resources=(
            Resource("http://h/a.js", "script", status=404),
            Resource("http://h/b.js", "script", failure="net::ERR_FAILED"),
            Resource("http://h/c.js", "script", status=200),
        ),
    )
    assert told(visit).splitlines() == [
        "at http://h/",
        "console: old http://h/a.js",
        "console: here",
        "uncaught: thrown",
        "request: GET http://h/a.js 404",
        "request: GET http://h/b.js net::ERR_FAILED",
    ]


def test_without_an_approved_picture_nothing_counts_as_compared(tmp_path: Path) -> None:
    found = compare_page(seen(picture=picture()), ApprovedPictures(tmp_path), approves=False)
    assert found.fault is None
    assert "not compared, since there is no approved picture" in (found.remark or "")


@pytest.mark.parametrize(
    ("now", "masks", "fault"),
    [
        (picture(), (), None),
        (picture(dot=True), (), "9.00% of it differ from the approved picture; at most 0.10%"),
        (picture(dot=True), (Box(5, 5, 50, 50),), None),
        (picture(height=120), (), "differ from the approved picture"),
    ],
    ids=["equal", "changed", "masked", "longer"],
)
def test_a_page_is_compared_with_its_approved_picture(
    tmp_path: Path, now: bytes, masks: tuple[Box, ...], fault: str | None
) -> None:
    approved = ApprovedPictures(tmp_path)
    approving = compare_page(seen(picture=picture()), approved, approves=True)
    assert approving.remark == "start (/) on desktop: the picture of now was approved"
    found = compare_page(seen(picture=now, masks=masks), approved, approves=False)
    assert found.remark is None
    if fault is None:
        assert (found.fault, found.picture) == (None, None)
    else:
        assert fault in (found.fault or "")
        assert found.picture


def test_a_page_without_a_picture_fails_to_compare(tmp_path: Path) -> None:
    found = compare_page(seen(), ApprovedPictures(tmp_path), approves=True)
    assert found.fault == "start (/) on desktop: there is no picture of it"
