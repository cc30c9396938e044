"""A mistake is told as one, in one shape."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

if TYPE_CHECKING:
    import httpx

    from deployment_gate.typing import ApiTarget, Listing

pytestmark = pytest.mark.provokes

NOT_FOUND = 404
METHOD_NOT_ALLOWED = 405


@pytest.fixture(scope="module")
def unknown_path(api: httpx.Client) -> httpx.Response:
    """What is answered where nothing is."""
    return api.get(f"/no-such-path-{uuid4().hex}")


@pytest.fixture(scope="module")
def login_mistakes(api: httpx.Client, api_target: ApiTarget) -> Mapping[str, httpx.Response]:
    """What is answered to sign-ins that can't be understood; no other request may be posted."""
    assert api_target.login
    assert api_target.login.request
    path, method = api_target.login.request.path, api_target.login.request.method

    def send(**sent: Any) -> httpx.Response:
        return api.request(method, path, **sent)

    return {
        "another content type": send(content=b"username", headers={"Content-Type": "text/plain"}),
        "no fields": send(json={}),
        "a field of another type": send(json={"username": ["a"], "password": {}}),
        "half of a document": send(
            content=b'{"username": ', headers={"Content-Type": "application/json"}
        ),
        "no body": send(),
    }


def test_a_path_that_leads_nowhere_is_not_found(unknown_path: httpx.Response) -> None:
    assert unknown_path.status_code == NOT_FOUND, f"answered {unknown_path.status_code}"


@pytest.mark.needs("api.login.request")
def test_a_method_that_is_not_served_is_told(api: httpx.Client, api_target: ApiTarget) -> None:
    assert api_target.login
    assert api_target.login.request
    path = api_target.login.request.path

    answer = api.get(path)

    # Where people sign in by a form, GET answers with the page that has it.
    is_page = answer.is_success and "text/html" in answer.headers.get("Content-Type", "")
    assert is_page or answer.status_code in {NOT_FOUND, METHOD_NOT_ALLOWED}, (
        f"GET {path} was answered {answer.status_code}"
    )
    if answer.status_code == METHOD_NOT_ALLOWED:
        # RFC 9110, 15.5.6: it must say which methods are.
        assert answer.headers.get("Allow"), f"GET {path} was answered 405 without Allow"


@pytest.mark.needs("api.login.request")
def test_what_cannot_be_understood_is_refused(
    login_mistakes: Mapping[str, httpx.Response],
) -> None:
    wrong = {
        mistake: answer.status_code
        for mistake, answer in login_mistakes.items()
        if not answer.is_client_error
    }

    assert not wrong, f"a sign-in with a mistake was answered: {wrong}"


@pytest.mark.needs("api.errors")
def test_an_unknown_path_is_told_in_the_one_shape(
    unknown_path: httpx.Response, error_shape: Callable[[httpx.Response], list[str]]
) -> None:
    assert not (found := error_shape(unknown_path)), f"its error {found[0]}"


@pytest.mark.needs("api.errors", "api.collections.{collection}.item")
def test_a_missing_item_is_told_in_the_one_shape(
    collection: Listing, error_shape: Callable[[httpx.Response], list[str]]
) -> None:
    answer = collection.get(collection.section.missing)

    assert not (found := error_shape(answer)), f"its error {found[0]}"


@pytest.mark.needs("api.errors", "api.login.request")
def test_every_mistake_is_told_in_the_one_shape(
    login_mistakes: Mapping[str, httpx.Response],
    error_shape: Callable[[httpx.Response], list[str]],
) -> None:
    for mistake, answer in login_mistakes.items():
        if answer.is_client_error:
            assert not (found := error_shape(answer)), f"the error for {mistake} {found[0]}"


@pytest.mark.needs("api.errors", "api.private_path")
def test_a_refusal_is_told_in_the_one_shape(
    api: httpx.Client,
    api_target: ApiTarget,
    error_shape: Callable[[httpx.Response], list[str]],
) -> None:
    answer = api.get(str(api_target.private_path))

    if answer.is_client_error:
        assert not (found := error_shape(answer)), f"the refusal {found[0]}"
