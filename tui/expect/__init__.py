"""Expectations for a running answer from earlier ones, and detection of problems with it."""
