from __future__ import annotations

import pytest

from dfns_signers.near_miss import did_you_mean

KNOWN = ("aws-kms", "gcp-kms", "pem")


@pytest.mark.parametrize(("name", "meant"), [("aws-kns", "aws-kms"), ("pen", "pem")])
def test_name_near_a_known_one_gives_a_question(name: str, meant: str) -> None:
    assert did_you_mean(name, KNOWN) == f" (did you mean '{meant}'?)"


@pytest.mark.parametrize(("name", "known"), [("zzz", KNOWN), ("", KNOWN), ("pem", ())])
def test_name_near_nothing_gives_no_text(name: str, known: tuple[str, ...]) -> None:
    assert did_you_mean(name, known) == ""
