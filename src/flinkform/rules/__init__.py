"""What job files have to keep beside what Flink asks: rules that are data, and the reports that say what broke them."""
