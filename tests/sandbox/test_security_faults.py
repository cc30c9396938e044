"""Faults of security: what each opens, at once, and that nothing else opens with it."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from sandbox.security_faults import SECURITY_FAULTS
from tests.sandbox.handshakes import certificate, taken_versions

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

    from tests.sandbox.conftest import Sandbox

ME = "/api/v1/auth/me"
USERS = "/api/v1/users"
LOGIN = "/api/v1/auth/login"
ELSEWHERE = "https://evil.example"


@dataclass
class Intruder:
    """Somebody who may read, and looks for what else is open."""

    sandbox: Sandbox
    bearer: dict[str, str]
    admin: dict[str, str]

    def api(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Ask the API, as a reader unless other headers are given."""
        headers = options.pop("headers", self.bearer)
        return self.sandbox.client.request(
            method, self.sandbox.api + path, headers=headers, **options
        )

    def web(self, path: str) -> httpx.Response:
        """Ask the web interface."""
        return self.sandbox.client.get(self.sandbox.web + path)

    def refusal(self, username: str, password: str) -> str:
        """Return what a refused sign-in says."""
        answer = self.sandbox.sign_in(username, password)
        return str(answer.json()["error"]["message"]) if answer.status_code == 401 else ""


def role_can_be_taken(intruder: Intruder) -> bool:
    sent = {"display_name": "Tess Analyst", "role": "admin"}
    told = intruder.api("PATCH", ME, json=sent).json()["role"]
    seen = intruder.api("GET", ME).json()["role"]
    own = intruder.api("GET", USERS + "/test").json()["role"]
    intruder.api("PATCH", ME, json={**sent, "role": "analyst"})
    return [told, seen, own] == ["admin"] * 3


def encode(content: object) -> str:
    """Write a part of a token."""
    return base64.urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")


def takes_unsigned(intruder: Intruder, algorithm: str, **changed: object) -> bool:
    """Say whether a token is taken that carries no signature."""
    written = intruder.bearer["Authorization"].split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(written + "=="))
    token = f"{encode({'alg': algorithm, 'typ': 'JWT'})}.{encode({**claims, **changed})}."
    bearer = {"Authorization": f"Bearer {token}"}
    return intruder.api("GET", USERS + "/test", headers=bearer).status_code == 200


def failures_are_never_limited(intruder: Intruder) -> bool:
    username = f"stranger-{uuid4()}"
    statuses = {intruder.sandbox.sign_in(username, "wrong").status_code for _ in range(22)}
    return statuses == {401}


def statement_is_told(intruder: Intruder) -> bool:
    answer = intruder.api("GET", "/api/v1/search?q=o'clock")
    sound = intruder.api("GET", "/api/v1/search?q=policy")
    assert (sound.status_code, answer.status_code) in {(200, 200), (200, 400)}
    told = answer.json().get("error", {})
    return told.keys() == {"code", "message"} and bool(
        re.search(r"SELECT .* FROM policies WHERE .*o'clock", told["message"])
    )


def every_origin_may_read(intruder: Intruder) -> bool:
    origin = {"Origin": ELSEWHERE}
    asked = {**origin, "Access-Control-Request-Method": "GET"}
    answers = [
        intruder.api("GET", ME, headers={**intruder.bearer, **origin}),
        intruder.api("GET", "/nothing", headers=origin),
        intruder.api("OPTIONS", ME, headers=asked),
    ]
    return all(
        answer.headers.get("access-control-allow-origin") == ELSEWHERE
        and answer.headers.get("access-control-allow-credentials") == "true"
        for answer in answers
    )


def identity_is_given_to_others(intruder: Intruder) -> bool:
    path = f"{ME}?x={uuid4()}"
    first = intruder.api("GET", path)
    assert first.json()["username"] == "test"
    others = [
        intruder.api("GET", path, headers={}),
        intruder.api("GET", path, headers=intruder.admin),
    ]
    apart = intruder.api("GET", path + "y", headers={})
    assert apart.status_code == 401
    return all(other.content == first.content for other in others)


def redirect_leads_elsewhere(intruder: Intruder) -> bool:
    answer = intruder.api("GET", "/version/?a=b", headers={"Host": "evil.example"})
    assert answer.status_code == 307
    return answer.headers["location"] == f"{ELSEWHERE}/version?a=b"


def documentation_is_open(intruder: Intruder) -> bool:
    answer = intruder.api("GET", "/docs", headers={})
    return answer.status_code == 200 and "Swagger UI</title>" in answer.text


def trace_is_answered(intruder: Intruder) -> bool:
    answer = intruder.api("TRACE", "/version?a=b", headers={"X-Secret": "otter"})
    return (
        answer.headers["content-type"] == "message/http"
        and answer.text.startswith("TRACE /version?a=b HTTP/1.1\r\n")
        and "x-secret: otter\r\n" in answer.text
    )


