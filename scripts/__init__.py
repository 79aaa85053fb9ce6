"""What the maintainers of this project run."""
