"""Profiles with an audit trail."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from dfns_signers import AsyncDfnsClient, DfnsClient, load_signer
from dfns_signers.announced_call import AnnouncedCall
from dfns_signers.config.loading import load_profile
from dfns_signers.config.profile_guards import open_trail
from dfns_signers.emulator import Emulator
from dfns_signers.errors import (
    AuditError,
)
from tests.core.audit.trails import is_whole, lines, recorded
from tests.core.config.support import write_config, write_key
from tests.core.keys import private_key, private_pem, public_key, public_pem

CHALLENGE = {"challenge": "Y2g"}
CALL = AnnouncedCall("POST", "/wallets", "{}")


@pytest.fixture
def pem(tmp_path: Path) -> str:
    pem = tmp_path / "key.pem"
    pem.write_bytes(private_pem(private_key("Ed25519")))
    pem.chmod(0o600)
    return str(pem)


def test_profile_with_an_audit_file_records(pem: str, file: Path) -> None:
    with load_signer(
        signer={"backend": "pem", "path": pem}, credential_id="cr-1", audit={"file": str(file)}
    ) as signer:
        signer.for_call(CALL).sign(CHALLENGE)

    assert [record["event"] for record in recorded(file)] == ["decided", "signed"]
    assert is_whole(file)


def test_environment_variable_names_the_file(
    pem: str, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DFNS_AUDIT", str(file))

    with load_signer(signer={"backend": "pem", "path": pem}, credential_id="cr-1"):
        pass

    assert json.loads(file.read_text())["event"] == "started"


@pytest.mark.parametrize("token", ["file", "environment"])
def test_relative_path_begins_at_the_folder_of_the_configuration_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, token: str
) -> None:
    own = 'auth_token = "token"' if token == "file" else ""
    monkeypatch.setenv("DFNS_AUTH_TOKEN", "token")
    config = write_config(tmp_path, f'[profiles.production]\n{own}\naudit.file = "audit.jsonl"\n')

    audit = load_profile("production", config=config).settings.audit

    assert audit is not None
    assert audit.file == tmp_path / "audit.jsonl"


def test_trail_that_cannot_be_written_stops_the_program_at_its_start(
    pem: str, tmp_path: Path
) -> None:
    audit = {"file": str(tmp_path / "missing" / "audit.jsonl")}

    with pytest.raises(AuditError, match="cannot be written: No such file or directory"):
        load_signer(signer={"backend": "pem", "path": pem}, credential_id="cr-1", audit=audit)


def test_trail_that_cannot_be_written_is_said_with_its_profile_and_what_to_do(
    tmp_path: Path,
) -> None:
    audit = 'audit.file = "missing/audit.jsonl"'
    config = write_config(tmp_path, f"[profiles.production]\n{audit}\n")

    with pytest.raises(AuditError) as caught:
        open_trail(load_profile("production", config=config))

    assert str(caught.value).startswith(
        f"configuration file {config}, profile 'production', key 'audit.file': the audit trail "
    )
    assert str(caught.value).endswith(f"; make its folder: mkdir -p {tmp_path / 'missing'}")


def test_signers_of_one_process_share_the_trail_of_a_file(pem: str, file: Path) -> None:
    for _ in range(2):
        with load_signer(
            signer={"backend": "pem", "path": pem}, credential_id="cr-1", audit={"file": str(file)}
        ) as signer:
            signer.sign(CHALLENGE)

    assert len({line["writer"] for line in lines(file)}) == 1
    assert is_whole(file)


@pytest.fixture
def production(tmp_path: Path, dfns_emulator: Emulator) -> Path:
    """A profile with an audit trail, for the emulator."""
    write_key(tmp_path)
    dfns_emulator.register(public_pem(public_key("Ed25519")), "cr-1")
    return write_config(
        tmp_path,
        f"""
        [profiles.production]
        base_url = "{dfns_emulator.url}"
        auth_token = "{dfns_emulator.auth_token}"
        credential_id = "cr-1"
        signer = {{ backend = "pem", path = "key.pem" }}
        audit.file = "audit.jsonl"
        """,
    )


@pytest.mark.parametrize("reload", [False, True], ids=["as loaded", "reloading"])
def test_client_of_the_profile_records_each_attempt(
    production: Path, dfns_emulator: Emulator, file: Path, reload: bool
) -> None:
    dfns_emulator.fail_next("POST", "/wallets", status=429, headers={"Retry-After": "0"})

    with DfnsClient.from_config("production", config=production, reload=reload) as client:
        client.request("POST", "/wallets", json={"network": "Bitcoin"})

    records = recorded(file)
    assert [record["event"] for record in records] == 2 * ["decided", "signed", "answered"]
    assert [record["status"] for record in records if "status" in record] == [429, 200]
    assert len({record["call"] for record in records}) == 2


def test_asynchronous_client_of_the_profile_records(production: Path, file: Path) -> None:
    async def call() -> None:
        async with AsyncDfnsClient.from_config("production", config=production) as client:
            await client.request("POST", "/wallets", json={"network": "Bitcoin"})

    asyncio.run(call())

    assert [record["event"] for record in recorded(file)] == ["decided", "signed", "answered"]
