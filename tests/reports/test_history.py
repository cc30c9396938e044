"""`history.jsonl`: whole lines, of each run that reaches its end, read whatever one of them is."""

from __future__ import annotations

import fcntl
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import repeat
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deployment_gate.cli import main
from deployment_gate.environment import Environment, load_environment
from deployment_gate.evidence import (
    CheckOutcome,
    Evidence,
    Observation,
    ObservationKind,
    Outcome,
    PlannedCheck,
    Redactor,
    Run,
    RunEnd,
)
from deployment_gate.judgement import Decision
from deployment_gate.judging import give_account
from deployment_gate.reports import history
from deployment_gate.reports.criteria import Criterion, flaky_checks, success_criteria
from deployment_gate.reports.files import ReportError
from deployment_gate.reports.history import (
    Coverage,
    Entry,
    Share,
    append_entry,
    entry_of,
    limits_of,
    read_history,
)
from tests.plugin.conftest import PATIENCE_S, Reply
from tests.reports.histories import START, run, validate, write
from tests.runs import Workshop, workshop

ROOT = Path(__file__).parents[2]
ENVIRONMENT = """
health_endpoints:
  api: {url: "http://api.example/health"}
api: {base_url: "http://api.example"}
rollback_triggers:
  errors: {condition: "Error rate > 5% for 2 minutes", action: rollback, timeout: 2m}
  slow: {condition: "Response time > 500ms for 3 minutes", action: rollback, timeout: 3m}
"""


@pytest.fixture
def load(tmp_path: Path) -> Callable[[str], Environment]:
    """The environment that a text describes."""

    def load(text: str) -> Environment:
        (tmp_path / "here.yaml").write_text(text, encoding="utf-8")
        return load_environment("here", tmp_path, variables={"OPP_TEST_PASSWORD": "correct-horse"})

    return load


def request(duration_s: float = 0.1, **changes: Any) -> Observation:
    """An answer to a check's request."""
    usual = {"kind": ObservationKind.REQUEST, "subject": "GET /things", "status": 200, "at": START}
    return Observation(**usual | {"duration_s": duration_s} | changes)


def seen(*observations: Observation, **changes: Any) -> Evidence:
    """The evidence of a run that saw these."""
    usual = {
        "run": Run(id="r1", environment="here", started=START, release="1.5.0", tier="smoke"),
        "observations": observations,
        "end": RunEnd(at=START + timedelta(seconds=10), exit_status=0),
    }
    return Evidence(**usual | changes)


def kept(environment: Environment, evidence: Evidence) -> Entry:
    """What the history keeps of it."""
    redact = Redactor(["correct-horse"]).redact
    return entry_of(give_account(environment, evidence, redact=redact), environment, redact)


# What a line holds


def test_a_line_holds_what_was_decided_of_what(load: Callable[[str], Environment]) -> None:
    plan = [PlannedCheck(id="t::a", category="health"), PlannedCheck(id="t::b", category="api")]
    outcomes = (
        CheckOutcome(id="t::a", outcome=Outcome.FLAKY, at=START, duration_s=1, message="later"),
        CheckOutcome(id="t::b", outcome=Outcome.FAILED, at=START, duration_s=1, message="no"),
    )
    entry = kept(load(ENVIRONMENT), seen(plan=tuple(plan), outcomes=outcomes))

    again = json.loads(entry.line)
    assert again["version"] == 1
    assert (again["run"], again["environment"], again["release"]) == ("r1", "here", "1.5.0")
    assert (again["tier"], again["selection"]) == ("smoke", None)
    assert (again["verdict"], again["exit_code"], again["duration_s"]) == ("hold", 1, 10.0)
    assert again["outcomes"] == {"flaky": 1, "failed": 1}
    assert again["planned"] == 2
    assert again["flaky"] == ["t::a"]
    assert again["coverage"]["passed"] == ["health"]
    assert again["coverage"]["without_pass"] == ["api", "security"]
    assert "performance: no `load` section" in again["coverage"]["not_covered"]
    assert Entry.model_validate_json(entry.line) == entry


