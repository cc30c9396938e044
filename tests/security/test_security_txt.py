"""A security.txt is good where RFC 9116 says so."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from deployment_gate.evidence import FindingSeverity
from deployment_gate.security.rules import Looked
from deployment_gate.security.security_txt import look_at_security_txt
from tests.probes.target import http
from tests.security.strangers import asked, files, missing, single_page

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
CONTACT = "Contact: mailto:security@shop.example\n"


def look(content: bytes | None) -> Looked:
    served = {} if content is None else {"/.well-known/security.txt": content}
    with asked(files(served)) as (web, _):
        return look_at_security_txt(web, now=NOW)


def text(content: str) -> bytes:
    return http(content, content_type="text/plain; charset=utf-8")


@pytest.mark.parametrize(
    "content",
    [
        f"{CONTACT}Expires: 2027-05-01T00:00:00Z\n",
        f"{CONTACT}Expires: 2027-05-01T00:00:00.000+09:00\nPreferred-Languages: de, en\n",
        "# ours\r\nCONTACT: https://shop.example/s\r\nexpires: 2026-12-01t00:00:00z\r\n",
        f"-----BEGIN PGP SIGNED MESSAGE-----\n\n{CONTACT}Expires: 2027-01-01T00:00:00Z\n",
    ],
)
def test_contact_and_a_time_to_come_are_enough(content: str) -> None:
    assert look(text(content)) == Looked()


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (None, "was answered 404"),
        (text("Expires: 2027-05-01T00:00:00Z\n"), "names no Contact"),
        (text(CONTACT), "says 0 times when it Expires"),
        (text(f"{CONTACT}Expires: 2027-01-01T00:00:00Z\n" * 2), "says 2 times"),
        (text(f"{CONTACT}Expires: in a year\n"), "which is no time of RFC 3339"),
        (text(f"{CONTACT}Expires: 2026-11-27T11:59:59Z\n"), "has expired on 2026-11-27"),
        (single_page(None), "was answered 200 with a page"),  # type: ignore[arg-type]
    ],
)
def test_what_is_missing_is_told_and_only_warns(content: bytes | None, why: str) -> None:
    (breach,) = look(content).breaches

    assert breach.rule.id == "security-txt"
    assert breach.severity is FindingSeverity.LOW
    assert breach.places == ("web GET /.well-known/security.txt",)
    assert why in breach.detail


def test_one_that_lies_elsewhere_is_that_places_matter() -> None:
    assert look(http("", 302, location="https://group.example/security.txt")) == Looked()


def test_a_server_without_one_is_asked_once() -> None:
    with asked(missing) as (web, target):
        look_at_security_txt(web, now=NOW)

    assert [one.path for one in target.requests] == ["/.well-known/security.txt"]
