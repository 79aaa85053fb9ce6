"""Find plugins by their entry points, and import the ones that are asked for, and no other."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Final

from dfns_signers.backends.backend import Backend
from dfns_signers.backends.management import ManagesKeys
from dfns_signers.backends.options import BackendOptions
from dfns_signers.errors import PluginError
from dfns_signers.hook_registration import PROJECT, new_plugin_manager
from dfns_signers.near_miss import did_you_mean

GROUP: Final = PROJECT

# Looking one up reads the metadata of every distribution. A plugin that is missing is looked up
# again: it may be installed meanwhile.
_known: Final[dict[tuple[str, ...], EntryPoint]] = {}

_EXTRAS: Final = {"aws-kms": "aws", "gcp-kms": "gcp", "vault-transit": "vault"}


@dataclass(frozen=True, slots=True)
class PluginInfo:
    """What the metadata of an installed distribution says of a plugin; nothing is imported.

    Attributes:
        name: the entry point's name, which is the backend's name in the configuration.
        distribution: the distribution that offers it.
        version: version of that distribution.
        target: the module or object that would be imported.
    """

    name: str
    distribution: str
    version: str
    target: str


def installed_plugins() -> list[PluginInfo]:
    """Every plugin that is installed, by name. Two of one name are both listed."""
    found = [_info(entry) for entry in entry_points(group=GROUP)]
    return sorted(found, key=lambda info: (info.name, info.distribution))


def missing_backends() -> dict[str, str]:
    """The backends of this project that are not installed, each with how to install it."""
    installed = {info.name for info in installed_plugins()}
    return {name: _installation(name) for name in _EXTRAS if name not in installed}


def load_plugin(name: str) -> object:
    """Import one plugin; PluginError if there is none of that name, or two, or it is broken."""
    place = (name, *sys.path)
    entry = _known[place] = _known.get(place) or _only_entry(name)
    try:
        return entry.load()
    # A stranger's module may raise anything at all, SystemExit included.
    except (Exception, SystemExit) as error:
        info = _info(entry)
        raise PluginError(
            f"the plugin {name!r} of {info.distribution} {info.version} is installed, and "
            f"importing {info.target} failed: {type(error).__name__}: {error}. Reinstall or "
            f"upgrade {info.distribution}"
        ) from error


def load_backend(name: str) -> Backend[Any]:
    """Import one plugin and have it provide its backend; PluginError if it has none."""
    backend = _backend_of(load_plugin(name), name)
    if not isinstance(backend, Backend):
        raise PluginError(
            f"the plugin {name!r} provides no backend: expected a Backend, or a dfns_backend hook "
            f"that returns one, found {type(backend).__name__}; a plugin with other hooks belongs "
            "under 'plugins', not under 'backend'"
        )
    options = getattr(backend, "options", None)
    if not (isinstance(options, type) and issubclass(options, BackendOptions)):
        raise PluginError(
            f"the backend {name!r} declares no options: its attribute 'options' should be a "
            "subclass of BackendOptions"
        )
    if isinstance(backend, ManagesKeys):
        for name_of_model in ("create_options", "list_options"):
            if not isinstance(getattr(backend, name_of_model, None), type):
                raise PluginError(
                    f"the backend {name!r} manages keys and declares no options for it: its "
                    f"attribute {name_of_model!r} should be a subclass of ManagementOptions"
                )
    return backend


def load_plugins(names: Sequence[str]) -> list[tuple[str, object]]:
    """Import the named plugins, for ``SigningHooks`` to register."""
    return [(name, load_plugin(name)) for name in names]


def _backend_of(plugin: object, name: str) -> object:
    """The Backend that an entry point is or makes, or what its hook returns."""
    if isinstance(plugin, Backend):
        return plugin
    try:
        if isinstance(plugin, type) and issubclass(plugin, Backend):
            return plugin()
        manager = new_plugin_manager()
        manager.register(plugin, name=name)
        return manager.hook.dfns_backend()
    except (Exception, SystemExit) as error:
        raise PluginError(
            f"the plugin {name!r} failed to provide its backend: {type(error).__name__}: {error}"
        ) from error


def _only_entry(name: str) -> EntryPoint:
    entries = [entry for entry in entry_points(group=GROUP) if entry.name == name]
    if len(entries) == 1:
        return entries[0]
    if entries:
        rivals = " and ".join(sorted(_info(entry).distribution for entry in entries))
        raise PluginError(
            f"{rivals} both offer a plugin {name!r}; it is ambiguous which one would "
            "sign: uninstall one of them"
        )
    if name in _EXTRAS:
        raise PluginError(f"the backend {name!r} is not installed; run: {_installation(name)}")
    installed = sorted({info.name for info in installed_plugins()})
    hint = did_you_mean(name, {*installed, *_EXTRAS})
    raise PluginError(f"there is no plugin {name!r}{hint}. Installed: {', '.join(installed)}")


def _installation(name: str) -> str:
    return (
        f'pip install "dfns-signers[{_EXTRAS[name]}]", or in a clone of the repository: '
        f"pip install . ./plugins/{name}"
    )


def _info(entry: EntryPoint) -> PluginInfo:
    distribution = entry.dist
    return PluginInfo(
        name=entry.name,
        distribution=distribution.name if distribution else "an unnamed distribution",
        version=distribution.version if distribution else "",
        target=entry.value,
    )
