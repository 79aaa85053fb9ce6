"""Where the tests of vault-transit look for the pages."""

from tests.support.pages import DOCS, blocks, section

__all__ = ["DOCS", "blocks", "section"]
