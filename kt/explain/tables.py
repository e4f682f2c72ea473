"""Text tables: a title, and rows under columns as wide as their widest cell."""

from collections.abc import Iterable, Iterator


def section(title: str, rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    """The lines of a table; without rows the title says so."""
    table = list(rows)
    yield title if table else f"{title}: nothing"
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for row in table:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield f"  {'  '.join(cells)}".rstrip()
