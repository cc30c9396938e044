"""The editors' schema: current, and of one mind with the loader."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from deployment_gate.environment import environment_schema

ROOT = Path(__file__).parents[2]
VALIDATOR = jsonschema.Draft202012Validator(environment_schema())


def test_the_file_beside_the_environments_is_current() -> None:
    file = ROOT / "environments" / "environment.schema.json"
    on_disk = json.loads(file.read_text(encoding="utf-8"))
    assert on_disk == environment_schema(), "run: make schema"


def test_the_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(environment_schema())


@pytest.mark.parametrize("file", sorted((ROOT / "environments").glob("*.yaml")), ids=str)
def test_every_environment_fits_the_schema(file: Path) -> None:
    VALIDATOR.validate(yaml.safe_load(file.read_text(encoding="utf-8")))


@pytest.mark.parametrize(
    "data",
    [
        {"extends": "base", "rollback_triggers": {"x": None}},
        {"sampler": {"concurrency": "${N:-64}"}, "allow": {"writes": "${W}"}},
        {"rollback_triggers": {"x": [{"condition": "a"}, {"timeout": "5m"}]}},
        {"rollback_triggers": [{"x": {"condition": "a"}}]},
        {"rollback_triggers": {"x": {"samples": 50, "confidence": "99%", "over": "subject"}}},
        {"rollback_triggers": {"x": {"samples": "${N}", "confidence": 99.9, "over": "${O}"}}},
        {"health_endpoints": {"a": {"url": "http://a", "expected_status": [200, "${S}"]}}},
        {"web": {"pages": {"a": "/", "b": {"path": "/b", "masks": {"status": None}}}}},
        {"web": {"devices": {"phone": None}, "pictures": {"tolerance": "0.1%"}}},
        {"web": {"sign_in": [{"click": {"button": "Sign in"}, "see": [{"link": None, "nth": 2}]}]}},
        {"web": {"sign_in": [{"capture": {"id": {"text": {"matches": "^a"}}}}]}},
        {"web": {"sign_out": [{"see": {"link": "a", "inside": {"navigation": "Main"}}}]}},
    ],
)
def test_the_schema_accepts_what_the_loader_reads(data: dict[str, Any]) -> None:
    VALIDATOR.validate(data)


@pytest.mark.parametrize(
    "data",
    [
        {"name": "x"},
        {"helth_endpoints": {}},
        {"health_endpoints": {"a": {"ulr": "http://a"}}},
        {"allow": {"writes": "yes"}},
        {"check_timeout": 30},
        {"required": {"smoke": ["helth"]}},
        {"rollback_triggers": {"x": [{"condition": "a", "timeout": "5m"}]}},
        {"rollback_triggers": {"x": {"confidence": 0.95}}},
        {"rollback_triggers": {"x": {"confidence": 100}}},
        {"rollback_triggers": {"x": {"over": "each"}}},
        {"api": {"identities": {"test": {"password": "hunter22"}}}},
        {"api": {"journeys": {"a": {"steps": [{"wish": "GET /"}]}}}},
        {"web": {"journeys": {"a": {"steps": [{"clck": {"button": "a"}}]}}}},
        {"web": {"sign_in": [{"click": "Sign in"}]}},
        {"web": {"sign_in": [{"click": {}}]}},
        {"web": {"sign_in": [{"see": {"buttn": "a"}}]}},
        {"web": {"sign_in": [{"see": [{"button": 5}]}]}},
        {"web": {"sign_in": [{"see": {"button": {"match": "a"}}}]}},
        {"web": {"sign_in": [{"see": {"button": "a", "nth": 0}}]}},
        {"web": {"sign_in": [{"see": {"button": "a", "inside": "main"}}]}},
        {"web": {"sign_in": [{"capture": {"id": "a"}}]}},
        {"web": {"sign_in": [{"go": "bak"}]}},
        {"web": {"pictures": {"tolerance": 5}}},
        {"web": {"devices": {}}},
    ],
)
def test_the_schema_refuses_what_the_loader_refuses(data: dict[str, Any]) -> None:
    assert not VALIDATOR.is_valid(data)


def test_every_entry_is_described_to_editors() -> None:
    schema = environment_schema()
    for section in (schema, *schema["$defs"].values()):
        for name, entry in section.get("properties", {}).items():
            assert entry.get("description"), name
