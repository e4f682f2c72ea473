r"""The patterns of personal data, by entity.

A candidate with a checksum names its validator, so that its pattern may be generous. Where only the
words around it tell what a number is, those words are part of the match, and so of what a redaction
replaces: the dialect has no look-around.

`\b` knows ASCII words only. It stands where a neighboring letter or digit means another thing (a
longer number), and not around e-mail addresses, which a letter of any script may follow.
"""

from collections.abc import Mapping
from types import MappingProxyType

import attrs

_DASH = r"\-\u2010-\u2015\u2212"
"""Every dash that people and models type for a hyphen; compatibility forms are folded before."""
_GAP = rf"[ {_DASH}]"
_LETTER = r"A-Za-z\u00c0-\u024f\u0370-\u03ff\u0400-\u04ff"
_IS = r"(?: is)?[ .:#=]{0,4}"
"""What may stand between a word and its number."""
_HEX = "[0-9A-Fa-f]"


@attrs.frozen
class Entity:
    """A kind of personal data: its patterns, each with the validator of its candidates or None."""

    name: str
    patterns: tuple[tuple[str, str | None], ...]
    severity: int = 0
    """Breaks ties between labels where two entities claim one span."""


EMAIL = Entity(
    "EMAIL",
    ((rf"[{_LETTER}0-9._%+'-]{{1,64}}@[{_LETTER}0-9.-]{{1,253}}\.[{_LETTER}]{{2,24}}", None),),
    severity=2,
)

PHONE = Entity(
    "PHONE",
    (
        # North America with separators. The first digit of area and exchange is never 0 or 1.
        (
            rf"(?:\+1[ .{_DASH}]?|\b1[ .{_DASH}])?(?:\([2-9]\d\d\) ?|\b[2-9]\d\d[ .{_DASH}])"
            rf"[2-9]\d\d[ .{_DASH}]\d{{4}}(?:,? ?(?:x|ext\.?) ?\d{{1,6}})?\b",
            None,
        ),
        # International: a plus sign that is no addition, then 8 to 15 digits.
        (rf"\B\+[1-9](?:[ .(){_DASH}]{{0,2}}\d){{7,14}}\b", None),
        # Any grouping, and digits in a row, are a phone number only where a word says so.
        (
            rf"(?i:\b(?:phone|tel|telephone|mobile|cell|fax)(?: number| no\.?)?{_IS})"
            rf"[+(]?\d(?:[ .(){_DASH}]{{0,2}}\d){{6,13}}\b",
            None,
        ),
    ),
)

SSN = Entity(
    "SSN",
    (
        (rf"\b\d{{3}}{_GAP}\d\d{_GAP}\d{{4}}\b", "ssn"),
        (rf"(?i:\b(?:ssn|social security(?: number| no\.?)?){_IS})\d{{9}}\b", None),
    ),
    severity=2,
)

CREDIT_CARD = Entity(
    "CREDIT_CARD",
    (
        (r"\b\d{13,19}\b", "luhn"),
        (rf"\b\d{{4}}(?:{_GAP}\d{{4}}){{3}}(?:{_GAP}\d{{3}})?\b", "luhn"),
        (rf"\b\d{{4}}{_GAP}\d{{6}}{_GAP}\d{{4,5}}\b", "luhn"),
    ),
    severity=3,
)

CVV = Entity("CVV", ((rf"(?i:\b(?:cvv2?|cvc2?|card security code){_IS})\d{{3,4}}\b", None),))

CARDHOLDER = Entity(
    "CARDHOLDER",
    (
        (
            r"(?i:\b(?:card ?holder(?:'s)?(?: name)?|name on (?:the )?card)(?: is| ?[:=]) ?)"
            rf"[{_LETTER}][{_LETTER}.'-]{{0,30}}"
            rf"(?: [A-Z\u00c0-\u00de][{_LETTER}.'-]{{0,30}}){{0,3}}",
            None,
        ),
    ),
)

IBAN = Entity(
    "IBAN",
    ((r"\b[A-Za-z]{2}\d\d(?:[ -]?[A-Za-z0-9]{4}){2,7}(?:[ -]?[A-Za-z0-9]{1,3})?\b", "iban"),),
    severity=3,
)

