"""Deployment settings: from the environment, then instance/config.py, then defaults."""

from __future__ import annotations

import os
from collections.abc import Mapping
from email.utils import parseaddr
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BeforeValidator, Field, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from integration import instance_folder, own_address
from integration.errors import SettingError
from integration.field_errors import Unusable, told

ENGINES = ("embedded", "procrastinate", "none")
#: How mail is secured -> the usual port.
SMTP_PORTS = {"starttls": 587, "ssl": 465, "none": 25}


def _text(value: Any) -> str:
    return str(value).strip()


def _whole(low: int, high: int) -> BeforeValidator:
    def parse(value: Any) -> int:
        try:
            number = int(str(value))
        except ValueError:
            number = low - 1
        if not low <= number <= high:
            raise Unusable(f"It must be a whole number from {low} to {high}, not “{value}”.", "Correct it.")
        return number

    return BeforeValidator(parse)


def _one_of(*words: str) -> BeforeValidator:
    return BeforeValidator(lambda value: _word(words, value))


def _word(words: tuple[str, ...], value: Any) -> str:
    """Return the one of the words that was meant, in whatever case it was written."""
    for word in words:
        if str(value).strip().lower() == word.lower():
            return word
    raise Unusable(f"It must be one of {', '.join(words)}, not “{value}”.", "Choose one of them.")


def _truth(value: Any) -> bool:
    yes = ("1", "true", "yes", "on")
    return _word((*yes, "0", "false", "no", "off"), value) in yes


def _url(value: Any) -> str:
    text = str(value).strip()
    try:
        parts = urlsplit(text)
        fine = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        fine = False
    if text and not fine:
        raise Unusable(f"It must be an http or https address, not “{text}”.", "Write https://host.")
    return text


def _database(value: Any) -> str:
    text = str(value).strip().replace("postgres://", "postgresql://", 1)
    if text and not text.startswith(("sqlite:///", "postgresql://", "postgresql+psycopg://")):
        raise Unusable("It must be a SQLite or PostgreSQL URL.", "Write sqlite:///file or postgresql://…")
    return text.replace("postgresql://", "postgresql+psycopg://", 1)


def _sender(value: Any) -> str:
    text = str(value).strip()
    local, _, host = parseaddr(text)[1].rpartition("@")
    if text and (not text.isascii() or not text.isprintable() or not local or not host):
        raise Unusable(f"“{text}” is not an e-mail address.", "Write one like Shop <alerts@shop.example>.")
    return text


def _zone(value: Any) -> str:
    try:
        ZoneInfo(str(value))
    except (ZoneInfoNotFoundError, ValueError):
        raise Unusable(f"“{value}” is not a time zone.", "Write one like Europe/Rome.") from None
    return str(value)


def _hosts(value: Any) -> tuple[str, ...]:
    parts = value if isinstance(value, list | tuple) else str(value).split(",")
    return tuple(_host(str(part).strip().lower()) for part in parts if str(part).strip())


def _old_keys(value: Any) -> tuple[str, ...]:
    parts = value if isinstance(value, list | tuple) else str(value).split(",")
    return tuple(str(part).strip() for part in parts if str(part).strip())


def _host(text: str) -> str:
    """Return a host as it stands, or a network without host bits; raises Unusable for a network that is none."""
    if "/" not in text:
        return text
    try:
        return str(ip_network(text, strict=False))
    except ValueError:
        raise Unusable(f"“{text}” is no network.", "Write one like 10.0.0.0/8, or a host's name.") from None


Text = Annotated[str, BeforeValidator(_text)]


