"""What it costs: each module prints candidate, floor and ratio from one run."""
