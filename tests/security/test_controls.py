"""What is answered where nothing can be is no sign of anything."""

from __future__ import annotations

import re

import httpx
import pytest

from deployment_gate.security.controls import read_beginning, resembles, told_head
from tests.probes.target import Close, Request, http
from tests.security.strangers import asked, files, hangs_up, missing, page


def answer(text: str, *, path: str = "/a", status: int = 200) -> httpx.Response:
    """An answer to a request for a path."""
    request = httpx.Request("GET", f"http://shop.example{path}")
    return httpx.Response(status, text=text, request=request)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("", ""),
        ("There is nothing at /.git/config", "There is nothing at /f00"),
        ("not found: %2F.git%2Fconfig".replace("%2F", "/"), "not found: /f00"),
        ('{"error": "none", "id": 17}', '{"error": "none", "id": 4242}'),
        (
            '{"trace": "1b4e28ba-2fa1-11d2-883f-0016d3cca427"}',
            '{"trace": "6fa459ea-ee8a-3ca4-894e-db77e160355e"}',
        ),
        (f"<p>{'word ' * 50}</p> at 10:31:07", f"<p>{'word ' * 50}</p> at 10:32:11"),
    ],
)
def test_answers_that_differ_by_path_numbers_and_ids_resemble_one_another(
    one: str, other: str
) -> None:
    assert resembles(answer(one, path="/.git/config"), answer(other, path="/f00"))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("[core]\nbare = false", "<p>There is nothing here.</p>"),
        ("APP_KEY=abc", ""),
        ("APP_KEY=abc\nDB_HOST=db", "There is nothing at /f00"),
    ],
)
def test_answers_that_say_something_else_do_not_resemble_one_another(one: str, other: str) -> None:
    assert not resembles(answer(one, path="/.env"), answer(other, path="/f00"))


def test_answers_with_another_status_do_not_resemble_one_another() -> None:
    assert not resembles(answer("same"), answer("same", status=404))


@pytest.mark.parametrize(
    ("path", "like"),
    [
        ("/.git/config", r"/\.git/[0-9a-f]{32}"),
        ("/.env", r"/\.[0-9a-f]{32}"),
        ("/.env.local", r"/\.[0-9a-f]{32}\.local"),
        ("/index.php.bak", r"/[0-9a-f]{32}\.bak"),
        ("/swagger-ui/", r"/[0-9a-f]{32}/"),
        ("/v3/api-docs", r"/v3/[0-9a-f]{32}"),
        ("/search?q=a", r"/[0-9a-f]{32}"),
        ("/", r"/[0-9a-f]{32}/"),
    ],
)
def test_a_control_lies_in_the_same_folder_and_is_named_alike(path: str, like: str) -> None:
    with asked(missing) as (base, target):
        base.control(path)
        base.control(path)

    assert len(target.requests) == 1
    assert re.fullmatch(like, target.requests[0].path)


def test_a_connection_that_is_closed_to_such_a_request_alone_is_no_answer() -> None:
    with asked(hangs_up("/.git/")) as (base, target):
        assert base.ask("/.git/config") is None
        other = base.ask("/.env")
        assert other is not None
        assert other.status_code == 404
    assert len(target.requests) == 3  # the one between the two shows that it is alive


def test_a_connection_that_is_closed_to_every_request_is_the_targets_trouble() -> None:
    def close(_: Request) -> bytes:
        raise Close(b"")

    with asked(close) as (base, _), pytest.raises(httpx.TransportError):
        base.ask("/.git/config")


def test_what_is_throttled_is_noted() -> None:
    with asked(lambda _: http(status=429)) as (base, _):
        base.ask("/.env")

    assert base.throttled == ["web GET /.env"]


def test_of_a_large_file_only_the_beginning_is_read() -> None:
    dump = b"-- PostgreSQL database dump\n" + b"x" * 5_000_000

    def serve(request: Request) -> bytes:
        if request.path != "/dump.sql":
            return missing(request)
        size = str(len(dump))
        if "range" not in request.headers:
            return http(dump, accept_ranges="bytes", content_length=size)
        return http(dump[:4096], 206)

    with asked(serve) as (base, target):
        part = read_beginning(base, "/dump.sql")

    assert part is not None
    assert part.content.startswith(b"-- PostgreSQL")
    assert target.sent < 10_000
    assert [one.method for one in target.requests] == ["HEAD", "HEAD", "GET", "GET"]
    assert target.requests[2].headers["range"] == "bytes=0-4095"


def test_a_large_file_that_is_only_sent_whole_is_not_asked_for() -> None:
    dump = http(b"x" * 1_000_000, content_type="application/zip")
    with asked(files({"/backup.zip": dump})) as (base, target):
        part = read_beginning(base, "/backup.zip")

    assert part is not None
    assert part.answer is None
    assert "GET" not in [one.method for one in target.requests]


def test_an_answer_is_told_without_its_text() -> None:
    with asked(lambda _: page("DB_PASSWORD=hunter2-hunter2", set_cookie="a=b")) as (base, _):
        got = base.ask("/.env")
        assert got is not None
        told = told_head(got)

    assert "GET" in told
    assert "< 200" in told
    assert "hunter2" not in told
