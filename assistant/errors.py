"""What can go wrong, as one base class and a leaf per stage.

Every message is for a person: what happened and what to do next, one sentence each.
"""


class AssistantError(Exception):
    """Base of every error that Charley raises on purpose."""

    code = "error"


class IntentDataError(AssistantError):
    """A file under intents/ is broken; the message names file and line."""

    code = "intents"


class RoutineError(IntentDataError):
    """A routine or prompt file is broken or refers to something missing."""

    code = "routine"


class SettingsError(AssistantError):
    """A setting, from the file or a flag, cannot be used."""

    code = "settings"


class AudioFileError(AssistantError):
    """An audio file cannot be read or written."""

    code = "audio-file"


class DeviceError(AssistantError):
    """A microphone or speaker is missing, unknown or lost."""

    code = "device"


class ModelError(AssistantError):
    """A speech model folder is missing or broken, or its download failed."""

    code = "model"


class RecogniserError(AssistantError):
    """The recogniser refused its input."""

    code = "recogniser"


class SynthesiserError(AssistantError):
    """The voice engine is missing, failed or hung."""

    code = "voice"


class NetworkError(AssistantError):
    """An address cannot be used, or what came from the network cannot be understood."""

    code = "network"


class JournalError(AssistantError):
    """A journal file cannot be read; the message names file and line."""

    code = "journal"


class ExportError(AssistantError):
    """A file for another program cannot be written."""

    code = "export"


class IllegalEvent(AssistantError):
    """An event reached a state whose row of the table has no cell for it."""

    code = "illegal-event"
