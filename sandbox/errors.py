"""What can go wrong with the sandbox itself, said in a sentence."""


class SandboxError(Exception):
    """The sandbox can't do what was asked; the message says why and what would be right."""
