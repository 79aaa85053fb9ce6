"""A caller less: its tables leave the configuration file."""

from __future__ import annotations

import os
from pathlib import Path

from dfns_signers.config.writing import ConfigEdit
from dfns_signers.errors import ConfigurationError
from dfns_signers.gateway.assembly import read_settings
from dfns_signers.near_miss import did_you_mean
from dfns_signers.sealed import Sealed


def remove_caller(name: str, config: str | os.PathLike[str] | None) -> tuple[Path, str]:
    """Remove the tables of a caller, with its rules; files of its key stay.

    Args:
        name: of the caller.
        config: the configuration file, as of ``ConfigEdit``.

    Returns:
        The configuration file, and why a gateway would not take what is left: empty if it would.

    Raises:
        ConfigurationError: there is no such caller, or the file cannot be written.
    """
    edit = ConfigEdit(config)
    found = edit.gateway.get("callers")
    callers = list(found) if isinstance(found, dict) else []
    if name not in callers:
        raise ConfigurationError(
            f"configuration file {edit.path} has no caller {name!r}{did_you_mean(name, callers)}; "
            f"callers are: {', '.join(callers) or 'none'}"
        )
    edit.remove_below_gateway(("callers", name))
    edit.write()
    try:
        read_settings(Sealed(edit.gateway), edit.path, reveal=False)
    except ConfigurationError as error:
        return edit.path, str(error)
    return edit.path, ""
