"""Facts about the letters that Kokoro, a voice of the training, reads."""
# ruff: noqa: RUF001 - letters of the phonetic alphabet look like others

import pytest

from models.training.data.kokoro import letters


@pytest.mark.parametrize(
    ("written", "american", "british"),
    [
        ("ɹˈa^ɪt", "ɹˈIt", "ɹˈIt"),
        ("sˈe^ɪ", "sˈA", "sˈA"),
        ("ɡˈo^ʊ", "ɡˈO", "ɡˈoʊ"),
        ("ɡˈə^ʊ", "ɡˈəʊ", "ɡˈQ"),
        ("hˈɜːts", "hˈɜɹts", "hˈɜːts"),
        ("t^ʃˈɛst", "ʧˈɛst", "ʧˈɛst"),
        ("bˈʌtn\u0329", "bˈʌtᵊn", "bˈʌtᵊn"),
    ],
)
def test_one_letter_stands_for_a_sound_of_two(written: str, american: str, british: str) -> None:
    assert letters(written, british=False) == american
    assert letters(written, british=True) == british


@pytest.mark.parametrize(("written", "british"), [("stˈe^əz", "stˈɛːz"), ("nˈi^ə", "nˈɪə")])
def test_a_sound_that_glides_in_british_english_has_letters_of_its_own(
    written: str, british: str
) -> None:
    assert letters(written, british=True) == british
