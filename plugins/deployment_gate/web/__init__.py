"""What checks of the web interface are made of: a browser's visits, and what they show."""
