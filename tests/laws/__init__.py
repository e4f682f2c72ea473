"""Property tests, named by the law that they check."""
