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
        ("app/models/order.rb:12:in `find'", "a Ruby stack trace"),
        ("thread 'main' panicked at src/main.rs:4:5:", "a Rust panic"),
        ("#0 /www/app.php(12): find()", "a PHP stack trace"),
        (
            "<p>You're seeing this error because you have <code>DEBUG = True</code>",
            "a page for developers",
        ),
        ("<h1>Server Error in '/' Application.</h1>", "a page for developers"),
        ("Warning: Undefined variable in x on line 3", "a PHP error"),
        ("SELECT id, title FROM policies WHERE id = 1", "an SQL statement"),
        ("INSERT INTO policies (id) VALUES (1)", "an SQL statement"),
        ("(psycopg.errors.UndefinedTable) relation", "an error of the database's own"),
        ('syntax error at or near "\'"', "an error of the database's own"),
        ("You have an error in your SQL syntax; check", "an error of the database's own"),
        ('near "\'": syntax error', "an error of the database's own"),
        ("Unclosed quotation mark after the character string", "an error of the database's own"),
        ("hash $argon2id$v=19$m=65536,t=3,p=4$c29t$aGFz", "a password hash"),
        ("$2b$12$" + "a" * 53, "a password hash"),
        ("pbkdf2_sha256$600000$salt$hash", "a password hash"),
        ("scrypt:32768:8:1$salt$hash", "a password hash"),
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
        "Costs $2 and $5 for 12$ in all; the password must have 12 characters.",
        "Server error in the application: try again in a minute.",
        "Thread 'prices' has 3 answers. See orders.rb for Ruby.",
        '#1 in the list, and near "Berlin"',
        "Meet at noon (in Rome): line 3 of the agenda",
        "",
    ],
)
def test_a_sentence_for_a_user_is_no_inside(text: str) -> None:
    assert internals_in(text) == []
