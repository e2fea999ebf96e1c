"""The parts of the benchmark: starting servers, loading them, measuring their processes, reporting."""
