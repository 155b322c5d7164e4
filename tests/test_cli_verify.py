"""`undertow verify` and `undertow doctor`."""

from __future__ import annotations

import gzip
import json

import pytest

from sim.cli import main
from sim.conformance.verification import SHIPPED

PAIRS = SHIPPED / "univ2" / "trace_v2_p1.json.gz"
WADRAY = SHIPPED / "aave" / "wadray.json.gz"


def tampered(folder):
    """A recording in which one recorded number is another."""
    document = json.loads(gzip.decompress(WADRAY.read_bytes()))

    def change(value):
        for key in value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
            inner = value[key]
            if key != "format" and isinstance(inner, str) and inner.isdigit() and len(inner) > 20 and "out" in str(key):
                value[key] = str(int(inner) + 1)
                return True
            if change(inner):
                return True
        return False

    if not change(document):
        document = json.loads(gzip.decompress(WADRAY.read_bytes()))
        _last_number(document)
    file = folder / "tampered.json.gz"
    file.write_bytes(gzip.compress(json.dumps(document).encode()))
    return file


def _last_number(document):
    spot = None
    stack = [document]
    while stack:
        here = stack.pop()
        for key in list(here) if isinstance(here, dict) else range(len(here)):
            inner = here[key]
            if isinstance(inner, dict | list):
                stack.append(inner)
            elif isinstance(inner, str) and inner.isdigit() and len(inner) > 5:
                spot = (here, key)
    here, key = spot
    here[key] = str(int(here[key]) + 1)


def test_recordings_that_agree_are_0(capsys):
    assert main(["verify", str(PAIRS), str(WADRAY)]) == 0
    told = capsys.readouterr().out
    assert "Uniswap V2" in told
    assert "operations" in told
    assert "no difference" in told


def test_a_folder(capsys):
    assert main(["verify", str(SHIPPED / "univ2")]) == 0
    assert "together" in capsys.readouterr().out


def test_a_difference_is_1_and_told_in_full(tmp_path, capsys):
    file = tampered(tmp_path)
    assert main(["verify", str(file), str(PAIRS)]) == 1
    told = capsys.readouterr().out
    assert f"First difference in {file}" in told.replace("\n", "") or "First difference in" in told
    assert "recorded" in told
    assert "computed" in told
    assert main(["verify", str(file), "--json"]) == 1
    (result,) = json.loads(capsys.readouterr().out)["files"]
    assert result["differences"] == 1
    assert result["first_difference"]


def test_a_kind_that_is_not_supported_is_named_and_1(tmp_path, capsys):
    (tmp_path / "other.json.gz").write_bytes(gzip.compress(json.dumps({"format": "somebody/else/1"}).encode()))
    assert main(["verify", str(tmp_path)]) == 1
    told = capsys.readouterr().out
    assert "Not supported yet" in told
    assert "somebody/else/1" in told


@pytest.mark.parametrize(
    "content", [b"", b"no gzip", gzip.compress(b"no json"), gzip.compress(b"[1]"), gzip.compress(b"{}")[:-5]]
)
def test_files_that_are_no_recording_are_65_and_the_others_are_still_compared(tmp_path, content, capsys):
    (tmp_path / "bad.json.gz").write_bytes(content)
    assert main(["verify", str(tmp_path / "bad.json.gz"), str(WADRAY)]) == 65
    told = capsys.readouterr()
    assert "bad.json.gz" in told.err
    assert "Traceback" not in told.err
    assert "wadray.json.gz" in told.out


@pytest.mark.parametrize("name", ["nowhere", "."])
def test_nothing_to_verify_is_65(tmp_path, monkeypatch, name, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["verify", name]) == 65
    assert capsys.readouterr().err.startswith("undertow: ")


def test_doctor(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["doctor", "--json"]) == 0
    checks = {check["what"]: check for check in json.loads(capsys.readouterr().out)}
    assert checks["Python"]["ok"] is True
    assert checks["scenarios"]["ok"] is True
    assert "no differences" in checks["contracts"]["found"]


def test_doctor_says_what_is_wrong(tmp_path, monkeypatch, capsys):
    import sim.cli.doctor as doctor

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(doctor, "NEEDED", ("numpy", "surely-not-installed"))
    monkeypatch.setattr(doctor, "_contracts", lambda: 1 / 0)
    assert main(["doctor"]) == 1
    told = capsys.readouterr().out
    assert "surely-not-installed" in told
    assert "ZeroDivisionError" in told
    assert "2 of" in told
