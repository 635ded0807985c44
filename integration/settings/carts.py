"""Settings of the Abandoned Cart module (P50 to P62)."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from integration.errors import SettingError
from integration.settings.kinds import Amount, Settings, Text, Truth, Whole

#: What WooCommerce calls the kinds of coupons; "free_shipping" is a coupon of no amount that ships for nothing.
NONE, PERCENT, FIXED, FREE_SHIPPING = "none", "percent", "fixed_cart", "free_shipping"
#: Who can use a coupon.
BOUND, OPEN = "bound", "open"


class CartModule(Settings):
    """Abandoned Cart; descriptions are the help on pages.

    Consent (P52): with `box` nothing is captured before it is ticked; `silent` captures at once and draws no box; with
    neither nothing is captured.
    """

    enabled: Truth = Field(default=False, title="Abandoned Cart")
    box: Truth = Field(default=True, title="Ask for consent at the checkout")
    box_text: Text = Field(
        default="Remind me by e-mail if I do not finish this order.",
        min_length=1,
        max_length=500,
        title="Text beside the box",
    )
    silent: Truth = Field(
        default=False,
        title="Capture without asking",
        description="No box is drawn; the address is kept as soon as it is typed. Only where the law allows it.",
    )
    timeout: Whole = Field(
        default=60,
        ge=1,
        le=43_200,
        title="Minutes until a cart is abandoned",
        description="Counted from the last change of the cart or the address.",
    )
    from_orders: Truth = Field(
        default=True,
        title="Unfinished orders too",
        description="Drafts, and orders that wait for their payment or whose payment failed, are read from the store.",
    )
    tag: Text = Field(default="abandoned_cart", min_length=1, max_length=191, title="Tag for abandoned carts")
    recovered_tag: Text = Field(default="recovered_cart", min_length=1, max_length=191, title="Tag for recovered carts")
    remove_tag: Truth = Field(
        default=True, title="Remove the first tag on recovery", description="And the second when a cart is left again."
    )
    segment: Whole = Field(default=0, ge=0, title="Segment", description="0 = none.")
    leave_segment: Truth = Field(default=False, title="Leave the segment on recovery")
    coupon: Literal["none", "percent", "fixed_cart", "free_shipping"] = Field(default="none", title="Recovery coupon")
    coupon_amount: Amount = Field(default="10", title="Amount", description="In percent, or in the shop's currency.")
    coupon_days: Whole = Field(default=7, ge=1, le=365, title="Days until it expires")
    coupon_minimum: Amount = Field(default="0", title="Minimum value of the cart", description="0 = none.")
    coupon_use: Literal["bound", "open"] = Field(
        default="bound",
        title="Who can use the coupon",
        description="Bound: only that address; the script puts it into the cart. Open: whoever has it, once.",
    )
    create_fields: Truth = Field(
        default=False, title="Missing fields", description="Create them in Mautic when the first cart needs them."
    )
    keep_days: Whole = Field(default=90, ge=1, le=3650, title="Days that carts are kept")

    @property
    def captures(self) -> bool:
        """Return whether carts are captured at all (P52)."""
        return self.enabled and (self.box or self.silent)

    def contradictions(self) -> list[SettingError]:
        """Return what must not be saved together; what is stored from before is read all the same."""
        found = []
        if self.coupon == PERCENT and float(self.coupon_amount) > 100:
            found.append(SettingError("carts.coupon_amount", "A coupon takes at most 100 percent.", "Use 100 or less."))
        if self.coupon in (PERCENT, FIXED) and not float(self.coupon_amount):
            hint = "Enter an amount, or choose no coupon."
            found.append(SettingError("carts.coupon_amount", "A coupon of 0 gives nothing.", hint))
        if self.timeout >= self.keep_days * 24 * 60:
            sentence = "Carts would be deleted before they are abandoned."
            found.append(SettingError("carts.keep_days", sentence, "Keep carts longer than the minutes above."))
        if self.tag == self.recovered_tag:
            sentence = "Abandoned and recovered carts need different tags."
            found.append(SettingError("carts.recovered_tag", sentence, "Change one of the two."))
        return found
