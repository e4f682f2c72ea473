"""The filter language: conditions on a request or on an event, read, printed, run and judged."""
