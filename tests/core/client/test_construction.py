"""What can never sign or send is refused when the client is made, with what to give instead."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from dfns_signers import AsyncDfnsClient, DfnsClient, KeySigner, UserActionAuth
from dfns_signers.emulator import Emulator
from dfns_signers.errors import ConfigurationError
from tests.core.client.driving import Connector
from tests.core.keys import AnsweringKey


@pytest.mark.parametrize("key", ["key.pem", b"-----BEGIN", None, object()])
def test_signer_of_what_is_no_key_refused_with_how_to_open_one(key: Any) -> None:
    with pytest.raises(ConfigurationError, match="expected a signing key, found") as caught:
        KeySigner(key, "cr-1")

    for part in (type(key).__name__, "PemKey.from_file", "load_signer()"):
        assert part in str(caught.value)


@pytest.mark.parametrize("credential_id", [None, 5, b"cr-1", ["cr-1"]])
def test_signer_of_a_credential_id_that_is_not_a_string_refused(credential_id: Any) -> None:
    with pytest.raises(ConfigurationError, match="credential id must be a string, not") as caught:
        KeySigner(AnsweringKey("Ed25519"), credential_id)

    assert type(credential_id).__name__ in str(caught.value)


@pytest.mark.parametrize("plugins", [None, 5, object()])
def test_signer_with_plugins_that_are_no_iterable_refused(plugins: Any) -> None:
    with pytest.raises(ConfigurationError, match="'plugins' must be an iterable of plugins, not"):
        KeySigner(AnsweringKey("Ed25519"), "cr-1", plugins=plugins)


@pytest.mark.parametrize("make", [DfnsClient, AsyncDfnsClient, UserActionAuth])
@pytest.mark.parametrize(
    "signer", ["key.pem", AnsweringKey("Ed25519"), object()], ids=["path", "key", "object"]
)
def test_client_with_what_is_no_signer_refused_with_how_to_make_one(
    make: Callable[..., object], signer: object
) -> None:
    with pytest.raises(ConfigurationError, match="expected a signer, found") as caught:
        make("token", signer)

    for part in (type(signer).__name__, "KeySigner(key, credential_id)", "load_signer()"):
        assert part in str(caught.value)


def test_signed_call_without_a_signer_is_refused_and_nothing_at_all_is_sent(
    connect: Connector, emulator: Emulator
) -> None:
    dfns = connect(emulator.auth_token, base_url=emulator.url)

    with pytest.raises(ConfigurationError, match="POST /wallets must be signed, and no signer"):
        dfns.call(lambda client: client.wallets.create(network="Bitcoin"))

    assert emulator.requests == ()


def test_read_without_a_signer_is_sent(connect: Connector, emulator: Emulator) -> None:
    dfns = connect(emulator.auth_token, base_url=emulator.url)

    assert dfns.walk(lambda client: client.wallets.list()) == []
