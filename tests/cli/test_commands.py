"""Every command: what it does, what it prints as JSON, and its exit code."""

from __future__ import annotations

from pathlib import Path

import pytest

from integration.sandbox.authority import Authority
from integration.sandbox.mautic import MauticServer
from integration.sandbox.store import StoreServer
from integration.sandbox.store.demo_shop import seed
from tests.cli.conftest import Run


def test_a_shop_is_connected_checked_synced_and_read(
    run: Run, connected: str, store: StoreServer, mautic: MauticServer
) -> None:
    seed(store.state, customers=10, orders=30)
    assert [row["name"] for row in run("connectors", "--json").json] == ["Shop"]
    steps = run("check", connected, "--json")
    assert steps.code == 0
    assert [step["state"] for step in steps.json] == ["ok"] * 9 + ["warning"]
    assert run("fields", connected).code == 1
    assert run("fields", connected, "--create").code == 0
    assert run("configure", connected, "orders.notes=yes", "contacts.default_tags=shop", "--json").json == {
        "contacts.default_tags": [[], ["shop"]],
        "orders.notes": [False, True],
    }
    summary = run("sync", connected, "--kind", "initial", "--wait", "--json").json
    figures = {"pulled", "pushed", "skipped", "failed", "waiting", "already", "calls"}
    assert set(summary) == {"run", "state", "kind", "seconds", *figures}
    assert (summary["state"], summary["pushed"] > 20) == ("COMPLETED", True)
    assert mautic.state.notes
    assert len(run("log", connected, "--limit", "3", "--json").json) == 3
    entries = run("log", connected, "--type", "order", "--limit", "10", "--json").json
    assert [entry["type"] for entry in entries] == ["order"] * 10
    assert set(entries[0]) == {"time", "type", "object_id", "action", "status", "contact_id", "message"}
    assert run("clear-log", connected, "--older-than", "3", "--yes", "--json").json == {"cleared": 0}
    assert run("clear-log", connected, "--yes", "--json").json["cleared"] > 20
    assert run("log", connected, "--json").json == []


def test_a_run_that_failed_is_resumed(run: Run, connected: str, store: StoreServer) -> None:
    store.shop.place_order(status="completed", billing={"email": "ada@example.com"})
    store.faults.command({"kind": "status", "value": 401, "path": "/wp-json/wc/v3/orders$"})
    failed = run("sync", connected, "--kind", "full", "--only", "orders", "--wait", "--json")
    assert (failed.code, failed.json["state"]) == (1, "FAILED")
    store.faults.clear()
    number = str(failed.json["run"])
    resumed = run("resume", number, "--wait", "--json").json
    assert (resumed["run"], resumed["state"], resumed["pushed"]) == (failed.json["run"], "COMPLETED", 1)
    again = run("resume", number)
    assert (again.code, "or it has ended well" in again.err) == (1, True)


def test_a_dry_run_sends_nothing(run: Run, connected: str, store: StoreServer, mautic: MauticServer) -> None:
    store.shop.place_order(status="completed", billing={"email": "ada@example.com"})
    before = len(mautic.state.contacts)
    summary = run("sync", connected, "--kind", "full", "--only", "orders", "--dry-run", "--wait", "--json").json
    assert (summary["state"], summary["pushed"], len(mautic.state.contacts)) == ("COMPLETED", 1, before)
    assert (summary["forecast"]["create"], summary["forecast"]["calls"], summary["forecast"]["seconds"]) == (1, 1, None)


def test_a_bulk_run_reads_what_its_options_name(run: Run, connected: str, store: StoreServer) -> None:
    made = [store.shop.place_order(status="completed", billing={"email": f"p{n}@example.com"}) for n in range(3)]
    bulk = ("sync", connected, "--kind", "bulk", "--only", "orders", "--wait", "--json")
    first = run(*bulk, "--ids", str(made[0]["id"]), "--payloads", "--page-size", "10").json
    assert (first["state"], first["pulled"], first["pushed"]) == ("COMPLETED", 1, 1)
    assert run(*bulk, "--statuses", "refunded", "--since", "2001-01-01T00:00:00Z").json["pulled"] == 0
    again = run(*bulk, "--ids", str(made[0]["id"]), "--resend", "--until", "2999-01-01").json
    assert (again["pulled"], again["pushed"]) == (1, 1)


def test_what_is_due_is_worked_off(run: Run, connected: str, store: StoreServer, mautic: MauticServer) -> None:
    store.shop.place_order(status="completed", billing={"email": "ada@example.com"})
    assert run("sync", connected, "--kind", "full").code == 0
    assert mautic.state.contact("ada@example.com") is None
    assert run("worker", "--until-idle").code == 0
    assert mautic.state.contact("ada@example.com") is not None


def test_webhooks_are_registered_looked_at_and_removed(run: Run, connected: str) -> None:
    assert run("webhooks", connected, "--status").code == 1
    assert {row["state"] for row in run("webhooks", connected, "--register", "--json").json} == {"active"}
    assert run("webhooks", connected, "--status").code == 0
    assert {row["state"] for row in run("webhooks", connected, "--remove", "--yes", "--json").json} == {"missing"}


