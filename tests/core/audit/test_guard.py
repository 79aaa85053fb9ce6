"""What the guard records, and that nothing is signed that cannot be recorded."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from dfns_signers import AsyncDfnsClient, DfnsClient, load_signer
from dfns_signers.announced_call import AnnouncedCall
from dfns_signers.audit.trail import AuditTrail
from dfns_signers.config.guard import NAME, Guard, Judge
from dfns_signers.config.loading import load_profile
from dfns_signers.emulator import Emulator
from dfns_signers.errors import (
    AuditError,
    CredentialNotAllowedError,
    KeyStoreUnavailableError,
    PolicyRefusedError,
    SigningRefusedError,
)
from dfns_signers.evidence import KeyResponse
from dfns_signers.hooks import SigningHooks, SigningRequest, hookimpl
from dfns_signers.signer import KeySigner
from tests.core.audit.trails import is_whole, lines
from tests.core.config.support import write_config, write_key
from tests.core.keys import AnsweringKey, private_key, private_pem, public_key, public_pem

CHALLENGE = {"challenge": "Y2g"}
BODY = '{"amount":"5","memo":"value-of-the-caller"}'
CALL = AnnouncedCall("POST", "/wallets/wa-1/transfers", BODY, "a=value-of-the-caller&b", "payments")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "audit.jsonl"


@pytest.fixture
def trail(file: Path) -> Iterator[AuditTrail]:
    trail = AuditTrail(file)
    yield trail
    trail.close()


@pytest.fixture
def key() -> AnsweringKey:
    return AnsweringKey("ES256")


def allow(_call: AnnouncedCall) -> str:
    return "payouts"


def refuse(call: AnnouncedCall) -> str:
    raise PolicyRefusedError(f"no {call.method}", check="no-rule", rule="nearest")


def guarded(
    key: AnsweringKey,
    trail: AuditTrail | None,
    *judges: Judge,
    signs_unrecorded: bool = False,
    plugins: tuple[tuple[str, object], ...] = (),
) -> KeySigner:
    guard = Guard(lambda _request: judges, trail, signs_unrecorded=signs_unrecorded)
    return KeySigner(key, "cr-1", plugins=SigningHooks([*plugins, (NAME, guard)]))


def recorded(file: Path) -> list[dict[str, Any]]:
    """The records but for what each of them has, and what differs from run to run."""
    varying = {"sequence", "previous", "hash", "time", "writer", "milliseconds"}
    return [
        {name: value for name, value in line.items() if name not in varying}
        for line in lines(file)
        if line["event"] != "started"
    ]


def decided(key: AnsweringKey, **members: Any) -> dict[str, Any]:
    return {
        "event": "decided",
        "call": CALL.id,
        **members,
        "credential": "cr-1",
        "key": "store/key-1",
        "fingerprint": key.fingerprint,
        "caller": "payments",
        "method": "POST",
        "path": "/wallets/wa-1/transfers",
        "query": ["a", "b"],
        "bodySha256": sha256(BODY.encode()).hexdigest(),
    }


def test_allowed_call_is_recorded_before_the_key_is_used(
    key: AnsweringKey, trail: AuditTrail, file: Path
) -> None:
    seen: list[list[dict[str, Any]]] = []
    answer = AnsweringKey("ES256")

    def sign(message: bytes) -> KeyResponse:
        seen.append(recorded(file))
        return KeyResponse(answer.sign(message), "7", "request-1", 2)

    key = AnsweringKey("ES256", sign)
    guarded(key, trail, allow).for_call(CALL).sign(CHALLENGE)

    permission = decided(key, outcome="allowed", rule="payouts")
    assert seen == [[permission]]
    signed = {
        "event": "signed",
        "call": CALL.id,
        "key": "store/key-1",
        "keyVersion": "7",
        "fingerprint": key.fingerprint,
        "algorithm": "ES256",
        "requestId": "request-1",
        "attempts": 2,
        "verified": True,
    }
    assert recorded(file) == [permission, signed]


def test_refusal_of_a_rule_is_recorded_and_no_key_is_used(
    key: AnsweringKey, trail: AuditTrail, file: Path
) -> None:
    with pytest.raises(PolicyRefusedError, match="no POST"):
        guarded(key, trail, allow, refuse).for_call(CALL).sign(CHALLENGE)

    assert recorded(file) == [decided(key, outcome="refused", rule="nearest", check="no-rule")]
    assert key.uses == 0


class Refuses:
    @hookimpl(trylast=True)
    def before_sign(self) -> None:
        raise SigningRefusedError(f"not {BODY}")


class Fails:
    @hookimpl
    def before_sign(self) -> None:
        raise ValueError(BODY)


class Answers:
    @hookimpl
    def before_sign(self) -> str:
        return BODY


@pytest.mark.parametrize("plugin", [Refuses, Fails, Answers])
def test_refusal_of_a_plugin_is_recorded_with_its_name_and_without_its_words(
    key: AnsweringKey, trail: AuditTrail, file: Path, plugin: type
) -> None:
    signer = guarded(key, trail, allow, plugins=(("acme-guard", plugin()),))

    with pytest.raises(SigningRefusedError):
        signer.for_call(CALL).sign(CHALLENGE)

    assert recorded(file) == [decided(key, outcome="refused", check="plugin", plugin="acme-guard")]
    assert key.uses == 0


def test_failure_of_the_key_store_is_recorded_by_its_type(trail: AuditTrail, file: Path) -> None:
    def fail(_message: bytes) -> KeyResponse:
        raise KeyStoreUnavailableError(f"no {BODY}")

    with pytest.raises(KeyStoreUnavailableError):
        guarded(AnsweringKey("ES256", fail), trail).for_call(CALL).sign(CHALLENGE)

    permission, failure = recorded(file)
    assert permission["outcome"] == "allowed"
    assert (failure["event"], failure["error"]) == ("failed", "KeyStoreUnavailableError")


def test_challenge_that_is_refused_before_the_key_is_open_is_recorded_with_the_call(
    key: AnsweringKey, trail: AuditTrail, file: Path
) -> None:
    challenge = {"challenge": "Y2g", "allowCredentials": {"key": [{"id": "other"}]}}

    with pytest.raises(CredentialNotAllowedError):
        guarded(key, trail).for_call(CALL).sign(challenge)

    (failure,) = recorded(file)
    assert failure["error"] == "CredentialNotAllowedError"
    assert failure["path"] == "/wallets/wa-1/transfers"


def test_challenge_without_a_call_is_signed_and_recorded_where_there_are_no_rules(
    key: AnsweringKey, trail: AuditTrail, file: Path
) -> None:
    guarded(key, trail).sign(CHALLENGE)

    permission, signature = recorded(file)
    assert permission["call"] == signature["call"]
    assert "path" not in permission


def test_challenge_without_a_call_is_refused_where_there_are_rules_and_says_what_to_do(
    key: AnsweringKey, trail: AuditTrail, file: Path
) -> None:
    with pytest.raises(PolicyRefusedError, match="sign with DfnsClient or UserActionAuth"):
        guarded(key, trail, allow).sign(CHALLENGE)

    (refusal,) = recorded(file)
    assert refusal["check"] == "unknown-call"
    assert key.uses == 0


def unwritable(tmp_path: Path) -> AuditTrail:
    return AuditTrail(tmp_path / "missing" / "audit.jsonl")


def test_call_that_cannot_be_recorded_is_not_signed(key: AnsweringKey, tmp_path: Path) -> None:
    signer = guarded(key, unwritable(tmp_path), allow)

    with pytest.raises(PolicyRefusedError, match="not signed, for it cannot be recorded") as caught:
        signer.for_call(CALL).sign(CHALLENGE)

    assert caught.value.check == "audit"
    assert key.uses == 0


def test_call_that_cannot_be_recorded_is_signed_where_that_is_configured(
    key: AnsweringKey, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    signer = guarded(key, unwritable(tmp_path), allow, signs_unrecorded=True)

    assert signer.for_call(CALL).sign(CHALLENGE)["kind"] == "Key"

    assert [record.levelno for record in caplog.records] == [logging.ERROR] * 2
    assert "a call is signed that is not recorded" in caplog.text


def test_signature_that_cannot_be_recorded_is_returned_all_the_same(
    trail: AuditTrail, file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    answer = AnsweringKey("ES256")

    def sign(message: bytes) -> KeyResponse:
        file.unlink()
        file.mkdir()  # from here on, nothing can be recorded
        return KeyResponse(answer.sign(message))

    signer = guarded(AnsweringKey("ES256", sign), trail)

    assert signer.for_call(CALL).sign(CHALLENGE)["kind"] == "Key"

    assert f"the record 'signed' of the call {CALL.id} is lost" in caplog.text
    assert trail.failures == 1


@pytest.mark.parametrize("canary", ["value-of-the-caller", "Y2g"])
def test_no_value_of_body_query_or_challenge_is_recorded(
    key: AnsweringKey, trail: AuditTrail, file: Path, canary: str
) -> None:
    signer = guarded(key, trail, allow, plugins=(("acme-guard", Refuses()),))
    with pytest.raises(SigningRefusedError):
        signer.for_call(CALL).sign(CHALLENGE)
    assertion = guarded(key, trail, allow).for_call(CALL).sign(CHALLENGE)

    assert canary not in file.read_text()
    assert assertion["credentialAssertion"]["signature"] not in file.read_text()


def test_asynchronous_signature_is_recorded_too(
    key: AnsweringKey, trail: AuditTrail, file: Path
) -> None:
    asyncio.run(guarded(key, trail, allow).for_call(CALL).asign(CHALLENGE))

    assert [record["event"] for record in recorded(file)] == ["decided", "signed"]


def test_call_that_is_cancelled_before_the_key_is_used_is_recorded(
    key: AnsweringKey, trail: AuditTrail, file: Path
) -> None:
    async def main() -> None:
        reached, failed = asyncio.Event(), asyncio.Event()
        loop = asyncio.get_running_loop()
        release = asyncio.run_coroutine_threadsafe

        class Waits:
            @hookimpl
            def before_sign(self) -> None:
                loop.call_soon_threadsafe(reached.set)
                release(failed.wait(), loop).result(60)

        class Hears:
            @hookimpl
            def sign_failed(self, request: SigningRequest) -> None:
                assert request.call == CALL
                loop.call_soon_threadsafe(failed.set)

        plugins = (("waits", Waits()), ("hears", Hears()))
        signing = asyncio.create_task(
            guarded(key, trail, allow, plugins=plugins).for_call(CALL).asign(CHALLENGE)
        )
        await reached.wait()
        signing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await signing
        await failed.wait()

    asyncio.run(main())
    assert ("failed", "SigningCancelledError") in [
        (record["event"], record.get("error")) for record in recorded(file)
    ]
    assert key.uses == 0


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
