"""Whether a value fits a schema of a document, and what keeps it from that."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from deployment_gate.openapi.schemas import Schema
from deployment_gate.openapi.tree import entries, listed, look_up

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError
    from jsonschema.protocols import Validator


_TOLD = 5
_SHOWN = 120
_LONGEST = 300
_URI = "urn:deployment-gate:document"
_FORMATS = ("date", "date-time", "email", "uri", "uuid")
# Schemas that no validator can make sense of: of an unknown type, or of no right form.
_MALFORMED = (TypeError, AttributeError, ValueError)


def schema_errors(
    root: Mapping[str, Any], schema: Schema | str, instance: Any, *, origin: str
) -> list[str]:
    """Answer what keeps a value from fitting a schema, a sentence each, the first five.

    Args:
        root: The document, which the schema's references are looked up in.
        schema: The schema, or where the document has it: `#/components/schemas/Policy`.
        instance: The value, from JSON.
        origin: Where the document comes from, for messages.
    """
    import referencing  # noqa: PLC0415  # see _validator_of

    if isinstance(schema, str):
        try:
            schema = look_up(root, schema)
        except LookupError:
            return [f"{origin} has no {schema}"]
    # Where a schema stands alone, its references would be looked up in itself.
    whole = referencing.Resource.opaque({**root, "x-asked": schema})
    validator = _validator_of(str(root["openapi"])[:3])(
        {"$ref": f"{_URI}#/x-asked"},
        registry=referencing.Registry().with_resource(_URI, whole),
        format_checker=_format_checker(),
    )
    try:
        return _errors(validator, instance)
    except referencing.exceptions.Unresolvable as error:
        return [f"{origin} has no {error.ref}"]


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
    return list(dict.fromkeys(map(_sentence, causes)))[:_TOLD]


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
