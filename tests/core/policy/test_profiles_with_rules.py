"""A signer of a profile with rules signs what they allow, and nothing else."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import anyio
import dfns_sdk
import httpx
import pytest

from dfns_signers import AsyncDfnsClient, DelegatedDfnsClient, DfnsClient, KeySigner, load_signer
from dfns_signers.client.results import ChangeRequest
from dfns_signers.emulator import Emulator
from dfns_signers.errors import ConfigurationError, PolicyRefusedError
from dfns_signers.user_action.httpx_auth import UserActionAuth
from tests.core.config.changed_files import every_call_looks_at_the_file, replaced
from tests.core.config.support import write_client_config, write_config

__all__ = ["every_call_looks_at_the_file"]

RULE = """
[[profiles.p.allow]]
name = "wallets"
call = "POST /wallets"
body.network = ["EthereumSepolia"]
"""
ALLOW: Mapping[str, Any] = {
    "name": "wallets",
    "call": "POST /wallets",
    "body": {"network": ["EthereumSepolia"]},
}
GOOD = {"network": "EthereumSepolia"}
BAD = {"network": "Ethereum"}


@pytest.fixture
def config(client_config: Path) -> Path:
    """A profile that may create wallets on one network."""
    return write_config(client_config.parent, client_config.read_text() + RULE)


def effects(emulator: Emulator) -> list[tuple[str, str]]:
    return [(one.method, one.raw_path) for one in emulator.requests]


def test_call_that_a_rule_allows_is_signed(config: Path) -> None:
    with DfnsClient.from_config(config=config) as dfns:
        made = dfns.post("/wallets", json=GOOD)

    assert not isinstance(made, ChangeRequest)
    assert made["network"] == "EthereumSepolia"


def test_call_that_no_rule_allows_is_not_signed(config: Path, emulator: Emulator) -> None:
    with (
        DfnsClient.from_config(config=config) as dfns,
        pytest.raises(PolicyRefusedError) as caught,
    ):
        dfns.post("/wallets", json=BAD)

    assert str(caught.value) == (
        "the profile 'p' does not allow POST /wallets: rule 'wallets': 'network' is not one of its "
        "values"
    )
    assert ("POST", "/auth/action") not in effects(emulator)
    assert ("POST", "/wallets") not in effects(emulator)


def test_asynchronous_call_that_no_rule_allows_is_not_signed(config: Path) -> None:
    async def run() -> None:
        async with AsyncDfnsClient.from_config(config=config) as dfns:
            await dfns.post("/wallets", json=GOOD)
            with pytest.raises(PolicyRefusedError, match="rule 'wallets'"):
                await dfns.post("/wallets", json=BAD)

    anyio.run(run)


def test_read_needs_no_rule_for_it_is_not_signed(config: Path) -> None:
    with DfnsClient.from_config(config=config) as dfns:
        assert dfns.get("/wallets") == {"items": []}


@pytest.mark.parametrize("settings", [{}, {"read_only": True}])
@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/wallets/wa-1/canton/ledger-api"), ("POST", "/auth/tokens"), ("GET", "/wallets")],
)
def test_call_that_needs_no_signature_gets_none_by_asking_for_it(
    config: Path, emulator: Emulator, method: str, path: str, settings: Mapping[str, Any]
) -> None:
    """The API may have come to ask for one: of what it signs, no rule has said a thing."""
    with (
        DfnsClient.from_config(config=config, **settings) as dfns,
        pytest.raises(PolicyRefusedError) as caught,
    ):
        dfns.request(method, path, signed=True)

    assert caught.value.check == ("read-only" if settings else "no-rule")
    assert settings or "It needs no signature: send it without one" in str(caught.value)
    assert ("POST", "/auth/action") not in effects(emulator)


def test_httpx_client_of_the_user_is_judged_alike(config: Path, emulator: Emulator) -> None:
    auth = UserActionAuth(emulator.auth_token, load_signer(config=config), base_url=emulator.url)
    with httpx.Client(base_url=emulator.url, auth=auth, trust_env=False) as client:
        assert client.post("/wallets", json=GOOD).status_code == 200
        with pytest.raises(PolicyRefusedError, match="rule 'wallets'"):
            client.post("/wallets", json={**GOOD, "name": "further"})


def test_query_of_a_signed_call_is_judged(config: Path) -> None:
    with (
        DfnsClient.from_config(config=config) as dfns,
        pytest.raises(
            PolicyRefusedError, match="the query parameter 'force' is not in its 'query'"
        ),
    ):
        dfns.request("POST", "/wallets", json=GOOD, params={"force": "true"})


def test_query_of_a_pending_action_is_judged(config: Path) -> None:
    """A program may sign its pending actions with a signer that has rules."""
    signer = load_signer(config=config)
    with DelegatedDfnsClient.from_config(config=config) as dfns:
        plain = dfns.init("POST", "/wallets", json=GOOD)
        forced = dfns.init("POST", "/wallets", json=GOOD, params={"force": True})

    assert signer.for_call(plain.call).sign(plain.challenge)
    with pytest.raises(PolicyRefusedError, match="the query parameter 'force'"):
        signer.for_call(forced.call).sign(forced.challenge)


@pytest.mark.parametrize(
    "path", ["/wallets/../wallets", "/wallets/", "//wallets", "/%77allets", "/wallets;a=b"]
)
def test_other_spelling_of_an_allowed_path_is_not_signed(
    config: Path, emulator: Emulator, path: str
) -> None:
    """The client refuses it before; this is what stands behind a client that would not."""
    from dfns_signers.announced_call import AnnouncedCall  # noqa: PLC0415

    signer = load_signer(config=config)
    challenge = {
        "challenge": "Y2gt",
        "challengeIdentifier": "eyJ0",
        "allowCredentials": {"key": [{"type": "public-key", "id": "Y2kt"}], "webauthn": []},
    }
    body = json.dumps(GOOD)

    assert signer.for_call(AnnouncedCall("POST", "/wallets", body)).sign(challenge)
    with pytest.raises(PolicyRefusedError) as caught:
        signer.for_call(AnnouncedCall("POST", path, body)).sign(challenge)
    assert caught.value.check == "path"


def test_within_the_official_sdk_nothing_is_signed_and_the_error_says_what_to_do(
    config: Path, emulator: Emulator
) -> None:
    client = dfns_sdk.DfnsClient(
        dfns_sdk.DfnsClientConfig(
            auth_token=emulator.auth_token,
            base_url=emulator.url,
            signer=load_signer(config=config),
        )
    )
    try:
        with pytest.raises(PolicyRefusedError) as caught:
            client.wallets.create_wallet({"network": "EthereumSepolia"})
    finally:
        client.close()

    assert caught.value.check == "unknown-call"
    for way in ("DfnsClient", "UserActionAuth", "dfns-signers gateway"):
        assert way in str(caught.value)
    assert ("POST", "/wallets") not in effects(emulator)


def test_rules_given_in_code_take_the_place_of_those_of_the_file(config: Path) -> None:
    allow: list[Mapping[str, Any]] = [{**ALLOW, "body": {"network": ["Ethereum"]}}]

    with DfnsClient.from_config(config=config, allow=allow) as dfns:
        dfns.post("/wallets", json=BAD)
        with pytest.raises(PolicyRefusedError):
            dfns.post("/wallets", json=GOOD)


def test_wrong_rule_in_code_is_refused_by_its_name(client_config: Path) -> None:
    with pytest.raises(ConfigurationError, match="argument, key 'allow': rule 'wallets': POST"):
        load_signer(config=client_config, allow=[{**ALLOW, "call": "POST /walets"}])


@pytest.mark.parametrize("way", ["argument", "variable", "file"])
def test_read_only_profile_signs_nothing(
    client_config: Path, emulator: Emulator, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    config, settings = client_config, {}
    if way == "argument":
        settings = {"read_only": True}
    elif way == "variable":
        monkeypatch.setenv("DFNS_READ_ONLY", "true")
    else:
        lines = ("read_only = true", RULE)
        config = write_client_config(config.parent, emulator.url, emulator.auth_token, *lines)

    with DfnsClient.from_config(config=config, **settings) as dfns:  # type: ignore[arg-type]  # one
        assert dfns.get("/wallets") == {"items": []}
        with pytest.raises(PolicyRefusedError, match="it is read-only") as caught:
            dfns.post("/wallets", json=GOOD)

    assert caught.value.check == "read-only"


@pytest.mark.parametrize("named", [None, "p"])
@pytest.mark.parametrize(("file", "variable"), [("true", "false"), ("false", "true")])
def test_read_only_of_profile_or_process_is_lifted_by_neither(
    client_config: Path,
    emulator: Emulator,
    monkeypatch: pytest.MonkeyPatch,
    named: str | None,
    file: str,
    variable: str,
) -> None:
    monkeypatch.setenv("DFNS_READ_ONLY", variable)
    line = f"read_only = {file}"
    config = write_client_config(client_config.parent, emulator.url, emulator.auth_token, line)

    with (
        DfnsClient.from_config(named, config=config) as dfns,
        pytest.raises(PolicyRefusedError, match="it is read-only"),
    ):
        dfns.post("/wallets", json=GOOD)


def test_signer_that_reloads_follows_changed_rules(config: Path) -> None:
    with DfnsClient.from_config(config=config, reload=True) as dfns:
        with pytest.raises(PolicyRefusedError):
            dfns.post("/wallets", json=BAD)
        write_config(config.parent, replaced(config, ('["EthereumSepolia"]', '["Ethereum"]')))
        dfns.post("/wallets", json=BAD)
        with pytest.raises(PolicyRefusedError):
            dfns.post("/wallets", json=GOOD)


def test_signer_that_reloads_follows_rules_that_are_added(client_config: Path) -> None:
    with DfnsClient.from_config(config=client_config, reload=True) as dfns:
        dfns.post("/wallets", json=BAD)
        write_config(client_config.parent, client_config.read_text() + RULE)
        with pytest.raises(PolicyRefusedError):
            dfns.post("/wallets", json=BAD)


def test_signer_that_reloads_keeps_its_rules_where_the_new_ones_are_wrong(
    config: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with DfnsClient.from_config(config=config, reload=True) as dfns:
        write_config(config.parent, replaced(config, ("POST /wallets", "POST /walets")))
        with pytest.raises(PolicyRefusedError, match="rule 'wallets'"):
            dfns.post("/wallets", json=BAD)
        dfns.post("/wallets", json=GOOD)

    assert "rule 'wallets': POST /walets is not an operation" in caplog.text


@pytest.mark.parametrize("has_rules", [False, True])
def test_profile_without_rules_loads_no_engine(
    client_config: Path, config: Path, has_rules: bool
) -> None:
    if not has_rules:
        write_config(config.parent, config.read_text().replace(RULE, ""))
    code = (
        "import sys, json; from dfns_signers import load_signer; "
        f"load_signer(config={str(config)!r}); print(json.dumps(list(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=True, text=True, timeout=60
    )

    engine = {
        "dfns_signers.policy.policy",
        "dfns_signers.policy.matcher",
        "dfns_signers.operations",
    }
    assert engine & {*json.loads(done.stdout)} == (engine if has_rules else set())


def test_signer_made_in_code_has_no_rules(emulator: Emulator, client_config: Path) -> None:
    signer = KeySigner(load_signer(config=client_config).key, "Y2kt")

    with DfnsClient(emulator.auth_token, signer, base_url=emulator.url) as dfns:
        dfns.post("/wallets", json=BAD)
