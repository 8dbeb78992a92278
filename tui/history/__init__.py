"""Stored conversations: the database, writers, readers and search."""
