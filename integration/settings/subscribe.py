"""Settings of the subscribe form (P100), with every word that a shop's visitors read: shops speak many languages."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from integration.errors import SettingError
from integration.field_errors import Unusable
from integration.settings.kinds import Settings, Text, Texts, Truth, Whole


def _page(value: str) -> str:
    """Return the address of a page, "" for none; what a browser could take for a script is refused."""
    try:
        parts = urlsplit(value)
        usable = not value or (parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0)
    except ValueError:
        usable = False
    if not usable or any(character in value for character in " ;,'\"<>\\"):
        raise Unusable("This is not the address of a page.", "Begin it with https://, or leave it empty.")
    return value


def _words(title: str, default: str) -> str:
    made: str = Field(default=default, min_length=1, max_length=200, title=title)
    return made


class SubscribeModule(Settings):
    """The subscribe form; descriptions are the help on pages.

    With `double_opt_in` a contact gets tags and segment only after the link in the e-mail `email` was followed.
    """

    enabled: Truth = Field(default=False, title="Subscribe form")
    names: Truth = Field(default=False, title="Name")
    consent_text: Text = Field(
        default="Yes, send me news by e-mail. I can unsubscribe at any time.",
        min_length=1,
        max_length=500,
        title="Text beside the consent box",
        description="Kept with each subscription. An address such as https://shop.example/privacy becomes a link.",
    )
    tags: Texts = Field(default=(), title="Tags")
    segment: Whole = Field(default=0, ge=0, title="Segment")
    double_opt_in: Truth = Field(
        default=False,
        title="Confirmation by e-mail",
        description="Until then the contact has neither name nor tags nor segment by the form.",
    )
    email: Whole = Field(default=0, ge=0, title="E-mail with the link")
    thanks: Text = _words("After subscribing", "Thank you. You are subscribed.")
    go_to: Annotated[Text, AfterValidator(_page)] = Field(
        default="", max_length=500, title="Page to go to afterwards", description="Empty: the sentence above is shown."
    )
    check_mail: Text = _words("After sending the link", "Thank you. Open the link in the e-mail that we have sent you.")
    email_label: Text = _words("E-mail address", "E-mail address")
    first_name_label: Text = _words("First name", "First name")
    last_name_label: Text = _words("Last name", "Last name")
    button: Text = _words("Button", "Subscribe")
    email_wrong: Text = _words("Wrong e-mail address", "Enter a valid e-mail address.")
    consent_missing: Text = _words("Box not ticked", "Tick the box to subscribe.")
    once_more: Text = _words("Form open for too long", "Send the form once more.")
    later: Text = _words("Too many tries, or a fault", "This did not work. Try again later.")
    confirm_text: Text = _words("Before confirming", "One click and you are subscribed.")
    confirm_button: Text = _words("Button that confirms", "Confirm")
    link_old: Text = _words("Link too old", "This link is no longer valid. Subscribe again.")

    def contradictions(self) -> list[SettingError]:
        """Return what must not be saved together; what is stored from before is read all the same."""
        if not (self.enabled and self.double_opt_in) or self.email:
            return []
        hint = "Choose one, or switch the confirmation off."
        return [SettingError("subscribe.email", "Without an e-mail nobody could confirm.", hint)]
