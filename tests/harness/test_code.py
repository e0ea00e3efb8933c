"""What of a Python file counts: the same on every Python, under every locale."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from harness import code

INDENT, DEDENT, END = "\t", "\b", "\n"

SOURCES = {
    "f-strings": (
        "x = f\"{', '.join(names)!r:>{width}} # {{x}}\" f'''{a\n}  \n\n''' + rf'\\d{n:#x}'\n",
        [
            *("x", "=", "f\"{', '.join(names)!r:>{width}} # {{x}}\"", "f'''{a\n}  \n\n'''", "+"),
            *("rf'\\d{n:#x}'", END),
        ],
    ),
    "text that is not ASCII": (
        '"""Größe → ×"""\n"""é"""; größe = "→ × 界"  # 界\nf"é {größe} 界"; """界"""\n',
        [";", "größe", "=", '"→ × 界"', END, 'f"é {größe} 界"', ";", END],
    ),
    "comments inside expressions": (
        'x = (  # one\n    1  # two\n    # three "\n\n    + 2\n)  # "four"\ny = "# five"\n',
        ["x", "=", "(", "1", "+", "2", ")", END, "y", "=", '"# five"', END],
    ),
    "bodies of docstrings alone": (
        'class A:\n    """Doc.\n\n    # More.\n    """\n\n\ndef f(): "Doc."\nclass B: pass\n',
        ["class", "A", ":", END, INDENT, DEDENT, "def", "f", "(", ")", ":", END, "class", "B", ":", "pass", END],
    ),
    "texts that document": (
        '"one" "two"\nclass A:\n    x = 1\n    """Of x."""\n    ("In parentheses.")\n'
        '    y = """\n\n  text  \n"""\n    b"code"\n',
        [
            *("class", "A", ":", END, INDENT, "x", "=", "1", END),
            *("y", "=", '"""\n\n  text  \n"""', END, 'b"code"', END, DEDENT),
        ],
    ),
    "decorators and blocks": (
        "@cache(1)\n\nasync def f(a,\n  b = 2):\n\tif a:\n\t\t\treturn\n\n\treturn b",
        [
            *("@", "cache", "(", "1", ")", END, "async", "def", "f", "(", "a", ",", "b", "=", "2", ")", ":", END),
            *(INDENT, "if", "a", ":", END, INDENT, "return", END, DEDENT, "return", "b", END, DEDENT),
        ],
    ),
    "continued lines": (
        "x = 1 + \\\n    2; y = 3   \n\n\nif x: \\\n  y\n\x0c\nz=0x_F\n",
        ["x", "=", "1", "+", "2", ";", "y", "=", "3", END, "if", "x", ":", "y", END, "z", "=", "0x_F", END],
    ),
    "nothing": ("# nothing\n\n", []),
}
"""Source, and what of it is code, taken apart by hand."""

PINNED = "67f79d4025af696b"
"""Over all sources; found with CPython 3.11.7, 3.12.7, 3.13.2 and 3.14.2."""


def read(folder: Path, text: str | bytes) -> str:
    file = folder / f"source{len(list(folder.iterdir()))}.py"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return code.read(file).sha256


@pytest.mark.parametrize("name", SOURCES)
def test_code_is_what_python_reads(tmp_path: Path, name: str) -> None:
    text, tokens = SOURCES[name]
    assert read(tmp_path, text) == hashlib.sha256("\0".join(tokens).encode()).hexdigest()


def test_hashes_are_those_of_every_python(tmp_path: Path) -> None:
    together = "".join(read(tmp_path, text) for text, _ in SOURCES.values())
    assert hashlib.sha256(together.encode()).hexdigest()[:16] == PINNED


CODE = """\
import os


def f(x, names=("a", "b")):
    if x:
        x = {"one": 1, "two": 2}
    return f"{', '.join(names)} {x['one']}"
"""


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("import os", '"""Doc."""\n\nimport os  # why'),
        ("    if x:", '    """Doc.\n\n    Of two paragraphs.\n    """\n    # ---\n    if x:  # type: ignore'),
        ("    return f", "\n\n    return f"),
        ('{"one": 1, "two": 2}', '{\n            "one": 1,  # first\n\n            "two" : 2 }'),
        ("x = {", "x={"),
        ("\n", "\r\n"),
        ("        x =", "          x ="),
    ],
)
def test_what_does_not_count(tmp_path: Path, old: str, new: str) -> None:
    assert old in CODE
    assert read(tmp_path, CODE.replace(old, new)) == read(tmp_path, CODE)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("', '", "',  '"),
        ("{x['one']}", "{x['one']:}"),
        ("names)} ", "names)}  "),
        ('"b"', "'b'"),
        ('"a", "b"', '"a" "b"'),
        ("1, ", "1_0, "),
        ("    return f", "        return f"),
        ("import os", "import os; import sys"),
        ("import os", "b''\nimport os"),
        ("import os", "f''\nimport os"),
        ("if x", "if  not x"),
        ("names=", "*, names="),
    ],
)
def test_what_counts(tmp_path: Path, old: str, new: str) -> None:
    assert old in CODE
    assert read(tmp_path, CODE.replace(old, new)) != read(tmp_path, CODE)


@pytest.mark.parametrize(
    "text",
    [
        "# coding: latin-1\nname = 'é'\n".encode("latin-1"),
        b"\xef\xbb\xbfname = '\xc3\xa9'\n",
        "# -*- coding: utf-8 -*-\r\nname = 'é'\r\n".encode(),
    ],
    ids=["latin-1", "a byte order mark", "line ends of Windows"],
)
def test_files_are_read_in_their_own_encoding(tmp_path: Path, text: bytes) -> None:
    assert read(tmp_path, text) == read(tmp_path, "name = 'é'\n")


@pytest.mark.parametrize(
    "text",
    [
        b"x = '\xe9'\n",
        b"\n" * 9 + b"x = '\xe9'\n",
        b"# coding: klingon\n",
        b"x = = 1\n",
        b"x = 1\0\n",
        b"if x:\n  'a\n",
    ],
)
def test_what_is_no_python_is_named(tmp_path: Path, text: bytes) -> None:
    with pytest.raises(SyntaxError, match=r"source0\.py"):
        read(tmp_path, text)


def test_imports_are_followed_below_the_given_packages() -> None:
    found = code.hashes(code.closure(code.ROOT / "methods/ssd_kd.py", ("methods",)))
    assert {"methods/ssd_kd.py", "methods/parts/replay_buffer.py", "methods/base/task.py"} <= set(found)
    assert not {"methods/dafl.py", "methods/__init__.py"} & set(found)
    assert set(code.hashes(code.closure(code.ROOT / "methods/ssd_kd.py", ()))) == {"methods/ssd_kd.py"}


@pytest.mark.parametrize("locale", ["C", "POSIX", "en_US.ISO-8859-1", "C.UTF-8"])
def test_the_locale_does_not_count(tmp_path: Path, locale: str) -> None:
    """Under Latin-1 every byte is a character, under ASCII none above 127 is."""
    file = tmp_path / "mine.py"
    file.write_text(SOURCES["text that is not ASCII"][0], encoding="utf-8")
    program = (
        f"import sys; from pathlib import Path; from harness import code; print(code.read(Path({str(file)!r})).sha256)"
    )
    plain = {"LC_ALL": locale, "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    told = subprocess.run(
        [sys.executable, "-c", program], env=os.environ | plain, capture_output=True, encoding="utf-8", check=True
    )
    assert told.stdout.strip() == code.read(file).sha256