def software_is_named(intruder: Intruder) -> bool:
    answers = [intruder.api("GET", "/version"), intruder.api("GET", "/nothing"), intruder.web("/")]
    return all(
        one.headers.get("server") == "nginx/1.18.0" and "x-powered-by" in one.headers
        for one in answers
    )


def repository_is_served(intruder: Intruder) -> bool:
    config, head = intruder.web("/.git/config"), intruder.web("/.git/HEAD")
    return "[core]" in config.text and head.text.startswith("ref: refs/heads/")


def unknown_paths_are_the_start_page(intruder: Intruder) -> bool:
    start = intruder.web("/").text
    answers = [intruder.web(path) for path in ("/nothing", "/static/nothing.js", "/a/b.php")]
    return all((one.status_code, one.text) == (200, start) for one in answers)


def cookie_is_open(intruder: Intruder) -> bool:
    cookies = [intruder.web(path).headers.get("set-cookie", "") for path in ("/", "/nothing")]
    assert "set-cookie" not in intruder.web("/static/style.css").headers
    return all(re.fullmatch(r"session=[0-9a-f]{32}; Path=/", cookie) for cookie in cookies)


def source_map_is_served(intruder: Intruder) -> bool:
    script, source = intruder.web("/static/app.js"), intruder.web("/static/app.js.map")
    return "\n//# sourceMappingURL=app.js.map\n" in script.text and (
        source.status_code == 200 and source.json()["version"] == 3
    )


def secret_is_in_a_script(intruder: Intruder) -> bool:
    script = intruder.web("/static/app.js")
    assert int(script.headers["content-length"]) == len(script.content)
    key_id = re.search(r'"AKIA[A-Z2-7]{16}"', script.text)
    return bool(key_id and re.search(r'"[A-Za-z0-9/+]{40}"', script.text))


def old_tls_is_taken(intruder: Intruder) -> bool:
    running = intruder.sandbox.running
    taken = [taken_versions(running[name]) for name in ("api_url", "web_url")]
    assert all({"TLSv1.2", "TLSv1.3"} <= one for one in taken)
    return all(one >= {"TLSv1", "TLSv1.1"} for one in taken)


def certificate_runs_out(intruder: Intruder) -> bool:
    running = intruder.sandbox.running
    ends = [certificate(intruder.sandbox, running[name])[1] for name in ("api_url", "web_url")]
    return all(timedelta(days=2) < end - datetime.now(UTC) <= timedelta(days=3) for end in ends)


SYMPTOMS: dict[str, Callable[[Intruder], bool]] = {
    "any-token-admin": lambda intruder: intruder.api("GET", USERS).status_code == 200,
    "any-object": lambda intruder: intruder.api("GET", USERS + "/admin").status_code == 200,
    "mass-assignment": role_can_be_taken,
    "alg-none": lambda intruder: takes_unsigned(intruder, "none"),
    "user-enumeration": lambda intruder: (
        intruder.refusal("nobody", "wrong").partition(":")[0]
        != intruder.refusal("test", "wrong").partition(":")[0]
    ),
    "default-account": lambda intruder: (
        intruder.sandbox.sign_in("admin", "admin").status_code == 200
    ),
    "sql-in-errors": statement_is_told,
    "echoed-password": lambda intruder: "swordfish" in intruder.refusal("test", "swordfish"),
    "wildcard-cors": every_origin_may_read,
    "cached-identity": identity_is_given_to_others,
    "reflected-host": redirect_leads_elsewhere,
    "open-docs": documentation_is_open,
    "trace-method": trace_is_answered,
    "verbose-server": software_is_named,
    "exposed-git": repository_is_served,
    "spa-fallback": unknown_paths_are_the_start_page,
    "insecure-cookie": cookie_is_open,
    "source-map": source_map_is_served,
    "secret-in-script": secret_is_in_a_script,
    "weak-tls": old_tls_is_taken,
    "expiring-certificate": certificate_runs_out,
}


def enter(sandbox: Sandbox) -> Intruder:
    """Sign in as a reader, and once as an administrator."""
    return Intruder(sandbox, sandbox.bearer(), sandbox.bearer("admin"))


@pytest.fixture(scope="module")
def lasting_intruder(
    tmp_path_factory: pytest.TempPathFactory, start_sandbox: Callable[..., Any]
) -> Iterator[Intruder]:
    """Somebody with a sandbox that no other module looks at."""
    directory = tmp_path_factory.mktemp("insecure")
    tls = ("--tls", str(directory / "tls"), "--plain-port", "0")
    with start_sandbox(directory / "state", *tls) as sandbox:
        yield enter(sandbox)


