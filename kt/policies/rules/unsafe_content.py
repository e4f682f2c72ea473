r"""The patterns of safety-filter: what a text that is about to do harm is likely to contain.

A mode is what a kind of organization wants to keep out, a category is one subject. All ignore case
and keep to one sentence. They separate content, not intent: a question about a danger and a plan to
cause it may use the same words.
"""

from collections.abc import Mapping
from types import MappingProxyType

from kt.policies.rules.signal import Signal, signal

_NEAR = r"[^.!?;\n]{0,40}"
_TURN_OFF = (
    r"\b(?:disabl(?:e|ing)|bypass(?:ing)?|overrid(?:e|ing)|defeat(?:ing)?|deactivat(?:e|ing)"
    r"|switch(?:ing)? off|turn(?:ing)? off|shut(?:ting)? off|cut(?:ting)? (?:out|off)"
    r"|jumper(?:ing)?"
    r"|disconnect(?:ing)?|tamper(?:ing)? with|circumvent(?:ing)?|remov(?:e|ing))\b"
)
_MAKE = (
    r"\b(?:mak(?:e|ing)|build(?:ing)?|construct(?:ing)?|assembl(?:e|ing)|synthesi[sz](?:e|ing)"
    r"|cook(?:ing)?|manufactur(?:e|ing)|produc(?:e|ing)|print(?:ing)?|recipe for"
    r"|instructions for)\b"
)

CRITICAL_INFRASTRUCTURE: tuple[Signal, ...] = (
    signal(
        "infrastructure.protection_off",
        rf"""{_TURN_OFF}{_NEAR}\b(?:safety interlocks?|interlocks?|emergency (?:shut-?downs?|stops?)
        |safety instrumented systems?|safety systems?|fire suppression|gas detect(?:ors?|ion)
        |pressure relief(?: valves?)?|relief valves?|overpressure protection|trip (?:systems?
        |relays?)
        |protective relays?|reactor protection|cooling (?:systems?|pumps?))\b""",
    ),
    signal(
        "infrastructure.sabotage",
        r"""\b(?:sabotag(?:e|ing)|blow(?:ing)? up|destroy(?:ing)?|attack(?:ing)?|take down
        |crippl(?:e|ing)
        |hack(?:ing)?(?: into)?)\b[^.!?;\n]{0,30}\b(?:power (?:plants?|grids?|stations?|lines?)
        |electric(?:al)? grids?|substations?|transformers?|pipelines?|dams?|refiner(?:y|ies)
        |reactors?
        |water (?:plants?|suppl(?:y|ies)|treatment)|control rooms?|scada|plcs?
        |industrial control systems?)\b""",
    ),
    signal(
        "infrastructure.water",
        r"""\b(?:poison(?:ing)?|contaminat(?:e|ing)|spik(?:e|ing))\b[^.!?;\n]{0,30}
        \b(?:water suppl(?:y|ies)|drinking water|reservoirs?|waterworks|wells)\b""",
    ),
    signal(
        "infrastructure.blackout",
        r"\b(?:caus(?:e|ing)|trigger(?:ing)?|creat(?:e|ing))\b[^.!?;\n]{0,30}"
        r"\b(?:black-?outs?|cascading failures?|melt-?downs?|grid collapse)\b",
    ),
)

AUTOMOTIVE: tuple[Signal, ...] = (
    signal(
        "automotive.protection_off",
        rf"""{_TURN_OFF}{_NEAR}\b(?:brakes?|brake assist|air-?bags?|anti-?lock braking
        |stability control
        |seat-?belt (?:alarms?|warnings?|reminders?)|driver (?:monitoring|attention)
        |lane (?:keeping|assist)
        |collision (?:avoidance|warning)|emergency braking|speed limiters?|immobili[sz]ers?)\b""",
    ),
    signal(
        "automotive.odometer",
        r"\b(?:roll(?:ing)? back|tamper(?:ing)? with|chang(?:e|ing)|reset(?:ting)?|forg(?:e|ing))\b"
        r"[^.!?;\n]{0,20}\b(?:odometers?|mileage)\b",
    ),
    signal(
        "automotive.emissions",
        r"\b(?:defeat devices?|delete (?:the )?(?:dpf|egr|catalytic converter)"
        r"|emissions? cheat(?:ing)?)\b",
    ),
    signal(
        "automotive.takeover",
        r"""\b(?:inject(?:ing)?|spoof(?:ing)?|hijack(?:ing)?
        |hack(?:ing)?(?: into)?)\b[^.!?;\n]{0,30}
        \b(?:can[ -]?bus|key fobs?|steering|autopilot|vehicle controls?)\b""",
    ),
)

