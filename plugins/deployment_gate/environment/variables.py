"""What environment files take from the process environment: `${NAME}`, `${NAME:-default}`."""

import re
from collections.abc import Mapping
from typing import Self

# `$${` stands for a literal `${`; a `${` that nothing closes is malformed and reported.
_REFERENCE = re.compile(
    r"\$(?P<escaped>\$)\{|\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>(?:(?!\$\{)[^}])*))?\}"
    r"|(?P<malformed>\$\{[^}]*\}?)"
)


# Values of such names are kept out of reports wherever they are used, in an address, say.
_SECRETIVE = re.compile(r"TOKEN|SECRET|PASSW|CREDENTIAL|KEY$", re.IGNORECASE)
_WORD_LENGTH = 8


class Substituted(str):
    """Text from variables; messages show it as the file has it, for it may be a secret."""

    __slots__ = ("is_whole", "written")
    written: str
    is_whole: bool

    def __new__(cls, text: str, written: str, *, is_whole: bool) -> Self:
        """Keep the text as it is used beside the text as it is written in the file."""
        self = super().__new__(cls, text)
        self.written = written
        self.is_whole = is_whole
        return self

    def __getnewargs_ex__(self) -> tuple[tuple[str, str], dict[str, bool]]:
        """Let copies and pickles keep both texts."""
        return (str(self), self.written), {"is_whole": self.is_whole}


def as_written(text: object) -> str:
    """Answer how a value stands in the file, in quotes: what a variable holds is never shown."""
    shown = text.written if isinstance(text, Substituted) else str(text)
    return f'"{shown}"'


def is_secretive(name: str) -> bool:
    """Whether a name says that what it names is secret."""
    return _SECRETIVE.search(name) is not None


def secrets_in(
    text: str, variables: Mapping[str, str], *, whatever_its_name: bool = False
) -> set[str]:
    """Answer the secret values that a text takes from variables.

    Args:
        text: The text with its references.
        variables: The process environment.
        whatever_its_name: Whether a value is secret where its variable's name doesn't say so;
            short ones may be ordinary words, and aren't then.
    """
    found = set()
    for reference in _REFERENCE.finditer(text):
        name = reference["name"]
        value = variables.get(name, "") if name else ""
        if value and (is_secretive(name) or (whatever_its_name and len(value) >= _WORD_LENGTH)):
            found.add(value)
    return found


def substitute(text: str, variables: Mapping[str, str]) -> tuple[str, list[str]]:
    """Replace each reference in a text; answer the new text and what is wrong with references."""
    faults: list[str] = []
    parts: list[str] = []
    names, end = 0, 0
    for reference in _REFERENCE.finditer(text):
        parts.append(text[end : reference.start()])
        end = reference.end()
        name = reference["name"]
        if reference["escaped"]:
            parts.append("${")
        elif reference["malformed"]:
            faults.append(
                f"{as_written(reference['malformed'])} is no reference to a variable. "
                "Write ${NAME} or ${NAME:-default}, or $${ for a literal ${"
            )
        elif name in variables or reference["default"] is not None:
            names += 1
            parts.append(variables.get(name, reference["default"]))
        else:
            faults.append(f"the variable {name} isn't set. Set {name} in the process environment")
    new = "".join((*parts, text[end:]))
    if not names:
        return new, faults
    is_whole = _REFERENCE.fullmatch(text) is not None
    return Substituted(new, text, is_whole=is_whole), faults