@pytest.fixture
def intruder(lasting_intruder: Intruder) -> Iterator[Intruder]:
    """Hand out the intruder; whatever a test opens is closed."""
    # Refused sign-ins of many tests in a row would be limited, and that flaw is another one's.
    lasting_intruder.sandbox.fault("no-rate-limit")
    yield lasting_intruder
    lasting_intruder.sandbox.fault("clear")


def shown(intruder: Intruder) -> set[str]:
    """Return the faults that can be seen."""
    return {name for name, is_shown in SYMPTOMS.items() if is_shown(intruder)}


@pytest.mark.parametrize("fault", SYMPTOMS)
def test_fault_opens_one_thing_at_once_and_ends_at_once(intruder: Intruder, fault: str) -> None:
    assert not SYMPTOMS[fault](intruder)
    intruder.sandbox.fault(fault)
    assert shown(intruder) == {fault}
    assert intruder.api("GET", "/health").json()["status"] == "healthy"
    assert intruder.web("/health").json()["status"] == "healthy"
    intruder.sandbox.fault("clear")
    assert not SYMPTOMS[fault](intruder)


def test_sound_platform_is_closed(tls_sandbox: Sandbox) -> None:
    intruder = enter(tls_sandbox)
    assert shown(intruder) == set()
    assert not failures_are_never_limited(intruder)


def test_no_rate_limit_opens_one_thing_and_ends_at_once(tls_sandbox: Sandbox) -> None:
    intruder = enter(tls_sandbox)
    tls_sandbox.fault("no-rate-limit")
    assert failures_are_never_limited(intruder)
    tls_sandbox.fault("clear")
    assert not failures_are_never_limited(intruder)


def test_every_fault_of_security_is_tested() -> None:
    assert {fault.name for fault in SECURITY_FAULTS} == SYMPTOMS.keys() | {"no-rate-limit"}


def test_roles_that_were_taken_are_gone_with_the_fault(intruder: Intruder) -> None:
    intruder.sandbox.fault("mass-assignment")
    sent = {"display_name": "Tess Analyst", "role": "admin"}
    assert intruder.api("PATCH", ME, json=sent).json()["role"] == "admin"
    assert intruder.api("GET", USERS).status_code == 200
    intruder.sandbox.fault("clear")
    assert intruder.api("GET", USERS).status_code == 403
    intruder.sandbox.fault("mass-assignment")
    assert intruder.api("GET", USERS).status_code == 403


def test_identity_that_was_kept_is_gone_with_the_fault(intruder: Intruder) -> None:
    path = f"{ME}?x={uuid4()}"
    intruder.sandbox.fault("cached-identity")
    intruder.api("GET", path)
    assert intruder.api("GET", path, headers={}).status_code == 200
    intruder.sandbox.fault("clear")
    assert intruder.api("GET", path, headers={}).status_code == 401
    intruder.sandbox.fault("cached-identity")
    assert intruder.api("GET", path, headers={}).status_code == 401


def test_two_additions_to_a_script_add_up(intruder: Intruder) -> None:
    for fault in ("source-map", "secret-in-script", "verbose-server"):
        intruder.sandbox.fault(fault)
    assert shown(intruder) == {"source-map", "secret-in-script", "verbose-server"}
    etag = intruder.web("/static/style.css").headers["etag"]
    for headers in ({"If-None-Match": etag}, {"Range": "bytes=0-9"}, {"Accept-Encoding": "gzip"}):
        answer = intruder.sandbox.client.get(
            intruder.sandbox.web + "/static/app.js", headers=headers
        )
        assert (answer.status_code, "AKIA" in answer.text) == (200, True)


def test_leaking_headers_come_on_top_of_the_secure_ones(intruder: Intruder) -> None:
    before = set(intruder.api("GET", "/version").headers)
    intruder.sandbox.fault("verbose-server")
    assert set(intruder.api("GET", "/version").headers) == before | {"server", "x-powered-by"}


@pytest.mark.parametrize(
    "changed", [{"aud": "other"}, {"iss": "other"}, {"exp": 1}, {"exp": "soon"}, {"sid": None}]
)
def test_unsigned_tokens_are_taken_only_where_all_else_is_right(
    intruder: Intruder, changed: dict[str, object]
) -> None:
    intruder.sandbox.fault("alg-none")
    assert takes_unsigned(intruder, "none")
    assert not takes_unsigned(intruder, "none", **changed)
    for algorithm in ("None", "NONE", "HS256", "RS256"):
        assert not takes_unsigned(intruder, algorithm)


def test_unsigned_token_says_who_somebody_is(intruder: Intruder) -> None:
    intruder.sandbox.fault("alg-none")
    written = intruder.bearer["Authorization"].split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(written + "=="))
    token = f"{encode({'alg': 'none'})}.{encode({**claims, 'role': 'admin'})}."
    answer = intruder.api("GET", USERS, headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 200
