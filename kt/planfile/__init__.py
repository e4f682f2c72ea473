"""Plan files: what `kt config compile -o` writes and `kt gateway run --plan` reads."""

from kt.planfile.document import MAX_BYTES, read_plan, write_plan

__all__ = ["MAX_BYTES", "read_plan", "write_plan"]
