"""Plan to answers: everything that happens while requests are served."""
