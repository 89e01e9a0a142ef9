"""A sample company on loopback: what `make demo` scans. It stands on the simulators that the tests use."""
