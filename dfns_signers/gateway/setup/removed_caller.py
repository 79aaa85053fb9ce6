"""Remove a caller: its tables leave the configuration file."""

from __future__ import annotations

import os
from pathlib import Path

from dfns_signers.config.writing import ConfigEdit
from dfns_signers.errors import ConfigurationError
from dfns_signers.gateway.loading import read_settings
from dfns_signers.gateway.setup.new_caller import require_caller
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
    require_caller(edit, name)
    edit.remove_below_gateway(("callers", name))
    edit.write()
    try:
        read_settings(Sealed(edit.gateway), edit.path, reveal=False)
    except ConfigurationError as error:
        return edit.path, str(error)
    return edit.path, ""
