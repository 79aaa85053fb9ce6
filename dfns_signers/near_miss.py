"""The name that somebody probably meant."""

from __future__ import annotations

from collections.abc import Iterable


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """`` (did you mean 'x'?)`` for a near miss, else the empty string."""
    close = close_match(name, known)
    return f" (did you mean {close!r}?)" if close else ""


def close_match(name: str, known: Iterable[str]) -> str:
    """The known name that is most like this one, if one is like it, else the empty string."""
    import difflib  # noqa: PLC0415  # only what is wrong needs it

    close = difflib.get_close_matches(name, list(known), n=1)
    return close[0] if close else ""
