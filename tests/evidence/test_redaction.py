"""Secrets are found in whatever form they take, and nothing else is touched."""

import base64
import html
import json
import re
from collections.abc import Callable
from urllib.parse import quote, quote_plus
from xml.etree import ElementTree as ET

import httpx
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from deployment_gate.evidence import Redactor
from deployment_gate.evidence.redaction import REDACTED

HARD = "p@ss/w\"o'r<d>& \\é\t+%"
FORMS: dict[str, Callable[[str], str]] = {
    "raw": str,
    "url": lambda text: quote(text, safe=""),
    "url, lower case": lambda text: re.sub(
        "%..", lambda found: found[0].lower(), quote(text, safe="")
    ),
    "url path": quote,
    "form": quote_plus,
    "httpx": lambda text: httpx.URL("http://h/").copy_with(params={"k": text}).query.decode()[2:],
    "json": lambda text: json.dumps(text)[1:-1],
    "json as utf-8": lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
    "json in json": lambda text: json.dumps(json.dumps(text))[3:-3],
    "html": html.escape,
    "html of json": lambda text: html.escape(json.dumps(text)[1:-1]),
    "jinja": lambda text: html.escape(text).replace("&#x27;", "&#39;").replace("&quot;", "&#34;"),
    "xml": lambda text: ET.tostring(ET.Element("e", a=text), encoding="unicode")[6:-4],
    "repr": lambda text: repr(text)[1:-1],
    "base64": lambda text: base64.b64encode(text.encode()).decode().rstrip("="),
}

# No lone surrogates; nothing that the mark itself is made of, which is tested apart.
SECRETS = st.text(min_size=8, max_size=12).filter(lambda text: text not in REDACTED)
ORDINARY = st.text("abcxyz 0189-_/.:\\\n\"'<>{}[]", max_size=30)


@pytest.mark.parametrize(
    "secret", ["hunter2hunter2", HARD, "aaaaaaaa", "back\\slash\\", "ünïcödé✓𝄞"]
)
@pytest.mark.parametrize("form", FORMS)
def test_a_known_secret_is_replaced_in_every_form(form: str, secret: str) -> None:
    shown = FORMS[form](secret)
    redacted = Redactor([secret]).redact(f"see <{shown}>, again {shown}")
    assert shown not in redacted
    assert redacted.count(REDACTED) == 2


@settings(max_examples=50)
@given(SECRETS, st.sampled_from(sorted(FORMS)), ORDINARY, ORDINARY)
def test_any_secret_is_replaced_in_any_surroundings(
    secret: str, form: str, before: str, after: str
) -> None:
    assume(form != "xml" or secret.isprintable())
    shown = FORMS[form](secret)
    redacted = Redactor([secret]).redact(f"{before}{shown}{after}")
    if form == "base64" and len(secret.encode()) % 3:
        shown = shown[:-1]  # its last character could also hold bits of what follows
    assert shown not in redacted
    assert REDACTED in redacted


