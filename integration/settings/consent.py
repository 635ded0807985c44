"""Settings of the marketing consent (P18) and of Do Not Contact both ways (X10)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from integration.errors import SettingError
from integration.field_errors import Unusable
from integration.settings.kinds import Settings, Text, Texts, Truth

#: What is done with people without consent.
SKIP, DNC = "skip", "dnc"
#: WordPress keeps so many characters of a key of meta data.
KEY_MAX_CHARS = 255


def _key(value: str) -> str:
    """Return a key of meta data, "" for none; with a blank or a quotation mark in it it would be another thing."""
    if any(character.isspace() or character in "\"'<>" for character in value):
        raise Unusable("This is not the key of a meta field.", "Write the key alone, such as newsletter_consent.")
    return value


Key = Annotated[Text, AfterValidator(_key)]


class ConsentModule(Settings):
    """Who may be sent marketing; descriptions are the help on pages.

    A customer consents by `customer_field`, an order by `order_field`, with one of `yes_values`, whatever their case.
    `without` says what is done with people without consent.
    """

    enabled: Truth = Field(default=False, title="Marketing consent")
    customer_field: Key = Field(
        default="",
        max_length=KEY_MAX_CHARS,
        title="Customer's meta key",
        description="Where the shop keeps what a customer chose, such as newsletter_consent. Empty: accounts say "
        "nothing of it.",
    )
    order_field: Key = Field(
        default="",
        max_length=KEY_MAX_CHARS,
        title="Order's meta key",
        description="Where the shop keeps what was ticked at the checkout, of guests too. Empty: orders say nothing "
        "of it.",
    )
    yes_values: Texts = Field(
        default=("1", "yes", "true", "on"),
        title="Values that mean yes",
        description="With commas between them; capitals make no difference. Any other value, or none, is no consent.",
    )
    wording: Text = Field(
        default="",
        max_length=500,
        title="Text beside the box in the shop",
        description="Kept with each consent as evidence. When the shop's text changes, change it here too: earlier "
        "consents keep theirs.",
    )
    without: Literal["skip", "dnc"] = Field(default="skip", title="People without consent")
    read_back: Truth = Field(
        default=True,
        title="Read from Mautic",
        description="Unsubscribes and bounces are shown with the person and kept with the consents.",
    )
    write_back: Truth = Field(
        default=False,
        title="Write into the store",
        description="The customer's meta field below gets the word unsubscribed or bounced. The store's key needs "
        "read and write permission; guests have no account to write to.",
    )
    write_field: Key = Field(
        default="_mautic_unsubscribed", max_length=KEY_MAX_CHARS, title="Customer's meta key for unsubscribes"
    )

    @property
    def reads_back(self) -> bool:
        """Return whether unsubscribes and bounces are read from Mautic."""
        return self.enabled and self.read_back

    def contradictions(self) -> list[SettingError]:
        """Return what must not be saved together; what is stored from before is read all the same."""
        found = []
        if self.enabled and not (self.customer_field or self.order_field):
            sentence = "Without a key nobody could consent, so nobody would be synced."
            found.append(SettingError("consent.customer_field", sentence, "Enter a key here or below."))
        if self.enabled and not self.yes_values:
            hint = "Enter at least one, such as 1 or yes."
            found.append(SettingError("consent.yes_values", "Without a value nothing would mean yes.", hint))
        if self.write_back and not self.write_field:
            hint = "Enter one, or switch writing off."
            found.append(SettingError("consent.write_field", "Without a key nothing can be written.", hint))
        if self.write_back and self.write_field and self.write_field in (self.customer_field, self.order_field):
            sentence = "This key holds the consent itself: writing to it would overwrite what the customer chose."
            found.append(SettingError("consent.write_field", sentence, "Use another key."))
        if self.write_back and not self.read_back:
            sentence = "What is not read from Mautic cannot be written into the store."
            found.append(SettingError("consent.read_back", sentence, "Tick it, or switch writing off."))
        return found
