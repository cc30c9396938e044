"""What carries out a workflow's steps as GitHub does."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping
from typing import Any

import yaml

from tests.pipelines.workplace import RELEASE, WORKFLOWS, Workplace


class _Known:
    """What an expression of GitHub may ask for; what isn't there is empty, as there."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values

    def __getattr__(self, name: str) -> Any:
        value = self._values.get(name, {})
        return _Known(value) if isinstance(value, Mapping) else value

    def __bool__(self) -> bool:
        return bool(self._values)

    def __str__(self) -> str:
        return ""


class GitHub:
    """Carries out a workflow as GitHub's runners do: what it runs, and what a few actions do."""

    def __init__(self, file: str, place: Workplace, inputs: Mapping[str, str]) -> None:
        self.workflow = yaml.safe_load((WORKFLOWS / file).read_text(encoding="utf-8"))
        self.place = place
        self.needs: dict[str, dict[str, Any]] = {}
        self.uploaded: dict[str, str] = {}
        self.path = ""
        self.contexts: dict[str, Any] = {
            "inputs": dict(inputs),
            "github": {"server_url": "https://github.test", "repository": "o/r", "run_id": "7"},
            "secrets": {"DEPLOY_TOKEN": "secret"},
            "vars": {},
            "needs": self.needs,
        }

    def run(self) -> dict[str, str]:
        """Carry out all jobs; how each ended."""
        for name, job in self.workflow["jobs"].items():
            needed = job.get("needs", [])
            needed = [needed] if isinstance(needed, str) else needed
            is_well = all(self.needs[one]["result"] == "success" for one in needed)
            if self._is_due(job, is_well=is_well):
                self.needs[name] = self._run_job(job)
            else:
                self.needs[name] = {"result": "skipped", "outputs": {}}
        return {name: job["result"] for name, job in self.needs.items()}

    def _run_job(self, job: dict[str, Any]) -> dict[str, Any]:
        self.place.begin_job()
        self.contexts |= {"steps": {}, "job": {"status": "success"}}
        self.path = ""
        for step in job["steps"]:
            if not self._is_due(step, is_well=self.contexts["job"]["status"] == "success"):
                continue
            if "uses" in step:
                self._use(step)
            elif self._run_step(step):
                self.contexts["job"]["status"] = "failure"
        outputs = {name: self._evaluate(value) for name, value in job.get("outputs", {}).items()}
        return {"result": self.contexts["job"]["status"], "outputs": outputs}

    def _run_step(self, step: dict[str, Any]) -> int:
        """Run a step in the shell, with the files by which it speaks to the runner."""
        output, path = self.place.hall / "output", self.place.hall / "path"
        output.write_text("")
        path.write_text("")
        variables = {**self.workflow["env"], **step.get("env", {})}
        said = {name: str(self._evaluate(value)) for name, value in variables.items()}
        said |= {"GITHUB_OUTPUT": str(output), "GITHUB_PATH": str(path)}
        if self.path:
            said["PATH"] = f"{self.path}{os.pathsep}{os.environ['PATH']}"
        exit_code = self.place.run(step["run"], said, folder=step.get("working-directory", "."))
        self.path = path.read_text().strip() or self.path
        outputs = dict(line.split("=", 1) for line in output.read_text().splitlines())
        self.contexts["steps"][step.get("id", "")] = {"outputs": outputs}
        return exit_code

    def _use(self, step: dict[str, Any]) -> None:
        action = step["uses"].partition("@")[0]
        given = {name: self._evaluate(value) for name, value in step.get("with", {}).items()}
        match action:
            case "actions/checkout":
                if given.get("path") == "platform":
                    assert given.get("ref", RELEASE) == RELEASE
                    self.place.check_out()
            case "actions/upload-artifact":
                self.uploaded[given["name"]] = given["path"]
                self.place.keep(given["name"], self.place.folder / given["path"])
            case "actions/download-artifact":
                # An artifact is what a folder held, without its name.
                kept = self.place.kept[given["name"]] / self.uploaded[given["name"]]
                shutil.copytree(kept, self.place.folder / given["path"])
            case "github/codeql-action/upload-sarif":
                assert (self.place.folder / given["sarif_file"]).exists()
            case _:
                raise AssertionError(f"{action}: say here what it does")

    def _is_due(self, what: dict[str, Any], *, is_well: bool) -> bool:
        condition = what.get("if", "")
        is_named = re.search(r"\b(always|failure|cancelled|success)\(\)", condition)
        return bool(self._evaluate(condition, is_well=is_well)) if is_named else is_well

    def _evaluate(self, text: Any, *, is_well: bool = True) -> Any:
        """What an expression comes to; of a text with several, the text."""
        if not isinstance(text, str) or "${{" not in text:
            return text
        parts = re.split(r"\$\{\{(.*?)\}\}", text.strip(), flags=re.DOTALL)
        values = [
            self._value(part, is_well=is_well) if number % 2 else part
            for number, part in enumerate(parts)
        ]
        is_one = len(values) == 3 and not values[0] + values[2]
        return values[1] if is_one else "".join(map(str, values))

    def _value(self, expression: str, *, is_well: bool) -> Any:
        python = expression.replace("!cancelled()", "True")
        python = python.replace("&&", " and ").replace("||", " or ").replace("\n", " ")
        names: dict[str, Any] = {name: _Known(values) for name, values in self.contexts.items()}
        names |= {
            "always": lambda: True,
            "failure": lambda: not is_well,
            "hashFiles": lambda pattern: "".join(map(str, self.place.folder.glob(pattern))),
        }
        # Texts of this project's own file, whose operators are Python's but for these three.
        return eval(python.strip(), {"__builtins__": {}}, names)  # noqa: S307
