"""What is assembled from a profile: a signer, and clients that open and close its key."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest

from dfns_signers import (
    AsyncDelegatedDfnsClient,
    AsyncDfnsClient,
    DelegatedDfnsClient,
    DfnsClient,
    PemKey,
    load_signer,
)
from dfns_signers.backends.pem.options import PemOptions
from dfns_signers.backends.pem.plugin import PemBackend
from dfns_signers.client import connections
from dfns_signers.client.http_settings import AsyncHttp, Http
from dfns_signers.emulator import Emulator
from dfns_signers.errors import ConfigurationError, KeyNotFoundError, SigningKeyError
from dfns_signers.signing_key import SigningKey
from tests.core.config.support import write_config

CHALLENGE = {"challenge": "Y2gt", "challengeIdentifier": "eyJ0"}
CREATE = {"network": "EthereumSepolia"}


class Openings:
    """The keys that were opened, and the threads that opened them."""

    def __init__(self) -> None:
        self.keys: list[SigningKey] = []
        self.threads: list[threading.Thread] = []

    def key_is_closed(self) -> bool:
        (key,) = self.keys
        try:
            key.sign(b"message")
        except SigningKeyError as error:
            return "closed" in str(error)
        return False


@pytest.fixture
def openings(monkeypatch: pytest.MonkeyPatch) -> Openings:
    seen, original = Openings(), PemBackend.open

    def open_(self: PemBackend, options: PemOptions) -> SigningKey:
        key = original(self, options)
        seen.keys.append(key)
        seen.threads.append(threading.current_thread())
        return key

    monkeypatch.setattr(PemBackend, "open", open_)
    return seen


def test_load_signer_opens_the_key_of_the_profile(client_config: Path) -> None:
    with load_signer(config=client_config) as signer:
        assert signer.credential_id == "Y2kt"
        assert isinstance(signer.key, PemKey)
        assert signer.sign(CHALLENGE)["credentialAssertion"]["credId"] == "Y2kt"


def test_load_signer_takes_credential_id_and_signer_as_arguments(key_file: Path) -> None:
    signer = load_signer(credential_id="argument", signer=f"pem:?path={key_file}")

    with signer:
        assert signer.credential_id == "argument"


def test_load_signer_closes_the_key_with_the_signer(
    client_config: Path, openings: Openings
) -> None:
    with load_signer(config=client_config):
        assert not openings.key_is_closed()

    assert openings.key_is_closed()


def test_client_calls_the_api_of_the_profile_and_closes_the_key(
    client_config: Path, emulator: Emulator, openings: Openings
) -> None:
    with DfnsClient.from_config(config=client_config) as dfns:
        wallet = dfns.post("/wallets", json=CREATE)
        assert dfns.get("/wallets/{walletId}", path_params={"walletId": wallet["id"]}) == wallet
        assert not openings.key_is_closed()

    assert openings.key_is_closed()
    assert [request.raw_path for request in emulator.requests][:3] == [
        "/auth/action/init", "/auth/action", "/wallets"
    ]  # fmt: skip


def test_client_without_a_signer_reads(
    client_config: Path, emulator: Emulator, folder: Path
) -> None:
    reader = write_config(
        folder,
        f"[profiles.r]\nbase_url = '{emulator.url}'\nauth_token = '{emulator.auth_token}'",
        "reader.toml",
    )

    with DfnsClient.from_config("r", config=reader) as dfns:
        assert dfns.get("/wallets")["items"] == []


def test_asynchronous_client_opens_the_key_at_the_first_signature_in_another_thread(
    client_config: Path, openings: Openings
) -> None:
    async def use() -> None:
        async with AsyncDfnsClient.from_config(config=client_config) as dfns:
            await dfns.get("/wallets")
            assert openings.keys == []
            await dfns.post("/wallets", json=CREATE)
            assert not openings.key_is_closed()

    anyio.run(use)

    assert len(openings.keys) == 1
    assert openings.threads != [threading.current_thread()]
    assert openings.key_is_closed()


def test_asynchronous_client_opens_the_key_once_under_concurrency(
    client_config: Path, openings: Openings
) -> None:
    async def use() -> None:
        async with (
            AsyncDfnsClient.from_config(config=client_config) as dfns,
            anyio.create_task_group() as group,
        ):
            for _ in range(8):
                group.start_soon(create, dfns)

    async def create(dfns: AsyncDfnsClient) -> None:
        await dfns.post("/wallets", json=CREATE)

    anyio.run(use)

    assert len(openings.keys) == 1


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"timeout": "3"}, "'timeout'"),
        ({"base_url": "http://api.dfns.io"}, "use https"),
        ({"signer": "pem:?pth=key.pem"}, "did you mean 'path'"),
        ({"signer": "pem:"}, "exactly one of"),
        ({"auth_token": {"env": "NO_SUCH_TOKEN"}}, "NO_SUCH_TOKEN is not set"),
        ({"plugins": [3]}, "'plugins', entry 1: expected a string"),
    ],
)
@pytest.mark.parametrize("client", [DfnsClient, AsyncDfnsClient])
def test_client_of_a_wrong_configuration_refused_at_once(
    client_config: Path, client: Any, wrong: dict[str, Any], reason: str
) -> None:
    with pytest.raises(ConfigurationError, match=reason):
        client.from_config(config=client_config, **wrong)


def test_asynchronous_client_without_a_key_file_fails_at_the_signature_and_reads_before(
    client_config: Path,
) -> None:
    async def use() -> None:
        async with AsyncDfnsClient.from_config(
            config=client_config, signer="pem:?path=no.pem"
        ) as dfns:
            assert (await dfns.get("/wallets"))["items"] == []
            with pytest.raises(KeyNotFoundError, match=r"no\.pem"):
                await dfns.post("/wallets", json=CREATE)

    anyio.run(use)


def test_delegated_client_opens_no_key(client_config: Path, openings: Openings) -> None:
    with (
        DelegatedDfnsClient.from_config(config=client_config) as dfns,
        load_signer(config=client_config) as elsewhere,
    ):
        pending = dfns.init("POST", "/wallets", json=CREATE)
        wallet = dfns.complete(pending, elsewhere.sign(pending.challenge))

    assert wallet["network"] == "EthereumSepolia"
    assert openings.keys == [elsewhere.key]


def test_delegated_client_needs_nothing_of_the_signer(folder: Path, emulator: Emulator) -> None:
    profile = f"base_url = '{emulator.url}'\nauth_token = '{emulator.auth_token}'"
    config = write_config(folder, f"[profiles.d]\n{profile}\nsigner = 'pem:?path=no.pem'", "d.toml")

    with DelegatedDfnsClient.from_config("d", config=config) as dfns:
        assert dfns.get("/wallets")["items"] == []


def test_asynchronous_delegated_client_calls_the_api_of_the_profile(
    client_config: Path, openings: Openings
) -> None:
    async def use() -> Any:
        async with AsyncDelegatedDfnsClient.from_config(config=client_config) as dfns:
            assert openings.keys == []
            with load_signer(config=client_config) as elsewhere:
                pending = await dfns.init("POST", "/wallets", json=CREATE)
                return await dfns.complete(pending, await elsewhere.asign(pending.challenge))

    assert anyio.run(use)["network"] == "EthereumSepolia"


@pytest.mark.parametrize("error", [SigningKeyError("no such key"), KeyboardInterrupt()])
def test_client_whose_key_cannot_be_opened_leaves_nothing_open(
    client_config: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    made: list[httpx.Client] = []

    class Noted(Http):
        def __init__(self, **options: Any) -> None:
            super().__init__(**options)
            made.append(self)

    def fail(*_: object) -> SigningKey:
        raise error

    monkeypatch.setattr(connections, "Http", Noted)
    monkeypatch.setattr(PemBackend, "open", fail)

    with pytest.raises(type(error)):
        DfnsClient.from_config(config=client_config)

    assert [http.is_closed for http in made] == [True]


def test_key_is_closed_where_closing_the_connections_fails(
    client_config: Path, openings: Openings, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Failing(Http):
        def close(self) -> None:
            raise OSError("cannot be closed")

    monkeypatch.setattr(connections, "Http", Failing)
    dfns = DfnsClient.from_config(config=client_config)

    with pytest.raises(OSError, match="cannot be closed"):
        dfns.close()

    assert openings.key_is_closed()


def test_key_is_closed_where_closing_the_asynchronous_connections_fails(
    client_config: Path, openings: Openings, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Failing(AsyncHttp):
        async def aclose(self) -> None:
            await super().aclose()
            raise OSError("cannot be closed")

    async def use() -> None:
        dfns = AsyncDfnsClient.from_config(config=client_config)
        await dfns.post("/wallets", json=CREATE)
        with pytest.raises(OSError, match="cannot be closed"):
            await dfns.aclose()

    monkeypatch.setattr(connections, "AsyncHttp", Failing)
    anyio.run(use)

    assert openings.key_is_closed()
