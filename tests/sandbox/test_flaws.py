"""Faults that break one thing: what each breaks, at once, and that nothing else breaks with it."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from sandbox.faults import FAULTS
from sandbox.security_faults import SECURITY_FAULTS

if TYPE_CHECKING:
    from tests.sandbox.conftest import Sandbox

POLICIES = "/api/v1/policies"
ME = "/api/v1/auth/me"
# Faults that break more than one thing, each with tests of its own in test_faults.py.
BROAD = {
    "database-down",
    "cache-down",
    "lying-health",
    "stale-release",
    "auth-bypass",
    "leaky-errors",
    "missing-headers",
    "broken-javascript",
    "health-down",
    "error-rate",
    "latency",
    "throttle",
    "hang",
}
# Those of the web interface, which test_web_faults.py looks at in a browser.
SEEN_IN_A_BROWSER = {
    "missing-script",
    "console-error",
    "missing-image",
    "overflow",
    "inaccessible-form",
    "layout-shift",
    "visual-change",
    "login-refused",
    "third-party",
    "slow-interaction",
    "undead-session",
    "slow-page",
}

# Those of security, which test_security_faults.py looks at over TLS.
INSECURE = {fault.name for fault in SECURITY_FAULTS}


@dataclass
class Visitor:
    """Somebody who looks for what is broken."""

    sandbox: Sandbox
    admin: dict[str, str]
    expired: dict[str, str]

    def ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Send a request as an administrator, unless other headers are given."""
        headers = {**self.admin, **options.pop("headers", {})}
        return self.sandbox.client.request(
            method, self.sandbox.api + path, headers=headers, **options
        )

    def get(self, path: str, **parameters: Any) -> httpx.Response:
        """Ask for that."""
        return self.ask("GET", path, params=parameters or None)

    def found(self, q: str) -> int | None:
        """Search; return how many were found, or None when there was no proper answer."""
        answer = self.get("/api/v1/search", q=q)
        return int(answer.json()["total"]) if answer.status_code == 200 else None

    def ids(self, **parameters: Any) -> list[int]:
        """Return the numbers of the policies on a page."""
        return [policy["id"] for policy in self.get(POLICIES, **parameters).json()["items"]]

    @contextmanager
    def policy(self, title: str = "Otter Policy") -> Iterator[str]:
        """Add a policy; return where it is, and remove it afterwards."""
        draft = {"title": title, "body": "Otters.", "category": "people", "owner": "Zoo"}
        address = self.ask("POST", POLICIES, json=draft).headers["location"]
        yield address
        self.ask("DELETE", address)


def signed_out_token_works(visitor: Visitor) -> bool:
    bearer = visitor.sandbox.bearer()
    visitor.ask("POST", "/api/v1/auth/logout", headers=bearer)
    return visitor.ask("GET", ME, headers=bearer).status_code == 200


def used_refresh_token_works(visitor: Visitor) -> bool:
    sent = {"refresh_token": visitor.sandbox.sign_in().json()["refresh_token"]}
    answers = [visitor.ask("POST", "/api/v1/auth/refresh", json=sent) for _ in range(2)]
    return [answer.status_code for answer in answers] == [200, 200]


def version_is_text(visitor: Visitor) -> bool:
    listed = visitor.get(POLICIES).json()["items"][0]
    return all(
        isinstance(one["version"], str) for one in (listed, visitor.get(POLICIES + "/1").json())
    )


def documented_fields_are_exceeded(visitor: Visitor) -> bool:
    schemas = visitor.get("/openapi.json").json()["components"]["schemas"]
    listed = visitor.get(POLICIES).json()["items"][0]
    extra = set(listed) - set(schemas["PolicyEntry"]["properties"])
    single = set(visitor.get(POLICIES + "/1").json()) - set(schemas["Policy"]["properties"])
    return extra == single == {"internal_note"}


def change_time_has_no_zone(visitor: Visitor) -> bool:
    return not visitor.get(POLICIES + "/1").json()["updated_at"].endswith("+00:00")


def total_is_one_too_high(visitor: Visitor) -> bool:
    listing = visitor.get(POLICIES, category="privacy", per_page=100).json()
    return bool(listing["total"] == len(listing["items"]) + 1)


def second_page_begins_early(visitor: Visitor) -> bool:
    return visitor.ids(per_page=10)[-1] == visitor.ids(per_page=10, page=2)[0]


