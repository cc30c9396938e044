"""`report.html` as people read it: one file, which needs neither a script nor a network."""
