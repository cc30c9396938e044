"""Tokens of the sandbox, which expire."""

import time

import pytest

from sandbox.api import tokens


def test_a_token_is_good_until_it_expires_and_not_after(monkeypatch: pytest.MonkeyPatch) -> None:
    issuer = tokens.Tokens()
    token = issuer.issue("test", "analyst")
    issued_at = time.time()

    monkeypatch.setattr(tokens.time, "time", lambda: issued_at + tokens.LIFETIME_S - 2)
    assert issuer.read(token) is not None

    monkeypatch.setattr(tokens.time, "time", lambda: issued_at + tokens.LIFETIME_S + 2)
    assert issuer.read(token) is None
