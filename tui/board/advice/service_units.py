"""systemd units that run ``npulse tap`` and ``npulse exporter`` as a system user of their own.

The services may read world-readable files, write below /var/lib/npulse, and connect to the model
server. The hardening options forbid the rest (``systemd-analyze security`` gives below 2.0).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tui.board.advice.root_writer import own_command
from tui.board.advice.systemd import (
    UNIT_FOLDER,
    Outcome,
    Run,
    UnitError,
    command,
    is_on,
    is_systemd_here,
    read_file,
    remove_unit,
    require_root,
    run_command,
    switch_on,
    verify,
    write_file,
)

Service = Literal["tap", "exporter"]
SERVICES: tuple[Service, ...] = ("tap", "exporter")
USER = "npulse"
USER_FILE = "/etc/sysusers.d/npulse.conf"
USER_LINE = f'u {USER} - "npulse tap and exporter" /var/lib/{USER}\n'
_WHAT = {
    "tap": "npulse tap: forwards clients to the language model and measures their answers",
    "exporter": "npulse exporter: the board and the answers as metrics for Prometheus",
}
_HOMES = ("/home/", "/root/")

_HARDENING = """\
NoNewPrivileges=yes
CapabilityBoundingSet=
AmbientCapabilities=
ProtectSystem=strict
ProtectHome={home}
PrivateTmp=yes
PrivateDevices=yes
PrivateUsers=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectProc={processes}
RemoveIPC=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
MemoryDenyWriteExecute=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
SystemCallErrorNumber=EPERM
UMask=0077
"""


@dataclass(frozen=True, slots=True)
class ServiceUnit:
    """One service: its name, and the text of its unit file."""

    service: Service
    text: str

    @property
    def name(self) -> str:
        return unit_name(self.service)

    @property
    def path(self) -> str:
        return f"{UNIT_FOLDER}/{self.name}"


def unit_name(service: Service) -> str:
    return f"npulse-{service}.service"


def unit(
    service: Service, arguments: tuple[str, ...] = (), program: str = "", *, is_local: bool = True
) -> ServiceUnit:
    """The unit of a service. ``arguments`` are added to its command. ``program`` replaces
    :func:`own_command`. ``is_local``: forbid connections to other machines."""
    start = (program,) if program else own_command()
    words = [_quoted(word) for word in (*start, service, *arguments)]
    is_in_home = start[0].startswith(_HOMES)
    runtime = ""
    if service == "tap":
        runtime = "RuntimeDirectory=npulse-tap\nRuntimeDirectoryMode=0755\n"
    hardening = _HARDENING.format(
        home="read-only" if is_in_home else "yes",
        processes="default" if service == "exporter" else "invisible",
    )
    network = ""
    if is_local:
        network = "IPAddressDeny=any\nIPAddressAllow=localhost\n"
    text = f"""\
# Written by: npulse setup-service {service}
[Unit]
Description={_WHAT[service]}
After=network.target

[Service]
ExecStart={" ".join(words)}
User={USER}
Group={USER}
StateDirectory={USER}
StateDirectoryMode=0700
{runtime}Environment=HOME=/var/lib/{USER} XDG_DATA_HOME=/var/lib/{USER}
Environment=XDG_STATE_HOME=/var/lib/{USER} XDG_CACHE_HOME=/var/lib/{USER} XDG_CONFIG_HOME=/etc
Restart=on-failure
RestartSec=5
LimitNOFILE=8192
{hardening}{network}
[Install]
WantedBy=multi-user.target
"""
    return ServiceUnit(service, text)


def install(wanted: ServiceUnit, root: Path = Path("/"), run: Run = run_command) -> Outcome:
    """Create the system user, write and verify the unit, enable and start it; no change where it
    is active already. Needs root and a running systemd. Raises UnitError."""
    require_root(f"npulse setup-service {wanted.service} --install")
    if not is_systemd_here(root):
        raise UnitError(
            f"systemd does not run this system; start npulse {wanted.service} by its init system"
        )
    path = root / wanted.path.lstrip("/")
    is_new = read_file(path) != wanted.text
    if not is_new and is_on(run, wanted.name):
        return Outcome(False, f"{wanted.name} is installed and active already.")
    if is_new:
        verify(wanted.name, wanted.text, run)
    write_file(root / USER_FILE.lstrip("/"), USER_LINE)
    command(run, "systemd-sysusers", USER_FILE)
    write_file(path, wanted.text)
    switch_on(run, wanted.name)
    return Outcome(
        True,
        f"{wanted.name} is installed and runs as {USER}; "
        f"journalctl -u {wanted.name} shows its log.",
    )


def remove(service: Service, root: Path = Path("/"), run: Run = run_command) -> Outcome:
    """Disable and stop the service, and delete its unit; its data stays. Raises UnitError."""
    require_root(f"npulse setup-service {service} --remove")
    name = unit_name(service)
    path = root / UNIT_FOLDER.lstrip("/") / name
    if read_file(path) is None:
        return Outcome(False, f"{name} is not installed; there is nothing to remove.")
    if not is_systemd_here(root):
        raise UnitError(f"systemd does not run this system; delete {UNIT_FOLDER}/{name} by hand")
    remove_unit(run, path)
    return Outcome(True, f"{name} is removed; its data is in /var/lib/{USER}.")


def _quoted(argument: str) -> str:
    """An argument quoted for ExecStart (systemd.service(5), section "Command lines")."""
    plain = argument.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{plain}"' if plain != argument or " " in plain or not plain else plain
