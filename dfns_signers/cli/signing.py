"""Commands around one key: ``sign``, ``verify``, ``public-key``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from dfns_signers.algorithms import PublicKey, algorithm_of
from dfns_signers.cli.exit_codes import ExitCode, reports_errors
from dfns_signers.cli.inputs import json_from_file, json_from_stdin, read_text
from dfns_signers.cli.options import ConfigOption, JsonOption, ProfileOption
from dfns_signers.cli.output import note, print_json
from dfns_signers.config.assembly import load_signer, open_key
from dfns_signers.config.loading import load_profile
from dfns_signers.errors import EncodingError, InvalidSignatureError
from dfns_signers.public_keys import fingerprint, load_public_key, public_key_pem
from dfns_signers.verification import verify_assertion


@reports_errors
def sign(config: ConfigOption = None, profile: ProfileOption = None) -> None:
    """Sign a challenge: JSON on standard input, the assertion as JSON on standard output.

    The input is what `POST /auth/action/init` answers, or a pending action with it;
    the output is the `firstFactor` of `POST /auth/action`.

    Example: `dfns-signers sign --profile production < challenge.json > assertion.json`
    """
    with load_signer(profile, config=config) as signer:
        print_json(signer.sign(_challenge(json_from_stdin("the challenge"))))


@reports_errors
def verify(
    config: ConfigOption = None,
    profile: ProfileOption = None,
    public_key: Annotated[
        Path | None,
        typer.Option(
            metavar="PEM",
            help="Public key to verify with. [default: that of the profile's signing key]",
            show_default=False,
        ),
    ] = None,
    challenge: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Challenge (JSON) that the assertion must answer."),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Verify an assertion from standard input, offline; the exit code is the result.

    Example: `dfns-signers verify --public-key key.pub --challenge challenge.json < assertion.json`
    """
    key = _public_key(public_key, profile, config)
    expected = json_from_file(challenge, "the challenge") if challenge else None
    problem = None
    try:
        verify_assertion(json_from_stdin("the assertion"), key, expected)
    except (EncodingError, InvalidSignatureError) as error:
        problem = str(error)
    if json:
        print_json({"valid": problem is None, "problem": problem, **_describe(key)})
    else:
        note(
            f"not valid: {problem}"
            if problem
            else f"valid: {algorithm_of(key)} by {fingerprint(key)}"
        )
    raise typer.Exit(ExitCode.FAILED if problem else ExitCode.OK)


@reports_errors
def show_public_key(
    config: ConfigOption = None, profile: ProfileOption = None, json: JsonOption = False
) -> None:
    """Print the public key of the profile's signing key, in PEM, as Dfns registers it.

    With --json also algorithm, fingerprint, and the key as resolved.
    """
    with open_key(load_profile(profile, config=config)) as key:
        if json:
            print_json({"key": key.reference, **_describe(key.public_key)})
        else:
            typer.echo(public_key_pem(key.public_key), nl=False)


def _challenge(given: Any) -> Any:
    """The challenge itself, of a pending action as ``to_json`` writes it."""
    within = given.get("challenge") if isinstance(given, dict) else None
    return within if isinstance(within, dict) else given


def _public_key(path: Path | None, profile: str | None, config: Path | None) -> PublicKey:
    if path is not None:
        return load_public_key(read_text(path, "the public key"))
    with open_key(load_profile(profile, config=config)) as key:
        return key.public_key


def _describe(key: PublicKey) -> dict[str, str]:
    return {
        "algorithm": str(algorithm_of(key)),
        "fingerprint": fingerprint(key),
        "publicKey": public_key_pem(key),
    }
