"""Whether the stop key may be out of the patient's reach: a terminal behind a network, or one that can be left (H33).

A key that is pressed elsewhere comes when the network lets it. A terminal inside tmux or screen goes on when everybody
has left it, and no hang-up tells anybody. Both are looked for in the environment, and by climbing the process tree,
because ``sudo`` and others take the environment away. It is a look for what is usual and no proof of nearness: a remote
desktop shows neither, and stays with the procedure (docs/responsibilities.md).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

_BY_VARIABLE: Final = {
    "SSH_CONNECTION": "SSH",
    "SSH_CLIENT": "SSH",
    "SSH_TTY": "SSH",
    "XRDP_SESSION": "remote desktop",
    "TMUX": "tmux",
    "STY": "screen",
    "ZELLIJ": "zellij",
}
"""Variables that a server, or a terminal that can be left, sets for what it starts."""

_BY_PROGRAM: Final = {
    "sshd": "SSH",
    "dropbear": "SSH",
    "mosh-server": "mosh",
    "telnetd": "telnet",
    "in.telnetd": "telnet",
    "in.rlogind": "rlogin",
    "etterminal": "Eternal Terminal",
    "tailscaled": "SSH",
    "jupyter": "a web terminal",
    "code-server": "a web terminal",
    "cockpit-bridge": "a web terminal",
    "ttyd": "a web terminal",
    "gotty": "a web terminal",
    "tmux": "tmux",
    "screen": "screen",
    "zellij": "zellij",
    "wezterm-mux": "a wezterm server",
    "dtach": "dtach",
    "abduco": "abduco",
}
"""The same by the beginning of an ancestor's name, of which Linux keeps 15 characters."""

_GENERATIONS: Final = 64
"""How far to climb; a chain this long is a loop in what we read."""


def reached_by(environ: Mapping[str, str] = os.environ, ancestors: Callable[[], Iterator[str]] | None = None) -> str:
    """How this terminal is reached, in words such as ``SSH, tmux``; "" where nothing speaks against its being here."""
    found = [words for name, words in _BY_VARIABLE.items() if environ.get(name)]
    for program in (ancestors or _ancestors)():
        found += [words for name, words in _BY_PROGRAM.items() if program.lower().startswith(name)]
    return ", ".join(dict.fromkeys(found))


def _ancestors() -> Iterator[str]:
    """The names of the programs above this one, nearest first; as far as the system tells."""
    pid = os.getppid()
    for _ in range(_GENERATIONS):
        if pid <= 1:
            return
        try:
            stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        except OSError:
            return
        name, _, rest = stat.partition("(")[2].rpartition(")")
        yield name
        pid = int(rest.split()[1])
