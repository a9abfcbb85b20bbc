"""What did a benchmark measure, and how does it read beside another controller's figures?"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """One measured number. Less is better in all of them."""

    what: str
    value: float
    unit: str = ""

    def __str__(self) -> str:
        digits = 0 if self.unit == "MB" or (self.unit == "ms" and self.value >= 10) else 1 if self.unit == "s" else 2
        return f"{self.value:.{digits}f} {self.unit}".strip()


def table(ours: list[Figure], theirs: list[Figure], machine: str) -> str:
    """The report as Markdown; with another controller's figures of the same run, and what ours are of them."""
    others = {figure.what: figure for figure in theirs}
    lines = [
        "# Benchmark",
        "",
        "Measured by `make bench` on a real control plane, each controller on a fresh one, one after the other in the",
        "same run. Writes are counted in the API server's audit log, CPU and memory by the kernel. Less is better.",
        "",
        machine,
        "",
        "| | rollouts | the API's other controller | ratio |",
        "|---|---|---|---|",
    ]
    for figure in ours:
        other = others.get(figure.what)
        ratio = f"{figure.value / other.value:.2f}" if other is not None and other.value else ""
        what = figure.what.strip() if figure.what == figure.what.lstrip() else f"&nbsp;&nbsp;{figure.what.strip()}"
        lines.append(f"| {what} | {figure} | {other or ''} | {ratio} |")
    return "\n".join([*lines, ""])
