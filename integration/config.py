"""Deployment settings: from the environment, then instance/config.py, then defaults."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from email.utils import parseaddr
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from integration.errors import SettingError

ENGINES = ("embedded", "procrastinate", "none")
#: How mail is secured -> the usual port.
SMTP_PORTS = {"starttls": 587, "ssl": 465, "none": 25}


@dataclass(frozen=True, slots=True)
class Deployment:
    """How this installation runs; each field is a setting of the same name in capitals."""

    instance_path: Path
    secret_key: str
    host: str = "127.0.0.1"
    port: int = 8000
    database_url: str = ""
    engine: str = "embedded"
    public_url: str = ""
    timezone: str = "UTC"
    proxies: int = 0
    private_hosts: tuple[str, ...] = ("*",)
    log_level: str = "INFO"
    threads: int = 8
    ratelimit: bool = True
    smtp_host: str = ""
    smtp_port: int = 0
    smtp_security: str = "starttls"
    smtp_user: str = ""
    smtp_password: str = field(default="", repr=False)
    mail_from: str = ""

    @property
    def base_url(self) -> str:
        """Return the address that other systems reach us at, without a slash at the end."""
        return (self.public_url or f"http://{self.host}:{self.port}").rstrip("/")

    @property
    def sender(self) -> str:
        """Return whom e-mails come from, "" when nobody is named."""
        return self.mail_from or (self.smtp_user if "@" in self.smtp_user else "")


#: Setting -> (meaning, default as shown in the README).
MEANINGS: dict[str, tuple[str, str]] = {
    "HOST": ("address to listen on", "127.0.0.1"),
    "PORT": ("port to listen on", "8000"),
    "INSTANCE_PATH": ("folder for the database, keys and logs", "instance"),
    "DATABASE_URL": ("SQLAlchemy URL; SQLite or PostgreSQL", "sqlite in INSTANCE_PATH"),
    "SECRET_KEY": ("signs sessions and encrypts stored secrets; keep it", "made at first start"),
    "ENGINE": ("embedded, procrastinate or none", "embedded"),
    "PUBLIC_URL": ("https address at which the store reaches this app", "http://HOST:PORT"),
    "TIMEZONE": ("zone of the times on the pages until a store names its own", "UTC"),
    "PROXIES": ("number of trusted reverse proxies in front", "0"),
    "PRIVATE_HOSTS": ("hosts in private networks that may be called, comma list, * for all", "*"),
    "LOG_LEVEL": ("DEBUG, INFO, WARNING or ERROR", "INFO"),
    "THREADS": ("threads of the web server, 1 to 64", "8"),
    "RATELIMIT": ("throttle sign-in attempts", "yes"),
    "SMTP_HOST": ("mail server for alerts; without one no e-mail is sent", "none"),
    "SMTP_PORT": ("port of the mail server", "587; 465 with ssl, 25 with none"),
    "SMTP_SECURITY": ("starttls, ssl or none", "starttls"),
    "SMTP_USER": ("user name at the mail server", "none"),
    "SMTP_PASSWORD": ("password at the mail server", "none"),
    "MAIL_FROM": ("sender of e-mails, such as Shop <alerts@shop.example>", "SMTP_USER"),
}


def load(environ: Mapping[str, str] | None = None, root: Path | None = None, **overrides: Any) -> Deployment:
    """Return the deployment's settings, overrides first, then environment, then INSTANCE_PATH/config.py.

    Raises SettingError that names the setting whose value cannot be used.
    """
    environ = os.environ if environ is None else environ
    folder = Path(overrides.get("instance_path") or environ.get("INSTANCE_PATH") or (root or Path.cwd()) / "instance")
    folder = _folder(folder.absolute())
    raw = {**_file_values(folder / "config.py"), **{k: environ[k] for k in MEANINGS if k in environ}}
    values = {name.lower(): _parsed(name, value) for name, value in raw.items()}
    values |= {"instance_path": folder, **{k: v for k, v in overrides.items() if v is not None}}
    values["instance_path"] = folder
    values["secret_key"] = values.get("secret_key") or kept_key(folder)
    values["database_url"] = values.get("database_url") or f"sqlite:///{folder / 'woo-mautic.sqlite'}"
    return checked(Deployment(**values))


def checked(deployment: Deployment) -> Deployment:
    """Return the deployment if its settings fit together, else raise SettingError."""
    if deployment.engine == "procrastinate" and not deployment.database_url.startswith("postgresql"):
        raise SettingError(
            "ENGINE", "ENGINE=procrastinate needs PostgreSQL.", "Set DATABASE_URL to a PostgreSQL database."
        )
    if len(deployment.secret_key) < 16:
        raise SettingError("SECRET_KEY", "SECRET_KEY is too short to be safe.", "Use at least 16 random characters.")
    if deployment.smtp_host and not deployment.sender:
        raise SettingError("MAIL_FROM", "SMTP_HOST needs a MAIL_FROM.", "Set it to the sender's e-mail address.")
    return deployment


def kept_key(folder: Path) -> str:
    """Return the secret key kept in the instance folder, made on first use and readable by its owner only."""
    path = folder / "secret.key"
    try:
        handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        return path.read_text(encoding="ascii").strip()
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(secrets.token_urlsafe(48))
    return path.read_text(encoding="ascii").strip()


def _folder(folder: Path) -> Path:
    """Return the instance folder, made if need be; it and all that is written from now on is its owner's alone."""
    os.umask(0o077)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(PermissionError):
            folder.chmod(0o700)
    except OSError as error:
        raise SettingError(
            "INSTANCE_PATH",
            f"INSTANCE_PATH {folder} cannot be made: {error.strerror}.",
            "Choose a folder that can be written.",
        ) from error
    if not os.access(folder, os.W_OK):
        raise SettingError(
            "INSTANCE_PATH", f"INSTANCE_PATH {folder} cannot be written.", "Choose a folder that can be written."
        )
    return folder


