"""Leads every deployment to the state that was asked for: look, decide, write the step down, then act."""
