"""Pages that nobody named are well, too: those that links lead to from the start page."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from deployment_gate.typing import SeenPage

pytestmark = pytest.mark.needs("web.finds")


@pytest.mark.timeout(300)
def test_pages_that_are_found_are_well(found_pages: Callable[[], list[SeenPage]]) -> None:
    unwell = [page.account(page.faults) for page in found_pages() if page.faults]

    assert not unwell, "\n".join(unwell)
