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
_SECRETIVE = re.compile(r"TOKEN|SECRET|PASSW|CREDENTIAL|(?:API|ACCESS|PRIVATE)_?KEY", re.IGNORECASE)


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


def secrets_in(text: str, variables: Mapping[str, str]) -> set[str]:
    """Answer the values that a text takes from variables whose names say that they are secret."""
    return {
        variables[name]
        for reference in _REFERENCE.finditer(text)
        if (name := reference["name"]) in variables and _SECRETIVE.search(name) and variables[name]
    }


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
