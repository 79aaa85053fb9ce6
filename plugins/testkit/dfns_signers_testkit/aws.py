"""LocalStack and MiniStack on this machine: servers that speak the API of AWS KMS."""

from __future__ import annotations

import os
import tempfile
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dfns_signers.closing import Closing
from dfns_signers_testkit.installation import Installation
from dfns_signers_testkit.servers import ServerProcess, free_port, require_free_port

HOST: Final = "127.0.0.1"
REGION: Final = "eu-west-1"

ENVIRONMENT: Final[Mapping[str, str]] = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_SESSION_TOKEN": "",
}
"""Local servers accept any credentials. The empty token hides one of a real account."""


@dataclass(frozen=True, slots=True)
class Product:
    """A server that speaks the API of AWS KMS.

    Attributes:
        installation: where its Python interpreter is, and how to install it.
        module: what that interpreter runs.
        settings: environment variables that depend on neither address nor folder.
        address: environment variables for an address; ``{host}`` and ``{port}`` are put in.
        folder_variables: environment variables that name a folder for its files.
        health: path that answers 200 once the server is ready.
    """

    installation: Installation
    module: str
    settings: Mapping[str, str]
    address: Mapping[str, str]
    folder_variables: Sequence[str]
    health: str = "/_localstack/health"

    @property
    def name(self) -> str:
        """What people call it."""
        return self.installation.name

    def environment(self, port: int, folder: Path) -> dict[str, str]:
        """The whole environment of the server's process."""
        address = {name: value.format(host=HOST, port=port) for name, value in self.address.items()}
        return {
            "PATH": os.environ.get("PATH", os.defpath),
            **self.settings,
            **address,
            **dict.fromkeys(self.folder_variables, os.fspath(folder)),
        }


LOCALSTACK: Final = Product(
    Installation(
        name="LocalStack",
        folder=".venv-localstack",
        program="bin/python",
        variable="DFNS_LOCALSTACK_PYTHON",
        # LocalStack 4.10.0 does not start with later releases of the other four.
        requirements=(
            "localstack-core[base-runtime]==4.10.0",
            "cbor2<5.8",
            "cryptography<47",
            "psutil<7.2",
            "pyOpenSSL<26.1",
        ),
    ),
    module="localstack.runtime.main",
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
    Installation(
        name="MiniStack",
        folder=".venv-ministack",
        program="bin/python",
        variable="DFNS_MINISTACK_PYTHON",
        requirements=("ministack==1.5.33", "cryptography"),
    ),
    module="ministack",
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
        interpreter = product.installation.find()
        port = free_port() if port is None else require_free_port(port)
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
        except BaseException:  # Ctrl-C and cancellation, too
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
