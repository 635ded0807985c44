"""Other connectors that go to the same Mautic: what they share there, and what one leaves to the other (X16).

One contact has the values of several stores side by side, each in the fields and tags of its connector's name space. A
contact that another connector writes to is not deleted, and what another fills is not emptied.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from integration.models.connector import Connector, ConnectorState
from integration.models.contact_link import ContactLink
from integration.pipeline.connectors.fingerprint import place
from integration.settings import Modules, where


@dataclass(frozen=True, slots=True)
class Clash:
    """Connectors of the organisation, by name, that write the same fields and tags of one Mautic."""

    names: Sequence[str]
    name_space: str

    @property
    def sentence(self) -> str:
        """Return what is wrong."""
        named = ", ".join(f"“{name}”" for name in self.names)
        how = f"the same name space, “{self.name_space}”" if self.name_space else "no name space either"
        goes = "goes to the same Mautic and has" if len(self.names) == 1 else "go to the same Mautic and have"
        return f"{named} {goes} {how}: each store overwrites the other's values and takes away the other's tags."

    @property
    def hint(self) -> str:
        """Return what to do."""
        return f"Give each store a name space of its own under {where('naming.name_space')}."


def ids(session: Session, connector_id: int) -> list[int]:
    """Return the other connectors, of whatever organisation, whose Mautic has the same address."""
    mine = session.scalar(select(Connector.mautic_url).where(Connector.id == connector_id)) or ""
    others = select(Connector.id, Connector.mautic_url).where(Connector.id != connector_id, Connector.mautic_url != "")
    return [number for number, url in session.execute(others).tuples() if mine and place(url) == place(mine)]


def name_spaces(session: Session, connector_ids: Collection[int]) -> frozenset[str]:
    """Return the name spaces of connectors, "" among them where one has none."""
    stored = session.scalars(select(Connector.settings).where(Connector.id.in_(connector_ids)))
    return frozenset(Modules.from_json(each).naming.name_space for each in stored)


def links_to(session: Session, connector_ids: Collection[int], contact_id: int) -> list[Mapping[str, str]]:
    """Return what connectors last wrote to a contact: the hashes of each link of theirs that leads to it."""
    theirs = ContactLink.connector_id.in_(connector_ids), ContactLink.contact_id == contact_id
    return [fields or {} for fields in session.scalars(select(ContactLink.fields).where(*theirs))]


def clash(session: Session, connector: Connector, name_space: str | None = None) -> Clash | None:
    """Return who of the organisation would write the same fields, None where nobody does.

    `name_space` is one that is not saved yet. A connector that is read-only, as that of a copied shop, writes nothing.
    """
    space = Modules.from_json(connector.settings).naming.name_space if name_space is None else name_space
    query = select(Connector).where(
        Connector.id.in_(ids(session, connector.id)),
        Connector.organisation_id == connector.organisation_id,
        Connector.state != ConnectorState.READ_ONLY,
    )
    found = session.scalars(query.order_by(Connector.name, Connector.id))
    names = [each.name for each in found if Modules.from_json(each.settings).naming.name_space == space]
    return Clash(names, space) if names else None
