"""Debian's nginx with the documented site, on free ports and with a certificate made for the test."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from integration.sandbox.authority import Authority
from tests.postgres import free_port
from tests.waiting import wait_for

SITE = Path(__file__).parents[1] / "docs" / "deploy" / "nginx.conf"
NAME = "app.example"
WITHOUT_NGINX = "nginx is not installed (apt-get install nginx)"
_MAIN = """
daemon off;
{user}
pid {folder}/pid;
error_log {folder}/error.log;
events {{ worker_connections 64; }}
http {{
    access_log off;
    include /etc/nginx/mime.types;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/site.conf;
}}
"""


def program() -> str | None:
    """Return where nginx is, None where it is not installed; its folder is not on everybody's path."""
    return shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")


@dataclass(frozen=True, slots=True)
class Front:
    """Where nginx listens, and the file of the authority that signed its certificate."""

    http: int
    https: int
    authority: Path


@contextmanager
def nginx(folder: Path, app_port: str) -> Iterator[Front]:
    """Serve the documented site before the application at a port of this machine."""
    front = Front(free_port(), free_port(), folder / "authority.pem")
    authority = Authority()
    front.authority.write_text(authority.pem)
    certificate, key = authority.issued(NAME)
    (folder / "fullchain.pem").write_text(certificate)
    (folder / "privkey.pem").write_text(key)
    (folder / "site.conf").write_text(_site(folder, front, app_port))
    user = "user root;" if os.geteuid() == 0 else ""
    (folder / "nginx.conf").write_text(_MAIN.format(folder=folder, user=user))
    command = [str(program()), "-p", str(folder), "-c", str(folder / "nginx.conf")]
    tried = subprocess.run([*command, "-t"], capture_output=True, text=True, check=False)
    assert tried.returncode == 0 and "[warn]" not in tried.stderr, tried.stderr
    child = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        wait_for(lambda: (folder / "pid").exists() and (folder / "pid").read_text().strip(), "nginx")
        yield front
    finally:
        child.terminate()
        child.wait(timeout=20)


def _site(folder: Path, front: Front, app_port: str) -> str:
    """Return the documented site with the ports and files of the test in the place of its own; each must be there."""
    text = SITE.read_text(encoding="utf-8")
    for old, new, times in (
        (r"listen 80;", f"listen 127.0.0.1:{front.http};", 1),
        (r"listen 443 ssl", f"listen 127.0.0.1:{front.https} ssl", 1),
        (r"^ *listen \[::\].*\n", "", 2),
        (r"/etc/letsencrypt/live/app\.example", str(folder), 2),
        (r"server 127\.0\.0\.1:8000;", f"server 127.0.0.1:{app_port};", 1),
    ):
        text, number = re.subn(old, new, text, flags=re.MULTILINE)
        assert number == times, old
    return text