def _file_values(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    values: dict[str, Any] = {}
    try:
        exec(compile(path.read_text(encoding="utf-8"), str(path), "exec"), values)  # noqa: S102 - the owner's own file, as Flask reads it
    except (SyntaxError, NameError, TypeError, ValueError) as error:
        raise SettingError("config.py", f"{path} cannot be read: {error}.", "Write one NAME = value a line.") from error
    return {name: values[name] for name in MEANINGS if name in values}


def _parsed(name: str, value: Any) -> Any:
    parser: Callable[[str, Any], Any] = _PARSERS.get(name, _text)
    return parser(name, value)


def _text(name: str, value: Any) -> str:
    return str(value).strip()


def _number(low: int, high: int) -> Callable[[str, Any], int]:
    def parse(name: str, value: Any) -> int:
        try:
            number = int(str(value))
        except ValueError:
            number = low - 1
        if not low <= number <= high:
            raise SettingError(
                name, f"{name} must be a whole number from {low} to {high}, not “{value}”.", "Correct it."
            )
        return number

    return parse


def _one_of(*words: str) -> Callable[[str, Any], str]:
    def parse(name: str, value: Any) -> str:
        for word in words:
            if str(value).strip().lower() == word.lower():
                return word
        raise SettingError(name, f"{name} must be one of {', '.join(words)}, not “{value}”.", "Choose one of them.")

    return parse


def _url(name: str, value: Any) -> str:
    text = str(value).strip()
    parts = urlsplit(text)
    if text and (parts.scheme not in ("http", "https") or not parts.hostname):
        raise SettingError(name, f"{name} must be an http or https address, not “{text}”.", "Write https://host.")
    return text


def _database(name: str, value: Any) -> str:
    text = str(value).strip().replace("postgres://", "postgresql://", 1)
    if text and not text.startswith(("sqlite:///", "postgresql://", "postgresql+psycopg://")):
        raise SettingError(
            name, f"{name} must be a SQLite or PostgreSQL URL.", "Write sqlite:///file or postgresql://…"
        )
    return text.replace("postgresql://", "postgresql+psycopg://", 1)


def _sender(name: str, value: Any) -> str:
    text = str(value).strip()
    address = parseaddr(text)[1]
    local, _, host = address.rpartition("@")
    if text and (not text.isascii() or not text.isprintable() or not local or not host):
        raise SettingError(name, f"{name} “{text}” is no e-mail address.", "Write one like Shop <alerts@shop.example>.")
    return text


def _zone(name: str, value: Any) -> str:
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        ZoneInfo(str(value))
    except (ZoneInfoNotFoundError, ValueError):
        raise SettingError(name, f"{name} “{value}” is no time zone.", "Write one like Europe/Rome.") from None
    return str(value)


def _yes(name: str, value: Any) -> bool:
    return _one_of("1", "true", "yes", "on", "0", "false", "no", "off")(name, value) in ("1", "true", "yes", "on")


def _list(name: str, value: Any) -> tuple[str, ...]:
    parts = value if isinstance(value, list | tuple) else str(value).split(",")
    return tuple(str(part).strip().lower() for part in parts if str(part).strip())


_PARSERS: dict[str, Callable[[str, Any], Any]] = {
    "PORT": _number(0, 65535),
    "THREADS": _number(1, 64),
    "PROXIES": _number(0, 10),
    "ENGINE": _one_of(*ENGINES),
    "PUBLIC_URL": _url,
    "DATABASE_URL": _database,
    "TIMEZONE": _zone,
    "PRIVATE_HOSTS": _list,
    "LOG_LEVEL": _one_of("DEBUG", "INFO", "WARNING", "ERROR"),
    "RATELIMIT": _yes,
    "SMTP_PORT": _number(0, 65535),
    "SMTP_SECURITY": _one_of(*SMTP_PORTS),
    "MAIL_FROM": _sender,
    "SECRET_KEY": _text,
    "INSTANCE_PATH": lambda name, value: Path(str(value)),
}
assert {item.name.upper() for item in fields(Deployment)} == set(MEANINGS)
