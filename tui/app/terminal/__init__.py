"""Terminal input, early screen, and signals that end npulse."""
