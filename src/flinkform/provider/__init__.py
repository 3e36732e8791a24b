"""The Terraform provider: plugin protocol 6 on the standard library alone."""
