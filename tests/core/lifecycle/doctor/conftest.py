from __future__ import annotations

from tests.core.config.machine import emulator, folder, home, key_file, site, working_folder

__all__ = ["emulator", "folder", "home", "key_file", "site", "working_folder"]
