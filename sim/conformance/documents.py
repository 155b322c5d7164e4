"""Recorded documents: reading a file, and naming what kind of recording it holds."""

from __future__ import annotations

import gzip
import json
import zlib
from pathlib import Path
from typing import Any, NamedTuple

Document = dict[str, Any]


class DocumentError(ValueError):
    """A file that cannot be read as a recording; the message names the file and says why."""


class Kind(NamedTuple):
    """What a recording holds: `name` is the key of the registry of replayers, `protocol` groups them in a report."""

    name: str
    protocol: str


AAVE_30_TRACE = Kind("aave 3.0 trace", "Aave V3.0")
AAVE_36_TRACE = Kind("aave 3.6 trace", "Aave V3.6")
AAVE_WADRAY = Kind("aave wad and ray arithmetic", "Aave arithmetic")
AAVE_INTEREST = Kind("aave interest factors", "Aave arithmetic")
AAVE_RATES = Kind("aave interest rate curves", "Aave V3.0")
UNISWAP_V2_TRACE = Kind("uniswap v2 trace", "Uniswap V2")
UNISWAP_V3_TRACE = Kind("uniswap v3 trace", "Uniswap V3")
UNISWAP_V3_MATH = Kind("uniswap v3 arithmetic", "Uniswap V3")
STABLESWAP_MATH = Kind("stableswap arithmetic", "StableSwap")
MORPHO_TRACE = Kind("morpho blue trace", "Morpho Blue")

#: `format` of a document -> its kind; the two generations of Aave share a format and differ in their contracts.
_FORMATS: dict[str, Kind] = {
    "aave-v3-wadray/1": AAVE_WADRAY,
    "aave-v3-interest/1": AAVE_INTEREST,
    "aave-v3-rates/1": AAVE_RATES,
    "uniswap-v2-trace/1": UNISWAP_V2_TRACE,
    "uniswap-v3-trace/1": UNISWAP_V3_TRACE,
    "uniswap-v3-math/1": UNISWAP_V3_MATH,
    "stablemath/1": STABLESWAP_MATH,
    "morpho-blue-trace/1": MORPHO_TRACE,
}
_AAVE_TRACE_FORMAT = "aave-v3-trace/1"
_AAVE_GENERATIONS = (("aave-v3-origin 3.6", AAVE_36_TRACE), ("core-v3 1.19", AAVE_30_TRACE))


def load_document(path: str | Path) -> Document:
    """Read one gzip-compressed JSON document; `DocumentError` names the file and the reason if it is not one."""
    path = Path(path)
    try:
        with gzip.open(path) as file:
            document = json.loads(file.read().decode("utf-8"))
    except FileNotFoundError:
        raise DocumentError(f"{path}: there is no such file") from None
    except IsADirectoryError:
        raise DocumentError(f"{path}: is a folder, not a file") from None
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise DocumentError(f"{path}: not a complete gzip file ({error})") from None
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise DocumentError(f"{path}: does not hold JSON ({error})") from None
    except OSError as error:
        raise DocumentError(f"{path}: cannot be read ({error.strerror or error})") from None
    if not isinstance(document, dict):
        raise DocumentError(f"{path}: holds a JSON {type(document).__name__}, a recording is an object")
    return document


def kind_of(document: Document) -> Kind | None:
    """The kind of a document by its header, or None if it is none that we know."""
    name = document.get("format")
    if name == _AAVE_TRACE_FORMAT:
        contracts = str(document.get("contracts", ""))
        for mark, kind in _AAVE_GENERATIONS:
            if mark in contracts:
                return kind
        return None
    return _FORMATS.get(name) if isinstance(name, str) else None
