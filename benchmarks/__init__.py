"""How fast softdice is beside other evaluators, on the same files in one run: ``python -m benchmarks``."""