def test_settings_leave_without_secrets(run: Run, connected: str, store: StoreServer, mautic: MauticServer) -> None:
    [exported] = run("export-settings").json
    assert exported["modules"]["orders"]["statuses"] == ["completed", "refunded"]
    text = run("export-settings", connected).out
    assert store.credentials.secret not in text
    assert mautic.credentials.client_secret not in text


def test_users_are_added_and_changed(run: Run) -> None:
    added = run("user", "add", "ada@example.com", "--role", "admin", "--password", "correct horse battery")
    assert added.code == 0
    again = run("user", "add", "Ada@example.com", "--password", "correct horse battery")
    assert (again.code, "There is a user" in again.err) == (1, True)
    assert run("user", "password", "ada@example.com", "--password", "another long one").code == 0
    assert "/sign-in/link/" in run("user", "link", "ada@example.com").out
    assert run("user", "link", "nobody@example.com").code == 1


def test_users_are_listed_shut_out_and_given_roles(quick: Run) -> None:
    for name, role in (("ada", "super"), ("bob", "admin")):
        quick("user", "add", f"{name}@example.com", "--role", role, "--password", "correct horse battery")
    for args in (("role", "ada@example.com", "admin"), ("disable", "ada@example.com")):
        refused = quick("user", *args)
        assert (refused.code, "last super admin" in refused.err) == (1, True)
    assert quick("user", "role", "bob@example.com", "super").code == 0
    assert quick("user", "disable", "ada@example.com").code == 0
    rows = [(row["email"], row["role"], row["state"]) for row in quick("user", "list", "--json").json]
    assert rows == [("ada@example.com", "super", "shut out"), ("bob@example.com", "super", "active")]
    assert "last administrator" in quick("user", "role", "bob@example.com", "viewer").err
    assert quick("user", "enable", "ada@example.com").code == 0
    assert "shut out" not in quick("user", "list").out
    assert quick("user", "role", "nobody@example.com", "viewer").code == 1


def test_secrets_come_from_files_the_environment_or_standard_input(
    quick: Run, run: Run, store: StoreServer, mautic: MauticServer, tmp_path: Path
) -> None:
    key, secret = tmp_path / "key", tmp_path / "secret"
    key.write_text(f"{store.credentials.key}\n")
    secret.write_text(store.credentials.secret)
    common = ["connect", "--name=X", f"--store-url={store.url}", f"--mautic-url={mautic.url}", "--mautic-user=admin"]
    files = [f"--store-key-file={key}", f"--store-secret-file={secret}"]
    password = {"WOO_MAUTIC_MAUTIC_PASSWORD": mautic.credentials.password}
    made = quick(*common, *files, **password)
    assert (made.code, made.out.strip(), made.err) == (0, "1", "")
    assert quick("check", "1").code == 0
    nobody = quick(*common, *files)
    assert (nobody.code, "Give --mautic-password-file, or set WOO_MAUTIC_MAUTIC_PASSWORD." in nobody.err) == (2, True)
    shown = quick(*common, f"--store-key={key}", *files[1:], **password)
    assert (shown.code, "--store-key is visible to other users" in shown.err) == (0, True)
    assert "--store-key TEXT" not in quick("connect", "--help").out


def test_a_wrong_key_is_told_step_by_step(run: Run, store: StoreServer, mautic: MauticServer) -> None:
    common = ["--name=X", f"--store-url={store.url}", "--store-key=ck_wrong", "--store-secret=cs_wrong"]
    made = run("connect", *common, f"--mautic-url={mautic.url}", "--mautic-user=admin", "--mautic-password=wrong")
    checked = run("check", made.out.strip())
    assert checked.code == 1
    assert "store  4 failed" in checked.out
    assert "mautic 4 failed" in checked.out


