"""Blocking connections end with the time of the call, whatever the server does with its bytes."""

from __future__ import annotations

import contextlib
import itertools
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import NoReturn, TypeAlias

import httpcore
import httpx
import pytest

from dfns_signers import DfnsClient, deadlines
from dfns_signers.client.timed_connections import bounded, end_with_the_call
from dfns_signers.errors import TransportTimeoutError
from tests.support.certificates import Authority

Serve: TypeAlias = Callable[[socket.socket], None]

SECONDS = 0.1  # of a call; no read of these servers ever takes as long
EARLY = b"HTTP/1.1 103 Early Hints\r\n\r\n"
HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"


def dripping(first: bytes, rest: bytes) -> Serve:
    def serve(connection: socket.socket) -> None:
        connection.recv(65_536)
        for part in itertools.chain([first], itertools.repeat(rest)):
            connection.sendall(part)
            if stopped.wait(0.01):
                return

    return serve


def taking_nothing(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    while not stopped.wait(0.01):
        connection.recv(16)


stopped = threading.Event()
SERVERS = {
    "head": dripping(b"HTTP/1.1 200 OK\r\nX-Long: ", b"a"),
    "informational": dripping(EARLY, EARLY),
    "body": dripping(HEAD, b" "),
    "request body": taking_nothing,
}


@contextlib.contextmanager
def serving(serve: Serve) -> Iterator[int]:
    """The port of a server that takes one connection and never comes to an end."""
    stopped.clear()
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:

        def accept() -> None:
            with contextlib.suppress(OSError):
                connection, _ = listener.accept()
                with connection:
                    serve(connection)

        server = threading.Thread(target=accept)
        server.start()
        try:
            yield listener.getsockname()[1]
        finally:
            stopped.set()
            listener.shutdown(socket.SHUT_RDWR)
            server.join(10)


@pytest.fixture(params=SERVERS)
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    with serving(SERVERS[request.param]) as port:
        yield f"http://127.0.0.1:{port}"


@pytest.mark.timeout(20)
@pytest.mark.parametrize("proxied", [False, True])
def test_server_that_drips_is_left_when_the_time_is_over(url: str, proxied: bool) -> None:
    http = httpx.Client(proxy=url if proxied else None, timeout=600, trust_env=False)
    end_with_the_call(http)

    with http, deadlines.within(SECONDS), pytest.raises(httpx.TimeoutException):
        http.post("http://127.0.0.1:1" if proxied else url, content=bytes(32_000_000))


@pytest.mark.timeout(20)
def test_request_that_is_taken_slowly_is_left_while_it_is_written(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    taken: list[int] = []

    def take(connection: socket.socket) -> None:
        while not stopped.wait(0.01):
            taken.append(len(connection.recv(65_536)))

    little = [(socket.SOL_SOCKET, socket.SO_SNDBUF, 65_536)]  # at a time, so often
    http = httpx.Client(timeout=600, transport=httpx.HTTPTransport(socket_options=little))
    end_with_the_call(http)
    monkeypatch.setattr(deadlines, "remaining", lambda: 60.0 if len(taken) < 10 else 0.0)

    with serving(take) as port, http:
        with pytest.raises(httpx.WriteTimeout):
            http.post(f"http://127.0.0.1:{port}", content=bytes(32_000_000))
        assert sum(taken) < 16_000_000


@pytest.mark.timeout(20)
@pytest.mark.parametrize("url", ["body"], indirect=True)
def test_body_that_drips_ends_with_the_call_over_an_httpx_client_of_the_caller(url: str) -> None:
    http = httpx.Client(timeout=600, trust_env=False)

    with (
        http,
        DfnsClient("token", base_url=url, http_client=http, call_timeout=SECONDS) as dfns,
        pytest.raises(TransportTimeoutError, match="within the time of the call"),
    ):
        dfns.get("/wallets")


def test_addresses_of_a_host_share_the_time_that_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    left = [5.0]
    given: list[float | None] = []

    def connect(_: object, host: str, port: int, timeout: float | None, *__: object) -> NoReturn:
        given.append(timeout)
        left[0] -= 2.0
        raise httpcore.ConnectTimeout(host)

    found = [(0, 0, 0, "", (f"192.0.2.{number}", 443)) for number in range(1, 9)]
    monkeypatch.setattr(httpcore.SyncBackend, "connect_tcp", connect)
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    monkeypatch.setattr(deadlines, "remaining", lambda: max(0.0, left[0]))
    http = httpx.Client(timeout=600, trust_env=False)
    end_with_the_call(http)

    with http, pytest.raises(httpx.ConnectTimeout):
        http.get("http://api.example")

    assert given == [5.0, 3.0, 1.0]


@pytest.mark.timeout(20)
@pytest.mark.parametrize("url", ["head"], indirect=True)
def test_handshake_of_tls_ends_with_the_call(url: str) -> None:
    http = httpx.Client(timeout=600, trust_env=False)
    end_with_the_call(http)

    # The server drips what is no TLS record before the handshake is over.
    with http, deadlines.within(SECONDS), pytest.raises(httpx.TransportError):
        http.get(url.replace("http", "https"))


@pytest.mark.timeout(20)
def test_server_that_drips_over_tls_is_left_when_the_time_is_over(tmp_path: Path) -> None:
    Authority(tmp_path).issue("server", "localhost")
    of_server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    of_server.load_cert_chain(tmp_path / "server.pem", tmp_path / "server.key")
    of_client = ssl.create_default_context(cafile=tmp_path / "ca.pem")

    def answer_and_drip(connection: socket.socket) -> None:
        with of_server.wrap_socket(connection, server_side=True) as secure:
            secure.recv(65_536)
            secure.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            SERVERS["body"](secure)

    http = httpx.Client(timeout=600, trust_env=False, verify=of_client)
    end_with_the_call(http)

    with serving(answer_and_drip) as port, http:
        assert http.get(f"https://localhost:{port}").is_success  # the handshake takes its time
        with deadlines.within(SECONDS), pytest.raises(httpx.TimeoutException):
            http.get(f"https://localhost:{port}")


def test_nothing_is_begun_once_the_time_is_over() -> None:
    http = httpx.Client(timeout=10, trust_env=False)
    end_with_the_call(http)

    with http, deadlines.within(0), pytest.raises(httpx.ConnectTimeout, match="is over"):
        http.get("http://127.0.0.1:1")


def test_without_a_bound_the_timeouts_of_httpx_count(url: str) -> None:
    http = httpx.Client(timeout=httpx.Timeout(10, read=0.001, write=0.001), trust_env=False)
    end_with_the_call(http)

    with http, pytest.raises((httpx.ReadTimeout, httpx.WriteTimeout)):
        http.post(url, content=bytes(32_000_000))


def test_connection_that_the_server_closed_is_not_used_again() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"

        def answer_once_each() -> None:
            for _ in range(2):
                connection, _ = listener.accept()
                with connection:
                    connection.recv(65_536)
                    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
                closed.release()

        closed = threading.Semaphore(0)
        server = threading.Thread(target=answer_once_each)
        server.start()
        with httpx.Client(timeout=10, trust_env=False) as http:
            end_with_the_call(http)
            for _ in range(2):
                assert http.get(url).status_code == 200
                assert closed.acquire(timeout=10)
        server.join(10)


def test_machine_that_no_proxy_is_for_is_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("NO_PROXY", "api.dfns.io")

    with httpx.Client() as http:
        end_with_the_call(http)


@pytest.mark.timeout(20)
@pytest.mark.parametrize("url", ["head", "body"], indirect=True)
def test_connections_of_a_client_end_with_the_call(url: str) -> None:
    with (
        DfnsClient(
            "token", base_url=url, timeout=600, call_timeout=SECONDS, max_attempts=1
        ) as dfns,
        pytest.raises(TransportTimeoutError),
    ):
        dfns.get("/wallets")


@pytest.mark.parametrize(
    ("timeout", "shortest", "longest"), [(5, 5, 5), (None, 500, 600), (1000, 500, 600)]
)
def test_wait_is_the_shorter_of_its_timeout_and_what_is_left(
    timeout: float | None, shortest: float, longest: float
) -> None:
    with deadlines.within(600):
        seconds = bounded(timeout, httpcore.ReadTimeout)

    assert seconds is not None
    assert shortest <= seconds <= longest
