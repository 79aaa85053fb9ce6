"""How AWS KMS names a key."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

_HEX: Final = "[0-9a-fA-F]"
_KEY: Final = rf"(?:{_HEX}{{8}}(?:-{_HEX}{{4}}){{3}}-{_HEX}{{12}}|mrk-{_HEX}{{32}})"
ALIAS: Final = r"alias/[A-Za-z0-9/_-]{1,250}"
_BARE: Final = re.compile(rf"{_KEY}|(?P<alias>{ALIAS})")
_ARN: Final = re.compile(
    rf"arn:aws[a-z-]*:kms:(?P<region>[a-z0-9-]+):\d{{12}}:(?:key/{_KEY}|(?P<alias>{ALIAS}))"
)

FORMS: Final = (
    "a key id (1234abcd-12ab-34cd-56ef-1234567890ab or mrk-…), "
    "a key ARN (arn:aws:kms:eu-west-1:111122223333:key/…), "
    "an alias name (alias/dfns-production) or "
    "an alias ARN (arn:aws:kms:eu-west-1:111122223333:alias/…)"
)


@dataclass(frozen=True, slots=True)
class KeyId:
    """The name of a key, as a user wrote it.

    Attributes:
        text: as AWS takes it.
        region: region of an ARN; None for another name.
        is_alias: whether it is the name or ARN of an alias.
    """

    text: str
    region: str | None
    is_alias: bool

    @classmethod
    def parse(cls, text: str) -> KeyId:
        """Parse a name.

        Raises:
            ValueError: it has none of the four forms; the message shows them.
        """
        match = _ARN.fullmatch(text) or _BARE.fullmatch(text)
        if match is None:
            raise ValueError(f"expected {FORMS}{_guess(text)}")
        return cls(text, match.groupdict().get("region"), match["alias"] is not None)

    def names(self, arn: str) -> bool:
        """Whether an ARN may be that of the key.

        An alias may lead to any key; an alias ARN, to any of its account and region.
        """
        if self.is_alias:
            place = self.text.rpartition(":")[0]
            return is_key_arn(arn) and place in {"", arn.rpartition(":")[0]}
        found = arn if self.region else arn.rpartition("/")[2]
        return is_key_arn(arn) and found.lower() == self.text.lower()


def region_of(text: str) -> str | None:
    """The region of an ARN of a key or alias; None for any other string."""
    match = _ARN.fullmatch(text)
    return match["region"] if match else None


def is_key_arn(text: str) -> bool:
    """Whether a string is the ARN of a key, and not of an alias."""
    match = _ARN.fullmatch(text)
    return match is not None and match["alias"] is None


def _guess(text: str) -> str:
    alias = f"alias/{text}"
    return f"; if it is an alias, write {alias}" if _BARE.fullmatch(alias) else ""
