"""``cloud-kms-emulator versions``: change the state of versions on an emulator that runs."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping
from typing import Any, Final

import grpc
from google.api_core.exceptions import GoogleAPICallError, ServiceUnavailable
from google.cloud.kms_v1 import CryptoKeyVersion, KeyManagementServiceClient

DEFAULT_ENDPOINT: Final = "http://127.0.0.1:8085"

_SECONDS: Final = 10.0
_PLACES: Final = ("key", "keyring", "location", "project")
_Client: Final[Any] = KeyManagementServiceClient


def _set(state: str) -> Callable[[Any, str], CryptoKeyVersion]:
    def change(client: Any, name: str) -> CryptoKeyVersion:
        request = {
            "crypto_key_version": {"name": name, "state": state},
            "update_mask": {"paths": ["state"]},
        }
        return _version(client.update_crypto_key_version, request)

    return change


def _destroy(client: Any, name: str) -> CryptoKeyVersion:
    return _version(client.destroy_crypto_key_version, {"name": name})


def _restore(client: Any, name: str) -> CryptoKeyVersion:
    return _version(client.restore_crypto_key_version, {"name": name})


def _version(method: Callable[..., Any], request: Mapping[str, Any]) -> CryptoKeyVersion:
    version: CryptoKeyVersion = method(request=request, retry=None, timeout=_SECONDS)
    return version


_COMMANDS: Final[Mapping[str, tuple[Callable[[Any, str], CryptoKeyVersion], str]]] = {
    "disable": (_set("DISABLED"), "disable a version"),
    "enable": (_set("ENABLED"), "enable a version"),
    "destroy": (_destroy, "schedule the destruction of a version"),
    "restore": (_restore, "take a scheduled destruction back; the version is disabled then"),
}


def add_parser(commands: Any) -> None:
    """Add ``versions`` to the subcommands of the program."""
    versions = commands.add_parser(
        "versions",
        help="disable, enable, destroy or restore a version on an emulator that runs",
        description="Change the state of a version, in the manner of 'gcloud kms keys versions'.",
    )
    actions = versions.add_subparsers(dest="action", required=True, metavar="ACTION")
    for name, (_, said) in _COMMANDS.items():
        action = actions.add_parser(name, help=said, description=f"{said.capitalize()}.")
        action.add_argument("version", metavar="VERSION", help="number, or full name")
        for place in _PLACES:
            action.add_argument(f"--{place}", help="where the version is, if a number is given")
        action.add_argument(
            "--endpoint",
            default=DEFAULT_ENDPOINT,
            metavar="URL",
            help="address of the emulator (default: %(default)s)",
        )


def run(options: argparse.Namespace) -> int:
    """Change the state of a version, and print the one that it has then.

    Returns:
        The exit code: 1 where the emulator refuses or cannot be reached.

    Raises:
        ValueError: the version is named incompletely, or the endpoint is another than http.
    """
    name, target = _name(options), _target(options.endpoint)
    change, _ = _COMMANDS[options.action]
    transport = _Client.get_transport_class("grpc")
    with _Client(transport=transport(channel=grpc.insecure_channel(target))) as client:
        try:
            version = change(client, name)
        except ServiceUnavailable as error:
            return _failed(
                f"no emulator answers at {options.endpoint} ({error.message}); start one, or name "
                "its address with --endpoint"
            )
        except GoogleAPICallError as error:
            return _failed(f"cannot {options.action} the version: {error.message}")
    sys.stdout.write(f"{version.name}: {version.state.name}{_date(version)}\n")
    return 0


def _date(version: CryptoKeyVersion) -> str:
    when: Any = version.destroy_time
    is_scheduled = version.state.name == "DESTROY_SCHEDULED"
    return f" for {when:%Y-%m-%d %H:%M} UTC" if is_scheduled else ""


def _failed(why: str) -> int:
    sys.stderr.write(f"cloud-kms-emulator: {why}\n")
    return 1


def _name(options: argparse.Namespace) -> str:
    given = {place: getattr(options, place) for place in _PLACES if getattr(options, place)}
    if "/" in options.version and not given:
        return str(options.version)
    if "/" in options.version or len(given) < len(_PLACES):
        raise ValueError(
            f"{options.version!r} does not name a version: give its full name alone, or its number "
            "with --key, --keyring, --location and --project"
        )
    crypto_key = "projects/{project}/locations/{location}/keyRings/{keyring}/cryptoKeys/{key}"
    return f"{crypto_key.format_map(given)}/cryptoKeyVersions/{options.version}"


def _target(endpoint: str) -> str:
    scheme, _, target = endpoint.rstrip("/").rpartition("://")
    if scheme not in {"", "http"}:
        raise ValueError(f"cannot use {endpoint!r}: an emulator is at http://HOST:PORT")
    return target