LAW_ENFORCEMENT: tuple[Signal, ...] = (
    signal(
        "law.evidence",
        r"""\b(?:destroy(?:ing)?|tamper(?:ing)? with|plant(?:ing)?|fabricat(?:e|ing)|hid(?:e|ing)
        |get rid of)\b[^.!?;\n]{0,20}\b(?:evidence|murder weapon|crime scene)\b""",
    ),
    signal(
        "law.evasion",
        r"""\b(?:evad(?:e|ing)|escap(?:e|ing)|outrun(?:ning)?|avoid(?:ing)?|dodg(?:e|ing))\b
        [^.!?;\n]{0,20}\b(?:the police|arrest|a warrant|police checkpoints?|custody
        |ankle monitors?)\b""",
    ),
    signal(
        "law.witness",
        r"""\b(?:intimidat(?:e|ing)|threaten(?:ing)?|silenc(?:e|ing)|brib(?:e|ing))\b[^.!?;\n]{0,20}
        \b(?:witness(?:es)?|jurors?|judges?|informants?|officers?)\b""",
    ),
    signal(
        "law.exposure",
        r"""\b(?:identity|home address|where\b[^.!?;\n]{0,10}\blives?)\b[^.!?;\n]{0,30}
        \b(?:undercover (?:officers?|agents?)|informants?|protected witness(?:es)?)\b""",
    ),
)

WEAPONS: tuple[Signal, ...] = (
    signal(
        "weapons.explosives",
        rf"""{_MAKE}{_NEAR}\b(?:pipe bombs?|nail bombs?|car bombs?|bombs?|explosives?|detonators?
        |molotov cocktails?|ieds?|grenades?)\b""",
    ),
    signal(
        "weapons.firearms",
        rf"""{_MAKE}{_NEAR}\b(?:ghost guns?|untraceable (?:guns?|firearms?|weapons?)|silencers?
        |suppressors?|auto sears?)\b""",
    ),
    signal(
        "weapons.mass",
        rf"""{_MAKE}{_NEAR}\b(?:nerve agents?|sarin|mustard gas|ricin|anthrax|dirty bombs?
        |chemical weapons?|biological weapons?|bio-?weapons?)\b""",
    ),
)

DRUGS: tuple[Signal, ...] = (
    signal(
        "drugs.making",
        rf"{_MAKE}{_NEAR}\b(?:meth|methamphetamine|crystal meth|crack cocaine|heroin|fentanyl"
        rf"|mdma|lsd)\b",
    ),
    signal(
        "drugs.dealing",
        r"\b(?:buy(?:ing)?|sell(?:ing)?|order(?:ing)?|deal(?:ing)?|smuggl(?:e"
        r"|ing))\b[^.!?;\n]{0,30}"
        r"\b(?:cocaine|heroin|meth|fentanyl|mdma|ecstasy|illegal drugs)\b",
    ),
)

SELF_HARM: tuple[Signal, ...] = (
    signal(
        "self_harm.wish",
        r"""\b(?:kill(?:ing)? (?:myself|yourself)|hurt(?:ing)? myself|harm(?:ing)? myself
        |cut(?:ting)? myself
        |end(?:ing)? (?:my|your) (?:own )?life|want to die|commit(?:ting)? suicide)\b""",
    ),
    signal(
        "self_harm.method",
        r"\b(?:painless|easiest|quickest|best|least painful)\b[^.!?;\n]{0,20}"
        r"\b(?:way to die|suicide(?: methods?)?|way to kill (?:myself|yourself))\b",
    ),
)

