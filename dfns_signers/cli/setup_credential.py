"""The second half of ``setup``: the key becomes a credential, by API or by hand."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from dfns_signers.cli.output import note
from dfns_signers.cli.setup_progress import Progress
from dfns_signers.client.client import DfnsClient
from dfns_signers.config.loading import LoadedProfile, load_profile
from dfns_signers.errors import ConfigurationError
from dfns_signers.lifecycle import ProfileSetup, RegistrationKind
from dfns_signers.sealed import Sealed

Source: TypeAlias = Literal["paste", "env", "file"]

_BY_HAND: Final = "in the Dashboard"
_DASHBOARD: Final = """\
Register this public key with Dfns, for example for a new service account, in the Dashboard:
  1. Settings > Developers > Service Accounts > New Service Account
  2. Give it a name, paste the public key above with its BEGIN and END lines, and create it.
  3. Copy its token, which is shown this once, and its credential id.
The same key can be that of a personal access token, or a Key credential of your own."""
_KINDS: Final[Mapping[RegistrationKind, str]] = {
    "service-account": "a new service account, with a token of its own",
    "token": "a new personal access token of the user of that profile",
    "credential": "one more credential of the identity of that profile, with its token",
}
_SOURCES: Final[Mapping[Source, str]] = {
    "paste": "paste it, hidden; it is written to a new file that only you can read",
    "env": "it is in an environment variable",
    "file": "it is in a file",
}


@dataclass(frozen=True, slots=True)
class GivenCredential:
    """What the options of the command say of the credential; None for what is to be asked.

    Attributes:
        register_by: the profile that registers it.
        kind: what it becomes then.
        permission_id: what a new service account or token may do.
        token: where the token is, as in a profile; ``stdin`` for standard input.
    """

    register_by: str | None
    kind: RegistrationKind | None
    permission_id: str | None
    credential_id: str | None
    token: Mapping[str, str] | Literal["stdin"] | None


def settle_credential(progress: Progress, given: GivenCredential) -> None:
    """Have the profile name a credential and a token."""
    explicit = given.credential_id is not None or given.token is not None
    if explicit or _is_complete(progress):
        by = None
    else:
        by = given.register_by or _ask_who_registers(progress)
    if by is not None:
        _register(progress, given, by)
        return
    if "credential_id" in progress.missing and given.credential_id is None:
        if not progress.begins("ask for the credential id and the token of the key"):
            return
        note(_DASHBOARD)
    _settle_credential_id(progress, given.credential_id)
    _settle_token(progress, given)


def _is_complete(progress: Progress) -> bool:
    return not {"credential_id", "auth_token"} & set(progress.missing)


def _ask_who_registers(progress: Progress) -> str | None:
    """The profile that registers the key; None where a person does it by hand."""
    others = dict.fromkeys(progress.profile.others, "by API, under this profile")
    if not (others and progress.questions.can_ask):
        return None
    choices = {_BY_HAND: "or however else", **others}
    answer = progress.questions.choice(
        "Register the key with Dfns", "--register-by", choices, default=_BY_HAND
    )
    return None if answer == _BY_HAND else answer


def _register(progress: Progress, given: GivenCredential, by: str) -> None:
    profile = progress.profile
    if by == profile.profile:
        raise ConfigurationError(
            f"the profile {by!r} cannot register its own key: name another one with --register-by"
        )
    kind = given.kind or progress.questions.choice(
        "Register it as", "--as", _KINDS, default="service-account"
    )
    other = load_profile(by, config=profile.config)
    token = profile.token_of(other) if kind == "credential" else None
    if kind != "credential" and "credential_id" not in profile.missing:
        progress.require_replaceable(("credential_id",))
    if not progress.begins(f"register the key as a {kind} under the profile {by!r}"):
        progress.plan(credential_id="…", auth_token=token or profile.own_token)
        return
    _require_same_address(profile, other)
    with profile.open_key() as key, DfnsClient.from_config(by, config=profile.config) as dfns:
        registration = profile.register(
            key,
            dfns,
            kind=kind,
            permission_id=given.permission_id,
            token=token,
            replace=progress.replace,
        )
    state = "registered" if registration.is_new else "was registered already"
    note(
        f"{state}: {registration.kind} {registration.name!r}, credential "
        f"{registration.credential_id}"
    )


def _require_same_address(profile: ProfileSetup, other: LoadedProfile) -> None:
    own = profile.loaded().settings.base_url
    if own.rstrip("/") != other.settings.base_url.rstrip("/"):
        raise ConfigurationError(
            f"the profile {profile.profile!r} calls {own}, and the profile {other.name!r} calls "
            f"{other.settings.base_url}: a key is used where it is registered; give --base-url"
        )


def _settle_credential_id(progress: Progress, given: str | None) -> None:
    if given is None and "credential_id" in progress.missing:
        given = progress.questions.text("Credential id", "--register-by PROFILE or --credential-id")
    if given is not None:
        progress.write({"credential_id": given})


def _settle_token(progress: Progress, given: GivenCredential) -> None:
    if given.token is None and "auth_token" not in progress.missing:
        return
    reference = given.token
    if reference is None:
        source = progress.questions.choice(
            "Token", "--token-file, --token-env or --token-stdin", _SOURCES, default="paste"
        )
        reference = _ask_for_reference(progress, source)
    if reference == "stdin":
        progress.begins(f"write the token to {progress.profile.token_file}")
        reference = progress.profile.own_token
        if not progress.dry_run:
            progress.profile.keep_token(_read_token(progress))
    progress.write({"auth_token": reference})


def _ask_for_reference(progress: Progress, source: Source) -> Mapping[str, str] | Literal["stdin"]:
    if source == "paste":
        return "stdin"
    question = "Name of the variable" if source == "env" else "Path of the file"
    answer = progress.questions.text(question, f"--token-{source}")
    return {source: answer or ""}


def _read_token(progress: Progress) -> Sealed[str]:
    if progress.questions.can_ask:
        return progress.questions.secret("Token")
    return Sealed(sys.stdin.readline() if sys.stdin else "")
