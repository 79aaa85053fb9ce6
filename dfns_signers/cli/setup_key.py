"""The first half of ``setup``: a backend, and a key of it that is created or chosen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel

from dfns_signers import defaults
from dfns_signers.algorithms import Algorithm
from dfns_signers.backends.backend import Backend
from dfns_signers.backends.management import ManagesKeys
from dfns_signers.cli.output import note
from dfns_signers.cli.questions import Questions
from dfns_signers.cli.setup_progress import Progress
from dfns_signers.config.loading import load_profile
from dfns_signers.config.signer_line import nested
from dfns_signers.discovery import installed_plugins, load_backend, missing_backends
from dfns_signers.errors import ConfigurationError, PluginError
from dfns_signers.lifecycle import KeyProfile, create_key, list_keys, show_key
from dfns_signers.public_keys import public_key_pem
from dfns_signers.sealed import Sealed
from dfns_signers.user_action.base_url import BaseUrl

_ORIGINS: Final = {
    "create": "a new key, or the one that an interrupted setup has made",
    "existing": "a key that is there already",
}


@dataclass(frozen=True, slots=True)
class GivenKey:
    """What the options of the command say of the key; None for what is to be asked.

    Attributes:
        options: those of the backend, as strings.
        base_url: where its Dfns API is.
        register_by: the profile that registers it, which says where the API is.
    """

    backend: str | None
    create: bool | None
    algorithm: Algorithm | None
    options: Mapping[str, str]
    base_url: str | None
    register_by: str | None


def settle_key(progress: Progress, given: GivenKey) -> None:
    """Have the profile name a key and where Dfns is: what is there stays, unless asked for."""
    if "signer" in progress.profile.missing or _differs(progress, given):
        backend = given.backend or _ask_for_backend(progress.questions)
        base_url = _base_url(progress, given)
        signer = _signer(progress, given, backend)
        progress.write({**base_url, "signer": signer.open()})
    elif given.base_url is not None:
        progress.write(_base_url(progress, given))


def present_key(progress: Progress, algorithm: Algorithm | None) -> None:
    """Open the key, and show its public half as Dfns takes it.

    Raises:
        ConfigurationError: it has another algorithm than was asked for.
        SigningKeyError: it cannot be opened.
    """
    if progress.dry_run and "signer" in progress.profile.missing:
        return
    with progress.profile.open_key() as key:
        if algorithm not in {None, key.algorithm}:
            raise ConfigurationError(
                f"the key of the profile {progress.profile.profile!r} has the algorithm "
                f"{key.algorithm}, not {algorithm}: choose another --name, or --replace with -o "
                "options for another key"
            )
        note(f"key: {key.reference} ({key.algorithm})\nfingerprint: {key.fingerprint}")
        note(public_key_pem(key.public_key).strip())


def _differs(progress: Progress, given: GivenKey) -> bool:
    """Whether the options ask for another key than the profile has, and that may be replaced."""
    signer = progress.profile.loaded().signer
    if signer is None:
        return True
    table = Sealed({"backend": signer.backend, **signer.options.open()})
    given_table = nested(given.options.items(), "-o")
    if given.backend is not None:
        given_table["backend"] = given.backend
    folder = progress.profile.config.parent
    differing = [
        name
        for name, text in given_table.items()
        if name in table.open()
        and table.open()[name] != text
        and not _same_text(table.open()[name], text)
        and folder / str(table.open()[name]) != Path.cwd() / str(text)
    ]
    if differing:
        progress.require_replaceable(tuple(f"signer.{name}" for name in differing))
        return True
    note(f"the profile {progress.profile.profile!r} has a key: {signer.backend}")
    return False


def _same_text(value: Any, text: Any) -> bool:
    return str(value).lower() == str(text).lower() if isinstance(value, (bool, int)) else False


def _ask_for_backend(questions: Questions) -> str:
    for name, command in missing_backends().items():
        note(f"not installed: {name}; run: {command}")
    names = {info.name: info.distribution for info in installed_plugins()}
    if questions.can_ask:  # of guards and observers, nobody wants to read
        names = {name: names[name] for name in names if _is_backend(name)}
    return questions.choice("Backend", "--backend", names)


def _is_backend(name: str) -> bool:
    try:
        load_backend(name)
    except PluginError:
        return False
    return True


def _signer(progress: Progress, given: GivenKey, backend: str) -> Sealed[Mapping[str, Any]]:
    plugin = load_backend(backend)
    if _creates(progress.questions, given, backend, plugin):
        assert isinstance(plugin, ManagesKeys)  # noqa: S101  # else there is nothing to choose
        return _created(progress, given, backend, plugin)
    return _chosen(progress, given, backend, plugin)


def _creates(questions: Questions, given: GivenKey, name: str, plugin: Backend[Any]) -> bool:
    manages = isinstance(plugin, ManagesKeys)
    if given.create and not manages:
        raise ConfigurationError(
            f"the backend {name!r} opens keys and creates none: create one with the tools of its "
            "key store, and give --existing with -o options"
        )
    if given.create is not None or not manages:
        return bool(given.create)
    answer = questions.choice("Key", "--create or --existing", _ORIGINS, default="create")
    return answer == "create"


def _created(
    progress: Progress, given: GivenKey, name: str, manager: ManagesKeys[Any, Any]
) -> Sealed[Mapping[str, Any]]:
    algorithm = given.algorithm or progress.questions.choice(
        "Algorithm", "--algorithm", dict.fromkeys(Algorithm, ""), default=Algorithm.ED25519
    )
    table = _answered(progress, given.options, manager.create_options, manager)
    if not progress.begins(f"create a key with {algorithm} in {name}, or find it there"):
        return Sealed({"backend": name, **table.open()})
    progress.profile.make_folder()
    return _signer_of(create_key(algorithm, backend=name, options=table.open(), adopt=True))


def _chosen(
    progress: Progress, given: GivenKey, name: str, plugin: Backend[Any]
) -> Sealed[Mapping[str, Any]]:
    """The table of a key that is there: picked from a list, or made of options."""
    is_named = given.options and _required(plugin.options) <= given.options.keys()
    if not is_named and isinstance(plugin, ManagesKeys) and progress.questions.can_ask:
        return _picked(progress, given, name, plugin)
    table = _answered(progress, given.options, plugin.options)
    return _signer_of(show_key(backend=name, options=table.open()))


def _picked(
    progress: Progress, given: GivenKey, name: str, manager: ManagesKeys[Any, Any]
) -> Sealed[Mapping[str, Any]]:
    table = _answered(progress, given.options, manager.list_options, manager)
    keys = {
        key.reference: key for key in list_keys(backend=name, options=table.open()) if key.signer
    }
    if not keys:
        raise ConfigurationError(f"{name} has no key there that Dfns accepts: create one")
    shown = {
        reference: ", ".join((*key.names, str(key.algorithm), key.state))
        for reference, key in keys.items()
    }
    return Sealed(keys[progress.questions.choice("Key", "-o", shown)].signer)


def _signer_of(profile: KeyProfile) -> Sealed[Mapping[str, Any]]:
    return Sealed(profile.settings.open()["signer"])


def _answered(
    progress: Progress,
    given: Mapping[str, str],
    model: type[BaseModel],
    manager: ManagesKeys[Any, Any] | None = None,
) -> Sealed[dict[str, Any]]:
    """The options that were given, and those that are asked for, as a table of strings."""
    profile = progress.profile
    suggestions = (
        manager.suggestions(profile.profile, profile.config.parent) if manager is not None else {}
    )
    answers, required = Sealed(dict(given)), _required(model)
    asked = (required | suggestions.keys()) - {name.partition(".")[0] for name in given}
    for name in (name for name in model.model_fields if name in asked):
        answer = progress.questions.text(
            _question(name, model),
            f"-o {name}=…",
            default=suggestions.get(name),
            optional=name not in required,
        )
        if answer is not None:
            answers.open()[name] = answer
    return Sealed(nested(answers.open().items(), "-o"))


def _required(model: type[BaseModel]) -> set[str]:
    return {name for name, field in model.model_fields.items() if field.is_required()}


def _base_url(progress: Progress, given: GivenKey) -> dict[str, str]:
    """Where the API is, unless the profile says it."""
    profile = progress.profile
    url = given.base_url
    if url is None and "base_url" in profile.settings.open():
        return {}
    if url is None and given.register_by is not None:
        url = load_profile(given.register_by, config=profile.config).settings.base_url
    if url is None:
        url = progress.questions.text("Dfns API", "--base-url", default=defaults.BASE_URL)
    BaseUrl.parse(url or "")
    return {"base_url": url or ""}


def _question(name: str, model: type[BaseModel]) -> str:
    description = (model.model_fields[name].description or "").replace("`", "").rstrip(".")
    return f"{name}: {description}" if description else name
