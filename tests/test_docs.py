"""What the pages under docs/ show is understood as they say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from deployment_gate.cli import main
from deployment_gate.environment import environment_schema

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


def test_every_key_of_the_api_section_is_shown() -> None:
    text = (DOCS / "api.md").read_text(encoding="utf-8")
    kinds = ("ApiTarget", "Login", "Refresh", "WhoAmI", "OpenApi", "Journey", "Step", "Expect")
    definitions = environment_schema()["$defs"]
    missing = {
        f"{kind}.{key}"
        for kind in kinds
        for key in definitions[kind]["properties"]
        if not re.search(rf"\b{key}\b", text)
    }
    assert missing == set()
