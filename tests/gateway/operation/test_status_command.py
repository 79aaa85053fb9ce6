"""``gateway status`` and ``gateway wait``: whether the gateway of a configuration is ready."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from dfns_signers.cli.gateway_status import await_ready
from dfns_signers.emulator import Emulator
from dfns_signers.gateway.operation.admin_client import Check, Readiness
from tests.core.cli.support import Command, Started
from tests.core.cli.support import command as command  # noqa: PLC0414  # a fixture
from tests.gateway.operation.administered import Files, administered_gateway, gateway_files
from tests.gateway.running import served
from tests.support.clock import Clock
from tests.support.tcp_server import HOST, TcpServer, has_left

READY = Readiness(True, "serving", "1.0", ())
NOT_READY = Readiness(False, "unreachable", "", (Check("admin listener", "no answer"),))


@pytest.fixture
def gateway() -> Iterator[Files]:
    with administered_gateway() as (_, files):
        yield files


@pytest.fixture
def stopped() -> Iterator[Files]:
    """A configuration whose gateway does not run."""
    with Emulator() as emulator, gateway_files(emulator) as files:
        yield files


def test_gateway_that_is_ready_is_shown_with_what_was_looked_at(
    command: Command, gateway: Files
) -> None:
    done = command("gateway", "status", "--config", gateway.config)

    assert done.code == 0, done.err
    assert "serving" in done.out
    assert all(name in done.out for name in ("state", "token", "audit trail"))


def test_gateway_that_is_not_ready_says_why_and_ends_with_1(
    command: Command, gateway: Files
) -> None:
    gateway.token.unlink()

    done = command("gateway", "status", "--config", gateway.config)

    assert done.code == 1
    assert f"the file {gateway.token} cannot be read" in done.out


def test_gateway_that_is_not_ready_is_alive(command: Command, gateway: Files) -> None:
    gateway.token.unlink()

    assert command("gateway", "status", "--live", "--config", gateway.config).code == 0


def test_status_for_programs_is_what_the_listener_says(command: Command, gateway: Files) -> None:
    with gateway.client() as admin:
        said = admin.get("/readyz?verbose").json()

    assert command("gateway", "status", "--json", "--config", gateway.config).json == said


@pytest.mark.parametrize("options", [[], ["--live"]])
def test_gateway_that_does_not_run_is_not_ready(
    command: Command, stopped: Files, options: list[str]
) -> None:
    done = command("gateway", "status", *options, "--config", stopped.config)

    assert done.code == 1
    assert f"no answer on unix:{stopped.admin}: nothing listens there; start: " in done.out


def test_another_server_on_the_port_is_not_taken_for_a_gateway(
    command: Command, stopped: Files
) -> None:
    def answer(connection: socket.socket, _number: int) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
        has_left(connection)

    with TcpServer(answer, ("", 0)) as another:
        _rename_admin(stopped, f"{HOST}:{another.port}")
        done = command("gateway", "status", "--config", stopped.config)

    assert done.code == 1
    assert f"what answers on {HOST}:{another.port} is not a gateway of this version" in done.out


def test_status_needs_no_secret_of_the_configuration(command: Command, gateway: Files) -> None:
    (gateway.folder / "key.pem").unlink()

    assert command("gateway", "status", "--config", gateway.config).code == 0


@pytest.mark.parametrize(
    ("admin", "said"),
    [
        (None, "no admin listener"),
        ("127.0.0.1:0", "port 0"),
        ("http://127.0.0.1:9464", "not a URL"),
    ],
)
def test_admin_listener_that_cannot_be_asked_is_a_mistake_of_the_configuration(
    command: Command, stopped: Files, admin: str | None, said: str
) -> None:
    _rename_admin(stopped, admin)

    done = command("gateway", "status", "--config", stopped.config)

    assert done.code == 3
    assert said in done.err


def test_wait_ends_when_the_gateway_is_ready(stopped: Files) -> None:
    with (
        Started("gateway", "wait", "--config", stopped.config) as waiting,
        served(stopped.config),
    ):
        code = waiting.process.wait(60)

    assert code == 0


def test_wait_that_is_in_vain_says_why(command: Command, stopped: Files) -> None:
    done = command("gateway", "wait", "--timeout", "0", "--config", stopped.config)

    assert done.code == 1
    assert "not ready after 0 seconds: admin listener: no answer" in done.err


def test_wait_asks_until_the_answer_is_good() -> None:
    clock, answers = Clock(), iter([NOT_READY, NOT_READY, READY])

    found = await_ready(lambda: next(answers), 60, clock=clock, sleep=clock.sleep)

    assert found is READY
    assert len(clock.pauses) == 2


def test_wait_does_not_ask_after_its_time() -> None:
    clock = Clock()

    found = await_ready(lambda: NOT_READY, 1, clock=clock, sleep=clock.sleep)

    assert found is NOT_READY
    assert 1 <= sum(clock.pauses) < 1.5


def _rename_admin(files: Files, admin: str | None) -> None:
    text = files.config.read_text(encoding="utf-8")
    line = f'admin = "unix:{files.admin}"'
    assert line in text
    files.config.write_text(text.replace(line, f'admin = "{admin}"' if admin else ""))
