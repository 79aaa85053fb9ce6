"""Several new files, all of them or none."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from dfns_signers.errors import ConfigurationError
from dfns_signers.private_files import create_private_file, reason_of
from dfns_signers.sealed import Sealed


@contextmanager
def new_files(*files: tuple[Path, Sealed[bytes]]) -> Iterator[None]:
    """Write files for their owner alone, which are removed if the body raises.

    Args:
        *files: where each goes, and its content; a folder that is missing is made.

    Raises:
        ConfigurationError: one is there already, or cannot be written; none is left behind.
    """
    with ExitStack() as undo:
        for path, content in files:
            _write(path, content)
            undo.callback(path.unlink, missing_ok=True)
        yield
        undo.pop_all()


def _write(path: Path, content: Sealed[bytes]) -> None:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        create_private_file(path, content)
    except FileExistsError as error:
        raise ConfigurationError(
            f"the file {path} is there already, and was left as it is: remove it if nobody uses "
            "it, or name another place"
        ) from error
    except (OSError, ValueError) as error:
        raise ConfigurationError(
            f"the file {path} cannot be written: {reason_of(error)}"
        ) from error
