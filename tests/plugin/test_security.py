"""What checks of security find decides by how bad it is, whether it is accepted, and by whom."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from itertools import chain, repeat
from typing import TYPE_CHECKING, Any

import pytest

from tests.plugin.conftest import REPORTS, Reply

if TYPE_CHECKING:
    from tests.plugin.conftest import Project, Reports, Run, Target

RULES = """
    from deployment_gate.evidence import FindingSeverity
    from deployment_gate.security.rules import Looked, Rule, curl_of, told_exchange

    def rule(severity):
        return Rule(
            id=f"{severity}-thing",
            severity=FindingSeverity(severity),
            title=f"A {severity} thing",
            source="OWASP ASVS 5.0, 1.1.1",
            remedy="Mend it.",
        )
"""
CHECK = (
    RULES
    + """
    def test_it(judge_findings):
        judge_findings(Looked((rule("SEVERITY").found("it was seen", ["api GET /a", "web /b"]),)))

    def test_is_well(judge_findings):
        judge_findings(Looked())
"""
)
TRIGGER = """rollback_triggers:
  security_breach:
    condition: "Security check fails for 2 consecutive attempts"
    action: rollback
    timeout: 5s
    interval: 50ms
"""


@pytest.fixture
def guarded(project: Project, target: Target) -> Project:
    """A project with checks of security, and a trigger on them."""
    path = project.path / "environments/here.yaml"
    text = path.read_text().replace("rollback_triggers:\n", TRIGGER)
    path.write_text(
        f"{text}api: {{base_url: '{target.url}'}}\nrequired: {{full: [health], smoke: [health]}}\n"
    )
    return project


def add(project: Project, text: str) -> None:
    """Add to the environment."""
    path = project.path / "environments/here.yaml"
    path.write_text(path.read_text() + text)


def find(project: Project, severity: str) -> None:
    """Have a check find something so bad."""
    project.check(CHECK.replace("SEVERITY", severity), category="security")


def without_trigger(project: Project) -> None:
    """Take the trigger away again."""
    path = project.path / "environments/here.yaml"
    path.write_text(path.read_text().replace(TRIGGER, "rollback_triggers:\n"))


def waiver(finding: str, *, days: int = 5, place: str = "*") -> str:
    """A waiver that holds for so many days."""
    day = (datetime.now(UTC) + timedelta(days=days)).date()
    return (
        f"  - {{finding: {finding}, place: '{place}', reason: issue 12, owner: Ada, "
        f"expires: {day}}}\n"
    )


def results(reports: Reports) -> list[dict[str, Any]]:
    """What `findings.sarif` holds."""
    return list(json.loads(reports["findings.sarif"])["runs"][0]["results"])


def state_of(done: Run) -> str:
    """What became of the trigger."""
    (state,) = (
        one["state"] for one in done.reports.verdict["triggers"] if one["name"] == "security_breach"
    )
    return str(state)


@pytest.mark.parametrize("processes", ["0", "2"])
def test_a_critical_finding_fires_the_trigger_once_it_was_met_again(
    guarded: Project, processes: str
) -> None:
    find(guarded, "critical")
    done = guarded.run("-n", processes)
    assert done.exit_code == 10, done.output
    assert "security_breach fired: validation/security/test_more.py::test_it failed 2 times" in (
        done.reports.why
    )
    assert len(done.reports.observations("check")) == 2
    # Met twice, and one finding all the same.
    (result,) = results(done.reports)
    assert result["ruleId"] == "critical-thing"
    assert len([one for one in done.reports.evidence if one["type"] == "finding"]) == 1


def test_without_a_trigger_a_critical_finding_holds(guarded: Project) -> None:
    without_trigger(guarded)
    find(guarded, "critical")
    done = guarded.run()
    assert done.exit_code == 1, done.output
    assert "test_it failed: critical: A critical thing: it was seen [critical-thing]" in (
        done.reports.why
    )


@pytest.mark.parametrize("severity", ["high", "medium"])
def test_what_is_less_than_critical_holds_and_leaves_the_trigger_clear(
    guarded: Project, severity: str
) -> None:
    find(guarded, severity)
    done = guarded.run()
    assert done.exit_code == 1, done.output
    assert state_of(done) == "clear"
    assert done.reports.why.count("\n") == 0
    assert f"failed: {severity}: A {severity} thing: it was seen" in done.reports.why
    # Carried out once: nothing that is counted was seen.
    assert len(done.reports.observations("check")) == 1
    assert done.reports.verdict["findings"][severity] == 1


@pytest.mark.parametrize("severity", ["low", "info"])
def test_what_is_low_warns_and_promotes(guarded: Project, severity: str) -> None:
    find(guarded, severity)
    done = guarded.run()
    assert done.exit_code == 0, done.output
    assert done.reports.outcomes["test_it"] == "warned"
    assert (
        f"warning: validation/security/test_more.py::test_it: {severity}: A {severity}"
        in (done.reports.verdict["notes"][0])
    )
    assert results(done.reports)[0]["level"] == "note"
    assert not done.reports.is_red


def test_the_line_between_holding_and_warning_is_the_environments(guarded: Project) -> None:
    add(guarded, "security: {holds_from: critical}\n")
    find(guarded, "high")
    assert guarded.run().exit_code == 0


@pytest.mark.parametrize("processes", ["0", "2"])
def test_a_critical_finding_that_is_waived_promotes_and_says_so_everywhere(
    guarded: Project, processes: str
) -> None:
    find(guarded, "critical")
    add(guarded, f"waivers:\n{waiver('critical-thing')}")
    done = guarded.run("-n", processes)
    assert done.exit_code == 0, done.output
    assert state_of(done) == "clear"
    (note,) = done.reports.verdict["notes"]
    assert "waived until" in note
    assert "by Ada (issue 12)" in note
    assert "found   critical, waived: A critical thing" in done.output
    assert "critical, waived" in done.reports["report.html"]
    assert "critical, waived" in done.reports["summary.md"]
    (result,) = results(done.reports)
    assert result["suppressions"][0]["justification"].startswith("issue 12 (Ada, until ")
    assert done.reports.verdict["findings"]["waived"] == 1


def test_one_fingerprint_may_be_waived(guarded: Project) -> None:
    find(guarded, "high")
    held = guarded.run()
    fingerprint = held.reports.verdict["findings"]["found"][0]["fingerprint"]
    assert f"fingerprint: {fingerprint}" in held.reports.junit.find(".//failure").text
    add(guarded, f"waivers:\n{waiver(fingerprint)}")
    assert guarded.run().exit_code == 0


def test_a_waiver_that_is_over_holds_and_says_when_it_was(guarded: Project) -> None:
    find(guarded, "high")
    add(guarded, f"waivers:\n{waiver('high-thing', days=-2)}")
    done = guarded.run()
    assert done.exit_code == 1, done.output
    assert "its waiver expired on" in done.reports.why
    assert "Ada sees to it" in done.reports.why


def test_waivers_of_some_places_hold_until_all_are_covered(guarded: Project) -> None:
    find(guarded, "high")
    add(guarded, f"waivers:\n{waiver('high-thing', place='api *')}")
    done = guarded.run()
    assert done.exit_code == 1, done.output
    assert "(waived at api GET /a until" in done.reports.why
    assert "not at web /b)" in done.reports.why
    add(guarded, waiver("high-thing", place="web /b"))
    assert guarded.run().exit_code == 0


def test_a_waiver_of_what_is_not_found_any_more_is_told(guarded: Project) -> None:
    find(guarded, "low")
    add(guarded, f"waivers:\n{waiver('gone-thing')}{waiver('low-thing')}")
    notes = "\n".join(guarded.run().reports.verdict["notes"])
    assert "the waiver of gone-thing (Ada) is about no finding any more" in notes
    assert "waiver of low-thing" not in notes


def test_what_could_not_be_looked_at_holds_and_is_no_pass(guarded: Project) -> None:
    guarded.check(
        RULES
        + """
    def test_it(judge_findings):
        judge_findings(Looked(unseen=("TLS 1.0 could not be offered",)))

    def test_low(judge_findings):
        judge_findings(Looked((rule("low").found("so", ["api"]),), unseen=("half of it",)))

    def test_high(judge_findings):
        judge_findings(Looked((rule("high").found("so", ["api"]),), unseen=("half of it",)))

    def test_throttled(api, judge_findings):
        api.get("/limited")
        judge_findings(Looked())
    """,
        category="security",
    )
    done = guarded.run()
    assert done.exit_code == 1, done.output
    assert "test_it failed: not observed: TLS 1.0 could not be offered" in done.reports.why
    assert "test_low failed: not observed: half of it" in done.reports.why
    assert "test_high failed: high: A high thing: so" in done.reports.why
    run = json.loads(done.reports["findings.sarif"])["runs"][0]
    told = run["invocations"][0]["toolExecutionNotifications"]
    assert ["::test_it: not observed" in one["message"]["text"] for one in told] == [True, False]
    assert [one["ruleId"] for one in run["results"]] == ["high-thing", "low-thing"]


def test_a_throttled_look_is_no_pass(guarded: Project, target: Target) -> None:
    target.answers["/limited"] = repeat(Reply(status=429))
    guarded.check(
        RULES
        + """
    def test_it(api, judge_findings):
        api.get("/limited")
        judge_findings(Looked())
    """,
        category="security",
    )
    done = guarded.run()
    assert done.exit_code == 1, done.output
    assert "not observed: answered 429" in done.reports.why


@pytest.mark.parametrize("processes", ["0", "2"])
def test_a_secret_in_a_finding_reaches_no_file(
    guarded: Project, target: Target, monkeypatch: pytest.MonkeyPatch, processes: str
) -> None:
    secret, token = "correct-horse-battery", "opaque-token-0123456789abcdef"
    monkeypatch.setenv("GATE_PASSWORD", secret)
    path = guarded.path / "environments/here.yaml"
    identity = '{test: {username: test, password: "${GATE_PASSWORD}"}}'
    login = f"login: {{request: POST /login}}, identities: {identity}"
    path.write_text(
        path.read_text().replace(
            f"api: {{base_url: '{target.url}'}}", f"api: {{base_url: '{target.url}', {login}}}"
        )
    )
    target.answers["/leak"] = repeat(Reply(body=json.dumps({"echo": f"{secret} {token}"})))
    guarded.check(
        RULES
        + f"""
    import os

    def test_it(api, keep_secret, judge_findings):
        token = keep_secret("{token}")
        secret = os.environ["GATE_PASSWORD"]
        answer = api.get("/leak", headers={{"Authorization": "Bearer " + token}})
        breach = rule("high").found(
            "it told " + secret,
            ["api GET /leak"],
            exchange=told_exchange(answer),
            curl=curl_of(answer.request),
        )
        judge_findings(Looked((breach,)))
    """.replace(token, 'opaque-token-" "0123456789abcdef'),
        category="security",
    )
    done = guarded.run("-n", processes, "-rA")
    assert done.exit_code == 1, done.output
    for name, text in {**done.reports.texts, "terminal": done.output}.items():
        assert secret not in text, name
        assert token not in text, name
    (result,) = results(done.reports)
    assert result["webRequest"]["headers"]["authorization"] == "Bearer [redacted]"
    assert result["webResponse"]["body"]["text"] == '{"echo": "[redacted] [redacted]"}'
    assert "Bearer [redacted]" in result["properties"]["curl"]
    (line,) = [one for one in done.reports.evidence if one["type"] == "finding"]
    assert line["detail"] == "it told [redacted]"


def test_two_processes_find_the_same_once(guarded: Project) -> None:
    find(guarded, "high")
    alone = guarded.run("-n", "0")
    both = guarded.run("-n", "2")
    assert alone.exit_code == both.exit_code == 1
    told = [
        (one["ruleId"], one["partialFingerprints"], one["message"], one["locations"])
        for one in results(alone.reports)
    ]
    assert told == [
        (one["ruleId"], one["partialFingerprints"], one["message"], one["locations"])
        for one in results(both.reports)
    ]
    assert len(told) == 1


ASKING = (
    RULES
    + """
    @pytest.mark.parametrize("number", range(3))
    def test_it(number, api, judge_findings):
        api.get("/a")
        api.get("/a")
        judge_findings(Looked())
