"""What a forked child may use of its parent's, and what refuses at once there."""

from __future__ import annotations

import os
import threading
from typing import Any

import pytest

from tests.core.client.scripted import SILENCE, Reply, ScriptedApi, Seen
from tests.plugins.vault_transit.conftest import settings_for
from tests.plugins.vault_transit.holding import HoldingVault
from tests.plugins.vault_transit.operator import Operator
from tests.support.forking import in_forked_child

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")

BATCHES = pytest.mark.parametrize("batch", [None, {}], ids=["single", "batched"])
ARRIVED = "/arrived"
REFUSAL = "was made before this process was forked"


@BATCHES
def test_configured_signer_signs_in_a_forked_child_and_on_in_its_parent(
    batch: dict[str, int] | None, operator: Operator
) -> None:
    signer = {**settings_for(operator), "backend": "vault-transit", "key": operator.key()}
    signer |= {"key_version": 1, **({} if batch is None else {"batch": batch})}

    outcomes = in_forked_child(
        'signer = load_signer(credential_id="cr-1", signer=argument)\nsign()\nasign()',
        "[outcome(asign), outcome(sign)]",
        signer,
        after="asign()\nsigner.close()",
    )

    assert outcomes == ["signed", "signed"]


def test_child_that_was_forked_while_a_batch_was_in_flight_signs(fake: ScriptedApi) -> None:
    """The parent's request is answered once that of the child has come."""
    holding = HoldingVault(fake)
    holding.may_answer.set()
    fake.on(ARRIVED, lambda _: Reply(status=200 if holding.arrived.acquire(timeout=20) else 500))
    signer = {"backend": "vault-transit", "address": fake.url, "key": "k", "key_version": 1}
    signer |= {"auth": {"method": "token", "token": "token"}, "batch": {}}

    outcomes = in_forked_child(
        """
        import threading, urllib.request
        signer = load_signer(credential_id="cr-1", signer=argument[0])
        signer.key
        in_flight = threading.Thread(target=sign)
        in_flight.start()
        urllib.request.urlopen(argument[1]).read()
        """,
        "[outcome(asign), outcome(sign)]",
        [signer, fake.url + ARRIVED],
        after="in_flight.join()\nsign()",
    )

    assert outcomes == ["signed", "signed"]


@BATCHES
def test_key_made_in_code_refuses_at_once_in_the_child(
    batch: dict[str, int] | None, operator: Operator
) -> None:
    server = operator.server
    argument = [server.address, server.token, operator.key(), operator.mount, batch]

    outcomes: list[str] = in_forked_child(
        """
        import hvac
        from dfns_signers_vault_transit import VaultTransitKey
        from dfns_signers_vault_transit.options import BatchOptions
        address, token, name, mount, batch = argument
        options = None if batch is None else BatchOptions()
        client = hvac.Client(url=address, token=token)
        key = VaultTransitKey(client, name, mount=mount, key_version=1, batch=options)
        anyio.run(key.asign, b"m")
        """,
        """[outcome(lambda: anyio.run(key.asign, b"m")), outcome(lambda: key.sign(b"m"))]""",
        argument,
        after='key.sign(b"m")\nanyio.run(key.asign, b"m")\nkey.close()',
    )

    assert all("was opened before this process was forked" in said for said in outcomes)


def test_batcher_refuses_at_once_in_a_child_that_was_forked_while_it_sent() -> None:
    outcomes: list[str] = in_forked_child(
        """
        import threading
        from dfns_signers.plugin import KeyResponse
        from dfns_signers_vault_transit.batch import Batcher
        from dfns_signers_vault_transit.options import BatchOptions
        has_left, may_return = threading.Event(), threading.Event()
        def send(messages):
            has_left.set()
            assert may_return.wait(20)
            return [KeyResponse(b"signature") for _ in messages]
        batcher = Batcher(send, BatchOptions())
        in_flight = threading.Thread(target=anyio.run, args=(batcher.asign, b"m"))
        in_flight.start()
        assert has_left.wait(20)
        """,
        """[
            outcome(lambda: anyio.run(batcher.asign, b"m")),
            outcome(lambda: batcher.sign(b"m")),
        ]""",
        after='may_return.set()\nin_flight.join()\nbatcher.sign(b"m")',
    )

    assert all(REFUSAL in said for said in outcomes)


def test_connection_refuses_at_once_in_a_child_that_was_forked_during_its_login(
    fake: ScriptedApi,
) -> None:
    login, arrived = "/v1/auth/approle/login", threading.Event()

    def be_silent(_: Seen) -> Reply:
        arrived.set()
        return SILENCE

    fake.on(login, always=be_silent)
    fake.on(ARRIVED, lambda _: Reply(status=200 if arrived.wait(20) else 500))
    auth = {"method": "approle", "role_id": "r"}
    options: dict[str, Any] = {"address": fake.url, "auth": auth, "timeout": 1, "max_attempts": 1}

    said: str = in_forked_child(
        """
        import threading, urllib.request
        from dfns_signers_vault_transit import VaultTransitKey
        from dfns_signers_vault_transit.options import VaultTransitConnection
        from dfns_signers_vault_transit.vault import connect
        vault = connect(VaultTransitConnection.model_validate(argument[0]))
        def open_key():
            VaultTransitKey(vault, "k")
        in_flight = threading.Thread(target=outcome, args=(open_key,))
        in_flight.start()
        urllib.request.urlopen(argument[1]).read()
        """,
        "outcome(open_key)",
        [options, fake.url + ARRIVED],
        after="in_flight.join()",
    )

    assert said.startswith(f"the connection to Vault at {fake.url} {REFUSAL}")
    assert len(fake.sent(login)) == 1
