"""The checks of headers ask once for all of them, and each tells its own findings."""

from __future__ import annotations

from itertools import repeat
from pathlib import Path

import pytest

from tests.plugin.conftest import Project, Reply, Run, Target

SOUND = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
BOTH = """
    api:
      base_url: TARGET/api
      login: {request: POST /login}
      identities: {reader: {username: reader, password: "${READERS_PASSWORD}"}}
      collections: {things: {path: /things, item: "/things/{{id}}"}}
    web: {base_url: TARGET, pages: {start: {path: /, public: true}}}
    """


@pytest.fixture
def checks(
    project: Project, pytestconfig: pytest.Config, monkeypatch: pytest.MonkeyPatch
) -> Project:
    """A project with the checks of headers, whose platform is sound."""
    monkeypatch.setenv("READERS_PASSWORD", "a-password-of-the-tests")
    source = pytestconfig.rootpath / "validation" / "security" / "test_headers.py"
    project.write("validation/security/test_headers.py", Path(source).read_text("utf-8"))
    project.environment(BOTH)
    return project


@pytest.fixture
def sound(target: Target) -> Target:
    """The platform with all headers: a page, a sign-in, a list."""
    page = Reply(body="<h1>start</h1>", content_type="text/html", headers=SOUND)
    token = Reply(body='{"access_token": "the-token-of-a-test"}', headers=SOUND)
    target.answers |= {"/": repeat(page), "/api/login": repeat(token)}
    target.answers["/api/things"] = repeat(Reply(headers=SOUND))
    target.answers["/api/things/"] = repeat(Reply(status=404, headers=SOUND))
    target.answers["/api/things/not-an-id"] = repeat(Reply(status=422, headers=SOUND))
    return target


def run(checks: Project) -> Run:
    """Run the checks of headers."""
    return checks.run("validation/security/test_headers.py", "-rA")


def findings(ran: Run) -> dict[str, str]:
    """The rules that findings are about, and how bad each is."""
    found = [one for one in ran.reports.evidence if one["type"] == "finding"]
    assert len({one["rule"] for one in found}) == len(found), "a rule was told twice"
    return {one["rule"]: one["severity"] for one in found}


def test_what_lacks_headers_is_told_once_and_at_all_its_places(
    checks: Project, sound: Target
) -> None:
    sound.answers["/api/things/not-an-id"] = repeat(Reply(status=422))

    ran = run(checks)

    # What is at a random path is answered without any headers here, for pages and API alike.
    assert findings(ran) == {
        "content-type-sniffed": "low",
        "framing-allowed": "low",
        "product-disclosed": "low",  # http.server says what it is
    }
    assert "failed" not in ran.reports.outcomes.values()
    places = next(
        one["places"] for one in ran.reports.evidence if one.get("rule") == "content-type-sniffed"
    )
    assert places == ["web GET /RANDOM", "api GET /things/not-an-id (422)", "api GET /RANDOM"]


def test_the_checks_share_what_they_asked_for(checks: Project, sound: Target) -> None:
    ran = run(checks)

    assert len(ran.reports.outcomes) == 7
    assert sound.counts["GET /api/things/not-an-id"] == 1
    assert sound.counts["GET /"] == 2  # once as a page, once as from another origin
    assert len([one for one in sound.requests if "/health/" not in one]) < 60


@pytest.mark.usefixtures("sound")
def test_the_report_has_the_grade_and_what_made_it(checks: Project) -> None:
    ran = run(checks)

    assert "web GET /: A+, 120 points" in ran.output
    assert "left out: strict-transport-security and redirection" in ran.output
    assert "not met: an answer 500" in ran.reports["report.html"]
    assert (
        "<th>Grade of web GET /</th><td>A+, 120 points (Observatory)</td>"
        in ran.reports["report.html"]
    )


def test_an_origin_that_is_echoed_holds_and_is_one_finding(checks: Project, sound: Target) -> None:
    open_to_all = {
        "Access-Control-Allow-Origin": "null",
        "Access-Control-Allow-Credentials": "true",
    }
    sound.answers["/api/things"] = repeat(Reply(headers=SOUND | open_to_all))

    ran = run(checks)

    assert findings(ran)["cors-any-origin-with-credentials"] == "high"
    assert ran.reports.outcomes["test_other_origins_are_refused"] == "failed"
    assert [*ran.reports.outcomes.values()].count("failed") == 1
    assert ran.reports.verdict["verdict"] == "hold"


def test_a_cookie_is_told_without_its_value(checks: Project, sound: Target) -> None:
    cookie = {"Set-Cookie": "session=a-value-that-nobody-may-see"}
    page = Reply(body="<h1>start</h1>", content_type="text/html", headers=SOUND | cookie)
    sound.answers["/"] = repeat(page)

    ran = run(checks)

    assert findings(ran)["session-cookie-exposed"] == "high"
    assert not any("a-value-that-nobody-may-see" in one for one in ran.reports.texts.values())


def test_where_nobody_can_sign_in_the_rest_is_looked_at_and_it_is_no_pass(
    checks: Project, sound: Target
) -> None:
    sound.answers["/api/login"] = repeat(Reply(status=401, headers=SOUND))

    ran = run(checks)

    outcomes = ran.reports.outcomes
    # What is lacking elsewhere is told; where nothing is, the rest is not known.
    assert outcomes["test_cookies_are_kept_close"] != "passed"
    assert outcomes["test_pages_are_graded_well"] == "passed"
    assert "signing in as reader was answered 401" in ran.output
    assert ran.reports.verdict["verdict"] == "hold"


def test_without_pages_their_checks_are_left_out(checks: Project, sound: Target) -> None:
    checks.environment(BOTH.partition("    web:")[0])

    ran = run(checks)

    assert set(ran.reports.left_out) == {
        "test_pages_are_graded_well",
        "test_the_content_policy_holds",
        "test_pages_load_nothing_unguarded",
    }
    assert sound.counts["GET /api/things"] > 0
    assert ran.reports.outcomes["test_other_origins_are_refused"] == "passed"


def test_what_another_check_provoked_is_looked_at_too(checks: Project, sound: Target) -> None:
    sound.answers["/api/broken"] = repeat(Reply(status=500))
    checks.check(
        """
        @pytest.mark.provokes
        def test_provokes(api, note_answer):
            note_answer("api", api.get("/broken"))
        """,
        category="security",
        name="a_provoking",
    )

    ran = checks.run("validation/security", "-rA")

    assert (
        "api GET /api/broken (500): 500, what another check provoked" in ran.reports["report.html"]
    )
