"""SECRET_KEY is changed: old keys are read, everything is sealed anew, what no key reads is named."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from integration.errors import SettingError
from integration.models import Connector
from integration.models.vault import Vault
from integration.pipeline import installation, key_rotation
from integration.pipeline.audited import Diff
from integration.pipeline.connectors import connectors
from integration.pipeline.services import Services

NEW, OLDER = "a new key, long enough", "an older key, long enough"


@pytest.fixture
def connector(services: Services, connector_id: int) -> Connector:
    """A connector that has credentials."""
    connectors.connect(services, connector_id, store_key="ck_1", mautic_password="secret")
    with services.db.read() as session:
        return session.get_one(Connector, connector_id)


def with_keys(services: Services, *old: str) -> Services:
    return Services(services.db, services.clock, Vault(NEW, old), services.deployment)


def test_old_keys_are_read_and_only_the_new_one_writes() -> None:
    sealed = Vault(OLDER).seal({"a": 1})
    vault = Vault(NEW, ("yet another key, long", OLDER))
    assert vault.open(sealed) == {"a": 1}
    assert not vault.is_newest(sealed)
    assert Vault(NEW).open(vault.seal({"a": 1})) == {"a": 1}
    assert Vault(NEW).open(vault.renewed(sealed)) == {"a": 1}
    assert not Vault(NEW).opens(sealed)


def test_everything_is_sealed_anew_once_and_audited(services: Services, connector: Connector) -> None:
    present = services.deployment.secret_key
    with services.db.write() as session:
        session.get_one(Connector, connector.id).mautic_token = services.vault.seal({"access_token": "a"})
        installation.check_key(session, services.vault)
    before = services.secrets(connector)
    rotated = with_keys(services, present)
    entries: list[Diff] = []

    def audit(session: Session, diff: Diff) -> None:
        entries.append(diff)

    done = key_rotation.rotate(rotated, audit=audit)
    assert (done["credentials of connector"], done["Mautic's token of connector"], done["check of the key"]) == (
        1,
        1,
        1,
    )
    assert entries[0] == {"credentials of connector, encrypted anew": [0, 1]}
    with services.db.read() as session:
        assert Vault(NEW).open(session.get_one(Connector, connector.id).secrets) == before
        assert not installation.key_is_lost(session, Vault(NEW))
    assert not any(key_rotation.rotate(with_keys(services)).values())
    assert len(entries) == 3


def test_what_no_key_reads_is_named_and_the_rest_is_done(services: Services, connector: Connector) -> None:
    with services.db.write() as session:
        session.get_one(Connector, connector.id).mautic_token = Vault(OLDER).seal({"access_token": "a"})
    with pytest.raises(SettingError, match=f"reads: credentials of connector “{connector.name}”") as error:
        key_rotation.rotate(with_keys(services, OLDER))
    assert "Mautic's token" not in str(error.value)
    with services.db.read() as session:
        assert Vault(NEW).opens(session.get_one(Connector, connector.id).mautic_token or "")
    key_rotation.rotate(with_keys(services, services.deployment.secret_key))
    assert connectors.connect(with_keys(services), connector.id, name=connector.name) == {}
