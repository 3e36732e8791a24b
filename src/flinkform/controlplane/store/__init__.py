"""What the control plane remembers, and the only SQL against its own database."""
