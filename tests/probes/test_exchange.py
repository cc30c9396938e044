"""What a report shows of a request and its answer."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import Any

import httpx
import pytest

from deployment_gate.evidence import Redactor
from deployment_gate.probes.exchange import Exchange, curl_of, tell_exchanges

REQUEST = httpx.Request(
    "POST",
    "http://shop/orders?x=1",
    headers={"Authorization": "Bearer a-token-of-somebody", "User-Agent": "gate"},
    json={"item": "book"},
    extensions={"identity": "buyer"},
)


COMMAND = (
    "curl --include --request POST --header 'authorization: Bearer [redacted]' "
    "--header 'content-type: application/json' --data-binary '{\"item\":\"book\"}' "
    "'http://shop/orders?x=1'"
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
        f"$ {COMMAND}",
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


def words_of(command: str) -> list[str]:
    """What bash makes of a command."""
    bash = shutil.which("bash")
    assert bash is not None
    printed = subprocess.run(
        [bash, "-c", f"printf '%s\\0' {command}"], capture_output=True, check=True, timeout=30
    )
    return printed.stdout.decode().removesuffix("\0").split("\0")


@pytest.mark.parametrize(
    "body",
    [
        "plain",
        'it\'s "quoted" \\ $HOME `id` !x',
        "two\nlines\r\n\tand a tab",
        json.dumps({"a": "ü\n'\u0001"}),
        "''; rm -rf /tmp/nothing #",
        "-d",
    ],
)
def test_a_shell_reads_the_command_as_it_was_sent(body: str) -> None:
    request = httpx.Request(
        "PUT", "http://shop/a?x='y&z[]={1}", headers={"X-It": "it's"}, content=body
    )
    command = curl_of(request)
    assert "\n" not in command
    words = words_of(command)
    assert words[:5] == ["curl", "--include", "--request", "PUT", "--globoff"]
    assert words[-1] == str(request.url)
    assert words[words.index("--data-binary") + 1] == body
    assert "x-it: it's" in [word.lower() for word in words]


def test_a_command_for_head_waits_for_no_body() -> None:
    assert curl_of(httpx.Request("HEAD", "http://shop/")) == "curl --include --head http://shop/"


@pytest.mark.parametrize("body", [b"\xff\x00", b"x" * 3000, b"@/etc/passwd", b"a\0b"])
def test_a_body_that_no_argument_can_hold_is_to_come_from_a_file(body: bytes) -> None:
    request = httpx.Request("POST", "http://shop/", content=body)
    assert curl_of(request).endswith(" --data-binary @body http://shop/")


@pytest.mark.parametrize(
    "secret", ["it's a secret", 'two"quotes', "back\\slash-secret", "a b&c=d;e"]
)
def test_no_secret_is_in_the_command(secret: str) -> None:
    request = httpx.Request(
        "POST",
        httpx.URL("http://shop/", params={"q": secret}),
        headers={"X-Key": secret},
        json={"password": secret},
    )
    redact = Redactor([secret]).redact
    told = exchange(request=request, step=None).told(redact).splitlines()[0]
    for command in (told.removeprefix("$ "), redact(curl_of(request))):
        words = words_of(command)
        assert words[words.index("--header") + 1].lower() == "x-key: [redacted]"
        assert json.loads(words[words.index("--data-binary") + 1]) == {"password": "[redacted]"}
        assert words[-1] == "http://shop/?q=[redacted]"


def test_only_a_whole_command_is_shown_of_a_long_body() -> None:
    request = httpx.Request("POST", "http://shop/", content="x" * 5000)
    told = exchange(request=request, step=None).told(str).splitlines()
    assert told[0].endswith("--data-binary @body http://shop/")
