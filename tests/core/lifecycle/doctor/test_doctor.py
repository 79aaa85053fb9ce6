"""What ``examine`` does and leaves alone, on a profile that is in order or only begun."""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from dfns_signers.lifecycle import (
    Finding,
    Severity,
    aexamine,
    examine,
    worst,
)
from dfns_signers.public_keys import fingerprint
from tests.core.keys import public_key
from tests.core.lifecycle.doctor.doctor_scene import ALL_CHECKS, Scene, problems, scene
from tests.core.lifecycle.doctor.examining_store import with_store

__all__ = ["scene"]


RULE = {"name": "wallets", "call": "POST /wallets", "rate": "1/hour"}
OBSERVED = """
    from dfns_signers import hookimpl
    from dfns_signers.errors import SigningRefusedError

    seen = []

    @hookimpl
    def before_sign(request):
        seen.append(("before", request.call.method, request.call.path, request.key))

    @hookimpl
    def after_sign(request, evidence):
        seen.append(("signed",))

    @hookimpl
    def sign_failed(request, error):
        seen.append(("failed", type(error).__name__))
"""


def test_profile_in_order_has_every_check_once_in_order_and_no_problem(scene: Scene) -> None:
    findings = scene.findings()

    assert tuple(finding.check for finding in findings) == ALL_CHECKS
    assert problems(findings) == []


def test_latency_is_given_where_a_server_or_the_key_was_asked(scene: Scene) -> None:
    taken = {one.check: one.seconds for one in scene.findings() if one.seconds is not None}

    assert {"key", "signature", "Dfns", "authentication", "user action"} <= taken.keys()
    assert all(0 < seconds < 60 for seconds in taken.values())


@pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
@pytest.mark.anyio
async def test_asynchronous_examination_finds_the_same(scene: Scene, anyio_backend: str) -> None:
    scene.settings["credential_id"] = "cr-none"
    expected = scene.findings()

    found = [finding async for finding in aexamine(config=scene.config)]

    assert [(one.check, one.severity, one.message) for one in found] == [
        (one.check, one.severity, one.message) for one in expected
    ]


@pytest.mark.anyio
async def test_asynchronous_examination_that_is_left_early_closes_its_key(scene: Scene) -> None:
    store = with_store(scene)
    scene.write()
    findings = aexamine(config=scene.config)

    async for finding in findings:
        if finding.check == "signature":
            break
    await findings.aclose()  # type: ignore[attr-defined]  # of a generator

    assert len(store.closed) == 1


def test_key_is_closed_at_the_end(scene: Scene) -> None:
    store = with_store(scene)

    scene.findings()

    assert len(store.closed) == 1


def test_probe_is_signed_once_says_what_it_is_and_is_not_json(scene: Scene) -> None:
    store = with_store(scene)

    scene.findings()

    (message,) = store.signed
    assert message.startswith(b"dfns-signers doctor: this is not a user action, ")
    with pytest.raises(ValueError, match="Expecting value"):
        json.loads(message)


def test_each_probe_is_another_one(scene: Scene) -> None:
    store = with_store(scene)

    scene.findings()
    scene.findings()

    assert len(set(store.signed)) == 2


def test_requests_only_read_and_announce_and_the_first_has_no_token(scene: Scene) -> None:
    scene.findings()

    sent = [(one.method, one.raw_path) for one in scene.emulator.requests]
    assert sent == [
        ("GET", "/auth/credentials"),
        ("GET", "/auth/credentials"),
        ("POST", "/auth/action/init"),
    ]
    assert ["authorization" in one.headers for one in scene.emulator.requests] == [
        False,
        True,
        True,
    ]
    announced = json.loads(scene.emulator.requests[-1].body)
    assert announced["userActionPayload"] == (
        '{"credentialUuid":"00000000-0000-0000-0000-000000000000"}'
    )
    assert announced["userActionHttpPath"] == "/auth/credentials/activate"


def test_guards_see_the_announced_call_and_observers_that_it_is_not_signed(scene: Scene) -> None:
    scene.plugin("audit", OBSERVED)
    scene.settings["plugins"] = ["audit"]

    findings = scene.findings()

    key = f"file {scene.folder / 'key.pem'}"
    assert problems(findings) == []
    assert findings[-1].check == "guards"
    assert import_module("audit").seen == [
        ("before", "PUT", "/auth/credentials/activate", key),
        ("failed", "SigningCancelledError"),
    ]


def test_refusal_of_a_guard_is_reported_to_observers_as_that(scene: Scene) -> None:
    source = OBSERVED.replace(
        'seen.append(("before", request.call.method, request.call.path, request.key))',
        'raise SigningRefusedError("no")',
    )
    scene.plugin("audit", source)
    scene.settings["plugins"] = ["audit"]

    findings = scene.findings()

    assert problems(findings) == [("guards", "WARNING")]
    assert import_module("audit").seen == [("failed", "SigningRefusedError")]


