"""What the networks do: broadcast, move assets, remember."""
