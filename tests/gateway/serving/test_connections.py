"""What a client may do with a connection: how long it may take, and what it may speak."""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from dfns_signers.gateway.serving.bounds import MAX_HEAD, Bounds
from tests.core.client.scripted import Reply, ScriptedApi
from tests.gateway.holding import held_gateway
from tests.gateway.processes import eventually
from tests.gateway.requests.raw_sockets import connection_to, head, received, status_of
from tests.gateway.running import (
    LISTEN,
    READER,
    RunningGateway,
    configuration_for,
    running_gateway,
    served,
)

GATEWAY = LISTEN + READER
NEVER = 3600.0


# Deadlines


def nothing(_connection: socket.socket, _url: str) -> None:
    """Say nothing."""


def half_a_head(connection: socket.socket, url: str) -> None:
    connection.sendall(head(url)[:-2])


def half_a_body(connection: socket.socket, url: str) -> None:
    connection.sendall(
        head(url, "POST /wallets HTTP/1.1", "Content-Type: application/json", "Content-Length: 9")
        + b"{"
    )


def a_request(connection: socket.socket, url: str) -> None:
    connection.sendall(head(url))


def a_request_and_half_a_head(connection: socket.socket, url: str) -> None:
    connection.sendall(head(url) + head(url)[:-2])


