"""The flow of a rotation, and what it reports.

Source: Dfns documentation on credentials, rotation: a new credential is registered under the old
one, which is deactivated once the new one is in use.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from enum import Enum
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

from dfns_signers.client.call import Call
from dfns_signers.errors import RegistrationError
from dfns_signers.lifecycle.registrable import Client, fingerprint_of, member, require_done
from dfns_signers.lifecycle.registrations import credential_registration
from dfns_signers.lifecycle.rotated_profile import RotatedProfile, Stage
from dfns_signers.lifecycle.steps import Flow, asked, listed, ran
from dfns_signers.lifecycle.unused_action import unused_action
from dfns_signers.sealed import Sealed
from dfns_signers.signing_key import SigningKey

_CREDENTIALS: Final = "/auth/credentials"

_Credentials: TypeAlias = Mapping[str, Mapping[str, Any]]
"""The credentials of the identity, by their ``credId``."""


class RotationStep(str, Enum):
    """The steps of a rotation, in their order."""

    CHECK = "check"
    CREATE = "create"
    REGISTER = "register"
    PROVE = "prove"
    SWITCH = "switch"
    DEACTIVATE = "deactivate"


StepState: TypeAlias = Literal["done", "found done", "planned", "waiting"]


@dataclass(frozen=True, slots=True)
class RotationProgress:
    """A step of a rotation.

    Attributes:
        step: which.
        state: ``done`` by this run, ``found done`` by an earlier one, ``planned`` in a dry run, or
            ``waiting`` for confirmation.
        message: what was, or would be done, with the names of key, credential and file.
    """

    step: RotationStep
    state: StepState
    message: str


@dataclass(frozen=True, slots=True)
class Rotation:
    """How far a rotation has come.

    Attributes:
        profile: its name.
        credential_id: ``credId`` of the new credential; not registered yet in a dry run.
        old_credential_id: ``credId`` of the old one.
        old_key: the old key as its key store names it; None where it could not be opened any more.
        copy: the file as it was before the switch; None if this run did not switch.
        is_complete: whether the old credential is deactivated, and nothing is left to do.
    """

    profile: str
    credential_id: str
    old_credential_id: str
    old_key: str | None
    copy: Path | None = None
    is_complete: bool = False


Report: TypeAlias = Callable[[RotationProgress], object]

_Say: TypeAlias = Callable[[RotationStep, StepState, str], object]


def rotation(
    rotated: RotatedProfile,
    old: Client,
    new: Client,
    confirm: Callable[[str], bool],
    report: Report,
) -> Flow[Rotation]:
    """Rotate the key of a profile, or go on with it.

    Args:
        rotated: the profile.
        old: a client that signs with the old key; not used after the switch.
        new: a client that signs with the new key.
        confirm: as for ``rotate``.
        report: as for ``rotate``.
    """
    say, copy = _saying(report), None
    if rotated.stage is not Stage.SWITCHED:
        yield from _check(rotated, old, say)
        yield from _create(rotated, say)
        key = yield from ran(rotated.open_new)
        yield from _register(rotated, key, old, say)
        yield from _prove(rotated, key, new, say)
        copy = yield from ran(rotated.switch, key)
        say(
            RotationStep.SWITCH,
            "done",
            f"the profile {rotated.name!r} signs with credential {rotated.credential_id!r}; "
            f"the file as it was is {copy}",
        )
    is_complete = yield from _retire(rotated, new, confirm, say)
    old_key = yield from ran(rotated.old_reference)
    if is_complete:
        yield from ran(rotated.forget_previous)
    return _result(rotated, old_key=old_key, copy=copy, is_complete=is_complete)


def rotation_plan(rotated: RotatedProfile, dfns: Client, report: Report) -> Flow[Rotation]:
    """Look only, and report what ``rotation`` would do."""
    say = _saying(report)
    if rotated.stage is not Stage.SWITCHED:
        yield from _check(rotated, dfns, say)
    for step, message in _plan(rotated):
        say(step, "planned", message)
    return _result(rotated, old_key=(yield from ran(rotated.old_reference)))


def _saying(report: Report) -> _Say:
    return lambda step, state, message: report(RotationProgress(step, state, message))


def _result(rotated: RotatedProfile, **found: Any) -> Rotation:
    return Rotation(rotated.name, rotated.credential_id, rotated.old_credential_id, **found)


def _plan(rotated: RotatedProfile) -> Iterator[tuple[RotationStep, str]]:
    old, new = f"credential {rotated.old_credential_id!r}", "the next key"
    if rotated.stage is Stage.NOTHING_PREPARED:
        yield (
            RotationStep.CREATE,
            f"create {new}, and write it to {rotated.file} as [profiles.{rotated.next}]",
        )
    if rotated.stage is not Stage.SWITCHED:
        yield RotationStep.REGISTER, f"register {new} under {old}, unless it is registered"
        yield RotationStep.PROVE, f"sign a user action with {new}, which is not used"
        yield (
            RotationStep.SWITCH,
            f"have the profile {rotated.name!r} name {new}, and keep a copy of {rotated.file}",
        )
    yield (
        RotationStep.DEACTIVATE,
        f"ask whether to deactivate {old}, do so, and remove [profiles.{rotated.previous}]",
    )


def _check(rotated: RotatedProfile, dfns: Client, say: _Say) -> Flow[None]:
    """Refuse to begin under a credential that cannot register another one."""
    found = yield from _credentials(dfns)
    if rotated.credential_id in found:  # an earlier run registered it
        return
    key = yield from ran(rotated.open_old)
    _require_active(rotated, found, rotated.old_credential_id, key)
    say(
        RotationStep.CHECK,
        "done",
        f"credential {rotated.old_credential_id!r} is active, and its key is {key.reference} "
        f"({key.fingerprint})",
    )


def _create(rotated: RotatedProfile, say: _Say) -> Flow[None]:
    is_new = rotated.stage is Stage.NOTHING_PREPARED
    if is_new:
        signer = Sealed((yield from ran(rotated.create_next)))
        yield from ran(rotated.write_next, signer)
    else:
        yield from ran(rotated.write_credential_id)
    say(
        RotationStep.CREATE,
        "done" if is_new else "found done",
        f"the next key is [profiles.{rotated.next}] in {rotated.file}",
    )


def _register(rotated: RotatedProfile, key: SigningKey, old: Client, say: _Say) -> Flow[None]:
    name = f"{rotated.name} {datetime.now(timezone.utc):%Y-%m-%d}"
    registered = yield from credential_registration(
        key, old, name=name, credential_id=rotated.credential_id
    )
    say(
        RotationStep.REGISTER,
        "done" if registered.is_new else "found done",
        f"{key.reference} ({key.fingerprint}) is credential {registered.credential_id!r} "
        f"({registered.name!r})",
    )


def _prove(rotated: RotatedProfile, key: SigningKey, new: Client, say: _Say) -> Flow[None]:
    """Have the API take a signature of the new key, for what changes nothing."""
    found = yield from _credentials(new)
    credential = _require_active(rotated, found, rotated.credential_id, key)
    uuid = member(credential, "credentialUuid", _CREDENTIALS)
    activation = Call[Any].of("PUT", f"{_CREDENTIALS}/activate", json={"credentialUuid": uuid})
    yield from unused_action(new, rotated.new_signer, activation)
    say(
        RotationStep.PROVE,
        "done",
        f"credential {rotated.credential_id!r} is active, and signed a user action, which was "
        "not used",
    )


def _retire(
    rotated: RotatedProfile, new: Client, confirm: Callable[[str], bool], say: _Say
) -> Flow[bool]:
    """Deactivate the old credential, if that is confirmed; whether it is deactivated."""
    found = yield from _credentials(new)
    _require_active(rotated, found, rotated.credential_id, (yield from ran(rotated.open_new)))
    old_id = rotated.old_credential_id
    old = found.get(old_id, {})
    if old.get("isActive") is not True:
        done = f"credential {old_id!r} is not active"
        say(RotationStep.DEACTIVATE, "found done", done)
        return True
    question = (
        f"Deactivate credential {old_id!r} ({old.get('name')!r})? Every program that still signs "
        "with it will be refused: restart those that do not reload their configuration first."
    )
    if not (yield from ran(confirm, question)):
        waiting = (
            f"credential {old_id!r} stays active, as does the new one. Once every program signs "
            f"with the new key, go on with: {rotated.command}"
        )
        say(RotationStep.DEACTIVATE, "waiting", waiting)
        return False
    uuid = member(old, "credentialUuid", _CREDENTIALS)
    answer = yield from asked(new.auth.credentials.deactivate, uuid)
    require_done(answer, f"credential {old_id!r} is deactivated")
    done = f"credential {old_id!r} is deactivated"
    say(RotationStep.DEACTIVATE, "done", done)
    return True


def _credentials(dfns: Client) -> Flow[_Credentials]:
    entries = yield from listed(dfns, Call[Any].of("GET", _CREDENTIALS))
    return {
        str(entry.get("credentialId")): entry for entry in entries if isinstance(entry, Mapping)
    }


def _require_active(
    rotated: RotatedProfile, found: _Credentials, credential_id: str, key: SigningKey
) -> Mapping[str, Any]:
    """A credential that is active and that of the key; RegistrationError else."""
    credential = found.get(credential_id)
    problem = None
    if credential is None:
        problem = "the identity of the token has no such credential"
    elif credential.get("isActive") is not True:
        problem = "it is deactivated"
    elif fingerprint_of(credential.get("publicKey")) != key.fingerprint:
        problem = f"it has another public key than {key.reference} ({key.fingerprint})"
    if credential is None or problem:
        raise RegistrationError(
            f"profile {rotated.name!r}, credential {credential_id!r}: {problem}. Nothing was "
            f"deactivated; run: dfns-signers doctor --profile {rotated.name}"
        )
    return credential
