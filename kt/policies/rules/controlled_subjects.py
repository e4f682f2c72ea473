r"""The patterns of the filters about trade controls: what a controlled text is likely to say.

A category is one list of the authorities, as far as phrases can tell it. They find texts that name
what is controlled; who describes the same thing in other words is not found.
"""

from collections.abc import Mapping
from types import MappingProxyType

from kt.policies.rules.signal import Signal, signal

MARKINGS: tuple[Signal, ...] = (
    signal(
        "marking",
        r"""\b(?:(?:itar|ear|export)[ -](?:controlled|restricted)
        |subject to (?:the )?(?:itar|ear|international traffic in arms regulations
        |export administration regulations)
        |export[ -]controlled (?:information|technical data|technology))\b""",
    ),
    Signal("eccn", r"\b(?i:eccn)[ :#]{0,3}[0-9][A-Ea-e][0-9]{3}(?:\.[a-z0-9.]{1,8})?\b"),
)
"""A text that says itself that it is controlled; looked for with every category."""

USML: tuple[Signal, ...] = (
    signal("usml.list", r"\b(?:usml|u\.s\. munitions list|munitions list) (?:category|cat\.)"),
    signal("usml.data", r"\b(?:defen[cs]e articles?|technical data packages?)\b"),
    signal(
        "usml.weapons",
        r"""\b(?:(?:guided|cruise|ballistic|anti-?tank|anti-?ship) missiles?|torpedo(?:es)?
        |naval mines?|howitzers?|mortar (?:rounds?|shells?)|armou?r[ -]piercing (?:rounds?
        |ammunition|projectiles?)|shaped charges?|fragmentation warheads?|warhead design)\b""",
    ),
    signal(
        "usml.aircraft",
        r"""\b(?:stealth coatings?|radar[ -]absorb(?:ing|ent) (?:materials?|coatings?)
        |low[ -]observable (?:technology|coatings?|design)|electronic (?:warfare|countermeasures)
        |targeting pods?|fire[ -]control (?:systems?|radars?))\b""",
    ),
    signal(
        "usml.sensors",
        r"""\b(?:image[ -]intensifier tubes?|military night[ -]vision|focal plane arrays?
        |synthetic aperture radar|sonobuoys?)\b""",
    ),
)

CCL: tuple[Signal, ...] = (
    signal("ccl.list", r"\b(?:commerce control list|export control classification numbers?)\b"),
    signal(
        "ccl.goods",
        r"""\b(?:maraging steel|five[ -]axis (?:milling|machining)|radiation[ -]hardened
        (?:chips?|circuits?|integrated circuits?|processors?)|quantum cryptanalysis
        |hollow[ -]cathode thrusters?|carbon fib(?:er|re) filament winding)\b""",
    ),
)

NUCLEAR: tuple[Signal, ...] = (
    signal(
        "nuclear",
        r"""\b(?:uranium enrichment|enriched uranium|weapons?[ -]grade (?:uranium|plutonium)
        |gas(?:eous)? centrifuges?|centrifuge cascades?|plutonium (?:reprocessing|separation|pits?)
        |heavy water production|neutron initiators?|implosion lens(?:es)?)\b""",
    ),
)

MISSILE_TECHNOLOGY: tuple[Signal, ...] = (
    signal(
        "missile",
        r"""\b(?:re-?entry vehicles?|solid rocket motor design|inertial guidance systems?
        |missile (?:guidance|propulsion|airframes?|technology)|ammonium perchlorate propellants?
        |thrust[ -]vector control)\b""",
    ),
)

CHEMICAL: tuple[Signal, ...] = (
    signal(
        "chemical",
        r"""\b(?:precursor chemicals?|nerve agents?|chemical weapons? precursors?
        |organophosph(?:ate|orus) synthesis|mustard (?:gas|agent))\b""",
    ),
)

CATEGORIES: Mapping[str, tuple[Signal, ...]] = MappingProxyType(
    {
        "usml": USML,
        "ccl": CCL,
        "nuclear": NUCLEAR,
        "missile_technology": MISSILE_TECHNOLOGY,
        "chemical": CHEMICAL,
    }
)
"""The lists by the names that configurations use."""

DUAL_USE: tuple[Signal, ...] = (*CCL, *NUCLEAR, *MISSILE_TECHNOLOGY, *CHEMICAL)
"""Goods and methods with a civil and a military use."""


def category(name: str) -> tuple[Signal, ...] | None:
    """The patterns of a list, None for one that nobody knows."""
    return CATEGORIES.get(name.strip().lower().replace("-", "_").replace(" ", "_"))
