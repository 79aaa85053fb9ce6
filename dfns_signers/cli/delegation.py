"""Whose credential signs a registration: that of a profile, or somebody else's."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import typer

from dfns_signers.cli.inputs import json_from_file, json_from_stdin, read_text
from dfns_signers.cli.output import note
from dfns_signers.client.client import DfnsClient
from dfns_signers.client.delegated import DelegatedDfnsClient
from dfns_signers.client.pending import PendingAction
from dfns_signers.config.loading import load_profile
from dfns_signers.errors import (
    ConfigurationError,
    CredentialNotAllowedError,
    RegistrationError,
    RequestError,
)
from dfns_signers.lifecycle import Registration, announce_registration, complete_registration
from dfns_signers.lifecycle.registrable import Registrable
from dfns_signers.lifecycle.registrations import register
from dfns_signers.private_files import create_private_file
from dfns_signers.sealed import Sealed


@dataclass(frozen=True, slots=True)
class Signature:
    """Who signs a registration, as the command line says.

    Attributes:
        config: the configuration file.
        profile: whose key is registered.
        by: the profile whose credential signs, or whose token announces what somebody else signs.
        delegated: whether somebody else signs.
        challenge: where the pending action goes, to be signed later.
        pending: where it is, now that it is signed.
        assertion: where the assertion is; else on standard input.
    """

    config: Path | None
    profile: str | None
    by: str | None
    delegated: bool
    challenge: Path | None
    pending: Path | None
    assertion: Path | None

    def __post_init__(self) -> None:
        if self.challenge and self.pending:
            raise typer.BadParameter("excludes --pending", param_hint="--challenge")
        if self.assertion and not self.pending:
            raise typer.BadParameter("is that of --pending", param_hint="--assertion")

    @property
    def is_delegated(self) -> bool:
        """Whether somebody else signs."""
        return bool(self.delegated or self.challenge or self.pending)

    @property
    def uses_standard_output(self) -> bool:
        """Whether the pending action goes to standard output."""
        return self.delegated and not (self.challenge or self.pending)

    def register(self, what: Registrable) -> Registration | None:
        """What the key is registered as; None if somebody else is to sign first."""
        if self.is_delegated:
            return self._delegated(what)
        self._require_credential()
        try:
            with DfnsClient.from_config(self._signing, config=self.config) as dfns:
                return register(what, dfns)
        except CredentialNotAllowedError as error:
            if self.by is not None:
                raise
            raise RegistrationError(
                f"{error}. A credential that is not registered yet cannot sign its own "
                "registration: name the profile of another one with --by"
            ) from error

    @property
    def _signing(self) -> str | None:
        return self.by if self.by is not None else self.profile

    def _require_credential(self) -> None:
        loaded = load_profile(self._signing, config=self.config)
        if loaded.settings.credential_id is None:
            raise ConfigurationError(
                f"{loaded.title} has no credential that could sign the registration: name the "
                "profile of one with --by, or have somebody else sign with --delegated"
            )

    def _delegated(self, what: Registrable) -> Registration | None:
        with DelegatedDfnsClient.from_config(self._signing, config=self.config) as dfns:
            if self.pending:
                pending = PendingAction.from_json(read_text(self.pending, "the pending action"))
                return complete_registration(what, dfns, pending, self._assertion())
            announced = announce_registration(what, dfns)
            if isinstance(announced, Registration):
                return announced
            if self.challenge:
                _write(announced, self.challenge)
                return None
            typer.echo(announced.to_json())
            return complete_registration(what, dfns, announced, self._assertion())

    def _assertion(self) -> dict[str, object]:
        found = (
            json_from_file(self.assertion, "the assertion")
            if self.assertion
            else json_from_stdin("the assertion")
        )
        if not isinstance(found, dict):
            raise RequestError("the assertion is not a JSON object")
        return found


def _write(pending: PendingAction, path: Path) -> None:
    text = pending.to_json() + "\n"
    try:
        create_private_file(path, Sealed(text.encode("utf-8")))
    except OSError as error:
        raise RequestError(
            f"the challenge cannot be written to {path}: {error.strerror}; name a new file"
        ) from error
    note(
        f"{path} waits for a signature: sign it with 'dfns-signers sign < {path} > assertion.json' "
        f"where the credential is, and run this again with --pending {path} --assertion "
        "assertion.json"
    )
