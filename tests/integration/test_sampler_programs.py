"""Real programs read and play exported kits; each test is skipped where its program is not installed.

They read a small kit of noise; or, as `GHOSTNOTE_KITS=OUT/kits python -m pytest tests/test_rig_kits.py`, every kit that
`ghostnote humanize … -o OUT --export sfz,hydrogen,drumgizmo` made.
"""

import os
import re
import shutil
import subprocess
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import mido
import numpy as np
import pytest
from kit_fakes import unpack, write_kit

from ghostnote.bridge.io.audio_file import read_audio
from ghostnote.bridge.sampler.write import FORMATS, export_kits

HYDROGEN = Path("/usr/share/hydrogen/data")
TURNS = 6
DRAWS = 24
"""As many notes where a program draws lots: never is it the same stroke every time."""
SECONDS_APART = 1.0
AUDIBLE_SECONDS = 0.06
BESIDE_SECONDS = 0.02
"""So far from its place a note may be."""


def program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Real programs find an empty home, no screen, and text in UTF-8."""
    for key, value in (("HOME", str(tmp_path)), ("QT_QPA_PLATFORM", "offscreen"), ("LC_ALL", "C.UTF-8")):
        monkeypatch.setenv(key, value)
    return tmp_path


@pytest.fixture
def kits(home: Path) -> Path:
    """A folder with kits, in a folder for each format."""
    given = os.environ.get("GHOSTNOTE_KITS")
    if given:
        return Path(given).absolute()
    forms = [FORMATS[name] for name in ("sfz", "hydrogen", "drumgizmo")]
    export_kits([replace(write_kit(home), rate=44_100)], forms, home / "kits")
    return home / "kits"


def inside(folder: Path) -> list[Path]:
    found = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    assert found, f"{folder} holds no kit"
    return found


def band_correlation(path: Path, turns: int = TURNS) -> list[float]:
    """Return how much each note of a rendered take resembles the next: their correlation where that is greatest."""
    audio, rate = read_audio(path)
    mono = np.pad(audio.mean(axis=0), rate)
    loud = np.flatnonzero(np.abs(mono) > 0.02 * np.abs(mono).max())
    beside, audible = (round(seconds * rate) for seconds in (BESIDE_SECONDS, AUDIBLE_SECONDS))
    starts = [int(loud[0])]
    # Some programs keep a tempo of their own, but none is quicker.
    while len(later := loud[loud > starts[-1] + 0.9 * SECONDS_APART * rate]):
        starts.append(int(later[0]))
    assert len(starts) == turns, f"{path}: {len(starts)} of {turns} notes are audible"
    found = []
    for one, other in pairwise(starts):
        note, around = mono[one : one + audible], mono[other - beside : other + audible + beside]
        places = np.lib.stride_tricks.sliding_window_view(around, audible)
        found.append(float((places @ note / (np.linalg.norm(places, axis=1) * np.linalg.norm(note))).max()))
    return found


def song(path: Path, note: int, turns: int = TURNS) -> None:
    """Write hard notes of one drum."""
    file = mido.MidiFile(ticks_per_beat=480)
    ticks = round(SECONDS_APART * 2 * 480)
    notes = [mido.Message("note_on", note=note, velocity=120, time=ticks) for _ in range(turns)]
    file.tracks.append(mido.MidiTrack([*notes, mido.MetaMessage("end_of_track", time=ticks)]))
    file.save(path)


def test_hydrogen_accepts_every_kit_and_its_schema_too(kits: Path, home: Path) -> None:
    h2cli, xmllint = program("h2cli"), program("xmllint")
    schema = HYDROGEN / "xsd" / "drumkit.xsd"
    for number, path in enumerate(inside(kits / "hydrogen")):
        # Its exit code means nothing where it has no MIDI device: some versions then abort at their end.
        run = subprocess.run([h2cli, "-c", str(path)], capture_output=True, timeout=60)
        assert b"is valid" in run.stdout, path
        if schema.is_file():
            unpack(path, home / str(number))
            (text,) = (home / str(number)).rglob("drumkit.xml")
            subprocess.run([xmllint, "--noout", "--schema", str(schema), str(text)], check=True, timeout=60)


def test_hydrogen_plays_every_kit_and_changes_strokes(kits: Path, home: Path) -> None:
    h2cli = program("h2cli")
    demo = HYDROGEN / "demo_songs" / "TR808kit-demo.h2song"
    if not demo.is_file():
        pytest.skip("Hydrogen's demo songs are not installed")
    played = home / "song.h2song"
    played.write_text(hydrogen_song(demo.read_text("utf-8")), "utf-8")
    for path in inside(kits / "hydrogen"):
        name, out = path.name.removesuffix(".h2drumkit"), home / "out.wav"
        subprocess.run([h2cli, "-i", str(path)], capture_output=True, timeout=60)
        options = ["-s", str(played), "-k", name, "-o", str(out), "-d", "alsa"]
        subprocess.run([h2cli, *options], capture_output=True, timeout=60)
        alike = band_correlation(out)
        print(f"{path.name}: correlation of successive notes {np.round(alike, 3)}")
        # Notes of one drum may be much alike, but are never the same.
        assert max(alike) < 0.9999, path


def hydrogen_song(text: str) -> str:
    """Return a song of `TURNS` notes of the first instrument, instead of what it held."""
    note = (
        "<note><position>{}</position><leadlag>0</leadlag><velocity>0.95</velocity><pan>0</pan><pitch>0</pitch>"
        "<probability>1</probability><key>C0</key><length>-1</length><instrument>0</instrument>"
        "<note_off>false</note_off></note>"
    )
    # 48 ticks are a quarter note.
    notes = "".join(note.format(48 * turn) for turn in range(TURNS))
    pattern = f"<pattern><name>p</name><size>{48 * TURNS}</size><denominator>4</denominator><noteList>{notes}"
    parts = {
        "bpm": f"{60 / SECONDS_APART:g}",
        "patternList": f"{pattern}</noteList></pattern>",
        "patternSequence": "<group><patternID>p</patternID></group>",
    }
    for tag, inner in parts.items():
        text = re.sub(rf"<{tag}>.*</{tag}>", f"<{tag}>{inner}</{tag}>", text, count=1, flags=re.DOTALL)
    return text


def test_drumgizmo_plays_every_kit_and_changes_strokes(kits: Path, home: Path) -> None:
    drumgizmo = program("drumgizmo")
    for folder in inside(kits / "drumgizmo"):
        entry = next(ElementTree.parse(folder / "midimap.xml").getroot().iter("map"))
        rate = int(ElementTree.parse(folder / "drumkit.xml").getroot().attrib["samplerate"])
        song(home / "song.mid", int(entry.attrib["note"]), DRAWS)
        given, wanted = f"file={home}/song.mid,midimap=midimap.xml", f"file={home}/out,srate={rate}"
        options = ["-i", "midifile", "-I", given, "-o", "wavfile", "-O", wanted]
        subprocess.run([drumgizmo, *options, "drumkit.xml"], cwd=folder, check=True, capture_output=True, timeout=120)
        alike = band_correlation(home / "outLeft-0.wav", DRAWS)
        print(f"{folder.name}: correlation of successive notes {np.round(alike, 3)}")
        # It chooses by chance among strokes of equal power, seldom the same one twice running.
        assert min(alike) < 0.9999, folder


def test_polyphone_and_fluidsynth_play_every_sfz(kits: Path, home: Path) -> None:
    polyphone, fluidsynth = program("polyphone"), program("fluidsynth")
    for folder in inside(kits / "sfz"):
        (text,) = folder.glob("*.sfz")
        options = ["-1", "-i", str(text), "-d", str(home), "-o", "kit"]
        subprocess.run([polyphone, *options], capture_output=True, timeout=120)
        key = re.search(r"key=(\d+)", text.read_text("utf-8"))
        assert key is not None, folder
        song(home / "song.mid", int(key[1]))
        options = ["-ni", "-q", "-g", "0.2", "-R", "0", "-C", "0", "-r", "44100", "-F", str(home / "out.wav")]
        subprocess.run([fluidsynth, *options, str(home / "kit.sf2"), str(home / "song.mid")], check=True, timeout=120)
        band_correlation(home / "out.wav")
        (home / "kit.sf2").unlink()
