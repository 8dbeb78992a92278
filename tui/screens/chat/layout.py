"""Where the dashboard's widgets stand: wide, narrow, in ASCII, and where there is no room."""

from __future__ import annotations

DASHBOARD_CSS = """
Dashboard { layout: vertical; background: $background; color: $foreground; }
Dashboard #body { height: 1fr; }
Dashboard #panels {
    width: 44; padding: 0 1; border-left: solid $rule; overflow: hidden hidden;
}
Dashboard #panels Rows { border-top: solid $rule; }
Dashboard #panels #speed { border-top: none; }
Dashboard #strip { height: 1; }
Dashboard #prompt-box {
    height: auto; max-height: 40%; border-top: solid $rule; padding: 0;
}
Dashboard #prompt-mark { width: 3; height: 1; color: $live; }
Dashboard Prompt { width: 1fr; }
Dashboard.-narrow #panels { display: none; }
Dashboard.-wide #strip { display: none; }
Dashboard.-ascii #panels { border-left: ascii $rule; }
Dashboard.-ascii #panels Rows, Dashboard.-ascii #prompt-box { border-top: ascii $rule; }
Dashboard.-ascii #panels #speed { border-top: none; }
Dashboard #too-small { display: none; width: 100%; height: 100%; content-align: center middle; }
Dashboard.-tiny > * { display: none; }
Dashboard.-tiny #too-small { display: block; }
"""
