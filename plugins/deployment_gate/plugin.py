"""pytest's entry point: options, markers, and bringing in the gate where checks are to run."""

from __future__ import annotations

from pathlib import Path

import pytest

DEFAULT_ENVIRONMENT = "sandbox"


def pytest_addoption(parser: pytest.Parser) -> None:
    """The gate's options."""
    group = parser.getgroup("deployment gate", "after a deploy: one verdict on what is running")
    group.addoption(
        "--env",
        metavar="NAME",
        help="the environment to validate: environments/NAME.yaml "
        f"(default: {DEFAULT_ENVIRONMENT})",
    )
    group.addoption(
        "--env-dir",
        metavar="DIR",
        help="where the environment files are (default: environments/ beside pyproject.toml)",
    )
    group.addoption(
        "--release",
        metavar="VERSION",
        help="the release that must be running, on every replica; another one is a hold",
    )
    group.addoption(
        "--baseline",
        metavar="FILE",
        action="append",
        help="from before the deploy: its evidence.jsonl, for what was unwell already, or its "
        "OpenAPI document, for what breaks its clients; may be given twice",
    )
    group.addoption(
        "--confirm",
        choices=("on", "off"),
        default="on",
        help="whether what is suspected is looked into until it is decided; off: it is a hold",
    )
    group.addoption(
        "--approve-screenshots",
        action="store_true",
        help="approve how the pages look now: later runs compare them with these pictures, "
        "environments/pictures/NAME",
    )
    group.addoption(
        "--report-dir",
        metavar="DIR",
        help="where the reports go: verdict.json, junit.xml, report.html and others "
        "(default: reports/NAME)",
    )


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """From here on, what keeps pytest from starting leaves no report of an earlier run."""
    if early_config.known_args_namespace.env:
        from deployment_gate.reports.leftovers import remove_leftovers  # noqa: PLC0415

        remove_leftovers(early_config, early_config.known_args_namespace)


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Explain the markers; where checks are to run, bring in the gate."""
    _refuse_a_path_taken_for_the_project(config)
    is_active = _is_gate_run(config)
    # --markers ends pytest before any argument counts, so there they are always explained.
    if is_active or config.option.markers:
        from deployment_gate.collection import MARKERS  # noqa: PLC0415

        for marker in MARKERS:
            config.addinivalue_line("markers", marker)
    if not is_active:
        return
    from deployment_gate import assembly  # noqa: PLC0415  # every pytest start would pay for it
    from deployment_gate.errors import GateError  # noqa: PLC0415

    try:
        assembly.bring_in(config, default_environment=DEFAULT_ENVIRONMENT)
    except GateError as error:
        raise pytest.UsageError(str(error)) from error


def _refuse_a_path_taken_for_the_project(config: pytest.Config) -> None:
    """An option's path, written with a space, may have become pytest's root directory.

    pytest looks for the root before it knows the options of plugins (pytest's documentation of
    `rootdir` says so), and would then run without this project's configuration.
    """
    given = config.invocation_params.args
    for option in ("--env-dir", "--report-dir", "--baseline"):
        value = config.getoption(option)
        for path in value if isinstance(value, list) else [value]:
            if path and option in given and config.inipath is None and Path(path).exists():
                raise pytest.UsageError(
                    f"pytest took {path} for a part of the project. Write {option}={path}"
                )


def _is_gate_run(config: pytest.Config) -> bool:
    """Whether checks are to run: an environment is named, or checks are among the arguments.

    So `pytest tests`, and every project that merely has the plugin installed, is left alone.
    """
    if config.option.help or config.option.version or config.option.markers:
        return False
    if hasattr(config, "workerinput"):
        return "deployment_gate" in config.workerinput
    if config.option.env is not None:
        return True
    checks = config.rootpath / "validation"
    paths = [
        (config.invocation_params.dir / argument.partition("::")[0]).resolve()
        for argument in config.args
    ]
    return checks.is_dir() and any(path == checks or checks in path.parents for path in paths)
