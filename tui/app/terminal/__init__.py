"""What the terminal sends and the signals that end npulse."""
