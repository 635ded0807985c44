"""woo-mautic: keeps a WooCommerce store and a Mautic instance in step."""