IP = Entity(
    "IP",
    (
        (r"\b\d{1,3}(?:\.\d{1,3}){3}\b", "ip"),
        (rf"\b{_HEX}{{1,4}}(?::{_HEX}{{1,4}}){{7}}\b", "ip"),
        # Shortened by `::`. Only the ranges in use, or `add::face` in a program would be one.
        (
            rf"\b(?:[23]{_HEX}{{3}}:{_HEX}{{1,4}}|[Ff][CDEFcdef]{_HEX}{{2}}|64:[Ff]{{2}}9[Bb])"
            rf"(?::{_HEX}{{0,4}}){{1,6}}:{_HEX}{{0,4}}",
            "ip",
        ),
    ),
    severity=1,
)

MRN = Entity(
    "MRN",
    (
        (
            rf"(?i:\b(?:mrn|medical record(?: number| no\.?)?){_IS}(?:[ :#][a-z]{{1,3}}-?)?)"
            r"\d{5,10}\b",
            None,
        ),
    ),
)

NPI = Entity("NPI", ((rf"(?i:\bnpi(?: number| no\.?)?{_IS})[12]\d{{9}}\b", None),))

INSURANCE_ID = Entity(
    "INSURANCE_ID",
    (
        (
            rf"(?i:\b(?:insurance|member|subscriber|policy) (?:id|number|no\.?){_IS}"
            r"[a-z]{0,4}-?\d[a-z0-9-]{4,14})\b",
            None,
        ),
    ),
)

BANK_ACCOUNT = Entity(
    "BANK_ACCOUNT",
    ((rf"(?i:\b(?:bank )?account (?:number|no\.?){_IS})\d{{6,17}}\b", None),),
)

ROUTING_NUMBER = Entity(
    "ROUTING_NUMBER", ((rf"(?i:\b(?:routing|aba)(?: number| no\.?)?{_IS})\d{{9}}\b", None),)
)

TAX_ID = Entity(
    "TAX_ID",
    (
        (
            rf"(?i:\b(?:ein|itin|tax(?:payer)? id(?:entification)?(?: number| no\.?)?){_IS})"
            rf"\d{{2,3}}{_GAP}?\d{{2}}{_GAP}?\d{{4,5}}\b",
            None,
        ),
    ),
)

_DAY = (
    r"(?:\d{4}[-/.]\d{1,2}[-/.]\d{1,2}"
    r"|\d{1,2}[-/. ]{1,2}(?:\d{1,2}|[a-z]{3,9})[-/., ]{1,2}\d{2,4}"
    r"|[a-z]{3,9} \d{1,2}(?:st|nd|rd|th)?,? \d{4})"
)

DATE_OF_BIRTH = Entity(
    "DATE_OF_BIRTH",
    (
        (
            r"(?i:\b(?:dob|d\.o\.b\.|date of birth|birth ?date|birthday|born(?: on)?)"
            rf"{_IS}{_DAY})\b",
            None,
        ),
    ),
)

PASSPORT = Entity(
    "PASSPORT",
    ((rf"(?i:\bpassport(?: number| no\.?)?{_IS}[a-z]{{0,2}}\d{{6,9}})\b", None),),
)

DRIVER_LICENSE = Entity(
    "DRIVER_LICENSE",
    (
        (
            rf"(?i:\bdriv(?:er'?s?|ing) licen[cs]e(?: number| no\.?)?{_IS}"
            r"(?:[a-z]{1,2}[ -]?)?\d[\da-z-]{4,16}[\da-z])\b",
            None,
        ),
    ),
)

STUDENT_ID = Entity(
    "STUDENT_ID",
    (
        (
            rf"(?i:\b(?:student|pupil|learner) (?:id|number|no\.?){_IS}"
            r"[a-z]{0,4}-?\d[a-z0-9-]{3,14})\b",
            None,
        ),
    ),
)

CASE_NUMBER = Entity(
    "CASE_NUMBER",
    (
        # Words, then a number with a year or a court's letters in it.
        (
            rf"(?i:\b(?:case|docket|cause|incident|booking) (?:number|no\.?|id){_IS}"
            r"[a-z0-9:./-]{0,12}\d[a-z0-9:./-]{0,14}[a-z0-9])\b",
            None,
        ),
        (r"\b\d:\d{2}-(?:cv|cr|mj|mc|bk)-\d{3,6}(?:-[A-Z]{2,4}){0,3}\b", None),
    ),
)

