"""What is particular to the Open Policy Platform: a policy of the check's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from deployment_gate.typing import Item, Listing


@pytest.fixture
def policies(listing: Callable[[str], Listing]) -> Listing:
    """The policies that the platform keeps."""
    return listing("policies")


@pytest.fixture
def policy(make_item: Callable[..., Item]) -> Item:
    """A policy of the check's own, which is removed at the end."""
    return make_item("policies")
