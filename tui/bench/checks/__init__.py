"""Checks of answers by program. They never change a speed."""
