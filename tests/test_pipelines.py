"""The pipelines are what their CI systems take, and their steps do what they are there for."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.pipelines.github import GitHub
from tests.pipelines.gitlab import GitLab
from tests.pipelines.jenkins import Jenkins, read_jenkinsfile
from tests.pipelines.workplace import (
    BEFORE,
    PIPELINES,
    RELEASE,
    WORKFLOWS,
    Workplace,
    workplace,
)

CHECK_JSONSCHEMA = Path(sys.executable).with_name("check-jsonschema")
GITHUB = sorted(WORKFLOWS.glob("*.yml"))
JENKINSFILES = sorted(PIPELINES.glob("Jenkinsfile*"))

STAGES = ["quality", "tests", f"build {RELEASE}", f"deploy staging {RELEASE}"]
PROMOTED = [*STAGES, f"deploy production {RELEASE}"]
PAGE = "page production"
BACK = ["rollback --environment production", f"deploy production {BEFORE}"]


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Workplace]:
    """Where a pipeline runs, with a platform that it deploys."""
    with workplace(tmp_path) as place:
        yield place


def run_github(place: Workplace) -> dict[str, str]:
    return GitHub("deploy.yml", place, {"version": RELEASE}).run()


def run_gitlab(place: Workplace) -> dict[str, str]:
    return GitLab(place, {"VERSION": RELEASE, "PLATFORM": str(place.repository)}).run()


def run_jenkins(place: Workplace) -> dict[str, str]:
    parameters = {"VERSION": RELEASE, "REVISION": "", "PLATFORM": str(place.repository)}
    return Jenkins("Jenkinsfile", place, parameters).run()


def run_github_nightly(place: Workplace) -> dict[str, str]:
    return GitHub("nightly.yml", place, {}).run()


def run_gitlab_nightly(place: Workplace) -> dict[str, str]:
    given = {"CI_PIPELINE_SOURCE": "schedule", "PLATFORM": str(place.repository)}
    return GitLab(place, given).run()


def run_jenkins_nightly(place: Workplace) -> dict[str, str]:
    return Jenkins("Jenkinsfile.nightly", place, {"PLATFORM": str(place.repository)}).run()


each_system = pytest.mark.parametrize("run", [run_github, run_gitlab, run_jenkins])
each_night = pytest.mark.parametrize(
    "run", [run_github_nightly, run_gitlab_nightly, run_jenkins_nightly]
)
Run = Callable[[Workplace], dict[str, str]]


@each_system
def test_a_healthy_release_reaches_production(run: Run, place: Workplace) -> None:
    place.serve("production")
    ended = run(place)
    assert place.did == PROMOTED
    assert set(ended.values()) <= {"success", "skipped"}

    assert place.run_again("deployment-gate verify", VERSION="1.6.0") == 1
    assert f"validated release {RELEASE}, not 1.6.0" in place.output
    assert place.did == PROMOTED


@each_system
def test_a_broken_release_is_rolled_back_and_told(run: Run, place: Workplace) -> None:
    place.pretend_staging()
    place.serve("production")
    place.break_release("production", "database-down")
    ended = run(place)
    assert place.did == [*PROMOTED, *BACK, PAGE]
    assert {"failed", "failure"} & set(ended.values())


def test_what_holds_in_production_is_told_and_not_rolled_back(place: Workplace) -> None:
    place.pretend_staging()
    place.serve("production")
    place.break_release("production", "latin-search")
    ended = run_github(place)
    assert place.did == [*PROMOTED, PAGE]
    assert {"failed", "failure"} & set(ended.values())


def test_what_holds_in_staging_never_reaches_production(place: Workplace) -> None:
    place.break_release("staging", "stale-release")
    ended = run_github(place)
    assert place.did == STAGES
    assert (ended["staging"], ended["production"]) == ("failure", "skipped")


@each_system
@pytest.mark.parametrize(
    ("codes", "done"),
    [
        ({}, PROMOTED),
        ({"before": 1}, PROMOTED),
        ({"before": 10}, PROMOTED),
        ({"before": 4}, [*STAGES, PAGE]),
        ({"production": 3}, [*PROMOTED, PAGE]),
        ({"staging": 10}, STAGES),
    ],
    ids=lambda value: (
        "-".join(f"{name}-{code}" for name, code in value.items()) or "well"
        if isinstance(value, dict)
        else ""
    ),
)
def test_each_exit_code_of_the_gate_leads_somewhere(
    codes: dict[str, int], done: list[str], run: Run, place: Workplace
) -> None:
    place.pretend(codes)
    place.write_deploys("")
    run(place)
    assert place.did == done


@pytest.mark.parametrize("run", [run_github, run_gitlab])
def test_the_reports_are_kept_also_when_they_are_red(run: Run, place: Workplace) -> None:
    place.pretend({"before": 1, "production": 1})
    place.write_deploys("")
    run(place)
    kept = {path.parent.name for path in place.hall.glob("kept-*/reports/*/junit.xml")}
    assert kept == {"staging", "before", "production"}


@each_system
def test_a_deploy_that_fails_is_told_and_not_rolled_back(run: Run, place: Workplace) -> None:
    place.pretend({"production": 10})
    place.write_deploys('test "$1" = staging')
    run(place)
    assert place.did == [*PROMOTED, PAGE]


@each_system
def test_a_rollback_that_fails_is_told(run: Run, place: Workplace) -> None:
    place.pretend({"production": 10})
    place.write_deploys(f'test "$2" = {RELEASE}')
    run(place)
    assert place.did[: len(PROMOTED) + 2] == [*PROMOTED, *BACK]
    assert set(place.did[len(PROMOTED) + 2 :]) == {PAGE}


@each_system
def test_a_rollback_that_does_not_help_is_told(run: Run, place: Workplace) -> None:
    place.pretend({"production": 10, "rolled-back": 1})
    place.write_deploys("")
    run(place)
    assert place.did[: len(PROMOTED) + 2] == [*PROMOTED, *BACK]
    assert set(place.did[len(PROMOTED) + 2 :]) == {PAGE}


@each_night
@pytest.mark.parametrize(("code", "done"), [(0, []), (1, ["page staging"])])
def test_only_what_is_unwell_at_night_is_told(
    code: int, done: list[str], run: Run, place: Workplace
) -> None:
    place.pretend({"staging": code})
    run(place)
    assert place.did == done


def test_the_nightly_validation_looks_at_what_runs(place: Workplace) -> None:
    place.options = "-m smoke"  # the full tier takes minutes
    place.serve("staging")
    assert run_github_nightly(place) == {"validate": "success"}
    assert place.kept["reports-staging"].exists()


def fits(schema: str, *files: Path, transform: str = "") -> subprocess.CompletedProcess[str]:
    """Hold files against a schema that check-jsonschema brings along."""
    how = ["--data-transform", transform] if transform else []
    return subprocess.run(
        [CHECK_JSONSCHEMA, "--builtin-schema", schema, *how, *files],
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_workflows_fit_the_schema_of_github() -> None:
    done = fits("vendor.github-workflows", *GITHUB)
    assert done.returncode == 0, done.stdout


def test_the_pipeline_fits_the_schema_of_gitlab() -> None:
    done = fits("vendor.gitlab-ci", PIPELINES / "gitlab-ci.yml", transform="gitlab-ci")
    assert done.returncode == 0, done.stdout


def test_the_schemas_find_what_is_misspelt(tmp_path: Path) -> None:
    github, gitlab = tmp_path / "deploy.yml", tmp_path / "gitlab-ci.yml"
    text = (WORKFLOWS / "deploy.yml").read_text(encoding="utf-8")
    github.write_text(text.replace("timeout-minutes", "timeout-minuts", 1))
    text = (PIPELINES / "gitlab-ci.yml").read_text(encoding="utf-8")
    gitlab.write_text(text.replace("when: always", "when: evermore", 1))

    assert "timeout-minuts" in fits("vendor.github-workflows", github).stdout
    assert "evermore" in fits("vendor.gitlab-ci", gitlab, transform="gitlab-ci").stdout


def steps_of(workflow: Path) -> list[dict[str, Any]]:
    """All steps of a workflow."""
    jobs = yaml.safe_load(workflow.read_text(encoding="utf-8"))["jobs"]
    return [step for job in jobs.values() for step in job["steps"]]


each_workflow = pytest.mark.parametrize("workflow", GITHUB, ids=lambda path: path.stem)


@each_workflow
def test_every_action_is_pinned_to_a_commit_and_says_which_version(workflow: Path) -> None:
    used = re.findall(r"uses: (.*)", workflow.read_text(encoding="utf-8"))
    assert used
    loose = [one for one in used if not re.fullmatch(r"[\w./-]+@[0-9a-f]{40} # v[0-9.]+", one)]
    assert loose == []


@each_workflow
def test_a_workflow_may_do_no_more_than_it_needs(workflow: Path) -> None:
    told = yaml.safe_load(workflow.read_text(encoding="utf-8"))
    assert told["permissions"] == {"contents": "read"}
    granted = [job["permissions"] for job in told["jobs"].values() if "permissions" in job]
    written = {name for one in granted for name, right in one.items() if right != "read"}
    assert written <= {"security-events"}
    checkouts = [step for step in steps_of(workflow) if "checkout@" in step.get("uses", "")]
    assert all(step["with"]["persist-credentials"] is False for step in checkouts)


@each_workflow
def test_nothing_from_outside_becomes_a_part_of_a_script(workflow: Path) -> None:
    assert [step["run"] for step in steps_of(workflow) if "${{" in step.get("run", "")] == []


def test_two_deployments_never_overlap() -> None:
    github = yaml.safe_load((WORKFLOWS / "deploy.yml").read_text(encoding="utf-8"))
    assert github["concurrency"] == {"group": "deploy", "cancel-in-progress": False}
    gitlab = yaml.safe_load((PIPELINES / "gitlab-ci.yml").read_text(encoding="utf-8"))
    locks = {name: job.get("resource_group") for name, job in gitlab.items() if "script" in job}
    assert (locks["staging"], locks["production"], locks["nightly"]) == (
        *("staging", "production", "staging"),
    )
    (jenkins,) = read_jenkinsfile(PIPELINES / "Jenkinsfile").blocks
    (options,) = jenkins.of("options")
    assert ("disableConcurrentBuilds()", []) in options.lines


# What may stand in each, by the reference of Jenkins's declarative syntax.
_SECTIONS = {
    "pipeline": "agent environment options parameters post stages tools triggers",
    "stages": "stage",
    "stage": "agent environment input matrix options parallel post stages steps tools when",
    "post": "aborted always changed cleanup failure fixed regression success unstable unsuccessful",
}
_NEEDED = {"pipeline": {"agent", "stages"}, "stages": {"stage"}}


@pytest.mark.parametrize("file", JENKINSFILES, ids=lambda path: path.name)
def test_a_jenkinsfile_has_the_sections_of_a_declarative_pipeline(file: Path) -> None:
    whole = read_jenkinsfile(file)
    assert [block.word for block in whole.blocks] == ["pipeline"]
    for block in whole.walk():
        words = {inner.word for inner in block.blocks}
        if block.word in _SECTIONS:
            assert words <= set(_SECTIONS[block.word].split()), block.name
        assert _NEEDED.get(block.word, set()) <= words
        if block.word == "stage":
            assert len(words & {"steps", "stages", "parallel", "matrix"}) == 1, block.name


@pytest.mark.parametrize("file", JENKINSFILES, ids=lambda path: path.name)
def test_groovy_hands_the_shell_its_texts_as_they_stand(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert "\\" not in text
    # Within double quotes Groovy would put in what the shell is to: a secret, into its command.
    assert [line for line in text.splitlines() if re.search(r'sh[ (]+"', line)] == []


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        ("pipeline {", "pipeline is not closed"),
        ("pipeline { } }", "was not opened"),
        ("pipeline { sh 'a }", "not understood"),
    ],
)
def test_a_broken_jenkinsfile_is_found(broken: str, said: str, tmp_path: Path) -> None:
    file = tmp_path / "Jenkinsfile"
    file.write_text(broken)
    with pytest.raises(ValueError, match=said):
        read_jenkinsfile(file)


GUIDE = (PIPELINES / "README.md").read_text(encoding="utf-8")


def test_each_command_of_the_guide_is_one_that_the_pipelines_run() -> None:
    shown = re.findall(r"^\$ (.*)", GUIDE, re.MULTILINE)
    assert shown.pop() == "deployment-gate schema --verdict"  # tests/reports runs that one
    assert len(shown) == 5
    files = [WORKFLOWS / "deploy.yml", PIPELINES / "gitlab-ci.yml", PIPELINES / "Jenkinsfile"]
    for file in files:
        text = re.sub(r"[\s\\]+", " ", file.read_text(encoding="utf-8"))
        for command in shown:
            assert command.replace(RELEASE, '"$VERSION"') in text, file.name


def test_the_guide_names_what_must_be_set_up() -> None:
    text = (WORKFLOWS / "deploy.yml").read_text(encoding="utf-8")
    needed = set(re.findall(r"\b(?:secrets|vars)\.(\w+)", text))
    needed |= set(re.findall(r"^    environment: ([\w-]+)", text, re.MULTILINE))
    assert [name for name in needed if f"`{name}`" not in GUIDE] == []
    called = yaml.safe_load(text)["env"]
    for name, default in re.findall(r"^\| `(\w+)` \| `(scripts/[\w.-]+)` \|", GUIDE, re.MULTILINE):
        assert f"'{default}'" in called[name]
        for file in ("gitlab-ci.yml", "Jenkinsfile"):
            assert default in (PIPELINES / file).read_text(encoding="utf-8")


def test_the_job_of_kubernetes_is_one_run_of_the_gate(place: Workplace) -> None:
    job = yaml.safe_load((PIPELINES / "job.yaml").read_text(encoding="utf-8"))["spec"]
    assert job["backoffLimit"] == 0
    (container,) = job["template"]["spec"]["containers"]
    variables = {one["name"]: one["value"] for one in container["env"]}
    words = [*container["command"], *container["args"]]
    command = " ".join(words).replace("$(VERSION)", variables["VERSION"])
    place.serve("production", variables["VERSION"])

    assert place.run(command.replace("/reports/", "reports/"), {}) == 0
    assert place.verdict("production")["release"] == variables["VERSION"]
