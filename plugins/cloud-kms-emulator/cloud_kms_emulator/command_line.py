"""``cloud-kms-emulator``: the emulator in the foreground, and commands for one that runs."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from cloud_kms_emulator import version_commands
from cloud_kms_emulator.emulator import CloudKmsEmulator
from cloud_kms_emulator.refusals import Refusal

_HIGHEST_PORT = 65535


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until SIGINT or SIGTERM; prints one line of JSON when connections are accepted.

    With ``versions``, change the state of a version on an emulator that runs.
    """
    options = _parser().parse_args(arguments)
    try:
        if options.command == "versions":
            return version_commands.run(options)
        host, port = _parse_listen(options.listen)
        emulator = CloudKmsEmulator(host, port, generation_delay=options.generation_delay)
        for key in options.key:
            _seed(emulator, key)
        for denial in options.deny:
            _deny(emulator, denial)
        if options.faults:
            emulator.faults.load(json.loads(options.faults.read_text(encoding="utf-8")))
        _serve(emulator)
    except (OSError, ValueError, KeyError, Refusal) as error:
        sys.stderr.write(f"cloud-kms-emulator: {error}\n")
        return 2
    return 0


def _serve(emulator: CloudKmsEmulator) -> None:
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    with emulator:
        sys.stdout.write(json.dumps(emulator.settings) + "\n")
        sys.stdout.flush()
        stopped.wait()


def _seed(emulator: CloudKmsEmulator, text: str) -> None:
    name, _, algorithm = text.partition("=")
    algorithm, _, level = algorithm.partition(":")
    emulator.add_version(name, algorithm, protection_level=level or "SOFTWARE")


def _deny(emulator: CloudKmsEmulator, text: str) -> None:
    permission, _, resource = text.partition("@")
    if not (permission and resource):
        raise ValueError(f"cannot deny {text!r}: expected PERMISSION@RESOURCE")
    emulator.deny(permission, resource)


def _parse_listen(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or int(port) > _HIGHEST_PORT:
        raise ValueError(f"cannot listen on {text!r}: expected HOST:PORT, such as 127.0.0.1:0")
    return host.removeprefix("[").removesuffix("]"), int(port)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="cloud-kms-emulator",
        description="A Google Cloud KMS for tests, over gRPC. Prints one line of JSON when ready.",
    )
    parser.add_argument(
        "--listen",
        default="127.0.0.1:0",
        metavar="HOST:PORT",
        help="loopback address; port 0 is any free one (default: %(default)s)",
    )
    parser.add_argument(
        "--key",
        action="append",
        default=[],
        metavar="CRYPTO_KEY=ALGORITHM[:LEVEL]",
        help="full name of a crypto key to have with one version, its algorithm, and SOFTWARE or "
        "HSM; may be repeated",
    )
    parser.add_argument(
        "--deny",
        action="append",
        default=[],
        metavar="PERMISSION@RESOURCE",
        help="permission to deny on a resource and below it; may be repeated",
    )
    parser.add_argument(
        "--faults",
        type=Path,
        metavar="FILE",
        help="JSON list of faults to come: method, and delay, status, message or corrupt",
    )
    parser.add_argument(
        "--generation-delay",
        type=float,
        default=0.0,
        metavar="SECONDS",
        help="how long a new version is PENDING_GENERATION (default: %(default)s)",
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    version_commands.add_parser(commands)
    return parser
