"""What the gateway adds to the audit trail, and what cannot fill it."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest

from dfns_signers.audit.trail import AuditTrail
from dfns_signers.emulator import Emulator
from dfns_signers.errors import AuditError
from dfns_signers.gateway.operation.auditing import AuditObserver, PeerRecorder
from dfns_signers.gateway.requests.messages import Peer
from tests.gateway.operation.administered import gateway_files
from tests.gateway.requests.observed_exchanges import AT_THE_DOOR, OF_A_STRANGER, exchange
from tests.gateway.running import RunningGateway, served
from tests.support.clock import Clock

FACTS = ("event", "call", "outcome", "caller", "rule", "check", "status", "method", "path")


class Recording:
    """An observer with a trail in a file."""

    def __init__(self, folder: Path, *, reads: bool = True, file: str = "audit.jsonl") -> None:
        self.clock = Clock()
        self.failures = 0
        self.file = folder / file
        self.trail = PeerRecorder(AuditTrail(self.file), self._failed)
        self.observer = AuditObserver(
            self.trail, reads=reads, failed=self._failed, clock=self.clock
        )

    def _failed(self) -> None:
        self.failures += 1

    def finish(self, **members: Any) -> str:
        finished = exchange(**members)
        self.observer.finished(finished)
        return finished.id

    def records(self) -> list[dict[str, Any]]:
        self.observer.close()
        return records_in(self.file) if self.file.exists() else []


def records_in(file: Path) -> list[dict[str, Any]]:
    """The records about calls."""
    records = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    return [record for record in records if record["event"] != "started"]


def test_refusal_at_the_door_is_a_decision(tmp_path: Path) -> None:
    recording = Recording(tmp_path)

    call = recording.finish(**AT_THE_DOOR, peer=Peer("unix:/run/api.sock", uid=1001, pid=7))

    (record,) = recording.records()
    assert {name: record.get(name) for name in FACTS} == {
        "event": "decided",
        "call": call,
        "outcome": "refused",
        "caller": "payments",
        "rule": "wallets",
        "check": "no-rule",
        "status": 403,
        "method": "POST",
        "path": "/wallets",
    }
    assert (record["uid"], record["pid"], record["listener"]) == (1001, 7, "unix:/run/api.sock")
    assert record["bodySha256"] == "ab" * 32


def test_read_is_recorded_with_its_answer_alone(tmp_path: Path) -> None:
    recording = Recording(tmp_path)

    recording.finish(method="GET", path="/wallets", query_names=["limit"])

    (record,) = recording.records()
    assert (record["event"], record["status"]) == ("answered", 200)
    assert record["query"] == ["limit"]


def test_reads_can_be_left_out(tmp_path: Path) -> None:
    recording = Recording(tmp_path, reads=False)

    recording.finish(method="GET", path="/wallets")

    assert recording.records() == []


def test_call_without_user_action_that_changes_something_is_recorded_all_the_same(
    tmp_path: Path,
) -> None:
    recording = Recording(tmp_path, reads=False)

    recording.finish(path="/auth/login", operation="POST /auth/login")

    assert [record["event"] for record in recording.records()] == ["answered"]


def test_signed_call_is_for_the_guard_to_record(tmp_path: Path) -> None:
    recording = Recording(tmp_path)

    recording.finish()

    assert recording.records() == []


def test_steps_of_a_user_action_are_not_recorded_before_their_call(tmp_path: Path) -> None:
    recording = Recording(tmp_path)

    for path in ("/auth/action/init", "/auth/action"):
        recording.finish(path=path, operation=f"POST {path}")

    assert recording.records() == []


def test_answer_that_hands_out_a_token_is_marked(tmp_path: Path) -> None:
    recording = Recording(tmp_path)

    recording.finish(path="/auth/pats", operation="POST /auth/pats", has_secret_answer=True)

    assert [(r["event"], r["path"]) for r in recording.records()] == [("handed-out", "/auth/pats")]


def test_decision_of_the_guard_says_who_was_at_the_other_end(tmp_path: Path) -> None:
    recording = Recording(tmp_path)
    under_way = exchange(peer=Peer("localhost:8788", names=("spiffe://example/payments",)))

    recording.observer.began(under_way)
    recording.trail.append("decided", call_id=under_way.id, outcome="allowed")
    recording.trail.append("decided", call_id="of another call", outcome="allowed")

    first, second = recording.records()
    assert (first["names"], first["listener"]) == (["spiffe://example/payments"], "localhost:8788")
    assert first["identifiedBy"] == ["token"]
    assert "listener" not in second


def test_strangers_write_nothing_into_the_trail(tmp_path: Path) -> None:
    recording = Recording(tmp_path)

    for _ in range(50):
        recording.finish(**OF_A_STRANGER)

    assert recording.records() == []


def test_refusals_of_a_caller_are_bounded_and_the_rest_is_counted(tmp_path: Path) -> None:
    recording = Recording(tmp_path)

    for _ in range(320):
        recording.finish(**AT_THE_DOOR)
    recording.finish(**AT_THE_DOOR, caller="another")
    recording.clock.now += 60
    recording.finish(**AT_THE_DOOR)

    records = recording.records()
    assert len(records) == 302
    assert records[-2]["caller"] == "another"
    assert records[-1]["leftOut"] == 20


def test_record_that_cannot_be_written_is_counted_and_breaks_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    recording = Recording(tmp_path, file="absent/audit.jsonl")

    recording.finish(**AT_THE_DOOR)

    assert recording.records() == []
    assert recording.failures == 1
    assert "audit.jsonl cannot be written" in caplog.text


def test_decision_that_cannot_be_written_is_counted_and_refused(tmp_path: Path) -> None:
    recording = Recording(tmp_path, file="absent/audit.jsonl")

    with pytest.raises(AuditError):
        recording.trail.append("decided", call_id="00", outcome="allowed")

    assert recording.failures == 1


def test_records_of_a_call_through_the_gateway_belong_together() -> None:
    with Emulator() as emulator, gateway_files(emulator) as files:
        with served(files.config) as urls, RunningGateway(urls, emulator).client() as caller:
            assert caller.post("/wallets", json={"network": "EthereumSepolia"}).is_success
            assert caller.get("/wallets?limit=1").is_success
            assert caller.post("/keys", json={"curve": "ed25519"}).status_code == 403
            assert caller.put("/wallets/wa-1", json=["no", "object"]).status_code == 400
        found = records_in(files.audit)

    by_call: dict[str, list[dict[str, Any]]] = {}
    for record in found:
        by_call.setdefault(record["call"], []).append(record)
    signed, read, refused, misread = by_call.values()
    assert [record["event"] for record in signed] == ["decided", "signed", "answered"]
    assert signed[0]["listener"] == "127.0.0.1:0"
    assert (signed[0]["caller"], signed[0]["identifiedBy"]) == ("payments", ["token"])
    assert [(record["event"], record["query"]) for record in read] == [("answered", ["limit"])]
    assert [(record["event"], record["check"]) for record in refused] == [("decided", "no-rule")]
    (record,) = misread
    assert (record["outcome"], record["check"], record["caller"]) == ("refused", "body", "payments")
    assert (record["method"], record["path"]) == ("PUT", "/wallets/wa-1")


def test_gateway_does_not_start_without_its_audit_trail() -> None:
    with Emulator() as emulator, gateway_files(emulator) as files:
        files.audit.mkdir()

        with pytest.raises(AuditError, match="cannot be written"), served(files.config):
            pass


def test_head_of_the_trail_is_in_the_log_at_the_end(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO), Emulator() as emulator, gateway_files(emulator) as files:
        with served(files.config) as urls, RunningGateway(urls, emulator).client() as caller:
            assert caller.get("/wallets").is_success
        *_, last = records_in(files.audit)

    *_, said = [line for line in caplog.messages if line.startswith("audit trail")]
    assert f"sequence {last['sequence']}" in said
