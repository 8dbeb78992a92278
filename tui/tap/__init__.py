"""The tap: a forwarder that clients are pointed at, and an observer that measures their answers."""
