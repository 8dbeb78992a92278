"""Boards that are somewhere else: their files and their servers, through the system's ssh.

Nothing is installed there. The readers of ``tui/board/`` work on :mod:`tui.remote.files` as they do
on this machine's own files.
"""
