"""The root of the errors that a user of the gate can cause and mend."""


class GateError(Exception):
    """Something the user can mend; its message says what, where and what to do next."""
