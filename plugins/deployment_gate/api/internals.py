"""What an error answer must not show of the platform's inside (OWASP ASVS 5.0, 16.5.1)."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Internal:
    """One thing that only those who run the platform should see.

    Attributes:
        what: What it is.
        pattern: What it looks like.
    """

    what: str
    pattern: re.Pattern[str]


INTERNALS = (
    Internal("a Python traceback", re.compile(r"Traceback \(most recent call last\)")),
    Internal("a place in Python code", re.compile(r'File "[^"\n]+", line \d+')),
    Internal("a Java stack trace", re.compile(r"\bat [\w$.]+\([\w$]+\.(?:java|kt|scala):\d+\)")),
    Internal(
        "a Node.js stack trace", re.compile(r"\bat .{1,200}\(?(?:/|node:)[^\s()]+:\d+:\d+\)?")
    ),
    Internal("a .NET stack trace", re.compile(r"\bat [\w.]+\(.{0,200}\) in .+:line \d+")),
    Internal("a Go stack trace", re.compile(r"goroutine \d+ \[\w+\]:")),
    Internal("a Ruby stack trace", re.compile(r"\.rb:\d+:in [`']")),
    Internal("a Rust panic", re.compile(r"thread '[^'\n]+' (?:\(\d+\) )?panicked at")),
    Internal("a PHP stack trace", re.compile(r"(?m)^\s*#\d+ \S+\.php(?:\(\d+\)|:\d+)")),
    Internal(
        "a page for developers",
        re.compile(
            r"re seeing this error because you have <code>DEBUG = True|Werkzeug Debugger|"
            r"Server Error in '[^'\n]*' Application|Whoops, looks like something went wrong|"
            r"<title>Action Controller: Exception caught"
        ),
    ),
    Internal("a PHP error", re.compile(r"\b(?:Fatal error|Warning|Notice): .{1,200} on line \d+")),
    Internal(
        "an SQL statement",
        re.compile(
            r"\b(?:SELECT\s.{1,500}\sFROM|INSERT\s+INTO|UPDATE\s+\S+\s+SET|DELETE\s+FROM)\s",
            re.DOTALL,
        ),
    ),
    Internal(
        "an error of the database's own",
        re.compile(
            r"(?:psycopg|sqlite3|pymysql|sqlalchemy)\.|ORA-\d{5}|SQLSTATE|syntax error at or|"
            r"You have an error in your SQL syntax|Unclosed quotation mark after the character|"
            r"unterminated quoted string at or near|near \"[^\"\n]*\": syntax error|"
            r"MongoServerError|com\.mysql\.|org\.postgresql\."
        ),
    ),
    Internal(
        "a password hash",
        re.compile(
            r"\$argon2(?:id|i|d)\$v=\d+\$|\$2[abxy]\$\d\d\$[./A-Za-z0-9]{22}|"
            r"\$[56]\$[^$\s]{1,40}\$[./A-Za-z0-9]{43}|\bpbkdf2[:_]sha\d+[$:]\d+\$|"
            r"\bscrypt:\d+:\d+:\d+\$"
        ),
    ),
    Internal(
        "a path on the server", re.compile(r"(?:^|[\s\"'(=])/(?:home|usr|var|opt|srv|app)/\S+")
    ),
    Internal("a path on the server", re.compile(r"\b[A-Z]:\\(?:[\w .-]+\\)+")),
)
"""Shapes that no sentence for a user has; SQL in capitals, as drivers quote it."""


def internals_in(text: str) -> list[str]:
    """What of the platform's inside a text shows, each kind once.

    >>> internals_in('File "/srv/app.py", line 3')
    ['a place in Python code', 'a path on the server']
    """
    return list(dict.fromkeys(one.what for one in INTERNALS if one.pattern.search(text)))
