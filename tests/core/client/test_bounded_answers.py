"""No answer fills the memory: bodies are unpacked up to a limit, with any httpx client."""

from __future__ import annotations

import gzip
import json
import tracemalloc
import zlib
from collections.abc import AsyncIterator, Iterator
from typing import Any

import anyio
import anyio.lowlevel
import httpx
import pytest

from dfns_signers import AsyncDfnsClient
from dfns_signers.errors import ApiError, BadRequestError, ServerError, UnexpectedResponseError
from dfns_signers.signer import KeySigner
from dfns_signers.user_action.httpx_auth import UserActionAuth
from dfns_signers.user_action.responses import bounded
from tests.core.client.driving import Connector, Driven
from tests.core.client.scripted import Reply, ScriptedApi

STEPS = ["/auth/action/init", "/auth/action"]
MIB = 2**20
GZIP = {"Content-Encoding": "gzip"}


def gzipped(content: bytes, status: int = 200, encoding: str = "gzip") -> Reply:
    return Reply(status, gzip.compress(content), {"Content-Encoding": encoding})


def text_of(size: int) -> bytes:
    """JSON of so many bytes."""
    return b'"' + b"x" * (size - 2) + b'"'


@pytest.fixture(params=["own", "given"])
def dfns(
    request: pytest.FixtureRequest, connect: Connector, api: ScriptedApi, signer: KeySigner
) -> Driven:
    """A client with an httpx client of its own, and with one of the caller."""
    options = {"http_client": connect.http()} if request.param == "given" else {}
    return connect("token", signer, base_url=api.url, max_attempts=1, **options)


def test_every_request_asks_for_gzip_alone(dfns: Driven, api: ScriptedApi) -> None:
    dfns.call(lambda client: client.post("/wallets"))

    assert {seen.headers["accept-encoding"] for seen in api.seen} == {"gzip"}
    assert len(api.seen) == 3


def test_answer_of_more_objects_than_memory_holds_is_refused(
    dfns: Driven, api: ScriptedApi
) -> None:
    api.on("/wallets", gzipped(b"[" + b"{}," * 200_000 + b"0]"))

    with pytest.raises(UnexpectedResponseError):
        dfns.call(lambda client: client.get("/wallets"))


@pytest.mark.parametrize(
    "reply",
    [
        gzipped(b'{"id":"wa-1"}'),
        gzipped(b'{"id":"wa-1"}', encoding=" X-GZIP "),
        Reply(200, zlib.compress(b'{"id":"wa-1"}'), {"Content-Encoding": "deflate"}),
        Reply(200, b'{"id":"wa-1"}', {"Content-Encoding": "identity"}),
        gzipped(text_of(8 * MIB)),
        Reply(200, text_of(8 * MIB)),
    ],
    ids=["gzip", "x-gzip", "deflate", "identity", "8 MiB packed", "8 MiB"],
)
def test_answer_within_the_limit_is_read(dfns: Driven, api: ScriptedApi, reply: Reply) -> None:
    api.on("/wallets", reply)

    answer = dfns.call(lambda client: client.get("/wallets"))

    assert answer == {"id": "wa-1"} or len(answer) == 8 * MIB - 2


@pytest.mark.parametrize("reply", [Reply(204), Reply(200, b"", {"Content-Encoding": "gzip"})])
def test_empty_answer_is_none_however_it_is_packed(
    dfns: Driven, api: ScriptedApi, reply: Reply
) -> None:
    api.on("/wallets", reply)

    assert dfns.call(lambda client: client.get("/wallets")) is None


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (gzipped(text_of(8 * MIB + 1)), "more than 8,388,608 bytes"),
        (Reply(200, text_of(8 * MIB + 1)), "more than 8,388,608 bytes"),
        (Reply(200, gzip.compress(b"{}") + bytes(8 * MIB), GZIP), "more than 8,388,608 bytes"),
        (Reply(200, b"{}", {"Content-Encoding": "br"}), "the encoding 'br'"),
        (Reply(200, b"{}", {"Content-Encoding": "gzip, gzip"}), "the encoding 'gzip, gzip'"),
        (Reply(200, b"{}", {"Content-Encoding": "gzip"}), "damaged"),
        (Reply(200, gzip.compress(b"{}")[:-9], {"Content-Encoding": "gzip"}), "ends within"),
    ],
    ids=["bomb", "long", "padded", "brotli", "packed twice", "damaged", "cut"],
)
def test_answer_that_cannot_be_unpacked_is_refused_with_the_doubt(
    dfns: Driven, api: ScriptedApi, reply: Reply, reason: str
) -> None:
    api.on("/wallets", reply, reply)

    with pytest.raises(UnexpectedResponseError, match=reason) as caught:
        dfns.call(lambda client: client.post("/wallets"))
    assert caught.value.may_have_taken_effect

    with pytest.raises(UnexpectedResponseError, match=reason) as caught:
        dfns.call(lambda client: client.get("/wallets"))
    assert not caught.value.may_have_taken_effect


@pytest.mark.parametrize("step", STEPS)
def test_step_that_answers_with_more_than_its_limit_is_refused(
    dfns: Driven, api: ScriptedApi, step: str
) -> None:
    api.on(step, gzipped(text_of(MIB + 1)))

    with pytest.raises(UnexpectedResponseError, match=f"{step} .* more than 1,048,576") as caught:
        dfns.call(lambda client: client.post("/wallets"))

    assert not caught.value.may_have_taken_effect
    assert api.sent("/wallets") == []


