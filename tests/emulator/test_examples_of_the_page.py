"""The code of docs/emulator.md runs as it stands; for its ``...`` a program under test steps in."""

from __future__ import annotations

import re
from typing import Any

import pytest

from dfns_signers import DfnsClient, KeySigner, PemKey
from dfns_signers.emulator import Emulator
from dfns_signers_testkit.servers import free_port
from tests.core.keys import private_key, public_key, public_pem
from tests.support.pages import blocks, section

PAGE = "emulator.md"
PUBLIC_KEY = public_pem(public_key("Ed25519")).decode()
POLICY = {
    "name": "everything",
    "activityKind": "Wallets:Sign",
    "rule": {"kind": "AlwaysTrigger", "configuration": {}},
    "action": {"kind": "RequestApproval", "approvalGroups": [{"quorum": 1, "approvers": {}}]},
}
TRANSFER = {"kind": "Native", "to": "0x" + "1" * 40, "amount": "1"}


def client(emulator: Emulator, credential: str = "cr-1") -> DfnsClient:
    key = PemKey(private_key("Ed25519"), reference="the key of this test")
    return DfnsClient(emulator.auth_token, KeySigner(key, credential), base_url=emulator.url)


def transfer(emulator: Emulator) -> str:
    with client(emulator) as dfns:
        wallet = dfns.wallets.create(network="EthereumSepolia")["id"]
        path = f"/wallets/{wallet}/transfers"
        sent: str = dfns.post(path, json=TRANSFER)["id"]
        return sent


def run(title: str, program: str = "pass", *, block: int = 0, **names: Any) -> dict[str, Any]:
    """Runs a block of a section; returns its names."""
    code = blocks(section(PAGE, title), "python")[block]
    found = {"Emulator": Emulator, "public_key_pem": PUBLIC_KEY, **names}
    exec(compile(re.sub(r"\.\.\.  #.*", program, code), PAGE, "exec"), found)
    return found


def test_emulator_serves_a_client() -> None:
    made = run("In Python", "sent = transfer(emulator)", transfer=transfer)

    assert made["sent"].startswith("xfr-")


def test_fixture_shows_what_a_program_asked(dfns_emulator: Emulator) -> None:
    def my_program(url: str, token: str) -> None:
        with DfnsClient(token, base_url=url) as dfns:
            assert list(dfns.wallets.list()) == []

    run("In Python", my_program=my_program, block=1)["test_creates_a_wallet"](dfns_emulator)


def test_transfer_is_moved_by_the_test() -> None:
    made = run(
        "Transfers, transactions and what wallets hold",
        "transfer_id = transfer(emulator)",
        transfer=transfer,
    )

    assert made["transfer_id"].startswith("xfr-")


def test_wallet_is_given_what_it_holds(dfns_emulator: Emulator) -> None:
    credential = dfns_emulator.register(PUBLIC_KEY)
    with client(dfns_emulator, credential) as dfns:
        wallet = dfns.wallets.create(network="EthereumSepolia")["id"]

        run(
            "Transfers, transactions and what wallets hold",
            emulator=dfns_emulator,
            wallet_id=wallet,
            block=1,
        )

        held = {
            one["kind"]: one["balance"] for one in dfns.get(f"/wallets/{wallet}/assets")["assets"]
        }
    assert held == {"Native": str(10**18), "Erc20": "5000000"}


def test_approval_is_decided() -> None:
    def limited(emulator: Emulator) -> None:
        with client(emulator) as dfns:
            dfns.post("/v2/policies", json=POLICY)
        transfer(emulator)

    made = run("Policies and approvals", "limited(emulator)", limited=limited)

    assert made["approval"]["status"] == "Pending"


def test_deliveries_to_webhooks_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    def hooked(emulator: Emulator) -> None:
        with client(emulator, emulator.register(PUBLIC_KEY)) as dfns:
            url = f"http://127.0.0.1:{free_port()}"
            dfns.post("/webhooks", json={"url": url, "events": ["wallet.created"]})
            dfns.wallets.create(network="EthereumSepolia")

    run("Webhooks", "hooked(emulator)", hooked=hooked)

    assert "wallet.created" in capsys.readouterr().out