VIOLENCE: tuple[Signal, ...] = (
    signal(
        "violence.plan",
        r"""\b(?:how (?:to|do i|can i|would i)|help me|plan(?:ning)? to|(?:i am|i'm) going to
        |i want to)\b
        [^.!?;\n]{0,20}\b(?:kill|murder|stab|shoot|strangle|poison|torture|kidnap|assassinate)\b
        [^.!?;\n]{0,20}\b(?:him|her|them|someone|somebody|people|my \w{1,20}|a person)\b""",
    ),
    signal(
        "violence.mass",
        r"\b(?:mass shooting|school shooting|bomb threat|massacre)\b[^.!?;\n]{0,30}"
        r"\b(?:plan|planning|carry out|how to|instructions)\b",
    ),
)

SEXUAL: tuple[Signal, ...] = (
    signal(
        "sexual.explicit",
        r"\b(?:porn(?:ography|ographic)?|hardcore sex|explicit sex(?:ual)? (?:scenes?|story"
        r"|stories)"
        r"|erotic(?:a| roleplay| stor(?:y|ies))|nude (?:photos?|pictures?|selfies?)|sexting)\b",
    ),
    signal(
        "sexual.minors",
        r"""\b(?:sexual|sexy|nude|naked|erotic)\b[^.!?;\n]{0,30}
        \b(?:child(?:ren)?|minors?|under-?age|teen(?:ager)?s?|(?:little|young) (?:girls?
        |boys?))\b""",
    ),
)

HATE: tuple[Signal, ...] = (
    signal(
        "hate.group",
        r"""\b(?:all|those|these) \w{1,20} (?:people )?(?:are|should be) (?:\w{1,12} )?
        (?:vermin|subhumans?|animals|parasites|cockroaches|filth|exterminated|deported
        |wiped out|gassed)\b
        """,
    ),
    signal(
        "hate.supremacy",
        r"\b(?:white power|racial purity|master race|ethnic cleansing is|race war now"
        r"|gas the \w{1,20})\b",
    ),
)

HARASSMENT: tuple[Signal, ...] = (
    signal(
        "harassment.person",
        r"""\b(?:bully(?:ing)?|harass(?:ing)?|stalk(?:ing)?|blackmail(?:ing)?|dox(?:x)?(?:ing)?
        |humiliat(?:e|ing))
        \b[^.!?;\n]{0,20}\b(?:him|her|them|my \w{1,20}|a classmate|classmates?|someone)\b""",
    ),
)

CHEATING: tuple[Signal, ...] = (
    signal(
        "education.exams",
        r"""\b(?:steal(?:ing)?|leak(?:ing)?|get(?:ting)? hold of|buy(?:ing)?|share
        |sharing)\b[^.!?;\n]{0,20}
        \b(?:answer keys?|exam (?:papers?|questions|answers)|test answers)\b""",
    ),
    signal(
        "education.cheating",
        r"\b(?:cheat(?:ing)? (?:on|in|at)|hid(?:e|ing) (?:notes|a phone) (?:in"
        r"|during))\b[^.!?;\n]{0,20}"
        r"\b(?:exams?|tests?|quiz(?:zes)?|finals?)\b",
    ),
)

CATEGORIES: Mapping[str, tuple[Signal, ...]] = MappingProxyType(
    {
        "drugs": DRUGS,
        "harassment": HARASSMENT,
        "hate": HATE,
        "self_harm": SELF_HARM,
        "sexual": SEXUAL,
        "violence": VIOLENCE,
        "weapons": WEAPONS,
    }
)
"""Subject -> what is looked for."""

SYNONYMS: Mapping[str, str] = MappingProxyType(
    {
        "adult": "sexual",
        "bullying": "harassment",
        "hate_speech": "hate",
        "illegal_drugs": "drugs",
        "nsfw": "sexual",
        "selfharm": "self_harm",
        "sexual_content": "sexual",
        "suicide": "self_harm",
        "violent_content": "violence",
    }
)
"""Other words for a category."""

EDUCATION = (*CHEATING, *SELF_HARM, *SEXUAL, *DRUGS, *WEAPONS, *HARASSMENT)

EVERYTHING = (
    *CRITICAL_INFRASTRUCTURE,
    *AUTOMOTIVE,
    *LAW_ENFORCEMENT,
    *CHEATING,
    *(one for category in CATEGORIES.values() for one in category),
)


def category(name: str) -> tuple[Signal, ...] | None:
    """What is looked for under a name, None where the name is not known."""
    word = name.strip().lower().replace("-", "_").replace(" ", "_")
    return CATEGORIES.get(SYNONYMS.get(word, word))
