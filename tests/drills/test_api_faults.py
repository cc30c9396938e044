"""Each fault of the sandbox's API, and exactly the checks that must fail on it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from sandbox.faults import FAULTS
from sandbox.security_faults import SECURITY_FAULTS

PAGES = ("0", "-1", "first", "1e3", "1;2", "9" * 30)
IDS = ("-1", "no-such-id", "'", "1" * 40, "null")
LIFE = "journey[life_of_a_policy]"
SEARCH_TO_POLICY = "journey[from_search_to_policy]"


@dataclass(frozen=True)
class Expected:
    """What a fault must lead to: the checks that fail, or only warn, and what is said of it."""

    fault: str
    because: str
    failed: set[str] = field(default_factory=set)
    warned: set[str] = field(default_factory=set)


EXPECTED = [
    Expected(
        "reusable-refresh",
        "a refresh token that was used already was answered 200",
        {"a_refresh_token_works_once"},
    ),
    Expected(
        "auth-bypass",
        "a wrong password was answered 200",
        {
            "a_wrong_password_is_refused",
            "what_is_private_is_refused_without_a_token",
            "a_token_that_was_never_given_is_refused",
            "only_who_may_read_it_gets_the_list[policies]",
        },
    ),
    Expected(
        "wrong-type",
        "is not of type 'integer'",
        {"documented_operations_answer_as_documented", LIFE},
    ),
    Expected(
        "undocumented-field",
        "internal_note",
        warned={"answers_hold_only_documented_fields"},
    ),
    Expected(
        "naive-timestamps",
        "policies have times without a zone: updated_at",
        {
            "every_time_stamp_names_its_zone[policies]",
            "documented_operations_answer_as_documented",
            LIFE,
        },
    ),
    Expected(
        "wrong-total",
        "in all by the answer",
        {"the_total_is_the_number_of_items[policies]"},
    ),
    Expected(
        "unbounded-pages",
        "a page has 10000 at most",
        {"a_page_larger_than_allowed_is_refused_or_cut[policies]"},
    ),
    Expected(
        "overlapping-pages",
        "by pages of 3 are [1, 2, 3, 3, 4, 5, 6, 7, 8]",
        {"pages_follow_one_another_without_gap_or_repeat[policies]"},
    ),
    Expected(
        "ignored-filter",
        "have status 'draft', too",
        {"a_filter_leaves_only_what_it_says[policies]"},
    ),
    Expected(
        "lost-updates",
        "what somebody wrote meanwhile is lost",
        {
            "an_edit_of_a_version_that_is_gone_is_refused",
            "of_two_edits_at_once_one_is_refused",
        },
    ),
    Expected(
        "sticky-delete",
        "a removed policy was answered 200",
        {
            "a_policy_that_was_removed_is_gone",
            "removing_a_policy_twice_does_no_more",
            LIFE,
        },
    ),
    Expected("unsearchable-writes", "$.items[*].id is [], without", {LIFE}),
    Expected("latin-search", "a search for '個人情報' finds nothing", {"what_is_there_is_found"}),
    Expected(
        "fragile-search",
        "was answered 500",
        {
            f"odd_signs_break_nothing[{sign}]"
            for sign in ("an apostrophe", "a percent sign", "a backslash")
        },
    ),
    Expected("greedy-search", "finds 20 items", {"what_is_not_there_is_not_found", LIFE}),
    Expected(
        "missing-route",
        "GET /api/v1/search?q=policy was answered 404",
        {
            "documented_operations_answer_as_documented",
            "what_is_promised_is_served",
            "what_is_there_is_found",
            "what_is_not_there_is_not_found",
            SEARCH_TO_POLICY,
            LIFE,
        },
    ),
    Expected(
        "uneven-errors",
        "its error is text/plain, not application/json",
        {
            "an_unknown_path_is_told_in_the_one_shape",
            "a_missing_item_is_told_in_the_one_shape[policies]",
        },
    ),
    Expected(
        "fragile-input",
        "was answered 500",
        {
            "a_page_larger_than_allowed_is_refused_or_cut[policies]",
            "what_cannot_be_understood_is_refused",
            "a_long_term_breaks_nothing",
            *(f"a_page_that_cannot_be_breaks_nothing[policies-{page}]" for page in PAGES),
            *(f"an_id_that_cannot_be_is_refused[policies-{id_}]" for id_ in IDS),
        },
    ),
    Expected(
        "leaky-errors",
        "shows a Python traceback",
        {
            "an_unknown_path_is_told_in_the_one_shape",
            "a_missing_item_is_told_in_the_one_shape[policies]",
            "every_mistake_is_told_in_the_one_shape",
            "a_refusal_is_told_in_the_one_shape",
            "refused_terms_show_nothing_of_the_inside",
            "odd_signs_break_nothing[an apostrophe]",
            "odd_signs_break_nothing[a NUL]",
            # The search of this fault only looks at the text of a policy.
            LIFE,
        },
    ),
    Expected(
        "no-head",
        "HEAD /api/v1/policies was answered 405",
        warned={"head_answers_like_get_without_a_body[policies]"},
    ),
    Expected(
        "no-compression",
        "bytes were sent as they are",
        warned={"a_large_answer_is_compressed[policies]"},
    ),
    Expected(
        "lossy-redirect",
        "is redirected by 302 to /api/v1/policies, where it becomes a GET",
        {"a_redirect_keeps_the_method[policies]"},
    ),
    Expected(
        "public-caching",
        "lets caches keep it for all: public, max-age=600",
        {"a_private_answer_is_kept_by_no_shared_cache[policies]"},
    ),
    Expected(
        "wrong-environment",
        'say "staging"; expected',
        {"all_who_tell_it_agree[environment]"},
    ),
    Expected(
        "disagreeing-version",
        '/health $.release say "1.4.2"',
        {"all_who_tell_it_agree[release]"},
    ),
]

# These are about the whole platform, or about another part of it; test_faults.py has them.
ELSEWHERE = {
    "accepts-expired",
    "broken-javascript",
    "cache-down",
    "console-error",
    "database-down",
    "error-rate",
    "hang",
    "health-down",
    "inaccessible-form",
    "latency",
    "layout-shift",
    "login-refused",
    "lying-health",
    "missing-headers",
    "missing-image",
    "missing-script",
    "no-revocation",
    "overflow",
    "slow-interaction",
    "slow-page",
    "stale-release",
    "third-party",
    "throttle",
    "undead-session",
    "visual-change",
}


# None of a group hides what another one leads to.
TOGETHER = [
    """reusable-refresh wrong-type wrong-total missing-route no-head
    uneven-errors wrong-environment""",
    """auth-bypass undocumented-field unbounded-pages ignored-filter fragile-search sticky-delete
    disagreeing-version""",
    "naive-timestamps overlapping-pages lost-updates greedy-search public-caching",
    "unsearchable-writes fragile-input latin-search",
    "leaky-errors no-compression lossy-redirect",
]


def see(drill: Any, *expected: Expected) -> None:
    """Exactly their checks fail, each for its reason."""
    ended = drill.outcomes.items()
    warned = {name for one in expected for name in one.warned}
    failed = {name for one in expected for name in one.failed}
    assert {name for name, outcome in ended if outcome == "warned"} == warned
    assert drill.unwell - warned == failed, drill.output
    assert (drill.verdict["verdict"], drill.exit_code) == (
        ("hold", 1) if failed else ("promote", 0)
    )
    told = "\n".join([drill.reasons, *drill.verdict["notes"]])
    assert [one.fault for one in expected if one.because not in told] == []


@pytest.mark.parametrize("group", TOGETHER, ids=lambda group: group.split()[0])
@pytest.mark.parametrize(("moment", "processes"), [("before", 0), ("during", 4)])
def test_faults_of_the_api_fail_exactly_their_own_checks_at_any_moment(
    group: str, moment: str, processes: int, target: Any, run_gate: Callable[..., Any]
) -> None:
    during = moment == "during"
    for fault in () if during else group.split():
        target.set_fault(fault)

    drill = run_gate(
        f"-n{processes}", env="writable", marker="api", meanwhile=group if during else ""
    )

    see(drill, *(one for one in EXPECTED if one.fault in group.split()))


def test_every_fault_of_the_api_is_drilled_at_each_moment() -> None:
    assert sorted(" ".join(TOGETHER).split()) == sorted(one.fault for one in EXPECTED)


def test_every_fault_has_a_drill() -> None:
    of_security = {fault.name for fault in SECURITY_FAULTS}
    drilled = {one.fault for one in EXPECTED} | ELSEWHERE | of_security
    assert drilled == {fault.name for fault in FAULTS}


@pytest.mark.parametrize("processes", ["0", "4"])
def test_a_healthy_api_fails_nothing(processes: str, run_gate: Callable[..., Any]) -> None:
    drill = run_gate("-n", processes, env="writable", marker="api")

    assert drill.unwell == set(), drill.output
    assert drill.exit_code == 0
    assert len(drill.outcomes) > 80


def test_a_release_that_breaks_clients_of_the_last_one_is_told(
    target: Any, run_gate: Callable[..., Any], tmp_path: Path
) -> None:
    document = httpx.get(f"{target.api_url}/openapi.json").json()
    saved = tmp_path / "last-release.json"
    saved.write_text(json.dumps(document))
    same = run_gate(f"--baseline={saved}", env="writable", marker="api")
    assert same.outcomes["no_change_breaks_clients"] == "passed"

    document["paths"]["/api/v1/reports"] = document["paths"]["/api/v1/policies"]
    saved.write_text(json.dumps(document))
    drill = run_gate(f"--baseline={saved}", env="writable", marker="api")

    assert drill.unwell == {"no_change_breaks_clients"}
    assert "/api/v1/reports" in drill.reasons
