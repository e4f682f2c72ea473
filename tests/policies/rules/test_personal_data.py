"""What counts as personal data and what only looks like it."""

import pytest

from kt.patterns.matcher import compile_rules
from kt.policies.rules.personal_data import (
    BY_NAME,
    ENTITIES,
    HEALTH,
    PCI,
    SYNONYMS,
    WITHOUT_FORM,
    entity,
    has_no_form,
)
from kt.policy import Rule

FOUND: dict[str, tuple[tuple[str, str], ...]] = {
    "EMAIL": (
        ("write to alice.b+c@mail.example.com.", "alice.b+c@mail.example.com"),
        ("联系alice@example.com谢谢", "alice@example.com"),
        ("josé.garcía@correo.es", "josé.garcía@correo.es"),
        ("\uff41lice\uff20example\uff0ecom", "\uff41lice\uff20example\uff0ecom"),
        ("al\u200bice@exam\u00adple.com", "al\u200bice@exam\u00adple.com"),
    ),
    "PHONE": (
        ("call (555) 234-5678 now", "(555) 234-5678"),
        ("555.234.5678", "555.234.5678"),
        ("1-800-555-2345 ext. 12", "1-800-555-2345 ext. 12"),
        ("+1 212 555 0187", "+1 212 555 0187"),
        ("+44 (0)20 7946 0958", "+44 (0)20 7946 0958"),
        ("555\u2011234\u20115678", "555\u2011234\u20115678"),
        ("phone: 5552345678", "phone: 5552345678"),
        ("Mobile no. 0490 75 40 81", "Mobile no. 0490 75 40 81"),
    ),
    "SSN": (
        ("ssn 078-05-1120", "078-05-1120"),
        ("it is 078 05 1120.", "078 05 1120"),
        ("Social security number: 078051120", "Social security number: 078051120"),
    ),
    "CREDIT_CARD": (
        ("4111 1111 1111 1111", "4111 1111 1111 1111"),
        ("card 4111-1111-1111-1111.", "4111-1111-1111-1111"),
        ("5500005555555559", "5500005555555559"),
        ("3782 822463 10005", "3782 822463 10005"),
        ("12 4111 1111 1111 1111", "4111 1111 1111 1111"),
        ("\uff14111 1111 1111 1111", "\uff14111 1111 1111 1111"),
    ),
    "CVV": (("cvv: 123", "cvv: 123"), ("the CVC2 is 9876", "CVC2 is 9876")),
    "CARDHOLDER": (("Cardholder name: Ada Lovelace pays", "Cardholder name: Ada Lovelace"),),
    "IBAN": (
        ("DE89 3704 0044 0532 0130 00 is mine", "DE89 3704 0044 0532 0130 00"),
        ("gb82west12345698765432", "gb82west12345698765432"),
    ),
    "IP": (
        ("from 192.168.0.12.", "192.168.0.12"),
        ("2001:db8::1", "2001:db8::1"),
        ("fe80::1%eth0", "fe80::1"),
        ("2001:0db8:85a3:0000:0000:8a2e:0370:7334", "2001:0db8:85a3:0000:0000:8a2e:0370:7334"),
    ),
    "MRN": (
        ("MRN: 12345678", "MRN: 12345678"),
        ("mrn #AB-123456", "mrn #AB-123456"),
    ),
    "NPI": (("NPI number 1234567893", "NPI number 1234567893"),),
    "INSURANCE_ID": (("member id: XYZ123456789", "member id: XYZ123456789"),),
    "BANK_ACCOUNT": (("Account number 123456789", "Account number 123456789"),),
    "ROUTING_NUMBER": (("routing number: 021000021", "routing number: 021000021"),),
    "TAX_ID": (("EIN 12-3456789", "EIN 12-3456789"),),
    "DATE_OF_BIRTH": (
        ("DOB: 1990-04-12", "DOB: 1990-04-12"),
        ("she was born on 12 April 1990.", "born on 12 April 1990"),
        ("date of birth is April 12th, 1990", "date of birth is April 12th, 1990"),
    ),
    "PASSPORT": (("passport no. AB1234567", "passport no. AB1234567"),),
    "DRIVER_LICENSE": (
        ("driver's license number: D1234567", "driver's license number: D1234567"),
        ("driving licence S 123-456-789 and", "driving licence S 123-456-789"),
    ),
    "STUDENT_ID": (("student id: S1234567", "student id: S1234567"),),
    "CASE_NUMBER": (
        ("case no. 2023-CR-00123", "case no. 2023-CR-00123"),
        ("filed as 1:21-cv-01234-ABC", "1:21-cv-01234-ABC"),
    ),
    "VEHICLE_ID": (("VIN: 1HGCM82633A004352", "VIN: 1HGCM82633A004352"),),
    "URL": (("see https://example.com/a?b=c.", "https://example.com/a?b=c"),),
}

