"""The published schema of `verdict.json`: current, whole, and what real files fit."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from deployment_gate.evidence import FindingSeverity, Outcome
from deployment_gate.reports import verdict_schema as module
from deployment_gate.reports.account import Account
from deployment_gate.reports.verdict_file import VERSION, render_verdict
from deployment_gate.reports.verdict_schema import verdict_schema
from tests.plugin.conftest import Reports
from tests.reports.findings import ALL, account_of
from tests.runs import Workshop

PUBLISHED = Path(module.__file__).with_name("verdict.schema.json")
BEGUN = """
    import shutil
    import pytest

    @pytest.mark.smoke
    def test_the_verdict_so_far_is_kept(pytestconfig):
        folder = pytestconfig.rootpath / pytestconfig.option.report_dir
        shutil.copy(folder / "verdict.json", pytestconfig.rootpath / "begun.json")
        raise RuntimeError("not today")
"""


def strict(schema: Any) -> Any:
    """A schema that allows no key beyond those that it tells."""
    if isinstance(schema, dict):
        closed = {"additionalProperties": False} if "properties" in schema else {}
        return {key: strict(value) for key, value in schema.items()} | closed
    return [strict(one) for one in schema] if isinstance(schema, list) else schema


VALIDATOR = jsonschema.Draft202012Validator(
    strict(verdict_schema()), format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER
)


def test_the_published_file_is_current() -> None:
    on_disk = json.loads(PUBLISHED.read_text(encoding="utf-8"))
    assert on_disk == verdict_schema(), "run: make schema"


def test_the_schema_is_one_and_names_its_version() -> None:
    schema = verdict_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["properties"]["version"]["const"] == VERSION
    assert schema["$id"].endswith(f":{VERSION}")


def keys_of(schema: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """All keys that a schema tells, with what it says of each."""
    if isinstance(schema, dict):
        yield from schema.get("properties", {}).items()
        for below in schema.values():
            yield from keys_of(below)


def test_every_key_is_described_and_required() -> None:
    schema = verdict_schema()
    keys = list(keys_of(schema))
    assert len(keys) > 50
    assert [name for name, told in keys if not told.get("description", "").endswith(".")] == []
    sections = [schema, schema["properties"]["checks"], *schema["$defs"].values()]
    objects = [section for section in sections if "properties" in section]
    assert all(set(one["required"]) == set(one["properties"]) for one in objects)


def test_no_name_of_the_code_is_told() -> None:
    text = PUBLISHED.read_text(encoding="utf-8")
    assert "Entry" not in text
    assert "VerdictFile" not in text


def test_every_outcome_and_severity_is_counted() -> None:
    schema = verdict_schema()
    assert set(schema["properties"]["checks"]["properties"]) == {"planned", *Outcome}
    assert set(FindingSeverity) <= set(schema["$defs"]["Findings"]["properties"])


def test_files_of_real_runs_fit(promote: Reports, rollback: Reports) -> None:
    assert promote.verdict["verdict"] == "promote"
    VALIDATOR.validate(promote.verdict)
    assert rollback.verdict["verdict"] == "rollback"
    VALIDATOR.validate(rollback.verdict)


def test_the_file_of_a_run_that_has_begun_and_of_one_that_holds_fit(shop: Workshop) -> None:
    check = shop.write("validation/health/test_begun.py", BEGUN)
    try:
        held = shop.validate("held", "-m", "smoke")
        chosen = shop.validate("chosen", "-k", "begun")
    finally:
        check.unlink()
    begun = json.loads((shop.folder / "begun.json").read_text())
    assert begun["sentence"].startswith("the run is incomplete")
    VALIDATOR.validate(begun)
    assert (held.verdict["verdict"], held.verdict["tier"]) == ("hold", "smoke")
    VALIDATOR.validate(held.verdict)
    assert chosen.verdict["tier"] is None
    assert chosen.verdict["selection"]
    VALIDATOR.validate(chosen.verdict)


def test_findings_of_each_standing_fit() -> None:
    told = account_of(*ALL)
    verdict = json.loads(render_verdict(told, evidence_text=""))
    VALIDATOR.validate(verdict)
    standings = {one["standing"] for one in verdict["findings"]["found"]}
    assert standings == {"holds", "warns", "waived"}


@pytest.mark.parametrize(
    "change",
    [
        {"version": 2},
        {"verdict": "maybe"},
        {"exit_code": 7},
        {"tier": "all"},
        {"started": "yesterday"},
        {"evidence_sha256": "0"},
        {"checks": {"planned": 1}},
        {"triggers": [{"name": "a"}]},
    ],
    ids=str,
)
def test_what_the_gate_never_writes_does_not_fit(
    account: Callable[..., Account], change: dict[str, Any]
) -> None:
    verdict = json.loads(render_verdict(account(), evidence_text=""))
    VALIDATOR.validate(verdict)
    assert not VALIDATOR.is_valid(verdict | change)


def test_keys_may_come_without_a_new_version(account: Callable[..., Account]) -> None:
    verdict = json.loads(render_verdict(account(), evidence_text=""))
    published = jsonschema.Draft202012Validator(verdict_schema())
    published.validate(verdict | {"coming": 1, "checks": verdict["checks"] | {"coming": 1}})


def test_the_command_prints_it() -> None:
    program = Path(sys.executable).with_name("deployment-gate")
    done = subprocess.run(
        [program, "schema", "--verdict"], capture_output=True, text=True, check=True
    )
    assert done.stdout == PUBLISHED.read_text(encoding="utf-8")
