"""Key stores that answer after a delay, each in a process of its own."""
