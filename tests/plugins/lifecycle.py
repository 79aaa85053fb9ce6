"""What holds for the life of a key of any backend: undisturbed, and interrupted anywhere."""

from __future__ import annotations

import signal
from contextlib import ExitStack
from dataclasses import replace

import pytest

from dfns_signers import DfnsClient, KeySigner
from dfns_signers.config.loading import load_profile
from dfns_signers.config.writing import ConfigEdit
from dfns_signers.discovery import load_backend
from dfns_signers.errors import CredentialNotAllowedError
from dfns_signers.lifecycle import NewCredential, Rotation, rotate
from dfns_signers.lifecycle.rotated_profile import RotatedProfile
from dfns_signers.lifecycle.rotation_flow import rotation
from dfns_signers.lifecycle.steps import Flow
from tests.core.cli.interrupting import Power, interrupted_anywhere
from tests.core.cli.support import SECONDS, Started
from tests.core.lifecycle.killing import killed_after_each_step
from tests.plugins.life import ONE_LIFE, PROFILE, Life
from tests.support.relay import Killing

KINDS = ("service-account", "token")


def assert_lives(life: Life, algorithm: str) -> None:
    """Set up, registered as each kind, rotated: each signs in its time, the old one no longer."""
    life.run(life.setup(algorithm))
    life.sign()
    for kind in KINDS:
        life.sign_as(kind, life.run(life.register(kind)).json["credential_id"])
    old_id = load_profile(PROFILE, config=life.config).settings.credential_id or ""
    with life.key() as old:
        table = life.configure(fingerprint=old.fingerprint, **life.store.more)

        life.run(life.rotate)

        life.sign()
        with life.key() as new:
            assert new.algorithm == old.algorithm == algorithm
            assert new.fingerprint != old.fingerprint
        signer, emulator = KeySigner(old, old_id), life.emulator
        with (
            DfnsClient(emulator.auth_token, signer, base_url=emulator.url) as dfns,
            pytest.raises(CredentialNotAllowedError),
        ):
            dfns.wallets.create(network="EthereumSepolia")
    rotated = ConfigEdit(life.config).profiles[PROFILE]["signer"]
    assert rotated.keys() == table.keys()
    assert {name: rotated[name] for name in life.store.more} == life.store.more
    assert life.census() == ONE_LIFE


def assert_setup_goes_on(life: Life, algorithm: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Interrupted before and after each effect, ``setup`` makes one key and one credential."""
    power = Power(
        monkeypatch,
        (type(load_backend(life.store.backend)), "create"),
        (ConfigEdit, "write"),
        (NewCredential, "accept"),
    )

    names = list(
        interrupted_anywhere(
            life.command,
            power,
            life.config,
            lambda name: life.options(algorithm, name),
        )
    )

    found = life.census()
    assert len(names) >= 8
    assert (found.keys, found.active, found.inactive) == (len(names), len(names) + 1, 0)


def assert_rotation_goes_on(life: Life, algorithm: str) -> None:
    """Left after each of its steps, a rotation makes one key and one credential."""
    life.run(life.setup(algorithm))
    emulator = life.emulator
    with ExitStack() as left:

        def begin() -> Flow[Rotation]:
            rotated = left.enter_context(RotatedProfile(PROFILE, life.config))
            old, new = (
                left.enter_context(DfnsClient(emulator.auth_token, signer, base_url=emulator.url))
                for signer in (rotated.old_signer, rotated.new_signer)
            )
            return rotation(rotated, old, new, lambda _: True, lambda _: None)

        rotations = 1  # of the flow that comes to its end
        for _ in killed_after_each_step(begin):
            assert rotate(PROFILE, config=life.config, confirm=lambda _: True).is_complete
            rotations += 1
    assert rotations > 10
    life.sign()
    assert life.census() == replace(
        ONE_LIFE, keys=rotations + 1, inactive=rotations, accounts=0, tokens=0
    )


def assert_survives_kills(
    life: Life, algorithm: str, dfns: Killing, store: Killing, *, created: str, followed: str
) -> None:
    """Killed with what it has asked for done, a process leaves nothing that is made twice.

    Args:
        life: with the relays that kill configured.
        algorithm: of the key.
        dfns: kills at calls to the emulator.
        store: kills at calls to the key store.
        created: the call that creates the first key; empty where there is none.
        followed: the call that creates the next one.
    """
    register, deactivate = "POST /auth/credentials", "PUT /auth/credentials/deactivate"
    setup, rotate_ = life.setup(algorithm), life.rotate
    _killed(setup, *([(store, created)] if created else []), (dfns, register))
    life.run(setup)
    life.sign()
    next_key = [(store, followed)] if followed else []
    _killed(rotate_, *next_key, (dfns, register), (dfns, deactivate))
    life.run(rotate_)

    life.sign()
    assert life.census() == replace(ONE_LIFE, accounts=0, tokens=0)


def assert_registrations_survive_kills(life: Life, algorithm: str, dfns: Killing) -> None:
    """A process that is killed before it has the token says so in its next run."""
    life.run(life.setup(algorithm))
    for kind, path in zip(KINDS, ("/auth/service-accounts", "/auth/pats"), strict=True):
        _killed(life.register(kind), (dfns, f"POST {path}"))
        assert "its token is not" in life.command(*life.register(kind)).err
        made = life.run((*life.register(kind), "--replace"))
        life.sign_as(kind, made.json["credential_id"])

    assert life.census() == replace(ONE_LIFE, keys=1, inactive=0)


def _killed(command: tuple[object, ...], *calls: tuple[Killing, str]) -> None:
    """Run a command in a process once for each call, which ends the process."""
    for killing, operation in calls:
        killing.at(operation)
        with Started(*map(str, command)) as started:
            killing.is_of(started.process)
            out, err = started.process.communicate(timeout=SECONDS)
        assert started.process.returncode == -signal.SIGKILL, (operation, out, err)
