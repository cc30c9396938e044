"""Altered, expired and given-up tokens, against a portal that verifies them or forgets to."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable
from typing import Any

import httpx
import jwt
import pytest

from deployment_gate.api.sessions import Sessions, Token
from deployment_gate.security.rules import Looked, Unseen
from deployment_gate.security.tokens import (
    altered,
    confusable_keys,
    is_asymmetric,
    look_at_altered_tokens,
    look_at_expired_token,
    look_at_renewal,
    look_at_signed_out_token,
)
from tests.security.portal import Portal


def ids(looked: Looked) -> list[str]:
    return [one.rule.id for one in looked.breaches]


@pytest.mark.parametrize("kind", ["HS256", "RS256", "opaque"])
def test_a_portal_that_verifies_tokens_has_no_finding(
    kind: str, portal: Portal, sessions: Sessions
) -> None:
    portal.kind = kind

    assert look_at_altered_tokens(sessions, str) == Looked()


@pytest.mark.parametrize(
    ("kind", "flaw", "rule", "said"),
    [
        ("HS256", "alg-none", "unsigned-token-accepted", "of the algorithm none; of the algorithm"),
        ("HS256", "stripped", "unsigned-token-accepted", "whose signature was taken off"),
        ("HS256", "unverified", "altered-token-accepted", "with other claims; with another sig"),
        ("RS256", "alg-none", "unsigned-token-accepted", "of the algorithm NONE"),
        ("RS256", "key-confusion", "key-confusion", "signed with the public key"),
        ("opaque", "short-compare", "altered-token-accepted", "cut short; with one character more"),
    ],
)
def test_each_way_to_forget_it_is_its_own_finding(  # noqa: PLR0913, PLR0917  # a table's columns
    kind: str, flaw: str, rule: str, said: str, portal: Portal, sessions: Sessions
) -> None:
    portal.kind = kind
    portal.flaws.add(flaw)

    looked = look_at_altered_tokens(sessions, str)

    assert ids(looked) == [rule]
    (breach,) = looked.breaches
    assert said in breach.detail
    assert breach.places == ("api GET /me",)
    assert breach.severity == "critical"


def test_every_altered_token_is_kept_secret(portal: Portal, sessions: Sessions) -> None:
    portal.flaws.add("alg-none")
    kept: list[str] = []

    (breach,) = look_at_altered_tokens(sessions, kept.append).breaches

    assert any(one in breach.curl for one in kept)
    assert len(kept) == len(set(kept)) == 6


def test_an_untouched_token_that_is_refused_proves_nothing(
    portal: Portal, sessions: Sessions
) -> None:
    sessions.token_of("ann")
    portal.kind = "RS256"

    with pytest.raises(Unseen, match="GET /me as ann was answered 401"):
        look_at_altered_tokens(sessions, str)


def test_a_token_that_ends_meanwhile_proves_nothing(portal: Portal, sessions: Sessions) -> None:
    def end_all(_: str) -> None:
        portal.kind = "RS256"

    with pytest.raises(Unseen, match="GET /me as ann was answered 401"):
        look_at_altered_tokens(sessions, end_all)


def test_a_failure_is_neither_a_refusal_nor_a_finding(portal: Portal, sessions: Sessions) -> None:
    portal.flaws.add("fails-on-odd-tokens")

    looked = look_at_altered_tokens(sessions, str)

    assert looked.breaches == ()
    assert "was answered 500, which is no refusal" in looked.unseen[0]


def test_altered_claims_make_sense_still() -> None:
    token = jwt.encode({"sub": "ann", "exp": 1000, "aud": "x"}, "k" * 32, "HS256")

    (changed,) = [one for one in altered(token, keys={}) if one.how == "with other claims"]

    _, claims, _ = changed.value.split(".")
    read = json.loads(base64.urlsafe_b64decode(claims + "=="))
    assert read == {"sub": "ann", "exp": 4600, "aud": "x"}


def test_no_altered_token_is_the_token_itself() -> None:
    for token in ("x" * 20, "y", jwt.encode({}, "k" * 32, "HS256"), "a.b.c", "xx.yy.zz"):
        values = [one.value for one in altered(token, keys={})]
        assert token not in values
        assert len(values) == len(set(values))


@pytest.mark.parametrize(
    "jwks", [None, [], {}, {"keys": None}, {"keys": [{"kty": "RSA"}]}, {"keys": [{"kty": "oct"}]}]
)
def test_keys_that_cannot_be_read_are_passed_over(jwks: Any) -> None:
    assert confusable_keys(jwks, kid=None) == {}


def test_keys_on_curves_are_understood() -> None:
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415

    key = ec.generate_private_key(ec.SECP256R1()).public_key()
    published = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(key))

    found = confusable_keys({"keys": [published]}, kid="another")

    assert found["the public key"].startswith(b"-----BEGIN PUBLIC KEY-----")


def test_a_token_tells_whether_its_key_is_public() -> None:
    assert not is_asymmetric("opaque")
    assert not is_asymmetric(jwt.encode({}, "k" * 32, "HS256"))


def test_an_expired_token_that_is_refused_is_no_finding(sessions: Sessions) -> None:
    token = sessions.sign_in("ann", more={"expires_in": 0.1})

    assert look_at_expired_token(sessions, token, sleep=lambda _: time.sleep(0.02)) == Looked()


def test_a_token_that_outlives_its_time_is_found(portal: Portal, sessions: Sessions) -> None:
    portal.flaws.add("accepts-expired")
    token = sessions.sign_in("ann", more={"expires_in": 0.1})
    seconds = iter(range(100))

    looked = look_at_expired_token(
        sessions, token, clock=lambda: float(next(seconds)), sleep=lambda _: None
    )

    assert ids(looked) == ["token-outlives-its-time"]
    assert "good for 0.1 s was still answered 200 2 s after that" in looked.breaches[0].detail


@pytest.mark.parametrize(
    ("lifetime_s", "why"), [(None, "didn't say how long"), (3600.0, "lives 3600 s, and nobody")]
)
def test_a_token_that_nobody_can_wait_for_is_left(
    lifetime_s: float | None, why: str, sessions: Sessions
) -> None:
    with pytest.raises(Unseen, match=why):
        look_at_expired_token(sessions, Token("x", lifetime_s=lifetime_s))


def test_a_signed_out_token_that_is_refused_is_no_finding(
    portal: Portal, sessions: Sessions
) -> None:
    assert look_at_signed_out_token(sessions) == Looked()
    assert portal.statuses("POST", "/logout") == [204]


def test_a_token_that_outlives_its_sign_out_is_found(portal: Portal, sessions: Sessions) -> None:
    portal.flaws.add("no-revocation")

    assert ids(look_at_signed_out_token(sessions)) == ["token-outlives-sign-out"]


def test_a_sign_out_that_fails_proves_nothing(portal: Portal, sessions: Sessions) -> None:
    portal.flaws.add("logout-fails")

    with pytest.raises(Unseen, match="POST /logout was answered 500, so nobody was signed out"):
        look_at_signed_out_token(sessions)


def test_new_tokens_at_each_sign_in_are_no_finding(sessions: Sessions) -> None:
    assert look_at_renewal(sessions, sleep=pytest.fail) == Looked()


def test_the_same_token_each_time_is_found(portal: Portal, sessions: Sessions) -> None:
    portal.flaws.add("same-token")
    waited: list[float] = []

    looked = look_at_renewal(sessions, sleep=waited.append)

    assert ids(looked) == ["token-not-renewed"]
    assert looked.breaches[0].severity == "medium"
    assert waited == [1.1]


def test_somebody_with_a_fixed_key_has_no_tokens_to_compare(
    portal: Portal, make_client: Callable[[str], httpx.Client]
) -> None:
    from pydantic import SecretStr  # noqa: PLC0415

    api = portal.api(identities={"robot": {"token": SecretStr("a-key-for-robots")}})

    with pytest.raises(Unseen, match="no identity signs in for a token"):
        look_at_renewal(Sessions(api, make_client=make_client, keep_secret=str))
