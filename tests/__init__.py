"""One file per module at the same path; laws in `laws/`, real sockets in `e2e/`."""
