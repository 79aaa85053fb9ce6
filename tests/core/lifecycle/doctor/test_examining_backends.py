"""What a backend says of its key is among the findings, as is its policy."""

from __future__ import annotations

from dfns_signers.lifecycle import (
    Policy,
    Severity,
    least_policy,
)
from tests.core.lifecycle.doctor.doctor_scene import Scene, scene
from tests.core.lifecycle.doctor.examining_store import with_store

__all__ = ["scene"]


def test_findings_of_the_backend_come_before_the_key_is_opened(scene: Scene) -> None:
    with_store(scene, 'yield Finding("permissions", Severity.WARNING, "may not describe", "grant")')

    checks = [one.check for one in scene.findings()]

    assert checks[3:7] == ["signer options", "key store", "permissions", "key"]


def test_backend_whose_examination_hangs_is_left_after_the_time_of_a_call(scene: Scene) -> None:
    store = with_store(scene, "may_go_on.wait()")
    scene.stack.callback(store.may_go_on.set)
    scene.settings["call_timeout"] = 0.2

    findings = scene.findings()

    (late,) = [one for one in findings if one.severity is Severity.FAILURE and "0.2" in one.message]
    assert late.check == "key store"
    assert "not examined: the key store gives no answer" in {one.message for one in findings}


def test_backend_that_fails_to_examine_its_key_is_named_without_what_it_said(scene: Scene) -> None:
    with_store(scene, 'raise OSError("a secret")')

    findings = scene.findings()

    (failed,) = [one for one in findings if "failed to examine" in one.message]
    assert failed.message.endswith("with OSError")
    assert "a secret" not in repr(findings)


def test_policy_is_that_of_the_backend_for_the_key_of_the_profile(scene: Scene) -> None:
    with_store(scene)
    scene.write()

    assert least_policy(config=scene.config) == Policy("Acme policy", "allow sign on key-7")


def test_backend_that_knows_no_policy_has_none(scene: Scene) -> None:
    scene.write()

    assert least_policy(config=scene.config) is None
