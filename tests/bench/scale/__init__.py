"""`make bench-scale`: several workers on PostgreSQL, measured by what the stand-ins and the tables hold."""
