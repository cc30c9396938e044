"""The web interface of the platform."""
