"""``keys create`` and ``keys list``: manage keys in the store of a backend."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any, TypeAlias

import tomlkit
import typer
from pydantic import BaseModel

from dfns_signers.algorithms import Algorithm
from dfns_signers.backends.management import KeyDescription, ManagesKeys
from dfns_signers.cli.exit_codes import reports_errors
from dfns_signers.cli.inputs import pairs
from dfns_signers.cli.options import ConfigOption, JsonOption, ProfileOption
from dfns_signers.cli.output import note, print_json, print_table
from dfns_signers.config.assembly import signer_values
from dfns_signers.config.loading import LoadedProfile, load_profile
from dfns_signers.config.signer_line import nested
from dfns_signers.config.validation import validate
from dfns_signers.discovery import load_backend
from dfns_signers.errors import ConfigurationError
from dfns_signers.sealed import Sealed

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


@reports_errors
def create(
    algorithm: Annotated[
        Algorithm, typer.Argument(help="Algorithm of the new key.", case_sensitive=False)
    ],
    config: ConfigOption = None,
    profile: ProfileOption = None,
    backend: BackendOption = None,
    option: OptionOption = None,
    json: JsonOption = False,
) -> None:
    """Create a signing key, and print the [signer] table that opens it.

    Without --backend, the key is created where the profile's key is: its region, address and
    credentials are used.

    Example: `dfns-signers keys create ES256 --backend aws-kms -o region=eu-west-1`
    """
    store = _store(backend, config, profile)
    options = store.options(store.manager.create_options, option)
    description = store.manager.create(algorithm, options)
    if json:
        print_json(_as_json(description))
        return
    note(f"created {description.reference} ({description.kind}, {description.state})")
    typer.echo(_as_toml(description), nl=False)


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
    store = _store(backend, config, profile)
    options = store.options(store.manager.list_options, option)
    found = list(store.manager.list_keys(options))
    if json:
        print_json([_as_json(one) for one in found])
        return
    print_table(
        f"Signing keys of {store.name}",
        ("key", "names", "algorithm", "kind", "state"),
        [
            (one.reference, ", ".join(one.names), str(one.algorithm or "-"), one.kind, one.state)
            for one in found
        ],
    )


@dataclass(frozen=True, slots=True)
class _Store:
    """A backend that manages keys, and the profile that says where it is, if one does."""

    name: str
    manager: ManagesKeys[Any, Any]
    loaded: LoadedProfile | None = None

    def options(self, model: type[BaseModel], given: list[str] | None) -> Any:
        """Options of the command line, over those of the profile that the operation takes too."""
        table, folder = Sealed[dict[str, Any]]({}), Path()
        if self.loaded is not None and self.loaded.signer is not None:
            derived = self.manager.derived_options(self.loaded.signer.options.open())
            shared = {name: derived[name] for name in model.model_fields.keys() & derived.keys()}
            table = Sealed({**shared, **signer_values(self.loaded, model)})
            folder = self.loaded.origin("signer").folder
        texts = Sealed(nested(pairs(given or [], "--option").items(), "--option"))
        values = Sealed({**table.open(), **texts.open()})
        where = f"options for {self.name!r}"
        return validate(model, values.open(), where=where, folder=folder, texts=True)


def _store(backend: str | None, config: Path | None, profile: str | None) -> _Store:
    loaded = None
    if backend is None or config is not None or profile is not None:
        loaded = load_profile(profile, config=config)
        if loaded.signer is None:
            raise ConfigurationError(f"{loaded.title} has no [signer] table: name a --backend")
        if backend in {None, loaded.signer.backend}:
            backend = loaded.signer.backend
        else:
            loaded = None
    manager = load_backend(backend)
    if not isinstance(manager, ManagesKeys):
        raise ConfigurationError(
            f"the backend {backend!r} opens keys and does not manage them: make one with the tools "
            "of its store, such as 'openssl genpkey -algorithm ed25519 -out key.pem' for pem"
        )
    return _Store(backend, manager, loaded)


def _as_json(description: KeyDescription) -> dict[str, Any]:
    return {**asdict(description), "signer": dict(description.signer)}


def _as_toml(description: KeyDescription) -> str:
    return tomlkit.dumps({"signer": dict(description.signer)})
