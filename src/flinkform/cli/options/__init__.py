"""What each command takes, apart from what it does: help and a wrong word need nothing that does work."""
