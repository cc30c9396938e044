"""However a run dies, its files are red: a pipeline that reads nothing else stops there."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from deployment_gate.cli import main
from tests.plugin.conftest import PATIENCE_S, Reports
from tests.runs import RELEASE, Workshop, workshop
from tests.servers import wait_for

MODES = {"alone": (), "two workers": ("-n", "2")}

PASSES = """
    def test_dies():
        pass
"""
HANGING = """
    import pathlib, time
    import pytest

    def hang():
        pathlib.Path("reached").touch()
        while not pathlib.Path("signalled").exists():
            time.sleep(0.02)
"""
HANGS = f"""{HANGING}
    def test_dies():
        hang()
"""
HANGS_AT_THE_END = f"""{HANGING}
    @pytest.hookimpl(wrapper=True)
    def pytest_runtestloop():
        yield
        hang()
"""
HANGS_UP_TO_A_LIMIT = f"""{HANGING}
    @pytest.mark.timeout(0.5, method="thread")
    def test_dies():
        hang()
"""
DOES = """
    import os, pathlib, signal
    import pytest

    def test_dies():
        pathlib.Path("reached").touch()
        {}
"""
LATER_LIMIT = """
    import pytest

    def pytest_collection_modifyitems(items):
        for item in items:
            if item.name == "test_dies":
                limit = pytest.mark.timeout(0.5, method="thread")
                item.add_marker(limit, append=False)
"""
CONTROLLER_EXITS = """
    import os

    def pytest_runtest_logreport(report):
        is_of_a_worker = hasattr(report, "node")
        if is_of_a_worker and "test_dies" in report.nodeid:
            os._exit(0)
"""
FILLS_THE_DISK = (
    DOES.format("""
        with open("reports/filler", "wb", buffering=0) as filler:
            with pytest.raises(OSError, match="No space left on device"):
                while True:
                    filler.write(bytes(4096))
""")
    + """
    @pytest.mark.parametrize("number", range(60))
    def test_later(number):
        pass
"""
)

DIES_AS_IT_PUBLISHES = """
    import os, pathlib

    def pytest_runtest_logfinish():
        replace = pathlib.Path.replace

        def die(self, target):
            if target.name == "{}" and target.parent.name == "{}":
                os._exit(0)
            return replace(self, target)

        pathlib.Path.replace = die
"""
FILLS_THE_DISK_AT_THE_END = """
    import pathlib
    from deployment_gate import run

    def pytest_runtest_logfinish():
        run.read_drafts = then_fill

    def then_fill(directory, read=run.read_drafts):
        drafts = read(directory)
        pathlib.Path("reached").touch()
        try:
            with open("reports/filler", "wb", buffering=0) as filler:
                while True:
                    filler.write(bytes(4096))
        except OSError:
            return drafts
"""

# Reports on a small disk, which no other process sees, and which ends with the last one that does.
SMALL_DISK = """
    mv reports/here earlier
    mount -t tmpfs -o size=512k tmpfs reports && cp -a earlier reports/here || exit 99
    {}
    "$@"
    code=$?
    cp -a reports/here left
    exit $code