NEAR_MISSES: dict[str, tuple[str, ...]] = {
    "EMAIL": ("user@localhost", "a @ b.com", "@handle", "x@y.z9", "3 @ 4.50"),
    "PHONE": (
        *("version 1.2.3", "2024-01-02 03:04:05", "5+12345678", "order 5552345678", "155-123-4567"),
        *("078-05-1120", "4111 1111 1111 1111", "1700000000", "10.0.0.1", "12345-555-234-56789"),
    ),
    "SSN": (
        "000-12-3456",
        "666-12-3456",
        "078-00-1120",
        "078-05-0000",
        "078051120",
        "1078-05-1120",
    ),
    "CREDIT_CARD": (
        *("4111 1111 1111 1112", "1234567890123456", "41111111111111111111111111111111"),
        *("3.14159265358979323846", "4111 1111", "0000 0000 0000 0000"),
    ),
    "CVV": ("cvv", "123", "cvv: 12345"),
    "CARDHOLDER": ("the cardholder pays", "a card holder"),
    "IBAN": ("DE89 3704 0044 0532 0130 01", "AB12 3456", "XX00 1111 2222 3333"),
    "IP": ("1.2.3", "256.1.1.1", "v1.2.3.4", "add::face", "std::vector", "12:30:45", "::"),
    "MRN": ("MRN", "12345678", "mrna12345"),
    "NPI": ("npi 3234567893", "1234567893"),
    "INSURANCE_ID": ("member id: unknown", "XYZ123456789"),
    "BANK_ACCOUNT": ("account number five", "123456789"),
    "ROUTING_NUMBER": ("021000021", "routing number 12"),
    "TAX_ID": ("12-3456789", "EIN none"),
    "DATE_OF_BIRTH": ("1990-04-12", "born in April", "the deadline is 12 April 1990"),
    "PASSPORT": ("passport control", "AB1234567"),
    "DRIVER_LICENSE": ("a driver's license", "the driver 1234567"),
    "STUDENT_ID": ("student id is missing", "S1234567"),
    "CASE_NUMBER": ("in case no one comes", "case number", "1:21-xx-01234"),
    "VEHICLE_ID": ("the VIN", "1HGCM82633A004352"),
    "URL": ("http://", "example.com", "https:// x"),
}


def found(name: str, text: str) -> list[str]:
    rules = tuple(
        Rule(id=f"{name}.{at}", pattern=pattern, validator=validator)
        for at, (pattern, validator) in enumerate(ENTITIES[name].patterns)
    )
    data = text.encode()
    return [data[one.start : one.end].decode() for one in compile_rules(rules).find(text)]


def test_every_entity_has_examples_and_near_misses() -> None:
    assert set(FOUND) == set(NEAR_MISSES) == set(ENTITIES)


@pytest.mark.parametrize(
    ("name", "text", "what"), [(name, *one) for name, all_of in FOUND.items() for one in all_of]
)
def test_personal_data_is_found_as_a_whole(name: str, text: str, what: str) -> None:
    assert what in found(name, text)


@pytest.mark.parametrize(
    ("name", "text"), [(name, text) for name, texts in NEAR_MISSES.items() for text in texts]
)
def test_what_only_looks_like_personal_data_is_left(name: str, text: str) -> None:
    assert found(name, text) == []


def test_every_pattern_of_an_entity_is_needed() -> None:
    for name, examples in FOUND.items():
        for pattern, validator in ENTITIES[name].patterns:
            rule = Rule(id=name, pattern=pattern, validator=validator)
            assert any(compile_rules((rule,)).find(text) for text, _ in examples), pattern


def test_entities_are_known_by_the_names_that_configs_use() -> None:
    assert entity("ssn") is ENTITIES["SSN"]
    assert entity(" Credit-Card ") is ENTITIES["CREDIT_CARD"]
    assert entity("email address") is ENTITIES["EMAIL"]
    assert entity("nothing") is None
    assert set(SYNONYMS.values()) <= set(ENTITIES)


def test_a_name_is_either_found_or_said_to_have_no_form() -> None:
    assert not any(map(entity, WITHOUT_FORM))
    assert has_no_form("home address")
    assert not has_no_form("ssn")


def test_entities_in_groups_have_names_of_their_own() -> None:
    assert not {one.name for one in PCI} & {one.name for one in (*HEALTH, *BY_NAME)}
