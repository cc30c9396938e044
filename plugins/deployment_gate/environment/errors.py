"""What can be wrong in an environment file, and where it stands."""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches

from deployment_gate.errors import GateError


@dataclass(frozen=True, slots=True)
class Position:
    """A line of a file, counted from 1."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to mend: where it stands, under which key, and what is wrong."""

    position: Position
    path: tuple[str, ...]
    message: str

    def __str__(self) -> str:
        key = f"{'.'.join(self.path)}: " if self.path else ""
        return _on_one_line(f"{self.position}: {key}{self.message}")


class EnvironmentFileError(GateError):
    """The environment can't be used as it is written; each line of the message is one problem."""

    def __init__(self, problems: Iterable[Problem | str]) -> None:
        self.problems = tuple(problems)
        super().__init__(self.problems)

    def __str__(self) -> str:
        return "\n".join(_on_one_line(str(problem)) for problem in self.problems)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Answer " Did you mean ...?" for near matches of a word, or nothing."""
    by_lower = {name.lower(): name for name in known}
    near = [by_lower[match] for match in get_close_matches(word.lower(), by_lower, n=3)]
    return f" Did you mean {' or '.join(near)}?" if near else ""


def _on_one_line(text: str) -> str:
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