"""
FILLED = "head -c 1M /dev/zero > reports/filler && exit 98"


@dataclass(frozen=True, kw_only=True)
class Death:
    """A way for a run to end before its end.

    Attributes:
        name: Its name.
        check: What the last file of checks holds.
        conftest: What the project's own conftest holds.
        signal: What the process gets once something hangs.
        is_for_all: Whether its workers get it, too, as from a terminal.
        silent: In which modes the exit code is 0, for nothing of ours is left to say otherwise.
        modes: In which modes it is another death than those before.
    """

    name: str
    check: str = HANGS
    conftest: str = ""
    signal: signal.Signals | None = None
    is_for_all: bool = False
    silent: tuple[str, ...] = ()
    modes: tuple[str, ...] = tuple(MODES)

    def __str__(self) -> str:
        return self.name


DEATHS = (
    Death(name="kill -9", signal=signal.SIGKILL),
    Death(name="kill -9 in a check", check=DOES.format("os.kill(os.getpid(), signal.SIGKILL)")),
    Death(name="os._exit(0) in a check", check=DOES.format("os._exit(0)"), silent=("alone",)),
    Death(
        name="os._exit(0) beside the workers",
        check=DOES.format("pass"),
        conftest=CONTROLLER_EXITS,
        silent=("two workers",),
        modes=("two workers",),
    ),
    Death(name="pytest.exit(0)", check=DOES.format('pytest.exit("enough", returncode=0)')),
    Death(name="sys.exit(0)", check=DOES.format("raise SystemExit(0)")),
    Death(name="Ctrl-C", signal=signal.SIGINT, is_for_all=True),
    Death(
        name="Ctrl-C once all checks have passed",
        check=PASSES,
        conftest=HANGS_AT_THE_END,
        signal=signal.SIGINT,
        modes=("alone",),
    ),
    Death(name="SIGINT to one process", signal=signal.SIGINT, modes=("two workers",)),
    Death(name="SIGTERM", signal=signal.SIGTERM),
    Death(
        name="SIGTERM to all processes",
        signal=signal.SIGTERM,
        is_for_all=True,
        modes=("two workers",),
    ),
    Death(name="a timeout by thread", check=HANGS_UP_TO_A_LIMIT),
    Death(name="a timeout by thread that is set last", conftest=LATER_LIMIT),
)


@pytest.fixture(scope="module")
def caching(pytestconfig: pytest.Config) -> Iterator[None]:
    """One cache of bytecode for all subprocesses: they start three times as fast by it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
        cache = pytestconfig.rootpath / ".pytest_cache" / "bytecode"
        patch.setenv("PYTHONPYCACHEPREFIX", str(cache))
        yield


@pytest.fixture(scope="module")
def earlier(tmp_path_factory: pytest.TempPathFactory, caching: None) -> Reports:  # noqa: ARG001
    """What an earlier run left: green in all its files."""
    with workshop(tmp_path_factory.mktemp("earlier")) as shop:
        reports = shop.validate("reports/here", f"--release={RELEASE}")
    assert reports.verdict["verdict"] == "promote", reports.why
    assert not reports.is_red
    assert verify(reports.path) == 0
    return reports


@pytest.fixture
def shop(tmp_path: Path, caching: None) -> Iterator[Workshop]:  # noqa: ARG001
    """A project with nothing in its folder of reports."""
    with workshop(tmp_path) as shop:
        yield shop


@pytest.fixture
def earlier_is_there(shop: Workshop, earlier: Reports) -> None:
    """Its files, where a run will write, and where the user wants one of them."""
    shutil.copytree(earlier.path, shop.folder / "reports/here")
    (shop.folder / "mine").mkdir()
    shutil.copy(earlier.path / "junit.xml", shop.folder / "mine")


@pytest.fixture
def with_own_mounts() -> tuple[str, ...]:
    """What runs a command with mounts of its own."""
    as_root = () if os.getuid() == 0 else ("--user", "--map-root-user")
    command = ("unshare", "--mount", *as_root)
    if not shutil.which(command[0]) or subprocess.run([*command, "true"], check=False).returncode:
        pytest.skip("mounting a small disk takes Linux, and root or its user namespaces")
    return command


def verify(path: Path) -> int:
    """What a pipeline would be told by these files."""
    return main(["verify", str(path), "--release", RELEASE])


def run(shop: Workshop, death: Death, *arguments: str, inside: tuple[str, ...] = ()) -> int:
    """Run pytest until it dies; its exit code.

    Args:
        shop: Where.
        death: How it dies.
        arguments: More of pytest's.
        inside: The command that runs it.
    """
    # The last one by its name, so that other checks have passed.
    shop.write("validation/health/test_the_end.py", death.check)
    shop.write("conftest.py", death.conftest)
    command = [*inside, sys.executable, "-m", "pytest", "--env=here", f"--release={RELEASE}"]
    command += ["--junitxml=mine/junit.xml", *arguments]
    output = shop.folder / "output"
    # No pipe, which workers that outlive it would keep open.
    with (
        output.open("w") as file,
        subprocess.Popen(
            command, cwd=shop.folder, stdout=file, stderr=file, start_new_session=True
        ) as process,
    ):
        try:
            if death.signal:
                wait_for((shop.folder / "reached").exists, output.read_text)
                send = os.killpg if death.is_for_all else os.kill
                send(process.pid, death.signal)
                # A worker's own check that went on would be waited for.
                (shop.folder / "signalled").touch()
            return process.wait(PATIENCE_S)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def assert_red(*folders: Path) -> None:
    """Each file alone stops a pipeline, and so do all of them together."""
    verdict = Reports(folders[0]).verdict["verdict"]
    assert verdict != "promote"
    for folder in folders:
        reports = Reports(folder)
        assert reports.is_red
        properties = [(one.get("name"), one.get("value")) for one in reports.junit.iter("property")]
        assert [value for name, value in properties if name == "verdict"] == [verdict]
        assert verify(folder) != 0
        assert verify(folder / "junit.xml") != 0


