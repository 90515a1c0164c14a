"""What iptables-save and nft really printed. The files ``*.nft`` are what the rules of ``*.json`` were made from."""

from __future__ import annotations

from pathlib import Path

_FOLDER = Path(__file__).parent


def recorded(name: str) -> str:
    """The text of a file of this folder."""
    return (_FOLDER / name).read_text(encoding="utf-8")
