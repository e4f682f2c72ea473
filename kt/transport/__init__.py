"""Requests to providers over connections of our own: HTTP/1.1 by llhttp, HTTP/2 by h2, over trio.

In: an origin, limits, and a function that opens streams. Out: an answer's head and its body piece
by piece. Never: a deadline (the caller's cancel scopes are the clock), a configuration, a policy.

Theory of operation. A `Client` knows one origin. For a request it takes a place in the `Pool`: an
open connection with room, or leave to open one, or a turn in the queue; so the places taken are
the connections, at any moment, whoever is cancelled where. The pool decides and never waits: its
waiters wait on events, and closing is a plain call. The connection then carries one exchange;
HTTP/1.1 has room for one at a time, HTTP/2 for many. What is given back in the middle of an
exchange is closed (HTTP/1.1) or reset (HTTP/2), so a connection in doubt is never used again.

`answer_parser` and `goaway` do no I/O; `streams` is the only module that opens anything.
"""