@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
@given(secret=SECRETS, before=st.binary(max_size=5), after=st.binary(max_size=5))
def test_a_secret_inside_longer_base64_is_replaced_at_each_offset(
    encode: Callable[[bytes], bytes], secret: str, before: bytes, after: bytes
) -> None:
    text = encode(before + secret.encode() + after).decode()
    # The characters all of whose six bits are the secret's.
    first = -(-len(before) * 8 // 6)
    last = (len(before) + len(secret.encode())) * 8 // 6
    redacted = Redactor([secret]).redact(text)
    assert text[first:last] not in redacted
    assert REDACTED in redacted


@given(st.lists(SECRETS, min_size=1, max_size=3), st.data())
def test_redacted_json_stays_valid_and_keeps_its_shape(
    secrets: list[str], data: st.DataObject
) -> None:
    # A part of a secret may complete it with the letter of an escape; quotes are JSON's own.
    parts = [secret.lstrip('"')[1:] for secret in secrets]
    pieces = st.one_of(ORDINARY, st.sampled_from(secrets), st.sampled_from(parts))
    texts = data.draw(st.lists(st.lists(pieces, max_size=4).map("".join), min_size=1, max_size=3))
    for ascii_only in (True, False):
        line = json.dumps({"texts": texts}, ensure_ascii=ascii_only)
        read = json.loads(Redactor(secrets).redact(line))
        assert len(read["texts"]) == len(texts)
        # What stands on two sides of a replaced secret was never one text.
        rests = [rest for text in read["texts"] for rest in text.split(REDACTED)]
        assert not any(secret in rest for secret in secrets for rest in rests)


@pytest.mark.parametrize(
    ("secret", "text"),
    [
        ("nightfall", "and then\nightfall came"),
        ("nightfall", "a path: C:\\nightfall"),
        ("passwort\\", 'the "passwort"'),
        ("passwort\\", "the passwort\\"),
        ('"password', 'a backslash \\"password'),
        ("\\backslash", "\\backslash"),
        ("hunter2", "line\nhunter2\nline"),
        ("backslash\\", "twice backslash\\backslash\\"),
        ("eleven-characters", "\N{LATIN SMALL LETTER THORN}leven-characters"),
        ("unicorns!", "a \\unicorns! unicorns! uunicorns!"),
    ],
)
def test_a_secret_next_to_an_escape_leaves_valid_json(secret: str, text: str) -> None:
    line = json.dumps(text)
    assert secret not in json.loads(Redactor([secret]).redact(line))


SHAPES = [
    ("Authorization: Bearer abcdef0123456789", "Authorization: Bearer [redacted]"),
    ("authorization: bearer QWERTZUIOPASDF==", "authorization: bearer [redacted]"),
    ("{'Authorization': 'Bearer a.b-c_d~e+f/1'}", "{'Authorization': 'Bearer [redacted]'}"),
    ("Authorization: Basic dXNlcjpwYXNz", "Authorization: Basic [redacted]"),
    ("{'authorization': 'Basic dXNlcjpwYXNz'}", "{'authorization': 'Basic [redacted]'}"),
    ("[(b'authorization', b'Basic dXNlcjpwYXNz')]", "[(b'authorization', b'Basic [redacted]')]"),
    (r"{\"Authorization\": \"Basic dXNlcg==\"}", r"{\"Authorization\": \"Basic [redacted]\"}"),
    ("got eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.c2ln here", "got [redacted] here"),
    ("unsigned eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.", "unsigned [redacted]"),
    ("key AKIAIOSFODNN7EXAMPLE used", "key [redacted] used"),
    ("key ASIAIOSFODNN7EXAMPLE used", "key [redacted] used"),
    (
        "k: -----BEGIN RSA PRIVATE KEY-----\nMIIEow\nIBAAKC\n-----END RSA PRIVATE KEY----- end, 1",
        "k: [redacted] end, 1",
    ),
    (r'"-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----\n"', r'"[redacted]\n"'),
    ('"-----BEGIN EC PRIVATE KEY-----\nMHcCAQ\ncut off', "[redacted]"),
    ("postgres://gate:pa:ss@db:5432/opp", "postgres://gate:[redacted]@db:5432/opp"),
    ("redis://:s3cret@cache", "redis://:[redacted]@cache"),
]


@pytest.mark.parametrize(("text", "redacted"), SHAPES)
def test_what_has_the_shape_of_a_secret_is_replaced(text: str, redacted: str) -> None:
    assert Redactor().redact(text).removeprefix('"') == redacted.removeprefix('"')
    assert Redactor().finds(text)


@pytest.mark.parametrize(("text", "_redacted"), SHAPES)
@pytest.mark.parametrize("before", ["", "a line\n", "a tab\t", "é: "])
def test_a_shape_is_found_in_the_middle_of_json(text: str, _redacted: str, before: str) -> None:
    redacted = Redactor().redact(json.dumps({"message": before + text, "n": 1}))
    assert REDACTED in redacted
    assert json.loads(redacted)["n"] == 1


@pytest.mark.parametrize(
    "secret",
    ["Bearer abcdef0123456789", "eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.c2ln", "AKIAIOSFODNN7EXAMPLE"],
)
@pytest.mark.parametrize("break_", ["\n", "\t", "\r"])
def test_a_shape_right_after_an_escape_of_json_is_replaced(secret: str, break_: str) -> None:
    redacted = json.loads(Redactor().redact(json.dumps(f"a line{break_}{secret}")))
    assert redacted.removeprefix(f"a line{break_}") in {"[redacted]", "Bearer [redacted]"}


@pytest.mark.parametrize(
    "text",
    [
        "GET http://localhost:8080/health?at=3@4 took 0.3 s",
        "http://localhost:8080?mail=ops@example.com",
        "https://example.com:8443",
        "https://ops@example.com/path:with@signs",
        "mail ops@example.com, see https://example.com",
        "image registry.example.com:5000/app@sha256:0123456789abcdef",
        "the bearer of bad news",
        "Bearer authentication is required.",
        "use a bearer certificate",
        'WWW-Authenticate: Bearer realm="api", error="invalid_token"',
        'WWW-Authenticate: Bearer error_description="The token expired"',
        '{"scheme": "bearer", "bearerFormat": "JWT"}',
        "Authorization: Basic",
        "basic authorization is off",
        "eyJ is how a token begins",
        "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
        "-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----",
        "MAKIAIOSFODNN7EXAMPLE",
        "validation/api/test_policies.py::test_search[1-2] failed: assert 200 == 500",
        '{"at": "2026-11-23T03:00:00+00:00", "duration_s": 0.123456}',
    ],
)
def test_ordinary_texts_are_left_as_they_are(text: str) -> None:
    redactor = Redactor(["correct horse battery", "s3cr3t"])
    assert redactor.redact(text) == text
    assert not redactor.finds(text)


@pytest.mark.parametrize(
    "text", ["hunter2", "is hunter2.", "'hunter2'", "u:hunter2@h", "=hunter2&"]
)
def test_a_short_secret_is_replaced_where_it_is_a_word(text: str) -> None:
    assert Redactor(["hunter2"]).redact(text) == text.replace("hunter2", REDACTED)


@pytest.mark.parametrize("text", ["hunter23", "xhunter2", "hunter2-x", "_hunter2", "Hunter2"])
def test_a_short_secret_is_left_where_it_is_a_part_of_a_word(text: str) -> None:
    assert Redactor(["hunter2"]).redact(text) == text


def test_a_secret_of_eight_characters_is_replaced_inside_a_word() -> None:
    assert Redactor(["hunter22"]).redact("xhunter22x") == "x[redacted]x"


def test_a_secret_that_is_a_part_of_another_does_not_leave_the_rest() -> None:
    redactor = Redactor(["password", "password-of-the-admin"])
    assert redactor.redact("it is password-of-the-admin") == "it is [redacted]"
    redactor = Redactor(["pass%word-of-the-admin", "pass%word"])
    assert redactor.redact("it is pass%25word-of-the-admin") == "it is [redacted]"


def test_secrets_can_be_added_later() -> None:
    redactor = Redactor()
    assert not redactor.finds("token-of-a-login")
    redactor.add("token-of-a-login")
    redactor.add("token-of-a-login")
    redactor.add("")
    assert redactor.redact("a token-of-a-login b") == "a [redacted] b"


@pytest.mark.parametrize("secret", ["redacted", "[redacted", "redacted]", "[redacted]"])
def test_the_mark_itself_is_never_a_secret(secret: str) -> None:
    redactor = Redactor([secret, "correct horse"])
    once = redactor.redact(f"{secret} and correct horse")
    assert redactor.redact(once) == once


def test_a_secret_that_is_no_text_at_all_does_not_break_the_redactor() -> None:
    # os.environ holds bytes that are no UTF-8 as lone surrogates.
    assert Redactor(["bytes\udcff-of-a-secret"]).redact("bytes\udcff-of-a-secret") == REDACTED


@given(
    st.lists(
        st.one_of(ORDINARY, SECRETS, st.sampled_from([text for text, _ in SHAPES])), max_size=6
    ).map("".join),
    st.lists(SECRETS, max_size=2),
)
def test_redacting_twice_changes_nothing_more(text: str, secrets: list[str]) -> None:
    redactor = Redactor(secrets)
    once = redactor.redact(text + "".join(secrets))
    assert redactor.redact(once) == once
    assert not redactor.finds(once)


@pytest.mark.parametrize(
    "piece", ["\\", "a", "a-", "bearer ", "-----BEGIN PRIVATE KEY-----", "x://a:"]
)
def test_long_texts_that_look_like_the_beginning_of_a_secret_are_no_trap(piece: str) -> None:
    # Quadratic time would be noticed here: minutes instead of an instant.
    redactor = Redactor(["correct horse battery", '"\\quoted\\"', "hunter2"])
    redactor.redact(piece * (200_000 // len(piece)))


LONG = "a-token-0123456789-abcdefghij-ABCDEFGHIJ"


@pytest.mark.parametrize(
    "text",
    [
        f'is "{LONG[:30]}..., which is wrong',
        f"{LONG[:9]}...{LONG[-9:]}",
        f"...{LONG[20:]} is the end",
        f"one {LONG[:20]}... and one {LONG[:12]}...",
    ],
)
def test_what_is_left_of_a_secret_that_was_cut_is_replaced(text: str) -> None:
    redacted = Redactor([LONG]).redact(text)
    assert LONG[:8] not in redacted
    assert LONG[-8:] not in redacted
    assert REDACTED in redacted
    assert Redactor([LONG]).redact(redacted) == redacted


def test_a_beginning_that_nothing_cut_is_an_ordinary_word() -> None:
    for text in ("a-token-of-mine...", "see a-token-0 there, and so on...", "..."):
        assert Redactor([LONG]).redact(text) == text
