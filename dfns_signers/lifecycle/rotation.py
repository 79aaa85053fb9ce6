"""Rotate the key of a profile: register and prove the next one, switch, retire the old one."""

from __future__ import annotations

import os
from collections.abc import Callable

from dfns_signers import worker_threads
from dfns_signers.client.client import AsyncDfnsClient, DfnsClient
from dfns_signers.config.assembly import client_arguments
from dfns_signers.lifecycle.rotated_profile import RotatedProfile
from dfns_signers.lifecycle.rotation_flow import (
    Report,
    Rotation,
    RotationProgress,
    rotation,
    rotation_plan,
)
from dfns_signers.lifecycle.steps import acarry_out, carry_out
from dfns_signers.sealed import Sealed


def _never(question: str) -> bool:
    del question
    return False


def _unheard(progress: RotationProgress) -> None:
    del progress


def rotate(
    profile: str | None = None,
    *,
    config: str | os.PathLike[str] | None = None,
    confirm: Callable[[str], bool] = _never,
    report: Report = _unheard,
    dry_run: bool = False,
) -> Rotation:
    """Have a profile sign with the next key, under a credential of its own.

    The steps: the credential of the profile is active and that of its key; the next key is created
    and written down as ``[profiles.NAME-next]``; it is registered under the old credential; it
    signs a user action, which is never used; in one write of the file, the profile takes it, and
    what it had becomes ``[profiles.NAME-previous]``; if ``confirm`` agrees, the old credential is
    deactivated. Interrupted anywhere and called again, it goes on where it was.

    Args:
        profile: name of the profile; else ``DFNS_PROFILE``, else the file's ``default_profile``.
        config: the configuration file; else ``DFNS_CONFIG``, else the default file.
        confirm: asked whether to deactivate the old credential, with a question for a person; may
            block. Without one, both credentials stay active, and calling this again goes on there.
        report: called with each step.
        dry_run: whether to report only what would be done; nothing is changed, at Dfns, in the key
            store or in the file.

    Raises:
        ConfigurationError: key or credential do not come from the file, the backend makes no keys,
            or the file cannot be written.
        UnsupportedKeyError: the backend makes no next keys.
        RegistrationError: the credential is not active, or not that of the key.
        ApprovalRequiredError: a policy wants approval of the step first; call this again then.
        SigningKeyError: a key store refused or failed.
        CallError: the Dfns API refused or failed.
    """
    rotated = RotatedProfile(profile, config)
    given = Sealed(client_arguments(rotated.loaded))
    with (
        rotated,
        DfnsClient(signer=rotated.old_signer, **given.open()) as old,
        DfnsClient(signer=rotated.new_signer, **given.open()) as new,
    ):
        if dry_run:
            return carry_out(rotation_plan(rotated, new, report))
        return carry_out(rotation(rotated, old, new, confirm, report))


async def arotate(
    profile: str | None = None,
    *,
    config: str | os.PathLike[str] | None = None,
    confirm: Callable[[str], bool] = _never,
    report: Report = _unheard,
    dry_run: bool = False,
) -> Rotation:
    """Like ``rotate``, without blocking the event loop; ``confirm`` runs in a worker thread."""
    rotated = await worker_threads.run(RotatedProfile, profile, config)
    given = Sealed(await worker_threads.run(client_arguments, rotated.loaded))
    async with (
        rotated,
        AsyncDfnsClient(signer=rotated.old_signer, **given.open()) as old,
        AsyncDfnsClient(signer=rotated.new_signer, **given.open()) as new,
    ):
        if dry_run:
            return await acarry_out(rotation_plan(rotated, new, report))
        return await acarry_out(rotation(rotated, old, new, confirm, report))
