"""What a gateway says to the service manager that started it."""

from __future__ import annotations

import signal
import socket
from pathlib import Path

import pytest

from tests.gateway.processes import gateway_process


@pytest.mark.parametrize("kind", ["path", "abstract"])
def test_service_manager_hears_of_start_reload_and_end(
    file: Path, tmp_path: Path, kind: str
) -> None:
    address = f"{tmp_path}/notify" if kind == "path" else f"@{tmp_path}/notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(address.replace("@", "\0"))
        manager.settimeout(60)

        def heard() -> str:
            return manager.recv(1024).decode().partition("\n")[0]

        with gateway_process(file, NOTIFY_SOCKET=address) as gateway:
            assert heard() == "READY=1"
            gateway.signal(signal.SIGHUP)
            assert [heard(), heard()] == ["RELOADING=1", "READY=1"]
            gateway.signal(signal.SIGTERM)
            assert heard() == "STOPPING=1"
            assert gateway.exit_code() == 0


def test_service_manager_that_does_not_listen_ends_nothing(file: Path, tmp_path: Path) -> None:
    with gateway_process(file, NOTIFY_SOCKET=f"{tmp_path}/none") as gateway:
        gateway.signal(signal.SIGTERM)

        assert gateway.exit_code() == 0
