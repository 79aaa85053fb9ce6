"""A forked child never uses the connections of its parent, nor ends them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.core.client.keep_alive import KeepAliveApi
from tests.support.forking import in_forked_child

MAKE = {
    "DfnsClient": """
        from dfns_signers import DfnsClient
        dfns = DfnsClient("token", base_url=argument)
        def port():
            return dfns.get("/wallets")["port"]
    """,
    "DelegatedDfnsClient": """
        from dfns_signers import DelegatedDfnsClient
        dfns = DelegatedDfnsClient("token", base_url=argument)
        def port():
            return dfns.get("/wallets")["port"]
    """,
    "AsyncDfnsClient": """
        import asyncio
        from dfns_signers import AsyncDfnsClient
        dfns = AsyncDfnsClient("token", base_url=argument)
        loop = asyncio.new_event_loop()
        def port():
            return loop.run_until_complete(dfns.get("/wallets"))["port"]
    """,
}

GIVEN = {
    "http_client": """
        import httpx
        from dfns_signers import DfnsClient
        dfns = DfnsClient("token", base_url=argument, http_client=httpx.Client())
        def read():
            return dfns.get("/wallets")
    """,
    "asynchronous http_client": """
        import asyncio, httpx
        from dfns_signers import AsyncDfnsClient
        dfns = AsyncDfnsClient("token", base_url=argument, http_client=httpx.AsyncClient())
        def read():
            return asyncio.run(dfns.get("/wallets"))
    """,
    "UserActionAuth": """
        import httpx
        from dfns_signers import UserActionAuth
        http = httpx.Client(base_url=argument, auth=UserActionAuth("token", base_url=argument))
        def read():
            return http.get("/wallets")
    """,
}


@pytest.fixture(scope="module")
def api() -> Iterator[KeepAliveApi]:
    with KeepAliveApi() as running:
        yield running


@pytest.mark.parametrize("kind", MAKE)
def test_child_connects_anew_and_the_parent_keeps_its_connection(
    api: KeepAliveApi, kind: str
) -> None:
    parents, childs, again = in_forked_child(
        f"{MAKE[kind]}\n        first = port()",
        "[first, port(), port()]",
        api.url,
        after="import gc; gc.collect(); assert port() == first",
    )

    assert childs != parents
    assert childs == again


@pytest.mark.parametrize("kind", GIVEN)
def test_http_client_that_was_used_before_the_fork_is_refused_in_the_child(
    api: KeepAliveApi, kind: str
) -> None:
    message = in_forked_child(f"{GIVEN[kind]}\n        read()", "outcome(read)", api.url)

    assert "this process was forked after" in message
    assert "in the child" in message
    assert "Nothing was sent" in message


@pytest.mark.parametrize("kind", GIVEN)
def test_http_client_that_was_not_used_before_the_fork_is_used_in_the_child(
    api: KeepAliveApi, kind: str
) -> None:
    assert in_forked_child(GIVEN[kind], "outcome(read)", api.url) == "signed"


@pytest.mark.parametrize("kind", ["DfnsClient", "AsyncDfnsClient"])
def test_fork_while_another_thread_uses_the_client_does_not_hang_the_child(
    api: KeepAliveApi, kind: str
) -> None:
    busy = f"""{MAKE[kind]}
        import threading
        port()  # imports what a call needs: a fork during an import hangs by itself
        def keep_busy():
            while not done.is_set():
                port()
        done = threading.Event()
        threading.Thread(target=keep_busy, daemon=True).start()
    """
    used = "port" if kind == "DfnsClient" else "(lambda: asyncio.run(dfns.get('/wallets')))"

    assert in_forked_child(busy, f"outcome({used})", api.url, after="done.set()") == "signed"


@pytest.mark.parametrize("kind", ["DfnsClient", "DelegatedDfnsClient"])
def test_child_closes_at_once_what_its_parent_is_using(api: KeepAliveApi, kind: str) -> None:
    using = f"""{MAKE[kind]}
        import threading, time
        from http.server import BaseHTTPRequestHandler, HTTPServer
        port()
        class Silent(BaseHTTPRequestHandler):
            def do_GET(self):
                arrived.set()
                done.wait()
        arrived, done = threading.Event(), threading.Event()
        server = HTTPServer(("127.0.0.1", 0), Silent)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        dfns = {kind}("token", base_url=f"http://127.0.0.1:{{server.server_port}}", max_attempts=1)
        threading.Thread(target=lambda: outcome(port), daemon=True).start()
        arrived.wait()
        def seconds_to_close():
            began = time.monotonic()
            dfns.close()
            return time.monotonic() - began
    """

    # It would wait ten seconds for a request of its own process.
    assert in_forked_child(using, "seconds_to_close()", api.url, after="done.set()") < 5


def test_child_of_a_child_waits_for_no_thread_that_was_connecting(api: KeepAliveApi) -> None:
    connecting = f"""{MAKE["DfnsClient"]}
        import threading
        from dfns_signers.client import connections
        port()
        first = os.fork()
        if first:
            sys.exit(os.waitstatus_to_exitcode(os.waitpid(first, 0)[1]))
        class Slow(connections.Http):
            def __init__(self, **options):
                is_connecting.set()
                done.wait()
                super().__init__(**options)
        is_connecting, done = threading.Event(), threading.Event()
        real, connections.Http = connections.Http, Slow
        threading.Thread(target=outcome, args=[port], daemon=True).start()
        is_connecting.wait()
        connections.Http = real
    """

    assert in_forked_child(connecting, "outcome(port)", api.url, after="done.set()") == "signed"


def test_threads_of_a_child_connect_once(api: KeepAliveApi) -> None:
    both = f"""{MAKE["DfnsClient"]}
        import threading
        from dfns_signers.client import connections
        from concurrent.futures import ThreadPoolExecutor
        port()
        made = []
        class Noted(connections.Http):
            def __init__(self, **options):
                made.append(self)
                with contextlib.suppress(threading.BrokenBarrierError):
                    both.wait(0.5)  # a second thread would get here
                super().__init__(**options)
        both = threading.Barrier(2)
        connections.Http = Noted
        def clients_of_two_threads():
            with ThreadPoolExecutor() as threads:
                list(threads.map(lambda _: port(), range(2)))
            return len(made)
        import contextlib
    """

    assert in_forked_child(both, "clients_of_two_threads()", api.url) == 1


@pytest.mark.parametrize("kind", ["DfnsClient", "AsyncDfnsClient"])
def test_child_closes_what_it_never_used(api: KeepAliveApi, kind: str) -> None:
    close = "dfns.close" if kind == "DfnsClient" else "(lambda: asyncio.run(dfns.aclose()))"

    assert in_forked_child(MAKE[kind], f"outcome({close})", api.url) == "signed"
