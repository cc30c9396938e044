"""What carries out a pipeline's jobs as GitLab does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from tests.pipelines.workplace import PIPELINES, RELEASE, Workplace


class GitLab:
    """Carries out a pipeline as GitLab's runners do."""

    def __init__(self, place: Workplace, variables: Mapping[str, str]) -> None:
        self.jobs = yaml.safe_load((PIPELINES / "gitlab-ci.yml").read_text(encoding="utf-8"))
        self.place = place
        self.given = {
            "CI_PIPELINE_SOURCE": "trigger",
            "CI_JOB_URL": "https://gitlab.test/1",
            **variables,
        }

    def run(self) -> dict[str, str]:
        """Carry out the jobs of all stages, the manual ones too; how each ended."""
        ended: dict[str, str] = {}
        for stage in self.jobs["stages"]:
            for name, job in self.jobs.items():
                if isinstance(job, dict) and job.get("stage") == stage and self._is_due(job):
                    is_well = all(status == "success" for status in ended.values())
                    ended[name] = self._run_job(name, job) if is_well else "skipped"
        return ended

    def _job(self, job: dict[str, Any]) -> dict[str, Any]:
        return {**self.jobs.get(job.get("extends", ""), {}), **job}

    def _is_due(self, job: dict[str, Any]) -> bool:
        for rule in self._job(job)["rules"]:
            is_schedule = self.given["CI_PIPELINE_SOURCE"] == "schedule"
            met = {'$CI_PIPELINE_SOURCE == "schedule"': is_schedule, "$VERSION": True}[rule["if"]]
            if met:
                return bool(rule.get("when") != "never")
        return False

    def _run_job(self, name: str, job: dict[str, Any]) -> str:
        job = self._job(job)
        self.place.begin_job([need["job"] for need in job.get("needs", [])])
        variables = {**self.jobs["variables"], **job.get("variables", {}), **self.given}
        variables["REVISION"] = variables["REVISION"].replace("$VERSION", RELEASE)
        script = "\n".join(_flat([job["before_script"], job["script"]]))
        exit_code = self.place.run(script, variables)
        status = "failed" if exit_code else "success"
        if "after_script" in job:
            after = "\n".join(_flat(job["after_script"]))
            self.place.run(after, {**variables, "CI_JOB_STATUS": status})
        if "artifacts" in job:
            assert job["artifacts"]["when"] == "always"
            for path in job["artifacts"]["paths"]:
                self.place.keep(name, self.place.folder / path)
            junit = job["artifacts"]["reports"]["junit"].replace("$CI_JOB_NAME", name)
            if status == "success":
                assert (self.place.folder / junit).exists()
        return status


def _flat(lines: Any) -> list[str]:
    if isinstance(lines, str):
        return [lines]
    return [line for inner in lines for line in _flat(inner)]
