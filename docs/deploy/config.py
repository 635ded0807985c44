"""The settings of this installation (README, "Settings"), as /var/lib/woo-mautic/config.py: root, woo-mautic, 0640."""

PUBLIC_URL = "https://app.example"
PROXIES = 1

# One machine, SQLite: leave these three out. The pages and the work are one process then (woo-mautic.service).

# PostgreSQL, pages and workers apart (woo-mautic.service and any number of woo-mautic-worker@N.service):
# DATABASE_URL = "postgresql://woo-mautic@/woo-mautic?host=/run/postgresql"
# ENGINE = "procrastinate"

# E-mail for alerts:
# SMTP_HOST = "mail.example"
# MAIL_FROM = "Shop <alerts@shop.example>"
