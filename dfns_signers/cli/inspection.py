"""Commands that look at the installation: ``backends``, ``config show``."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from dfns_signers.cli.exit_codes import reports_errors
from dfns_signers.cli.options import (
    ConfigOption,
    GivenConfigOption,
    GivenProfileOption,
    JsonOption,
    ProfileOption,
)
from dfns_signers.cli.output import print_json, print_table
from dfns_signers.config.assembly import check_base_url, validated_options
from dfns_signers.config.loading import LoadedProfile, load_profile
from dfns_signers.config.profile_guards import configured_hooks
from dfns_signers.discovery import installed_plugins
from dfns_signers.secrets import Secret


@reports_errors
def backends(
    config: GivenConfigOption = None, profile: GivenProfileOption = None, json: JsonOption = False
) -> None:
    """List the installed plugins, without importing any of them.

    With --profile or --config, the backend that the profile selects is marked.
    """
    selected = None
    if config is not None or profile is not None:
        table = load_profile(profile, config=config).signer
        selected = table.backend if table else None
    found = installed_plugins()
    count = Counter(info.name for info in found)
    rows = [
        {**asdict(info), "selected": info.name == selected, "ambiguous": count[info.name] > 1}
        for info in found
    ]
    if json:
        print_json(rows)
        return
    print_table(
        "Installed plugins",
        ("name", "distribution", "version", "imports", ""),
        [
            (
                str(row["name"]),
                str(row["distribution"]),
                str(row["version"]),
                str(row["target"]),
                ", ".join(mark for mark in ("selected", "ambiguous") if row[mark]),
            )
            for row in rows
        ],
    )


@reports_errors
def show_config(
    config: ConfigOption = None, profile: ProfileOption = None, json: JsonOption = False
) -> None:
    """Show every setting and where it came from. Secrets are hidden.

    The settings are checked as a command would; no key is opened.
    """
    loaded = load_profile(profile, config=config)
    check_base_url(loaded)
    configured_hooks(loaded)
    rows = _settings(loaded)
    if json:
        print_json({"profile": loaded.name, "settings": rows})
        return
    print_table(
        loaded.title[0].upper() + loaded.title[1:],
        ("setting", "value", "from"),
        [(row["setting"], _text(row["value"]), row["from"]) for row in rows],
    )


def _settings(loaded: LoadedProfile) -> list[dict[str, Any]]:
    rows = [
        {
            "setting": name,
            "value": _shown(getattr(loaded.settings, name)),
            "from": loaded.origin(name).short,
        }
        for name in type(loaded.settings).model_fields
        if name != "signer"
    ]
    if loaded.signer is None:
        return [*rows, {"setting": "signer", "value": None, "from": "default"}]
    origin = loaded.origin("signer").short
    options = validated_options(loaded)
    given = options.model_fields_set
    return [
        *rows,
        {"setting": "signer.backend", "value": loaded.signer.backend, "from": origin},
        *(
            {
                "setting": f"signer.{name}",
                "value": _shown(getattr(options, name)),
                "from": origin if name in given else "default",
            }
            for name in type(options).model_fields
        ),
    ]


def _shown(value: Any) -> Any:
    if isinstance(value, Secret):
        return f"{'hidden' if value.is_readable() else 'cannot be read'}, from {value.origin}"
    if isinstance(value, BaseModel):
        return {name: _shown(getattr(value, name)) for name in type(value).model_fields}
    if isinstance(value, Path):
        return os.fspath(value)
    if isinstance(value, Mapping):
        return {str(name): _shown(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_shown(item) for item in value]
    return value if value is None or isinstance(value, (str, int, float)) else str(value)


def _text(value: Any) -> str:
    """For people: of a rule its name, for 'policy check' has the rest."""
    if isinstance(value, list):
        named = (item.get("name", item) if isinstance(item, dict) else item for item in value)
        value = ", ".join(map(str, named))
    elif isinstance(value, dict):
        value = ", ".join(f"{name} = {item}" for name, item in value.items())
    return "-" if value in (None, "") else str(value)
