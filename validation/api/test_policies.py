"""Policies can be written, and what somebody wrote isn't lost (what data can't say of it)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from deployment_gate.typing import Item, Listing

pytestmark = [pytest.mark.writes, pytest.mark.needs("api.collections.policies.draft")]

ATTEMPTS = 4
PRECONDITION_FAILED = 412


def test_a_policy_is_read_as_it_was_written(policies: Listing, policy: Item) -> None:
    read = policies.get(policy.id).json()

    different = {key: read.get(key) for key in policy.draft if read.get(key) != policy.draft[key]}
    assert not different, f"written {policy.draft}, and read {different}"


@pytest.mark.needs("api.paging.total")
def test_a_new_policy_counts(policies: Listing, make_item: Callable[..., Item]) -> None:
    # Somebody else may remove one meanwhile, but hardly each time.
    counted = []
    for _ in range(ATTEMPTS):
        before = policies.page(size=1).total
        made = make_item("policies").id
        after = policies.page(size=1).total
        counted.append(f"there were {before} policies, and with {made} there are {after}")
        if after > before:
            return

    pytest.fail("; ".join(counted), pytrace=False)


def test_an_edit_is_read_back(policies: Listing, policy: Item) -> None:
    answer = policies.change(policy)

    assert answer.is_success, f"the edit was answered {answer.status_code}"
    read = policies.get(policy.id).json()
    wanted = policies.section.change or {}
    assert {key: read.get(key) for key in wanted} == wanted


def test_an_edit_of_a_version_that_is_gone_is_refused(policies: Listing, policy: Item) -> None:
    first = policies.change(policy, etag=policy.etag, title="The first edit")
    assert first.is_success, f"the first edit was answered {first.status_code}"

    second = policies.change(policy, etag=policy.etag, title="The second edit")

    assert second.status_code == PRECONDITION_FAILED, (
        f"an edit of a version that is gone was answered {second.status_code}; "
        "what somebody wrote meanwhile is lost"
    )
    assert policies.get(policy.id).json()["title"] == "The first edit"


def test_of_two_edits_at_once_one_is_refused(policies: Listing, policy: Item) -> None:
    with ThreadPoolExecutor(2) as editors:
        answers = editors.map(
            lambda title: policies.change(policy, etag=policy.etag, title=title), ("one", "other")
        )
        statuses = sorted(answer.status_code for answer in answers)

    assert statuses == [200, PRECONDITION_FAILED], f"two edits at once were answered {statuses}"


def test_a_policy_that_was_removed_is_gone(policies: Listing, policy: Item) -> None:
    removed = policies.remove(policy.id)

    assert removed.is_success, f"removing was answered {removed.status_code}"
    read = policies.get(policy.id)
    assert read.status_code in {404, 410}, f"a removed policy was answered {read.status_code}"


def test_removing_a_policy_twice_does_no_more(policies: Listing, policy: Item) -> None:
    # RFC 9110, 9.2.2: DELETE is idempotent; the second answer may differ, the effect must not.
    policies.remove(policy.id)

    again = policies.remove(policy.id)

    assert again.is_success or again.status_code in {404, 410}, (
        f"removing it once more was answered {again.status_code}"
    )
    read = policies.get(policy.id)
    assert read.status_code in {404, 410}, f"a removed policy was answered {read.status_code}"
