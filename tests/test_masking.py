"""A secret put in any usual place never survives."""

from __future__ import annotations

import base64
import json
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given, settings, strategies as st

from integration import masking

NAMES = st.sampled_from(
    [
        "password",
        "consumer_secret",
        "consumer_key",
        "client_secret",
        "client_id",
        "access_token",
        "refresh_token",
        "oauth_signature",
        "api_key",
        "apiKey",
        "store_secret",
        "user[password]",
        "webhook_secret",
        "pwd",
        "user_pass",
        "x-auth",
        "session",
        "credentials",
    ]
)
#: Begins with a mark that no other text has, so that a surviving part is seen as well.
SECRETS = st.text(st.characters(min_codepoint=33, max_codepoint=0x24F), min_size=1, max_size=40).map(
    lambda text: "Zq7" + text + "7qZ"
)
TOKENS = st.text("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._~-", min_size=8, max_size=60)


def gone(masked: str, secret: str) -> bool:
    return secret not in masked and "Zq7" not in masked and "7qZ" not in masked


@given(NAMES, SECRETS)
def test_query_of_an_address(name: str, secret: str) -> None:
    url = "https://shop.test/wp-json/wc/v3/orders?" + urlencode({"page": 2, name: secret, "order": "asc"})
    masked = masking.mask_text(url)
    assert gone(masked, secret)
    assert "page=2" in masked and "order=asc" in masked


@given(NAMES, SECRETS)
def test_form_body(name: str, secret: str) -> None:
    assert gone(masking.mask_body(urlencode({"grant_type": "password", name: secret})), secret)


@given(NAMES, SECRETS)
def test_json_body(name: str, secret: str) -> None:
    assert gone(masking.mask_body(json.dumps({"a": 1, name: secret, "z": "kept"})), secret)


@given(NAMES, SECRETS, st.booleans())
def test_json_in_a_text_that_is_no_json(name: str, secret: str, ascii_only: bool) -> None:
    body = "<br /> <b>Warning</b> in x.php " + json.dumps({name: secret, "kept": "yes"}, ensure_ascii=ascii_only)
    assert gone(masking.mask_body(body), secret)


@given(NAMES, SECRETS)
def test_json_within_json(name: str, secret: str) -> None:
    body = json.dumps({"payload": json.dumps({"inner": json.dumps({name: secret})})})
    assert gone(masking.mask_body(body), secret)
    assert gone(masking.mask_text(body), secret)


@given(NAMES, SECRETS)
def test_nested_values(name: str, secret: str) -> None:
    value = {"rows": [{"deep": {name: {"x": [secret, {"y": secret}]}}}]}
    assert gone(json.dumps(masking.mask_value(value), ensure_ascii=False), secret)


@given(NAMES, SECRETS)
def test_meta_data_pair(name: str, secret: str) -> None:
    value = {"meta_data": [{"id": 1, "key": f"_{name}", "value": secret, "display_value": secret}]}
    assert gone(json.dumps(masking.mask_value(value), ensure_ascii=False), secret)


@given(SECRETS, st.sampled_from(["Authorization", "Cookie", "Set-Cookie", "X-WC-Webhook-Signature", "X-Api-Key"]))
def test_header(secret: str, name: str) -> None:
    assert masking.mask_headers({name: secret, "Accept": "application/json"}) == {
        name: masking.MASK,
        "Accept": "application/json",
    }


@given(SECRETS, SECRETS)
def test_basic_credentials_in_a_text(user: str, password: str) -> None:
    encoded = base64.b64encode(f"{user}:{password}".encode()).decode()
    assert encoded not in masking.mask_text(f"sent Basic {encoded} and was refused")


@given(TOKENS)
def test_bearer_token_in_a_text(token: str) -> None:
    assert f"Bearer {token}" not in masking.mask_text(f"sent Bearer {token}")


@given(SECRETS)
def test_user_info_of_an_address(secret: str) -> None:
    masked = masking.mask_text(f"https://admin:{quote(secret, safe='')}@shop.test/path?page=1")
    assert masked == "https://***@shop.test/path?page=1"


@given(NAMES, SECRETS)
def test_address_within_an_address(name: str, secret: str) -> None:
    inner = "https://shop.test/?" + urlencode({name: secret})
    assert gone(masking.mask_text("https://x.test/go?" + urlencode({"to": inner})), secret)


@given(NAMES, SECRETS)
def test_text_cut_inside_the_secret(name: str, secret: str) -> None:
    body = json.dumps({name: secret}, ensure_ascii=False)
    assert gone(masking.mask_text(body[:-5]), secret)


@given(NAMES, SECRETS)
def test_python_repr(name: str, secret: str) -> None:
    assert gone(masking.mask_text(f"failed with {{{name!r}: {secret!r}}}"), secret)


@pytest.mark.parametrize(
    "text",
    [
        "Basic authentication is off in Mautic.",
        "The order was written: 42 items, total=12.50&currency=EUR.",
        "https://shop.test/wp-json/wc/v3/orders?page=2&email=a@b.test",
        '{"tokens": {"order_number": "1001"}, "key": "_billing_vat"}',
        "Type: contact, message: it’s done @ 10:00.",
    ],
)
def test_harmless_text_is_kept(text: str) -> None:
    assert masking.mask_body(text) == text


def test_store_keys_and_order_keys_anywhere() -> None:
    masked = masking.mask_text("key ck_0123456789abcdef, cs_test_admin_secret, ?key=wc_order_AbC123xyz")
    assert masked == "key ck_***, cs_***, ?key=wc_order_***"