def outdated_change_is_taken(visitor: Visitor) -> bool:
    outdated = {"If-Match": '"999"'}
    draft = {"title": "A", "body": "B", "category": "people", "owner": "C"}
    with visitor.policy() as address:
        changed = visitor.ask("PUT", address, json=draft, headers=outdated)
        deleted = visitor.ask("DELETE", address, headers=outdated)
    return (changed.status_code, deleted.status_code) == (200, 204)


def deleted_policy_stays(visitor: Visitor) -> bool:
    with visitor.policy() as address:
        deleted = visitor.ask("DELETE", address)
        return (deleted.status_code, visitor.get(address).status_code) == (204, 200)


def new_policy_is_not_found(visitor: Visitor) -> bool:
    word = f"otter{uuid.uuid4().hex}"
    with visitor.policy(title=word):
        return visitor.found(word) == 0


def odd_sign_breaks_the_search(visitor: Visitor) -> bool:
    answers = [visitor.get("/api/v1/search", q=q) for q in ("o'clock", "100%", "a\\b")]
    return all(
        answer.status_code == 500 and answer.json()["error"]["code"] == "internal_error"
        for answer in answers
    )


def documented_search_is_missing(visitor: Visitor) -> bool:
    is_documented = "/api/v1/search" in visitor.get("/openapi.json").json()["paths"]
    answer = visitor.get("/api/v1/search", q="policy")
    return is_documented and answer.status_code == 404 and "error" in answer.json()


def not_found_is_plain_text(visitor: Visitor) -> bool:
    answers = [visitor.get("/nothing"), visitor.get(POLICIES + "/424242")]
    return all(
        (answer.status_code, answer.text) == (404, "Not Found")
        and answer.headers["content-type"].startswith("text/plain")
        for answer in answers
    )


def senseless_input_is_an_error_of_ours(visitor: Visitor) -> bool:
    answers = [
        visitor.get(POLICIES, page=0),
        visitor.get(POLICIES, per_page=1_000_000),
        visitor.ask("POST", POLICIES, json={}),
        visitor.ask("POST", "/api/v1/auth/login", json={"username": 1}),
    ]
    return all(
        answer.status_code == 500 and set(answer.json()["error"]) == {"code", "message"}
        for answer in answers
    )


def redirect_loses_the_method(visitor: Visitor) -> bool:
    return visitor.ask("POST", POLICIES + "/", json={}).status_code == 302


def health_and_version_disagree(visitor: Visitor) -> bool:
    answer = visitor.get("/version")
    is_true = answer.json()["release"] == answer.headers["x-release"] == "1.5.0"
    return is_true and visitor.get("/health").json()["release"] != "1.5.0"


def environment_is_another(visitor: Visitor) -> bool:
    told = {visitor.get(path).json()["environment"] for path in ("/version", "/health")}
    return told == {"staging"}


SYMPTOMS: dict[str, Callable[[Visitor], bool]] = {
    "no-revocation": signed_out_token_works,
    "accepts-expired": lambda visitor: (
        visitor.ask("GET", ME, headers=visitor.expired).status_code == 200
    ),
    "reusable-refresh": used_refresh_token_works,
    "wrong-type": version_is_text,
    "undocumented-field": documented_fields_are_exceeded,
    "naive-timestamps": change_time_has_no_zone,
    "wrong-total": total_is_one_too_high,
    "unbounded-pages": lambda visitor: (
        [visitor.get(POLICIES, per_page=size).status_code for size in (101, 100_000)] == [200, 200]
    ),
    "overlapping-pages": second_page_begins_early,
    "ignored-filter": lambda visitor: (
        visitor.ids(status="draft", category="privacy") == visitor.ids()
    ),
    "lost-updates": outdated_change_is_taken,
    "sticky-delete": deleted_policy_stays,
    "unsearchable-writes": new_policy_is_not_found,
    "latin-search": lambda visitor: (
        [visitor.found(q) for q in ("password factor", "копирования", "geschützt")] == [1, 0, 0]
    ),
    "fragile-search": odd_sign_breaks_the_search,
    "greedy-search": lambda visitor: (visitor.found("xqzzywvut") or 0) >= 60,
    "missing-route": documented_search_is_missing,
    "uneven-errors": not_found_is_plain_text,
    "fragile-input": senseless_input_is_an_error_of_ours,
    "no-head": lambda visitor: visitor.ask("HEAD", "/version").status_code == 405,
    "lossy-redirect": redirect_loses_the_method,
    "no-compression": lambda visitor: (
        "content-encoding" not in visitor.get("/openapi.json").headers
    ),
    "public-caching": lambda visitor: (
        visitor.get(ME).headers["cache-control"] == "public, max-age=600"
    ),
    "wrong-environment": environment_is_another,
    "disagreeing-version": health_and_version_disagree,
}


