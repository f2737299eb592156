"""Tabular: a result with a table of its own, for pandas and CSV."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from typing import Any

from bifurcate.storage.tables import Columns, as_dataframe, write_csv

__all__ = ["Tabular"]


class Tabular(ABC):
    """A result that says what its table is, and so can be written as one."""

    @abstractmethod
    def table(self) -> Columns:
        """The columns of the result's table by name, all of one length: lists of numbers and words."""

    def table_attributes(self) -> dict[str, Any]:
        """What holds for the whole table, as the ``attrs`` of a DataFrame."""
        return {}

    def to_dataframe(self) -> Any:
        """A pandas DataFrame of the result's table; what is in its columns is said by :meth:`table`.

        Raises
        ------
        InvalidInput
            If pandas is not installed.
        """
        return as_dataframe(self.table(), self.table_attributes())

    def to_csv(self, path: str | os.PathLike[str]) -> None:
        """Write what :meth:`to_dataframe` shows to a CSV file; numbers read back the same.

        Raises
        ------
        InvalidInput
            If the file cannot be written there.
        """
        write_csv(self.table(), path)
