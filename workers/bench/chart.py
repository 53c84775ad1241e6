"""Shares as a bar chart in SVG: a bar for each, and the 95 % interval of the true share across its end. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from workers.bench.score import Share

_ROW, _LABEL, _BAR, _RIGHT, _TOP = 30, 300, 420, 130, 64
_WIDTH = _LABEL + _BAR + _RIGHT
_LONGEST = 44


def chart(title: str, shares: Sequence[tuple[str, Share]]) -> str:
    """The chart as a standalone SVG document. What has no cases has no bar."""
    height = _TOP + _ROW * len(shares) + 14
    grid = "".join(_mark(percent, height) for percent in (0, 25, 50, 75, 100))
    rows = "".join(_bar(name, share, _TOP + _ROW * at) for at, (name, share) in enumerate(shares))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" height="{height}" '
        f'role="img" font-family="sans-serif" font-size="13"><title>{_text(title, 200)}</title>'
        f'<rect width="100%" height="100%" fill="#ffffff"/>'
        f'<text x="12" y="24" font-size="16" font-weight="bold" fill="#1f2328">{_text(title, 90)}</text>'
        f"{grid}{rows}</svg>\n"
    )


def _mark(percent: int, height: int) -> str:
    x = _LABEL + _BAR * percent / 100
    return (
        f'<line x1="{x:.1f}" y1="{_TOP - 8}" x2="{x:.1f}" y2="{height - 10}" stroke="#d1d9e0"/>'
        f'<text x="{x:.1f}" y="{_TOP - 14}" text-anchor="middle" fill="#59636e">{percent} %</text>'
    )


def _bar(name: str, share: Share, y: int) -> str:
    middle = y + _ROW / 2
    label = f'<text x="{_LABEL - 10}" y="{middle + 4:.1f}" text-anchor="end" fill="#1f2328">{_text(name)}</text>'
    if share.value is None:
        return f'{label}<text x="{_LABEL + 6}" y="{middle + 4:.1f}" fill="#59636e">no cases</text>'
    low, high = (_LABEL + _BAR * end for end in share.interval)
    return (
        f'{label}<rect x="{_LABEL}" y="{y + 6}" width="{_BAR * share.value:.1f}" height="{_ROW - 12}" fill="#0969da"/>'
        f'<path d="M{low:.1f} {middle:.1f}H{high:.1f}M{low:.1f} {middle - 5:.1f}v10M{high:.1f} {middle - 5:.1f}v10" '
        f'stroke="#1f2328" stroke-width="1.5" fill="none"/>'
        f'<text x="{_LABEL + _BAR + 12}" y="{middle + 4:.1f}" fill="#1f2328">{share.hits:g} of {share.cases}, '
        f"{share.value:.0%}</text>"
    )


def _text(text: str, longest: int = _LONGEST) -> str:
    return escape(text if len(text) <= longest else text[: longest - 1] + "…")
