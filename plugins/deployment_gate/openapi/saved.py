"""Saved documents: files of JSON or YAML, read as JSON has it."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import yaml

from deployment_gate.openapi.document import SUPPORTED, Document, DocumentError
from deployment_gate.openapi.tree import entries, listed

if TYPE_CHECKING:
    from pathlib import Path


_YAML_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
# OpenAPI 3.1.1, 4.4: of YAML's scalars only those that JSON has; so a date is text.
_YAML_WORDS = {"true": True, "false": False, "null": None, "~": None, "": None}
_YAML_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,300})(\.[0-9]+)?([eE][-+]?[0-9]{1,3})?")


def read_document(path: Path) -> Document:
    """Read a saved document, JSON or YAML.

    Raises:
        DocumentError: The file can't be read, or is no OpenAPI document.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise DocumentError(
            f"{path} can't be read: {error.strerror}. Name a file that has {SUPPORTED}"
        ) from error
    except UnicodeDecodeError as error:
        raise DocumentError(f"{path} isn't UTF-8 (byte {error.start}). Save it as UTF-8") from error
    try:
        raw = json.loads(text) if path.suffix == ".json" else _from_yaml(text)
    except (ValueError, yaml.YAMLError) as error:
        kind = "JSON" if path.suffix == ".json" else "YAML"
        said = " ".join(str(error).split())
        raise DocumentError(f"{path} isn't {kind}: {said}. Save {SUPPORTED} there") from error
    except RecursionError as error:
        raise DocumentError(f"{path} is nested too deeply, or in itself. Mend it") from error
    return Document.parse(raw, origin=str(path))


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
