"""Measurements, one JSON object a line; never part of the tests."""
