"""Bar charts of a report, drawn as vectors."""

from __future__ import annotations

from decimal import Decimal

from reportlab.graphics.charts.barcharts import VerticalBarChart
from reportlab.graphics.charts.legends import Legend
from reportlab.graphics.shapes import Drawing, String
from reportlab.lib import colors

from reporting.contracts import Chart

WIDTH, HEIGHT = 740, 220
_COLOURS = (colors.HexColor("#2563eb"), colors.HexColor("#d97706"), colors.HexColor("#059669"))
_INK, _QUIET = colors.HexColor("#111827"), colors.HexColor("#6b7280")


def draw(chart: Chart, *, font: str, bold: str) -> Drawing:
    """The chart as a drawing of WIDTH by HEIGHT points. Only the height of its bars is rounded, never a number."""
    drawing = Drawing(WIDTH, HEIGHT)
    drawing.add(String(0, HEIGHT - 14, chart.title, fontName=bold, fontSize=11, fillColor=_INK))
    bars = VerticalBarChart()
    bars.x, bars.y, bars.width, bars.height = 90, 30, WIDTH - 110, HEIGHT - 75
    bars.data = [[float(value) for value in series.values] for series in chart.series]
    axis = bars.categoryAxis
    axis.categoryNames = list(chart.categories)
    axis.labels.fontName, axis.labels.fontSize, axis.labels.fillColor = font, 8, _INK
    axis.strokeColor = _QUIET
    _scale(bars, chart)
    bars.valueAxis.labels.fontName, bars.valueAxis.labels.fontSize, bars.valueAxis.labels.fillColor = font, 8, _INK
    bars.valueAxis.strokeColor, bars.valueAxis.gridStrokeColor = _QUIET, colors.HexColor("#e5e7eb")
    bars.valueAxis.visibleGrid = True
    bars.groupSpacing = 8
    for number in range(len(chart.series)):
        bars.bars[number].fillColor = _COLOURS[number % len(_COLOURS)]
        bars.bars[number].strokeColor = None
    drawing.add(bars)
    if len(chart.series) > 1:
        drawing.add(_legend(chart, font))
    return drawing


def _scale(bars: VerticalBarChart, chart: Chart) -> None:
    """From zero, or from the lowest value below it, to the highest; a chart of nothing has a scale too."""
    values = [value for series in chart.series for value in series.values] or [Decimal(0)]
    low, high = min(Decimal(0), *values), max(Decimal(0), *values)
    if low == high:
        high = Decimal(1)
    step = _step((high - low) / 5)
    bars.valueAxis.valueMin = float((low / step).to_integral_value(rounding="ROUND_FLOOR") * step)
    bars.valueAxis.valueMax = float((high / step).to_integral_value(rounding="ROUND_CEILING") * step)
    bars.valueAxis.valueStep = float(step)
    bars.valueAxis.labelTextFormat = lambda value: f"{value:,.10g}" if abs(value) < 1e10 else f"{value:,.0f}"


def _step(rough: Decimal) -> Decimal:
    """The next round number: 1, 2 or 5 times a power of ten."""
    power = Decimal(1).scaleb(rough.adjusted())
    return next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough)


def _legend(chart: Chart, font: str) -> Legend:
    legend = Legend()
    legend.x, legend.y, legend.alignment, legend.boxAnchor = WIDTH - 20, HEIGHT - 4, "right", "ne"
    legend.fontName, legend.fontSize, legend.columnMaximum, legend.deltax = font, 8, 1, 80
    legend.colorNamePairs = [(_COLOURS[at % len(_COLOURS)], series.name) for at, series in enumerate(chart.series)]
    return legend
