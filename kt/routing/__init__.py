"""Which target is asked, when again, and when no more: decisions without I/O.

Clocks and chance are passed in; `kt.runtime.router` acts on what is decided here.
"""
