"""A guess at how an unknown word is said, from its spelling: rules, longest match first."""

from __future__ import annotations

import re

# Letters, then phones. "^" before the letters marks the start of the word, "$" its end.
RULES = """
^kn N; ^wr R; ^ps S; ^x Z; ^rh R; ^gn N; ^y Y; tion$ SH AH N; tion SH AH N; sion ZH AH N
ture CH ER; ous$ AH S; ious$ IY AH S; ical IH K AH L; ism$ IH Z AH M; le$ AH L; les$ AH L Z
ing$ IH NG; in$ IH N; ed$ D; es$ Z; er$ ER; ers$ ER Z; or$ ER; re$ ER; y$ IY; ey$ IY; ie$ IY
ies$ IY Z; ous AH S; age$ IH JH; ough AO; augh AO; igh AY; eigh EY; tch CH; dge JH; sch SH
ch CH; sh SH; th TH; ph F; gh G; ck K; qu K W; ng$ NG; nk NG K; wh W; sc S K; ssi SH
ai EY; ay EY; au AO; aw AO; ar AA R; al AE L; ee IY; ea IY; ei IY; eu Y UW; ew UW; er ER
ie IY; ir ER; oa OW; oo UW; oi OY; oy OY; ou AW; ow AW; or AO R; ur ER; ue UW; ui UW
a AE; b B; c K; d D; e EH; f F; g G; h HH; i IH; j JH; k K; l L; m M; n N; o AA; p P; q K
r R; s S; t T; u AH; v V; w W; x K S; y IH; z Z; ce S EH; ci S IH; cy S IY; ge JH EH; gi JH IH
"""
LONG = {"a": "EY", "e": "IY", "i": "AY", "o": "OW", "u": "UW"}
SILENT_E = re.compile(r"([aeiou])([bcdfgklmnpstvz])e(s?)$")
DOUBLE = re.compile(r"([bcdfgjklmnprstvz])\1")
_TABLE = sorted(
    (tuple(rule.split(maxsplit=1)) for rule in re.split(r"[;\n]", RULES) if rule.strip()),
    key=lambda rule: -len(rule[0]),
)


def _plain(letters: str, place: int, pattern: str) -> bool:
    """Whether a rule's letters stand at a place of the word."""
    if pattern.startswith("^"):
        return place == 0 and letters.startswith(pattern[1:])
    if pattern.endswith("$"):
        return letters[place:] == pattern[:-1] and place > 0
    return letters.startswith(pattern, place)


def guess(word: str) -> tuple[str, ...]:
    """Phones for a word of any letters; letters with no rule are passed over."""
    letters = DOUBLE.sub(r"\1", re.sub(r"[^a-z]", "", word.lower()))
    phones: list[str] = []
    silent = SILENT_E.search(letters)
    place = 0
    while place < len(letters):
        if silent and place == silent.start():
            consonant = {"c": "S", "g": "JH"}.get(silent[2]) or guess(silent[2])[0]
            return (*phones, LONG[silent[1]], consonant, *(("S",) if silent[3] else ()))
        found = next((rule for rule in _TABLE if _plain(letters, place, rule[0])), None)
        if found:
            phones += found[1].split()
        place += len(found[0].strip("^$")) if found else 1
    return tuple(phones)
