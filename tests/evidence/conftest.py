"""What the tests of evidence share."""

from hypothesis import settings

# How long an example takes says nothing on a machine that others share.
settings.register_profile("shared machine", deadline=None)
settings.load_profile("shared machine")
