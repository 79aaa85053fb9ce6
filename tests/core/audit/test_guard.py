"""What the guard records, and that nothing is signed that cannot be recorded."""

from __future__ import annotations

import asyncio
import logging
import threading
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from dfns_signers import deadlines, worker_threads
from dfns_signers.announced_call import AnnouncedCall
from dfns_signers.audit.trail import AuditTrail
from dfns_signers.config.guard import NAME, Guard, Judge
from dfns_signers.errors import (
    CredentialNotAllowedError,
    DfnsSignersError,
    KeyStoreUnavailableError,
    PolicyRefusedError,
    SigningRefusedError,
)
from dfns_signers.evidence import KeyResponse
from dfns_signers.hooks import SigningHooks, hookimpl
from dfns_signers.signer import KeySigner
from tests.core.audit.trails import recorded
from tests.core.keys import AnsweringKey, make_signature, private_key

BOUND = 60  # seconds; far more than anything here takes
CHALLENGE = {"challenge": "Y2g"}
BODY = '{"amount":"5","memo":"value-of-the-caller"}'
CALL = AnnouncedCall("POST", "/wallets/wa-1/transfers", BODY, "a=value-of-the-caller&b", "payments")


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
    by_member = dict(zip(("rule", "profileRule"), judges, strict=False))
    guard = Guard(lambda _request: by_member, trail, signs_unrecorded=signs_unrecorded)
    return KeySigner(key, "cr-1", plugins=SigningHooks([*plugins, (NAME, guard)]))


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


def test_rule_of_each_place_is_recorded_as_a_member_of_its_own(
    key: AnsweringKey, trail: AuditTrail, file: Path
) -> None:
    guarded(key, trail, allow, lambda _call: "of the profile").for_call(CALL).sign(CHALLENGE)

    permission = recorded(file)[0]
    assert (permission["rule"], permission["profileRule"]) == ("payouts", "of the profile")


def test_refusal_of_a_rule_is_recorded_and_no_key_is_used(
    key: AnsweringKey, trail: AuditTrail, file: Path
) -> None:
    with pytest.raises(PolicyRefusedError, match="no POST"):
        guarded(key, trail, allow, refuse).for_call(CALL).sign(CHALLENGE)

    assert recorded(file) == [decided(key, outcome="refused", rule="nearest", check="no-rule")]
    assert key.uses == 0


def test_judge_that_fails_refuses_and_is_recorded_by_the_type_of_its_error(
    key: AnsweringKey, trail: AuditTrail, file: Path
) -> None:
    def fail(_call: AnnouncedCall) -> str:
        raise ValueError(BODY)

    with pytest.raises(SigningRefusedError):
        guarded(key, trail, fail).for_call(CALL).sign(CHALLENGE)

    assert recorded(file) == [decided(key, outcome="refused", check="error", error="ValueError")]


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


class Held:
    """Waits in a hook until it is let go."""

    def __init__(self) -> None:
        self.reached, self.may_go_on = threading.Event(), threading.Event()

    def wait(self) -> None:
        self.reached.set()
        assert self.may_go_on.wait(BOUND)


class HeldBefore(Held):
    @hookimpl(tryfirst=True)
    def before_sign(self) -> None:
        self.wait()


class HeldAfter(Held):
    @hookimpl(tryfirst=True)
    def after_sign(self) -> None:
        self.wait()


class HeldStore(Held):
    """A key store."""

    def __call__(self, message: bytes) -> KeyResponse:
        self.wait()
        return KeyResponse(make_signature(private_key("ES256"), message))


class Hears:
    """Says that the guard has recorded how the call ended."""

    def __init__(self) -> None:
        self.over = threading.Event()

    @hookimpl(trylast=True)
    def sign_failed(self) -> None:
        self.over.set()

    @hookimpl(trylast=True)
    def call_answered(self) -> None:
        self.over.set()


def cancelled_in(held: Held, signer: KeySigner, hears: Hears) -> None:
    """Sign, and be cancelled in a hook or by a key store, which goes on only after that."""

    async def main() -> None:
        signing = asyncio.create_task(signer.for_call(CALL).asign(CHALLENGE))
        await asyncio.to_thread(held.reached.wait, BOUND)
        signing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await signing

    asyncio.run(main())
    held.may_go_on.set()
    assert hears.over.wait(BOUND)


def outline(file: Path) -> list[tuple[str, str | None]]:
    return [(record["event"], record.get("error")) for record in recorded(file)]


