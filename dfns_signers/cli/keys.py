"""``keys create``, ``keys list`` and ``keys show``: keys in the store of a backend."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, TypeAlias

import typer

from dfns_signers.algorithms import Algorithm
from dfns_signers.backends.management import KeyDescription
from dfns_signers.cli.exit_codes import reports_errors
from dfns_signers.cli.inputs import pairs
from dfns_signers.cli.options import ConfigOption, JsonOption, ProfileOption
from dfns_signers.cli.output import note, print_json, print_table
from dfns_signers.config.signer_line import nested
from dfns_signers.lifecycle.key_profiles import KeyProfile
from dfns_signers.lifecycle.keys import create_key, list_keys, require_without_key, show_key

BackendOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--backend",
        metavar="NAME",
        help="Backend, such as aws-kms. [default: that of the profile]",
        show_default=False,
    ),
]

OptionOption: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--option",
        "-o",
        metavar="NAME=VALUE",
        help="Option of the backend, such as region=eu-west-1; may be repeated.",
    ),
]

NameOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--name",
        metavar="NAME",
        help="Name of the profile that is printed. [default: that of the profile in use, else of "
        "backend and key]",
        show_default=False,
    ),
]

WriteOption: TypeAlias = Annotated[
    bool,
    typer.Option("--write", help="Put the profile into the configuration file, too."),
]

ForceOption: TypeAlias = Annotated[
    bool, typer.Option("--force", help="Let --write replace another key of the profile.")
]


@reports_errors
def create(
    algorithm: Annotated[
        Algorithm, typer.Argument(help="Algorithm of the new key.", case_sensitive=False)
    ],
    config: ConfigOption = None,
    profile: ProfileOption = None,
    backend: BackendOption = None,
    option: OptionOption = None,
    name: NameOption = None,
    write: WriteOption = False,
    force: ForceOption = False,
    json: JsonOption = False,
) -> None:
    """Create a signing key, and print the profile that signs with it.

    Without --backend, the key is created where the profile's key is: its region, address and
    credentials are used.

    Example: `dfns-signers keys create ES256 --backend aws-kms -o region=eu-west-1 --name prod`
    """
    if write and not force:
        require_without_key(backend=backend, profile=profile, config=config, name=name)
    created = create_key(
        algorithm,
        backend=backend,
        options=_options(option),
        profile=profile,
        config=config,
        name=name,
    )
    key = created.description
    note(f"created {key.reference} ({key.kind}, {key.state})")
    _print(created, json=json)
    if write:
        _write(created, config, force=force)


@reports_errors
def list_(
    config: ConfigOption = None,
    profile: ProfileOption = None,
    backend: BackendOption = None,
    option: OptionOption = None,
    json: JsonOption = False,
) -> None:
    """List the signing keys in the store of a backend.

    Example: `dfns-signers keys list --backend aws-kms -o region=eu-west-1`
    """
    found = list(
        list_keys(backend=backend, options=_options(option), profile=profile, config=config)
    )
    if json:
        print_json([_as_json(one) for one in found])
        return
    print_table(
        "Signing keys",
        ("key", "names", "algorithm", "kind", "state"),
        [
            (one.reference, ", ".join(one.names), str(one.algorithm or "-"), one.kind, one.state)
            for one in found
        ],
    )


@reports_errors
def show(
    config: ConfigOption = None,
    profile: ProfileOption = None,
    backend: BackendOption = None,
    option: OptionOption = None,
    name: NameOption = None,
    write: WriteOption = False,
    force: ForceOption = False,
    json: JsonOption = False,
) -> None:
    """Show a signing key, its public key and the profile that signs with it.

    The key is that of the profile, or what --backend and --option name as a [signer] table does.

    Example: `dfns-signers keys show --profile production`
    """
    shown = show_key(
        backend=backend, options=_options(option), profile=profile, config=config, name=name
    )
    if not json:
        _note_details(shown)
    _print(shown, json=json)
    if write:
        _write(shown, config, force=force)


def _note_details(shown: KeyProfile) -> None:
    """What the profile does not say, for people: standard output can be pasted as it is."""
    key = shown.description
    note(f"key          {key.reference}")
    note(f"algorithm    {key.algorithm} ({key.kind})")
    if key.state:
        note(f"state        {key.state}")
    note(f"fingerprint  {shown.fingerprint}")
    note(f"{shown.public_key}")


def _options(option: list[str] | None) -> dict[str, Any]:
    return nested(pairs(option or [], "--option").items(), "--option")


def _print(key: KeyProfile, *, json: bool) -> None:
    if json:
        more = {"public_key": key.public_key, "fingerprint": key.fingerprint}
        shown = {name: value for name, value in more.items() if value is not None}
        print_json({**_as_json(key.description), "profile": key.name, **shown})
    else:
        typer.echo(key.toml(), nl=False)
    for setting in key.omitted:
        note(f"not shown: {setting}, a secret that is neither in a variable nor in a file")


def _write(key: KeyProfile, config: Path | None, *, force: bool) -> None:
    file = key.write(config, force=force)
    note(f"wrote the profile {key.name!r} into {file}")


def _as_json(description: KeyDescription) -> dict[str, Any]:
    return {**asdict(description), "signer": dict(description.signer)}
