"""Reads the vote files of docs/vote-files.md: CSV, JSON and Parquet in every shape. No Django."""

from __future__ import annotations

from arena.vote_files.errors import VoteFileError
from arena.vote_files.reader import CountBatch, VoteBatch, VoteFile, open_votes

__all__ = ["CountBatch", "VoteBatch", "VoteFile", "VoteFileError", "open_votes"]
