"""What an attacker sees first, looked at without hurting anything."""
