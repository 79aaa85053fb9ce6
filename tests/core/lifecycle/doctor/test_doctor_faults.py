"""Every fault of a profile is shown to ``examine``, and named by it with what to do."""

from __future__ import annotations

import re

import pytest

from dfns_signers.lifecycle import Severity
from tests.core.lifecycle.doctor import faults_at_dfns, faults_of_the_profile
from tests.core.lifecycle.doctor.doctor_scene import ALL_CHECKS, Scene, scene
from tests.core.lifecycle.doctor.faults import FAILURE, FAULTS
from tests.secrecy import CANARY

__all__ = ["faults_at_dfns", "faults_of_the_profile", "scene"]


SECRET = re.compile(f"{CANARY}|eyJ|PRIVATE KEY")


@pytest.mark.parametrize("name", FAULTS)
def test_fault_is_named_with_what_to_do_no_check_dropped_and_no_secret_shown(
    name: str, scene: Scene
) -> None:
    fault = FAULTS[name]
    fault.arrange(scene)

    findings = scene.findings()

    wrong = [one for one in findings if one.severity is not Severity.OK]
    worst = [one for one in wrong if one.severity is max(each.severity for each in wrong)]
    assert any(
        (one.check, one.severity) == (fault.check, fault.severity)
        and fault.message in one.message
        and fault.remedy in one.remedy
        for one in worst
    ), worst
    if fault.severity is FAILURE:
        assert worst[0].check == fault.check
    assert set(ALL_CHECKS) - {one.check for one in findings} == set()
    assert all(one.remedy for one in wrong)
    said = [one.message for one in wrong if not one.message.startswith("not examined: ")]
    assert len(set(said)) == len(said)
    assert not SECRET.search(repr(findings))
    assert "took no effect" not in repr(findings)


def test_there_are_two_dozen_faults_and_more() -> None:
    assert len(FAULTS) > 24
