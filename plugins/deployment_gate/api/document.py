"""An API's OpenAPI document: its operations, and whether a value fits what it says."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from itertools import product
from typing import TYPE_CHECKING, Any, Self, TypeAlias
from urllib.parse import unquote

import yaml

from deployment_gate.errors import GateError

if TYPE_CHECKING:
    from pathlib import Path

    from jsonschema.exceptions import ValidationError
    from jsonschema.protocols import Validator

Schema: TypeAlias = Any
"""A JSON Schema as the document has it: an object, or in 3.1 a boolean."""
Branch: TypeAlias = tuple[Mapping[str, Any], ...]
"""Schemas that hold together; what they refer to and combine is among them."""

METHODS = ("get", "head", "options", "post", "put", "patch", "delete", "trace", "query")
ERRORS_TOLD = 5

_YAML_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
# OpenAPI 3.1.1, 4.4: of YAML's scalars only those that JSON has; so a date is text.
_YAML_WORDS = {"true": True, "false": False, "null": None, "~": None, "": None}
_YAML_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,300})(\.[0-9]+)?([eE][-+]?[0-9]{1,3})?")

_PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SUPPORTED = "an OpenAPI 3.0, 3.1 or 3.2 document, or a Swagger 2.0 one"
_PARAMETER = re.compile(r"(\{[^{}]*\})")
_SERVER = re.compile(r"^(?:(?:[a-zA-Z][a-zA-Z0-9+.-]*:)?//[^/?#]*)?([^?#]*)")
# Whose keys are names that the document's author chose, `default` among responses say.
_NAMED = re.compile(
    r"\$defs|callbacks|content|definitions|dependentSchemas|encoding|headers|links|mediaTypes|"
    r"parameters|pathItems|paths|patternProperties|properties|requestBodies|responses|schemas|"
    r"securityDefinitions|securitySchemes|webhooks"
)
_MOVED = {
    "#/definitions/": "#/components/schemas/",
    "#/parameters/": "#/components/parameters/",
    "#/responses/": "#/components/responses/",
}
# What stands below them is data, in which `$ref` is nothing but a key.
_DATA = frozenset({"const", "default", "enum", "example", "examples", "mapping", "value"})
# OpenAPI 3.1.1, 4.8.12.1: header parameters of these names are to be passed over.
_NO_PARAMETERS = frozenset({"accept", "content-type", "authorization"})

_SHOWN = 120
_LONGEST = 300
_URI = "urn:deployment-gate:document"
_FORMATS = ("date", "date-time", "email", "uri", "uuid")
# Schemas that no validator can make sense of: of an unknown type, or of no right form.
_MALFORMED = (TypeError, AttributeError, ValueError)


class DocumentError(GateError):
    """What should be an OpenAPI document can't be read as one."""


