"""Pages fit phones, tablets and desktops, and look as they were approved."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from deployment_gate.typing import PictureSeen, SeenPage

pytestmark = pytest.mark.needs("web")


def test_nothing_is_wider_than_the_screen(web_view: SeenPage) -> None:
    assert not web_view.overflow_faults, web_view.account(web_view.overflow_faults)


def test_what_can_be_touched_is_large_enough(web_view: SeenPage) -> None:
    assert not web_view.touch_faults, web_view.account(web_view.touch_faults)


def test_the_navigation_is_within_reach(web_view: SeenPage) -> None:
    assert not web_view.navigation_faults, web_view.account(web_view.navigation_faults)


def test_page_looks_as_approved(
    web_view: SeenPage,
    compare_with_approved: Callable[[SeenPage], PictureSeen],
    only_warn: Callable[[str], None],
) -> None:
    seen = compare_with_approved(web_view)

    if seen.remark:
        only_warn(seen.remark)
    assert not seen.fault, seen.fault
