"""The app for some minutes among everything that goes wrong, and an independent count of what came of it."""
