"""The tables below ``[gateway]``, read and checked."""
