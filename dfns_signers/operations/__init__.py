"""The operations of the Dfns API, as one table of data.

``operations.json`` has every operation, ``shapes.json`` the declared shapes of those that have
one; each says what it was read from. Neither is read before it is asked for.
"""

from dfns_signers.operations.near_paths import path_hint
from dfns_signers.operations.shapes import (
    Schema,
    Shapes,
    choices_of,
    declared_enum,
    declared_type,
    options_of,
    shapes_of,
)
from dfns_signers.operations.table import (
    Operation,
    OperationClass,
    find_operation,
    match_operation,
    operations,
)

__all__ = [
    "Operation",
    "OperationClass",
    "Schema",
    "Shapes",
    "choices_of",
    "declared_enum",
    "declared_type",
    "find_operation",
    "match_operation",
    "operations",
    "options_of",
    "path_hint",
    "shapes_of",
]
