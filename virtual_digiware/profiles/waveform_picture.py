"""A picture of the voltages and currents of one circuit as SVG text, for the screen and for print.

Colours are those of conductors: brown, black and grey for L1, L2 and L3, blue for the neutral
(source: IEC 60445); the line styles differ as well, so that a copy without colours can be read.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from html import escape

import numpy as np

from virtual_digiware.profiles.solution import FloatArray
from virtual_digiware.profiles.waveform import Waveforms

WIDTH, HEIGHT = 960, 640
_LEFT, _RIGHT = 84, 24
_POINTS = 2000
"""Most points of a curve; more would not be seen."""
_NEUTRAL_SHOWN = 0.005
"""Share of the largest phase current from which on the neutral current is drawn."""
_INK, _FAINT = "#1f2933", "#dde3ea"


@dataclass(frozen=True)
class _Curve:
    name: str
    values: FloatArray
    colour: str
    dash: str = ""
    width: float = 1.8


@dataclass(frozen=True)
class _Panel:
    title: str
    unit: str
    curves: tuple[_Curve, ...]
    top: float
    height: float


def waveform_svg(waves: Waveforms, title: str) -> str:
    """An SVG document with two panels over time: voltages, and currents with any neutral current.

    Args:
        waves: Any number of cycles, at least two samples.
        title: Written above the picture, say the circuit's name and the date; any characters.
    """
    voltages, currents = waves.voltage_v, waves.current_a
    largest = float(np.max(np.abs(currents)))
    is_neutral_shown = float(np.max(np.abs(waves.neutral_a))) > _NEUTRAL_SHOWN * largest
    neutral = (_Curve("N", waves.neutral_a, "#2563a8", "7 4", 1.6),) if is_neutral_shown else ()
    panels = (
        _Panel("Phase-to-neutral voltage", "V", _phases(voltages), top=74, height=224),
        _Panel("Current", "A", (*_phases(currents), *neutral), top=352, height=224),
    )
    duration_ms = 1000 * float(waves.time_s[-1] + waves.time_s[1] - waves.time_s[0])
    body = "\n".join(_draw(panel, waves.time_s * 1000, duration_ms) for panel in panels)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" '
        f'viewBox="0 0 {WIDTH} {HEIGHT}" font-family="Helvetica, Arial, sans-serif" fill="{_INK}">\n'
        f"<title>{escape(title)}</title>\n"
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>\n'
        f'<text x="{_LEFT}" y="34" font-size="19" font-weight="bold">{escape(title)}</text>\n'
        f"{body}\n"
        f'<text x="{(_LEFT + WIDTH - _RIGHT) / 2:.1f}" y="{HEIGHT - 14}" font-size="14" '
        f'text-anchor="middle">Time (ms)</text>\n'
        "</svg>\n"
    )


def _phases(values: FloatArray) -> tuple[_Curve, ...]:
    """Curves of the phases; of a circuit that has fewer than three only those, but of a dead one all."""
    curves = (
        _Curve("L1", values[0], "#8a4b16"),
        _Curve("L2", values[1], "#000000", width=1.4),
        _Curve("L3", values[2], "#8c96a0", width=2.2),
    )
    return tuple(curve for curve in curves if np.any(curve.values)) or curves


def _round_step(span: float, at_most: int) -> float:
    """The smallest of 1, 2, 5 times a power of ten that cuts a span into at most so many parts."""
    rough = span / at_most
    power: float = 10.0 ** math.floor(math.log10(rough))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * (1 - 1e-9))


def _label(value: float, step: float) -> str:
    decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    text = f"{value:.{decimals}f}"
    return text.replace("-", "−") if float(text) else text.lstrip("-")  # a real minus sign


def _rms_label(values: FloatArray) -> str:
    rms = float(np.sqrt(np.mean(values**2)))
    if rms == 0:
        return "0"
    decimals = max(0, 3 - math.floor(math.log10(rms)))
    return f"{rms:.{min(decimals, 6)}f}"


def _draw(panel: _Panel, time_ms: FloatArray, duration_ms: float) -> str:
    width = WIDTH - _LEFT - _RIGHT
    peak = max(float(np.max(np.abs(curve.values))) for curve in panel.curves)
    step = _round_step(2.1 * peak, 8) if peak > 0 else 1.0
    limit = max(1.05 * peak, step) if peak > 0 else 1.0

    def x(time: FloatArray | float) -> FloatArray:
        return _LEFT + width * np.asarray(time) / duration_ms

    def y(value: FloatArray | float) -> FloatArray:
        return panel.top + panel.height * (0.5 - np.asarray(value) / (2 * limit))

    parts = [_grid(panel, step, limit, duration_ms, x, y)]
    stride = math.ceil(len(time_ms) / _POINTS)
    horizontal = x(time_ms[::stride])
    for curve in reversed(panel.curves):  # L1 on top
        vertical = y(curve.values[::stride])
        points = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(horizontal, vertical, strict=True))
        dash = f' stroke-dasharray="{curve.dash}"' if curve.dash else ""
        parts.append(
            f'<polyline fill="none" stroke="{curve.colour}" stroke-width="{curve.width}"{dash} '
            f'stroke-linejoin="round" points="{points}"/>'
        )
    parts.append(_legend(panel))
    return "\n".join(parts)


def _grid(
    panel: _Panel,
    step: float,
    limit: float,
    duration_ms: float,
    x: Callable[[float], FloatArray],
    y: Callable[[float], FloatArray],
) -> str:
    right, bottom = WIDTH - _RIGHT, panel.top + panel.height
    parts = []
    time_step = _round_step(duration_ms, 16)
    for index in range(math.floor(duration_ms / time_step * (1 + 1e-9)) + 1):
        at = float(x(index * time_step))
        parts.append(_line(at, panel.top, at, bottom, _FAINT, 1.0))
        label = _label(index * time_step, time_step)
        parts.append(
            f'<text x="{at:.1f}" y="{bottom + 18:.1f}" font-size="13" text-anchor="middle">{label}</text>'
        )
    for index in range(-math.floor(limit / step), math.floor(limit / step) + 1):
        at = float(y(index * step))
        ink, weight = (_INK, 0.9) if index == 0 else (_FAINT, 1.0)
        parts.append(_line(_LEFT, at, right, at, ink, weight))
        label = _label(index * step, step)
        parts.append(
            f'<text x="{_LEFT - 8}" y="{at + 4.5:.1f}" font-size="13" text-anchor="end">{label}</text>'
        )
    parts.append(
        f'<rect x="{_LEFT}" y="{panel.top}" width="{right - _LEFT}" height="{panel.height}" '
        f'fill="none" stroke="{_INK}" stroke-width="0.9"/>'
    )
    return "\n".join(parts)


def _line(x1: float, y1: float, x2: float, y2: float, ink: str, weight: float) -> str:
    place = f'x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"'
    return f'<line {place} stroke="{ink}" stroke-width="{weight}"/>'


def _legend(panel: _Panel) -> str:
    """Title of the panel on the left; on the right each curve's style, name and RMS value."""
    base = panel.top - 10
    parts = [f'<text x="{_LEFT}" y="{base}" font-size="14">{panel.title} ({panel.unit})</text>']
    spacing = 132
    start = WIDTH - _RIGHT - spacing * len(panel.curves)
    for index, curve in enumerate(panel.curves):
        at = start + spacing * index
        dash = f' stroke-dasharray="{curve.dash}"' if curve.dash else ""
        parts.append(
            f'<line x1="{at}" y1="{base - 5}" x2="{at + 26}" y2="{base - 5}" stroke="{curve.colour}" '
            f'stroke-width="{curve.width + 0.6:.1f}"{dash}/>'
            f'<text x="{at + 33}" y="{base}" font-size="14">{curve.name} '
            f"{_rms_label(curve.values)} {panel.unit}</text>"
        )
    return "\n".join(parts)
