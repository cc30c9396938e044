"""What a report shows of a request and its answer."""

from __future__ import annotations

from typing import Any

import httpx

from deployment_gate.evidence import Redactor
from deployment_gate.probes.exchange import Exchange, tell_exchanges

REQUEST = httpx.Request(
    "POST",
    "http://shop/orders?x=1",
    headers={"Authorization": "Bearer a-token-of-somebody", "User-Agent": "gate"},
    json={"item": "book"},
    extensions={"identity": "buyer"},
)


def exchange(**more: Any) -> Exchange:
    """An exchange that went well, but for what a test says."""
    usual: dict[str, Any] = {
        "request": REQUEST,
        "response": httpx.Response(201, headers={"ETag": '"1"', "Date": "now"}, json={"id": 1}),
        "why_not": None,
        "duration_s": 0.0123,
        "step": "step 1, order",
    }
    return Exchange(**usual | more)


def test_an_exchange_is_told_with_its_step_and_who_sent_it() -> None:
    assert exchange().told(Redactor().redact).splitlines() == [
        "# step 1, order",
        "> POST http://shop/orders?x=1  (as buyer)",
        "> authorization: Bearer [redacted]",
        "> content-type: application/json",
        '> {"item":"book"}',
        "< 201 after 12 ms",
        '< etag: "1"',
        "< content-type: application/json",
        '< {"id":1}',
    ]


def test_a_request_without_an_answer_is_told_with_why() -> None:
    told = exchange(response=None, why_not="connection refused").told(str)
    assert told.splitlines()[-1] == "< no whole answer after 0.012 s: connection refused"


def test_a_long_body_is_cut_after_its_secrets_were_taken_out() -> None:
    secret = "s" * 100
    body = "x" * 1950 + secret + "y" * 5000
    told = exchange(response=httpx.Response(200, text=body)).told(Redactor([secret]).redact)
    assert "sss" not in told
    assert "[redacted]" in told
    assert told.endswith("characters)")
    assert len(told) < 2500


def test_a_body_that_is_no_text_is_told_all_the_same() -> None:
    told = exchange(response=httpx.Response(200, content=b"\x00\xff\x89PNG")).told(str)
    assert "PNG" in told


def test_exchanges_stand_apart() -> None:
    told = tell_exchanges([exchange(step="one"), exchange(step="other")], str)
    assert "\n\n# other\n" in told
