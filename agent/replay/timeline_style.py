"""How the timeline looks, in light and in dark."""

STYLE = """
svg { --ground: #ffffff; --text: #1b1c24; --dim: #6a6e80; --line: #e6e6ee; --panel: #f7f7fb;
  --caller: #4f46e5; --agent: #0d8a6a; --vad: #c9c6f5; --hearing: #d98a00; --thinking: #c0398d; --speaking: #2f8fd0;
  --wait: #f3c34a; --cut: #bd2638; background: var(--ground); }
@media (prefers-color-scheme: dark) { svg { --ground: #111217; --text: #eceef4; --dim: #9a9fb2; --line: #272a34;
  --panel: #181a21; --caller: #8f8bff; --agent: #5fd3ac; --vad: #3d3a78; --hearing: #ffc15c; --thinking: #ff8acb;
  --speaking: #7cc4f5; --wait: #7a6220; --cut: #ff8089; } }
text { font: 12px system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; fill: var(--text); }
.title { font-size: 20px; font-weight: 650; }
.heading { font-size: 14px; font-weight: 650; }
.turn { fill: var(--vad); }
.heard { stroke: var(--agent); stroke-width: 3; }
.dim, .label, .tick { fill: var(--dim); }
.label { font-size: 11px; }
.tick { font-size: 10px; font-variant-numeric: tabular-nums; }
.ms { font-weight: 650; font-variant-numeric: tabular-nums; paint-order: stroke; stroke: var(--ground);
  stroke-width: 4px; stroke-linejoin: round; }
.words-caller { fill: var(--caller); }
.words-agent { fill: var(--agent); }
.panel { fill: var(--panel); }
.grid { stroke: var(--line); stroke-width: 1; }
.ground { fill: var(--ground); }
.caller { fill: var(--caller); }
.agent { fill: var(--agent); }
.vad { fill: var(--vad); }
.user { fill: var(--caller); }
.hearing { fill: var(--hearing); }
.thinking { fill: var(--thinking); }
.speaking { fill: var(--speaking); }
.discarded { opacity: 0.35; }
.wait { fill: var(--wait); opacity: 0.45; }
.interim { fill: var(--ground); stroke: var(--hearing); stroke-width: 1.5; }
.final { fill: var(--hearing); stroke: var(--hearing); stroke-width: 1.5; }
.typed { stroke: var(--caller); stroke-width: 2; stroke-dasharray: 3 3; }
.cut { stroke: var(--cut); stroke-width: 2; }
.cut-word { fill: var(--cut); font-size: 11px; font-weight: 650; }
"""
