"""Sockets, connections and signals."""