def test_rates_are_of_what_triggers_read_too(load: Callable[[str], Environment]) -> None:
    entry = kept(
        load(ENVIRONMENT),
        seen(
            request(0.1),
            request(0.2, status=404),
            request(0.3, status=503),
            request(9.0, status=None, error="no answer"),
            request(9.0, unobserved="no route", status=None),
            request(9.0, facts={"provoked": True}, status=500),
            request(9.0, kind=ObservationKind.DATABASE, status=None),
            request(0.4, kind=ObservationKind.HEALTH, subject="api"),
            request(0.4, kind=ObservationKind.HEALTH, subject="api", status=503),
            request(1.5, kind=ObservationKind.PAGE, subject="/"),
        ),
    )
    assert (entry.answers.count, entry.answers.p50_s, entry.answers.p95_s) == (5, 0.3, 0.4)
    assert (entry.pages.count, entry.pages.p95_s) == (1, 1.5)
    assert entry.errors == Share(count=3, of=6)
    assert entry.availability == Share(count=1, of=2)


@given(st.lists(st.integers(1, 10_000), min_size=1, max_size=60), st.sampled_from([0.5, 0.95]))
def test_a_percentile_is_the_least_value_that_enough_do_not_exceed(
    values: list[int], share: float
) -> None:
    ordered = sorted(map(float, values))
    enough = [one for one in ordered if sum(v <= one for v in ordered) >= share * len(ordered)]
    assert history._rank(ordered, share) == min(enough)  # noqa: SLF001  # the law of this number


def test_nothing_seen_is_no_number(load: Callable[[str], Environment]) -> None:
    entry = kept(load(ENVIRONMENT), seen())
    assert entry.answers.p95_s is None
    assert entry.errors.fraction is None
    assert entry.availability.fraction is None


def test_the_limits_are_those_of_the_runbook() -> None:
    environment = load_environment(
        "production",
        ROOT / "environments",
        variables={"PRODUCTION_TEST_PASSWORD": "correct-horse"},
    )
    limits = limits_of(environment)
    assert limits.answers_p95_s == 0.2
    assert limits.pages_p95_s == 2
    assert limits.error_rate == 0.01
    assert limits.availability == 0.999


def test_where_no_target_is_named_the_triggers_limits_count(
    load: Callable[[str], Environment],
) -> None:
    limits = limits_of(load(ENVIRONMENT))
    assert (limits.answers_p95_s, limits.error_rate) == (0.5, 0.05)
    assert (limits.pages_p95_s, limits.availability) == (None, None)


def test_no_secret_reaches_a_line(load: Callable[[str], Environment]) -> None:
    secret = "correct-horse"
    outcomes = (
        CheckOutcome(id=f"t::a[{secret}]", outcome=Outcome.FLAKY, at=START, duration_s=1),
        CheckOutcome(
            id="t::b", outcome=Outcome.FAILED, at=START, duration_s=1, message=f"saw {secret}"
        ),
    )
    told = Run(id="r1", environment="here", started=START, release=f"1-{secret}", selection=secret)
    entry = kept(load(ENVIRONMENT), seen(run=told, outcomes=outcomes))
    assert secret not in entry.line
    assert "[redacted]" in entry.line


# Appending


def test_only_the_first_run_of_a_release_in_an_environment_is_its_first(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        run("a"),
        run("b"),
        run("c", environment="production"),
        run("d", release="1.6.0"),
        run("e", release=None),
    )
    found = {one.run: one.is_first_of_release for one in read_history([path]).entries}
    assert found == {"a": True, "b": False, "c": True, "d": True, "e": None}


APPENDING = """
import sys
from pathlib import Path
from deployment_gate.reports.history import append_entry, Entry
line, path, name = sys.argv[1:]
entry = Entry.model_validate_json(line)
Path(f"{path}.{name}").touch()
while not Path(f"{path}.go").exists():
    pass
for number in range(20):
    append_entry(
        Path(path),
        entry.model_copy(update={"run": f"{name}-{number}", "release": f"1.{number}"}),
    )
"""


def test_processes_that_append_at_once_write_whole_lines_one_after_another(tmp_path: Path) -> None:
    path, names = tmp_path / "history.jsonl", ("a", "b", "c")
    line = run("x", sentence="long " * 2000).line
    processes = [
        subprocess.Popen([sys.executable, "-c", APPENDING, line, str(path), name]) for name in names
    ]
    deadline = time.monotonic() + PATIENCE_S
    while not all(Path(f"{path}.{name}").exists() for name in names):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    Path(f"{path}.go").touch()
    assert [process.wait(PATIENCE_S) for process in processes] == [0, 0, 0]
    found = read_history([path])
    assert not found.faults
    assert len(found.entries) == 60
    # One that doesn't wait for another finds a release unknown that is being written.
    assert sum(bool(one.is_first_of_release) for one in found.entries) == 20


