"""Secrets that say where they come from and never what they are."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Mapping
from pathlib import Path
from time import monotonic, sleep, time
from typing import Any, Final, TypeAlias

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler, ValidationInfo
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from dfns_signers.errors import ConfigurationError
from dfns_signers.private_files import is_exposed, read_private_file, reason_of, warn_of_exposure
from dfns_signers.sealed import Sealed

EXPECTED: Final = 'expected a string, { env = "NAME" } or { file = "PATH" }'
_SETTLED: Final = 0.1  # seconds without a change, after which a file counts as written
_COARSEST: Final = 2.0  # seconds between times of a change that every file system tells apart
_PATIENCE: Final = 1.0  # seconds to wait for that, and for an empty file to be filled


class Secret:
    """A secret from a literal, an environment variable or a file.

    As a field of a pydantic model it takes a string, ``{ env = "NAME" }`` or ``{ file = "PATH" }``.
    It is read at every ``reveal``, a file if it has changed, so that one that is replaced by a new
    token needs no restart, and when it is validated, so that a missing one is found at load; the
    latter is left out where the validation context says ``{"reveal": False}``. A literal is warned
    of where the context has the ``exposed`` configuration file that others can read it in.

    Attributes:
        origin: where it comes from, such as ``environment variable NAME``; safe to show.
        reference: how a configuration file refers to it, as ``{ env = "NAME" }`` or
            ``{ file = "PATH" }``; None for a literal.
    """

    __slots__ = ("_may_block", "_read", "origin", "reference")

    def __init__(
        self,
        read: Callable[[], str],
        origin: str,
        reference: Mapping[str, str] | None = None,
        *,
        may_block: Callable[[], bool] = lambda: False,
    ) -> None:
        self._read = read
        self._may_block = may_block
        self.origin = origin
        self.reference = reference

    @classmethod
    def literal(cls, value: str, origin: str = "a literal string") -> Secret:
        """A secret given as text."""
        return cls(lambda: value, origin)

    @classmethod
    def from_env(cls, name: str) -> Secret:
        """A secret in an environment variable."""
        return cls(lambda: _read_env(name), f"environment variable {name}", {"env": name})

    @classmethod
    def from_file(cls, path: str | os.PathLike[str]) -> Secret:
        """A secret in a file; white space around it does not belong to it."""
        name = os.fspath(path)
        file = _SecretFile(Path(path))
        return cls(file.read, f"file {name}", {"file": name}, may_block=file.has_changed)

    def reveal(self) -> str:
        """Read the secret.

        Raises:
            ConfigurationError: the variable is not set, the file cannot be read, or it is empty.
        """
        value = self._read()
        if not value:
            raise ConfigurationError(f"the secret from {self.origin} is empty")
        return value

    @property
    def may_block(self) -> bool:
        """Whether ``reveal`` would read a file now."""
        return self._may_block()

    def is_readable(self) -> bool:
        """Whether ``reveal`` would return a secret now."""
        try:
            return bool(self.reveal())
        except ConfigurationError:
            return False

    def __call__(self) -> str:
        """Like ``reveal``, so that a secret can be given where a token provider is expected."""
        return self.reveal()

    def __repr__(self) -> str:
        return f"<Secret from {self.origin}>"

    def __reduce__(self) -> Any:
        raise TypeError("a Secret does not pickle: pass the configuration and load it there")

    @classmethod
    def __get_pydantic_core_schema__(
        cls, _source: Any, _handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.with_info_plain_validator_function(_validate)

    @classmethod
    def __get_pydantic_json_schema__(
        cls, _schema: CoreSchema, _handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {"title": "string, { env = … } or { file = … }"}


def _validate(value: Any, info: ValidationInfo) -> Secret:
    context = info.context or {}
    secret = _parse(value, context.get("folder", Path()))
    if isinstance(value, str) and context.get("exposed"):
        warn_of_exposure("the secret in the configuration file", context["exposed"])
    if context.get("reveal", True):
        try:
            secret.reveal()
        except ConfigurationError as error:
            raise ValueError(str(error)) from error
    return secret


def _parse(value: Any, folder: Path) -> Secret:
    match value:
        case Secret():
            return value
        case str():
            return Secret.literal(value)
        case {"env": str(name), **rest} if name and not rest:
            return Secret.from_env(name)
        case {"file": str(path), **rest} if path and not rest:
            # Path.expanduser raises RuntimeError for the home of an unknown user.
            return Secret.from_file(Path(folder) / os.path.expanduser(path))  # noqa: PTH111
    raise ValueError(EXPECTED)


def _read_env(name: str) -> str:
    value = os.environ.get(name)
    if value is None:
        raise ConfigurationError(f"the environment variable {name} is not set")
    return value.strip()


class _SecretFile:
    """Reads a file again where its status differs from that of the last reading."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._last: tuple[_Stamp, Sealed[str]] | None = None

    def has_changed(self) -> bool:
        return self._unchanged() is None

    def read(self) -> str:
        unchanged = self._unchanged()
        if unchanged is not None:
            return unchanged.open()
        begun = time()
        content, status = _read(self._path)
        text = Sealed(content.open().strip())
        is_old = max(status.st_mtime, status.st_ctime) < begun - _COARSEST
        self._last = (_stamp(status), text) if is_old and stat.S_ISREG(status.st_mode) else None
        return text.open()

    def _unchanged(self) -> Sealed[str] | None:
        last = self._last
        if last is None:
            return None
        try:
            return last[1] if _stamp(self._path.stat()) == last[0] else None
        except OSError:
            return None


_Stamp: TypeAlias = tuple[int, int, int, int, int]


def _stamp(status: os.stat_result) -> _Stamp:
    """What is another one for a file that was replaced, written or given another mode."""
    times = status.st_mtime_ns, status.st_ctime_ns
    return status.st_dev, status.st_ino, status.st_size, *times


def _read(path: Path) -> tuple[Sealed[str], os.stat_result]:
    try:
        content, status = _read_settled(path)
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"the file {path} cannot be read: {reason_of(error)}") from error
    text = _decoded(content)
    if text.open() is None:
        raise ConfigurationError(f"the file {path} is not UTF-8 text")
    return Sealed(text.open() or ""), status


def _decoded(content: Sealed[bytes]) -> Sealed[str | None]:
    try:
        return Sealed(content.open().decode("utf-8-sig"))
    except UnicodeDecodeError:  # it holds the content, and so is not chained
        return Sealed(None)


def _read_settled(path: Path) -> tuple[Sealed[bytes], os.stat_result]:
    """The content of a file that nobody is writing, and its status.

    A file that is replaced in place is empty at first, and then may have half of its content. One
    that was modified a moment ago is therefore read again until it has been left alone.
    """
    end = monotonic() + _PATIENCE
    while True:
        begun = time()
        content, status = read_private_file(path, "the file", ConfigurationError)
        quiet = _SETTLED if content.open().strip() else _PATIENCE
        # A time in the future says nothing: the clock of the file's writer is another one.
        is_recent = begun - quiet < status.st_mtime <= time()
        if not (is_recent and stat.S_ISREG(status.st_mode)):
            if is_exposed(status):
                warn_of_exposure("the secret in the file", path)
            return content, status
        if monotonic() >= end:
            raise ConfigurationError(
                f"the file {path} is being written all the time: write a new file beside it, and "
                "rename that one"
            )
        sleep(_SETTLED)
