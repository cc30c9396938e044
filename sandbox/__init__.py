"""A small Open Policy Platform that runs on this machine and breaks on demand."""