def test_challenge_that_does_not_allow_the_credential_is_a_finding_of_its_own(
    scene: Scene,
) -> None:
    scene.emulator.disable_credential("Y2kt")

    assert problems(scene.findings()) == [("credential", "FAILURE"), ("user action", "FAILURE")]


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"allow": [RULE]}, "1 rule"),
        ({"allow": [RULE], "read_only": True}, "1 rule, read-only: nothing is signed"),
        ({"read_only": True}, "0 rules, read-only: nothing is signed"),
    ],
)
def test_rules_are_said_and_no_call_is_judged_by_them(
    scene: Scene, settings: dict[str, Any], said: str
) -> None:
    scene.settings |= {**settings, "audit": {"file": "audit.jsonl"}}

    findings = scene.findings()

    assert problems(findings) == []
    assert [one.message for one in findings if one.check == "rules"] == [said]
    assert not (scene.folder / "audit.jsonl").exists()


@pytest.mark.parametrize("written", [None, b"", b"half a li"])
def test_audit_trail_is_examined_and_left_as_it_is(scene: Scene, written: bytes | None) -> None:
    trail = scene.folder / "audit.jsonl"
    if written is not None:
        trail.write_bytes(written)
        trail.chmod(0o600)
    scene.settings["audit"] = {"file": "audit.jsonl"}

    findings = scene.findings()

    assert [one.message for one in findings if one.check == "audit trail"] == [str(trail)]
    assert problems(findings) == []
    assert (trail.read_bytes() if trail.exists() else None) == written
    assert not trail.with_name("audit.jsonl.head").exists()


@pytest.mark.parametrize("is_pinned", [False, True])
def test_finding_says_whether_the_key_is_pinned(scene: Scene, is_pinned: bool) -> None:
    if is_pinned:
        scene.signer["fingerprint"] = fingerprint(public_key("Ed25519"))

    (key,) = [one for one in scene.findings() if one.check == "key"]

    assert fingerprint(public_key("Ed25519")) in key.message
    assert key.message.endswith("(as pinned)" if is_pinned else "(not pinned)")


def test_key_that_cannot_be_opened_keeps_nothing_else_from_being_examined(scene: Scene) -> None:
    scene.signer["path"] = "away.pem"

    findings = scene.findings()

    assert problems(findings) == [
        ("key", "FAILURE"),
        ("signature", "WARNING"),
        ("credential", "WARNING"),
    ]
    assert "not examined: the key cannot be opened" in {one.message for one in findings}


def test_profile_that_is_only_begun_says_what_to_do_next(scene: Scene) -> None:
    del scene.settings["auth_token"], scene.settings["credential_id"]

    findings = scene.findings()

    assert problems(findings) == [
        ("token", "FAILURE"),
        ("authentication", "WARNING"),
        ("credential", "WARNING"),
        ("user action", "WARNING"),
    ]


def test_nothing_configured_at_all_leads_to_setup() -> None:
    first, *rest = examine()

    assert (first.check, first.severity) == ("configuration", Severity.FAILURE)
    assert "dfns-signers setup" in first.remedy
    assert all(one.message.startswith("not examined: ") for one in rest)


def test_environment_alone_can_be_in_order(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, key_file: Path
) -> None:
    monkeypatch.setenv("DFNS_BASE_URL", scene.emulator.url)
    monkeypatch.setenv("DFNS_AUTH_TOKEN", scene.emulator.auth_token)
    monkeypatch.setenv("DFNS_CREDENTIAL_ID", "Y2kt")
    monkeypatch.setenv("DFNS_SIGNER", f"pem:?path={key_file}")

    findings = list(examine())

    assert problems(findings) == []
    assert findings[0].message.startswith("no configuration file; ")


def test_file_that_others_can_read_is_found_again_by_each_examination(scene: Scene) -> None:
    (scene.folder / "key.pem").chmod(0o644)

    assert problems(scene.findings()) == problems(scene.findings()) == [("key", "WARNING")]


@pytest.mark.parametrize(
    ("variables", "profile", "chosen"),
    [
        ({}, None, "default_profile"),
        ({"DFNS_PROFILE": "p"}, None, "named by DFNS_PROFILE"),
        ({}, "p", "named explicitly"),
    ],
)
def test_finding_says_how_the_profile_was_chosen(
    scene: Scene, variables: dict[str, str], profile: str | None, chosen: str
) -> None:
    for name, value in variables.items():
        scene.patch.setenv(name, value)
    scene.profile = profile

    assert chosen in scene.findings()[0].message


@pytest.mark.parametrize(
    ("severities", "expected"),
    [
        ([], Severity.OK),
        ([Severity.OK], Severity.OK),
        ([Severity.WARNING, Severity.OK], Severity.WARNING),
        ([Severity.WARNING, Severity.FAILURE, Severity.OK], Severity.FAILURE),
    ],
)
def test_worst_of_findings(severities: list[Severity], expected: Severity) -> None:
    assert worst(Finding("key", severity, "") for severity in severities) is expected
