from __future__ import annotations

from dataclasses import replace

import pytest

from integration.mapping import contacts
from integration.mapping.field_map import address_aliases
from integration.mapping.fields import fit
from integration.plans import ContactWrite, Plan, Skip
from integration.records import Address
from integration.settings import ContactModule
from tests.mapping.samples import customer, customers, fields

DEFAULTS = ContactModule()
ADDRESS = address_aliases()


def written(name: str, module: ContactModule = DEFAULTS) -> ContactWrite:
    made = contacts.plan(customer(name), module)
    assert isinstance(made, Plan)
    return made.contact


def code(name: str, module: ContactModule, **options: bool) -> str:
    made = contacts.plan(customer(name), module, **options)
    assert isinstance(made, Skip)
    assert made.sentence.endswith(".")
    return made.code


def test_p12_p13_p15_a_plain_customer_is_written_with_address_phone_and_mautics_names():
    assert written("plain") == ContactWrite(
        "customer0@example.com",
        {
            "firstname": "Anna",
            "lastname": "Rossi",
            "company": "Ditta & Co. S.r.l.",
            "address1": "Via Garibaldi 12",
            "address2": "",
            "city": "Milano",
            "zipcode": "20121",
            "country": "Italy",
            "state": "Milano",
            "phone": "+39 02 1234567",
        },
    )


def test_p10_a_module_that_is_off_sends_nothing():
    assert code("plain", DEFAULTS.model_copy(update={"enabled": False})) == "module_off"


def test_p11_on_change_off_keeps_live_changes_back_but_not_a_bulk_run():
    module = DEFAULTS.model_copy(update={"on_change": False})
    assert code("plain", module, on_change=True) == "not_on_change"
    assert isinstance(contacts.plan(customer(), module), Plan)


def test_p12_without_billing_only_names_and_phone_go():
    assert set(written("plain", DEFAULTS.model_copy(update={"billing": False})).fields) == {
        "firstname",
        "lastname",
        "phone",
    }


def test_p13_without_phone_no_phone_goes():
    assert "phone" not in written("plain", DEFAULTS.model_copy(update={"phone": False})).fields


def test_p14_default_tags_go_as_typed_and_never_as_a_removal():
    module = DEFAULTS.model_copy(update={"default_tags": ("VIP", " -shop, member ", "", "VIP", "-")})
    assert written("plain", module).tags == ("VIP", "shop member")


def test_p14_no_default_tags_no_tags():
    assert written("plain").tags == ()


def test_p15_a_state_that_mautic_does_not_list_is_emptied_and_said():
    person = replace(customer(), billing=replace(customer().billing, state="QQ"))
    made = contacts.plan(person, DEFAULTS)
    assert isinstance(made, Plan)
    assert made.contact.fields["state"] == ""
    assert [(a.field, a.kind) for a in made.adjustments] == [("state", "left_out")]
    assert "QQ" in made.adjustments[0].sentence


def test_p15_a_country_that_mautic_does_not_list_is_emptied_and_said():
    person = replace(customer(), billing=Address(country="FO"))
    made = contacts.plan(person, DEFAULTS)
    assert isinstance(made, Plan)
    assert made.contact.fields["country"] == ""
    assert [(a.field, a.kind) for a in made.adjustments] == [("country", "left_out")]


@pytest.mark.parametrize(
    ("role", "roles", "goes"),
    [
        ("customer", ("customer", "subscriber"), True),
        ("administrator", ("customer", "subscriber"), False),
        ("shop_manager", ("Shop manager",), True),
        ("wholesale-buyer", ("wholesale_buyer",), True),
        ("anything", (), False),
    ],
)
def test_p17_only_the_chosen_roles_are_synced_and_none_chosen_is_nobody(role, roles, goes):
    made = contacts.plan(replace(customer(), role=role), DEFAULTS.model_copy(update={"roles": roles}))
    assert isinstance(made, Plan) is goes
    assert goes or (isinstance(made, Skip) and made.code == "role" and role in made.sentence)


def test_p17_all_roles_are_synced_where_that_is_chosen():
    everybody = DEFAULTS.model_copy(update={"roles": (), "role_choice": "all"})
    assert isinstance(contacts.plan(replace(customer(), role="anything"), everybody), Plan)


def test_an_account_whose_email_wordpress_lost_takes_the_billing_email():
    assert written("odd_email").email == "a_b-c.d!#%&*+/=?^{|}~14@sub.sub2.example.co.uk"


def test_an_account_email_that_decayed_takes_the_billing_email():
    billing = replace(customer().billing, email="a@example.com")
    person = replace(customer(), email="a&amp;amp;b@example.com", billing=billing)
    assert contacts.email_of(person) == "a@example.com"


def test_the_account_email_wins_over_another_billing_email():
    assert written("other_billing_email").email == "customer11@example.com"


def test_names_fall_back_to_the_billing_names():
    person = replace(customer(), first_name=" ", last_name="")
    made = contacts.plan(person, DEFAULTS)
    assert isinstance(made, Plan)
    assert (made.contact.fields["firstname"], made.contact.fields["lastname"]) == ("Anna", "Rossi")


def test_a_customer_without_any_email_is_skipped():
    person = replace(customer("no_billing"), email=" ")
    assert contacts.plan(person, DEFAULTS) == contacts.NO_EMAIL


@pytest.mark.parametrize("name", sorted(customers()))
def test_only_parts_of_an_address_are_ever_blank(name):
    fields = written(name).fields
    assert {alias for alias, value in fields.items() if not str(value).strip()} <= set(ADDRESS)
    assert not set(ADDRESS) & fields.keys() or any(fields[alias] for alias in ADDRESS)


def test_an_address_is_one_value_and_none_empties_nothing():
    seoul = replace(customer(), billing=Address(city="Seoul", country="KR"))
    fields = contacts.plan(seoul, DEFAULTS).contact.fields
    assert {alias: fields[alias] for alias in ADDRESS} == {
        **dict.fromkeys(ADDRESS, ""),
        "city": "Seoul",
        "country": "South Korea",
    }
    blank = replace(customer(), billing=Address(first_name="Ada", phone="1"))
    assert not set(ADDRESS) & contacts.plan(blank, DEFAULTS).contact.fields.keys()
    off = contacts.plan(seoul, DEFAULTS.model_copy(update={"billing": False}))
    assert not set(ADDRESS) & off.contact.fields.keys()


def test_a_name_of_240_letters_is_shortened_to_the_fields_limit_and_said():
    fitted, adjustments = fit(written("long_name"), fields())
    assert len(str(fitted.fields["firstname"])) == 64
    assert ("firstname", "shortened") in [(a.field, a.kind) for a in adjustments]


def test_markup_in_a_name_goes_as_mautic_would_keep_it_and_is_said():
    person = replace(customer(), first_name="<b>Bob</b>", last_name='"><script>alert(1)</script>')
    made = contacts.plan(person, DEFAULTS)
    assert isinstance(made, Plan)
    fitted, adjustments = fit(made.contact, fields())
    assert (fitted.fields["firstname"], fitted.fields["lastname"]) == ("Bob", '">alert(1)')
    assert [(a.field, a.kind) for a in adjustments] == [("firstname", "changed"), ("lastname", "changed")]
