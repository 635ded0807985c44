"""The addresses that `serve` listens on: had before anything is told of them, for they may be another program's."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Sequence

from gunicorn import systemd, util

from integration.errors import SettingError

Address = tuple[str, int]
#: Setting, sentence and what to do, by why the system refuses an address.
_REFUSALS = {
    errno.EADDRINUSE: (
        "PORT",
        "PORT {port} of {host} is taken: another program listens there.",
        "Stop that one, or start with another PORT, such as PORT={other}.",
    ),
    errno.EACCES: (
        "PORT",
        "PORT {port} may not be used by this user.",
        "Choose one from 1024 on, and let a web server in front have this one.",
    ),
    errno.EADDRNOTAVAIL: (
        "HOST",
        "HOST {host} is no address of this machine.",
        "Set it to 127.0.0.1 for this machine alone, to 0.0.0.0 for all of its networks.",
    ),
}
_OTHERWISE = (
    "HOST",
    "The server could not listen on {host}:{port}: {reason}.",
    "Set HOST to a name or address of this machine, PORT to a port of its own.",
)
#: What a PORT may be instead of one that is among the system's own.
_USUAL_PORT = 8000


def are_given() -> bool:
    """Return whether systemd, or the gunicorn that this one follows (USR2), hands over sockets that listen."""
    return bool(systemd.listen_fds(unset_environment=False)) or "GUNICORN_FD" in os.environ


class Listening:
    """Sockets of some addresses; raises SettingError (PORT or HOST) when one of them is not to be had.

    They do not listen yet: whoever calls before there is somebody to answer is refused at once, and does not wait.
    """

    def __init__(self, addresses: Sequence[Address]) -> None:
        self._sockets = [(address, _bound(address)) for address in addresses]

    def begin(self, backlog: int) -> list[str]:
        """Listen, and return the sockets as gunicorn is told of them; raises SettingError as well."""
        for address, each in self._sockets:
            try:
                each.listen(backlog)
            except OSError as error:
                # Somebody who began at the same moment was quicker.
                raise _refusal(error, address) from error
        return [f"fd://{each.detach()}" for _, each in self._sockets]


def _bound(address: Address) -> socket.socket:
    try:
        made = socket.socket(socket.AF_INET6 if util.is_ipv6(address[0]) else socket.AF_INET)
        # Connections of a server that has just ended keep nobody from its port.
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(address)
    except (OSError, ValueError) as error:
        raise _refusal(error, address) from error
    return made


def _refusal(error: OSError | ValueError, address: Address) -> SettingError:
    host, port = address
    number, reason = (error.errno, error.strerror) if isinstance(error, OSError) else (0, "it is no name of a host")
    name, *texts = _REFUSALS.get(number or 0, _OTHERWISE)
    values = {"host": f"[{host}]" if ":" in host else host, "port": port, "reason": reason}
    values["other"] = port + 1 if 1023 < port < 65535 else _USUAL_PORT
    return SettingError(name, *(text.format(**values) for text in texts))
