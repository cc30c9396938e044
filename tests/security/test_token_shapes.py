"""Secrets are known by the forms that their issuers have published, and nothing else is.

None of them is real; each is put together here, so that who looks for secrets in this repository
finds none.
"""

from __future__ import annotations

import base64
import json
import random
import string
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deployment_gate.security.token_shapes import SHARED_SHAPES, Token, tokens_in

DRAW = random.Random(7)  # noqa: S311  # nothing of this is secret
LETTERS = string.ascii_letters + string.digits


def drawn(length: int, of: str = LETTERS) -> str:
    return "".join(DRAW.choice(of) for _ in range(length))


def jwt(**claims: object) -> str:
    """A JSON Web Token with a signature of nobody's."""
    parts = [json.dumps({"alg": "HS256", "typ": "JWT"}), json.dumps(claims)]
    encoded = [base64.urlsafe_b64encode(part.encode()).decode().rstrip("=") for part in parts]
    return ".".join([*encoded, drawn(43)])


BASE32 = string.ascii_uppercase + "234567"
SECRETS = {
    "an AWS access key id": "AK" + "IA" + drawn(16, BASE32),
    "a GitHub token": "gh" + "p_" + drawn(36),
    "a GitLab token": "gl" + "pat-" + drawn(20),
    "a Slack token": "xo" + "xb-" + f"{drawn(12, string.digits)}-{drawn(24)}",
    "a Slack webhook": "https://hooks.slack"
    + f".com/services/T{drawn(8, BASE32)}/B{drawn(9, BASE32)}/{drawn(24)}",
    "a Stripe secret key": "sk" + "_live_" + drawn(24),
    "an npm token": "np" + "m_" + drawn(36),
    "a SendGrid key": "S" + "G." + f"{drawn(22)}.{drawn(43)}",
    "a Twilio key": "S" + "K" + drawn(32, "0123456789abcdef"),
    "a Google client secret": "GOC" + "SPX-" + drawn(28),
    "a PyPI token": "pyp" + "i-AgEIcHlwaS5vcmc" + drawn(60),
    "a JSON Web Token": jwt(sub="ada", role="service_role"),
}  # fmt: skip


@pytest.mark.parametrize(("what", "value"), SECRETS.items(), ids=SECRETS)
@pytest.mark.parametrize(
    "around", ['const a={{k:"{}"}};', "<meta content='{}'>", '{{"key": "{}"}}', "KEY={}\n"]
)
def test_a_secret_is_known_wherever_it_stands(what: str, value: str, around: str) -> None:
    assert list(tokens_in(around.format(value))) == [Token(what, value)]


def test_a_finer_github_token_is_known() -> None:
    value = "github" + "_pat_" + f"{drawn(22)}_{drawn(59)}"

    assert [one.value for one in tokens_in(f'"{value}"')] == [value]


def test_keys_in_connection_strings_of_azure_are_known() -> None:
    key = drawn(86) + "=="
    text = f"DefaultEndpointsProtocol=https;AccountName=a;AccountKey={key};EndpointSuffix=x"

    assert [(one.what, one.value) for one in tokens_in(text)] == [("an Azure storage key", key)]


@pytest.mark.parametrize("kind", ["rsa", "ed25519"])
def test_a_real_private_key_is_known_in_a_script_too(kind: str, tmp_path: Path) -> None:
    file = tmp_path / "key"
    command = ["openssl", "genpkey", "-algorithm", kind, "-out", str(file)]
    subprocess.run(command, check=True, capture_output=True)

    for text in (file.read_text(), f"const key = {json.dumps(file.read_text())};"):
        assert [one.what for one in tokens_in(text)] == ["a private key"]


@pytest.mark.parametrize(
    "address",
    ["postgresql://app:Tr0ub4dor@db/shop", "redis://:a-long-one@cache:6379/0",
     "https://ada:s3cr3t-word@shop.example/x"],
)  # fmt: skip
def test_a_password_in_an_address_is_known(address: str) -> None:
    found = [one.what for one in tokens_in(f'"{address}"')]

    # One without a user is no address that a page could use.
    assert found == (["a password in an address"] if "//:" not in address else [])


@pytest.mark.parametrize(
    "text",
    [
        "AK" + "IAIOSFODNN7EXAMPLE",
        "-----BEGIN PRIVATE KEY-----",
        'if (text.startsWith("-----BEGIN RSA PRIVATE KEY-----")) parse(text);',
        "pk" + "_live_" + "51Habc1234567890abcdefgh",
        "https://user:password@host.example/",
        "https://${user}:${password}@host.example/",
        "http://localhost:3000/@scope/package",
        "https://shop.example:8443/a@b",
        "see https://cdn.example/npm/@scope/a:1@2",
        "git@github.com:shop/shop.git",
        "npm_config_registry=https://registry.example",
        "sk" + "_test_" + "4eC39HqLyjWDarjtT1zdp7dc",
        "SKU0123456789",
        "integrity=sha384-oqVuAfXRKap7fdgcCY5uykM6+R9GqQ8K/uxy9rx7HNQlGYl1kPzQho1wx4JwY8wC",
        jwt(role="anon", iss="supabase"),
        jwt(csrf="a1b2c3", exp=1),
        "eyJhbGciOiJub3QiOiJqc29u.eyJhIjoxfQabcdef.abcdefghijklmnop",
        "",
    ],
)
def test_what_only_looks_like_a_secret_is_none(text: str) -> None:
    assert list(tokens_in(text)) == []


def test_libraries_that_pages_use_hold_none() -> None:
    """The largest scripts at hand: those that the gate brings, and Playwright's and axe's."""
    folder = Path(__file__).parents[2]
    installed = (folder / ".venv").glob("lib/*/site-packages")
    places = [folder / "plugins", folder / "sandbox", *installed]
    scripts = [
        file
        for place in places
        for file in place.rglob("*.js")
        if 20_000 < file.stat().st_size < 700_000
    ][:40]

    assert len(scripts) > 5
    found = {
        str(file): [one.told for one in tokens_in(file.read_text(errors="replace"))]
        for file in scripts
    }
    assert {file: told for file, told in found.items() if told} == {}


def test_a_key_that_pages_bear_on_purpose_is_told_apart() -> None:
    text = f'"{"AI" + "za"}{drawn(35)}"'

    assert list(tokens_in(text)) == []
    assert [one.what for one in tokens_in(text, SHARED_SHAPES)] == ["a Google API key"]


def test_of_a_secret_four_characters_are_told() -> None:
    token = Token("a GitHub token", "gh" + "p_" + "a" * 36)

    assert token.told == "a GitHub token (ghp_...)"
    assert "aaaa" not in repr(token)
    assert Token("a password in an address", "hunter2").told == "a password in an address (...)"


@settings(deadline=None)  # how long an example takes says nothing on a shared machine
@given(st.text(max_size=300))
def test_any_text_can_be_looked_through(text: str) -> None:
    assert list(tokens_in(text)) == []


def test_a_long_line_is_looked_through_quickly() -> None:
    """No pattern goes back and forth: a minified script is one line."""
    parts = ["a://b", "eyJ" + "a" * 50 + ".eyJ", "x" * 90, "user:pass", "AccountKey="]
    text = "".join(parts[number % len(parts)] for number in range(40_000))

    assert list(tokens_in(text)) == []