@pytest.mark.parametrize("place", ["/wallets", *STEPS])
@pytest.mark.parametrize(
    "reply",
    [
        gzipped(b"x" * 50 * MIB, 503),
        Reply(503, b"x" * MIB),
        Reply(503, b"?", {"Content-Encoding": "br"}),
        Reply(503, b"?", {"Content-Encoding": "gzip"}),
    ],
    ids=["bomb", "long", "brotli", "damaged"],
)
def test_error_answer_is_cut_and_keeps_its_class(
    dfns: Driven, api: ScriptedApi, place: str, reply: Reply
) -> None:
    api.on(place, reply)

    with pytest.raises(ServerError, match="503") as caught:
        dfns.call(lambda client: client.post("/wallets"))

    assert len(caught.value.body) <= 2000
    assert caught.value.may_have_taken_effect is (place == "/wallets")


def test_envelope_of_an_error_within_the_limit_is_kept(dfns: Driven, api: ScriptedApi) -> None:
    error = {"message": "No", "details": "x" * 60 * 1024}
    api.on("/wallets", gzipped(json.dumps({"error": error}).encode(), 400))

    with pytest.raises(BadRequestError, match="No") as caught:
        dfns.call(lambda client: client.get("/wallets"))

    assert caught.value.details == error["details"]


@pytest.mark.parametrize("status", [200, 400])
def test_bomb_takes_no_more_memory_than_the_limit(
    connect: Connector, api: ScriptedApi, status: int
) -> None:
    dfns = connect("token", base_url=api.url, max_attempts=1)
    api.on("/wallets", gzipped(b" " * 200 * MIB, status))
    tracemalloc.start()
    try:
        with pytest.raises((ApiError, UnexpectedResponseError)):
            dfns.call(lambda client: client.get("/wallets"))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert peak < 64 * MIB


def test_announcement_of_a_delegated_client_is_limited_as_a_step(
    scripted_delegated: Driven, api: ScriptedApi
) -> None:
    api.on(STEPS[0], gzipped(text_of(MIB + 1)))

    with pytest.raises(UnexpectedResponseError, match="more than 1,048,576 bytes") as caught:
        scripted_delegated.call(lambda client: client.init("POST", "/wallets", json={}))

    assert not caught.value.may_have_taken_effect


class Body(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A body that ends late or never, and notes that it was left and closed."""

    def __init__(self, content: bytes = b"", *, never_ends: bool = False) -> None:
        self._content = content
        self._never_ends = never_ends
        self.begun = anyio.Event()
        self.taken = 0
        self.is_left = False
        self.is_closed = False

    def __iter__(self) -> Iterator[bytes]:
        for _ in range(100):
            self.taken += 1
            yield self._content

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            for piece in self:
                self.begun.set()
                yield piece
                if self._never_ends:
                    await anyio.sleep_forever()
        finally:
            self.is_left = True

    def close(self) -> None:
        self.is_closed = True

    async def aclose(self) -> None:
        await anyio.lowlevel.checkpoint()
        self.is_closed = True


@pytest.mark.parametrize("status", [200, 400])
def test_answer_that_is_too_long_is_read_no_further_and_closed(
    connect: Connector, status: int
) -> None:
    body = Body(bytes(9 * MIB))
    transport = httpx.MockTransport(lambda _: httpx.Response(status, stream=body))
    http = connect.http(transport=transport)
    dfns = connect("token", http_client=http, max_attempts=1)

    with pytest.raises((ApiError, UnexpectedResponseError)):
        dfns.call(lambda client: client.get("/wallets"))

    assert body.is_closed
    assert body.taken == 1


@pytest.mark.anyio
async def test_asynchronous_body_that_is_too_long_is_left_before_the_error() -> None:
    body = Body(bytes(9 * MIB))
    request = httpx.Request("GET", "https://api.dfns.io/wallets")
    response = bounded(httpx.Response(200, stream=body, request=request), call=True)

    with pytest.raises(UnexpectedResponseError) as _:
        await response.aread()

    assert body.is_left


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_answer_of_a_call_that_is_cancelled_is_closed(backend: str) -> None:
    async def run() -> bool:
        body = Body(b" ", never_ends=True)
        transport = httpx.MockTransport(lambda _: httpx.Response(200, stream=body))
        async with httpx.AsyncClient(transport=transport) as http:
            dfns = AsyncDfnsClient("token", http_client=http)
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(dfns.get, "/wallets")
                await body.begun.wait()
                tasks.cancel_scope.cancel()
        return body.is_closed

    assert anyio.run(run, backend=backend)


@pytest.mark.parametrize("step", STEPS)
def test_steps_are_limited_in_anybodys_httpx_client(
    api: ScriptedApi, signer: KeySigner, step: str
) -> None:
    api.on(step, gzipped(text_of(MIB + 1)))

    with (
        httpx.Client(auth=UserActionAuth("token", signer, base_url=api.url)) as http,
        pytest.raises(UnexpectedResponseError, match="more than 1,048,576 bytes"),
    ):
        http.post(f"{api.url}/wallets")


def test_answer_that_an_event_hook_has_read_is_taken_as_it_is(
    connect: Connector, api: ScriptedApi, signer: KeySigner
) -> None:
    def read(response: httpx.Response) -> None:
        response.read()

    async def aread(response: httpx.Response) -> None:
        await response.aread()

    hooks: dict[str, list[Any]] = {"response": [aread if connect.portal else read]}
    http = connect.http(event_hooks=hooks)
    dfns = connect("token", signer, base_url=api.url, http_client=http)
    api.on("/wallets", gzipped(b'{"id":"wa-1"}'))

    assert dfns.call(lambda client: client.post("/wallets")) == {"id": "wa-1"}
