"""Connections that fail, hang or break are errors of this package, and say what became of it."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import httpx
import pytest

from dfns_signers.errors import TransportError, TransportTimeoutError
from dfns_signers.signer import KeySigner
from tests.core.client.driving import Connector, Driven
from tests.core.client.scripted import CUT, SILENCE, Reply, ScriptedApi
from tests.core.client.transports import FailingTransport

pytestmark = pytest.mark.usefixtures("pauses")


@pytest.fixture
def closed_port() -> Iterator[str]:
    with socket.socket() as bound:  # so that no server of another test gets the port
        bound.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{bound.getsockname()[1]}"


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_refused_connection_had_no_effect(
    connect: Connector, signer: KeySigner, closed_port: str, method: str
) -> None:
    dfns = connect("token", signer, base_url=closed_port)

    with pytest.raises(TransportError, match="took no effect") as caught:
        dfns.call(lambda client: client.request(method, "/wallets", signed=False))

    assert f"{method} {closed_port}/wallets failed" in str(caught.value)

    assert not isinstance(caught.value, TransportTimeoutError)
    assert not caught.value.may_have_taken_effect
    assert isinstance(caught.value.__cause__, httpx.ConnectError)


def test_server_that_never_answers_is_a_timeout(connect: Connector, api: ScriptedApi) -> None:
    api.on("/wallets", SILENCE)
    dfns = connect("token", base_url=api.url, timeout=0.05, max_attempts=1)

    with pytest.raises(TransportTimeoutError, match=rf"GET {api.url}/wallets timed out") as caught:
        dfns.call(lambda client: client.get("/wallets"))

    assert not caught.value.may_have_taken_effect
    api.released.set()


def test_cut_connection_of_a_call_is_not_repeated(scripted: Driven, api: ScriptedApi) -> None:
    api.on("/wallets", CUT)

    with pytest.raises(TransportError, match="may have taken effect") as caught:
        scripted.call(lambda client: client.post("/wallets", json={"network": "Bitcoin"}))

    assert caught.value.may_have_taken_effect
    assert len(api.sent("/wallets")) == 1


def test_cut_connection_of_a_read_is_repeated(scripted: Driven, api: ScriptedApi) -> None:
    api.on("/wallets", CUT, CUT, Reply(body={"items": []}))

    assert scripted.call(lambda client: client.get("/wallets")) == {"items": []}
    assert len(api.sent("/wallets")) == 3


BEFORE_SENDING = [httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError]
AFTER_SENDING = [
    httpx.ReadTimeout,
    httpx.WriteTimeout,
    httpx.ReadError,
    httpx.WriteError,
    httpx.CloseError,
    httpx.RemoteProtocolError,
    httpx.DecodingError,
]


@pytest.mark.parametrize("failure", BEFORE_SENDING)
def test_failure_before_the_call_is_sent_is_repeated_and_had_no_effect(
    connect: Connector, api: ScriptedApi, signer: KeySigner, failure: type[httpx.RequestError]
) -> None:
    transport = FailingTransport({"/wallets": failure("failed")})
    dfns = connect("token", signer, base_url=api.url, http_client=connect.http(transport=transport))

    with pytest.raises(TransportError) as caught:
        dfns.call(lambda client: client.post("/wallets"))

    assert not caught.value.may_have_taken_effect
    assert isinstance(caught.value, TransportTimeoutError) is issubclass(
        failure, httpx.TimeoutException
    )
    assert [request.url.path for request in transport.requests].count("/wallets") == 3


@pytest.mark.parametrize("failure", AFTER_SENDING)
@pytest.mark.parametrize(
    ("external_id", "tried"), [(None, 1), ("order-7", 3)], ids=["no externalId", "externalId"]
)
def test_failure_after_the_call_was_sent_is_repeated_only_with_external_id(
    connect: Connector,
    api: ScriptedApi,
    signer: KeySigner,
    external_id: str | None,
    tried: int,
    failure: type[httpx.RequestError],
) -> None:
    transport = FailingTransport({"/wallets": failure("failed")})
    dfns = connect("token", signer, base_url=api.url, http_client=connect.http(transport=transport))

    with pytest.raises(TransportError, match="look before you repeat it") as caught:
        dfns.call(lambda client: client.wallets.create(network="Bitcoin", external_id=external_id))

    assert caught.value.may_have_taken_effect
    assert [request.url.path for request in transport.requests].count("/wallets") == tried


@pytest.mark.parametrize("failure", [*BEFORE_SENDING, *AFTER_SENDING])
@pytest.mark.parametrize("step", ["/auth/action/init", "/auth/action"])
def test_failing_step_is_repeated_and_had_no_effect(
    connect: Connector,
    api: ScriptedApi,
    signer: KeySigner,
    step: str,
    failure: type[httpx.RequestError],
) -> None:
    transport = FailingTransport({step: failure("failed")})
    dfns = connect("token", signer, base_url=api.url, http_client=connect.http(transport=transport))

    with pytest.raises(TransportError, match=step) as caught:
        dfns.call(lambda client: client.post("/wallets"))

    assert not caught.value.may_have_taken_effect
    assert [request.url.path for request in transport.requests].count(step) == 3
    assert api.sent("/wallets") == []


def test_timeout_reaches_every_request_of_the_exchange(
    connect: Connector, api: ScriptedApi, signer: KeySigner
) -> None:
    transport = FailingTransport()
    http = connect.http(transport=transport, timeout=httpx.Timeout(7, connect=3))
    dfns = connect("token", signer, base_url=api.url, http_client=http)

    dfns.call(lambda client: client.post("/wallets"))

    wanted = {"connect": 3, "read": 7, "write": 7, "pool": 7}
    assert [request.extensions["timeout"] for request in transport.requests] == [wanted] * 3
