"""The voices that speak in the training, and those that are kept for the tests.

A voice of a test speaks nothing in the training.
"""

ACCENTS = (
    "en-us", "en-gb", "en-gb-scotland", "en-029", "en-gb-x-gbclan", "en-gb-x-gbcwmd", "en-us-nyc",
)  # fmt: skip
VARIANTS = (
    "f1", "f2", "f3", "f5", "m1", "m2", "m3", "m4", "m5", "m6", "m8", "adam", "Alex", "Alicia",
    "Andrea", "antonio", "belinda", "benjamin", "caleb", "david", "Denis", "Diogo", "edward",
    "Gene", "Henrique", "Hugo", "iven", "Jacky", "John", "Lee", "linda", "marcelo", "Marco",
    "max", "Michael", "michel", "Mike", "Nguyen", "Pablo", "paul", "pedro", "quincy", "rob",
    "robert", "sandro", "shelby", "steph", "Storm", "travis", "victor", "zac", "grandma",
    "grandpa", "whisper", "croak", "klatt", "klatt2",
)  # fmt: skip
TEST_ACCENT = "en-gb-x-rp"
TEST_VARIANTS = ("m7", "f4", "Andy", "Annie", "Mario")
PLAIN = ("en-us", "en-gb")
# American and British; then voices of other languages, which read English with an accent.
KOKORO = (
    *("af_alloy", "af_aoede", "af_bella", "af_heart", "af_jessica", "af_kore", "af_nicole"),
    *("af_nova", "af_river", "af_sky", "am_adam", "am_echo", "am_eric", "am_fenrir", "am_liam"),
    *("am_onyx", "am_puck", "am_santa", "bf_alice", "bf_isabella", "bf_lily", "bm_daniel"),
    *("bm_fable", "bm_george"),
)
KOKORO_FOREIGN = (
    *("ef_dora", "em_alex", "em_santa", "ff_siwis", "hf_alpha", "hf_beta", "hm_omega"),
    *("im_nicola", "jf_alpha", "jf_gongitsune", "jf_nezumi", "jf_tebukuro", "pf_dora"),
    *("pm_alex", "pm_santa", "zf_xiaobei", "zf_xiaoni", "zf_xiaoyi", "zm_yunjian", "zm_yunxi"),
)
NEURAL_TEST_VOICES = (
    *("kokoro:af_sarah", "kokoro:am_michael", "kokoro:bf_emma", "kokoro:bm_lewis"),
    *("kokoro:if_sara", "kokoro:hm_psi", "kokoro:jm_kumo", "kokoro:zf_xiaoxiao"),
)
TRAINING_VOICES = (
    *(f"espeak:{accent}" for accent in ACCENTS),
    *(f"espeak:{accent}+{variant}" for accent in ACCENTS for variant in VARIANTS),
    *("flite:slt", "flite:awb", "flite:kal16", "flite:kal"),
    *("festival:kal_diphone", "festival:cmu_us_slt_arctic_hts"),
    *("pico:en-US", "pico:en-GB"),
)
TEST_VOICES = (
    *(f"espeak:{accent}+{name}" for accent in PLAIN for name in TEST_VARIANTS),
    *(f"espeak:{TEST_ACCENT}{name}" for name in ("", "+f2", "+m3")),
    *("flite:rms", "festival:ked_diphone"),
)
