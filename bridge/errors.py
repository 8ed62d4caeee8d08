"""Every error that ghostnote raises on purpose, as one tree.

    GhostnoteError                exit code 1: something failed
    ├── InputError                exit code 2: what the user gave cannot be used
    │   ├── AudioFileError        a sound file
    │   ├── MidiFileError         a MIDI file
    │   ├── KitError              a kit file
    │   ├── ModelError            a model file
    │   └── CorpusError           a folder of training hits
    ├── OutputError               a file or folder cannot be written
    ├── TrainingError             a training run cannot go on
    └── MissingExtraError         an optional dependency is not installed

A message names the value, the rule that it breaks and what to do about it. The command line prints it
as one line; a user never sees any other exception.
"""


class GhostnoteError(Exception):
    """The root of the tree; `exit_code` is what the command line ends with."""

    exit_code = 1


class InputError(GhostnoteError):
    """Something that the user gave cannot be used."""

    exit_code = 2


class AudioFileError(InputError):
    """A sound file is missing, unreadable, empty, silent or not of a usable form."""


class MidiFileError(InputError):
    """A MIDI file is missing, unreadable or without notes."""


class KitError(InputError):
    """A kit file breaks a rule of the format."""


class ModelError(InputError):
    """A model file is damaged, of another version, or not from `ghostnote export`."""


class CorpusError(InputError):
    """A folder of training hits has no usable hit."""


class OutputError(GhostnoteError):
    """A file or folder cannot be written."""


class TrainingError(GhostnoteError):
    """A training run has come to values that are not numbers; its last good state is kept."""


class MissingExtraError(GhostnoteError):
    """A command needs an optional part of ghostnote that is not installed."""

    def __init__(self, what: str, extra: str) -> None:
        """Explain that `what` needs `extra` and how to install it."""
        super().__init__(
            f"{what} needs the '{extra}' extra: install it in ghostnote's folder with  pip install '.[{extra}]'"
        )
