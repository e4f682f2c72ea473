"""Wire formats, without I/O: JSON bodies edited in place, the chat format, server-sent events."""
