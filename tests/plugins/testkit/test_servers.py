from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import textwrap
from collections.abc import Sequence

import pytest

from dfns_signers_testkit import servers
from dfns_signers_testkit.servers import ServerProcess, ServerStartError, free_port

# Accepts connections and holds them open; a connection ends when the process does.
ECHO = textwrap.dedent(
    """
    import signal, socket, sys
    if "stubborn" in sys.argv:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
    print("listening", flush=True)
    held = []
    while True:
        held.append(listener.accept())
    """
)
PATIENCE = 30.0


def server(port: int, *words: str) -> Sequence[str]:
    return [sys.executable, "-c", ECHO, str(port), *words]


def accepts(port: int) -> bool:
    with socket.create_connection(("127.0.0.1", port)):
        return True


def start(port: int, *words: str) -> ServerProcess:
    return ServerProcess(
        server(port, *words), environment=os.environ, is_ready=lambda: accepts(port)
    )


def ends(connection: socket.socket) -> bool:
    """Wait for the other side to end."""
    connection.settimeout(PATIENCE)
    try:
        return connection.recv(1) == b""
    except ConnectionResetError:
        return True


@pytest.mark.parametrize("words", [(), ("stubborn",)], ids=["polite", "stubborn"])
def test_close_ends_the_server_for_certain(words: tuple[str, ...]) -> None:
    port = free_port()
    process = start(port, *words)
    with socket.create_connection(("127.0.0.1", port)) as connection:
        process.close()

        assert ends(connection)
    with pytest.raises(ConnectionRefusedError):
        accepts(port)


def test_free_port_is_given_to_nobody_who_names_no_port() -> None:
    # Linux gives such a one from 32768 on, macOS and Windows from 49152.
    assert {free_port() < 32_768 for _ in range(100)} == {True}


def test_port_that_is_taken_is_not_free(monkeypatch: pytest.MonkeyPatch) -> None:
    taken, free = free_port(), free_port()
    monkeypatch.setattr(servers, "_PORTS", [taken, free])
    with socket.create_server(("127.0.0.1", taken)):
        assert {free_port() for _ in range(20)} == {free}


def test_close_twice_is_harmless() -> None:
    with start(free_port()) as process:
        process.close()


def test_server_ends_when_its_starter_is_killed() -> None:
    port = free_port()
    code = textwrap.dedent(
        f"""
        import os, socket, sys
        from dfns_signers_testkit.servers import ServerProcess
        def ready():
            socket.create_connection(("127.0.0.1", {port})).close()
            return True
        ServerProcess({server(port)!r}, environment=os.environ, is_ready=ready)
        print("started", flush=True)
        sys.stdin.read()
        """
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as starter:
        assert starter.stdout is not None
        assert starter.stdout.readline() == b"started\n"
        with socket.create_connection(("127.0.0.1", port)) as connection:
            starter.send_signal(signal.SIGKILL)

            assert ends(connection)


def test_server_that_ends_early_refused_with_its_output_and_code() -> None:
    command = [sys.executable, "-c", "import sys; print('no licence'); sys.exit(3)"]

    with pytest.raises(ServerStartError, match=r"ended with 3.*\n.*no licence"):
        ServerProcess(command, environment=os.environ, is_ready=lambda: False)


def test_server_that_is_not_ready_in_time_refused_with_its_output_and_ended() -> None:
    port = free_port()

    def never() -> bool:
        accepts(port)
        return False

    with pytest.raises(ServerStartError, match="was not ready in time"):
        ServerProcess(server(port), environment=os.environ, is_ready=never, deadline=1.0)

    with pytest.raises(ConnectionRefusedError):
        accepts(port)
