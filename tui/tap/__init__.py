"""The tap: a forwarder to which clients connect, and an observer that measures their answers."""
