"""Infrastructure as code for Apache Flink platforms."""
