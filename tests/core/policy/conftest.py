from __future__ import annotations

from tests.core.config.machine import (
    client_config,
    emulator,
    folder,
    home,
    key_file,
    site,
    temporary_folder,
    working_folder,
)

__all__ = [
    "client_config",
    "emulator",
    "folder",
    "home",
    "key_file",
    "site",
    "temporary_folder",
    "working_folder",
]