def test_a_line_that_never_ended_spoils_no_other(tmp_path: Path) -> None:
    path = write(tmp_path, run("a"))
    with path.open("ab") as file:
        file.write(b'{"version": 1, "run": "half')
    append_entry(path, run("b"))
    found = read_history([path])
    assert [one.run for one in found.entries] == ["a", "b"]
    assert len(found.faults) == 1
    assert f"{path}:2: no line of a history" in found.faults[0]


FILLING = """
import resource, sys
from pathlib import Path
from deployment_gate.reports.files import ReportError
from deployment_gate.reports.history import append_entry, Entry
line, path = sys.argv[1:]
limit = Path(path).stat().st_size + 100
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
try:
    append_entry(Path(path), Entry.model_validate_json(line))
except ReportError as error:
    print(error)
"""


def test_where_the_disk_is_full_what_was_there_stays(tmp_path: Path) -> None:
    path = write(tmp_path, run("a"))
    before = path.read_bytes()
    done = subprocess.run(
        [sys.executable, "-c", FILLING, run("b").line, str(path)],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=True,
    )
    assert "can't be written" in done.stdout
    assert path.read_bytes() == before


def test_a_process_that_keeps_the_file_to_itself_holds_no_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "_PATIENCE_S", 0.1)
    path = write(tmp_path, run("a"))
    with path.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(ReportError, match=r"another process has had it to itself for 0\.1 s"):
            append_entry(path, run("b"))
    append_entry(path, run("c"))
    assert [one.run for one in read_history([path]).entries] == ["a", "c"]


# Reading


