"""Answers that tell the same fact tell it alike: the release, a part's health, the environment."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from deployment_gate.typing import SharedFact

pytestmark = pytest.mark.needs("api.facts")


def test_all_who_tell_it_agree(fact: SharedFact) -> None:
    disagreement = fact.disagreement()

    assert disagreement is None, f"{fact.name}: {disagreement}"
