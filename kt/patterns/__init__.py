"""Linear-time matching: our rule dialect, its views, and the frontier up to which text is decided."""
