"""An own certificate authority on the Connection tab: pasted or uploaded, checked at once, shown, replaced, removed."""

from __future__ import annotations

import io
import logging
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from integration import certificates
from integration.clock import SetClock
from integration.models import Connector
from integration.pipeline.services import Services
from integration.sandbox.authority import Authority
from tests.web.conftest import Person, text_of, version
from tests.web.connection_form import typed

Read = Callable[[], Connector]
#: The clock of these tests stands in November 2026.
BEGINS, ENDS = datetime(2026, 1, 1, tzinfo=UTC), datetime(2030, 5, 3, tzinfo=UTC)
SHOP = Authority("Shop CA", begins=BEGINS, ends=ENDS)
NEXT = Authority("Next CA", begins=BEGINS, ends=ENDS)
OVER = Authority("Old CA", begins=BEGINS, ends=datetime(2026, 5, 3, tzinfo=UTC))
SOON = Authority("Tired CA", begins=BEGINS, ends=datetime(2026, 11, 21, tzinfo=UTC))


@pytest.fixture
def path(connector_id: int) -> str:
    return f"/connectors/{connector_id}/connection"


def file(text: str | bytes, name: str = "ca.pem") -> tuple[io.BytesIO, str]:
    return io.BytesIO(text if isinstance(text, bytes) else text.encode()), name


def fingerprint(authority: Authority) -> str:
    return certificates.read(authority.pem)[0].fingerprint


@pytest.mark.parametrize("side", ["store", "mautic"])
def test_what_is_pasted_is_kept_shown_replaced_and_removed(
    admin: Person, viewer: Person, path: str, connector: Read, audit_of: Callable, side: str
) -> None:
    name = f"{side}_ca"
    pasted = "subject=CN = Shop CA\r\n" + SHOP.pem.replace("\n", "\r\n")
    assert admin.post(path, typed(**{name: pasted})).status_code == 302
    assert getattr(connector(), name) == SHOP.pem.strip()
    for who in (admin, viewer):
        said = text_of(who.get(path))
        assert "Shop CA" in said and "itself" in said and "3 May 2030" in said and fingerprint(SHOP) in said
    admin.post(path, typed(**{name: SHOP.pem + NEXT.pem}))
    assert len(certificates.stored(getattr(connector(), name))) == 2
    admin.post(path, typed(**{name: ""}))
    assert getattr(connector(), name) == ""
    assert "Shop CA" not in text_of(admin.get(path))
    first = audit_of("UPDATED")[0]
    assert first.diff == {name: ["", f"Shop CA ({fingerprint(SHOP)[:23]}…)"]}


def test_a_file_takes_the_place_of_the_text(admin: Person, path: str, connector: Read) -> None:
    admin.post(path, {**typed(store_ca=SHOP.pem), "store_ca_file": file("\ufeff" + NEXT.pem)})
    assert connector().store_ca == NEXT.pem.strip()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"store_ca": "/etc/ssl/certs/ca.pem"}, "not a certificate in PEM form"),
        ({"store_ca": OVER.pem}, "“Old CA” expired on 3 May 2026"),
        ({"store_ca": SHOP.issued("shop.example")[0]}, "signed by “Shop CA”"),
        ({"store_ca_file": file(b"\x30\x82\xff\xfe", "ca.der")}, "openssl x509 -inform der"),
        ({"store_ca_file": file("x" * 100_001)}, "larger than 100 kB"),
    ],
    ids=["path", "expired", "server", "der", "large"],
)
@pytest.mark.parametrize("way", ["", "/test"])
def test_what_is_none_is_said_at_its_field(
    admin: Person, path: str, connector: Read, way: str, given: dict[str, object], said: str
) -> None:
    stream = given.get("store_ca_file")
    if isinstance(stream, tuple):
        given = {"store_ca_file": file(stream[0].getvalue(), stream[1])}
    answer = admin.post(path + way, {**typed(), **given})
    assert answer.status_code == 400
    assert 'id="store_ca-error"' in answer.text
    assert said in text_of(answer)
    assert connector().store_ca == ""


@pytest.mark.parametrize("way", ["", "/test"])
@pytest.mark.parametrize("how", ["store_ca", "store_ca_file"])
def test_a_private_key_is_refused_and_stays_nowhere(
    admin: Person, path: str, connector: Read, caplog: pytest.LogCaptureFixture, way: str, how: str
) -> None:
    key = SHOP.issued("shop.example")[1]
    secret = key.splitlines()[1]
    pasted = SHOP.pem + key
    with caplog.at_level(logging.DEBUG):
        answer = admin.post(path + way, {**typed(), how: pasted if how == "store_ca" else file(pasted)})
    assert answer.status_code == 400
    assert "This holds a private key" in text_of(answer)
    assert secret not in answer.text
    assert secret not in caplog.text
    assert connector().store_ca == ""


def test_the_second_of_two_people_is_told_of_a_new_authority(
    admin: Person, super_admin: Person, path: str, connector: Read
) -> None:
    admin.post(path, typed(store_ca=SHOP.pem))
    loaded = version(super_admin.get(path))
    assert super_admin.post(path, typed(store_ca=SHOP.pem, name="Rose", **loaded)).status_code == 302
    admin.post(path, typed(store_ca=NEXT.pem))
    told = super_admin.post(path, typed(store_ca=SHOP.pem, **loaded))
    assert told.status_code == 409
    assert "“Next CA (" in text_of(told)
    assert connector().store_ca == NEXT.pem.strip()


def test_one_that_ends_or_is_over_is_marked_and_in_nobodys_way(
    admin: Person, path: str, services: Services, connector: Read, clock: SetClock
) -> None:
    admin.post(path, typed(store_ca=SOON.pem))
    assert "Tired CA ends soon" in text_of(admin.get(path))
    clock.advance(days=1)
    assert "Tired CA expired" in text_of(admin.get(path))
    assert admin.post(path, typed(store_ca=SOON.pem, name="Rose")).status_code == 302
    assert connector().name == "Rose"


def test_the_path_of_a_file_that_could_not_be_read_is_said(
    admin: Person, path: str, services: Services, connector: Read
) -> None:
    with services.db.write() as session:
        session.get_one(Connector, connector().id).mautic_ca = "/nowhere/ca.pem"
    said = text_of(admin.get(path))
    assert "kept as the file /nowhere/ca.pem, which could not be read" in said
    assert admin.post(path, typed(mautic_ca="/nowhere/ca.pem", name="Rose")).status_code == 302
    admin.post(path, typed(mautic_ca=SHOP.pem))
    assert connector().mautic_ca == SHOP.pem.strip()
