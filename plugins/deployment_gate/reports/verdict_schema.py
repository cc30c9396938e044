"""The JSON Schema of `verdict.json`, made of the model that reads the file."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema

from deployment_gate.environment import field_docstrings
from deployment_gate.evidence import Outcome
from deployment_gate.reports import verdict_file
from deployment_gate.reports.verdict_file import VERSION, VerdictFile

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_SUFFIX = "Entry"
_ENDED = {
    Outcome.PASSED: "How many passed at once.",
    Outcome.FLAKY: "How many passed, but not at their first attempt.",
    Outcome.WARNED: "How many failed, or have something to tell, and only warn.",
    Outcome.FAILED: "How many failed.",
    Outcome.ERROR: "How many could not be carried out.",
    Outcome.WAIVED: "How many failed, which a waiver accepts.",
    Outcome.NOT_RUN: "How many were left out, since what they depend on is dead.",
    Outcome.SKIPPED: "How many skipped themselves.",
    Outcome.XFAILED: "How many failed as they expected to.",
    Outcome.XPASSED: "How many passed, and expected not to.",
}


def verdict_schema() -> dict[str, Any]:
    """The JSON Schema of `verdict.json`.

    It requires all keys, and allows more: some may come without a new version.
    """
    schema = VerdictFile.model_json_schema(schema_generator=_Generator)
    definitions = schema.pop("$defs")
    for section in (schema, *definitions.values()):
        del section["title"]
        section["description"] = " ".join(section["description"].split())
    for model in _models():
        section = schema if model is VerdictFile else definitions[model.__name__]
        section.pop("additionalProperties", None)
        for name, described in _descriptions(model).items():
            section["properties"][name]["description"] = described
    schema["properties"]["checks"] |= _counts(schema["properties"]["checks"])
    return {
        "$schema": _DIALECT,
        "$id": f"urn:deployment-gate:verdict:{VERSION}",
        "title": "The verdict of a run of the deployment gate",
        **_renamed(schema),
        "$defs": _renamed(definitions),
    }


class _Generator(GenerateJsonSchema):
    """Pydantic's schema without the title of each field, which only repeats its name."""

    def field_title_should_be_set(self, schema: object) -> bool:  # noqa: ARG002 - pydantic's name
        return False


def _models() -> Iterator[type[BaseModel]]:
    """The model of the file, and those of its parts."""
    for _, member in inspect.getmembers(verdict_file, inspect.isclass):
        if issubclass(member, BaseModel) and member.model_fields:
            yield member


def _descriptions(model: type[BaseModel]) -> dict[str, str]:
    """What stands below each of a model's fields, those that it inherits among them."""
    written = field_docstrings(inspect.getsource(verdict_file))
    return {
        name: described
        for kind in reversed(model.__mro__)
        for name, described in written.get(kind.__name__, {}).items()
    }


def _counts(checks: dict[str, Any]) -> dict[str, Any]:
    """The counts by name: for pydantic they are any map, but the file always has all of them."""
    count = checks["additionalProperties"]
    described: dict[str, str] = {"planned": "How many were to run."} | {
        outcome.value: what for outcome, what in _ENDED.items()
    }
    properties = {name: count | {"description": what} for name, what in described.items()}
    return {"properties": properties, "required": list(properties)}


def _renamed(schema: Any) -> Any:
    """The same with the parts named for what they are, not for how the code calls their models."""
    if isinstance(schema, dict):
        return {_name(key): _renamed(value) for key, value in schema.items()}
    if isinstance(schema, list):
        return [_renamed(value) for value in schema]
    return _name(schema) if isinstance(schema, str) else schema


def _name(text: str) -> str:
    head, slash, last = text.rpartition("/")
    if last.startswith("_") and last.endswith(_SUFFIX):
        return f"{head}{slash}{last.strip('_').removesuffix(_SUFFIX)}"
    return text
