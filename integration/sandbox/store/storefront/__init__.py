"""The shopper's side of the stand-in store: sessions, carts, checkout, and the pages they are seen on."""
