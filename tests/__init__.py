"""The tests of kt: one file per module at the same path, laws in `laws/`, real sockets in `e2e/`."""
