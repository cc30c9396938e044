"""Wrong sign-ins to a portal that keeps quiet, or tells too much."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

from deployment_gate.api.sessions import Sessions
from deployment_gate.security.rules import Looked, Unseen
from deployment_gate.security.sign_ins import (
    DEFAULT_ACCOUNTS,
    look_at_default_accounts,
    look_at_echoes,
    look_at_limit,
    look_at_refusals,
    provoke,
)
from deployment_gate.security.wrong_sign_ins import MOST_WRONG, WrongSignIns, made_up_username
from tests.security.portal import PASSWORDS, Portal


def test_refusals_that_are_alike_are_no_finding(
    portal: Portal, wrong: WrongSignIns, sessions: Sessions
) -> None:
    provoked = provoke(wrong, sessions)

    assert look_at_refusals(wrong, provoked) == Looked()
    assert look_at_echoes(wrong, provoked) == Looked()
    assert portal.wrong["ann"] == 2
    # Two for Ann, three for strangers, one without a username, and Ann with her own password.
    assert portal.statuses("POST", "/login") == [401, 401, 401, 401, 401, 422, 200]


@pytest.mark.parametrize(
    ("flaw", "said"),
    [
        ("tells-by-text", '$.detail is "wrong" for a known username and " is unknown" for an'),
        ("tells-by-status", "the status is 401 for a known username and 404 for an unknown one"),
        ("counts-down", "only for a known username there is $.attempts_left"),
        ("locks", "the status is 423 for a known username and 401"),
    ],
)
def test_refusals_that_tell_usernames_are_found(
    flaw: str, said: str, portal: Portal, wrong: WrongSignIns, sessions: Sessions
) -> None:
    portal.flaws.add(flaw)

    (breach,) = look_at_refusals(wrong, provoke(wrong, sessions)).breaches

    assert (breach.rule.id, breach.severity) == ("usernames-told-by-sign-in", "medium")
    assert said in breach.detail
    assert breach.places == ("api POST /login",)


@pytest.mark.parametrize(
    ("flaw", "said"),
    [
        ("echoes-password", "the answer (401) to a wrong password holds"),
        ("echoes-input", "the answer (422) to a sign-in without a username holds"),
    ],
)
def test_a_repeated_password_is_found_and_tells_nothing_of_usernames(
    flaw: str, said: str, portal: Portal, wrong: WrongSignIns, sessions: Sessions
) -> None:
    portal.flaws.add(flaw)
    provoked = provoke(wrong, sessions)

    (breach,) = look_at_echoes(wrong, provoked).breaches

    assert (breach.rule.id, breach.severity) == ("echoed-secret", "high")
    assert said in breach.detail
    assert look_at_refusals(wrong, provoked) == Looked()


def test_a_page_of_html_is_compared_by_lines(wrong: WrongSignIns, sessions: Sessions) -> None:
    provoked = provoke(wrong, sessions)
    for number, one in enumerate((*provoked.known, *provoked.unknown)):
        text = f"<p>{number}</p>\n<p>{'Wrong password' if one.is_known else 'Who?'}</p>"
        one.answer._content = text.encode()  # noqa: SLF001  # httpx reads it from here

    (breach,) = look_at_refusals(wrong, provoked).breaches

    assert breach.detail == (
        "line 2 is <p>Wrong password</p> for a known username and <p>Who?</p> for an unknown one"
    )


def test_whoever_takes_any_password_proves_nothing(
    portal: Portal, wrong: WrongSignIns, sessions: Sessions
) -> None:
    portal.flaws.add("any-password")

    with pytest.raises(Unseen, match="a wrong password was answered 200, which is no refusal"):
        provoke(wrong, sessions)
    with pytest.raises(Unseen, match="a wrong password was answered 200"):
        look_at_default_accounts(wrong)
    with pytest.raises(Unseen, match="so no limit was looked for"):
        look_at_limit(wrong, 5)


def test_no_known_username_gets_more_than_a_few_wrong_passwords(
    portal: Portal, wrong: WrongSignIns, sessions: Sessions
) -> None:
    provoke(wrong, sessions)
    wrong.refuse("ann")

    with pytest.raises(Unseen, match="no more wrong passwords are offered for ann"):
        provoke(wrong, sessions)

    assert portal.wrong["ann"] == MOST_WRONG == 3


def test_accounts_that_are_closed_are_no_finding(portal: Portal, wrong: WrongSignIns) -> None:
    assert look_at_default_accounts(wrong) == Looked()
    assert portal.statuses("POST", "/login") == [401] * len(DEFAULT_ACCOUNTS)
    # Again they are not even asked.
    assert look_at_default_accounts(wrong) == Looked()
    assert len(portal.statuses("POST", "/login")) == len(DEFAULT_ACCOUNTS)


def test_an_open_default_account_is_found_each_time(portal: Portal, wrong: WrongSignIns) -> None:
    portal.flaws.add("default-account")

    for _ in range(2):
        (breach,) = look_at_default_accounts(wrong).breaches
        assert (breach.rule.id, breach.severity) == ("default-account", "critical")
        assert breach.places == ("api POST /login (root)",)
        assert breach.detail == "let in: root with toor"


def test_how_an_identity_really_signs_in_is_never_offered(
    portal: Portal, make_client: Callable[[str], httpx.Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    from pydantic import SecretStr  # noqa: PLC0415

    monkeypatch.setitem(PASSWORDS, "guest", "guest")
    guest = {"username": "guest", "password": SecretStr("guest")}
    wrong = WrongSignIns(
        portal.api(identities={"guest": guest}), make_client=make_client, keep_secret=str
    )

    assert look_at_default_accounts(wrong) == Looked()


def test_a_known_username_is_not_locked_by_its_usual_passwords(
    portal: Portal, make_client: Callable[[str], httpx.Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    from pydantic import SecretStr  # noqa: PLC0415

    monkeypatch.setitem(PASSWORDS, "admin", "a-password-of-the-admin")
    admin = {"username": "admin", "password": SecretStr("a-password-of-the-admin")}
    wrong = WrongSignIns(
        portal.api(identities={"admin": admin}), make_client=make_client, keep_secret=str
    )
    for _ in range(MOST_WRONG - 1):
        wrong.refuse("admin")

    looked = look_at_default_accounts(wrong)

    assert portal.wrong["admin"] == MOST_WRONG
    assert looked.unseen == ("admin with its usual password was not tried: it could be locked",)


def test_a_limit_that_says_how_long_is_no_finding(portal: Portal, wrong: WrongSignIns) -> None:
    assert look_at_limit(wrong, 40) == Looked()
    assert portal.statuses("POST", "/login") == [401] * 10 + [429]
    assert not set(portal.wrong) & set(PASSWORDS)


@pytest.mark.parametrize(
    ("flaw", "rule", "severity"),
    [
        ("unlimited", "sign-ins-unlimited", "medium"),
        ("no-retry-after", "throttling-without-retry-after", "low"),
    ],
)
def test_a_limit_that_lacks_something_is_found(
    flaw: str, rule: str, severity: str, portal: Portal, wrong: WrongSignIns
) -> None:
    portal.flaws.add(flaw)

    (breach,) = look_at_limit(wrong, 15).breaches

    assert (breach.rule.id, breach.severity) == (rule, severity)
    assert len(portal.statuses("POST", "/login")) <= 15


def test_all_wrong_sign_ins_say_that_they_may_be_throttled(portal: Portal) -> None:
    seen: list[bool] = []

    class Noting(httpx.HTTPTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            seen.append(request.extensions.get("expects_throttling", False))
            return super().handle_request(request)

    with httpx.Client(base_url=portal.url, transport=Noting()) as client:
        wrong = WrongSignIns(portal.api(), make_client=lambda _: client, keep_secret=str)
        look_at_limit(wrong, 3)

    assert seen == [True] * 3


def test_a_made_up_username_is_like_the_known_ones() -> None:
    assert made_up_username("ann@portal.example").endswith("@portal.example")
    assert "@" not in made_up_username("ann")
    assert made_up_username() != made_up_username()


def test_whoever_signs_in_without_a_password_is_not_known(
    portal: Portal, make_client: Callable[[str], httpx.Client], sessions: Sessions
) -> None:
    from pydantic import SecretStr  # noqa: PLC0415

    api = portal.api(identities={"robot": {"token": SecretStr("a-key-for-robots")}})
    wrong = WrongSignIns(api, make_client=make_client, keep_secret=str)

    assert wrong.known == ()
    with pytest.raises(Unseen, match="nobody signs in by a password"):
        provoke(wrong, sessions)
