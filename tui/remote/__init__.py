"""Remote boards: their files and servers, over the system's ssh.

Nothing has to be installed on the board. The readers in ``tui/board/`` use :mod:`tui.remote.files`
like this machine's own files.
"""
