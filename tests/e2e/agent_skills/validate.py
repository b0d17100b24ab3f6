"""Validates skills with the specification's own validator, and reads YAML with its YAML reader.

Takes {"skills": {folder: document}, "yaml": [text]} as JSON, answers {"skills": {folder: {"errors",
"properties"}}, "yaml": [{"1.1": value, "1.2": value}]}.
"""

import json
import pathlib
import sys
import tempfile
import warnings

from skills_ref import read_properties, validate
from strictyaml.ruamel.main import YAML

warnings.simplefilter("ignore")


def check_skill(folder: str, document: str) -> dict:
    with tempfile.TemporaryDirectory() as parent:
        skill = pathlib.Path(parent) / folder
        skill.mkdir()
        (skill / "SKILL.md").write_bytes(document.encode())
        errors = validate(skill)
        properties = {} if errors else read_properties(skill).to_dict()
        return {"errors": errors, "properties": properties}


def read_yaml(text: str, version: tuple[int, int]) -> object:
    reader = YAML(typ="safe", pure=True)
    reader.version = version
    return reader.load(text)


request = json.load(sys.stdin)
answer = {
    "skills": {folder: check_skill(folder, text) for folder, text in request["skills"].items()},
    "yaml": [
        {"1.1": read_yaml(text, (1, 1)), "1.2": read_yaml(text, (1, 2))} for text in request["yaml"]
    ],
}
json.dump(answer, sys.stdout, default=str)
