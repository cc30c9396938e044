"""What shows the inside of a platform, and what only looks like it."""

from __future__ import annotations

import traceback

import pytest

from deployment_gate.api.internals import internals_in


def raised() -> str:
    """A traceback as Python writes it."""
    try:
        _ = {}["missing"]
    except KeyError:
        return traceback.format_exc()
    return ""


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (raised(), "a Python traceback"),
        ('File "/srv/app/main.py", line 3, in get', "a place in Python code"),
        ("at com.shop.Orders.find(Orders.java:42)", "a Java stack trace"),
        ("at Object.<anonymous> (/srv/app/index.js:10:15)", "a Node.js stack trace"),
        ("at Shop.Orders.Find(Int32 id) in C:\\src\\Orders.cs:line 42", "a .NET stack trace"),
        ("goroutine 1 [running]:", "a Go stack trace"),
        ("Warning: Undefined variable in x on line 3", "a PHP error"),
        ("SELECT id, title FROM policies WHERE id = 1", "an SQL statement"),
        ("INSERT INTO policies (id) VALUES (1)", "an SQL statement"),
        ("(psycopg.errors.UndefinedTable) relation", "an error of the database's own"),
        ('syntax error at or near "\'"', "an error of the database's own"),
        ("no such file: /var/lib/app/data.db", "a path on the server"),
        ("C:\\inetpub\\wwwroot\\web.config", "a path on the server"),
    ],
)
def test_the_inside_is_seen(text: str, what: str) -> None:
    assert what in internals_in(text)


@pytest.mark.parametrize(
    "text",
    [
        '{"error": {"code": "not_found", "message": "There is no policy 7."}}',
        "Select a policy from the list, or insert into the form what you know.",
        "The page /api/v1/policies/7 is gone. See https://example.com/var/help",
        "query.page: Input should be a valid integer, unable to parse string as an integer",
        "Method Not Allowed",
        "Meet at noon (in Rome): line 3 of the agenda",
        "",
    ],
)
def test_a_sentence_for_a_user_is_no_inside(text: str) -> None:
    assert internals_in(text) == []