VEHICLE_ID = Entity(
    "VEHICLE_ID",
    ((rf"(?i:\b(?:vin|vehicle identification number){_IS}[a-hj-npr-z0-9]{{17}})\b", None),),
)

URL = Entity("URL", ((r"(?i:\bhttps?://[^\s<>\x22']{1,500}[^\s<>\x22'.,;:!?)])", None),))

BUILT_IN = (EMAIL, PHONE, SSN, IBAN, IP)
"""Looked for unless `entities` names others."""
PCI = (CREDIT_CARD, CVV, CARDHOLDER)
"""Added by `pci_mode`."""
HEALTH = (MRN, NPI, INSURANCE_ID)
"""Added by `healthcare_mode`."""
BY_NAME = (
    *(BANK_ACCOUNT, ROUTING_NUMBER, TAX_ID, DATE_OF_BIRTH, PASSPORT, DRIVER_LICENSE),
    *(STUDENT_ID, CASE_NUMBER, VEHICLE_ID, URL),
)
"""Looked for only where a config names them, or a kind that is about them."""

ENTITIES: Mapping[str, Entity] = MappingProxyType(
    {entity.name: entity for entity in (*BUILT_IN, *PCI, *HEALTH, *BY_NAME)}
)

SYNONYMS: Mapping[str, str] = MappingProxyType(
    {
        "EMAIL_ADDRESS": "EMAIL",
        "PHONE_NUMBER": "PHONE",
        "US_SSN": "SSN",
        "SOCIAL_SECURITY_NUMBER": "SSN",
        "CARD": "CREDIT_CARD",
        "CREDIT_CARD_NUMBER": "CREDIT_CARD",
        "PAN": "CREDIT_CARD",
        "CVC": "CVV",
        "CARDHOLDER_NAME": "CARDHOLDER",
        "IBAN_CODE": "IBAN",
        "IP_ADDRESS": "IP",
        "MEDICAL_RECORD_NUMBER": "MRN",
        "MEMBER_ID": "INSURANCE_ID",
        "BANK_ACCOUNT_NUMBER": "BANK_ACCOUNT",
        "EIN": "TAX_ID",
        "US_ITIN": "TAX_ID",
        "US_BANK_NUMBER": "BANK_ACCOUNT",
        "DOB": "DATE_OF_BIRTH",
        "BIRTH_DATE": "DATE_OF_BIRTH",
        "BIRTHDATE": "DATE_OF_BIRTH",
        "PASSPORT_NUMBER": "PASSPORT",
        "US_PASSPORT": "PASSPORT",
        "DRIVERS_LICENSE": "DRIVER_LICENSE",
        "US_DRIVER_LICENSE": "DRIVER_LICENSE",
        "DRIVER_LICENSE_NUMBER": "DRIVER_LICENSE",
        "VIN": "VEHICLE_ID",
    }
)
"""Other names that configs use, in capitals."""

WITHOUT_FORM = frozenset(
    (
        *("PERSON", "NAME", "NAMES", "PERSON_NAME", "FULL_NAME", "FIRST_NAME", "LAST_NAME"),
        *("PATIENT_NAME", "STUDENT_NAME", "ADDRESS", "STREET_ADDRESS", "HOME_ADDRESS", "LOCATION"),
        *("DATE", "DATE_TIME", "AGE", "GENDER", "NRP", "ORGANIZATION", "USERNAME", "PASSWORD"),
        *("GOVERNMENT_ID", "NATIONAL_ID", "EMPLOYEE_ID", "DEVICE_ID", "BIOMETRIC", "PHOTO"),
        *("MEDICAL_LICENSE", "DIAGNOSIS", "MEDICATION", "GRADES"),
    )
)
"""Names of personal data that configs use and that no pattern can tell from other text."""


def has_no_form(name: str) -> bool:
    """Whether a name is one of `WITHOUT_FORM`."""
    return _canonical(name) in WITHOUT_FORM


def entity(name: str) -> Entity | None:
    """The entity of a name as people write it (`ssn`, `credit-card`), or None."""
    canonical = _canonical(name)
    return ENTITIES.get(SYNONYMS.get(canonical, canonical))


def _canonical(name: str) -> str:
    return name.strip().upper().replace("-", "_").replace(" ", "_")
