"""The embedded control plane: the public OpenAPI, answered here and carried out on Apache Flink."""
