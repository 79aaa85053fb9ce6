"""The bearer token comes from a text, a function or a secret, and is never repeated."""

from __future__ import annotations

import pickle
from collections.abc import Awaitable, Callable, Generator
from pathlib import Path
from typing import Any

import pytest

from dfns_signers.client.client import AsyncDfnsClient, DfnsClient
from dfns_signers.errors import ConfigurationError, DfnsSignersError
from dfns_signers.secrets import Secret
from dfns_signers.signer import KeySigner
from dfns_signers.user_action.httpx_auth import UserActionAuth
from tests.core.client.driving import Connector, Driven
from tests.core.client.scripted import Reply, ScriptedApi


def bearers(api: ScriptedApi) -> list[str]:
    return [seen.headers["authorization"] for seen in api.seen]


@pytest.mark.parametrize("source", ["tok-1", " tok-1\n", lambda: "tok-1", lambda: "tok-1\n"])
def test_token_is_a_text_or_a_function(
    connect: Connector, api: ScriptedApi, source: str | Callable[[], str]
) -> None:
    connect(source, base_url=api.url).call(lambda client: client.get("/wallets"))

    assert bearers(api) == ["Bearer tok-1"]


def test_function_is_asked_once_for_each_attempt(
    connect: Connector, api: ScriptedApi, signer: KeySigner, pauses: list[float]
) -> None:
    tokens = iter(["tok-1", "tok-2", "tok-3"])
    dfns = connect(lambda: next(tokens), signer, base_url=api.url)
    api.on("/wallets", Reply(429))

    dfns.call(lambda client: client.post("/wallets"))
    dfns.call(lambda client: client.get("/wallets"))

    assert bearers(api) == ["Bearer tok-1"] * 3 + ["Bearer tok-2"] * 3 + ["Bearer tok-3"]


def test_secret_in_a_file_is_read_anew(
    connect: Connector, api: ScriptedApi, tmp_path: Path
) -> None:
    file = tmp_path / "token"
    file.write_text("tok-old\n")
    dfns = connect(Secret.from_file(file), base_url=api.url)
    dfns.call(lambda client: client.get("/wallets"))

    file.write_text("tok-new\n")
    dfns.call(lambda client: client.get("/wallets"))

    assert bearers(api) == ["Bearer tok-old", "Bearer tok-new"]


async def provide() -> str:
    return "tok-1"


class Provider:
    """A provider whose call is a coroutine, though it is no coroutine function."""

    def __call__(self) -> Awaitable[str]:
        return provide()


class Later:
    """An awaitable that is no coroutine."""

    def __await__(self) -> Generator[Any, None, str]:
        return (yield from provide().__await__())


@pytest.mark.anyio
@pytest.mark.parametrize("source", [provide, Provider(), Later])
async def test_coroutine_function_is_a_provider_for_asynchronous_clients(
    api: ScriptedApi, source: Callable[[], Awaitable[str]]
) -> None:
    async with AsyncDfnsClient(source, base_url=api.url) as client:
        await client.get("/wallets")

    assert bearers(api) == ["Bearer tok-1"]


@pytest.mark.parametrize("source", [provide, Provider(), Later])
def test_coroutine_function_in_a_synchronous_client_is_refused_and_nothing_is_sent(
    api: ScriptedApi, source: Callable[[], Awaitable[str]]
) -> None:
    with (
        DfnsClient(source, base_url=api.url) as client,
        pytest.raises(ConfigurationError, match="needs an asynchronous client"),
    ):
        client.get("/wallets")

    assert api.seen == []


BAD = [
    "",
    " ",
    "se cret",
    "sec\nret",
    "sec\r\nX-Evil: 1",
    "sec\x00ret",
    "secrét",
    b"secret",
    None,
    7,
]


@pytest.mark.parametrize("token", BAD)
def test_bad_token_is_refused_without_being_repeated(connect: Connector, token: object) -> None:
    with pytest.raises(ConfigurationError, match="token") as caught:
        connect(token)

    assert_not_repeated(caught.value, token)


@pytest.mark.parametrize("token", BAD)
def test_bad_token_of_a_provider_is_refused_without_being_repeated_or_sent(
    connect: Connector, api: ScriptedApi, token: object
) -> None:
    dfns: Driven = connect(lambda: token, base_url=api.url)

    with pytest.raises(ConfigurationError, match="token") as caught:
        dfns.call(lambda client: client.get("/wallets"))

    assert_not_repeated(caught.value, token)
    assert api.seen == []


def assert_not_repeated(error: DfnsSignersError, token: object) -> None:
    if isinstance(token, str) and token.strip():
        assert token not in str(error)
        assert "sec" not in str(error)
    assert "secret" not in str(error)


def test_authentication_does_not_pickle_for_it_holds_the_token() -> None:
    with pytest.raises(TypeError, match="does not pickle"):
        pickle.dumps(UserActionAuth("canary-token"))