def test_call_that_is_cancelled_while_it_is_decided_on_is_recorded_in_order(
    key: AnsweringKey, trail: AuditTrail, file: Path
) -> None:
    held, hears = HeldBefore(), Hears()
    signer = guarded(key, trail, allow, plugins=(("held", held), ("hears", hears)))

    cancelled_in(held, signer, hears)

    assert outline(file) == [("decided", None), ("failed", "SigningCancelledError")]
    assert key.uses == 0


def test_call_that_is_cancelled_while_a_rule_refuses_it_is_recorded_as_refused_alone(
    key: AnsweringKey, trail: AuditTrail, file: Path
) -> None:
    held, hears = HeldBefore(), Hears()
    signer = guarded(key, trail, refuse, plugins=(("held", held), ("hears", hears)))

    cancelled_in(held, signer, hears)

    assert recorded(file) == [decided(key, outcome="refused", rule="nearest", check="no-rule")]


def test_call_that_is_cancelled_while_a_plugin_refuses_it_is_recorded_as_refused_alone(
    key: AnsweringKey, trail: AuditTrail, file: Path
) -> None:
    class Refusing(HeldBefore):
        @hookimpl(tryfirst=True)
        def before_sign(self) -> None:
            self.wait()
            raise SigningRefusedError("not this one")

    held, hears = Refusing(), Hears()
    signer = guarded(key, trail, allow, plugins=(("acme-guard", held), ("hears", hears)))

    cancelled_in(held, signer, hears)

    assert recorded(file) == [decided(key, outcome="refused", check="plugin", plugin="acme-guard")]


def test_call_that_is_cancelled_while_its_signature_is_recorded_ends_as_not_sent(
    key: AnsweringKey, trail: AuditTrail, file: Path
) -> None:
    held, hears = HeldAfter(), Hears()
    signer = guarded(key, trail, allow, plugins=(("held", held), ("hears", hears)))

    cancelled_in(held, signer, hears)

    assert outline(file) == [
        *(("decided", None), ("signed", None)),
        ("answered", "SigningCancelledError"),
    ]
    assert "mayHaveTakenEffect" not in recorded(file)[-1]


def test_call_whose_signature_nobody_waits_for_ends_as_not_sent(
    trail: AuditTrail, file: Path
) -> None:
    store, hears = HeldStore(), Hears()
    signer = guarded(AnsweringKey("ES256", store), trail, allow, plugins=(("hears", hears),))

    cancelled_in(store, signer, hears)

    assert recorded(file)[1]["abandoned"] is True
    assert outline(file)[1:] == [("signed", None), ("answered", "SigningCancelledError")]


def test_call_whose_time_is_over_before_its_signature_ends_as_not_sent(
    trail: AuditTrail, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, answered = HeldStore(), threading.Event()

    class Hears:
        @hookimpl(trylast=True)
        def call_answered(self) -> None:
            answered.set()

    def remaining() -> float:
        """Much, and nothing once the store is asked."""
        return next(much, 0.0) or float(not store.reached.wait(BOUND))

    much = iter([60.0])
    signer = guarded(AnsweringKey("ES256", store), trail, allow, plugins=(("hears", Hears()),))
    monkeypatch.setattr(deadlines, "remaining", remaining)

    with pytest.raises(KeyStoreUnavailableError, match="within the time of the call"):
        signer.for_call(CALL).sign(CHALLENGE)
    store.may_go_on.set()

    assert answered.wait(BOUND)
    assert outline(file) == [
        *(("decided", None), ("failed", "KeyStoreUnavailableError")),
        *(("signed", None), ("answered", "SigningCancelledError")),
    ]


def test_interrupted_record_of_a_signature_is_followed_by_the_end_of_its_call(
    key: AnsweringKey, trail: AuditTrail, file: Path
) -> None:
    class Interrupted:
        @hookimpl(trylast=True)
        def after_sign(self) -> None:
            raise KeyboardInterrupt

    signer = guarded(key, trail, allow, plugins=(("interrupted", Interrupted()),))

    with pytest.raises(KeyboardInterrupt):
        signer.for_call(CALL).sign(CHALLENGE)

    assert outline(file)[1:] == [("signed", None), ("answered", "SigningCancelledError")]


def test_signature_is_recorded_where_there_is_no_thread_to_be_had(
    trail: AuditTrail, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = AnsweringKey("ES256")

    def refuse(*_: object) -> None:
        raise DfnsSignersError("no worker thread could be started")

    class LastThread(AnsweringKey):
        async def _asign(self, message: bytes) -> KeyResponse:
            monkeypatch.setattr(worker_threads, "submit", refuse)
            return KeyResponse(answer.sign(message))

    signer = guarded(LastThread("ES256"), trail, allow).for_call(CALL)

    assert asyncio.run(signer.asign(CHALLENGE))["kind"] == "Key"

    assert outline(file) == [("decided", None), ("signed", None)]
