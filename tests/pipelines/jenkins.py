"""What carries out a declarative pipeline's stages as Jenkins does."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.pipelines.workplace import PIPELINES, Workplace

_TOKEN = re.compile(
    r"""//[^\n]* | '''(?P<long>.*?)''' | '(?P<single>[^'\\\n]*)' | "(?P<double>[^"\\\n]*)"
    | (?P<brace>[{}]) | (?P<line>\n) | (?P<other>[^'"{}\n/]+ | /)""",
    re.DOTALL | re.VERBOSE,
)
_STRINGS = {"long", "single", "double"}


@dataclass
class Block:
    """A word with what stands in its braces: lines of code with their texts, and blocks."""

    word: str
    name: str = ""
    blocks: list[Block] = field(default_factory=list)
    lines: list[tuple[str, list[str]]] = field(default_factory=list)

    def of(self, word: str) -> list[Block]:
        """The blocks of that word in it."""
        return [block for block in self.blocks if block.word == word]

    def walk(self) -> Iterator[Block]:
        """It, and all blocks in it."""
        yield self
        for block in self.blocks:
            yield from block.walk()


def read_jenkinsfile(path: Path) -> Block:
    """The blocks of a Jenkinsfile that uses no more of Groovy than ours do.

    Raises:
        ValueError: It uses more, or its braces don't match.
    """
    stack = [Block("")]
    code, texts = "", list[str]()
    for token in _tokens(path):
        if token.lastgroup in _STRINGS:
            code, texts = f"{code}''", [*texts, token[token.lastgroup]]
        elif token["other"]:
            code += token["other"]
        elif token["brace"] == "{":
            word = re.match(r"\s*(\w+)", code)
            stack.append(Block(word[1] if word else "", texts[0] if texts else ""))
            code, texts = "", []
        else:
            if code.strip():
                stack[-1].lines.append((code.strip(), texts))
            code, texts = "", []
            if token["brace"]:
                closed = stack.pop()
                if not stack:
                    raise ValueError(f"{path}: a brace is closed that was not opened")
                stack[-1].blocks.append(closed)
    if len(stack) > 1:
        raise ValueError(f"{path}: {stack[-1].word} is not closed")
    return stack[0]


def _tokens(path: Path) -> Iterator[re.Match[str]]:
    text, at = path.read_text(encoding="utf-8"), 0
    while at < len(text):
        token = _TOKEN.match(text, at)
        if token is None:
            raise ValueError(f"{path}: not understood: {text[at : at + 40]!r}")
        at = token.end()
        if token.lastgroup:  # no comment
            yield token


class Jenkins:
    """Carries out a declarative pipeline's shell steps as Jenkins does: by `sh -xe` each."""

    def __init__(self, file: str, place: Workplace, parameters: Mapping[str, str]) -> None:
        (self.pipeline,) = read_jenkinsfile(PIPELINES / file).blocks
        self.place = place
        self.variables = {
            "BUILD_URL": "https://jenkins.test/1",
            **self._environment(self.pipeline),
            **parameters,
        }
        self.ended: dict[str, str] = {}

    def run(self) -> dict[str, str]:
        """Carry out all stages; how each ended."""
        (stages,) = self.pipeline.of("stages")
        self._run_stages(stages, self.variables)
        return self.ended

    def _environment(self, block: Block) -> dict[str, str]:
        found = {}
        for environment in block.of("environment"):
            for code, texts in environment.lines:
                name = code.partition("=")[0].strip()
                found[name] = "secret" if "credentials(" in code else texts[0]
        return found

    def _run_stages(self, stages: Block, variables: Mapping[str, str]) -> bool:
        is_well = True
        for stage in stages.of("stage"):
            is_due = is_well and self._is_due(stage)
            self.ended[stage.name] = "skipped"
            if is_due:
                is_well = self._run_stage(stage, {**variables, **self._environment(stage)})
                self.ended[stage.name] = "success" if is_well else "failed"
        return is_well

    def _run_stage(self, stage: Block, variables: Mapping[str, str]) -> bool:
        inner, steps = stage.of("stages"), stage.of("steps")
        is_well = (
            self._run_stages(inner[0], variables) if inner else self._steps(steps[0], variables)
        )
        for post in stage.of("post"):
            for case in post.blocks:
                if case.word == "always" or (case.word == "unsuccessful" and not is_well):
                    self._steps(case, variables)
        return is_well

    def _steps(self, steps: Block, variables: Mapping[str, str]) -> bool:
        for code, texts in [
            *steps.lines,
            *(line for one in steps.of("script") for line in one.lines),
        ]:
            match code.replace("''", "").split():
                case ["sh"]:
                    if self._sh(texts[0], variables):
                        return False
                case ["env.GATE", "=", "sh(returnStatus:", "true,", "script:", ")"]:
                    self.variables["GATE"] = str(self._sh(texts[0], variables))
                case ["error"]:
                    return False
                case ["echo"] | ["junit" | "archiveArtifacts", *_]:
                    pass
                case words:
                    raise AssertionError(f"{words}: say here what it does")
        return True

    def _sh(self, text: str, variables: Mapping[str, str]) -> int:
        # The gate's exit code is a variable of all stages from where it is set on.
        known = {name: self.variables[name] for name in ("GATE",) if name in self.variables}
        return self.place.run(text, {**variables, **known}, by=("sh", "-xe"))

    def _is_due(self, stage: Block) -> bool:
        for when in stage.of("when"):
            (code, (name, value)), is_wanted = (
                (when.of("not")[0].lines[0], False) if when.of("not") else (when.lines[0], True)
            )
            assert code == "environment name: '', value: ''"
            return (self.variables.get(name) == value) is is_wanted
        return True
