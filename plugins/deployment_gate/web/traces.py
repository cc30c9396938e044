"""Takes the secrets out of Playwright's traces, before they come near a report.

What a trace is, as Playwright 1.65 writes it: lines of JSON (`*.trace`: actions, logs, snapshots
of the page as nested lists; `*.network`: HAR entries), the bodies of requests and answers under
`resources/`, named by the hash of their content, and pictures under `screencast/`.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

from playwright.sync_api import BrowserContext

from deployment_gate.errors import GateError
from deployment_gate.evidence.redaction import REDACTED, Redactor
from deployment_gate.probes.secrecy import names_a_secret
from deployment_gate.web.secrecy import (
    SHORTEST,
    is_credential_header,
    is_credential_parameter,
    secrets_in_body,
    secrets_in_request,
)

_LARGEST = 32 * 1024 * 1024
"""Bytes of an entry, or of a line of one, that is read; no more is kept."""

_BLANK = bytes.fromhex("47494638396101000100800000d0d0d0000000 2c00000000010001000002024401003b")
"""One grey dot as GIF, in place of a picture that may show a secret."""

# Images and fonts, by how they begin. What else isn't text is not kept: it may be compressed.
_PICTURES = re.compile(
    rb"\x89PNG|\xff\xd8\xff|GIF8|RIFF....WEBP|....ftypavif|\x00\x00\x01\x00|wOFF|wOF2|OTTO|\x00\x01\x00\x00|true",
    re.DOTALL,
)

_OWN_WORDS = {"type", "callId", "parentId", "phase", "class", "method", "pageId", "frameId"}
"""What Playwright itself says of an event. All else may come from the page or the check."""

_TYPING = re.compile(r"\b(fill|type|press|insertText)\((.*)\)", re.DOTALL)
_PASSWORD_FIELD = re.compile(r"<input\b[^>]*\btype=[\"']?password", re.IGNORECASE)
_PASSWORD_NAME = re.compile(r"passw|pwd|otp|secret", re.IGNORECASE)
_KEY = re.compile(r"(?:\w+\+)*.")

_VALUE_OF_FIELD = re.compile(
    r"(\b(?:value|content)=)(\"[^\"]*\"|'[^']*'|[^\s>\"']+)", re.IGNORECASE
)
_FIELD = re.compile(r"<(?:input|meta)\b[^>]*>", re.IGNORECASE)
_NAME_OF_FIELD = re.compile(r"\bname=[\"']?([\w.:\[\]-]+)", re.IGNORECASE)
_PARAMETER = re.compile(r"((?:^|[?&#])([\w.\[\]-]{1,64})=)([^&#\s\"'<>\\]+)")
_PART = re.compile(
    r"(;\s*name=\"([^\"]*)\"[^\r\n]*\r\n(?:[^\r\n]+\r\n)*\r\n)(.*?)(?=\r\n--)", re.DOTALL
)

_UNSEEN_TAGS = {"SCRIPT", "STYLE", "HEAD", "TITLE", "TEMPLATE", "NOSCRIPT"}
_SEEN_ATTRIBUTES = {"__playwright_value_", "value", "placeholder"}


class TraceError(GateError):
    """A trace could not be cleaned, and is gone."""


def save_trace(context: BrowserContext, path: Path, redact: Callable[[str], str]) -> None:
    """Stop tracing, and leave a trace without secrets at `path`.

    The trace as Playwright writes it goes to a private folder of the system's temporary ones: it
    is never where reports are.

    Raises:
        TraceError: It can't be cleaned. There is none, then.
    """
    with tempfile.TemporaryDirectory(prefix="trace-") as folder:
        raw = Path(folder, "trace.zip")
        context.tracing.stop(path=raw)
        _clean(raw, path, redact)


def redact_trace(path: Path, redact: Callable[[str], str]) -> None:
    """Take every secret out of a trace, in place.

    Whatever ends this early, the trace is gone then: its name is removed before the first byte
    is read, and it gets one again when all is done.

    Args:
        path: The trace.
        redact: Takes known secrets out of a text. What the trace itself shows to be a secret
            (passwords that were typed, credentials in headers) goes too.

    Raises:
        TraceError: It can't be cleaned. It has been removed.
    """
    _clean(path, path, redact)


def _clean(raw: Path, path: Path, redact: Callable[[str], str]) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with raw.open("rb") as file:
            raw.unlink()
            with (
                zipfile.ZipFile(file) as trace,
                zipfile.ZipFile(temporary, "w", compression=zipfile.ZIP_DEFLATED) as cleaned,
            ):
                _Cleaning(trace, cleaned, redact).run()
        temporary.replace(path)
    except Exception as error:  # noqa: BLE001  # whatever it is, no trace may stay
        with contextlib.suppress(OSError):
            raw.unlink(missing_ok=True)
        # Without its cause: that one's message and variables may hold what is to be hidden.
        raise TraceError(
            f"the browser's trace {path.name} could not be freed of secrets "
            f"({type(error).__name__}), so it has been removed. The check's other evidence is "
            "complete; run the check again for a trace"
        ) from None
    finally:
        temporary.unlink(missing_ok=True)


class _Cleaning:
    """One trace on its way from one archive to another."""

    def __init__(
        self, trace: zipfile.ZipFile, cleaned: zipfile.ZipFile, redact: Callable[[str], str]
    ) -> None:
        self._trace = trace
        self._cleaned = cleaned
        self._known = redact
        self._learned: set[str] = set()
        self._own = Redactor()
        self._secret_calls: set[str] = set()
        self._names: dict[str, str] = {}
        self._written: set[str] = set()
        self._exposed_pages: set[str] = set()
        self._page = ""

    def run(self) -> None:
        """Learn what is secret, then bodies, then lines that name them, then pictures."""
        entries = [entry for entry in self._trace.infolist() if not entry.is_dir()]
        lines = [e for e in entries if e.filename.endswith((".trace", ".network", ".stacks"))]
        pictures = [e for e in entries if e.filename.startswith("screencast/")]
        bodies = [e for e in entries if e not in lines and e not in pictures]
        if not lines:
            raise ValueError("this is no trace")
        self._learn_all(lines, bodies)
        for entry in bodies:
            self._write_body(entry)
        for entry in lines:
            self._write_lines(entry)
        for entry in pictures:
            self._write_picture(entry)

    # What the trace itself shows to be a secret.

    def _learn_all(self, lines: list[zipfile.ZipInfo], bodies: list[zipfile.ZipInfo]) -> None:
        typed: dict[str, list[str]] = {}
        for entry in lines:
            for event in self._events(entry):
                match event.get("type"):
                    case "frame-snapshot":
                        self._learn_from_snapshot(event["snapshot"])
                    case "resource-snapshot":
                        self._learn_from_exchange(event["snapshot"])
                    case "before" | "log":
                        self._learn_from_call(event, typed)
        for call in self._secret_calls:
            for text in typed.get(call, []):
                self._learn_secret(text)
        for entry in bodies:
            self._learn_from_body(self._content(entry) or b"")
        self._own = Redactor(text for text in self._learned if self._known(text) != REDACTED)

    def _learn_from_snapshot(self, snapshot: dict[str, Any]) -> None:
        for attributes in _password_fields(snapshot.get("html")):
            if "__playwright_target__" in attributes:
                self._secret_calls.add(str(snapshot.get("callId", "")))
            for name in ("value", "__playwright_value_"):
                self._learn_secret(attributes.get(name, ""))

    def _learn_from_exchange(self, exchange: dict[str, Any]) -> None:
        url = exchange.get("request", {}).get("url", "")
        for side in ("request", "response"):
            headers = exchange.get(side, {}).get("headers", [])
            pairs = [(header["name"], header["value"]) for header in headers]
            for secret in secrets_in_request(url, pairs):
                self._learn_secret(secret)

    def _learn_from_call(self, event: dict[str, Any], typed: dict[str, list[str]]) -> None:
        call = str(event.get("callId", ""))
        parameters = event.get("params")
        if isinstance(parameters, dict):
            texts = [parameters.get("value"), parameters.get("text")]
            typed[call] = [text for text in texts if isinstance(text, str)]
            if _PASSWORD_NAME.search(str(parameters.get("selector", ""))):
                self._secret_calls.add(call)
        elif _PASSWORD_FIELD.search(str(event.get("message", ""))):
            self._secret_calls.add(call)

    def _learn_from_body(self, content: bytes) -> None:
        with contextlib.suppress(UnicodeDecodeError):
            text = content.decode()
            for secret in secrets_in_body(text):
                self._learn_secret(secret)
            for field in filter(_is_secret_field, _FIELD.findall(text)):
                for _, value in _VALUE_OF_FIELD.findall(field):
                    self._learn_secret(value.strip("\"'"))

    def _learn_secret(self, secret: str) -> None:
        if len(secret) >= SHORTEST:
            self._learned.add(secret)

    # What is written.

    def _redact(self, text: str) -> str:
        if len(text) < SHORTEST and not text.strip():
            return text
        return _PARAMETER.sub(_without_value, self._known(self._own.redact(text)))

    def _write_body(self, entry: zipfile.ZipInfo) -> None:
        """The body without secrets, by the hash of what it is now.

        The old name is the hash of what it was: of a password alone, maybe, which is soon found
        by that.
        """
        content = self._content(entry)
        cleaned = b"" if content is None else self._clean_body(content)
        name = entry.filename
        if cleaned != content:
            digest = hashlib.sha1(cleaned, usedforsecurity=False).hexdigest()
            name = str(Path(name).with_name(digest + Path(name).suffix))
            self._names[entry.filename] = name
            self._names[Path(entry.filename).name] = Path(name).name
        self._write(name, cleaned)

    def _clean_body(self, content: bytes) -> bytes:
        try:
            text = content.decode()
        except UnicodeDecodeError:
            text = "\0"
        if "\0" in text:
            return content if self._is_harmless(content) else b""
        return self._text(text).encode(errors="replace")

    def _text(self, text: str) -> str:
        """A text of any kind: JSON, a form, parts of one, HTML."""
        if text.lstrip()[:1] in {"{", "["}:
            with contextlib.suppress(ValueError, RecursionError):
                body = json.loads(text)
                cleaned = self._value(body)
                # Of a name that is there twice, only the last value has been looked at.
                whole = cleaned == body and self._redact(text) == text
                return text if whole else json.dumps(cleaned)
        text = _PART.sub(_without_value, text)
        text = _FIELD.sub(_without_held, text)
        return self._redact(text)

    def _is_harmless(self, content: bytes) -> bool:
        if not _PICTURES.match(content):
            return False
        readings = (content.decode("latin-1"), content.decode(errors="replace"))
        return all(self._redact(reading) == reading for reading in readings)

    def _write_lines(self, entry: zipfile.ZipInfo) -> None:
        with self._cleaned.open(_fresh(entry.filename), "w", force_zip64=True) as file:
            for event in self._events(entry):
                self._page = str(event.get("snapshot", event).get("pageId", ""))
                line = self._event(event)
                file.write(json.dumps(line, separators=(",", ":")).encode() + b"\n")

    def _write_picture(self, entry: zipfile.ZipInfo) -> None:
        pages = tuple(f"screencast/{page}-" for page in self._exposed_pages)
        content = self._content(entry)
        shows = content is None or entry.filename.startswith(pages)
        self._write(entry.filename, _BLANK if content is None or shows else content)

    def _write(self, name: str, content: bytes) -> None:
        if name not in self._written:
            self._written.add(name)
            self._cleaned.writestr(_fresh(name), content)

    def _event(self, event: dict[str, Any]) -> dict[str, Any]:
        cleaned = {}
        secret_call = event.get("callId") in self._secret_calls
        for key, value in event.items():
            if key in _OWN_WORDS or isinstance(value, int | float):
                cleaned[key] = value
            elif key == "snapshot" and event.get("type") == "frame-snapshot":
                cleaned[key] = self._snapshot(value)
            elif key == "params" and isinstance(value, dict):
                cleaned[key] = self._value(_without_typed(value, event, secret_call))
            elif key == "message" and isinstance(value, str):
                cleaned[key] = self._log(value, secret_call=secret_call)
            else:
                cleaned[key] = self._value(value)
        return cleaned

    def _snapshot(self, snapshot: dict[str, Any]) -> dict[str, Any]:
        cleaned = {}
        for key, value in snapshot.items():
            if key == "html":
                cleaned[key] = self._node(value, seen=True)
            elif key in _OWN_WORDS or isinstance(value, int | float) or key == "viewport":
                cleaned[key] = value
            else:
                cleaned[key] = self._value(value)
        return cleaned

    def _log(self, message: str, *, secret_call: bool) -> str:
        if secret_call or _KEY.fullmatch(_typed_in(message)):
            message = _TYPING.sub(rf"\g<1>({REDACTED})", message)
        # Playwright cuts with a character of its own what a redactor knows by three dots.
        return self._redact(message.replace("…", "..."))

    def _node(self, node: Any, *, seen: bool) -> Any:
        """A node of a snapshot: a text, a reference to an earlier one, or name, attributes, nodes.

        Others refer to it by its number, so all stay where they are.
        """
        if isinstance(node, str):
            return self._shown(node, seen=seen)
        if not isinstance(node, list) or not node or not isinstance(node[0], str):
            return node
        name, *rest = node
        cleaned: list[Any] = [name]
        seen = seen and name.upper() not in _UNSEEN_TAGS
        if rest and isinstance(rest[0], dict):
            cleaned.append(self._attributes(name, rest.pop(0), seen=seen))
        children = [self._node(child, seen=seen) for child in rest]
        # A text may be in several pieces.
        texts = [number for number, child in enumerate(children) if isinstance(child, str)]
        whole = "".join(children[number] for number in texts)
        if len(texts) > 1 and self._redact(whole) != whole:
            for number in texts:
                children[number] = ""
            children[texts[0]] = self._shown(whole, seen=seen)
        return cleaned + children

    def _attributes(self, name: str, attributes: dict[str, Any], *, seen: bool) -> dict[str, Any]:
        secret = name.upper() == "INPUT" and _is_password_field(attributes)
        hidden = secret or str(attributes.get("type", "")).lower() == "hidden"
        cleaned = {}
        for key, value in attributes.items():
            if secret and key in {"value", "__playwright_value_"}:
                cleaned[key] = value and REDACTED
            elif isinstance(value, str):
                visible = seen and not hidden and key in _SEEN_ATTRIBUTES
                cleaned[self._redact(key)] = self._shown(
                    self._names.get(value, value), seen=visible
                )
            else:
                cleaned[self._redact(key)] = value
        if str(attributes.get("name", "")) and names_a_secret(str(attributes["name"])):
            for key in cleaned.keys() & {"value", "content", "__playwright_value_"}:
                cleaned[key] = cleaned[key] and REDACTED
        return cleaned

    def _shown(self, text: str, *, seen: bool) -> str:
        cleaned = self._redact(text)
        if seen and cleaned != text:
            self._exposed_pages.add(self._page)
        return cleaned

    def _value(self, value: Any, name: str = "") -> Any:
        """Any other value: what is called a secret goes whole, all else as far as it is known."""
        if isinstance(value, str):
            if value in self._names:
                return self._names[value]
            return REDACTED if value and names_a_secret(name) else self._text(value)
        if isinstance(value, list):
            return [self._value(item, "value" if name == "cookies" else name) for item in value]
        if isinstance(value, dict):
            return self._mapping(value, of_cookie=name == "cookies")
        if isinstance(value, bool) or value is None:
            return value
        return 0 if names_a_secret(name) or self._redact(str(value)) != str(value) else value

    def _mapping(self, mapping: dict[str, Any], *, of_cookie: bool) -> dict[str, Any]:
        cleaned = {self._redact(key): self._value(item, key) for key, item in mapping.items()}
        key = mapping.get("k")
        if isinstance(key, str) and names_a_secret(key):
            # A member of an object that is handed to a script.
            cleaned["v"] = {"s": REDACTED}
        named = mapping.get("name")
        if isinstance(named, str) and isinstance(mapping.get("value"), str):
            is_cookie = of_cookie or named.lower() in {"cookie", "set-cookie"}
            is_secret = is_credential_header(named) or is_credential_parameter(named)
            if mapping["value"] and (is_cookie or is_secret):
                cleaned["value"] = REDACTED
        return cleaned

    # How the archive is read.

    def _content(self, entry: zipfile.ZipInfo) -> bytes | None:
        """An entry; nothing of one that is too large to be looked through."""
        if entry.file_size > _LARGEST:
            return None
        return self._trace.read(entry)

    def _events(self, entry: zipfile.ZipInfo) -> Iterator[dict[str, Any]]:
        with self._trace.open(entry) as file:
            for line in _lines(file):
                if line.strip():
                    event = json.loads(line)
                    if not isinstance(event, dict):
                        raise TypeError("a line is no event")
                    yield event


def _lines(file: IO[bytes]) -> Iterator[bytes]:
    while line := file.readline(_LARGEST + 1):
        if len(line) > _LARGEST:
            raise ValueError("a line is too long")
        yield line


def _fresh(name: str) -> zipfile.ZipInfo:
    """An entry of this name, without what the archive says of it beside."""
    entry = zipfile.ZipInfo(name)
    entry.compress_type = zipfile.ZIP_DEFLATED
    return entry


def _password_fields(node: Any) -> Iterator[dict[str, Any]]:
    """The attributes of each field for a password in a snapshot."""
    if isinstance(node, list) and node and isinstance(node[0], str):
        for part in node[1:]:
            if not isinstance(part, dict):
                yield from _password_fields(part)
            elif node[0].upper() == "INPUT" and _is_password_field(part):
                yield part


def _is_password_field(attributes: dict[str, Any]) -> bool:
    completion = str(attributes.get("autocomplete", "")).lower()
    kind = str(attributes.get("type", "")).lower()
    return kind == "password" or completion.endswith(("-password", "one-time-code"))


def _without_typed(
    parameters: dict[str, Any],
    event: dict[str, Any],
    secret_call: bool,  # noqa: FBT001
) -> dict[str, Any]:
    """An action's parameters without what it types where nobody may see it.

    Where keys go that are pressed one by one is not recorded, so they are always left out.
    """
    by_keyboard = str(event.get("method", "")).startswith("keyboard")
    cleaned = dict(parameters)
    for name in ("value", "text"):
        if isinstance(cleaned.get(name), str) and (secret_call or by_keyboard):
            cleaned[name] = REDACTED
    if isinstance(cleaned.get("key"), str) and _KEY.fullmatch(cleaned["key"]):
        cleaned["key"] = REDACTED
    return cleaned


def _typed_in(message: str) -> str:
    found = _TYPING.search(message)
    return found[2].strip('"') if found else ""


def _without_value(match: re.Match[str]) -> str:
    before, name, value = match.group(1, 2, 3)
    return before + REDACTED if value and is_credential_parameter(name) else match[0]


def _is_secret_field(field: str) -> bool:
    name = _NAME_OF_FIELD.search(field)
    return bool(_PASSWORD_FIELD.match(field)) or bool(name and names_a_secret(name[1]))


def _without_held(match: re.Match[str]) -> str:
    if not _is_secret_field(match[0]):
        return match[0]
    return _VALUE_OF_FIELD.sub(rf'\g<1>"{REDACTED}"', match[0])
