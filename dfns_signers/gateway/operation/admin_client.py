"""Asks the admin listener of a running gateway."""

from __future__ import annotations

import json
import os
import socket
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from typing import Any, Final

from dfns_signers.config.files import find_file
from dfns_signers.errors import ConfigurationError
from dfns_signers.gateway.configuration.addresses import Address, UnixAddress, parse_listen

_SECONDS: Final = 10.0
_MAX_ANSWER: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that readiness needs; ``problem`` is None while nothing is wrong with it."""

    name: str
    problem: str | None


@dataclass(frozen=True, slots=True)
class Readiness:
    """What a gateway says of itself.

    Attributes:
        state: ``starting``, ``serving`` or ``draining``; ``unreachable`` if it does not answer.
        version: of the gateway; empty if it does not answer.
        checks: what was looked at.
    """

    is_ready: bool
    state: str
    version: str
    checks: tuple[Check, ...]

    @property
    def answers(self) -> bool:
        """Whether there is a gateway that answers."""
        return bool(self.version)

    @property
    def reason(self) -> str:
        """What is wrong, in one line."""
        return "; ".join(f"{check.name}: {check.problem}" for check in self.checks if check.problem)

    def shown(self) -> dict[str, Any]:
        """As JSON, like the answer of ``/readyz?verbose``."""
        return {
            "ready": self.is_ready,
            "state": self.state,
            "version": self.version,
            "checks": [
                {"name": check.name, "ok": check.problem is None, "problem": check.problem}
                for check in self.checks
            ],
        }


def admin_address(config: str | os.PathLike[str] | None) -> Address:
    """The admin listener of a configuration; no secret of it is read.

    Args:
        config: the configuration file, as for ``load_signer``.

    Raises:
        ConfigurationError: there is none, or it cannot be asked.
    """
    file = find_file(config)
    admin = file.gateway.open().get("admin") if file else None
    if file is None or admin is None:
        where = f"{file.path}: " if file else ""
        raise ConfigurationError(
            f"{where}the gateway has no admin listener to ask: set 'admin' in [gateway], such as "
            'admin = "127.0.0.1:9464"'
        )
    try:
        address = parse_listen(str(admin))
    except ValueError as error:
        raise ConfigurationError(f"{file.path}, [gateway], admin: {error}") from None
    if not isinstance(address, UnixAddress) and not address.port:
        raise ConfigurationError(
            f"{file.path}, [gateway], admin: port 0 is any free one, which nobody can find: name "
            "the port"
        )
    return address


def ask(address: Address) -> Readiness:
    """What the gateway at an admin listener says; one that does not answer is not ready."""
    try:
        return _read(_answer(address))
    except (FileNotFoundError, ConnectionRefusedError):
        problem = f"no answer on {address.text}: nothing listens there; start: dfns-signers gateway"
    except OSError as error:
        problem = f"no answer on {address.text}: {error.strerror or type(error).__name__}"
    except (HTTPException, KeyError, TypeError, ValueError):
        problem = f"what answers on {address.text} is not a gateway of this version"
    return Readiness(False, "unreachable", "", (Check("admin listener", problem),))


def _answer(address: Address) -> bytes:
    connection = _Connection(address)
    try:
        connection.request("GET", "/readyz?verbose")
        return connection.getresponse().read(_MAX_ANSWER)
    finally:
        connection.close()


class _Connection(HTTPConnection):
    """To a unix socket, too."""

    def __init__(self, address: Address) -> None:
        if isinstance(address, UnixAddress):
            host, port, self._path = "localhost", 80, str(address.path)
        else:
            host, port, self._path = address.host, address.port, ""
        super().__init__(host, port, timeout=_SECONDS)

    def connect(self) -> None:
        if not self._path:
            super().connect()
            return
        connecting = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            connecting.settimeout(_SECONDS)
            connecting.connect(self._path)
        except BaseException:  # Ctrl-C, too
            connecting.close()
            raise
        self.sock = connecting


def _read(answer: bytes) -> Readiness:
    found = json.loads(answer)
    return Readiness(
        found["ready"] is True,
        str(found["state"]),
        str(found["version"]),
        tuple(
            Check(str(each["name"]), None if each["problem"] is None else str(each["problem"]))
            for each in found["checks"]
        ),
    )
