"""The API answers as its own description says, and keeps what it promised before."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterable

    from deployment_gate.typing import Contract

# A sweep asks every documented operation once, one after another.
pytestmark = [pytest.mark.needs("api.openapi"), pytest.mark.timeout(300)]


def told(title: str, lines: Iterable[str]) -> str:
    """The first one on the first line, which every report shows; all of them below."""
    first, *others = map(str, lines)
    more = f" (and {len(others)} more)" if others else ""
    return "\n  ".join([f"{title}: {first}{more}", *others])


def test_documented_operations_answer_as_documented(contract: Contract) -> None:
    sweep = contract.sweep

    assert sweep.called, f"none of {len(contract.document.operations)} operations could be called"
    assert not sweep.violations, told("against its description", map(str, sweep.violations))


@pytest.mark.severity("info")
def test_every_documented_operation_can_be_called(contract: Contract) -> None:
    not_called = contract.sweep.not_called

    assert not not_called, told("not called", (f"{one}: {why}" for one, why in not_called.items()))


@pytest.mark.severity("warning")
def test_answers_hold_only_documented_fields(contract: Contract) -> None:
    undocumented = contract.sweep.undocumented

    assert not undocumented, told("answers hold what the document doesn't mention", undocumented)


def test_what_is_promised_is_documented(contract: Contract) -> None:
    missing = contract.undocumented_promises()

    assert not missing, told("promised, and not documented", missing)


@pytest.mark.severity("info")
def test_what_is_asked_beside_is_documented(contract: Contract) -> None:
    missing = contract.undocumented_paths()

    assert not missing, told("served, and not documented", missing)


@pytest.mark.needs("--baseline")
def test_no_change_breaks_clients(contract: Contract) -> None:
    changes = contract.breaking_changes()

    assert not changes, told("clients of the release before break", changes)
