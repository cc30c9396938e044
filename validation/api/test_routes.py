"""The API serves what the runbook and the environment file promise of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from deployment_gate.typing import Contract


@pytest.mark.needs("api.askable")
def test_what_is_promised_is_served(contract: Contract) -> None:
    missing = contract.unserved_promises()

    assert not missing, f"promised, and not served: {', '.join(missing)}"
