"""Checks of a candidate that a pattern cannot make: checksums and number ranges.

In: the bytes of the candidate in the rule's view. Out: whether it is one. Never: raises.
"""

import ipaddress
import re
from collections.abc import Callable, Mapping
from types import MappingProxyType

_SEPARATOR = re.compile("[ .\\-\u2010-\u2015\u2212]")
"""What may stand between groups: models write typographic hyphens and dashes, too."""
_CARD_DIGITS = range(13, 20)
_CARD_RANGES = (
    (4, 4),  # Visa
    (51, 55),  # Mastercard
    (2221, 2720),  # Mastercard
    (34, 34),  # American Express
    (37, 37),  # American Express
    (6011, 6011),  # Discover
    (644, 649),  # Discover
    (65, 65),  # Discover
    (300, 305),  # Diners Club
    (3095, 3095),  # Diners Club
    (36, 36),  # Diners Club
    (38, 39),  # Diners Club
    (3528, 3589),  # JCB
)
_CARD_PREFIXES = frozenset(
    str(prefix) for low, high in _CARD_RANGES for prefix in range(low, high + 1)
)


def luhn(candidate: bytes) -> bool:
    """A payment card number: 13 to 19 digits, a known issuer's prefix, and the right checksum."""
    from stdnum import luhn as checksum  # NOT: at the top. It brings what checking never needs.

    digits = _digits(candidate)
    return (
        len(digits) in _CARD_DIGITS
        and not _CARD_PREFIXES.isdisjoint((digits[:1], digits[:2], digits[:3], digits[:4]))
        and len(set(digits)) > 1
        and bool(checksum.is_valid(digits))
    )


def iban(candidate: bytes) -> bool:
    """An international bank account number of a known country, with the right checksum."""
    from stdnum import iban as number  # NOT: at the top, for the same reason.

    return bool(number.is_valid(candidate.decode(errors="replace")))


def ssn(candidate: bytes) -> bool:
    """A US social security number that can have been issued."""
    digits = _digits(candidate)
    if len(digits) != 9:
        return False
    area, group, serial = digits[:3], digits[3:5], digits[5:]
    return area not in ("000", "666") and area < "900" and group != "00" and serial != "0000"


def ip(candidate: bytes) -> bool:
    """An IPv4 or IPv6 address."""
    try:
        ipaddress.ip_address(candidate.decode(errors="replace"))
    except ValueError:
        return False
    return True


def _digits(candidate: bytes) -> str:
    """The candidate without separators; nothing if something else than digits remains."""
    left = _SEPARATOR.sub("", candidate.decode(errors="replace"))
    return left if left.isascii() and left.isdigit() else ""


VALIDATORS: Mapping[str, Callable[[bytes], bool]] = MappingProxyType(
    {"luhn": luhn, "iban": iban, "ssn": ssn, "ip": ip}
)
"""Name in a rule -> check."""
