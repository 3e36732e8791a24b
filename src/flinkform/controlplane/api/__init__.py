"""What the control plane answers over HTTP: the OpenAPI, Terraform states, and a few plain pages."""
