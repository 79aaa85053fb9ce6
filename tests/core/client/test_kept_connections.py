"""As many connections as calls at once, each used again for as long as it is good."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import anyio
import anyio.to_thread
import httpx
import pytest

from dfns_signers import AsyncDfnsClient, DfnsClient
from dfns_signers.client import keep_alive
from dfns_signers.errors import ConfigurationError, TransportError
from tests.core.client.driving import Connector
from tests.core.client.keep_alive import KeepAliveApi
from tests.support.certificates import Authority
from tests.support.interruption import Act, at_each_line

AT_ONCE = 120  # more than httpx has at once, and many more than it keeps
PATIENCE = 20
BACKENDS = pytest.mark.parametrize("backend", ["asyncio", "trio"])


@contextmanager
def serving(serve: Callable[[socket.socket], None]) -> Iterator[int]:
    """The port of a server; each connection is served in a thread, until the end at most."""
    threads: list[threading.Thread] = []
    connections: list[socket.socket] = []

    def closed_after(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            serve(connection)

    def accept() -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                connection.settimeout(PATIENCE)
                connections.append(connection)
                threads.append(threading.Thread(target=closed_after, args=[connection]))
                threads[-1].start()

    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        acceptor = threading.Thread(target=accept)
        acceptor.start()
        try:
            yield listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            acceptor.join(PATIENCE)
            for connection in connections:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
    for thread in threads:
        thread.join(PATIENCE)
        assert not thread.is_alive()


def answer(body: str) -> bytes:
    return f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()


def get(client: Any) -> Any:
    return client.get("/wallets")


def ports_of_threads(url: str) -> list[list[int]]:
    with DfnsClient("token", base_url=url) as dfns, ThreadPoolExecutor(AT_ONCE) as threads:
        rounds = [list(threads.map(get, [dfns] * AT_ONCE)) for _ in range(2)]
    return [[found["port"] for found in answers] for answers in rounds]


async def ports_of_tasks(url: str) -> list[list[int]]:
    rounds: list[list[int]] = []

    async def note(dfns: AsyncDfnsClient) -> None:
        rounds[-1].append((await dfns.get("/wallets"))["port"])

    async with AsyncDfnsClient("token", base_url=url) as dfns:
        for _ in range(2):
            rounds.append([])
            async with anyio.create_task_group() as tasks:
                for _ in range(AT_ONCE):
                    tasks.start_soon(note, dfns)
    return rounds


@pytest.mark.parametrize(
    "ports",
    [
        ports_of_threads,
        lambda url: anyio.run(ports_of_tasks, url, backend="asyncio"),
        lambda url: anyio.run(ports_of_tasks, url, backend="trio"),
    ],
    ids=["threads", "asyncio", "trio"],
)
def test_calls_at_once_have_a_connection_each_and_all_are_used_again(
    ports: Callable[[str], list[list[int]]],
) -> None:
    with KeepAliveApi(at_once=AT_ONCE) as api:
        first, again = ports(api.url)
        assert api.wait_until_nobody_is_connected()

    assert len(set(first)) == AT_ONCE
    assert set(again) == set(first)


def test_connection_is_not_used_again_once_it_was_idle_for_too_long(connect: Connector) -> None:
    with KeepAliveApi() as api:
        dfns = connect("token", base_url=api.url, keepalive_expiry=0)

        assert dfns.call(get)["port"] != dfns.call(get)["port"]


@BACKENDS
def test_connections_that_nobody_needs_any_more_are_closed_as_they_expire(
    backend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    monkeypatch.setattr(keep_alive, "time", SimpleNamespace(monotonic=lambda: now[0]))

    async def call(dfns: AsyncDfnsClient) -> None:
        await dfns.get("/wallets")

    async def run() -> None:
        async with AsyncDfnsClient("token", base_url=api.url, keepalive_expiry=60) as dfns:
            async with anyio.create_task_group() as tasks:
                for _ in range(2):
                    tasks.start_soon(call, dfns)
            api.expect_at_once(1)
            now[0] = 61.0
            await dfns.get("/wallets")
            assert await anyio.to_thread.run_sync(api.wait_until_connected, 1)

    with KeepAliveApi(at_once=2) as api:
        anyio.run(run, backend=backend)


def test_connections_are_found_also_where_the_handler_of_a_signal_looks_for_some() -> None:
    answers: list[int] = []

    with KeepAliveApi() as api, ExitStack() as transports:

        def prepared() -> tuple[Act, Act]:
            transport = keep_alive.KeepAliveTransport(api.url, None, 60)
            transports.callback(transport.close)

            def send() -> None:
                request = httpx.Request("GET", f"{api.url}/wallets")
                with closing(transport.handle_request(request)) as response:
                    answers.append(len(response.read()))

            send()
            return send, send

        for number in at_each_line(keep_alive, prepared, elsewhere=False):
            assert len(answers) == 3 * number


def test_connection_that_the_server_closed_is_not_used_again(connect: Connector) -> None:
    closed = threading.Semaphore(0)

    def answer_once(connection: socket.socket) -> None:
        with connection:
            connection.recv(65_536)
            connection.sendall(answer("{}"))
        closed.release()

    with serving(answer_once) as port:
        dfns = connect("token", base_url=f"http://127.0.0.1:{port}", max_attempts=1)
        for _ in range(3):
            assert dfns.call(get) == {}
            assert closed.acquire(timeout=PATIENCE)


@BACKENDS
def test_connection_of_a_cancelled_call_is_not_used_again(backend: str) -> None:
    async def run(port: int) -> Any:
        async with AsyncDfnsClient("token", base_url=f"http://127.0.0.1:{port}") as dfns:
            with anyio.CancelScope() as scope:
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(dfns.get, "/cancelled")
                    await anyio.to_thread.run_sync(arrived.wait, PATIENCE)
                    scope.cancel()
            return await dfns.get("/wallets")

    arrived = threading.Event()

    def serve(connection: socket.socket) -> None:
        while head := connection.recv(65_536):
            arrived.set()
            if b"/cancelled" in head:
                assert connection.recv(1) == b""  # the client has left
                connection.sendall(answer('"of the cancelled call"'))
            else:
                connection.sendall(answer('"of this call"'))

    with serving(serve) as port:
        assert anyio.run(run, port, backend=backend) == "of this call"


def test_connection_that_was_to_be_used_is_kept_where_asyncio_cancels_before_that() -> None:
    is_first_back, is_closed = threading.Event(), threading.Event()

    def serve(connection: socket.socket) -> None:
        while head := connection.recv(65_536):
            is_last = b"/last-back" in head
            assert not is_last or is_first_back.wait(PATIENCE)
            connection.sendall(answer(str(connection.getpeername()[1])))
            if is_last:
                connection.close()
                is_closed.set()
                return

    async def run(url: str) -> None:
        transport = keep_alive.AsyncKeepAliveTransport(url, None, 60)
        async with httpx.AsyncClient(transport=transport, base_url=url) as http:
            last_back = asyncio.create_task(http.get("/last-back"))
            await asyncio.sleep(0)
            first_back = await http.get("/first-back")
            is_first_back.set()
            await last_back
            assert await anyio.to_thread.run_sync(is_closed.wait, PATIENCE)
            # Finds the connection that is closed, and closes it, too.
            cancelled = asyncio.create_task(http.get("/cancelled"))
            await asyncio.sleep(0)
            cancelled.cancel()
            with pytest.raises(asyncio.CancelledError):
                await cancelled

            assert (await http.get("/")).text == first_back.text

    with serving(serve) as port:
        asyncio.run(run(f"http://127.0.0.1:{port}"))


def test_connection_that_broke_within_an_answer_is_not_used_again(connect: Connector) -> None:
    answers = iter([answer("{}")[:-1], answer('"whole"')])

    def serve(connection: socket.socket) -> None:
        while connection.recv(65_536):
            connection.sendall(part := next(answers))
            if part.endswith(b"{"):
                return

    with serving(serve) as port:
        dfns = connect("token", base_url=f"http://127.0.0.1:{port}", max_attempts=1)
        with pytest.raises(TransportError):
            dfns.call(get)

        assert dfns.call(get) == "whole"


@pytest.fixture
def tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """Of a server on localhost that clients trust."""
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    return issued(tmp_path)


def issued(folder: Path) -> ssl.SSLContext:
    """Of a server on localhost with a new certificate, of a new authority."""
    Authority(folder).issue("server", "localhost")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem", folder / "server.key")
    return context


def test_answer_in_a_record_of_its_own_that_nobody_asked_for_is_not_that_to_the_next_request(
    connect: Connector, tls: ssl.SSLContext
) -> None:
    def serve(connection: socket.socket) -> None:
        received, sent = ssl.MemoryBIO(), ssl.MemoryBIO()
        secure = tls.wrap_bio(received, sent, server_side=True)

        def once_received(action: Callable[[], Any]) -> Any:
            while True:
                try:
                    return action()
                except ssl.SSLWantReadError:
                    connection.sendall(sent.read())
                    if not (data := connection.recv(65_536)):
                        raise ConnectionResetError from None
                    received.write(data)

        once_received(secure.do_handshake)
        while head := once_received(lambda: secure.read(65_536)):
            name = head.split()[1].decode()
            secure.write(answer(f'"{name}"'))
            if name == "/first":
                secure.write(answer('"surplus"'))
            connection.sendall(sent.read())  # both records at once

    with serving(serve) as port:
        dfns = connect("token", base_url=f"https://localhost:{port}")

        names = [
            dfns.call(lambda client: client.get("/first")),
            dfns.call(lambda client: client.get("/second")),
        ]

    assert names == ["/first", "/second"]


def test_certificates_that_were_replaced_are_those_that_clients_trust_from_then_on(
    connect: Connector, tls: ssl.SSLContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The other tests read the certificates once.
    read: Any = ssl.create_default_context
    monkeypatch.setattr(ssl, "create_default_context", read.__wrapped__)
    contexts = [tls]

    def serve(connection: socket.socket) -> None:
        with contexts[-1].wrap_socket(connection, server_side=True) as secure:
            secure.recv(65_536)
            secure.sendall(answer("{}"))

    with serving(serve) as port:
        url = f"https://localhost:{port}"
        assert connect("token", base_url=url).call(get) == {}
        contexts.append(issued(tmp_path))

        assert connect("token", base_url=url, max_attempts=1).call(get) == {}


@BACKENDS
def test_socket_is_closed_where_the_time_is_over_during_the_handshake_of_tls(
    backend: str, tls: ssl.SSLContext
) -> None:
    left = threading.Event()

    def say_nothing(connection: socket.socket) -> None:
        while connection.recv(65_536):
            pass
        left.set()

    async def run(port: int) -> None:
        url = f"https://localhost:{port}"
        async with AsyncDfnsClient("token", base_url=url, call_timeout=0.2) as dfns:
            with pytest.raises(TransportError):
                await dfns.get("/wallets")
            assert await anyio.to_thread.run_sync(left.wait, PATIENCE)

    with serving(say_nothing) as port:
        anyio.run(run, port, backend=backend)


def test_proxy_of_the_environment_is_used(
    connect: Connector, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[bytes] = []

    def refuse(connection: socket.socket) -> None:
        seen.append(connection.recv(65_536).split(b"\r\n")[0])
        connection.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")

    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    with serving(refuse) as port:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{port}")
        dfns = connect("token", base_url="https://api.example", max_attempts=1)
        with pytest.raises(TransportError, match="403"):
            dfns.call(get)

    assert seen == [b"CONNECT api.example:443 HTTP/1.1"]


@pytest.mark.parametrize("seconds", [-1, 86_401, "5", True, float("nan"), None])
def test_time_to_keep_idle_connections_that_is_none_is_refused(
    connect: Connector, seconds: Any
) -> None:
    with pytest.raises(ConfigurationError, match="'keepalive_expiry' must be a number of seconds"):
        connect("token", keepalive_expiry=seconds)
