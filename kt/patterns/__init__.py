"""Linear-time matching: our rule dialect, its views, and how far a text is decided."""
