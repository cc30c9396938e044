"""Tokens of the sandbox, which expire."""

import time

from sandbox.api.sessions import Session
from sandbox.api.tokens import Tokens


def test_token_expires_after_the_lifetime_that_it_was_given() -> None:
    tokens = Tokens()
    issued_at = time.time()
    principal = tokens.read(tokens.issue(Session("a", "test", "analyst"), lifetime_s=60))
    assert principal
    assert not principal.has_expired(issued_at + 59)
    assert principal.has_expired(issued_at + 61)


def test_token_of_another_run_is_worth_nothing() -> None:
    token = Tokens().issue(Session("a", "test", "analyst"), lifetime_s=60)
    assert Tokens().read(token) is None
