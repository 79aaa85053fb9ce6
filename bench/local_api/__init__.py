"""A server of the calls that are measured, in a process of its own, over http and over TLS."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.support.certificates import Authority


@dataclass(frozen=True)
class LocalApi:
    """Where the server is.

    Attributes:
        http: base URL.
        https: base URL of the same server over TLS.
        authority: PEM file of the certificate authority.
    """

    http: str
    https: str
    authority: Path

    def connections(self) -> int:
        """How many connections it has taken, this one not counted."""
        return int(httpx.get(f"{self.http}/connections", trust_env=False).json()["connections"])


@contextmanager
def local_api(*, latency: float = 0) -> Iterator[LocalApi]:
    """Run the server, which takes so many seconds for each answer."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        Authority(folder).issue("server", "localhost")
        command = [sys.executable, "-m", f"{__name__}.server", str(folder), str(latency)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603
            assert process.stdout is not None  # noqa: S101
            try:
                plain, secure = process.stdout.readline().split()
                yield LocalApi(
                    f"http://127.0.0.1:{plain}", f"https://localhost:{secure}", folder / "ca.pem"
                )
            finally:
                process.terminate()
