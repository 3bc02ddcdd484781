"""The phones of the model and the numbers that the network and the decoder give them.

Every phone has one HMM state with two outputs, as in Kaldi's "chain" topology: its first frame
(*begin*) and every further frame (*rest*). Silence has one output for both.
"""

from __future__ import annotations

SILENCE = "SIL"
PHONES: tuple[str, ...] = (
    SILENCE,
    *[
        "AA",
        "AE",
        "AH",
        "AO",
        "AW",
        "AY",
        "B",
        "CH",
        "D",
        "DH",
        "EH",
        "ER",
        "EY",
        "F",
        "G",
        "HH",
        "IH",
        "IY",
        "JH",
        "K",
        "L",
        "M",
        "N",
        "NG",
        "OW",
        "OY",
        "P",
        "R",
        "S",
        "SH",
    ],
    *["T", "TH", "UH", "UW", "V", "W", "Y", "Z", "ZH"],
)
INDEX: dict[str, int] = {phone: index for index, phone in enumerate(PHONES)}
OUTPUTS = 2 * len(PHONES) - 1


def begin_output(phone: str) -> int:
    """The network output for the first frame of a phone."""
    return max(0, 2 * INDEX[phone] - 1)


def rest_output(phone: str) -> int:
    """The network output for every further frame of a phone."""
    return 2 * INDEX[phone]


def forward_id(phone: str) -> int:
    """Transition-id of entering a phone (it emits the *begin* output)."""
    return 2 * INDEX[phone] + 2


def loop_id(phone: str) -> int:
    """Transition-id of staying in a phone (it emits the *rest* output)."""
    return 2 * INDEX[phone] + 1
