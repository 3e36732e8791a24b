"""Constructs for Flink platforms."""
