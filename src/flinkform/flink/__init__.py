"""The one door to Apache Flink: JVM, planner, jobs, savepoints; nothing else names a Flink URL or option."""
