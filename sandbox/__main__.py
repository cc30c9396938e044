"""The command line: `python -m sandbox up | fault | status | certificates`."""

import argparse
import os
import shlex
import sys
from pathlib import Path

from sandbox.certificates import expires_at, prepare
from sandbox.errors import SandboxError
from sandbox.faults import FAULTS, FAULTS_BY_NAME, parse_fault
from sandbox.releases import DEFAULT_RELEASE, RELEASES, find_release
from sandbox.state import (
    RunningSandbox,
    add_fault,
    find_running,
    read_faults,
    replace_faults,
)
from sandbox.supervisor import Plan, run

HIGHEST_PORT = 65535
FAILURE_EXIT_CODE = 1


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m sandbox",
        description="A small Open Policy Platform that runs on this machine.",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    where = argparse.ArgumentParser(add_help=False)
    where.add_argument("--state-dir", type=Path, metavar="DIR", help="where it keeps its state")

    up = commands.add_parser("up", parents=[where], help="run it in the foreground")
    versions = ", ".join(release.version for release in RELEASES)
    up.add_argument("--release", default=DEFAULT_RELEASE.version, help=f"one of {versions}")
    up.add_argument(
        "--fault", action="append", default=[], metavar="NAME[=VALUE]", help="start with a fault"
    )
    up.add_argument("--api-port", type=int, metavar="N", help="default 18000; 0 picks a free one")
    up.add_argument("--web-port", type=int, metavar="N", help="default 13000; 0 picks a free one")
    up.add_argument(
        "--tls", type=Path, metavar="DIR", help="over TLS, with the certificates there, or new ones"
    )
    up.add_argument(
        "--plain-port",
        type=int,
        metavar="N",
        help="with --tls: where plain HTTP is led to the web interface; default 13080",
    )
    up.add_argument("--database-url", metavar="URL", help="default: a SQLite file for this run")
    up.add_argument("--access-log", type=Path, metavar="FILE", help="a line of JSON per request")

    fault = commands.add_parser(
        "fault",
        parents=[where],
        help="set a fault while it runs, or list or clear them",
        epilog="; ".join(f"{fault.form}: {fault.sentence}" for fault in FAULTS),
    )
    fault.add_argument("fault", metavar="NAME[=VALUE] | clear | list")

    commands.add_parser("status", parents=[where], help="say what is running")
    certificates = commands.add_parser(
        "certificates", help="make the certificates that up --tls DIR serves with"
    )
    certificates.add_argument("directory", type=Path, metavar="DIR")
    return parser.parse_args()


def choose_port(given: int | None, variable: str, default: int) -> int:
    """Return the port from the option, the environment or the default, in this order."""
    if given is None:
        written = os.environ.get(variable, str(default))
        if not written.isdecimal():
            raise SandboxError(f"{variable}={written!r} is no port: say a number, 0 to 65535.")
        given = int(written)
    if not 0 <= given <= HIGHEST_PORT:
        raise SandboxError(f"{given} is no port: say a number, 0 to {HIGHEST_PORT}.")
    return given


def up(arguments: argparse.Namespace) -> int:
    """Run the sandbox in the foreground."""
    if arguments.plain_port is not None and not arguments.tls:
        raise SandboxError("--plain-port N leads plain HTTP to TLS: say --tls DIR, too.")
    faults = dict(parse_fault(text) for text in arguments.fault)
    for name in faults:
        demand_tls(name, has_tls=arguments.tls is not None)
    plain_port = (
        choose_port(arguments.plain_port, "SANDBOX_PLAIN_PORT", 13080) if arguments.tls else 0
    )
    return run(
        Plan(
            release=find_release(arguments.release).version,
            faults=faults,
            api_port=choose_port(arguments.api_port, "SANDBOX_API_PORT", 18000),
            web_port=choose_port(arguments.web_port, "SANDBOX_WEB_PORT", 13000),
            database_url=arguments.database_url,
            state_dir=arguments.state_dir,
            access_log=arguments.access_log,
            tls_dir=arguments.tls,
            plain_port=plain_port,
        )
    )


def demand_tls(name: str, *, has_tls: bool) -> None:
    """Raise an error when that fault would change nothing, since there is no TLS to break."""
    if FAULTS_BY_NAME[name].needs_tls and not has_tls:
        raise SandboxError(
            f"The fault {name} needs a sandbox that answers over TLS: "
            "start one by `python -m sandbox up --tls DIR`."
        )


def the_running_one(state_dir: Path | None) -> RunningSandbox:
    """Return the sandbox that runs; raise an error when it is none, or several."""
    running = find_running(state_dir)
    if not running:
        place = f" with the state directory {state_dir}" if state_dir else ""
        raise SandboxError(f"No sandbox is running{place}: start one by `python -m sandbox up`.")
    if len(running) > 1:
        choices = " or ".join(f"--state-dir {one.state_dir}" for one in running)
        raise SandboxError(f"{len(running)} sandboxes are running: say {choices}.")
    return running[0]


def list_faults(state_dir: Path | None) -> int:
    """Print the faults there are and which are set where."""
    for fault in FAULTS:
        print(f"{fault.form:20} {fault.sentence}")
    for running in find_running(state_dir):
        print(f"set on {running.api_url}: {describe_faults(running)}")
    return 0


def describe_faults(running: RunningSandbox) -> str:
    """Write the faults that are set as they would be given."""
    settings = read_faults(Path(running.state_dir))
    return (
        ", ".join(
            name if value is None else f"{name}={value:g}" for name, value in settings.items()
        )
        or "none"
    )


def fault(arguments: argparse.Namespace) -> int:
    """Set a fault while the sandbox runs, or clear or list them."""
    if arguments.fault == "list":
        return list_faults(arguments.state_dir)
    if arguments.fault == "clear":
        running = the_running_one(arguments.state_dir)
        replace_faults(Path(running.state_dir), {})
    else:
        name, value = parse_fault(arguments.fault)
        running = the_running_one(arguments.state_dir)
        demand_tls(name, has_tls=running.ca is not None)
        add_fault(Path(running.state_dir), name, value)
    print(f"faults on {running.api_url}: {describe_faults(running)}")
    return 0


def status(arguments: argparse.Namespace) -> int:
    """Print what is running."""
    found = find_running(arguments.state_dir)
    for running in found:
        print(
            f"release {running.release}  api {running.api_url} (pid {running.api_pid})  "
            f"web {running.web_url} (pid {running.web_pid})  "
            + (f"plain {running.plain_url}  ca {running.ca}  " if running.ca else "")
            + f"supervisor pid {running.supervisor_pid}  faults: {describe_faults(running)}  "
            f"state {running.state_dir}"
        )
    if not found:
        print("No sandbox is running.")
    return 0 if found else 1


def certificates(arguments: argparse.Namespace) -> int:
    """Make the certificates that are missing or run out, and say what trusts them."""
    made = prepare(arguments.directory)
    print(f"good until {expires_at(made.server):%Y-%m-%d}")
    print(f"trust      export SSL_CERT_FILE={shlex.quote(str(made.ca))}")
    print(f"serve      python -m sandbox up --tls {shlex.quote(str(made.directory))}")
    return 0


COMMANDS = {"up": up, "fault": fault, "status": status, "certificates": certificates}


def main() -> int:
    """Run the command; return its exit code."""
    arguments = parse_arguments()
    try:
        return COMMANDS[arguments.command](arguments)
    except SandboxError as error:
        print(f"sandbox: {error}", file=sys.stderr)
        return FAILURE_EXIT_CODE


if __name__ == "__main__":
    sys.exit(main())
