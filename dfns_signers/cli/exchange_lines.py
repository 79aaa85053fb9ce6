"""``emulator --log``: each exchange in a line or two, aligned, and coloured on a terminal."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from dfns_signers.cli.output import logged_to, one_line

if TYPE_CHECKING:
    from rich.text import Text

    from dfns_signers.emulator.exchanges.request_log import Exchange

_CALLER: Final = 16
_CALL: Final = 40
_INDENT: Final = " " * 26


def exchanges_shown() -> AbstractContextManager[None]:
    """Show what the emulator exchanges with its clients on standard error."""
    return logged_to(_Handler(), "dfns_signers.emulator")


class _Handler(logging.Handler):
    def __init__(self) -> None:
        from rich.console import Console  # noqa: PLC0415  # as in ``output``

        super().__init__()
        self._console = Console(stderr=True, highlight=False, soft_wrap=True)

    def emit(self, record: logging.LogRecord) -> None:
        """Print the exchange of a record."""
        exchange: Exchange = record.__dict__["exchange"]
        for line in _lines(exchange):
            self._console.print(line)


def _lines(exchange: Exchange) -> Iterator[Text]:
    from rich.text import Text  # noqa: PLC0415

    status = exchange.answer.status
    style = _style(status)
    request = exchange.request
    target = f"{request.raw_path}?{request.query}" if request.query else request.raw_path
    time = datetime.fromtimestamp(exchange.date).astimezone().strftime("%H:%M:%S")
    call = one_line(f"{request.method:6} {target}")
    yield Text.assemble(
        (time, "dim"),
        "  ",
        (str(status), style),
        (f"{exchange.seconds * 1000:8.1f} ms", "dim"),
        f"  {one_line(exchange.caller) or '-':{_CALLER}}  ",
        (f"{call:{_CALL}}" if exchange.signing else call, "bold"),
        (f"  {one_line(exchange.signing)}" if exchange.signing else ""),
    )
    if exchange.check:
        yield Text(f"{_INDENT}{exchange.check}: {one_line(exchange.reason)}", style)
    elif status == HTTPStatus.ACCEPTED:
        yield Text(f"{_INDENT}accepted; it waits for approval", style)


def _style(status: int) -> str:
    if status >= HTTPStatus.BAD_REQUEST:
        return "red"
    return "yellow" if status == HTTPStatus.ACCEPTED else "green"
