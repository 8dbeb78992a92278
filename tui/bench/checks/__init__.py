"""Automatic checks of answers. Their results do not affect rates."""
