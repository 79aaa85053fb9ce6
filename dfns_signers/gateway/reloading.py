"""What a running gateway takes of a configuration file that was changed: all of it, or nothing."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Final

from pydantic import BaseModel

from dfns_signers.errors import ConfigurationError
from dfns_signers.gateway.loading import LoadedGateway, load_gateway
from dfns_signers.sealed import Sealed
from dfns_signers.secrets import Secret

RELOADABLE: Final = frozenset({"callers", "tls", "hosts"})
"""Settings of ``[gateway]`` that a running gateway takes; others need a restart."""


def load_again(current: LoadedGateway) -> LoadedGateway:
    """Read the configuration file of a gateway again, and check that it may take its place.

    Raises:
        ConfigurationError: it is not valid, or changes what a running gateway keeps.
    """
    fresh = load_gateway(current.asked, config=current.profile.file)
    require_reloadable(current, fresh)
    return fresh


def require_reloadable(current: LoadedGateway, fresh: LoadedGateway) -> None:
    """Refuse what a running gateway cannot take.

    Raises:
        ConfigurationError: names each setting that was changed and needs a restart.
    """
    own = _changes(current.settings, fresh.settings) - RELOADABLE
    changed = [f"'{name}' in [gateway]" for name in sorted(own)]
    if current.profile.name != fresh.profile.name:
        changed.append("the profile that signs")
    else:
        settings = _changes(current.profile.settings, fresh.profile.settings)
        title = f"profile {fresh.profile.name!r}"
        changed += [f"'{name}' in {title}" for name in sorted(settings)]
    if changed:
        raise ConfigurationError(
            f"configuration file {fresh.profile.file}: restart the gateway to change "
            f"{', '.join(changed)}"
        )


def _changes(current: BaseModel, fresh: BaseModel) -> set[str]:
    names = type(current).model_fields
    return {
        name
        for name in names
        if _comparable(getattr(current, name)) != _comparable(getattr(fresh, name))
    }


def _comparable(value: Any) -> Any:
    """A value that equals another one of the same content, and shows no secret."""
    match value:
        case Secret():
            # What a variable or file holds may change: it is read at every use.
            return value.reference or sha256(value.reveal().encode()).digest()
        case Sealed():
            return sha256(repr(value.open()).encode()).digest()
        case BaseModel():
            members = {**dict(value), **(value.model_extra or {})}
            return {name: _comparable(member) for name, member in members.items()}
        case Mapping():
            return {name: _comparable(member) for name, member in value.items()}
        case list() | tuple():
            return [_comparable(member) for member in value]
    return value
