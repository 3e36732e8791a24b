"""The vocabulary: what a type, an attribute and a change are. It means the same for every type."""
