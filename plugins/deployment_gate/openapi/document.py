"""An API's OpenAPI document: its operations, and whether a value fits what it says."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from deployment_gate.errors import GateError
from deployment_gate.openapi.operations import Operation, operation_for, operations_in
from deployment_gate.openapi.schemas import Branch, Schema, branches
from deployment_gate.openapi.swagger import from_swagger
from deployment_gate.openapi.tree import entries, gap_in, listed
from deployment_gate.openapi.validation import schema_errors

SUPPORTED = "an OpenAPI 3.0, 3.1 or 3.2 document, or a Swagger 2.0 one"
"""What is understood, for messages."""

_VARIABLE = re.compile(r"\{([^{}]*)\}")
_SERVER = re.compile(r"^(?:(?:[a-zA-Z][a-zA-Z0-9+.-]*:)?//[^/?#]*)?([^?#]*)")


class DocumentError(GateError):
    """What should be an OpenAPI document can't be read as one."""


@dataclass(frozen=True, slots=True, eq=False)
class Document:
    """An OpenAPI document; one of Swagger 2.0 has the shape of 3.0."""

    origin: str
    root: Mapping[str, Any]
    operations: tuple[Operation, ...]

    @classmethod
    def parse(cls, raw: object, *, origin: str) -> Self:
        """Read a document.

        Args:
            raw: What its JSON says.
            origin: The address or file it comes from, for messages.

        Raises:
            DocumentError: It is none, or not a whole one.
        """
        root = _supported(raw, origin)
        try:
            _demand_whole(root, origin)
            if "swagger" in root:
                root = from_swagger(root)
                _demand_whole(root, origin)
            return cls(origin, root, tuple(operations_in(root)))
        except RecursionError as error:
            raise DocumentError(f"{origin} is nested too deeply. Make it flatter") from error

    @property
    def version(self) -> str:
        """What the document says the API's version is."""
        return str(entries(self.root.get("info")).get("version", ""))

    @property
    def base_path(self) -> str:
        """The path that all operations are below, by the first server's address."""
        servers = listed(self.root.get("servers"))
        server = entries(servers[0]) if servers else {}
        variables = entries(server.get("variables"))
        url = _VARIABLE.sub(
            lambda name: str(entries(variables.get(name[1])).get("default", "")),
            str(server.get("url", "")),
        )
        address = _SERVER.match(url)
        path = address[1].removeprefix(".").strip("/") if address else ""
        return f"/{path}" if path else ""

    def find(self, method: str, path: str) -> Operation | None:
        """Answer the operation that serves a path, or a template such as `/policies/{{id}}`."""
        asked = re.split(r"[?#]", path, maxsplit=1)[0]
        below = asked.removeprefix(self.base_path)
        for candidate in (below, asked) if below.startswith("/") else (asked,):
            if operation := operation_for(self.operations, method.upper(), candidate):
                return operation
        return None

    def branches(self, *schemas: Schema) -> list[Branch]:
        """Answer in which ways all these schemas can be met: one for each choice they leave."""
        return branches(self.root, *schemas)

    def schema_errors(self, schema: Schema | str, instance: Any) -> list[str]:
        """Answer what keeps a value from fitting a schema, a sentence each, the first five.

        Args:
            schema: The schema, or where the document has it: `#/components/schemas/Policy`.
            instance: The value, from JSON.
        """
        return schema_errors(self.root, schema, instance, origin=self.origin)


def _supported(raw: object, origin: str) -> dict[str, Any]:
    advice = f"Give the address or the file of {SUPPORTED}"
    if not isinstance(raw, dict) or not raw.keys() & {"openapi", "swagger"}:
        raise DocumentError(f"{origin} is no OpenAPI document: it says no `openapi`. {advice}")
    key = "swagger" if "swagger" in raw else "openapi"
    version = str(raw[key])
    if not re.match(r"2\.0$" if key == "swagger" else r"3\.[012](\.|$)", version):
        raise DocumentError(f"{origin} says `{key}: {version}`, which isn't understood. {advice}")
    if not isinstance(raw.get("paths"), dict):
        raise DocumentError(f"{origin} has no map `paths`, so it documents nothing. {advice}")
    return raw


def _demand_whole(root: Mapping[str, Any], origin: str) -> None:
    if gap := gap_in(root):
        raise DocumentError(f"{origin} {gap}")
