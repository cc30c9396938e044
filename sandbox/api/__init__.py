"""The API of the platform."""
