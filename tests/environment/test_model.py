"""What an environment covers, requires and refuses."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from pydantic import ValidationError

from deployment_gate.environment import Category, Content, Environment, HealthEndpoint, Tier


@pytest.mark.parametrize(
    ("url", "content", "may_be_page"),
    [
        ("http://web", None, True),
        ("http://web/", None, True),
        ("http://web/?a=b", None, True),
        ("http://api/health", None, False),
        ("http://api/health", Content.PAGE, True),
        ("http://api/health", Content.ANY, True),
        ("http://web/", Content.JSON, False),
        ("http://web/", Content.TEXT, False),
    ],
)
def test_only_a_url_without_a_path_may_be_a_page_unless_it_says_so(
    url: str, content: Content | None, *, may_be_page: bool
) -> None:
    assert HealthEndpoint(url=url, content=content).may_be_page is may_be_page


def test_an_environment_cannot_be_changed(load: Callable[..., Environment], minimal: str) -> None:
    with pytest.raises(ValidationError, match="frozen"):
        load(minimal).name = "other"  # type: ignore[misc]


def test_required_categories_follow_from_the_sections(
    load: Callable[..., Environment], minimal: str
) -> None:
    assert load(minimal).required_categories("smoke") == ("health",)
    both = load(minimal + "api: {base_url: http://api}\n")
    assert both.required_categories(Tier.FULL) == ("health", "api")


def test_required_categories_can_be_written_for_each_tier(
    load: Callable[..., Environment], minimal: str
) -> None:
    environment = load(minimal + "required: {full: [health, security]}\n")
    assert environment.required_categories("full") == ("health", "security")
    assert environment.required_categories("smoke") == ("health",)


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("required: {smoke: [helth]}", "Did you mean health?"),
        ("required: {smoke: []}", "must not be empty"),
        ("required: {smoke: health}", "must be a list"),
        ("sampler: {concurrency: 0}", "must be at least 1"),
        ("sampler: {concurrency: true}", "must be a whole number"),
        ("description: 5", '"5" must be text. Write it in quotes'),
        ("release_identity: {api: {url: http://api}}", "Write `header:` or `field:`"),
        ("release_identity: {api: {url: http://api, header: a b}}", "is no name of a header"),
        ("api: {base_url: 'http://api?x=1'}", "has a query or fragment"),
        ("api: {base_url: http://api, whoami: {path: me}}", "is no path"),
        ("launch: {command: [], ready: http://api}", "must be a command"),
        ("monitoring_metrics: {a: {b: about 5%}}", '"about 5%" isn\'t understood'),
        ("monitoring_metrics: {a: {b: 5}}", "must be a phrase in quotes"),
        ("rollback_triggers: {a: {action: hold, timeout: 5m}}", "Write `condition: ...`"),
        ("rollback_triggers: {' ': {}}", "must have a name"),
        ("check_timeout: -5s", "isn't understood as a duration"),
        ("check_timeout: true", "must be a duration"),
    ],
)
def test_what_is_not_valid_is_refused_with_what_would_be(
    complaint: Callable[..., str], minimal: str, written: str, reason: str
) -> None:
    told = complaint(f"{minimal}{written}\n")
    assert told.startswith("here.yaml:4: ")
    assert reason in told


def test_statuses_are_one_or_several(load: Callable[..., Environment]) -> None:
    environment = load("health_endpoints: {api: {url: http://api, expected_status: [200, 204]}}\n")
    assert environment.health_endpoints["api"].expected_status == {200, 204}


@pytest.mark.parametrize("status", ["99", "600", "true", "[]", "ok", "200.5", "[200, null]", "{}"])
def test_what_is_no_status_is_refused(complaint: Callable[..., str], status: str) -> None:
    told = complaint(f"health_endpoints: {{api: {{url: http://a, expected_status: {status}}}}}\n")
    assert "must be an HTTP status or a list of them. Write 200 or [200, 204]" in told


def test_a_command_is_a_text_or_a_list(load: Callable[..., Environment], minimal: str) -> None:
    for written, command in (("python -m x", "python -m x"), ("[python, x]", ("python", "x"))):
        launch = load(f"{minimal}launch: {{command: {written}, ready: http://api}}\n").launch
        assert launch is not None
        assert launch.command == command
        assert launch.timeout == timedelta(seconds=30)


def test_who_is_asked_is_split(load: Callable[..., Environment], minimal: str) -> None:
    responses = load(
        minimal + "alert_response:\n  critical_alerts:\n"
        '    - response_time: "Immediate (within 5 minutes)"\n'
        '    - escalation: "On-call engineer + team lead"\n    - action: Investigate\n'
    ).alert_response
    assert responses is not None
    assert responses.critical_alerts is not None
    assert responses.critical_alerts.escalation == ("On-call engineer", "team lead")
    assert responses.critical_alerts.response_time == timedelta(minutes=5)


def test_what_is_not_mentioned_is_listed(load: Callable[..., Environment], minimal: str) -> None:
    gaps = load(minimal).not_covered()
    assert "api: no `api` section" in gaps
    assert "security: neither an `api` nor a `web` section" in gaps
    assert not any(gap.startswith("health:") for gap in gaps)
    covered = load(minimal + "api: {base_url: http://api}\n").not_covered()
    assert not any(gap.startswith(("api:", "security:")) for gap in covered)


def test_every_category_is_covered_by_something_or_listed() -> None:
    bare = Environment(name="bare", release_identity={"a": {"url": "http://a", "field": "b"}})
    listed = {gap.partition(":")[0] for gap in bare.not_covered()}
    assert {category.value for category in Category} <= listed
