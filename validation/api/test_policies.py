"""The policies are there to be read (runbook 4.2)."""

import httpx
import pytest

pytestmark = pytest.mark.smoke


def test_policies_are_listed(signed_in: httpx.Client, policies_path: str) -> None:
    answer = signed_in.get(policies_path)

    assert answer.is_success, f"the list of policies was answered {answer.status_code}"
    assert answer.json()["items"], "the list of policies is empty"