@pytest.fixture
def dies_red(shop: Workshop) -> Callable[[Death, str], None]:
    """Run pytest until it dies, and look at what it left."""

    def dies_red(death: Death, mode: str) -> None:
        exit_code = run(shop, death, *MODES[mode])
        assert (shop.folder / "reached").exists(), (shop.folder / "output").read_text()
        assert (exit_code == 0) == (mode in death.silent)
        assert_red(shop.folder / "reports/here", shop.folder / "mine")

    return dies_red


@pytest.mark.parametrize("death", [death for death in DEATHS if "alone" in death.modes], ids=str)
def test_a_run_that_dies_is_red(death: Death, dies_red: Callable[[Death, str], None]) -> None:
    dies_red(death, "alone")


@pytest.mark.usefixtures("earlier_is_there")
@pytest.mark.parametrize(
    ("death", "mode"),
    [(death, mode) for mode in MODES for death in DEATHS if mode in death.modes],
    ids=str,
)
def test_a_run_that_dies_is_red_where_an_earlier_one_was_green(
    death: Death, mode: str, dies_red: Callable[[Death, str], None]
) -> None:
    dies_red(death, mode)


@pytest.mark.usefixtures("earlier_is_there")
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("moment", ["before the run", "during a check"])
def test_a_run_on_a_full_disk_is_red(
    moment: str, mode: str, shop: Workshop, with_own_mounts: tuple[str, ...]
) -> None:
    is_full = moment == "before the run"
    shop.write("small_disk.sh", SMALL_DISK.format(FILLED if is_full else ""))
    death = Death(name="a full disk", check=PASSES if is_full else FILLS_THE_DISK)

    exit_code = run(shop, death, *MODES[mode], inside=(*with_own_mounts, "sh", "small_disk.sh"))

    said = (shop.folder / "output").read_text()
    assert exit_code not in {0, 98, 99}, said
    if not is_full:
        assert (shop.folder / "reached").exists(), said
        assert "HOLD: here" in said
        assert "Traceback" not in said
        assert "what was seen can't be written down (No space left on device)" in (
            Reports(shop.folder / "left").why
        )
    assert_red(shop.folder / "left", shop.folder / "mine")


@pytest.mark.usefixtures("earlier_is_there")
@pytest.mark.parametrize("name", ["verdict.json", "junit.xml"])
def test_a_run_that_dies_as_it_promotes_is_red(name: str, shop: Workshop) -> None:
    death = Death(
        name="amid its files", check=PASSES, conftest=DIES_AS_IT_PUBLISHES.format(name, "here")
    )
    assert run(shop, death) == 0
    for folder in (shop.folder / "reports/here", shop.folder / "mine"):
        assert Reports(folder).is_red
        assert verify(folder) != 0
        assert verify(folder / "junit.xml") != 0


@pytest.mark.usefixtures("earlier_is_there")
def test_a_promote_that_does_not_fit_on_the_disk_is_red(
    shop: Workshop, with_own_mounts: tuple[str, ...]
) -> None:
    shop.write("small_disk.sh", SMALL_DISK.format(""))
    death = Death(name="a full disk", check=PASSES, conftest=FILLS_THE_DISK_AT_THE_END)

    exit_code = run(shop, death, inside=(*with_own_mounts, "sh", "small_disk.sh"))

    said = (shop.folder / "output").read_text()
    assert exit_code == 1, said
    assert (shop.folder / "reached").exists(), said
    assert "HOLD: here" in said
    assert "No space left on device" in said
    assert_red(shop.folder / "left", shop.folder / "mine")
    assert "No space left on device" in Reports(shop.folder / "left").why
    assert "test_dies" in Reports(shop.folder / "mine")["junit.xml"]