@pytest.mark.parametrize(
    ("sent", "bounds"),
    [
        (nothing, Bounds(head=0.2, body=NEVER, idle=NEVER)),
        (half_a_head, Bounds(head=0.2, body=NEVER, idle=NEVER)),
        (half_a_body, Bounds(head=NEVER, body=0.2, idle=NEVER)),
        (a_request, Bounds(head=NEVER, body=NEVER, idle=0.2)),
        (a_request_and_half_a_head, Bounds(head=0.2, body=NEVER, idle=NEVER)),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_connection_that_is_slow_or_idle_is_closed(
    tmp_path: Path, sent: Callable[[socket.socket, str], None], bounds: Bounds
) -> None:
    with (
        running_gateway(tmp_path, GATEWAY, bounds=bounds) as gateway,
        connection_to(gateway.urls[0]) as connection,
    ):
        sent(connection, gateway.urls[0])

        received(connection)  # ends when the gateway closes


@pytest.mark.parametrize(
    ("begun", "bounds"),
    [
        (half_a_head, Bounds(head=0.5, body=NEVER, idle=NEVER)),
        (half_a_body, Bounds(head=NEVER, body=0.5, idle=NEVER)),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_no_byte_that_a_client_sends_prolongs_its_time(
    tmp_path: Path, begun: Callable[[socket.socket, str], None], bounds: Bounds
) -> None:
    with (
        running_gateway(tmp_path, GATEWAY, bounds=bounds) as gateway,
        connection_to(gateway.urls[0]) as connection,
    ):
        begun(connection, gateway.urls[0])

        assert is_closed_while_sending(connection)


def is_closed_while_sending(connection: socket.socket) -> bool:
    """Whether a connection ends although a byte is sent again and again."""
    connection.settimeout(0.1)
    for _ in range(300):
        try:
            connection.sendall(b" ")
            return connection.recv(1) == b""
        except TimeoutError:
            continue
        except OSError:
            return True
    return False


def test_client_that_does_not_take_its_answer_is_closed(tmp_path: Path) -> None:
    large = {"items": ["x" * 1000] * 7_500}  # more than the sockets keep, and less than is refused
    admin = f"{tmp_path}/admin.sock"
    with ScriptedApi() as upstream:
        upstream.on("/wallets", always=Reply(body=large))
        listening = f'admin = "unix:{admin}"\n{GATEWAY}'
        file = configuration_for(upstream.url, tmp_path, listening)
        with served(file, Bounds(idle=0.2)) as urls, connection_to(urls[0]) as connection:
            connection.sendall(head(urls[0]))

            eventually(lambda: len(upstream.sent("/wallets")) == 1, "the call is sent on")
            eventually(lambda: connections_of(admin) == 0, "the connection is closed")

            taken = received(connection)
            assert status_of(taken) == 200
            assert len(taken) < 7_500_000


def connections_of(admin: str) -> float:
    transport = httpx.HTTPTransport(uds=admin)
    with httpx.Client(transport=transport, base_url="http://localhost") as client:
        text = client.get("/metrics").text
    series = 'dfns_gateway_connections{listener="127.0.0.1:0"} '
    return float(next(line for line in text.splitlines() if line.startswith(series)).split()[-1])


# Half-closed connections


@pytest.mark.parametrize("further", [b"", b"GET /wallets HTTP/1.1\r\n"], ids=["one", "and a half"])
def test_client_that_sends_no_more_gets_its_answer(tmp_path: Path, further: bytes) -> None:
    with (
        held_gateway(tmp_path, GATEWAY) as (file, upstream, _),
        served(file) as urls,
        connection_to(urls[0]) as connection,
    ):
        connection.sendall(head(urls[0]) + further)
        connection.shutdown(socket.SHUT_WR)
        eventually(lambda: len(upstream.held) == 1, "the call is under way")
        upstream.let_go.set()

        assert status_of(received(connection)) == 200
        assert len(upstream.held) == 1


def test_client_that_breaks_off_its_body_is_closed(tmp_path: Path) -> None:
    with (
        running_gateway(tmp_path, GATEWAY, bounds=Bounds(body=NEVER)) as gateway,
        connection_to(gateway.urls[0]) as connection,
    ):
        half_a_body(connection, gateway.urls[0])
        connection.shutdown(socket.SHUT_WR)

        received(connection)  # ends when the gateway closes


# Other protocols


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningGateway]:
    with running_gateway(tmp_path_factory.mktemp("gateway"), GATEWAY) as running:
        yield running


@pytest.mark.parametrize(
    "offer",
    [
        ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAEAAEAAAAIAAAAA"),
        ("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13"),
    ],
    ids=["h2c", "websocket"],
)
def test_offer_of_another_protocol_is_passed_over_in_silence(
    gateway: RunningGateway, offer: tuple[str, ...], caplog: pytest.LogCaptureFixture
) -> None:
    url = gateway.urls[0]
    with caplog.at_level(logging.INFO), connection_to(url) as connection:
        connection.sendall(head(url, "GET /wallets HTTP/1.1", *offer))
        answer = connection.recv(65536)

    assert status_of(answer) == 200
    assert b"pgrade" not in answer
    assert logged_of_http(caplog) == []


def logged_of_http(caplog: pytest.LogCaptureFixture) -> list[str]:
    servers = ("uvicorn", "dfns_signers.gateway.http")
    return [record.getMessage() for record in caplog.records if record.name.startswith(servers)]


@pytest.mark.parametrize(
    "line",
    ["PRI * HTTP/2.0", "CONNECT api.dfns.io:443 HTTP/1.1", "GET /wallets HTTP/0.9", "\x16\x03\x01"],
)
def test_other_protocol_is_refused_and_closed(
    gateway: RunningGateway, line: str, caplog: pytest.LogCaptureFixture
) -> None:
    before = len(gateway.emulator.requests)
    with connection_to(gateway.urls[0]) as connection:
        connection.sendall(head(gateway.urls[0], line, "Connection: close"))
        answer = received(connection)

    assert 400 <= status_of(answer) < 500
    assert len(gateway.emulator.requests) == before
    assert logged_of_http(caplog) == []


def test_head_without_end_is_refused(gateway: RunningGateway) -> None:
    with connection_to(gateway.urls[0]) as connection:
        connection.sendall(head(gateway.urls[0])[:-2] + b"X-Long: " + b"x" * 2 * MAX_HEAD)

        assert 400 <= status_of(received(connection)) < 500


def test_body_that_breaks_off_reaches_nobody(gateway: RunningGateway) -> None:
    url, before = gateway.urls[0], len(gateway.emulator.requests)
    with connection_to(url) as connection:
        connection.sendall(
            head(
                url,
                "POST /wallets HTTP/1.1",
                "Content-Type: application/json",
                "Transfer-Encoding: chunked",
            )
            + b"not a chunk\r\n"
        )
        answer = received(connection)

    assert status_of(answer) == 400
    assert b'"error"' in answer
    assert len(gateway.emulator.requests) == before
