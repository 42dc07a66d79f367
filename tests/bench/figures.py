"""Single figures: a value, its unit, and what it must stay below."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of a table of figures; less is better.

    Attributes:
        name: what was measured.
        server: whose figure it is.
        value: in `unit`.
        unit: ms, s, MiB.
        limit: what the value should stay below; 0 where nothing is set.
        column: which of several values of the same name, where there are several.
    """

    name: str
    server: str
    value: float
    unit: str
    limit: float = 0.0
    column: str = ""

    @property
    def title(self) -> str:
        """What the value is, all of it."""
        return f"{self.name}, {self.column}" if self.column else self.name

    @property
    def goal(self) -> str:
        """The goal and whether it is met; "" where there is none."""
        return f"< {self.limit:g}, {'met' if self.value < self.limit else 'missed'}" if self.limit else ""
