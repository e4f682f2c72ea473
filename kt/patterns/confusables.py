"""Letters of other scripts that look like Latin ones, for views that fold them.

A modest, explicit table: only capital and small letters whose usual shape is the Latin letter's.
"""

# ruff: noqa: RUF001  # this table is made of look-alikes

from collections.abc import Mapping
from types import MappingProxyType

_CYRILLIC = (
    "АA ВB ЕE ЅS ІI ЈJ КK МM НH ОO РP СC ТT УY ХX ԌG ԚQ ԜW ҮY "
    "аa вb еe ѕs іi јj кk мm нh оo рp сc тt уy хx ԁd ԛq ԝw һh ӏl ѵv ѡw үy"
)
_GREEK = "ΑA ΒB ΕE ΖZ ΗH ΙI ΚK ΜM ΝN ΟO ΡP ΤT ΥY ΧX αa ιi κk νv οo ρp τt υu χx ϳj"
_ARMENIAN = "ՍU ՏS ՕO օo ոn սu հh ցg զq"
_LATIN_LIKE = "ıi ȷj ɑa ɡg ɩi ɪi ʏy ᴀa ᴄc ᴅd ᴇe ᴊj ᴋk ᴍm ᴏo ᴘp ᴛt ᴜu ᴠv ᴡw ᴢz"

PLAIN: Mapping[str, str] = MappingProxyType(
    {
        pair[0]: pair[1]
        for table in (_CYRILLIC, _GREEK, _ARMENIAN, _LATIN_LIKE)
        for pair in table.split()
    }
)
"""Look-alike -> the ASCII letter."""
