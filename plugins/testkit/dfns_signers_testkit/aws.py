"""LocalStack and MiniStack on this machine: servers that speak the API of AWS KMS."""

from __future__ import annotations

import os
import socket
import sys
import tempfile
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dfns_signers.closing import Closing
from dfns_signers_testkit.servers import ServerProcess, ServerStartError, free_port

HOST: Final = "127.0.0.1"
REGION: Final = "eu-west-1"

ENVIRONMENT: Final[Mapping[str, str]] = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_SESSION_TOKEN": "",
}
"""Credentials as local servers take them: any. The empty token hides one of a real account."""


@dataclass(frozen=True, slots=True)
class Product:
    """A server that speaks the API of AWS KMS.

    Attributes:
        name: what people call it.
        module: what its interpreter runs.
        interpreter_variable: environment variable that names that interpreter.
        environment_folder: virtual environment that has it otherwise, in the working directory.
        settings: environment variables, whatever address and folder are.
        address: environment variables for an address; ``{host}`` and ``{port}`` are put in.
        folder_variables: environment variables that name a folder for its files.
        health: path that answers once it is ready.
    """

    name: str
    module: str
    interpreter_variable: str
    environment_folder: str
    settings: Mapping[str, str]
    address: Mapping[str, str]
    folder_variables: Sequence[str]
    health: str = "/_localstack/health"

    def interpreter(self) -> Path:
        """The Python that has the server installed.

        Raises:
            ServerStartError: there is none; the message has the command that installs it.
        """
        chosen = os.environ.get(self.interpreter_variable)
        binary = "Scripts/python.exe" if sys.platform == "win32" else "bin/python"
        path = Path(chosen) if chosen else Path(self.environment_folder, binary)
        if not path.exists():
            raise ServerStartError(
                f"{self.name} is not installed: there is no {path}. In a clone of dfns-signers "
                f"run: make {self.environment_folder}/.done, or set {self.interpreter_variable} "
                "to a Python that has it"
            )
        # Not resolved: a virtual environment is known by the path of its own link.
        return path.absolute()

    def environment(self, port: int, folder: Path) -> dict[str, str]:
        """The whole environment of a server."""
        address = {name: value.format(host=HOST, port=port) for name, value in self.address.items()}
        return {
            "PATH": os.environ.get("PATH", os.defpath),
            **self.settings,
            **address,
            **dict.fromkeys(self.folder_variables, os.fspath(folder)),
        }


LOCALSTACK: Final = Product(
    name="LocalStack",
    module="localstack.runtime.main",
    interpreter_variable="DFNS_LOCALSTACK_PYTHON",
    environment_folder=".venv-localstack",
    settings={
        "SERVICES": "kms",
        # The default server listens on every interface, whatever GATEWAY_LISTEN says.
        "GATEWAY_SERVER": "hypercorn",
        "DISABLE_EVENTS": "1",
        "SKIP_SSL_CERT_DOWNLOAD": "1",
        "DNS_ADDRESS": "0",
    },
    address={"GATEWAY_LISTEN": "{host}:{port}"},
    folder_variables=("FILESYSTEM_ROOT", "HOME"),
)

MINISTACK: Final = Product(
    name="MiniStack",
    module="ministack",
    interpreter_variable="DFNS_MINISTACK_PYTHON",
    environment_folder=".venv-ministack",
    settings={"SERVICES": "kms"},
    address={"BIND_HOST": "{host}", "GATEWAY_PORT": "{port}"},
    folder_variables=("TMPDIR", "HOME"),
)


class LocalKms(Closing):
    """A running local server; stopped by ``close``, and when this process ends.

    Args:
        product: LOCALSTACK or MINISTACK.
        port: where it listens on 127.0.0.1; a free port unless given.

    Attributes:
        url: its address, for ``endpoint_url``.

    Raises:
        ServerStartError: it is not installed, did not start, or the port is taken.
    """

    def __init__(self, product: Product, port: int | None = None) -> None:
        interpreter = product.interpreter()
        if port is None:
            port = free_port()
        elif _is_taken(port):
            # Its readiness would otherwise be that of the other server.
            raise ServerStartError(
                f"something listens on {HOST}:{port} already: stop it, or choose another port"
            )
        self.product = product
        self.url = f"http://{HOST}:{port}"
        self._folder = tempfile.TemporaryDirectory(
            prefix="dfns-signers-kms-", ignore_cleanup_errors=True
        )
        try:
            self._process = ServerProcess(
                [os.fspath(interpreter), "-m", product.module],
                environment=product.environment(port, Path(self._folder.name)),
                is_ready=self._is_ready,
                folder=Path(self._folder.name),
            )
        except BaseException:
            self._folder.cleanup()
            raise

    def _is_ready(self) -> bool:
        with urllib.request.urlopen(self.url + self.product.health, timeout=5) as answer:  # noqa: S310
            return bool(answer.status == 200)  # noqa: PLR2004  # HTTP's OK

    def signer(self, key_id: str) -> dict[str, str]:
        """The ``[signer]`` table of a key on this server."""
        return {
            "backend": "aws-kms",
            "key_id": key_id,
            "region": REGION,
            "endpoint_url": self.url,
        }

    def close(self) -> None:
        """Stop it, and remove its files."""
        self._process.close()
        self._folder.cleanup()


def _is_taken(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0
