"""Saved documents: JSON and YAML, and files that are neither."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from deployment_gate.openapi import Document, DocumentError, read_document


def test_a_saved_document_is_the_same_in_json_and_yaml(
    fastapi_document: Document, tmp_path: Path
) -> None:
    files = tmp_path / "openapi.json", tmp_path / "openapi.yaml"
    files[0].write_text(json.dumps(fastapi_document.root))
    files[1].write_text(yaml.safe_dump(fastapi_document.root))

    for file in files:
        assert read_document(file).operations == fastapi_document.operations


def test_yaml_scalars_are_those_of_json(tmp_path: Path) -> None:
    file = tmp_path / "openapi.yaml"
    file.write_text(
        "openapi: 3.1.0\ninfo: {version: 1.0}\npaths: {}\n"
        "x-common: &common {a: 1, b: 2}\n"
        "x: [2026-11-23, 2026-11-23T03:00:00Z, yes, on, 1:30, 007, 0x1F, 1.5e3, -2, true, ~, '1']\n"
        "y: {<<: *common, b: 3, 200: ok, true: t}\n"
    )

    root = read_document(file).root

    assert root["x"] == [
        *("2026-11-23", "2026-11-23T03:00:00Z", "yes", "on", "1:30", "007", "0x1F"),
        *(1500.0, -2, True, None, "1"),
    ]
    assert root["y"] == {"a": 1, "b": 3, "200": "ok", "true": "t"}


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("none.yaml", None, "can't be read: No such file"),
        ("latin.yaml", b"\xff", "isn't UTF-8"),
        ("broken.json", b"{", "isn't JSON"),
        ("broken.yaml", b"{", "isn't YAML"),
        ("empty.yaml", b"", "is no OpenAPI document"),
        ("loop.yaml", b"&a {b: *a}", "is nested too deeply, or in itself"),
        ("deep.json", b"[" * 100_000, "is nested too deeply, or in itself"),
        ("other.json", b"{}", "is no OpenAPI document"),
    ],
)
def test_a_file_that_is_none_is_refused(
    tmp_path: Path, name: str, content: bytes | None, said: str
) -> None:
    file = tmp_path / name
    if content is not None:
        file.write_bytes(content)

    with pytest.raises(DocumentError) as refused:
        read_document(file)

    assert str(file) in str(refused.value)
    assert said in str(refused.value)
