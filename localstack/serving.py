# ruff: noqa: INP001  # beside scripts, in no package
"""What the scripts that leave local servers running have in common."""

from __future__ import annotations

import os
import shlex
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeVar

from dfns_signers.config.writing import profile_toml
from dfns_signers.emulator import Emulator
from dfns_signers.lifecycle import show_key
from dfns_signers.private_files import create_private_file
from dfns_signers.sealed import Sealed
from dfns_signers_testkit.servers import ServerStartError, free_port, require_free_port

T = TypeVar("T")

FOLDER: Final = Path(__file__).resolve().parents[1] / ".local"
"""Configuration files of servers that run; git ignores it."""

_HEADING: Final = "# The Dfns API at base_url runs as long, and knows these keys as credentials.\n"


@dataclass(frozen=True, slots=True)
class Served:
    """What a server that runs has to offer.

    Attributes:
        name: of its configuration file.
        heading: what to say of it.
        signers: the ``[signer]`` table of each key, by the name of its profile.
        environment: variables that its credentials come from.
    """

    name: str
    heading: str
    signers: Mapping[str, Mapping[str, Any]]
    environment: Mapping[str, str] = field(default_factory=dict)


def serve(server: AbstractContextManager[T], served: Callable[[T], Served]) -> None:
    """Start a server and a Dfns API that knows its keys; stay until SIGINT or SIGTERM.

    Prints profiles that use them, on standard output, and a command that makes a signed call with
    one of them, on standard error. The profiles are in a file besides, which is removed at the end.

    Args:
        server: runs while it is entered.
        served: what it has, made when it runs.
    """
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with server as running, Emulator() as dfns:
        shown = served(running)
        os.environ.update(shown.environment)
        tables = [_profile(name, signer, dfns) for name, signer in shown.signers.items()]
        text = "\n".join([shown.heading + _HEADING, *tables])
        with _configuration(shown.name, text) as config:
            sys.stdout.write(text)
            sys.stdout.flush()
            sys.stderr.write(
                f"\nUntil Ctrl-C, these profiles are in {config}. A signed call with the first of "
                f"them, from another terminal:\n\n{_call(shown, config)}\n\n"
            )
            sys.stderr.flush()
            stop.wait()


def chosen_port(asked: int | None, usual: int) -> int:
    """The port that was asked for, else the usual one, or a free one where that is taken."""
    if asked is not None:
        return asked
    try:
        return require_free_port(usual)
    except ServerStartError:
        return free_port()


def _profile(name: str, signer: Mapping[str, Any], dfns: Emulator) -> str:
    """Register a key as a credential of the first user; returns its complete profile in TOML."""
    options = {option: value for option, value in signer.items() if option != "backend"}
    key = show_key(backend=signer["backend"], options=options)
    settings = {
        "base_url": dfns.url,
        "auth_token": dfns.auth_token,
        "credential_id": dfns.register(key.public_key or ""),
        "signer": signer,
    }
    return profile_toml(name, settings)


@contextmanager
def _configuration(name: str, text: str) -> Iterator[Path]:
    FOLDER.mkdir(mode=0o700, exist_ok=True)
    path = FOLDER / f"{name}.toml"
    path.unlink(missing_ok=True)  # of a process that was killed
    create_private_file(path, Sealed(text.encode()))
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)


def _call(shown: Served, config: Path) -> str:
    """A signed call with the first of the keys, as it is pasted into a shell."""
    program = Path(sys.executable).with_name("dfns-signers")
    variables = [f"{name}={shlex.quote(value)}" for name, value in shown.environment.items()]
    request = ["request", "--config", config, "--profile", next(iter(shown.signers))]
    wallet = ["POST", "/wallets", "--json", '{"network": "EthereumSepolia"}']
    return " ".join([*variables, shlex.join(map(str, [program, *request, *wallet]))])
