"""The subscribe form in a page of the shop, drawn by the script and in a frame, in a real browser."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from playwright.sync_api import expect
from sqlalchemy import select

from integration.models import Connector, Subscription
from integration.pipeline.connectors import connectors
from integration.settings import SubscribeModule
from integration.subscriptions import script
from tests.browser.conftest import Site

WORDS = {"subscribe.email_label": "E-Mail", "subscribe.button": "Anmelden", "subscribe.email_wrong": "Bitte prüfen."}


@contextmanager
def shop_with(html: str) -> Iterator[int]:
    """A shop of one page; yields its port."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(b"<!doctype html><html lang=de><meta charset=utf-8><title>Shop</title>" + html.encode())

        def log_message(self, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield server.server_port
    server.shutdown()


def kept(site: Site) -> list[tuple[str, str, str]]:
    with site.services.db.read() as session:
        rows = session.scalars(select(Subscription).order_by(Subscription.id))
        return [(row.email, row.source, row.consent_text) for row in rows]


def test_a_visitor_subscribes_in_the_shop_and_a_foreign_page_cannot(site: Site) -> None:
    number = site.connect()
    with site.services.db.read() as session:
        url = f"{site.url}/subscribe/{session.get_one(Connector, number).cart_key}"
    wording = "Ja, Neues per E-Mail (https://shop.example/datenschutz)."
    settings = {"subscribe.enabled": True, "subscribe.names": True, "subscribe.consent_text": wording, **WORDS}
    connectors.configure(site.services, number, settings)
    module = SubscribeModule(button="Anmelden")
    with shop_with(f"{script.script_lines(module, url)}<hr>{script.frame_line(module, url)}") as port:
        connectors.connect(site.services, number, store_url=f"http://127.0.0.1:{port}")
        page = site.browser.new_context().new_page()
        page.goto(f"http://127.0.0.1:{port}/blog?from=mail")
        form = page.locator("form.woo-mautic-subscribe")
        expect(form.get_by_role("link")).to_have_attribute("href", "https://shop.example/datenschutz")
        form.get_by_label("E-Mail", exact=True).fill("anna@")
        form.get_by_role("button", name="Anmelden").click()
        expect(form).to_contain_text("Bitte prüfen.")
        assert kept(site) == []
        form.get_by_label("E-Mail", exact=True).fill("anna@shop.example")
        form.get_by_role("checkbox").check()
        form.get_by_label("E-Mail", exact=True).press("Enter")
        expect(page.locator("[data-woo-mautic-subscribe]")).to_have_text("Thank you. You are subscribed.")

        frame = page.frame_locator("iframe")
        frame.get_by_label("E-Mail", exact=True).fill("bert@shop.example")
        frame.get_by_role("checkbox").check()
        frame.get_by_role("button", name="Anmelden").click()
        expect(frame.get_by_role("status")).to_have_text("Thank you. You are subscribed.")
        assert page.context.cookies() == []

        page.goto(f"http://localhost:{port}/")
        form.get_by_label("E-Mail", exact=True).fill("carl@shop.example")
        form.get_by_role("checkbox").check()
        form.get_by_role("button", name="Anmelden").click()
        expect(form).to_contain_text("This did not work. Try again later.")
        assert [frame.url for frame in page.frames[1:]] == ["chrome-error://chromewebdata/"]
    assert kept(site) == [("anna@shop.example", "script", wording), ("bert@shop.example", "page", wording)]
