"""What the pages under docs/ show is understood as they say."""

from __future__ import annotations

import re
from itertools import repeat
from pathlib import Path

import pytest

from deployment_gate.cli import main
from deployment_gate.environment import environment_schema
from deployment_gate.security.catalogue import RULES
from tests.plugin.conftest import Reply
from tests.runs import workshop

DOCS = Path(__file__).parents[1] / "docs"


def examples_of(page: str) -> str:
    """All examples of a page in YAML, one after another: together they are one file."""
    text = (DOCS / page).read_text(encoding="utf-8")
    return "".join(re.findall(r"```yaml\n(.*?)```", text, re.DOTALL))


def test_the_examples_of_the_api_are_one_environment_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "shop.yaml").write_text(examples_of("api.md") + "allow: {writes: true}\n")
    monkeypatch.setenv("SHOP_PASSWORD", "a-password-of-the-shop")
    monkeypatch.setenv("SHOP_KEY", "a-key-of-the-shop")

    assert main(["explain", "shop", f"--env-dir={tmp_path}"]) == 0, capsys.readouterr().err
    explained = capsys.readouterr().out
    assert "1. order it: POST /orders as buyer is answered 201 within 500 ms" in explained
    assert 'finds "book", "本"' in explained


API_KINDS = ("ApiTarget", "Login", "Refresh", "WhoAmI", "OpenApi", "Journey", "Step", "Expect")
WEB_KINDS = (
    "WebTarget", "WebPage", "WebStep", "WebJourney", "Device", "Discover", "Speed", "Pictures"
)  # fmt: skip


def test_the_examples_of_pages_are_one_environment_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "shop.yaml").write_text(examples_of("frontend.md"))
    monkeypatch.setenv("SHOP_PASSWORD", "a-password-of-the-shop")

    assert main(["explain", "shop", f"--env-dir={tmp_path}"]) == 0, capsys.readouterr().err
    explained = capsys.readouterr().out
    assert "at https://shop.example" in explained
    assert "95 % of the page loads stay below 2 seconds" in explained
    assert "smoke must have a pass in: api, frontend" in explained


def test_the_check_in_python_passes_where_its_page_is_well(tmp_path: Path) -> None:
    text = (DOCS / "frontend.md").read_text(encoding="utf-8")
    (check,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    page = "<!doctype html><title>Basket</title><h1>Your basket is empty</h1>"
    with workshop(tmp_path) as project:
        project.target.answers["/basket"] = repeat(Reply(body=page, content_type="text/html"))
        project.write(
            "environments/here.yaml",
            f"web: {{base_url: {project.target.url}}}\ncheck_timeout: 30s\n",
        )
        project.write("validation/frontend/test_basket.py", check)
        reports = project.validate("reports", "-m", "frontend")

    assert reports.outcomes == {"test_the_basket_is_empty_at_first[chromium]": "passed"}


@pytest.mark.parametrize(
    ("page", "kinds"), [("api.md", API_KINDS), ("frontend.md", WEB_KINDS)], ids=["api", "frontend"]
)
def test_every_key_of_a_section_is_shown(page: str, kinds: tuple[str, ...]) -> None:
    text = (DOCS / page).read_text(encoding="utf-8")
    definitions = environment_schema()["$defs"]
    missing = {
        f"{kind}.{key}"
        for kind in kinds
        for key in definitions[kind]["properties"]
        if not re.search(rf"\b{key}\b", text)
    }
    assert missing == set()


def test_every_rule_of_security_is_told() -> None:
    text = (DOCS / "security.md").read_text(encoding="utf-8")
    rows = [f"| `{one.id}` | {one.severity} | {one.title} | {one.source} |" for one in RULES]
    assert [row for row in rows if row not in text] == []


def test_the_examples_of_security_are_one_environment_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    health = "health_endpoints: {shop: {url: http://127.0.0.1:9/health}}\n"
    (tmp_path / "shop.yaml").write_text(health + examples_of("security.md"))

    assert main(["explain", "shop", f"--env-dir={tmp_path}"]) == 0, capsys.readouterr().err
    explained = capsys.readouterr().out
    assert "rolls back when 2 in a row of one subject's security checks fail" in explained
    assert "csp-inline-scripts at web GET /legacy* until 2026-12-31, by Ada" in explained