@pytest.mark.parametrize(
    ("args", "code", "said"),
    [
        (["configure", "1", "orders.nonsense=1"], 1, "There is no setting “orders.nonsense”."),
        (["configure", "1", "orders.notes=perhaps"], 1, "“orders.notes” must be yes or no"),
        (["configure", "1", "orders.notes"], 2, "is not of the form key=value"),
        (["configure", "1", "orders.notes=x", "sync.lanes=9"], 1, "“sync.lanes” must be between 1 and 8"),
        (["check", "99"], 1, "There is no connector 99."),
        (["check", "many"], 2, "is not a valid integer"),
        (["sync", "1"], 2, "--kind"),
        (["sync", "1", "--kind", "full", "--only", "carts"], 2, "--only takes contacts and orders"),
        (["sync", "1", "--kind", "full", "--since", "gestern"], 2, "is no time"),
        (["sync", "1", "--kind", "full", "--since", "0001-01-01"], 2, "--since: The year 1 cannot be meant"),
        (["sync", "1", "--kind", "full", "--until", "9999-12-31"], 2, "--until: The year 9999 cannot be meant"),
        (["sync", "1", "--kind", "bulk", "--ids", "7"], 2, "--ids: Choose contacts or orders alone"),
        (["sync", "1", "--kind", "full", "--page-size", "5"], 2, "--page-size: Write a number from 10 to 100."),
        (["sync", "1", "--kind", "incremental", "--until", "2026-11-20"], 2, "--until: An incremental run reads all"),
        (["sync", "1", "--kind", "full", "--only", "orders", "--ids", ""], 2, "--ids is empty; leave it out for all."),
        (["sync", "1", "--kind", "full", "--ids", ",,", "--only", "orders"], 2, "--ids is empty"),
        (["sync", "1", "--kind", "full", "--statuses", ","], 2, "--statuses is empty"),
        (["sync", "1", "--kind", "full", "--only", " "], 2, "--only is empty"),
        (["sync", "1", "--kind", "full", "--since", ""], 2, "--since is empty"),
        (["log", "1", "--status", "zzz"], 2, "'success', 'skipped', 'error'"),
        (["log", "1", "--action", "odd"], 2, "create_or_update"),
        (["log", "1", "--type", ""], 2, "'contact'"),
        (["log", "1", "--object", ""], 2, "--object is empty"),
        (["log", "1", "--limit", "0"], 2, "1<=x<=100"),
        (["webhooks", "1"], 2, "--register"),
        (["clear-log", "1", "--older-than", "0"], 2, "--older-than"),
        (["clear-log", "1"], 2, "Remove 0 entries of the sync log of “Shop” for good? Give --yes"),
        (["clear-log", "1", "--older-than", "9"], 2, "Remove 0 entries older than 9 days of the sync log"),
        (["webhooks", "1", "--remove"], 2, "Remove the webhooks of “Shop” from the store? Give --yes"),
        (["nonsense"], 2, "No such command"),
        (["connect", "--name=X"], 2, "Missing option"),
        (["user", "add", "ada@example.com"], 2, "Give --password-file, or set WOO_MAUTIC_PASSWORD."),
        (["user", "add", "ada@example.com", "--password-file", "/nowhere"], 2, "does not exist"),
    ],
)
def test_wrong_use_is_said_in_a_sentence(quick: Run, connected: str, args: list[str], code: int, said: str) -> None:
    result = quick(*args)
    assert (result.code, said in result.err) == (code, True), result.err


def test_an_address_that_is_none_names_the_field(run: Run) -> None:
    result = run(
        "connect",
        "--name=X",
        "--store-url=http://",
        "--store-key=a",
        "--store-secret=b",
        "--mautic-url=https://m.test",
        "--mautic-user=u",
        "--mautic-password=p",
    )
    assert (result.code, "is not a web address" in result.err) == (1, True)


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("PORT", "eighty"),
        ("PORT", "99999"),
        ("ENGINE", "steam"),
        ("ENGINE", "procrastinate"),
        ("DATABASE_URL", "mysql://x"),
        ("SECRET_KEY", "short"),
        ("PUBLIC_URL", "shop"),
        ("TIMEZONE", "Mars/Olympus"),
        ("LOG_LEVEL", "loud"),
        ("THREADS", "0"),
        ("WORKER_LANES", "0"),
        ("DATABASE_CONNECTIONS", "few"),
        ("INSTANCE_PATH", "/proc/nowhere"),
    ],
)
def test_a_wrong_setting_is_named_at_start(run: Run, setting: str, value: str) -> None:
    result = run("connectors", **{setting: value})
    assert (result.code, setting in result.err) == (1, True), result.err


def test_files_are_their_owners_alone(run: Run, environ: dict[str, str]) -> None:
    folder = Path(environ["INSTANCE_PATH"])
    folder.mkdir(mode=0o755)
    assert run("connectors").code == 0
    (folder / "woo-mautic.sqlite").chmod(0o644)
    assert run("connectors").code == 0
    modes = {path: path.stat().st_mode & 0o077 for path in (folder, *folder.rglob("*"))}
    assert {path.name for path, mode in modes.items() if mode} == set()
    assert {"woo-mautic.sqlite", "secret.key"} <= {path.name for path in modes}


def test_an_own_authority_comes_from_a_file_and_a_key_does_not(
    quick: Run, store: StoreServer, mautic: MauticServer, tmp_path: Path
) -> None:
    authority = Authority("Shop CA")
    certificate, key = authority.issued("shop.example")
    given = ("connect", "--name=Shop", f"--store-url={store.url}", "--store-key=ck_x", "--store-secret=cs_x")
    given += (f"--mautic-url={mautic.url}", "--mautic-user=ada", "--mautic-password=secret")
    (tmp_path / "ca.pem").write_text(authority.pem, encoding="ascii")
    (tmp_path / "key.pem").write_text(certificate + key, encoding="ascii")
    refused = quick(*given, f"--store-ca-file={tmp_path / 'key.pem'}")
    assert (refused.code, "This holds a private key" in refused.err) == (1, True)
    assert key.splitlines()[1] not in refused.out + refused.err
    assert quick(*given, f"--store-ca-file={tmp_path / 'ca.pem'}").code == 0
    [exported] = quick("export-settings").json
    assert (exported["store_ca"], exported["mautic_ca"]) == (authority.pem.strip(), "")
