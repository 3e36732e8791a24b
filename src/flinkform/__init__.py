"""Infrastructure as code for Apache Flink platforms."""

__version__ = "0.1.0"