def test_number_as_password() -> None:
    assert masking.mask_body('{"password": 12345, "page": 12345}') == '{"password": "***", "page": 12345}'


def test_empty_values_and_flags_are_kept() -> None:
    value = {"password": "", "secret": None, "token": False, "tokens": {"name": "Ann"}}
    assert masking.mask_value(value) == value


def test_secrets_of_a_request_are_hidden_where_they_are_repeated() -> None:
    basic = base64.b64encode(b"ann:s3cret/pass").decode()
    found = masking.secrets_of({"Authorization": f"Basic {basic}"}, "https://x.test/?consumer_secret=hunter22")
    assert found == {basic, "s3cret/pass", "hunter22"}
    assert masking.hide("you sent s3cret/pass, s3cret%2Fpass and hunter22", found) == "you sent ***, *** and ***"


def test_long_text_is_masked_in_linear_time() -> None:
    body = "token" * 100_000 + '"password":"x' + "a" * 100_000
    assert masking.mask_text(body).endswith('"password":"***"')


LETTERS = st.text("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-", min_size=20, max_size=43)


@given(LETTERS, st.sampled_from(["/hooks/", "/sign-in/link/", "/invitation/", "%2Fhooks%2F", "/services/T0/B0/"]))
def test_paths_that_let_in_whoever_knows_them(secret: str, path: str) -> None:
    masked = masking.mask_text(f"POST https://app.example{path}{secret} was answered with 404")
    assert secret not in masked
    assert masked.endswith("was answered with 404")


@given(LETTERS)
def test_our_own_tokens_anywhere(secret: str) -> None:
    assert secret not in masking.mask_text(f"ratelimit 600 per 1 minute (wm_{secret}) exceeded at endpoint: api.log")


@given(NAMES, LETTERS)
def test_what_php_prints_of_variables(name: str, secret: str) -> None:
    printed = {
        "print_r": f"Array\n(\n    [{name}] => {secret}\n    [page] => 2\n)",
        "var_export": f"array (\n  '{name}' => '{secret}',\n  'page' => 2,\n)",
        "var_dump": f'array(2) {{\n  ["{name}"]=>\n  string({len(secret)}) "{secret}"\n  ["page"]=>\n  int(2)\n}}',
        "serialize": f'a:1:{{s:{len(name)}:"{name}";s:{len(secret)}:"{secret}";}}',
    }
    for way, text in printed.items():
        assert secret not in masking.mask_text(text), way
        assert secret not in masking.mask_text(f"<br />Warning: {text} in x.php"), way


@given(NAMES, LETTERS, st.booleans())
def test_inputs_of_a_form(name: str, secret: str, first: bool) -> None:
    parts = [f'name="{name}"', f'value="{secret}"']
    text = f"<p>Sign in</p><input type=text {' '.join(parts if first else parts[::-1])}><input name=page value=2>"
    masked = masking.mask_text(text)
    assert secret not in masked
    assert "<input name=page value=2>" in masked


@given(NAMES, LETTERS)
def test_a_part_of_a_multipart_form(name: str, secret: str) -> None:
    text = (
        f'--b1\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{secret}\r\n'
        '--b1\r\nContent-Disposition: form-data; name="page"\r\n\r\n2\r\n--b1--'
    )
    masked = masking.mask_text(text)
    assert secret not in masked
    assert "\r\n2\r\n" in masked


def test_the_code_of_a_sign_in_is_masked_and_that_of_an_error_kept() -> None:
    assert "abc" * 8 not in masking.mask_text(f"GET /callback?state=x1&code={'abc' * 8}")
    assert masking.mask_text("/dead-letters?code=email_refused") == "/dead-letters?code=email_refused"
    assert masking.mask_body('{"code": "woocommerce_rest_cannot_view"}') == '{"code": "woocommerce_rest_cannot_view"}'


@pytest.mark.parametrize(
    "name", ["display_key", "meta_key", "sort_key", "author", "passed", "passenger", "sessions_total", "authorised"]
)
def test_names_that_only_look_like_secrets(name: str) -> None:
    assert masking.mask_value({name: "kept", "key": name, "value": "kept"}) == {
        name: "kept",
        "key": name,
        "value": "kept",
    }


@pytest.mark.parametrize(
    "text", ['["token' * 40_000, 'name="' + "secret" * 60_000, "<input " * 30_000, "'pass" * 60_000]
)
def test_hostile_texts_are_masked_in_linear_time(text: str) -> None:
    assert masking.mask_text(text) is not None


@pytest.mark.parametrize("name", ["PASSWORD", "api_\u017fecret", "cl\u0131ent_id", "CL\u0130ENT_ID", "to\u212aen"])
def test_letters_that_are_another_s_capitals(name: str) -> None:
    assert "xyz123" not in masking.mask_text(f"{name}=xyz123 at 10:15")


_PIECES = st.sampled_from((
    *masking._SUSPECTS, "authorization", "passphrase", "consumer_key", "api-key", "client_id", "sessid", "credentials",
    "PASSWORD", "webhooks", "sign-in/link", "code", "s3", "name", "value", "id", "user", "9", "10", "abcdefgh123456789",
    "=", ":", " : ", "%3D", "%", "/", "%2F", "://", "@", "<", ">", "=>", ";s:6:", '"', "'", '\\"', "[", "]",
    "-", "_", ".", " ", "\n", "\r\n", "&", "?", "--",
))  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(st.lists(_PIECES, max_size=12).map("".join))
def test_what_is_told_at_one_glance_has_nothing_to_mask(text: str) -> None:
    assert masking.mask_text(text) == masking._masked(text)