"""
)


@pytest.mark.parametrize("processes", ["0", "2"])
def test_the_ceiling_of_requests_is_the_runs_and_makes_a_hold_that_says_so(
    guarded: Project, target: Target, processes: str
) -> None:
    add(guarded, "security: {most_requests: 5, rate: 1000}\n")
    guarded.check(ASKING, category="security")
    done = guarded.run("-n", processes)
    assert done.exit_code == 1, done.output
    assert target.counts["GET /a"] == 5
    assert "the checks of security have sent 5 requests, which is their ceiling" in done.reports.why
    assert "Raise `security: {most_requests: ...}`" in done.reports.why


def test_checks_of_other_categories_have_no_ceiling(guarded: Project, target: Target) -> None:
    add(guarded, "security: {most_requests: 1}\n")
    guarded.check(
        "def test_it(api):\n    for _ in range(3):\n        api.get('/a')\n", category="api"
    )
    assert guarded.run().exit_code == 0
    assert target.counts["GET /a"] == 3


def test_a_host_of_somebody_else_is_not_asked(guarded: Project, target: Target) -> None:
    elsewhere = target.url.replace("127.0.0.1", "localhost")
    guarded.check(
        RULES
        + f"""
    def test_it(http_client, judge_findings):
        http_client("{elsewhere}").get("/a")
        judge_findings(Looked())
    """,
        category="security",
    )
    done = guarded.run()
    assert done.exit_code == 1, done.output
    assert target.counts["GET /a"] == 0
    assert "nothing was sent to localhost, which is no host of this environment" in done.reports.why


def test_a_redirect_elsewhere_is_an_answer(guarded: Project, target: Target) -> None:
    elsewhere = {"Location": target.url.replace("127.0.0.1", "localhost") + "/b"}
    target.answers["/a"] = repeat(Reply(status=302, headers=elsewhere))
    guarded.check(
        RULES
        + """
    def test_it(api, judge_findings):
        assert api.get("/a").status_code == 302
        judge_findings(Looked())
    """,
        category="security",
    )
    assert guarded.run().exit_code == 0
    assert target.counts["GET /b"] == 0


@pytest.mark.parametrize(("later", "asked", "exit_code"), [(200, 2, 0), (429, 2, 1)])
def test_a_target_that_says_when_to_ask_again_is_asked_once_more(
    guarded: Project, target: Target, later: int, asked: int, exit_code: int
) -> None:
    limited = Reply(status=429, headers={"Retry-After": "1"})
    target.answers["/a"] = chain([limited], repeat(Reply(status=later, headers=limited.headers)))
    guarded.check(
        RULES
        + """
    def test_it(api, judge_findings):
        api.get("/a")
        judge_findings(Looked())
    """,
        category="security",
    )
    done = guarded.run()
    assert done.exit_code == exit_code, done.output
    assert target.counts["GET /a"] == asked
    first, second = done.reports.observations("request")
    waited = datetime.fromisoformat(second["at"]) - datetime.fromisoformat(first["at"])
    assert waited >= timedelta(seconds=1)


@pytest.mark.parametrize("said", ["", "3600", "Wed, 21 Oct 2026 07:28:00 GMT"])
def test_what_would_take_too_long_is_not_waited_for(
    guarded: Project, target: Target, said: str
) -> None:
    target.answers["/a"] = repeat(Reply(status=429, headers={"Retry-After": said}))
    guarded.check(
        "def test_it(api):\n    assert api.get('/a').status_code == 429\n", category="security"
    )
    assert guarded.run().exit_code == 0
    assert target.counts["GET /a"] == 1


def test_every_run_leaves_findings_sarif_with_those_of_others(guarded: Project) -> None:
    done = guarded.run("-k", "healthy")
    assert {path.name for path in done.reports.path.iterdir()} >= set(REPORTS)
    run = json.loads(done.reports["findings.sarif"])["runs"][0]
    assert run["results"] == []
    assert run["properties"]["run"] == done.reports.verdict["run"]
