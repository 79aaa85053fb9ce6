"""Whether a file that holds a secret is kept to its owner."""

from __future__ import annotations

import os
import stat

import pytest

from dfns_signers.file_modes import readable_by_others

pytestmark = pytest.mark.skipif(os.name != "posix", reason="modes say nothing here")


@pytest.mark.parametrize("mode", [0o600, 0o400, 0o700, 0o611, 0o622, 0o000])
def test_mode_that_keeps_others_from_reading_is_private(mode: int) -> None:
    assert readable_by_others(stat.S_IFREG | mode) is False


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o444, 0o040, 0o004])
def test_mode_that_lets_group_or_others_read_is_not_private(mode: int) -> None:
    assert readable_by_others(stat.S_IFREG | mode) is True
