"""Of a page that doesn't load, the target is blamed only where its own words are heard."""

from __future__ import annotations

import pytest

from deployment_gate.web.blame import blame_of


@pytest.mark.parametrize(
    "code",
    [
        "ERR_CONNECTION_REFUSED",
        "ERR_CONNECTION_RESET",
        "ERR_CONNECTION_CLOSED",
        "ERR_EMPTY_RESPONSE",
        "ERR_TOO_MANY_REDIRECTS",
        "ERR_INVALID_HTTP_RESPONSE",
        "ERR_HTTP2_PROTOCOL_ERROR",
        "ERR_SSL_PROTOCOL_ERROR",
        "ERR_CERT_DATE_INVALID",
        "ERR_CERT_COMMON_NAME_INVALID",
    ],
)
def test_what_the_target_does_is_an_error(code: str) -> None:
    blame = blame_of(f"Page.goto: net::{code} at https://shop.example/\nCall log:", within_s=10)
    words = code.removeprefix("ERR_").replace("_", " ").lower()
    assert blame.error == f"it didn't load: {words} ({code})"
    assert blame.unobserved is None


@pytest.mark.parametrize(
    "code",
    [
        "ERR_NAME_NOT_RESOLVED",
        "ERR_INTERNET_DISCONNECTED",
        "ERR_ADDRESS_UNREACHABLE",
        "ERR_NETWORK_CHANGED",
        "ERR_PROXY_CONNECTION_FAILED",
        "ERR_CONNECTION_TIMED_OUT",
        "ERR_INSUFFICIENT_RESOURCES",
        "ERR_BLOCKED_BY_CLIENT",
        # Whose store lacks the issuer nobody knows; OpenSSL's words are taken alike.
        "ERR_CERT_AUTHORITY_INVALID",
        # Chromium's word for what it has no word for, its own network process dying among them.
        "ERR_FAILED",
    ],
)
def test_what_keeps_this_machine_from_asking_is_not_observed(code: str) -> None:
    blame = blame_of(f"Page.goto: net::{code} at https://shop.example/", within_s=10)
    assert blame.error is None
    assert blame.unobserved
    assert f"({code})" in blame.unobserved


def test_time_that_ran_out_is_an_error_that_says_how_much_there_was() -> None:
    blame = blame_of("Page.goto: Timeout 2500ms exceeded.", within_s=2.5)
    assert (blame.error, blame.unobserved) == ("it didn't load within 2.5 s", None)


def test_what_is_offered_as_a_file_is_an_error() -> None:
    blame = blame_of("Page.goto: Download is starting", within_s=2.5)
    assert blame.error == "it is a file to be kept, not a page"
