"""``demo``: the main job on local servers, shown as a table."""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import tomlkit
import typer
from cryptography.hazmat.primitives.asymmetric import ed25519

from dfns_signers.backends.pem.key import PemKey
from dfns_signers.cli.demo_signers import LocalSigner, local_signers, pem_signers
from dfns_signers.cli.exit_codes import ExitCode, reports_errors
from dfns_signers.cli.options import GivenConfigOption, GivenProfileOption, JsonOption
from dfns_signers.cli.output import note, print_json, print_table
from dfns_signers.client.client import AsyncDfnsClient, DfnsClient
from dfns_signers.client.delegated import DelegatedDfnsClient
from dfns_signers.client.pending import PendingAction
from dfns_signers.config.assembly import load_signer, open_key
from dfns_signers.config.files import CONFIG_VARIABLE, PROFILE_VARIABLE
from dfns_signers.config.loading import load_profile
from dfns_signers.config.profile import ENVIRONMENT
from dfns_signers.errors import DfnsSignersError
from dfns_signers.public_keys import public_key_pem
from dfns_signers.registration import attest
from dfns_signers.signer import KeySigner
from dfns_signers.signing_key import SigningKey

if TYPE_CHECKING:
    from dfns_signers.emulator import Emulator

_NETWORK: Final = "EthereumSepolia"
_SHOWN: Final = 15
_MODES: Final = ("sync", "async", "delegated")
_COLUMNS: Final = ("key", "backend", "algorithm", "enrolled as", *_MODES, "seconds")


@dataclass(frozen=True, slots=True)
class _Subject:
    """A profile to show: which file it is in, and which API its client calls."""

    profile: str | None
    config: Path | None
    overrides: Mapping[str, Any] = field(repr=False)

    def settings(self, **more: Any) -> dict[str, Any]:
        """Arguments for ``load_signer`` and ``from_config``."""
        return {"profile": self.profile, "config": self.config, **self.overrides, **more}


@reports_errors
def demo(
    config: GivenConfigOption = None,
    profile: GivenProfileOption = None,
    with_: Annotated[
        list[str] | None,
        typer.Option(
            "--with",
            metavar="BACKEND",
            help="Also show keys of a backend on its local servers; may be repeated.",
        ),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Show the main job on local servers; nothing leaves this machine.

    Starts the emulator, makes a PEM key for each algorithm, registers each as a credential, and
    creates wallets signed by each: synchronously, asynchronously and delegated. --with adds keys
    of further backends, on local servers that dfns-signers-testkit starts.

    With --profile or --config, the signing key of that profile takes part too: a dry run of a real
    key against the local API.
    """
    from dfns_signers.emulator import Emulator  # noqa: PLC0415  # an optional extra

    with (
        tempfile.TemporaryDirectory(prefix="dfns-signers-demo-") as folder,
        Emulator(exact_payloads=True) as emulator,
    ):
        note(f"The emulator listens on {emulator.url}; every call below goes there.")
        target = {"base_url": emulator.url, "auth_token": emulator.auth_token}
        register = _registrar(emulator, target)
        rows = []
        if config is not None or profile is not None:
            rows.append(_show(_Subject(profile, config, target), register))
        for local in (pem_signers(), *map(local_signers, with_ or [])):
            with local as signers:
                for signer in signers:
                    with _only_environment(signer.environment):
                        file = _write_profile(Path(folder), signer)
                        rows.append(_show(_Subject(signer.name, file, target), register))
    _report(rows, json=json)


def _write_profile(folder: Path, signer: LocalSigner) -> Path:
    """A configuration file with one profile, as a user would write it."""
    file = folder / "config.toml"
    profiles = {signer.name: {"signer": dict(signer.signer)}}
    file.write_text(tomlkit.dumps({"profiles": profiles}), encoding="utf-8")
    return file


def _registrar(emulator: Emulator, target: Mapping[str, Any]) -> Callable[[SigningKey], str]:
    """Registers a key as a credential, in a call signed with one that exists already."""
    admin_key = PemKey(ed25519.Ed25519PrivateKey.generate(), reference="the administrator's key")
    admin = KeySigner(admin_key, emulator.register(public_key_pem(admin_key.public_key)))

    def register(key: SigningKey) -> str:
        with DfnsClient(target["auth_token"], admin, base_url=target["base_url"]) as dfns:
            challenge = dfns.auth.credentials.challenge()
            info = attest(key, challenge)
            dfns.auth.credentials.create(
                name=key.reference, challenge=challenge, credential_info=info
            )
            return info["credId"]

    return register


def _show(subject: _Subject, register: Callable[[SigningKey], str]) -> dict[str, Any]:
    """One row: the credential of the key, and a wallet created by each kind of client."""
    loaded = load_profile(**subject.settings())
    row: dict[str, Any] = dict.fromkeys((*_COLUMNS, "error"), "")
    row["key"] = loaded.name or "environment"
    row["backend"] = loaded.signer.backend if loaded.signer else ""
    begin = time.perf_counter()
    try:
        with open_key(loaded) as key:
            row["algorithm"] = str(key.algorithm)
            row["enrolled as"] = credential_id = register(key)
        settings = subject.settings(credential_id=credential_id)
        row["sync"] = _create(settings)
        row["async"] = asyncio.run(_create_async(settings))
        row["delegated"] = _create_delegated(settings)
    except DfnsSignersError as error:
        row["error"] = str(error)
    row["seconds"] = f"{time.perf_counter() - begin:.2f}"
    return row


def _create(settings: Mapping[str, Any]) -> str:
    with DfnsClient.from_config(**settings) as dfns:
        return dfns.wallets.create(network=_NETWORK)["id"]


async def _create_async(settings: Mapping[str, Any]) -> str:
    async with AsyncDfnsClient.from_config(**settings) as dfns:
        return (await dfns.wallets.create(network=_NETWORK))["id"]


def _create_delegated(settings: Mapping[str, Any]) -> str:
    with (
        DelegatedDfnsClient.from_config(**settings) as dfns,
        load_signer(**settings) as somebody_else,
    ):
        sent_away = dfns.wallets.create(network=_NETWORK).to_json()
        pending = PendingAction.from_json(sent_away)
        wallet = dfns.complete(pending, somebody_else.sign(pending.challenge))
        return str(wallet["id"])


def _report(rows: list[dict[str, Any]], *, json: bool) -> None:
    if json:
        print_json(rows)
    else:
        cells = [[_short(column, str(row[column])) for column in _COLUMNS] for row in rows]
        print_table("Wallets, each created by a signed call", _COLUMNS, cells)
    failed = [row for row in rows if row["error"]]
    for row in failed:
        note(f"{row['key']}: {row['error']}")
    if failed:
        raise typer.Exit(ExitCode.FAILED)


def _short(column: str, text: str) -> str:
    """An identifier is known by its beginning; the whole of it is in the JSON."""
    is_identifier = column in {"enrolled as", *_MODES}
    return text[: _SHOWN - 1] + "…" if is_identifier and len(text) > _SHOWN else text


@contextmanager
def _only_environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Set variables, and hide those that would override the profile to be shown."""
    hidden = (*(env.variable for env in ENVIRONMENT.values()), CONFIG_VARIABLE, PROFILE_VARIABLE)
    before = dict(os.environ)
    for name in hidden:
        os.environ.pop(name, None)
    os.environ.update(variables)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
