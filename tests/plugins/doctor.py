"""``doctor`` with the key of any backend: a profile in order, and faults of its key store."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from dfns_signers.cli.exit_codes import ExitCode
from dfns_signers.config.writing import ConfigEdit
from tests.core.cli.support import Command, Outcome
from tests.plugins.flow import PROFILE, Flow

NOBODY_LISTENS: Final = "http://127.0.0.1:9"


def nothing(store: Any) -> None:
    """Leave the key store as it is."""


@dataclass(frozen=True)
class Fault:
    """What is wrong with a key store or the way to it, and what ``doctor`` says of it.

    Attributes:
        name: of the fault.
        check: that fails first.
        said: part of its message.
        remedy: part of what is to be done.
        put: puts the key store in that state.
        signer: options that the profile has instead.
    """

    name: str
    check: str
    said: str
    remedy: str
    put: Callable[[Any], object] = nothing
    signer: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.name


def examined(command: Command, flow: Flow) -> Outcome:
    return command("doctor", "--config", flow.config, "--profile", PROFILE, "--json")


def assert_in_order(command: Command, flow: Flow, policy: str) -> None:
    """No finding but what is in order, and the smallest policy of this kind."""
    done = examined(command, flow)

    assert {one["check"]: one["message"] for one in done.json["findings"] if is_wrong(one)} == {}
    assert done.code == ExitCode.OK
    assert done.json["policy"]["kind"] == policy


def assert_named(command: Command, flow: Flow, fault: Fault, store: Any) -> None:
    """The first failure names the fault and its remedy; nothing fails but what depends on it."""
    edit = ConfigEdit(flow.config)
    signer = edit.profiles[PROFILE]["signer"]
    edit.put(PROFILE, {"signer": {**signer, **fault.signer}})
    edit.write()
    fault.put(store)

    done = examined(command, flow)

    first, *rest = [one for one in done.json["findings"] if one["severity"] == "failure"]
    assert first["check"] == fault.check
    assert fault.said in first["message"]
    assert fault.remedy in first["remedy"]
    assert {one["check"] for one in rest} <= {"key state", "permissions", "key", "signature"}
    assert done.code == ExitCode.KEY


def is_wrong(finding: Mapping[str, Any]) -> bool:
    return bool(finding["severity"] != "ok")