def visit(sandbox: Sandbox) -> Visitor:
    """Sign in, and have a token that has expired."""
    credentials = {"username": "test", "password": "test-password-of-the-sandbox", "expires_in": 1}
    token = sandbox.client.post(sandbox.api + "/api/v1/auth/login", json=credentials).json()
    time.sleep(1)
    return Visitor(
        sandbox, sandbox.bearer("admin"), {"Authorization": f"Bearer {token['access_token']}"}
    )


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def lasting_visitor(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    start_sandbox: Callable[..., Any],
) -> Iterator[Visitor]:
    """Somebody with a sandbox of each kind of database that no other module looks at."""
    arguments = []
    if request.param == "postgresql":
        arguments = ["--database-url", request.getfixturevalue("postgresql_url")]
    with start_sandbox(tmp_path_factory.mktemp("flaws") / "state", *arguments) as sandbox:
        yield visit(sandbox)


@pytest.fixture
def visitor(lasting_visitor: Visitor) -> Iterator[Visitor]:
    """Hand out the visitor; whatever a test breaks is mended."""
    yield lasting_visitor
    lasting_visitor.sandbox.fault("clear")


@pytest.mark.parametrize("fault", SYMPTOMS)
def test_fault_breaks_one_thing_at_once_and_ends_at_once(visitor: Visitor, fault: str) -> None:
    assert not SYMPTOMS[fault](visitor)
    visitor.sandbox.fault(fault)
    assert SYMPTOMS[fault](visitor)
    assert {name for name, is_shown in SYMPTOMS.items() if is_shown(visitor)} == {fault}
    health = visitor.get("/health")
    assert (health.status_code, health.json()["status"]) == (200, "healthy")
    visitor.sandbox.fault("clear")
    assert not SYMPTOMS[fault](visitor)


def test_sound_platform_shows_no_symptom(visitor: Visitor) -> None:
    assert not [name for name, is_shown in SYMPTOMS.items() if is_shown(visitor)]


def test_every_fault_is_tested() -> None:
    tested = SYMPTOMS.keys() | BROAD | SEEN_IN_A_BROWSER | INSECURE
    assert {fault.name for fault in FAULTS} == tested


def test_signing_out_without_revocation_still_kills_the_refresh_token(visitor: Visitor) -> None:
    visitor.sandbox.fault("no-revocation")
    signed_in = visitor.sandbox.sign_in().json()
    bearer = {"Authorization": f"Bearer {signed_in['access_token']}"}
    visitor.ask("POST", "/api/v1/auth/logout", headers=bearer)
    sent = {"refresh_token": signed_in["refresh_token"]}
    assert visitor.ask("POST", "/api/v1/auth/refresh", json=sent).status_code == 401
    visitor.sandbox.fault("clear")
    assert visitor.ask("GET", ME, headers=bearer).status_code == 401


def test_sticky_delete_still_refuses_what_is_missing_or_outdated(visitor: Visitor) -> None:
    visitor.sandbox.fault("sticky-delete")
    assert visitor.ask("DELETE", POLICIES + "/424242").status_code == 404
    outdated = {"If-Match": '"999"'}
    assert visitor.ask("DELETE", POLICIES + "/1", headers=outdated).status_code == 412
    before = visitor.get(POLICIES + "/1")
    assert visitor.ask("DELETE", POLICIES + "/1").status_code == 204
    assert visitor.get(POLICIES + "/1").json() == before.json()


def test_two_faults_add_up(visitor: Visitor) -> None:
    visitor.sandbox.fault("wrong-type")
    visitor.sandbox.fault("no-head")
    shown = {name for name, is_shown in SYMPTOMS.items() if is_shown(visitor)}
    assert shown == {"wrong-type", "no-head"}