def test_files_of_several_machines_are_one_history(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    write(one, run("b", minutes=2), run("d", minutes=4))
    write(other, run("a", minutes=1), run("b", minutes=2), run("c", minutes=3))
    merged = tmp_path / "all.jsonl"
    merged.write_bytes(
        (other / "history.jsonl").read_bytes() + (one / "history.jsonl").read_bytes()
    )
    for paths in ([one, other], [merged], [merged, one, merged]):
        assert [entry.run for entry in read_history(paths).entries] == ["a", "b", "c", "d"]


BAD_LINES = ["", "{}", "[1]", "nonsense", '{"version": 2}', "\udc80", '{"version": 1, "run": 7}']


@pytest.mark.parametrize("bad", BAD_LINES)
def test_a_line_that_is_none_is_told_with_its_place_and_the_others_are_read(
    tmp_path: Path, bad: str
) -> None:
    path = write(tmp_path, run("a"))
    with path.open("ab") as file:
        file.write(f"{bad}\n".encode(errors="surrogateescape"))
    append_entry(path, run("b"))
    found = read_history([path])
    assert [one.run for one in found.entries] == ["a", "b"]
    assert len(found.faults) == 1
    assert found.faults[0].startswith(f"{path}:2: no line of a history (")
    assert "Mend that line or take it out" in found.faults[0]


def test_of_a_long_file_the_last_part_is_read_with_the_right_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entries = [run(f"r{number}", minutes=number) for number in range(50)]
    path = write(tmp_path, *entries)
    with path.open("ab") as file:
        file.write(b"nonsense\n")
    length = len(entries[-1].line)
    monkeypatch.setattr(history, "MOST_BYTES", 10 * length)
    found = read_history([path])
    assert found.entries[-1].run == "r49"
    assert 7 <= len(found.entries) <= 10
    assert found.faults[0].startswith(f"{path}:51: ")
    assert "older runs are left out" in found.notes[0]


def test_what_a_later_version_adds_to_a_line_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    path.write_text(json.dumps({**json.loads(run("a").line), "new": {"x": 1}}) + "\n")
    assert [one.run for one in read_history([path]).entries] == ["a"]


# The success criteria, worked by hand


def criteria(*entries: Entry) -> dict[str, Criterion]:
    """What runs say of each criterion, by its first word."""
    return {one.name.split()[0]: one for one in success_criteria(entries)}


def test_without_runs_no_criterion_is_met_or_missed() -> None:
    for one in success_criteria([]):
        assert (one.shown, one.is_met, one.measured) == ("n/a", None, None)


def test_a_release_succeeds_whose_last_whole_validation_promotes() -> None:
    found = criteria(
        run("a", "hold", release="1"),
        run("b", release="1"),
        run("c", release="2"),
        run("d", "rollback", release="2"),
        run("e", "rollback", release="1", tier=None, selection="-m api"),
        run("f", release=None),
    )["Deployment"]
    assert (found.measured, found.shown, found.is_met) == (0.5, "50 %", False)
    assert found.basis == "1 of 2 releases promoted at last, in 4 runs"


def test_rollback_time_is_from_the_verdict_to_the_promote_of_another_release() -> None:
    found = criteria(
        run("a", "rollback", release="2", minutes=0),
        run("b", "rollback", release="2", minutes=1),
        run("c", release="2", minutes=2),
        run("d", release="1", minutes=4, tier=None, selection="-k x"),
        run("e", release="1", minutes=6),
        run("f", "rollback", release="3", minutes=20),
        run("g", release="1", minutes=21),
        run("h", "rollback", release="4", minutes=30),
    )["Rollback"]
    assert (found.measured, found.shown, found.is_met) == (360, "6 min", False)
    assert found.basis == (
        "the longest of 2 rollbacks, the median 3 min 30 s; 1 not followed by a promote yet"
    )


def test_coverage_is_of_all_whole_runs_of_a_release_together() -> None:
    half = Coverage(passed=("health",), without_pass=("api",))
    other = Coverage(passed=("api",), without_pass=("health",))
    found = criteria(
        run("a", release="1", coverage=half),
        run("b", release="1", coverage=other),
        run("c", release="2", coverage=half),
    )["Validation"]
    assert (found.measured, found.is_met) == (0.75, False)
    assert found.basis == "mean over 2 releases, in 3 runs; the last lacks api"


def test_detection_is_from_a_run_to_its_verdict() -> None:
    found = criteria(
        run("a", "rollback", seconds=12), run("b", "rollback", seconds=40), run("c", seconds=900)
    )["Time"]
    assert (found.measured, found.is_met) == (40, True)
    assert found.basis == "the longest of 2 runs that rolled back, the median 26 s"


def test_uptime_is_of_all_answers_of_health_endpoints_against_the_environments_own_limit() -> None:
    found = criteria(
        run("a", availability=Share(count=999, of=1000)), run("b", availability=Share())
    )["Uptime"]
    assert (found.measured, found.target, found.is_met) == (0.999, "at least 99.9 %", True)
    assert found.basis == "999 of 1000 answers of health endpoints, in 1 run"


def test_flaky_checks_are_counted_of_the_runs_that_carried_checks_out() -> None:
    found = flaky_checks(
        [
            run("a", flaky=("t::x", "t::y")),
            run("b", flaky=("t::y",)),
            run("c"),
            run("d", outcomes={}),
        ]
    )
    assert [(one.id, one.times, one.runs) for one in found] == [("t::y", 2, 3), ("t::x", 1, 3)]


# The command


def test_the_command_lists_runs_and_criteria_of_each_environment(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(
        tmp_path,
        *[run(f"r{n}", minutes=n, release=f"1.{n}") for n in range(30)],
        run("p", "rollback", environment="production", flaky=("t::x",), minutes=90),
    )
    assert main(["history", str(tmp_path)]) == 0
    told = capsys.readouterr().out
    assert "production: 1 run, 2026-11-01 to 2026-11-01" in told
    assert "staging: 30 runs" in told
    assert "and 10 before them" in told
    assert "flaky in 1 of 1: t::x" in told
    assert "Deployment success rate  100 %     at least 99.9 %  yes  30 of 30 releases" in told

    assert main(["history", str(tmp_path), "--env=production", "--last=1"]) == 0
    told = capsys.readouterr().out
    assert "staging" not in told
    assert "2026-11-01 04:30  rollback  1.5.0" in told


def test_the_command_answers_programs_in_json(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path, run("a"), run("b", minutes=1))
    assert main(["history", str(path), "--json", "--last=1"]) == 0
    told = json.loads(capsys.readouterr().out)["environments"]["staging"]
    assert [one["run"] for one in told["runs"]] == ["b"]
    assert told["criteria"][0]["measured"] == 1.0


def test_the_command_tells_a_bad_line_and_shows_the_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path, run("a"))
    with path.open("ab") as file:
        file.write(b"nonsense\n")
    assert main(["history", str(path)]) == 2
    told = capsys.readouterr()
    assert told.err.startswith(f"{path}:2: no line of a history")
    assert told.err.count("\n") == 1
    assert "staging: 1 run" in told.out


@pytest.mark.parametrize("options", [["--last=0"], ["--last=x"], ["--env="], [""]])
def test_the_command_refuses_what_it_does_not_understand(
    options: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(["history", *options])
    assert "error" in capsys.readouterr().err


def test_the_command_says_where_a_history_would_be(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["history", str(tmp_path / "reports")]) == 2
    assert "Name the history.jsonl that runs left behind" in capsys.readouterr().err


def test_what_would_control_the_terminal_is_not_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path, run("a", release="\x1b[2J1.5", flaky=("t::x",)))
    assert main(["history", str(path)]) == 0
    assert "\x1b" not in capsys.readouterr().out


# Real runs


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workshop]:
    """A project of this module."""
    with workshop(tmp_path_factory.mktemp("history")) as shop:
        yield shop