class Place(StrEnum):
    """Where a parameter goes in a request."""

    PATH = "path"
    QUERY = "query"
    HEADER = "header"
    COOKIE = "cookie"


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of an operation; `examples` are values that the document gives for it."""

    name: str
    where: Place
    is_required: bool
    schema: Schema
    examples: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class Body:
    """What a request carries: a schema for each content type."""

    content: Mapping[str, Schema]
    is_required: bool


@dataclass(frozen=True, slots=True)
class Answer:
    """One documented answer.

    Attributes:
        pointer: Where the document has it, references followed.
        content: A schema for each content type; `*` may stand for a part of one.
        required_headers: The names of headers that it always has.
    """

    pointer: str
    content: Mapping[str, Schema]
    required_headers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path, with what its path says for all methods; answers by status."""

    method: str
    path: str
    parameters: tuple[Parameter, ...]
    body: Body | None
    answers: Mapping[str, Answer]
    needs_credentials: bool
    is_deprecated: bool

    def answer_to(self, status: str) -> Answer | None:
        """Answer what is documented for a status: exactly, as `4XX`, or as `default`."""
        known = (status, f"{status[:1]}XX", "default")
        return next((self.answers[one] for one in known if one in self.answers), None)

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


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
                root = _from_swagger(root)
                _demand_whole(root, origin)
            return cls(origin, root, tuple(_operations(root)))
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
        url = _PARAMETER.sub(
            lambda name: str(entries(variables.get(name[0][1:-1])).get("default", "")),
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
            fitting = [
                operation
                for operation in self.operations
                if operation.method == method.upper() and _fits(operation.path, candidate)
            ]
            if fitting:
                return min(fitting, key=_openness)
        return None

    def branches(self, *schemas: Schema) -> list[Branch]:
        """Answer in which ways all these schemas can be met: one for each choice they leave."""
        return _branches(self.root, schemas, within=frozenset())

    def schema_errors(self, schema: Schema | str, instance: Any) -> list[str]:
        """Answer what keeps a value from fitting a schema, a sentence each, the first five.

        Args:
            schema: The schema, or where the document has it: `#/components/schemas/Policy`.
            instance: The value, from JSON.
        """
        import referencing  # noqa: PLC0415  # see _validator_of

        if isinstance(schema, str):
            try:
                schema = _look_up(self.root, schema)
            except LookupError:
                return [f"{self.origin} has no {schema}"]
        # Where a schema stands alone, its references would be looked up in itself.
        whole = referencing.Resource.opaque({**self.root, "x-asked": schema})
        validator = _validator_of(str(self.root["openapi"])[:3])(
            {"$ref": f"{_URI}#/x-asked"},
            registry=referencing.Registry().with_resource(_URI, whole),
            format_checker=_format_checker(),
        )
        try:
            return _errors(validator, instance)
        except referencing.exceptions.Unresolvable as error:
            return [f"{self.origin} has no {error.ref}"]


def read_document(path: Path) -> Document:
    """Read a saved document, JSON or YAML.

    Raises:
        DocumentError: The file can't be read, or is no OpenAPI document.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise DocumentError(
            f"{path} can't be read: {error.strerror}. Name a file that has {_SUPPORTED}"
        ) from error
    except UnicodeDecodeError as error:
        raise DocumentError(f"{path} isn't UTF-8 (byte {error.start}). Save it as UTF-8") from error
    try:
        raw = json.loads(text) if path.suffix == ".json" else _from_yaml(text)
    except (ValueError, yaml.YAMLError) as error:
        kind = "JSON" if path.suffix == ".json" else "YAML"
        said = " ".join(str(error).split())
        raise DocumentError(f"{path} isn't {kind}: {said}. Save {_SUPPORTED} there") from error
    except RecursionError as error:
        raise DocumentError(f"{path} is nested too deeply, or in itself. Mend it") from error
    return Document.parse(raw, origin=str(path))


def entries(value: object) -> Mapping[str, Any]:
    """Answer the entries of a JSON object; none of what isn't one."""
    return value if isinstance(value, dict) else {}


def listed(value: object) -> list[Any]:
    """Answer the items of a JSON array; none of what isn't one."""
    return value if isinstance(value, list) else []


def schema_for(content: Mapping[str, Schema], content_type: str) -> Schema:
    """Answer the schema of a content type, the most particular one; None where there is none.

    >>> schema_for({"*/*": {}, "text/*": {"type": "string"}}, "text/csv; header=present")
    {'type': 'string'}
    """
    kind = media_type(content_type)
    ranges = (kind, f"{kind.partition('/')[0]}/*", "*/*")
    return next((content[one] for one in ranges if one in content), None)


def step_to(name: str) -> str:
    """Answer a field's step in a JSONPath.

    >>> step_to("owner"), step_to("first name")
    ('.owner', "['first name']")
    """
    return f".{name}" if _PLAIN_NAME.fullmatch(name) else f"[{name!r}]"


def media_type(content_type: str) -> str:
    """Answer a content type without its parameters.

    >>> media_type("Application/JSON; charset=utf-8")
    'application/json'
    """
    return content_type.partition(";")[0].strip().lower()


def _supported(raw: object, origin: str) -> dict[str, Any]:
    advice = f"Give the address or the file of {_SUPPORTED}"
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
    for where, reference in _all_references(root):
        if not reference.startswith("#"):
            raise DocumentError(
                f"{origin} refers to another document: `$ref: {reference}` at {where}. "
                "Bundle all of them into one, `redocly bundle` does"
            )
        try:
            _look_up(root, reference)
        except LookupError as error:
            raise DocumentError(
                f"{origin} has a reference to nothing: `$ref: {reference}` at {where}. "
                "Add what it names, or mend it"
            ) from error


def _all_references(root: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield those of the document, and those of extensions that it refers to."""
    waiting, followed = [("#", root)], set()
    while waiting:
        start, node = waiting.pop()
        for where, reference in _references(node, start):
            yield where, reference
            if "/x-" in reference and reference not in followed:
                followed.add(reference)
                waiting.append((reference, _look_up(root, reference)))


def _references(node: object, where: str, *, has_names: bool = False) -> Iterator[tuple[str, str]]:
    """Yield each reference and its place; `has_names`: the node's keys are no keywords."""
    for index, item in enumerate(listed(node)):
        yield from _references(item, f"{where}/{index}")
    for key, value in entries(node).items():
        if has_names:
            yield from _references(value, f"{where}/{_escaped(key)}")
        elif key == "$ref" and isinstance(value, str):
            yield where, value
        elif key not in _DATA and not key.startswith("x-"):
            yield from _references(
                value, f"{where}/{_escaped(key)}", has_names=bool(_NAMED.fullmatch(key))
            )


def _look_up(root: Mapping[str, Any], pointer: str) -> Any:
    """What a JSON Pointer (RFC 6901, 6) names; raises LookupError where that is nothing."""
    node: Any = root
    tokens = unquote(pointer.removeprefix("#")).split("/")
    if tokens[0]:
        raise LookupError(pointer)
    for token in tokens[1:]:
        key = token.replace("~1", "/").replace("~0", "~")
        if isinstance(node, list) and key.isascii() and key.isdigit():
            node = node[int(key)]
        else:
            node = entries(node)[key]
    return node


def _escaped(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")


def _resolved(
    root: Mapping[str, Any], node: object, pointer: str = ""
) -> tuple[str, Mapping[str, Any]]:
    """What a node is once its references are followed, and where that stands."""
    followed: set[str] = set()
    while isinstance(to := entries(node).get("$ref"), str) and to not in followed:
        followed.add(to)
        pointer, node = to, _look_up(root, to)
    return pointer, entries(node)


def _from_yaml(text: str) -> Any:
    root = yaml.compose(text, Loader=_YAML_LOADER)
    return None if root is None else _plain(root)


def _plain(node: yaml.Node) -> Any:
    """What a node says, `<<` merged; keys are text, as statuses must be."""
    if isinstance(node, yaml.MappingNode):
        pairs = [(str(key.value), _plain(value)) for key, value in node.value]
        merged = [one for key, value in pairs if key == "<<" for one in (value, *listed(value))]
        found = {key: one for source in reversed(merged) for key, one in entries(source).items()}
        return found | {key: value for key, value in pairs if key != "<<"}
    if isinstance(node, yaml.SequenceNode):
        return [_plain(item) for item in node.value]
    text = str(node.value)
    is_quoted = isinstance(node, yaml.ScalarNode) and node.style
    return text if is_quoted else _YAML_WORDS.get(text.lower(), _number(text))


def _number(text: str) -> Any:
    return json.loads(text) if _YAML_NUMBER.fullmatch(text) else text


def _from_swagger(raw: Mapping[str, Any]) -> dict[str, Any]:
    """The same in OpenAPI 3.0's words; parameters that are shared stand where they are used."""
    old = _renamed(raw)
    old["components"] = {key: entries(old.get(key)) for key in ("parameters", "responses")}
    paths = {}
    for path, raw_item in old["paths"].items():
        item = _resolved(old, raw_item)[1]
        operations = {key: entries(item[key]) for key in METHODS if key in item}
        paths[path] = {key: _operation_3(old, item, one) for key, one in operations.items()}
    return {
        "openapi": "3.0.4",
        "info": old.get("info"),
        "servers": [{"url": old.get("basePath", "")}],
        "security": old.get("security"),
        "paths": paths,
        "components": {
            "schemas": entries(old.get("definitions")),
            "securitySchemes": entries(old.get("securityDefinitions")),
            "parameters": {
                name: _parameter_3(entries(one))
                for name, one in old["components"]["parameters"].items()
                if entries(one).get("in") not in ("body", "formData")
            },
            "responses": {
                name: _response_3(entries(one), listed(old.get("produces")))
                for name, one in old["components"]["responses"].items()
            },
        },
    }


def _renamed(node: Any) -> Any:
    """The same with references to where 3.0 has things, and with 3.0's keywords."""
    if isinstance(node, list):
        return [_renamed(item) for item in node]
    if not isinstance(node, dict):
        return node
    new = {key: _renamed(value) for key, value in node.items()}
    if isinstance(to := node.get("$ref"), str):
        new["$ref"] = next(
            (to.replace(old, moved, 1) for old, moved in _MOVED.items() if to.startswith(old)), to
        )
    if node.get("x-nullable") is True:
        new["nullable"] = True
    if isinstance(node.get("discriminator"), str):
        del new["discriminator"]
    return new


def _operation_3(
    root: Mapping[str, Any], item: Mapping[str, Any], old: Mapping[str, Any]
) -> dict[str, Any]:
    new = {key: old[key] for key in ("deprecated", "security") if key in old}
    parameters = _parameters(root, item, old)
    bodies = [one for one in parameters if one["in"] == "body"]
    fields = [one for one in parameters if one["in"] == "formData"]
    consumed = listed(old.get("consumes", root.get("consumes")))
    if bodies:
        new["requestBody"] = _content_3(bodies[0], consumed or ["application/json"])
    elif fields:
        new["requestBody"] = _form_3(fields, consumed)
    responses = {
        status: _response_3(
            _resolved(root, response)[1], listed(old.get("produces", root.get("produces")))
        )
        for status, response in entries(old.get("responses")).items()
    }
    return new | {
        "parameters": [_parameter_3(one) for one in parameters if one["in"] in set(Place)],
        "responses": responses,
    }


def _parameter_3(old: Mapping[str, Any]) -> dict[str, Any]:
    """What 2.0 writes beside the name is the schema, all but these keys."""
    own = {key: old[key] for key in ("name", "in", "required") if key in old}
    schema = {key: value for key, value in old.items() if key not in own}
    if schema.get("type") == "file":
        schema |= {"type": "string", "format": "binary"}
    if "x-example" in old:
        own["example"] = old["x-example"]
    return own | {"schema": schema}


def _form_3(fields: list[Mapping[str, Any]], consumed: list[Any]) -> dict[str, Any]:
    schema = {
        "type": "object",
        "properties": {str(one.get("name")): _parameter_3(one)["schema"] for one in fields},
        "required": [str(one.get("name")) for one in fields if one.get("required") is True],
    }
    kinds = consumed or ["application/x-www-form-urlencoded"]
    return _content_3({"schema": schema, "required": bool(schema["required"])}, kinds)


def _content_3(old: Mapping[str, Any], kinds: list[Any]) -> dict[str, Any]:
    media = {"schema": old["schema"]} if "schema" in old else {}
    if entries(media.get("schema")).get("type") == "file":
        media = {}
    new: dict[str, Any] = {"content": {str(kind): media for kind in kinds}}
    return new | ({"required": old["required"]} if "required" in old else {})


def _response_3(old: Mapping[str, Any], produced: list[Any]) -> dict[str, Any]:
    """An answer without a schema has no body (Swagger 2.0, Response Object)."""
    new = {key: value for key, value in old.items() if key != "schema"}
    return new | _content_3(old, produced or ["*/*"]) if "schema" in old else new


def _operations(root: Mapping[str, Any]) -> Iterator[Operation]:
    for path, raw in root["paths"].items():
        pointer, item = _resolved(root, raw, f"#/paths/{_escaped(path)}")
        further = entries(item.get("additionalOperations"))
        for method in (*METHODS, *further) if path.startswith("/") else ():
            operation = item[method] if method in item else further.get(method)
            if isinstance(operation, dict):
                parameters = _parameters(root, item, operation)
                yield Operation(
                    method=method.upper(),
                    path=path,
                    parameters=tuple(_parameter(root, one) for one in parameters),
                    body=_body(root, operation.get("requestBody")),
                    answers=dict(_answers(root, operation, f"{pointer}/{method}/responses")),
                    needs_credentials=_needs_credentials(root, operation),
                    is_deprecated=operation.get("deprecated") is True,
                )


def _parameters(
    root: Mapping[str, Any], item: Mapping[str, Any], operation: Mapping[str, Any]
) -> list[Mapping[str, Any]]:
    """Those of the path and of the operation, which wins (OpenAPI 3.1.1, 4.8.10.1)."""
    found = {}
    for raw in (*listed(item.get("parameters")), *listed(operation.get("parameters"))):
        parameter = _resolved(root, raw)[1]
        name, where = str(parameter.get("name")), str(parameter.get("in"))
        if where != "header" or name.lower() not in _NO_PARAMETERS:
            found[name, where] = parameter
    return [one for (_, where), one in found.items() if where in {*Place, "body", "formData"}]


def _parameter(root: Mapping[str, Any], raw: Mapping[str, Any]) -> Parameter:
    content: object = next(iter(entries(raw.get("content")).values()), {})
    schema = raw.get("schema", entries(content).get("schema", True))
    return Parameter(
        name=str(raw.get("name")),
        where=Place(raw["in"]),
        is_required=raw["in"] == Place.PATH or raw.get("required") is True,
        schema=schema,
        examples=tuple(_examples(root, raw, schema)),
    )


def _examples(root: Mapping[str, Any], raw: Mapping[str, Any], schema: Schema) -> Iterator[Any]:
    parts = next(iter(_branches(root, (schema,), within=frozenset())), ())
    written = [
        _resolved(root, one)[1].get("value") for one in entries(raw.get("examples")).values()
    ]
    for value in (
        raw.get("example"),
        *written,
        *(part.get("example") for part in parts),
        *(one for part in parts for one in listed(part.get("examples"))),
        *(part.get(key) for key in ("default", "const") for part in parts),
        *(one for part in parts for one in listed(part.get("enum"))[:1]),
    ):
        if value is not None:
            yield value


def _body(root: Mapping[str, Any], raw: object) -> Body | None:
    body = _resolved(root, raw)[1]
    if not body:
        return None
    return Body(content=_content(root, body), is_required=body.get("required") is True)


def _content(root: Mapping[str, Any], node: Mapping[str, Any]) -> Mapping[str, Schema]:
    found: dict[str, Schema] = {}
    for written, raw in entries(node.get("content")).items():
        kind, schema = media_type(written), _resolved(root, raw)[1].get("schema", True)
        found[kind] = {"anyOf": [found[kind], schema]} if kind in found else schema
    return found


def _answers(
    root: Mapping[str, Any], operation: Mapping[str, Any], pointer: str
) -> Iterator[tuple[str, Answer]]:
    for status, raw in entries(operation.get("responses")).items():
        where, answer = _resolved(root, raw, f"{pointer}/{status}")
        if not status.startswith("x-"):
            headers = entries(answer.get("headers")).items()
            required = [
                name for name, header in headers if _resolved(root, header)[1].get("required")
            ]
            known = status if status == "default" else status.upper()
            yield known, Answer(where, _content(root, answer), tuple(required))


def _needs_credentials(root: Mapping[str, Any], operation: Mapping[str, Any]) -> bool:
    ways = listed(operation.get("security", root.get("security")))
    return bool(ways) and {} not in ways


def _fits(template: str, path: str) -> bool:
    segments, asked = template.split("/"), path.split("/")
    return len(segments) == len(asked) and all(
        _segment(segment).fullmatch(unquote(one))
        for segment, one in zip(segments, asked, strict=True)
    )


@cache
def _segment(template: str) -> re.Pattern[str]:
    pieces = _PARAMETER.split(template)
    return re.compile("".join(".+" if one[:1] == "{" else re.escape(one) for one in pieces))


def _openness(operation: Operation) -> list[int]:
    """The fewer parameters, the earlier; a literal segment wins (OpenAPI 3.1.1, 4.8.8.2)."""
    return [
        0 if "{" not in segment else 2 if _PARAMETER.fullmatch(segment) else 1
        for segment in operation.path.split("/")
    ]


def _branches(
    root: Mapping[str, Any], schemas: Iterable[Schema], *, within: frozenset[int]
) -> list[Branch]:
    choices = [_ways(root, schema, within) for schema in schemas]
    return [
        tuple({id(one): one for way in ways for one in way}.values()) for ways in product(*choices)
    ]


def _ways(root: Mapping[str, Any], schema: Schema, within: frozenset[int]) -> list[Branch]:
    """The branches of one schema; one that is part of itself adds nothing, and has none."""
    if not isinstance(schema, dict):
        return [()]
    if id(schema) in within:
        return []
    inner = within | {id(schema)}
    together = listed(schema.get("allOf"))
    if isinstance(to := schema.get("$ref"), str):
        together = [*together, _look_up(root, to)]
    ways = [(schema, *branch) for branch in _branches(root, together, within=inner)]
    for key in ("anyOf", "oneOf"):
        if alternatives := listed(schema.get(key)):
            chosen = [way for one in alternatives for way in _ways(root, one, inner)]
            ways = [(*way, *more) for way in ways for more in chosen]
    return ways


@cache
def _validator_of(version: str) -> type[Validator]:
    """The library's validator of a version, with what it leaves out.

    A discriminator only hints at an alternative (OpenAPI 3.1.1, 4.8.25); the library follows it
    into endless recursion where a base names its children.
    """
    import jsonschema  # noqa: PLC0415
    import openapi_schema_validator as library  # noqa: PLC0415  # nearly half a second

    known = {"3.0": library.OAS30Validator, "3.1": library.OAS31Validator}
    plain = jsonschema.Draft202012Validator.VALIDATORS
    keywords = {key: plain[key] for key in ("allOf", "anyOf", "oneOf")}
    keywords |= {"pattern": _pattern, "required": _required}
    keywords |= {"type": _type_in_3_0} if version == "3.0" else {}
    extend: Callable[..., type[Validator]] = jsonschema.validators.extend
    return extend(known.get(version, library.OAS32Validator), keywords)


@cache
def _format_checker() -> Any:
    from jsonschema import FormatChecker  # noqa: PLC0415  # see _validator_of

    return FormatChecker([one for one in _FORMATS if one in FormatChecker.checkers])


def _type_in_3_0(
    validator: Any, kind: Any, instance: Any, schema: Any
) -> Iterator[ValidationError]:
    """The library says of a null that may not be twice that it may not."""
    from jsonschema.exceptions import ValidationError  # noqa: PLC0415  # see _validator_of

    is_null = instance is None and schema.get("nullable") is True
    if not is_null and not validator.is_type(instance, kind):
        yield ValidationError(f"{instance!r} is not of type {kind!r}")


def _pattern(_: Any, pattern: Any, instance: Any, __: Any) -> Iterator[ValidationError]:
    """Patterns are ECMAScript's; one that Python doesn't know is not judged."""
    from jsonschema.exceptions import ValidationError  # noqa: PLC0415  # see _validator_of

    try:
        is_found = not isinstance(instance, str) or re.search(pattern, instance)
    except (re.error, TypeError):
        return
    if not is_found:
        yield ValidationError(f"{instance!r} does not match {pattern!r}")


def _required(_: Any, names: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
    """What is only written need not be in an answer (OpenAPI 3.0.4, 4.7.24.2)."""
    from jsonschema.exceptions import ValidationError  # noqa: PLC0415  # see _validator_of

    properties = entries(schema.get("properties"))
    for name in listed(names) if isinstance(instance, dict) else ():
        if name not in instance and not entries(properties.get(name)).get("writeOnly"):
            yield ValidationError(f"{name!r} is a required property")


def _errors(validator: Validator, instance: Any) -> list[str]:
    from jsonschema.exceptions import UnknownType, best_match  # noqa: PLC0415  # see _validator_of

    try:
        found = sorted(validator.iter_errors(instance), key=_relevance)
        causes = [best_match([error]) or error for error in found]
    except RecursionError:
        return ["$: can't be judged: its schema refers to itself without end"]
    except UnknownType as error:
        return [f"$: can't be judged: its schema's type {error.type!r} is none"]
    except _MALFORMED as error:
        said = str(error).partition("\n")[0]
        return [f"$: can't be judged: its schema is none ({_cut(said)})"]
    return list(dict.fromkeys(map(_sentence, causes)))[:ERRORS_TOLD]


def _relevance(error: ValidationError) -> tuple[int, bool]:
    """What is wrong with the whole comes before what is wrong with a part."""
    return len(error.absolute_path), error.validator in {"anyOf", "oneOf"}


def _sentence(error: ValidationError) -> str:
    types = [cause.validator_value for cause in error.context or () if cause.validator == "type"]
    message = error.message.replace(repr(error.instance), _cut(repr(error.instance)))
    if types and len(types) == len(error.context or ()):
        message = f"{_cut(repr(error.instance))} is not of type {' or '.join(map(repr, types))}"
    text = f"{error.json_path}: {message}"
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def _cut(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 3]}..."