class Deployment(BaseSettings):
    """How this installation runs; each field is a setting of the same name in capitals.

    One made in code is what it is given and its defaults: only `load` looks at the environment and the file.
    """

    model_config = SettingsConfigDict(
        frozen=True, alias_generator=str.upper, populate_by_name=True, case_sensitive=True, extra="forbid"
    )

    instance_path: Path
    secret_key: Text = Field(repr=False)
    secret_key_old: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_old_keys)] = Field(default=(), repr=False)
    host: Annotated[str, BeforeValidator(own_address.host)] = "127.0.0.1"
    port: Annotated[int, _whole(0, 65535)] = 8000
    database_url: Annotated[str, BeforeValidator(_database)] = ""
    engine: Annotated[str, _one_of(*ENGINES)] = "embedded"
    public_url: Annotated[str, BeforeValidator(_url)] = ""
    timezone: Annotated[str, BeforeValidator(_zone)] = "UTC"
    proxies: Annotated[int, _whole(0, 10)] = 0
    private_hosts: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_hosts)] = ()
    log_level: Annotated[str, _one_of("DEBUG", "INFO", "WARNING", "ERROR")] = "INFO"
    threads: Annotated[int, _whole(1, 64)] = 8
    worker_lanes: Annotated[int, _whole(1, 64)] = 8
    database_connections: Annotated[int, _whole(5, 500)] = 20
    ratelimit: Annotated[bool, BeforeValidator(_truth)] = True
    smtp_host: Text = ""
    smtp_port: Annotated[int, _whole(0, 65535)] = 0
    smtp_security: Annotated[str, _one_of(*SMTP_PORTS)] = "starttls"
    smtp_user: Text = ""
    smtp_password: Text = Field(default="", repr=False)
    mail_from: Annotated[str, BeforeValidator(_sender)] = ""
    disk_free_min_mb: Annotated[int, _whole(0, 1_000_000)] = 500

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Return the source of a Deployment made in code: what it is given."""
        return (init_settings,)

    @property
    def place(self) -> str:
        """Return host and port as a URL has them, an IPv6 address in brackets."""
        return own_address.in_url(self.host, self.port)

    @property
    def base_url(self) -> str:
        """Return the address that other systems reach us at, without a slash at the end."""
        return (self.public_url or f"http://{self.place}").rstrip("/")

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
    "SECRET_KEY_OLD": ("earlier SECRET_KEYs, comma list, until `woo-mautic rotate-secrets` was run", "none"),
    "ENGINE": ("embedded, procrastinate or none", "embedded"),
    "PUBLIC_URL": ("https address at which the store reaches this app", "http://HOST:PORT"),
    "TIMEZONE": ("zone of the times on the pages until a store names its own", "UTC"),
    "PROXIES": ("number of trusted reverse proxies in front", "0"),
    "PRIVATE_HOSTS": (
        "private hosts or networks (10.0.0.0/8) that may be called, comma list, * for all",
        "none",
    ),
    "LOG_LEVEL": ("DEBUG, INFO, WARNING or ERROR", "INFO"),
    "THREADS": ("threads of the web server, 1 to 64", "8"),
    "WORKER_LANES": ("batches that a worker delivers at once, over all connectors, 1 to 64", "8"),
    "DATABASE_CONNECTIONS": (
        "connections to PostgreSQL of one process at most, 5 to 500; a worker of ENGINE=procrastinate has 4 more",
        "20",
    ),
    "RATELIMIT": ("throttle sign-in attempts and what a shop's visitors send", "yes"),
    "SMTP_HOST": ("mail server for alerts; without one no e-mail is sent", "none"),
    "SMTP_PORT": ("port of the mail server", "587; 465 with ssl, 25 with none"),
    "SMTP_SECURITY": ("starttls, ssl or none", "starttls"),
    "SMTP_USER": ("user name at the mail server", "none"),
    "SMTP_PASSWORD": ("password at the mail server", "none"),
    "MAIL_FROM": ("sender of e-mails, such as Shop <alerts@shop.example>", "SMTP_USER"),
    "DISK_FREE_MIN_MB": ("alert when less of the disk is free, in MB, or less than 2 %; 0 for never", "500"),
}


class EnvironmentSource(EnvSettingsSource):
    """The settings in a given environment."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.environ = environ
        super().__init__(Deployment)

    def _load_env_vars(self) -> Mapping[str, str | None]:
        return {name: self.environ[name] for name in MEANINGS if name in self.environ}


class FileSource(PydanticBaseSettingsSource):
    """The settings in a config.py, which is Python, one NAME = value a line."""

    def __init__(self, path: Path) -> None:
        super().__init__(Deployment)
        self.values = _file_values(path)

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """Return a field's value, the name it has in the file, and that it needs no decoding."""
        return self.values.get(field_name.upper()), field_name.upper(), False

    def __call__(self) -> dict[str, Any]:
        """Return name -> value of the settings that the file has."""
        return {name: self.values[name] for name in MEANINGS if name in self.values}


def load(environ: Mapping[str, str] | None = None, root: Path | None = None, **overrides: Any) -> Deployment:
    """Return the deployment's settings, overrides first, then environment, then INSTANCE_PATH/config.py.

    Raises SettingError that names the setting whose value cannot be used.
    """
    environ = os.environ if environ is None else environ
    folder = Path(overrides.get("instance_path") or environ.get("INSTANCE_PATH") or (root or Path.cwd()) / "instance")
    folder = instance_folder.made(folder.absolute())
    values = FileSource(folder / "config.py")() | EnvironmentSource(environ)()
    values |= {name.upper(): value for name, value in overrides.items() if value is not None}
    values["INSTANCE_PATH"] = folder
    values["SECRET_KEY"] = values.get("SECRET_KEY") or instance_folder.kept_key(folder)
    values["DATABASE_URL"] = values.get("DATABASE_URL") or f"sqlite:///{folder / 'woo-mautic.sqlite'}"
    try:
        return checked(Deployment(**values))
    except ValidationError as error:
        raise _named(told(error, Deployment)) from None


def _named(error: SettingError) -> SettingError:
    """Return an error with the setting's name in its sentence."""
    sentence = error.sentence.removeprefix("It ")
    return error if error.name in sentence else SettingError(error.name, f"{error.name} {sentence}", error.hint)


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


def _file_values(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    values: dict[str, Any] = {}
    try:
        exec(compile(path.read_text(encoding="utf-8"), str(path), "exec"), values)  # noqa: S102 - the owner's own file, as Flask reads it
    except Exception as error:
        # The file is Python, so anything can happen in it.
        raise SettingError("config.py", f"{path} cannot be read: {error}.", "Write one NAME = value a line.") from error
    return {name: values[name] for name in MEANINGS if name in values}


assert {name.upper() for name in Deployment.model_fields} == set(MEANINGS)
