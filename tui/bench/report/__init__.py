"""Report of a run: one content, rendered as Markdown or as a single HTML file."""
