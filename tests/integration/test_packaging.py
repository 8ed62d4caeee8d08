import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_every_room_is_packaged():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    rooms = {
        "ghostnote." + ".".join(init.parent.relative_to(ROOT).parts)
        for top in ("bridge", "export", "models")
        for init in (ROOT / top).rglob("__init__.py")
    }
    assert sorted(settings["packages"]) == sorted(rooms)


def test_every_folder_with_code_is_a_room():
    for top in ("bridge", "export", "models"):
        for module in (ROOT / top).rglob("*.py"):
            assert (module.parent / "__init__.py").exists(), module
