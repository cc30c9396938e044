"""Readers of a verdict and its evidence: each writes one kind of report."""
