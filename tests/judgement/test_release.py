"""Release identity: the release that was validated is the one that serves, everywhere."""

from collections.abc import Callable

import pytest

from deployment_gate.environment import Policy
from deployment_gate.evidence import Evidence, Observation, ObservationKind
from deployment_gate.judgement import Decision, judge

NEW = "1.5.0"
OLD = "1.4.2"


@pytest.fixture
def answers(look: Callable[..., Observation]) -> Callable[..., list[Observation]]:
    """Make the answers to release probes from their facts."""

    def answers(*facts: dict[str, str], name: str = "web") -> list[Observation]:
        return [look(name, kind=ObservationKind.RELEASE, facts=one) for one in facts]

    return answers


@pytest.fixture
def reasons(
    policy: Callable[..., Policy],
    evidence: Callable[..., Evidence],
    look: Callable[..., Observation],
) -> Callable[..., list[str]]:
    """Judge what was seen of a platform of healthy endpoints; the reasons' texts."""

    def reasons(seen: list[Observation], **identities: int) -> list[str]:
        verdict = judge(
            policy(identities=identities or {"web": 1}),
            evidence([look("api"), look("database"), *seen], release=NEW),
        )
        assert (verdict.decision is Decision.PROMOTE) is (not verdict.reasons)
        assert all(reason.decision is Decision.HOLD for reason in verdict.reasons)
        assert all(reason.rule == "release" for reason in verdict.reasons)
        return [reason.text for reason in verdict.reasons]

    return reasons


def test_the_expected_release_everywhere_promotes(
    reasons: Callable[..., list[str]], answers: Callable[..., list[Observation]]
) -> None:
    seen = answers(
        {"release": NEW, "header_release": NEW, "instance": "a"},
        {"release": NEW, "header_release": NEW, "instance": "b"},
        {"release": NEW, "header_release": NEW, "instance": "a"},
    )
    assert reasons(seen, web=2) == []


def test_an_older_release_on_one_of_two_replicas_holds_and_names_it(
    reasons: Callable[..., list[str]], answers: Callable[..., list[Observation]]
) -> None:
    seen = answers({"release": NEW, "instance": "a"}, {"release": OLD, "instance": "b"})
    assert reasons(seen, web=2) == ["release 1.4.2 still serves: web on b"]


def test_an_older_release_without_named_replicas_holds(
    reasons: Callable[..., list[str]], answers: Callable[..., list[Observation]]
) -> None:
    assert reasons(answers({"release": NEW}, {"release": OLD}), web=2) == [
        "release 1.4.2 still serves: web"
    ]


def test_a_header_that_contradicts_the_body_holds(
    reasons: Callable[..., list[str]], answers: Callable[..., list[Observation]]
) -> None:
    assert reasons(answers({"release": NEW, "header_release": OLD})) == [
        "release 1.4.2 still serves: web"
    ]


@pytest.mark.parametrize("other", ["1.5.0 ", "v1.5.0", "1.5.0-rc1", "1.5", ""])
def test_only_the_very_same_name_is_the_release(
    other: str, reasons: Callable[..., list[str]], answers: Callable[..., list[Observation]]
) -> None:
    assert reasons(answers({"release": other})) == [f"release {other} still serves: web"]


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({}, "answered 200 without naming one"),
        ({"status": None, "error": "connection refused"}, "connection refused"),
        ({"status": None, "unobserved": "no route from here"}, "no route from here"),
    ],
)
def test_an_endpoint_that_is_silent_once_holds(
    fields: dict[str, object],
    why: str,
    reasons: Callable[..., list[str]],
    answers: Callable[..., list[Observation]],
    look: Callable[..., Observation],
) -> None:
    seen = [*answers({"release": NEW}), look("web", kind=ObservationKind.RELEASE, **fields)]
    assert reasons(seen) == [f"web did not name its release 1 of 2 times: {why}"]


def test_an_endpoint_that_was_not_asked_holds(
    reasons: Callable[..., list[str]], answers: Callable[..., list[Observation]]
) -> None:
    assert reasons(answers({"release": NEW}), web=1, api=1) == ["api was not asked for its release"]


def test_fewer_replicas_than_declared_hold(
    reasons: Callable[..., list[str]], answers: Callable[..., list[Observation]]
) -> None:
    seen = answers(*[{"release": NEW, "instance": "a"}] * 18, {"release": NEW, "instance": "b"})
    assert reasons(seen, web=3) == ["only 2 of 3 replicas of web answered"]


def test_replicas_that_do_not_say_which_they_are_hold(
    reasons: Callable[..., list[str]], answers: Callable[..., list[Observation]]
) -> None:
    seen = answers(*[{"release": NEW, "instance": ""}] * 12)
    assert reasons(seen, web=2) == ["web does not say which of its replicas answers"]


def test_more_replicas_than_declared_are_no_fault(
    reasons: Callable[..., list[str]], answers: Callable[..., list[Observation]]
) -> None:
    seen = answers({"release": NEW, "instance": "a"}, {"release": NEW, "instance": "b"})
    assert reasons(seen, web=1) == []


def test_a_release_without_a_section_that_would_name_it_holds(
    policy: Callable[..., Policy], evidence: Callable[..., Evidence]
) -> None:
    verdict = judge(policy(), evidence(release=NEW))
    assert verdict.decision is Decision.HOLD
    assert verdict.reasons[0].text == (
        "nothing says where release 1.5.0 would name itself. "
        "Write a `release_identity` section into the environment file"
    )


def test_without_a_named_release_nothing_is_held_against_the_one_that_runs(
    policy: Callable[..., Policy],
    evidence: Callable[..., Evidence],
    look: Callable[..., Observation],
    answers: Callable[..., list[Observation]],
) -> None:
    seen = [look("api"), *answers({"release": OLD})]
    assert judge(policy(identities={"web": 1}), evidence(seen)).decision is Decision.PROMOTE


def test_health_answers_do_not_speak_for_the_release(
    reasons: Callable[..., list[str]], look: Callable[..., Observation]
) -> None:
    assert reasons([look("web", facts={"release": NEW})]) == ["web was not asked for its release"]


@pytest.mark.parametrize(
    ("seen", "decision"),
    [
        ([{"release": OLD}, {"release": OLD}], Decision.HOLD),
        ([{"release": NEW}, {"release": OLD}], Decision.ROLLBACK),
        ([{"release": NEW}], Decision.ROLLBACK),
        # Nothing says that it is elsewhere; a release that is down names nothing.
        ([{}], Decision.ROLLBACK),
    ],
)
def test_a_failure_while_another_release_serves_everywhere_is_not_this_ones_doing(
    seen: list[dict[str, str]],
    decision: Decision,
    policy: Callable[..., Policy],
    evidence: Callable[..., Evidence],
    look: Callable[..., Observation],
) -> None:
    observations = [
        *[look("api", "bad")] * 3,
        *(look("web", kind=ObservationKind.RELEASE, facts=facts) for facts in seen),
    ]
    verdict = judge(policy(identities={"web": 1}), evidence(observations, release=NEW))
    assert verdict.decision is decision
    told = [reason.text for reason in verdict.reasons if reason.rule == "health"]
    if decision is Decision.HOLD:
        assert told[0].endswith(
            "(no rollback: no answer names release 1.5.0, so this isn't its doing)"
        )
