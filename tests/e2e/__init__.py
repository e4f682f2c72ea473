"""Real sockets, real clock, the real openai SDK."""
