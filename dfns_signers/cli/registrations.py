"""``register``: the public key of a profile becomes a credential."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import typer

from dfns_signers.cli.delegation import Signature
from dfns_signers.cli.exit_codes import reports_errors
from dfns_signers.cli.options import ConfigOption, JsonOption, ProfileOption
from dfns_signers.cli.registration_options import (
    AssertionOption,
    ByOption,
    ChallengeOption,
    DaysOption,
    DelegatedOption,
    ExternalIdOption,
    NameOption,
    PendingOption,
    PermissionOption,
    ReplaceOption,
    TokenFileOption,
    TokenStdoutOption,
    WriteOption,
)
from dfns_signers.cli.registration_results import RegistrationResult, TokenPlace
from dfns_signers.config.assembly import open_key
from dfns_signers.config.loading import LoadedProfile, load_profile
from dfns_signers.lifecycle import NewCredential, NewServiceAccount, NewToken


@reports_errors
def credential(
    config: ConfigOption = None,
    profile: ProfileOption = None,
    name: NameOption = None,
    by: ByOption = None,
    credential_id: Annotated[
        str | None,
        typer.Option(
            metavar="ID",
            help="The credId. [default: that in the profile, or a random one]",
            show_default=False,
        ),
    ] = None,
    write: WriteOption = False,
    delegated: DelegatedOption = False,
    challenge: ChallengeOption = None,
    pending: PendingOption = None,
    assertion: AssertionOption = None,
    json: JsonOption = False,
) -> None:
    """Register the profile's key as one more credential of an identity.

    Run again, it finds what is registered already.

    Example: `dfns-signers register credential --profile next --by production --write`
    """
    signature = Signature(config, profile, by, delegated, challenge, pending, assertion)
    loaded = load_profile(profile, config=config)
    result = RegistrationResult(loaded, config, by, write=write, json=json)
    with open_key(loaded) as key:
        made = signature.register(
            NewCredential(
                key,
                name=_name(name, loaded),
                credential_id=credential_id or _own_credential_id(loaded),
                keep_id=result.keep_credential_id,
            )
        )
    if made is not None:
        result.conclude(made)


def _creating(kind: type[NewServiceAccount | NewToken], text: str) -> Callable[..., None]:
    def create(
        config: ConfigOption = None,
        profile: ProfileOption = None,
        name: NameOption = None,
        by: ByOption = None,
        token_file: TokenFileOption = None,
        token_stdout: TokenStdoutOption = False,
        permission: PermissionOption = None,
        external_id: ExternalIdOption = None,
        days: DaysOption = None,
        replace: ReplaceOption = False,
        write: WriteOption = False,
        delegated: DelegatedOption = False,
        challenge: ChallengeOption = None,
        pending: PendingOption = None,
        assertion: AssertionOption = None,
        json: JsonOption = False,
    ) -> None:
        signature = Signature(config, profile, by, delegated, challenge, pending, assertion)
        _check_combination(signature, replace=replace, token_stdout=token_stdout, json=json)
        loaded = load_profile(profile, config=config)
        result = RegistrationResult(loaded, config, by, write=write, json=json)
        with TokenPlace(token_file, token_stdout) as place:
            with open_key(loaded) as key:
                made = signature.register(
                    kind(
                        key,
                        name=_name(name, loaded),
                        token_file=place.path,
                        permission_id=permission,
                        external_id=external_id,
                        days_valid=days,
                        replace=replace,
                    )
                )
            if made is not None:
                place.show()
                result.conclude(made, token_shown=token_stdout)

    create.__doc__ = text
    return reports_errors(create)


service_account = _creating(
    NewServiceAccount,
    """Create a service account that the profile's key signs for.

    Its token is shown only once: it goes into a new file that only you can read, or to standard
    output. Run again, it finds what is registered already.

    Example: `dfns-signers register service-account --profile robot --by admin --token-file token`
    """,
)

token = _creating(
    NewToken,
    """Create a personal access token that the profile's key signs for.

    Only the login session of a user may: its token is that of `--by`. Otherwise like
    `register service-account`.

    Example: `dfns-signers register token --profile laptop --by session --token-file token --write`
    """,
)


def _check_combination(
    signature: Signature, *, replace: bool, token_stdout: bool, json: bool
) -> None:
    if replace and signature.is_delegated:
        raise typer.BadParameter(
            "works with --by only: with --delegated, delete the old one first (dfns-signers "
            "request DELETE)",
            param_hint="--replace",
        )
    if token_stdout and (json or signature.uses_standard_output):
        raise typer.BadParameter(
            "excludes --json, and --delegated without --challenge or --pending",
            param_hint="--token-stdout",
        )


def _name(given: str | None, loaded: LoadedProfile) -> str:
    name = given if given is not None else loaded.name
    if name is None:
        raise typer.BadParameter(
            "is missing, and there is no profile to take it from", param_hint="--name"
        )
    return name


def _own_credential_id(loaded: LoadedProfile) -> str | None:
    """The credential id of the profile; one in a variable is that of another key, perhaps."""
    if loaded.name is not None and loaded.origin("credential_id").is_variable:
        return None
    return loaded.settings.credential_id