def runs_in(folder: Path) -> list[Entry]:
    """The runs of a folder's history, without faults."""
    found = read_history([folder])
    assert not found.faults
    return list(found.entries)


def test_all_environments_share_a_history_and_reports_elsewhere_have_their_own(
    shop: Workshop,
) -> None:
    smoke = ("-m", "smoke", "--release=1.5.0")
    for env in ("here", "there"):
        assert validate(shop.folder, *smoke, env=env)[0] == 0
    assert validate(shop.folder, *smoke, "-n", "2", "--report-dir=elsewhere")[0] == 0

    first, second = runs_in(shop.folder / "reports")
    assert (first.environment, second.environment) == ("here", "there")
    assert (first.verdict, first.tier, first.release) == (Decision.PROMOTE, "smoke", "1.5.0")
    assert first.is_first_of_release
    assert first.availability == Share(count=4, of=4)
    assert first.coverage.passed == ("health",)
    (elsewhere,) = runs_in(shop.folder / "elsewhere")
    told = json.loads((shop.folder / "elsewhere/verdict.json").read_text())
    assert (elsewhere.run, elsewhere.sentence) == (told["run"], told["sentence"])
    for folder in ("reports", "elsewhere"):
        assert (shop.folder / folder / "index.html").exists()


def test_holds_and_interrupted_runs_are_kept_too(shop: Workshop) -> None:
    slow = "validation/health/test_slow.py"
    skipping = "validation/health/test_skipping.py"
    shop.write(slow, "import time\n\ndef test_it():\n    time.sleep(30)\n")
    shop.write(skipping, "import pytest\n\ndef test_it():\n    pytest.skip('no')\n")
    assert validate(shop.folder, skipping, "--report-dir=held")[0] == 1
    command = [sys.executable, "-m", "pytest", "--env=here", slow, "-v"]
    with subprocess.Popen(
        [*command, "--report-dir=held"], cwd=shop.folder, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if "test_slow.py::test_it" in line:
                break
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=PATIENCE_S)
    held, interrupted = runs_in(shop.folder / "held")
    assert (held.verdict, interrupted.verdict) == (Decision.HOLD, Decision.HOLD)
    assert held.outcomes == {Outcome.SKIPPED: 1}
    assert "interrupted" in interrupted.sentence
    assert interrupted.exit_code == 2


def test_a_history_that_cannot_be_written_changes_nothing_and_is_told(shop: Workshop) -> None:
    (shop.folder / "blocked/history.jsonl").mkdir(parents=True)
    exit_code, output = validate(
        shop.folder, "-m", "smoke", "--release=1.5.0", "--report-dir=blocked"
    )
    assert exit_code == 0
    assert "history.jsonl: can't be written (Is a directory)" in output
    assert "the verdict stands" in output
    told = json.loads((shop.folder / "blocked/verdict.json").read_text())
    assert told["verdict"] == "promote"


def test_only_telling_what_there_is_leaves_no_line(shop: Workshop) -> None:
    assert validate(shop.folder, "--collect-only", "--report-dir=nothing")[0] == 0
    assert not (shop.folder / "nothing/history.jsonl").exists()


def test_a_rollback_is_kept_with_the_trigger_that_fired(shop: Workshop) -> None:
    shop.target.answers["/health/api"] = repeat(Reply(status=503))
    try:
        exit_code, _ = validate(shop.folder, "-m", "smoke", "--report-dir=rolled")
    finally:
        del shop.target.answers["/health/api"]
    assert exit_code == 10
    (entry,) = runs_in(shop.folder / "rolled")
    assert entry.verdict is Decision.ROLLBACK
    assert entry.fired == ("health_check_failure",)
    assert entry.availability.fraction is not None
    assert entry.availability.fraction < 1
