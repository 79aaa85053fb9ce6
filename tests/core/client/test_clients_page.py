"""The code of docs/clients.md runs as it stands, and the short one of docs/delegated-signing.md."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from dfns_signers import ChangeRequest, DelegatedDfnsClient, DfnsClient, KeySigner, PemKey
from dfns_signers import load_signer as load
from dfns_signers.emulator import Emulator
from tests.core.client.test_end_user_stories import RecoveryKey, passkey
from tests.core.config.support import write_client_config, write_key
from tests.core.keys import public_key, public_pem
from tests.emulator.passkeys import Authenticator
from tests.support.pages import DOCS, blocks, section

PAGE = "clients.md"
PERMISSION = {"name": "read", "operations": ["Wallets:Read"]}


@pytest.fixture
def configured(
    dfns_emulator: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Emulator:
    """The profile ``production`` at the emulator."""
    write_key(tmp_path)
    path = write_client_config(tmp_path, dfns_emulator.url, dfns_emulator.auth_token)
    text = path.read_text().replace('"p"', '"production"')
    path.write_text(text.replace("[profiles.p]", "[profiles.production]"))
    dfns_emulator.register(public_pem(public_key("Ed25519")), "Y2kt")
    monkeypatch.setenv("DFNS_CONFIG", str(path))
    monkeypatch.chdir(tmp_path)
    return dfns_emulator


@pytest.fixture
def dfns(configured: Emulator) -> Iterator[DfnsClient]:
    with DfnsClient.from_config() as client:
        yield client


@pytest.fixture
def delegated(configured: Emulator) -> Iterator[DelegatedDfnsClient]:
    with DelegatedDfnsClient(configured.auth_token, base_url=configured.url) as client:
        yield client


def run(
    title: str, names: dict[str, Any], *, block: int = 0, replaced: tuple[str, str] = ("", "")
) -> dict[str, Any]:
    """Runs a block of a section with the names that it takes for granted; returns all of them."""
    code = blocks(section(PAGE, title), "python")[block]
    assert replaced[0] in code
    return executed(code.replace(*replaced), names)


def executed(code: str, names: dict[str, Any]) -> dict[str, Any]:
    exec(compile(code, "page", "exec"), names)
    return names


def new_key(name: str) -> PemKey:
    return PemKey(Ed25519PrivateKey.generate(), reference=name)


def requests_of(emulator: Emulator, *but: str) -> list[tuple[str, str]]:
    return [(r.method, r.raw_path) for r in emulator.requests if r.raw_path not in but]


@pytest.mark.usefixtures("configured")
def test_client_and_signer_that_reload() -> None:
    made = run(
        "Another key while the program runs", {"DfnsClient": DfnsClient, "load_signer": load}
    )

    with made["dfns"] as client, made["signer"] as signer:
        assert client.wallets.create(network="EthereumSepolia")["status"] == "Active"
        assert signer.credential_id == "Y2kt"


def test_calls_of_each_method(dfns: DfnsClient, configured: Emulator) -> None:
    wallet = dfns.wallets.create(network="EthereumSepolia")["id"]
    permission = dfns.post("/permissions", json=PERMISSION)["id"]
    user = dfns.post("/auth/users", json={"email": "a@example.com", "kind": "CustomerEmployee"})
    assigned = dfns.post(
        "/permissions/{id}/assignments",
        path_params={"id": permission},
        json={"identityId": user["userId"]},
    )["id"]

    run("Calls", {"dfns": dfns, "wallet_id": wallet, "p": permission, "a": assigned})

    assert requests_of(configured, "/auth/action/init", "/auth/action")[-4:] == [
        ("POST", "/wallets"),
        ("GET", f"/wallets/{wallet}"),
        ("PUT", f"/wallets/{wallet}/tags"),
        ("DELETE", f"/permissions/{permission}/assignments/{assigned}"),
    ]


@pytest.mark.parametrize("needs_approval", [True, False])
def test_change_request_is_told_from_a_wallet(
    dfns: DfnsClient,
    configured: Emulator,
    needs_approval: bool,
    capsys: pytest.CaptureFixture[str],
) -> None:
    if needs_approval:
        configured.require_approval("POST", "/wallets")

    wallet = run("Results", {"dfns": dfns})["wallet"]

    assert isinstance(wallet, ChangeRequest) is needs_approval
    assert ("ask somebody to approve" in capsys.readouterr().out) is needs_approval


@pytest.mark.usefixtures("configured")
def test_worker_of_gunicorn_makes_its_client(monkeypatch: pytest.MonkeyPatch) -> None:
    app = ModuleType("app")
    monkeypatch.setitem(sys.modules, "app", app)

    run("Processes, threads and event loops", {"DfnsClient": DfnsClient})["post_fork"](None, None)

    with app.dfns as client:
        assert list(client.wallets.list()) == []


def test_pending_call_is_stored_and_completed(dfns: DfnsClient, configured: Emulator) -> None:
    stored: list[str] = []

    with load() as elsewhere:
        done = run(
            "Delegated: somebody else signs",
            {
                "auth_token": configured.auth_token,
                "store": stored.append,
                "load": stored.pop,
                "browser_passkey_or_other_service": elsewhere.sign,
            },
            replaced=("(auth_token)", f"(auth_token, base_url={configured.url!r})"),
        )

    assert [one["id"] for one in dfns.wallets.list()] == [done["wallet"]["id"]]
    done["dfns"].close()


def test_credential_and_service_account_are_registered(dfns: DfnsClient) -> None:
    made = run(
        "A new credential, service account or token",
        {
            "dfns": dfns,
            "KeySigner": KeySigner,
            "new_key": new_key("rotation"),
            "robot_key": new_key("robot"),
        },
        replaced=("pm-…", dfns.post("/permissions", json=PERMISSION)["id"]),
    )

    assert made["made"].credential_id in {
        one["credentialId"] for one in dfns.auth.credentials.list()
    }
    assert Path("robot.token").read_text().strip()


def test_credential_is_registered_by_somebody_else(
    dfns: DfnsClient, delegated: DelegatedDfnsClient
) -> None:
    with load() as elsewhere:
        made = run(
            "A new credential, service account or token",
            {
                "delegated": delegated,
                "new_key": new_key("rotation"),
                "browser_passkey_or_other_service": elsewhere.sign,
            },
            block=1,
        )

    assert made["made"].credential_id in {
        one["credentialId"] for one in dfns.auth.credentials.list()
    }


def test_end_user_is_registered_and_signs_with_a_passkey(
    configured: Emulator, tmp_path: Path
) -> None:
    credentials = {"cr-robot": public_pem(public_key("Ed25519"))}
    robot = configured.add_identity("robot", service_account=True, credentials=credentials)
    text = (tmp_path / "config.toml").read_text().replace(configured.auth_token, robot.token)
    (tmp_path / "config.toml").write_text(text.replace("Y2kt", "cr-robot"))
    (code, *_) = blocks((DOCS / "delegated-signing.md").read_text(encoding="utf-8"), "python")
    browser, recovery = Authenticator(), RecoveryKey.new()

    made = executed(
        code,
        {
            "DfnsClient": DfnsClient,
            "DelegatedDfnsClient": partial(DelegatedDfnsClient, base_url=configured.url),
            "browser_makes_credentials": lambda challenge: {
                "firstFactorCredential": passkey(browser, challenge),
                "recoveryCredential": recovery.credential(challenge),
            },
            "browser_signs": browser.get,
        },
    )

    (wallet,) = made["ada"].wallets.list()
    assert wallet["id"] == made["wallet"]["id"]
    for opened in ("operator", "newcomer", "ada"):
        made[opened].close()
