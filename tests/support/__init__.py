"""What several parts of the suite use."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
